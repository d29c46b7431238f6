"""A conversation that nobody ends gets its receipt all the same, once, and what it knew is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.detectors.presidio import PresidioDetector
from gateway.adapters.keys.signing import SigningKey
from gateway.adapters.stores import call_index
from gateway.adapters.stores.idle import IdleConversations, idle_key
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.receipts import Receipts
from gateway.adapters.stores.redis import Store
from gateway.adapters.telemetry.null import NullTelemetry
from gateway.errors import EvidenceUnavailable
from gateway.evidence.chain import verify_chain
from gateway.evidence.entries import Entry
from gateway.evidence.receipt import Receipt, build, verify
from gateway.runner.proxy import idle as sweeping
from gateway.runner.proxy.idle import IdleSweep
from gateway.values import CallId, TenantId
from tests.http.proxy.house import ProxyHouse, proxy_house
from tests.http.proxy.model import Model

ACME = TenantId("acme")
SAID = "My name is Barnaby Thistlewood."


class Counting(NullTelemetry):
    """Keeps what was counted."""

    def __init__(self) -> None:
        self.counted: list[tuple[str, dict[str, str]]] = []

    def count(self, name: str, value: int = 1, **labels: str) -> None:
        self.counted.append((name, labels))


@dataclass(slots=True)
class Sealing:
    """Makes receipts and keeps them, as the gateway does; it fails as often as it is told to."""

    store: Store
    folder: Path
    fails: int = 0
    made: list[str] = field(default_factory=list)

    async def __call__(self, entries: Sequence[Entry]) -> Receipt:
        if self.fails:
            self.fails -= 1
            raise EvidenceUnavailable("the disk is full")
        signing = SigningKey.from_file(self.folder / "signing.key", create=True)
        receipt = build(entries, sign=signing.sign, public_key=signing.public_key)
        self.made.append(receipt.call)
        await Receipts(self.store, self.folder / "receipts").save(receipt)
        return receipt


@dataclass(slots=True)
class Idling:
    """A house whose sweeper looks when it is told to."""

    house: ProxyHouse
    sweeper: IdleSweep
    seal: Sealing
    telemetry: Counting

    async def receipt(self, call: str) -> Any:
        """The kept receipt, which verifies."""
        sealed = await Receipts(self.house.store, self.seal.folder / "nowhere").load(ACME, CallId(call))
        assert sealed is not None
        assert b"Thistlewood" not in sealed
        return verify(sealed).receipt.document

    async def chat(self, name: str = "room-9", text: str = SAID) -> str:
        _, headers = await self.house.chat(text, headers={"X-Sordino-Call": name})
        return headers["X-Sordino-Call"]

    async def time_passes(self, call: str) -> None:
        """Nobody uses the conversation for as long as it lives."""
        async with self.house.store.answers() as client:
            assert await client.zadd(idle_key(ACME), {call: 1}, xx=True, ch=True)

    async def kinds(self, call: str) -> list[str]:
        return [entry.draft.kind for entry in await self.house.entries(call)]

    async def keys_of(self, call: str) -> int:
        async with self.house.store.answers() as client:
            return int(await client.exists(f"sordino:{{acme}}:vault:{call}:key", f"sordino:{{acme}}:vault:{call}:values"))


@asynccontextmanager
async def idling(
    tmp_path: Path, store: Store, detector: PresidioDetector, model: Model, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Idling]:
    """The sweeper is the one that ``open_proxy`` starts; it is caught on its way and does not look by itself."""
    caught: asyncio.Future[IdleSweep] = asyncio.get_running_loop().create_future()

    async def caught_instead(sweeper: IdleSweep) -> None:
        caught.set_result(sweeper)

    monkeypatch.setattr(IdleSweep, "run", caught_instead)
    seal, telemetry = Sealing(store, tmp_path), Counting()
    async with RedisLedger(store, timeout_s=20) as ledger:
        more = {"seal": seal, "entries": ledger.entries, "tenants": lambda: ("acme", "globex"), "telemetry": telemetry}
        async with proxy_house(tmp_path, store, detector, {"a-model": model.url}, more=more) as house:
            async with asyncio.timeout(20):
                sweeper = await caught
            yield Idling(house, sweeper, seal, telemetry)


@pytest.fixture
async def lone(
    tmp_path: Path, store: Store, detector: PresidioDetector, model: Model, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Idling]:
    async with idling(tmp_path, store, detector, model, monkeypatch) as one:
        yield one


@pytest.fixture
async def two(
    tmp_path: Path, store: Store, detector: PresidioDetector, model: Model, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Idling, Idling]]:
    """Two gateways on one store."""
    async with AsyncExitStack() as running:
        opened = [
            await running.enter_async_context(idling(tmp_path / name, store, detector, model, monkeypatch)) for name in "ab"
        ]
        opened[1].house.key = opened[0].house.key
        yield opened[0], opened[1]


async def test_what_nobody_uses_any_more_gets_its_receipt_and_loses_its_key(lone: Idling) -> None:
    call = await lone.chat()
    assert await lone.keys_of(call) == 2
    await lone.time_passes(call)
    assert await lone.sweeper.sweep() == 1
    receipt = await lone.receipt(call)
    assert (receipt["outcome"], receipt["masked"]) == ("completed", {"PERSON": 1})
    assert receipt["entries"][-1]["body"]["reason"] == "idle"
    assert await lone.keys_of(call) == 0
    assert verify_chain(await lone.house.entries(), tenant=ACME).stray == ()


async def test_who_comes_back_to_its_name_begins_anew(lone: Idling) -> None:
    call = await lone.chat()
    await lone.time_passes(call)
    await lone.sweeper.sweep()
    answer, headers = await lone.house.chat("I am <PERSON_1>.", headers={"X-Sordino-Call": "room-9"})
    assert headers["X-Sordino-Call"] != call
    assert "Thistlewood" not in str(answer)
    gone, _ = await lone.house.chat("Hello.", headers={"X-Sordino-Call": call})
    assert gone["error"]["code"] == "invalid_request"


async def test_what_is_still_used_goes_on(lone: Idling) -> None:
    call = await lone.chat()
    assert await lone.sweeper.sweep() == 0
    await lone.time_passes(call)
    assert await lone.chat(text="And my wife is Annabel Featherstone.") == call
    assert await lone.sweeper.sweep() == 0
    assert "call.ended" not in await lone.kinds(call)


async def test_what_came_back_between_the_look_and_the_end_goes_on(lone: Idling) -> None:
    call = await lone.chat()
    await lone.time_passes(call)
    idle = IdleConversations(lone.house.store)
    ((claimed, lease),) = (await idle.claim(ACME, 10)).items()
    assert claimed == call
    assert await lone.chat() == call
    assert await idle.close(ACME, claimed, lease) is None
    assert await lone.chat() == call


async def test_two_gateways_make_one_receipt(two: tuple[Idling, Idling]) -> None:
    calls = [await two[n % 2].chat(f"room-{n}") for n in range(6)]
    for call in calls:
        await two[0].time_passes(call)
    ended = await asyncio.gather(*(each.sweeper.sweep() for each in (*two, *two)))
    assert sum(ended) == 6
    assert sorted(two[0].seal.made + two[1].seal.made) == sorted(calls)
    for call in calls:
        assert (await two[0].kinds(call)).count("call.ended") == 1


async def test_the_gateway_that_dies_over_it_is_followed_by_another(two: tuple[Idling, Idling]) -> None:
    """It had written the last entry and could not seal any more: the other one seals what is there."""
    one, other = two
    call = await one.chat()
    await one.time_passes(call)
    one.seal.fails = 1
    assert await one.sweeper.sweep() == 0
    assert await one.keys_of(call) == 2
    assert await other.sweeper.sweep() == 0
    await one.time_passes(call)
    assert await other.sweeper.sweep() == 1
    assert (await other.kinds(call)).count("call.ended") == 1
    assert (await other.receipt(call))["entries"][-1]["body"]["reason"] == "idle"


async def test_gateways_that_were_off_catch_up_though_the_vault_is_forgotten(lone: Idling) -> None:
    call = await lone.chat()
    await lone.time_passes(call)
    async with lone.house.store.answers() as client:
        await client.delete(*[f"sordino:{{acme}}:vault:{call}:{part}" for part in ("key", "values", "texts")])
    assert await lone.sweeper.sweep() == 1
    assert (await lone.receipt(call))["masked"] == {"PERSON": 1}


async def test_more_than_one_look_takes_are_all_ended(lone: Idling, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "AT_ONCE", 2)
    calls = [await lone.chat(f"room-{n}") for n in range(5)]
    for call in calls:
        await lone.time_passes(call)
    assert await lone.sweeper.sweep() == 5


async def test_without_whole_evidence_there_is_no_receipt_and_it_is_tried_again(lone: Idling) -> None:
    call = await lone.chat()
    (first, *_) = await lone.house.entries(call)
    async with lone.house.store.answers() as client:
        await client.xdel("sordino:{acme}:evidence", f"{first.seq}-0")
        await client.delete(call_index.index_key(ACME, call))
    await lone.time_passes(call)
    assert await lone.sweeper.sweep() == 0
    assert lone.seal.made == []
    async with lone.house.store.answers() as client:
        assert await client.zscore(idle_key(ACME), call) is not None


async def test_what_was_ended_by_its_program_is_not_ended_again(lone: Idling) -> None:
    call = await lone.chat()
    async with lone.house.post(f"/api/v1/calls/{call}/end", None) as response:
        assert response.status == 200
    async with lone.house.store.answers() as client:
        assert await client.zscore(idle_key(ACME), call) is None
    assert await lone.sweeper.sweep() == 0


async def test_each_look_is_counted_so_that_its_absence_is_seen(lone: Idling) -> None:
    call = await lone.chat()
    await lone.time_passes(call)
    await lone.sweeper.sweep()
    assert ("sordino_sweeps_total", {"outcome": "done"}) in lone.telemetry.counted
    assert ("sordino_idle_receipts_total", {}) in lone.telemetry.counted


# --- what an ending costs -------------------------------------------------------------------------------------------------


async def test_an_ending_reads_its_own_entries_and_not_the_tenants_history(lone: Idling, monkeypatch: pytest.MonkeyPatch) -> None:
    call = await lone.chat()
    for n in range(10):
        await lone.chat(f"room-{n}", "Hello.")
    read: list[int] = []
    real = call_index._at

    async def counting(store: Store, tenant: TenantId, places: Sequence[int], durable: str) -> list[Entry]:
        read.extend(places)
        return await real(store, tenant, places, durable)

    monkeypatch.setattr(call_index, "_at", counting)
    found = await lone.house.entries(call)
    assert {entry.draft.call for entry in found} == {call}
    assert read == [entry.seq for entry in found]
    assert len(read) < len(await lone.house.entries())


async def test_without_its_list_a_calls_entries_are_looked_for_in_the_whole_history(lone: Idling) -> None:
    call = await lone.chat()
    before = await lone.house.entries(call)
    async with lone.house.store.answers() as client:
        await client.delete(call_index.index_key(ACME, call))
    assert await lone.house.entries(call) == before
    async with lone.house.store.answers() as client:
        await client.rpush(call_index.index_key(ACME, call), before[-1].seq)
    assert await lone.house.entries(call) == before
