"""A conversation of the model proxy ends: its receipt verifies, what it knew is gone, and its name begins anew."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.detectors.presidio import PresidioDetector
from gateway.adapters.keys.signing import SigningKey
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.receipts import Receipts
from gateway.adapters.stores.redis import Store
from gateway.evidence.chain import verify_chain
from gateway.evidence.entries import Entry
from gateway.evidence.receipt import Receipt, build, verify
from gateway.values import CallId, TenantId
from tests.http.proxy.house import ProxyHouse, proxy_house
from tests.http.proxy.model import Model


@asynccontextmanager
async def ending_house(tmp_path: Path, store: Store, detector: PresidioDetector, model: Model) -> AsyncIterator[ProxyHouse]:
    signing = SigningKey.from_file(tmp_path / "signing.key", create=True)
    kept = Receipts(store, tmp_path / "receipts")

    async def seal(entries: Sequence[Entry]) -> Receipt:
        receipt = build(entries, sign=signing.sign, public_key=signing.public_key)
        await kept.save(receipt)
        return receipt

    async with RedisLedger(store) as ledger:
        more = {"seal": seal, "entries": ledger.entries}
        async with proxy_house(tmp_path, store, detector, {"a-model": model.url}, more=more) as house:
            yield house


async def end(house: ProxyHouse, call: str, **headers: str) -> tuple[int, bytes, Any]:
    async with house.post(f"/api/v1/calls/{call}/end", None, **headers) as response:
        return response.status, await response.read(), await response.json()


async def test_a_conversation_that_has_ended_has_a_receipt_that_verifies(
    tmp_path: Path, store: Store, detector: PresidioDetector, model: Model
) -> None:
    async with ending_house(tmp_path, store, detector, model) as house:
        named = {"X-Sordino-Call": "room-9"}
        await house.chat("My name is Barnaby Thistlewood.", headers=named)
        _, headers = await house.chat("My wife is Annabel Featherstone.", headers=named)
        call = headers["X-Sordino-Call"]
        status, sealed, receipt = await end(house, "room-9")
        assert status == 200
        assert verify(sealed).receipt.outcome == "completed"
        assert (receipt["call"], receipt["gate"], receipt["masked"]) == (call, "none", {"PERSON": 2})
        assert [hop["processor"] for hop in receipt["hops"]] == ["a-model", "a-model"]
        assert await Receipts(store, tmp_path / "nowhere").load(TenantId("acme"), CallId(call)) == sealed
        assert b"Thistlewood" not in sealed


async def test_afterwards_its_key_is_gone_and_its_name_begins_anew(
    tmp_path: Path, store: Store, detector: PresidioDetector, model: Model
) -> None:
    async with ending_house(tmp_path, store, detector, model) as house:
        _, headers = await house.chat("My name is Barnaby Thistlewood.", headers={"X-Sordino-Call": "room-9"})
        first = headers["X-Sordino-Call"]
        assert (await end(house, first))[0] == 200
        async with store.answers() as client:
            assert not await client.exists(f"sordino:{{acme}}:vault:{first}:key", f"sordino:{{acme}}:vault:{first}:values")
        answer, headers = await house.chat("I am <PERSON_1>.", headers={"X-Sordino-Call": "room-9"})
        assert headers["X-Sordino-Call"] != first
        assert "Thistlewood" not in str(answer)
        assert (await end(house, "room-9"))[0] == 200
        entries = await house.entries()
        assert verify_chain(entries, tenant=TenantId("acme")).stray == ()


async def test_what_has_ended_is_not_found(tmp_path: Path, store: Store, detector: PresidioDetector, model: Model) -> None:
    async with ending_house(tmp_path, store, detector, model) as house:
        _, headers = await house.chat("Hello there.")
        call = headers["X-Sordino-Call"]
        assert (await end(house, call))[0] == 200
        for name in (call, "room-nobody-was-in"):
            status, _, body = await end(house, name)
            assert (status, body["error"]["code"]) == (404, "invalid_request")
        answer, _ = await house.chat("Hello again.", headers={"X-Sordino-Call": call})
        assert answer["error"]["code"] == "invalid_request"


async def test_another_tenant_cannot_end_it(tmp_path: Path, store: Store, detector: PresidioDetector, model: Model) -> None:
    async with ending_house(tmp_path, store, detector, model) as house:
        _, headers = await house.chat("Hello there.", headers={"X-Sordino-Call": "room-9"})
        theirs = f"Bearer {await house.another_key('globex')}"
        for name in ("room-9", headers["X-Sordino-Call"]):
            assert (await end(house, name, Authorization=theirs))[0] == 404
        assert (await end(house, "room-9"))[0] == 200


@pytest.mark.parametrize("name", ["a%20b", "-", "%3Cscript%3E"])
async def test_what_is_no_name_is_refused(
    tmp_path: Path, store: Store, detector: PresidioDetector, model: Model, name: str
) -> None:
    async with ending_house(tmp_path, store, detector, model) as house:
        assert (await end(house, name))[0] == 400
