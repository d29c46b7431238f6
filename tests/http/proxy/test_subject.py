"""A program says for whom it speaks: their conversations are found by the number, and refused where they have asked for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.detectors.presidio import PresidioDetector
from gateway.adapters.keys.subjects import SubjectHash
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.subjects import RedisSubjects
from gateway.adapters.system import SystemClock
from gateway.runner.rights_callers import Callers
from gateway.values import Private, TenantId
from tests.http.proxy.house import MASTER, ProxyHouse, proxy_house
from tests.http.proxy.model import Model

ACME = TenantId("acme")
NUMBER = "+4915112345678"
HASHES = SubjectHash(Private(MASTER))
HERS = HASHES(ACME, Private(NUMBER))


@pytest.fixture
def persons(store: Store) -> RedisSubjects:
    return RedisSubjects(store)


@pytest.fixture
async def house(
    tmp_path: Path, store: Store, persons: RedisSubjects, detector: PresidioDetector, model: Model
) -> AsyncIterator[ProxyHouse]:
    more = {"callers": Callers(persons, HASHES, SystemClock())}
    async with proxy_house(tmp_path, store, detector, {"a-model": model.url}, more=more) as house:
        yield house


def of(number: str, call: str = "") -> dict[str, Any]:
    return {"headers": {"X-Sordino-Subject": number, **({"X-Sordino-Call": call} if call else {})}}


async def test_a_conversation_is_found_by_the_number_of_whom_it_is_with(
    house: ProxyHouse, persons: RedisSubjects, store: Store
) -> None:
    """The evidence has the keyed hash, and the number is nowhere."""
    _, headers = await house.chat("Good morning.", **of("+49 151 12345678"))
    call = headers["X-Sordino-Call"]
    assert await persons.calls(ACME, HERS) == [call]
    (started, *_) = await house.entries(call)
    assert started.draft.body["subject"] == HERS
    assert "retention" in started.draft.body
    async with store.answers() as client:
        everything = b" ".join([await client.dump(name) or b"" for name in await client.keys("*")])
    assert NUMBER.encode()[1:] not in everything


async def test_who_restricted_their_data_is_not_spoken_for(house: ProxyHouse, persons: RedisSubjects, model: Model) -> None:
    """With the header, and without it in a conversation that is theirs; also for speech. Nobody else is refused."""
    _, headers = await house.chat("Good morning.", **of(NUMBER))
    await persons.restrict(ACME, HERS, SystemClock().now())
    asked = len(model.bodies)
    for how in (of(NUMBER), of(NUMBER, headers["X-Sordino-Call"]), {"headers": {"X-Sordino-Call": headers["X-Sordino-Call"]}}):
        refused, _ = await house.chat("Are you there?", **how)
        assert refused["error"]["code"] == "policy_refused"
        assert "restricted" in refused["error"]["sordino"]["reasons"][0]
    async with house.post("/v1/messages", {"model": "m", "max_tokens": 9, "messages": []}, **of(NUMBER)["headers"]) as response:
        assert response.status in (400, 403)
    assert len(model.bodies) == asked
    answer, _ = await house.chat("Hello.", **of("+4915100000000"))
    assert answer["choices"]
    await persons.lift(ACME, HERS)
    answer, _ = await house.chat("Hello again.", **of(NUMBER))
    assert answer["choices"]


@pytest.mark.parametrize("number", ["Barnaby", "12", "+49 151 SECRET"])
async def test_what_is_no_number_is_refused_and_not_repeated(house: ProxyHouse, number: str, model: Model) -> None:
    refused, _ = await house.chat("Good morning.", **of(number))
    assert refused["error"]["code"] == "invalid_request"
    assert number not in str(refused)
    assert model.bodies == []


async def test_another_gateway_knows_whose_conversation_it_is(
    tmp_path: Path, store: Store, persons: RedisSubjects, detector: PresidioDetector, model: Model, house: ProxyHouse
) -> None:
    """It never saw the number: the store tells it, once for a conversation that it reads."""
    _, headers = await house.chat("Good morning.", **of(NUMBER))
    await persons.restrict(ACME, HERS, SystemClock().now())
    more = {"callers": Callers(persons, HASHES, SystemClock())}
    async with proxy_house(tmp_path / "other", store, detector, {"a-model": model.url}, more=more) as other:
        refused, _ = await other.chat("Are you there?", headers={"X-Sordino-Call": headers["X-Sordino-Call"]})
    assert refused["error"]["code"] == "policy_refused"
