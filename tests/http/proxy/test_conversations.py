"""One conversation over many requests, gateways and restarts: placeholders stay, and nothing is read twice."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gateway.adapters.detectors.presidio import PresidioDetector
from gateway.adapters.stores.redis import Store
from gateway.evidence.chain import verify_chain
from gateway.redaction.mask import Replacement
from gateway.values import Private, Span, TenantId
from tests.http.proxy.house import ProxyHouse, proxy_house
from tests.http.proxy.model import Model
from tests.http.proxy.test_chat import user


class Counting:
    """The real detector; it counts the texts that it was given."""

    def __init__(self, detector: PresidioDetector) -> None:
        self._detector = detector
        self.texts: list[str] = []

    async def detect(self, text: Private[str], *, language: str, previous: str = "") -> Sequence[Span]:
        self.texts.append(text.reveal())
        return await self._detector.detect(text, language=language, previous=previous)

    async def replace(self, text: Private[str], replacements: Sequence[Replacement]) -> Private[str]:
        return await self._detector.replace(text, replacements)


def named(call: str) -> dict[str, Any]:
    return {"headers": {"X-Sordino-Call": call}}


async def test_the_same_person_is_the_same_placeholder_in_every_request(house: ProxyHouse, model: Model) -> None:
    first, headers = await house.chat("My name is Barnaby Thistlewood.")
    call = headers["X-Sordino-Call"]
    history = [
        user("My name is Barnaby Thistlewood."),
        first["choices"][0]["message"],
        user("And my wife is Annabel Featherstone."),
    ]
    second, headers = await house.chat(*history, **named(call))
    assert headers["X-Sordino-Call"] == call
    contents = [message["content"] for message in model.bodies[1]["messages"]]
    assert contents == ["My name is <PERSON_1>.", "I have noted <PERSON_1>.", "And my wife is <PERSON_2>."]
    assert second["choices"][0]["message"]["content"] == "I have noted Barnaby Thistlewood, Annabel Featherstone."


async def test_a_history_that_the_client_has_changed_is_read_again_from_its_change_on(house: ProxyHouse, model: Model) -> None:
    """What was said before is known only as long as it is the very same: one other letter in it, and it is masked anew."""
    said = ["My name is Barnaby Thistlewood.", "Hello.", "What is my name?"]
    whole: list[Any] = [part for text in said for part in (user(text), {"role": "assistant", "content": "I see."})][:-1]
    counts = []
    for length in (1, 3, 5, 5):
        _, headers = await house.chat(*whole[:length], **named("changing"))
        counts.append(headers["X-Sordino-Masked"])
    changed = [user("My name is Annabel Featherstone."), *whole[1:]]
    _, headers = await house.chat(*changed, **named("changing"))
    shorter, _ = await house.chat(*changed[:1], **named("changing"))
    assert [*counts, headers["X-Sordino-Masked"]] == ["1"] * 5
    assert [body["messages"][0]["content"] for body in model.bodies] == ["My name is <PERSON_1>."] * 4 + [
        "My name is <PERSON_2>."
    ] * 2
    assert shorter["choices"][0]["message"]["content"] == "I have noted Annabel Featherstone."
    assert b"Featherstone" not in model.record


async def test_another_gateway_and_a_restart_know_the_conversation(
    tmp_path: Path, store: Store, detector: PresidioDetector, model: Model
) -> None:
    urls = {"a-model": model.url}
    async with proxy_house(tmp_path, store, detector, urls) as one, proxy_house(tmp_path, store, detector, urls) as other:
        other.key = one.key
        said = [
            "My name is Barnaby Thistlewood.",
            "My card number is 4012 8888 8888 1881.",
            "My wife is Annabel Featherstone.",
            "Bye.",
        ]
        history: list[dict[str, Any]] = []
        for turn, text in enumerate(said):
            house = (one, other)[turn % 2]
            history.append(user(text))
            answer, _ = await house.chat(*history, **named("room-17"))
            history.append(answer["choices"][0]["message"])
        assert [message["content"] for message in model.bodies[-1]["messages"] if message["role"] == "user"] == [
            "My name is <PERSON_1>.",
            "My card number is <CREDIT_CARD_1>.",
            "My wife is <PERSON_2>.",
            "Bye.",
        ]
        await asyncio.sleep(0)
    async with proxy_house(tmp_path, store, detector, urls) as again:
        again.key = one.key
        model.says = lambda body: "<PERSON_2> and <CREDIT_CARD_1>"
        answer, headers = await again.chat(user("Who was it?"), **named("room-17"))
        assert answer["choices"][0]["message"]["content"] == "Annabel Featherstone and 4012 8888 8888 1881"
        entries = await again.entries()
        assert verify_chain(entries, tenant=TenantId("acme")).stray == ()
        assert {entry.draft.call for entry in entries} == {headers["X-Sordino-Call"]}


async def test_a_conversation_of_another_tenant_is_unknown(house: ProxyHouse, model: Model) -> None:
    """promise 27: no cross-tenant answer."""
    _, headers = await house.chat("My name is Barnaby Thistlewood.")
    model.says = lambda body: "<PERSON_1>"
    foreign = {"X-Sordino-Call": headers["X-Sordino-Call"], "Authorization": f"Bearer {await house.another_key('globex')}"}
    answer, _ = await house.chat("Who am I?", headers=foreign)
    assert (answer["error"]["code"], len(model.raw)) == ("invalid_request", 1)
    assert "Barnaby" not in str(answer)


async def test_the_same_name_of_two_tenants_is_two_conversations(house: ProxyHouse, model: Model) -> None:
    _, mine = await house.chat("My name is Barnaby Thistlewood.", **named("room-1"))
    model.says = lambda body: "<PERSON_1>"
    foreign = {"X-Sordino-Call": "room-1", "Authorization": f"Bearer {await house.another_key('globex')}"}
    answer, theirs = await house.chat("Who am I?", headers=foreign)
    assert mine["X-Sordino-Call"] != theirs["X-Sordino-Call"]
    assert answer["choices"][0]["message"]["content"] == "your name"


async def test_without_a_name_two_callers_never_share_a_conversation(house: ProxyHouse, model: Model) -> None:
    """Even when they say the same words."""
    calls = [(await house.chat("Hello"))[1]["X-Sordino-Call"] for _ in range(2)]
    assert calls[0] != calls[1]
    assert all(re.fullmatch(r"call_[0-9a-z]{26}", call) for call in calls)


async def test_what_was_masked_before_is_not_read_again(
    tmp_path: Path, store: Store, detector: PresidioDetector, model: Model
) -> None:
    """The hundredth turn costs what the third does, counted in texts that the detector reads."""
    counting = Counting(detector)
    async with proxy_house(tmp_path, store, counting, {"a-model": model.url}) as house:
        history: list[dict[str, Any]] = [{"role": "system", "content": "You work for a bakery. Answer in one sentence."}]
        read = []
        for turn in range(12):
            history.append(user(f"I want {turn} rolls, please."))
            counting.texts.clear()
            answer, _ = await house.chat(*history, **named("long"))
            read.append(len(counting.texts))
            history.append(answer["choices"][0]["message"])
        assert read[0] == 2
        assert set(read[1:]) == {1}


async def test_a_word_that_answers_another_question_is_read_again(house: ProxyHouse, model: Model) -> None:
    """ "4821" is a number of rolls after one question and a PIN after another."""
    model.says = lambda body: "What is your PIN?"
    history = [user("How many?"), {"role": "assistant", "content": "How many rolls do you want?"}, user("4821")]
    answer, _ = await house.chat(*history, **named("pin"))
    history += [answer["choices"][0]["message"], user("4821")]
    await house.chat(*history, **named("pin"))
    assert model.bodies[-1]["messages"][-1]["content"] == "<PIN_1>"


async def test_many_requests_of_one_conversation_at_once_give_each_value_its_own_placeholder(
    house: ProxyHouse, model: Model
) -> None:
    names = ["Barnaby Thistlewood", "Annabel Featherstone", "Cornelius Applegate", "Dorothy Winterbourne"]
    model.says = lambda body: body["messages"][-1]["content"].removeprefix("My name is ").removesuffix(".")
    answers = await asyncio.gather(*(house.chat(f"My name is {name}.", **named("crowd")) for name in names))
    assert [answer["choices"][0]["message"]["content"] for answer, _ in answers] == names


async def test_a_client_that_names_nothing_keeps_its_placeholders_at_the_cost_of_its_new_words(
    tmp_path: Path, store: Store, detector: PresidioDetector, model: Model
) -> None:
    """A plain SDK sends the history and no name: the conversation is known by its very words."""
    counting = Counting(detector)
    async with proxy_house(tmp_path, store, counting, {"a-model": model.url}) as house:
        history: list[dict[str, Any]] = [{"role": "system", "content": "Answer in one sentence."}]
        calls, read = [], []
        for name in ("Barnaby Thistlewood", "Annabel Featherstone", "Cornelius Applegate", "Dorothy Winterbourne"):
            history.append(user(f"My name is {name}."))
            counting.texts.clear()
            answer, headers = await house.chat(*history)
            read.append(len(counting.texts))
            calls.append(headers["X-Sordino-Call"])
            history.append(answer["choices"][0]["message"])
        sent = [each["content"] for each in model.bodies[-1]["messages"] if each["role"] == "user"]
        assert sent == [f"My name is <PERSON_{number}>." for number in (1, 2, 3, 4)]
        assert (read, len(set(calls))) == ([2, 1, 1, 1], 4)
        answer, _ = await house.chat(user("Who am I?"), **named(calls[-1]))
        model.says = lambda body: "<PERSON_3>"
        answer, _ = await house.chat(user("Who was the third?"), **named(calls[-1]))
        assert answer["choices"][0]["message"]["content"] == "Cornelius Applegate"


async def test_two_callers_with_the_same_history_go_on_apart(house: ProxyHouse, model: Model) -> None:
    """What one of them tells next, the other can never be told, whatever the model says."""
    model.says = lambda body: "Welcome. What is your name?"
    first, _ = await house.chat("Hello")
    begun = [user("Hello"), first["choices"][0]["message"]]
    model.says = lambda body: "<PERSON_1>, <PERSON_2>"
    one, _ = await house.chat(*begun, "My name is Barnaby Thistlewood.")
    other, _ = await house.chat(*begun, "My name is Annabel Featherstone.")
    assert one["choices"][0]["message"]["content"] == "Barnaby Thistlewood, your name"
    assert other["choices"][0]["message"]["content"] == "Annabel Featherstone, your name"


async def test_tools_of_a_client_that_names_nothing_go_on_too(house: ProxyHouse, model: Model) -> None:
    tools = [{"type": "function", "function": {"name": "note", "parameters": {"type": "object"}}}]
    model.calls = [{"name": "note", "arguments": {"who": "<PERSON_1>"}}]
    first, before = await house.chat("My name is Barnaby Thistlewood.", tools=tools)
    called = first["choices"][0]["message"]
    result = {"role": "tool", "tool_call_id": called["tool_calls"][0]["id"], "content": "noted for Barnaby Thistlewood"}
    model.calls = None
    _, after = await house.chat("My name is Barnaby Thistlewood.", called, result, tools=tools)
    sent = model.bodies[1]["messages"]
    assert sent[1]["tool_calls"][0]["function"]["arguments"] == '{"who": "<PERSON_1>"}'
    assert sent[2]["content"] == "noted for <PERSON_1>"
    started = [entry.draft.body for entry in await house.entries(after["X-Sordino-Call"]) if entry.draft.kind == "call.started"]
    assert started[0]["continues"] == before["X-Sordino-Call"]
