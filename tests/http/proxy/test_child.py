"""A child in a conversation of the model proxy: nobody is asked, what is under way is cut, and nothing of it is kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gateway.adapters.detectors.presidio import PresidioDetector
from gateway.adapters.keys.signing import SigningKey
from gateway.adapters.stores.children import RedisChildCalls
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.receipts import Receipts
from gateway.adapters.stores.redis import Store
from gateway.adapters.system import SystemClock
from gateway.call.child import Sign
from gateway.call.child_words import tells_of_child
from gateway.evidence.entries import Entry
from gateway.evidence.receipt import Receipt, build, verify
from gateway.runner.children import ChildCalls
from gateway.runner.places import VaultHolding
from gateway.runner.proxy import child
from gateway.values import CallId, Private, TenantId
from tests.http.proxy.house import ProxyHouse, proxy_house
from tests.http.proxy.model import Model, begin, chunk

ACME = TenantId("acme")
NAMED = {"X-Sordino-Call": "room-9"}
TOLD = {**NAMED, "X-Sordino-Child": "1"}


@asynccontextmanager
async def minding_house(
    tmp_path: Path, store: Store, detector: PresidioDetector, model: Model, rules: str = ""
) -> AsyncIterator[ProxyHouse]:
    signing, kept = SigningKey.from_file(tmp_path / "signing.key", create=True), Receipts(store, tmp_path / "receipts")
    vaults = VaultHolding(store, SystemClock())

    async def seal(entries: Sequence[Entry]) -> Receipt:
        receipt = build(entries, sign=signing.sign, public_key=signing.public_key)
        await kept.save(receipt)
        return receipt

    async def delete(tenant: TenantId, call: CallId, *, again: bool) -> bool:
        if (item := await vaults.of_call(tenant, call)) is not None:
            await vaults.delete(item)
        return True

    async with RedisLedger(store) as ledger:
        children = ChildCalls(RedisChildCalls(store), delete)
        more = {"seal": seal, "entries": ledger.entries, "children": children}
        async with proxy_house(tmp_path, store, detector, {"a-model": model.url}, more=more, rules=rules) as house:
            yield house


async def refused(house: ProxyHouse, said: str, headers: dict[str, str]) -> dict[str, Any]:
    answer, _ = await house.chat({"role": "user", "content": said}, headers=headers)
    error: dict[str, Any] = answer["error"]
    assert error["code"] == "policy_refused"
    assert "child" in error["message"]
    return error


async def kinds(house: ProxyHouse, call: str) -> list[str]:
    return [entry.draft.kind for entry in await house.entries(call)]


@pytest.mark.parametrize(
    ("said", "headers", "sign"),
    [("And my brother?", TOLD, "program"), ("I am nine years old.", NAMED, "age")],
    ids=["told by the program", "said by the child"],
)
async def test_a_conversation_with_a_child_ends_with_its_receipt_and_without_its_vault(
    tmp_path: Path, store: Store, detector: PresidioDetector, model: Model, said: str, headers: dict[str, str], sign: str
) -> None:
    async with minding_house(tmp_path, store, detector, model) as house:
        _, answered = await house.chat("My name is Barnaby Thistlewood.", headers=NAMED)
        call, asked = answered["X-Sordino-Call"], len(model.raw)
        await refused(house, said, headers)
        assert len(model.raw) == asked
        written = await kinds(house, call)
        assert written[written.index("child.signalled") :] == ["child.signalled", "call.ended"]
        entry = next(entry for entry in await house.entries(call) if entry.draft.kind == "child.signalled")
        assert dict(entry.draft.body) == {"sign": sign, "under": 13, "then": "refuse"}
        sealed = await Receipts(store, tmp_path / "nowhere").load(ACME, CallId(call))
        assert sealed is not None
        assert verify(sealed).receipt.call == call
        assert await store.ask("KEYS", f"*vault:{call}:[kv]*") == []
        assert await RedisChildCalls(store).all(ACME) == []


async def test_afterwards_the_same_name_knows_nothing(
    tmp_path: Path, store: Store, detector: PresidioDetector, model: Model
) -> None:
    async with minding_house(tmp_path, store, detector, model) as house:
        _, before = await house.chat("My name is Barnaby Thistlewood.", headers=NAMED)
        await refused(house, "Hello?", TOLD)
        answer, after = await house.chat("I am <PERSON_1>.", headers=NAMED)
        assert after["X-Sordino-Call"] != before["X-Sordino-Call"]
        assert "Thistlewood" not in str(answer)


async def test_the_age_is_understood_by_the_question_before_it(
    tmp_path: Path, store: Store, detector: PresidioDetector, model: Model
) -> None:
    async with minding_house(tmp_path, store, detector, model) as house:
        asks, number = {"role": "assistant", "content": "How old are you?"}, {"role": "user", "content": "Nine."}
        answer, _ = await house.chat("Hello.", asks, number)
        assert answer["error"]["code"] == "policy_refused"
        answer, _ = await house.chat("Hello.", {"role": "assistant", "content": "For how many people?"}, number)
        assert "error" not in answer
        assert len(model.raw) == 1


@pytest.mark.parametrize("name", ["room-9", "room-10"], ids=["under the same name", "under another"])
async def test_the_history_that_a_child_spoke_in_goes_to_nobody_again(
    tmp_path: Path, store: Store, detector: PresidioDetector, model: Model, name: str
) -> None:
    """Clients send all that was said with each request: the next turn says nothing of a child, and the one before it did."""
    async with minding_house(tmp_path, store, detector, model) as house:
        before = [*("Hello." for _ in range(3)), {"role": "assistant", "content": "How old are you?"}, "Nine."]
        for more in ([], ["Can you help me with my order?"], [{"role": "assistant", "content": "Sure."}, "It is a book."]):
            answer, _ = await house.chat(*before, *more, headers={"X-Sordino-Call": name if more else "room-9"})
            assert answer["error"]["code"] == "policy_refused"
        assert model.raw == []


async def test_a_long_history_is_read_once(
    tmp_path: Path, store: Store, detector: PresidioDetector, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each request only what is new, also of a text that is long; and after its question the same words mean another thing."""
    read: list[str] = []

    def tells(words: Private[str], *, asked: str = "", under: int) -> Sign | None:
        read.append(words.reveal())
        return tells_of_child(words, asked=asked, under=under)

    monkeypatch.setattr(child, "tells_of_child", tells)
    said = [f"Order {number}, please." for number in range(20)]
    long, nine = "It was a parcel. " * 200, "Nine."
    async with minding_house(tmp_path, store, detector, model) as house:
        for turn in ([], [long], [long, nine]):
            await house.chat(*said, *turn, headers=NAMED)
        answer, _ = await house.chat(*said, long, nine, {"role": "assistant", "content": "How old are you?"}, nine, headers=NAMED)
        assert answer["error"]["code"] == "policy_refused"
        assert read == [*said, long, nine, nine]


async def test_what_a_parent_says_is_answered(tmp_path: Path, store: Store, detector: PresidioDetector, model: Model) -> None:
    async with minding_house(tmp_path, store, detector, model) as house:
        answer, _ = await house.chat("My daughter is nine years old.", headers=NAMED)
        assert "error" not in answer


async def test_without_a_conversation_there_is_nothing_to_keep(
    tmp_path: Path, store: Store, detector: PresidioDetector, model: Model
) -> None:
    async with minding_house(tmp_path, store, detector, model) as house:
        await refused(house, "Hello?", {"X-Sordino-Child": "1"})
        await refused(house, "Hello?", {"X-Sordino-Child": "1", "X-Sordino-Call": "nobody-was-here"})
        assert model.raw == []
        assert await house.entries() == []


async def test_where_the_policy_looks_for_no_children_both_are_taken_as_they_are(
    tmp_path: Path, store: Store, detector: PresidioDetector, model: Model
) -> None:
    rules = "children: {off: a library of books}\n"
    async with minding_house(tmp_path, store, detector, model, rules) as house:
        for headers in (NAMED, TOLD):
            answer, _ = await house.chat("I am nine years old.", headers=headers)
            assert "error" not in answer


async def test_an_answer_under_way_is_cut(tmp_path: Path, store: Store, detector: PresidioDetector, model: Model) -> None:
    """The model goes on as soon as the conversation is being ended; not one more word of it reaches the client."""
    goes_on = asyncio.Event()

    async def slowly(_: Model, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        response = await begin(request)
        await response.write(chunk({"content": "Once upon "}, 0))
        await goes_on.wait()
        for _number in range(50):
            await response.write(chunk({"content": "a time there was a wolf. "}, 0))
        await response.write(b"data: [DONE]\n\n")
        return response

    model.script = slowly
    async with minding_house(tmp_path, store, detector, model) as house:
        body = {"model": "any", "stream": True, "messages": [{"role": "user", "content": "Tell me a story."}]}
        async with house.post("/v1/chat/completions", body, **NAMED) as streaming:
            first = await streaming.content.readuntil(b"\n\n")
            call = streaming.headers["X-Sordino-Call"]

            async def ended() -> None:
                while "child.signalled" not in await kinds(house, call):
                    pass
                goes_on.set()

            async with asyncio.timeout(60):
                await asyncio.gather(refused(house, "I want more!", TOLD), ended())
            rest = await streaming.content.read()
        assert b"wolf" not in first + rest
        assert b"policy_refused" in rest
        assert b"[DONE]" not in rest
