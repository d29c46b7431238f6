"""Who talks to a program says who they are: their conversations are found by that, in however many turns it was said."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.detectors.presidio import PresidioDetector
from gateway.adapters.keys.spoken import SpokenHash
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.subjects import RedisSubjects
from gateway.adapters.system import SystemClock
from gateway.redaction.identity import form_of
from gateway.runner.rights_spoken import SpokenPersons
from gateway.values import CallId, Private, TenantId
from tests.http.proxy.house import MASTER, ProxyHouse, proxy_house
from tests.http.proxy.model import Model

ACME = TenantId("acme")
HASHES = SpokenHash(Private(MASTER))
RULES = "rights: {spoken_identity: [EMAIL_ADDRESS, ID_NUMBER]}\n"
MAIL = "ada.lovelace@example.org"


def hers(kind: str, value: str) -> str:
    return HASHES(ACME, kind, Private(form_of(kind, value, "en") or ""))


@pytest.fixture
def index(store: Store) -> RedisSubjects:
    return RedisSubjects(store)


@pytest.fixture
async def house(
    tmp_path: Path, store: Store, index: RedisSubjects, detector: PresidioDetector, model: Model
) -> AsyncIterator[ProxyHouse]:
    more = {"spoken": SpokenPersons(index, HASHES, SystemClock())}
    async with proxy_house(tmp_path, store, detector, {"a-model": model.url}, more=more, rules=RULES) as house:
        yield house


def again(call: str) -> dict[str, Any]:
    return {"headers": {"X-Sordino-Call": call}}


async def test_conversations_are_found_by_what_was_said_in_them_and_by_nothing_else(
    house: ProxyHouse, index: RedisSubjects, model: Model, store: Store
) -> None:
    """Over two turns, named or not; a model's own words and a tool's result name nobody."""
    number = [
        "My customer number is 4 7 1 1 2",
        {"role": "assistant", "content": "And the rest?"},
        {"role": "user", "content": "and then 2 3 3 9"},
    ]
    _, headers = await house.chat(number[0])
    first = CallId(headers["X-Sordino-Call"])
    assert await index.calls(ACME, hers("ID_NUMBER", "47112")) == [first]
    await house.chat(*number, **again(first))
    assert await index.calls(ACME, hers("ID_NUMBER", "471122339")) == [first]
    assert await index.calls(ACME, hers("ID_NUMBER", "47112")) == []

    _, headers = await house.chat("My e-mail is ada dot lovelace at example dot org.")
    second = CallId(headers["X-Sordino-Call"])
    spoken = {"role": "assistant", "content": "I can write to ben@example.org as well."}
    await house.chat(
        "My e-mail is ada dot lovelace at example dot org.",
        spoken,
        {"role": "tool", "tool_call_id": "x", "content": "cleo@example.org"},
        "Good.",
        **again(second),
    )
    assert await index.calls(ACME, hers("EMAIL_ADDRESS", MAIL)) == [second]
    assert await index.spoken_of(ACME, second) == [hers("EMAIL_ADDRESS", MAIL)]
    async with store.answers() as client:
        names: Any = await client.keys("*")
        everything = b" ".join([name + bytes(await client.dump(name) or b"") for name in names])
    assert [word for word in (b"lovelace", b"471122339") if word in everything] == []


async def test_who_goes_on_without_a_name_is_found_in_both(house: ProxyHouse, index: RedisSubjects) -> None:
    """A client that names no conversation begins another one with each request, and takes what was said along."""
    said = f"My e-mail is {MAIL}."
    answer, headers = await house.chat(said)
    calls = [headers["X-Sordino-Call"]]
    _, headers = await house.chat(said, answer["choices"][0]["message"], "Is that right?")
    calls.append(headers["X-Sordino-Call"])
    assert await index.calls(ACME, hers("EMAIL_ADDRESS", MAIL)) == calls


async def test_who_restricted_their_data_is_refused_from_when_they_say_who_they_are(
    house: ProxyHouse, index: RedisSubjects, model: Model
) -> None:
    """The words in which they say it go nowhere, nor does what follows; others are served."""
    await index.restrict(ACME, hers("EMAIL_ADDRESS", MAIL), SystemClock().now())
    _, headers = await house.chat("Good morning.")
    asked = len(model.bodies)
    for text in (f"I am {MAIL}.", f"I am {MAIL}, really."):
        refused, _ = await house.chat("Good morning.", text, **again(headers["X-Sordino-Call"]))
        assert refused["error"]["code"] == "policy_refused"
    refused, _ = await house.chat("Good morning.", "What is the weather like?", **again(headers["X-Sordino-Call"]))
    assert refused["error"]["code"] == "policy_refused"
    assert len(model.bodies) == asked
    answer, _ = await house.chat("I am ben@example.org.")
    assert answer["choices"]
