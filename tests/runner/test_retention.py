"""The sweeper: on time, by one gateway of many, in bounded steps, however much has gathered meanwhile (promise 14)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from gateway.adapters.stores.deletions import RETENTION
from gateway.adapters.stores.lease import RedisLease
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.receipts import Receipts
from gateway.adapters.stores.redis import Store
from gateway.adapters.telemetry.null import NullTelemetry
from gateway.errors import StoreUnavailable
from gateway.holding import DataDesk
from gateway.policy.model import TenantPolicy
from gateway.policy.retention import HoldScope
from gateway.runner.holdings import CALLERS, Item
from gateway.runner.places import ReceiptsHolding
from gateway.runner.retention import Sweeper, SweeperParts, Swept
from gateway.tasks import TaskOwner
from gateway.values import CallId, DataClass, TenantId
from tests.conftest import PATIENCE_S
from tests.policy.samples import TENANT, loaded
from tests.runner.kept import ACME, START, HandClock, Shelf, keeping

WEEK = timedelta(days=7)
GONE = TenantId("gone")
POLICY = loaded(TENANT + "retention: {audio: 7d, metadata: 30d, contact: 20d, consent: 365d}\n").tenant("acme")


@dataclass
class Counting(NullTelemetry):
    """What a gauge was moved by, in all, and which places could not be read."""

    gauges: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def count(self, name: str, value: int = 1, **labels: str) -> None:
        if name == "sordino_retention_failures_total":
            self.failures.append(labels["holding"])

    def gauge(self, name: str, change: int, **labels: str) -> None:
        self.gauges[name] = self.gauges.get(name, 0) + change


@dataclass
class House:
    """Two gateways on one store, over the same shelves."""

    desk: DataDesk
    shelves: dict[str, Shelf]
    clock: HandClock
    store: Store
    telemetry: Counting
    ended: datetime | None = None
    everybody: tuple[TenantId, ...] = ()
    pauses: int = 0
    during_pause: Callable[[], object] = lambda: None

    def sweeper(self, holder: str = "one") -> Sweeper:
        async def pause() -> None:
            self.pauses += 1
            self.during_pause()

        async def ended(tenant: TenantId) -> datetime | None:
            return self.ended

        async def everybody() -> tuple[TenantId, ...]:
            return self.everybody

        def tenants() -> Mapping[TenantId, TenantPolicy]:
            return {ACME: POLICY}

        return Sweeper(
            SweeperParts(
                deletions=self.desk.deletions,
                holdings=lambda: self.desk.holdings,
                holds=self.desk.holds,
                tenants=tenants,
                lease=RedisLease(self.store, holder),
                holder=holder,
                clock=self.clock,
                telemetry=self.telemetry,
                ended=ended,
                pause=pause,
                everybody=everybody,
            )
        )

    async def swept(self, holder: str = "one") -> Swept:
        return await self.sweeper(holder).sweep()

    def has(self) -> list[str]:
        return sorted(f"{name}/{id_}" for name, shelf in self.shelves.items() for _, id_ in shelf.has)


@pytest.fixture
async def house(store: Store) -> AsyncIterator[House]:
    kinds = {
        "recordings": DataClass.AUDIO,
        "receipts": DataClass.METADATA,
        "consents": DataClass.CONSENT,
        "persons": DataClass.CONTACT,
        "vault": DataClass.VAULT,
    }
    shelves, clock = {name: Shelf(name, kind) for name, kind in kinds.items()}, HandClock()
    async with RedisLedger(store, timeout_s=PATIENCE_S) as ledger:
        yield House(keeping(store, ledger, *shelves.values(), clock=clock), shelves, clock, store, Counting())


async def test_what_is_due_goes_and_what_is_not_stays(house: House) -> None:
    for name in house.shelves:
        house.shelves[name].put("x")
    house.shelves["recordings"].put("promised_less", keep=timedelta(days=1))
    house.shelves["recordings"].put("promised_more", keep=timedelta(days=900))

    house.clock.at = START + timedelta(days=2)
    assert (await house.swept()).deleted == {DataClass.AUDIO: 1}
    assert "recordings/promised_less" not in house.has()
    house.clock.at = START + timedelta(days=8)
    await house.swept()
    assert house.has() == ["consents/x", "persons/x", "receipts/x", "vault/x"]
    house.clock.at = START + timedelta(days=31)
    await house.swept()
    assert house.has() == ["consents/x", "persons/x", "vault/x"]
    house.clock.at = START + timedelta(days=400)
    await house.swept()
    assert house.has() == ["persons/x", "vault/x"], (
        "the store itself ends the vault, and number data waits for the contract's end"
    )


async def test_number_data_is_kept_until_twenty_days_after_the_contract_and_no_longer(house: House) -> None:
    """Both bounds of promise 15."""
    house.shelves["persons"].put("f00d")
    house.ended = START + timedelta(days=100)
    house.clock.at = house.ended + timedelta(days=20) - timedelta(seconds=1)
    await house.swept()
    assert house.has() == ["persons/f00d"]
    house.clock.at += timedelta(seconds=1)
    await house.swept()
    assert house.has() == []


async def test_whose_file_is_gone_is_swept_too_by_what_was_promised_and_else_by_what_is_usual(house: House) -> None:
    """What nobody promised waits a day more: the file may only be on its way."""
    for name in house.shelves:
        house.shelves[name].put("x", tenant=GONE)
    house.shelves["recordings"].put("y", tenant=GONE, keep=timedelta(days=50))
    house.shelves["recordings"].put("z", tenant=GONE, keep=timedelta(days=1))
    house.everybody = (ACME, GONE)
    sweeper = house.sweeper()

    house.clock.at = START + timedelta(days=40)
    swept = await sweeper.sweep()
    assert (swept.deleted, swept.left) == ({DataClass.AUDIO: 1}, ())
    house.clock.at = START + timedelta(days=41)
    await sweeper.sweep()
    assert house.has() == ["consents/x", "persons/x", "recordings/y", "vault/x"]
    house.clock.at = START + timedelta(days=51)
    assert (await house.sweeper().sweep()).deleted == {DataClass.AUDIO: 1}


async def test_each_deletion_has_its_certificate_with_the_reason(house: House) -> None:
    house.shelves["recordings"].put("call_1")
    house.clock.at = START + WEEK
    await house.swept()
    (certificate,) = await house.desk.certificates.of(ACME, "call_1")
    assert (certificate.document["why"], certificate.document["by"]) == ("its time is over", "retention")


async def test_a_hold_keeps_what_is_due_and_is_told_past_its_review(house: House) -> None:
    house.shelves["recordings"].put("call_1")
    house.shelves["recordings"].put("call_2")
    order = {"reason": "case 7", "approver": "A. Judge", "by": "operator"}
    placed = await house.desk.holds.place(ACME, HoldScope(call=CallId("call_1")), review=date(2026, 11, 20), **order)
    house.clock.at = START + timedelta(days=8)
    swept = await house.swept()
    assert (swept.held, house.has()) == (1, ["recordings/call_1"])
    assert "sordino_holds_overdue" not in house.telemetry.gauges

    house.clock.at = START + timedelta(days=30)
    sweeper = house.sweeper()
    for _ in range(2):
        await sweeper.sweep()
    assert house.telemetry.gauges["sordino_holds_overdue"] == 1
    assert house.has() == ["recordings/call_1"], "a hold never ends by itself"

    await house.desk.holds.lift(ACME, placed.hold.id, reason="case closed", by="operator")
    assert (await sweeper.sweep()).deleted == {DataClass.AUDIO: 1}
    assert house.telemetry.gauges["sordino_holds_overdue"] == 0


async def test_it_catches_up_after_a_week_off_in_bounded_steps(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock jumped: everything is due at once. After each step others get their turn."""
    monkeypatch.setattr("gateway.runner.retention.STEP", 10)
    for number in range(95):
        house.shelves["recordings"].put(f"call_{number}")
    house.clock.at = START + 2 * WEEK
    sizes: list[int] = []
    house.during_pause = lambda: sizes.append(len(house.shelves["recordings"].has))
    swept = await house.swept()
    assert swept.deleted == {DataClass.AUDIO: 95}
    assert house.has() == []
    assert sizes == [85, 75, 65, 55, 45, 35, 25, 15, 5, 0]


async def test_of_two_gateways_one_sweeps_at_a_time(house: House) -> None:
    house.shelves["recordings"].put("call_1")
    house.clock.at = START + WEEK
    assert await RedisLease(house.store, "other").take(ACME, RETENTION, for_s=600)
    assert (await house.swept("one")).left == (ACME,)
    assert house.has() == ["recordings/call_1"]
    await RedisLease(house.store, "other").leave(ACME, RETENTION)
    assert (await house.swept("one")).left == ()
    assert house.has() == []


async def test_who_has_lost_its_lease_meanwhile_decides_nothing_more(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that stood still for longer than its lease: the store asks for the lease in the moment of the decision."""
    monkeypatch.setattr("gateway.runner.retention.STEP", 1)
    for number in range(3):
        house.shelves["recordings"].put(f"call_{number}")
    house.clock.at = START + WEEK
    sweeper = house.sweeper("one")
    held = house.desk.deletions.held

    async def slow(tenant: TenantId, items: list[Item]) -> object:
        async with house.store.answers() as client:
            await client.set(f"sordino:{{{ACME}}}:lease:{RETENTION}", "two", px=600_000)
        return await held(tenant, items)

    monkeypatch.setattr(house.desk.deletions, "held", slow, raising=False)
    assert (await sweeper.sweep()).deleted == {}
    assert len(house.has()) == 3
    assert await house.desk.deletions.resume([ACME], at_once=True) == ()


async def test_what_fails_is_tried_again_and_the_heartbeat_says_that_all_was_seen_to(house: House) -> None:
    broken = house.shelves["recordings"]
    broken.put("call_1")
    house.shelves["receipts"].put("call_2", since=START - timedelta(days=60))
    broken.broken = True
    house.clock.at = START + WEEK
    sweeper = house.sweeper()
    assert (await sweeper.sweep()).left == (ACME,)
    assert house.has() == ["recordings/call_1"], "one fault does not keep the rest from being done"
    assert "sordino_sweeper_last_run_timestamp" not in house.telemetry.gauges
    broken.broken = False
    async with house.store.answers() as client:  # nobody works on it any more
        await client.zadd(f"sordino:{{{ACME}}}:deletions:due", {"recordings/call_1": 0})
    assert (await sweeper.sweep()).left == ()
    assert house.has() == []
    beat = house.telemetry.gauges["sordino_sweeper_last_run_timestamp"]
    assert datetime.fromtimestamp(beat, UTC) == house.clock.at


class Callers(Shelf):
    """Whose call a call is: found by its call alone."""

    async def items(self, tenant: TenantId) -> AsyncIterator[Item]:
        for each in list[Item]():
            yield each


async def test_what_cannot_be_read_in_one_place_does_not_keep_the_rest_from_going(house: House, tmp_path: Path) -> None:
    """Nor what can be read beside it: copies with names that no call has, and receipts that are none."""
    receipts = Receipts(house.store, tmp_path)
    (tmp_path / ACME).mkdir()
    for name in ("copy of x.json", "a.json", "z.json"):
        (tmp_path / ACME / name).write_bytes(b"")
    (tmp_path / ACME / "old.json").write_text('{"ended": "2026-01-01T00:00:00+00:00"}')
    ledger = RedisLedger(house.store, timeout_s=PATIENCE_S)
    async with ledger:
        house.shelves["callers"] = Callers(CALLERS, DataClass.METADATA)
        for call in ("a", "b"):
            house.shelves["callers"].put(call)
        more = [house.shelves["consents"], house.shelves["callers"]]
        first = (house.shelves["recordings"], ReceiptsHolding(receipts))
        house.desk = keeping(house.store, ledger, *first, clock=house.clock, more=more)
        house.shelves["recordings"].put("a")
        house.shelves["recordings"].put("b")
        house.shelves["consents"].put("f00d", since=START - timedelta(days=400))
        house.clock.at = START + WEEK
        swept = await house.swept()
    assert (swept.left, house.has()) == ((ACME,), ["callers/a"]), "of a call that nobody can read it stays known whose it is"
    assert swept.deleted == {DataClass.AUDIO: 2, DataClass.METADATA: 2, DataClass.CONSENT: 1}
    assert house.telemetry.failures == ["receipts"]


async def test_whose_call_it_was_is_forgotten_with_the_last_thing_of_the_call(house: House) -> None:
    callers = Callers(CALLERS, DataClass.METADATA)
    callers.put("call_1")
    house.shelves["callers"] = callers
    ledger = RedisLedger(house.store, timeout_s=PATIENCE_S)
    async with ledger:
        house.desk = keeping(house.store, ledger, *house.shelves.values(), clock=house.clock)
        house.shelves["recordings"].put("call_1")
        house.shelves["receipts"].put("call_1")
        house.clock.at = START + timedelta(days=8)
        await house.swept()
        assert house.has() == ["callers/call_1", "receipts/call_1"]
        house.clock.at = START + timedelta(days=31)
        await house.swept()
        assert house.has() == []


async def test_it_looks_again_and_again_and_does_what_each_gateway_does_for_itself(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also after a chore that failed, until it is cancelled."""
    monkeypatch.setattr("gateway.runner.retention.EVERY_S", (0.0, 0.0))
    house.clock.at = START + WEEK
    thrice, rounds = asyncio.Event(), 0

    async def chore() -> None:
        nonlocal rounds
        rounds += 1
        house.shelves["recordings"].put(f"call_{rounds}")
        if rounds == 3:
            thrice.set()
        raise StoreUnavailable("not now")

    async with asyncio.timeout(PATIENCE_S), TaskOwner("sweeper", on_failure=lambda name, error: None) as tasks:
        tasks.start(house.sweeper().run(chore), name="retention")
        await thrice.wait()
    assert {"call_1", "call_2"} <= set(house.shelves["recordings"].deleted)


async def test_two_gateways_that_look_at_the_same_time_delete_each_thing_once(house: House) -> None:
    for number in range(30):
        house.shelves["recordings"].put(f"call_{number}")
    house.clock.at = START + WEEK
    both = await asyncio.gather(house.swept("one"), house.swept("two"))
    assert house.has() == []
    assert sum(swept.deleted[DataClass.AUDIO] for swept in both if swept.deleted) == 30
    certified = [each.of async for each in house.desk.certificates.all(ACME)]
    assert len(certified) == len(set(certified)) == 30
