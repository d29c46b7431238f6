"""No Grant, no egress (law 1): a search through the syntax tree, and proof that it would find what it looks for."""

from __future__ import annotations

import pytest

from tests.laws import grants
from tests.laws.tree import annotation, functions, parameters, parse, sources

ROOMS = ("gateway/adapters/providers/", "gateway/adapters/speech/", "gateway/adapters/conversation/plugins/")
SENDERS = {
    "gateway/adapters/conversation/plugins/hearing.py": ("transcribe", "transcribe_words"),
    "gateway/adapters/conversation/plugins/speaking.py": ("speak",),
    "gateway/adapters/providers/aws_speech.py": ("transcribe", "transcribe_words", "speak"),
    "gateway/adapters/providers/azure_speech.py": ("transcribe", "transcribe_words", "speak"),
    "gateway/adapters/providers/exchange.py": ("stream",),
    "gateway/adapters/providers/google_speech.py": ("transcribe", "transcribe_words", "speak"),
    # Speech on this machine leaves it nowhere; the hop has its Grant all the same (promise 7).
    "gateway/adapters/speech/local.py": ("transcribe", "speak"),
}
IMPORT = "from gateway.policy.egress import Grant\n"
MADE = {
    "plain": IMPORT + "x = Grant(id='1')",
    "aliased import": "from gateway.policy.egress import Grant as G\nx = G(id='1')",
    "through the module": "from gateway.policy import egress\nx = egress.Grant(id='1')",
    "through the package": "import gateway.policy.egress\nx = gateway.policy.egress.Grant(id='1')",
    "through an aliased module": "import gateway.policy.egress as e\nx = e.Grant(id='1')",
    "assigned to another name": IMPORT + "make = Grant",
    "handed to somebody": IMPORT + "x = build(Grant, {})",
    "in a table": IMPORT + "makers = {'grant': Grant}",
    "inherited from": IMPORT + "class Wider(Grant):\n    pass",
    "as a default": IMPORT + "def f(kind=Grant):\n    pass",
    "everything imported": "from gateway.policy.egress import *",
    "fetched by name": "from gateway.policy import egress\nx = getattr(egress, 'Grant')",
    "past its constructor": "x = object.__new__(kind)",
    "past its constructor by class": IMPORT + "x = Grant.__new__(Grant)",
    "changed though frozen": "object.__setattr__(permit, 'host', 'elsewhere')",
    "replaced": "import dataclasses\nx = dataclasses.replace(grant, host='elsewhere')",
    "replaced, other import": "from dataclasses import replace\nx = replace(self._grant, model='y')",
    "replaced under another name": IMPORT + "from dataclasses import replace\ndef f(g: Grant):\n    return replace(g, model='y')",
    "replaced, told by its fields": "from dataclasses import replace\nx = replace(permit, base_url='https://elsewhere.example')",
    "copied with change (3.13)": "import copy\nx = copy.replace(grant, host='elsewhere')",
    "copied": "import copy\nx = copy.copy(grant)",
    "replaced by its method (3.13)": "x = grant.__replace__(host='elsewhere')",
    "by its class": "x = grant.__class__(id='1')",
    "by its type": "x = type(grant)(id='1')",
}
NOT_MADE = {
    "taken as a parameter": IMPORT + "async def f(grant: Grant, many: list[Grant]) -> Grant | None:\n    return grant",
    "in a field": IMPORT + "class A:\n    grant: Grant | None = None",
    "in a type": IMPORT + "from collections.abc import Callable\nSend = Callable[[Grant], None]",
    "asked for": IMPORT + "ok = isinstance(x, Grant)",
    "matched": IMPORT + "match x:\n    case Grant(host=h):\n        pass",
    "another class of that name": "class Grant:\n    pass\nx = Grant()",
    "another value copied": "from dataclasses import replace\nx = replace(entry, model='y')",
    "its own frozen field": "class A:\n    def __post_init__(self):\n        object.__setattr__(self, 'x', 1)",
}
SENT = {
    "posts": "async def send(self, text):\n    await self._session.post(url, data=text)",
    "opens a socket": "async def send(text):\n    async with session.ws_connect(url) as s:\n        pass",
    "sends on a socket": "async def send(ws, text):\n    await ws.send_str(text)",
    "gets with a query": "async def send(self, text):\n    await self.http.get(url, params={'q': text})",
    "plain function": "def send(text):\n    return urlopen(url, text)",
    "Grant of another name": "async def send(self, grant: object, text):\n    await self._session.post(url, data=text)",
    "inside a function that takes none": "def f():\n    async def inner(text):\n        await client.send(text)",
}
NOT_SENT = {
    "takes a Grant": "async def send(self, grant: Grant, text):\n    await self._session.post(grant.base_url, data=text)",
    "reads a table": "def f(table):\n    return table.get('a')",
    "does nothing outside": "def f(queue):\n    queue.put('a')",
}


def test_only_the_policy_makes_a_grant() -> None:
    """Every module of the product was read: the class Grant is used in egress.py, and elsewhere only named."""
    assert [breach for source in sources("gateway", "agents", "tools") for breach in grants.makes_a_grant(source)] == []


def test_the_maker_makes_one() -> None:
    """If egress.py moves, the law must move with it: there it is made, in one place."""
    maker = [source for source in sources("gateway") if source.path == grants.MAKER]
    assert len(maker) == 1
    assert maker[0].text.count("Grant(") - maker[0].text.count("class Grant(") == 1


@pytest.mark.parametrize("code", MADE.values(), ids=MADE.keys())
def test_the_search_finds_each_way_to_make_one(code: str) -> None:
    """A planted violation is found."""
    assert list(grants.makes_a_grant(parse("gateway/adapters/planted.py", code)))


@pytest.mark.parametrize("code", NOT_MADE.values(), ids=NOT_MADE.keys())
def test_the_search_leaves_honest_code_alone(code: str) -> None:
    """Taking, naming and matching Grants is what everybody does."""
    assert list(grants.makes_a_grant(parse("gateway/adapters/planted.py", code))) == []


def test_what_sends_takes_a_grant() -> None:
    """In the rooms that talk to processors no function sends without a Grant in its hand."""
    rooms = [source for source in sources("gateway") if source.path.startswith(ROOMS)]
    assert rooms
    assert [breach for source in rooms for breach in grants.sends_without_a_grant(source)] == []


@pytest.mark.parametrize("code", SENT.values(), ids=SENT.keys())
def test_the_search_finds_what_sends_without_one(code: str) -> None:
    """A planted violation is found."""
    assert list(grants.sends_without_a_grant(parse("gateway/adapters/providers/planted.py", code)))


@pytest.mark.parametrize("code", NOT_SENT.values(), ids=NOT_SENT.keys())
def test_the_search_leaves_alone_what_does_not_send(code: str) -> None:
    """Or what has a Grant."""
    assert list(grants.sends_without_a_grant(parse("gateway/adapters/providers/planted.py", code))) == []


@pytest.mark.parametrize(("path", "methods"), SENDERS.items(), ids=SENDERS.keys())
def test_the_doors_to_processors_ask_for_a_grant_first(path: str, methods: tuple[str, ...]) -> None:
    """The very methods that carry data to a model, to speech recognition and to a voice."""
    (source,) = [source for source in sources("gateway") if source.path == path]
    found = {function.name: function for function in functions(source.tree)}
    for method in methods:
        first = parameters(found[method])[1]
        assert (first.arg, annotation(first)) == ("grant", "Grant")
