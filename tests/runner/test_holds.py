"""Legal holds: what they keep and nothing else, who was first, and that they never end by themselves (promise 16)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest

from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.subjects import RedisSubjects
from gateway.errors import DataHeld, InvalidRequest, NotFound, StoreUnavailable
from gateway.holding import DataDesk
from gateway.policy.retention import HoldScope
from gateway.runner.holdings import Deleted, Item
from gateway.runner.places import CallersHolding, PersonsHolding
from gateway.values import CallId, DataClass, TenantId
from tests.conftest import PATIENCE_S
from tests.runner.kept import ACME, START, HandClock, Shelf, keeping

GLOBEX = TenantId("globex")
ORDER: dict[str, Any] = {"reason": "case 7", "approver": "A. Judge", "review": date(2027, 1, 31), "by": "operator"}
CALL = CallId("call_1")


@dataclass
class House:
    desk: DataDesk
    audio: Shelf
    texts: Shelf
    people: Shelf
    clock: HandClock
    ledger: RedisLedger
    store: Store

    async def deletes(self, *items: Item) -> tuple[list[str], list[str]]:
        """Ids and places of what went, and of what stayed."""
        done = await self.desk.deletions.delete(items[0].tenant, items, why="expired", by="retention")
        return [f"{each.holding}/{each.of}" for each in done.certificates], [
            f"{each.item.holding}/{each.item.id}" for each in done.held
        ]

    async def kinds(self) -> list[str]:
        return [entry.draft.kind async for entry in self.ledger.entries(ACME)]


@pytest.fixture
async def house(store: Store) -> AsyncIterator[House]:
    audio, texts = Shelf("recordings"), Shelf("transcripts", DataClass.TRANSCRIPT)
    people, clock = Shelf("consents", DataClass.CONSENT), HandClock()
    async with RedisLedger(store, timeout_s=PATIENCE_S) as ledger:
        yield House(keeping(store, ledger, audio, texts, people, clock=clock), audio, texts, people, clock, ledger, store)


@pytest.mark.parametrize(
    ("scope", "stays"),
    [
        (HoldScope(call=CALL), ["recordings/call_1", "transcripts/call_1"]),
        (HoldScope(data_class=DataClass.AUDIO), ["recordings/call_1", "recordings/call_2"]),
        (HoldScope(call=CALL, data_class=DataClass.AUDIO), ["recordings/call_1"]),
        (HoldScope(subject="f00d"), ["recordings/call_1", "transcripts/call_1", "consents/f00d"]),
        (HoldScope(subject="f00d", data_class=DataClass.CONSENT), ["consents/f00d"]),
        (HoldScope(start=START + timedelta(days=1)), ["recordings/call_2", "consents/beef"]),
        (HoldScope(end=START + timedelta(days=1)), ["recordings/call_1", "transcripts/call_1", "consents/f00d"]),
        (
            HoldScope(),
            ["recordings/call_1", "recordings/call_2", "transcripts/call_1", "consents/f00d", "consents/beef"],
        ),
    ],
)
async def test_a_hold_keeps_its_scope_and_only_its_scope(house: House, scope: HoldScope, stays: list[str]) -> None:
    await RedisSubjects(house.store).note(ACME, "f00d", CALL, START)
    later = START + timedelta(days=1)
    items = [
        house.audio.put("call_1"),
        house.audio.put("call_2", since=later),
        house.texts.put("call_1"),
        house.people.put("f00d"),
        house.people.put("beef", since=later),
    ]
    await house.desk.holds.place(ACME, scope, **ORDER)

    gone, kept = await house.deletes(*items)

    assert sorted(kept) == sorted(stays)
    assert sorted(gone) == sorted({f"{item.holding}/{item.id}" for item in items} - set(stays))
    assert {f"{holding.name}/{id_}" for holding in (house.audio, house.texts, house.people) for _, id_ in holding.has} == set(
        stays
    )
    assert "hold.placed" in await house.kinds()
    assert "hold.blocked" in await house.kinds()


async def test_a_hold_of_one_tenant_keeps_nothing_of_another(house: House) -> None:
    await house.desk.holds.place(ACME, HoldScope(), **ORDER)
    gone, kept = await house.deletes(house.audio.put("call_1", tenant=GLOBEX))
    assert (gone, kept) == (["recordings/call_1"], [])


async def test_what_was_decided_before_the_hold_goes_and_the_hold_says_so(house: House) -> None:
    """The gateway dies over a deletion; then comes the hold; then another gateway finishes what was decided."""
    item = house.audio.put("call_1")
    house.audio.broken = True
    with pytest.raises(Exception, match="locked"):
        await house.deletes(item)

    placed = await house.desk.holds.place(ACME, HoldScope(call=CALL), **ORDER)

    assert [each.id for each in placed.too_late] == ["call_1"]
    house.audio.broken = False
    assert len(await house.desk.deletions.resume([ACME], at_once=True)) == 1
    assert not house.audio.has


async def test_a_hold_that_comes_while_a_deletion_is_being_decided_is_first(house: House) -> None:
    """Between the look at the holds and the decision: the store notices, and the deletion looks again."""
    item = house.audio.put("call_1")
    holds = house.desk.deletions._p.holds
    looked = holds.now
    placed = False

    async def now(tenant: TenantId) -> object:
        nonlocal placed
        seen = await looked(tenant)
        if not placed:
            placed = True
            await house.desk.holds.place(ACME, HoldScope(call=CALL), **ORDER)
        return seen

    holds.now = now  # type: ignore[method-assign, assignment]
    gone, kept = await house.deletes(item)
    assert (gone, kept) == ([], ["recordings/call_1"])
    assert house.audio.has


async def test_a_hold_never_ends_by_itself_and_is_told_past_its_review(house: House) -> None:
    item = house.audio.put("call_1")
    await house.desk.holds.place(ACME, HoldScope(call=CALL), **ORDER)
    assert await house.desk.holds.overdue([ACME, GLOBEX]) == {}
    house.clock.at += timedelta(days=365)
    assert list(await house.desk.holds.overdue([ACME, GLOBEX])) == [ACME]
    assert (await house.deletes(item))[0] == []


async def test_a_lifted_hold_keeps_nothing(house: House) -> None:
    item = house.audio.put("call_1")
    placed = await house.desk.holds.place(ACME, HoldScope(call=CALL), **ORDER)
    await house.desk.holds.lift(ACME, placed.hold.id, reason="case closed", by="operator")
    assert (await house.deletes(item))[0] == ["recordings/call_1"]
    assert (await house.kinds())[:2] == ["hold.placed", "hold.lifted"]
    with pytest.raises(NotFound):
        await house.desk.holds.lift(ACME, placed.hold.id, reason="again", by="operator")


@pytest.mark.parametrize("wrong", [{"reason": " "}, {"approver": ""}, {"review": START.date()}, {"reason": "x" * 501}])
async def test_a_hold_needs_a_reason_an_approver_and_a_review_to_come(house: House, wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest):
        await house.desk.holds.place(ACME, HoldScope(), **{**ORDER, **wrong})
    assert await house.desk.holds.holds(ACME) == ()


async def test_a_call_that_is_held_as_a_whole_is_not_erased_and_each_hold_is_named(house: House) -> None:
    house.audio.put("call_1")
    placed = await house.desk.holds.place(ACME, HoldScope(call=CALL), **ORDER)
    with pytest.raises(DataHeld) as refused:
        await house.desk.erase_call(ACME, CALL, why="request of the caller", by="operator")
    assert placed.hold.id in refused.value.reasons[0]
    assert house.audio.has


async def test_a_call_is_erased_but_for_what_is_held_and_erased_again_shows_its_certificates(house: House) -> None:
    house.audio.put("call_1")
    house.texts.put("call_1")
    placed = await house.desk.holds.place(ACME, HoldScope(call=CALL, data_class=DataClass.AUDIO), **ORDER)

    done = await house.desk.erase_call(ACME, CALL, why="request of the caller", by="operator")
    assert [each.holding for each in done.certificates] == ["transcripts"]
    assert [each.hold.id for each in done.held] == [placed.hold.id]

    await house.desk.holds.lift(ACME, placed.hold.id, reason="case closed", by="operator")
    done = await house.desk.erase_call(ACME, CALL, why="request of the caller", by="operator")
    assert [each.holding for each in done.certificates] == ["recordings"]
    again = await house.desk.erase_call(ACME, CALL, why="request of the caller", by="operator")
    assert sorted(each.holding for each in again.certificates) == ["recordings", "transcripts"]


@pytest.mark.parametrize(
    "scope",
    [
        HoldScope(subject="f00d", data_class=DataClass.AUDIO),
        HoldScope(subject="f00d", end=START + timedelta(days=1)),
        HoldScope(call=CALL, data_class=DataClass.AUDIO),
        HoldScope(data_class=DataClass.AUDIO),
    ],
)
async def test_what_is_held_stays_held_however_often_it_is_erased_and_whose_it_is_stays_known(
    house: House, scope: HoldScope
) -> None:
    """A hold on a person must not lose what it keeps because the link from the call to the person went first."""
    subjects = RedisSubjects(house.store)
    await subjects.note(ACME, "f00d", CALL, START)
    await subjects.note(ACME, "f00d", CallId("call_2"), START + timedelta(days=9))
    links = (CallersHolding(subjects, house.clock), PersonsHolding(subjects))
    house.desk = keeping(house.store, house.ledger, house.audio, house.texts, clock=house.clock, more=links)
    house.audio.put("call_1")
    await house.desk.holds.place(ACME, scope, **ORDER)

    for _ in range(2):
        with pytest.raises(DataHeld):
            await house.desk.erase_call(ACME, CALL, why="request of the caller", by="operator")
        person = await house.desk.of_person(ACME, "f00d")
        assert not (await house.desk.deletions.delete(ACME, person, why="expired", by="retention")).certificates

    assert house.audio.has
    assert await subjects.of_call(ACME, CALL) == "f00d"


async def test_what_somebody_died_over_is_not_said_to_be_gone_before_it_is_certified(house: House) -> None:
    """Destroyed, it is in no list any more: neither a recording that is to go nor its whole call is called gone by that."""
    desk, how = house.desk, {"why": "request of the caller", "by": "operator"}
    house.audio.put("call_1")
    house.audio.broken = True
    with pytest.raises(StoreUnavailable):
        await desk.delete_recording(ACME, CALL, **how)
    house.audio.has.clear()
    for ask in (desk.delete_recording, desk.erase_call):
        with pytest.raises(StoreUnavailable):
            await ask(ACME, CALL, **how)
    house.audio.broken = False
    with pytest.raises(NotFound):
        await desk.delete_recording(ACME, CALL, **how)
    assert [each.holding for each in await desk.certificates.of(ACME, CALL)] == ["recordings"]
    assert [each.holding for each in (await desk.erase_call(ACME, CALL, **how)).certificates] == ["recordings"]


async def test_there_is_nothing_to_erase_of_a_call_that_never_was(house: House) -> None:
    with pytest.raises(NotFound):
        await house.desk.erase_call(ACME, CallId("call_never"), why="request of the caller", by="operator")


async def test_a_deleted_thing_is_deleted_by_name_of_its_holding_alone(house: House) -> None:
    """The same call in two places is two deletions, each with its certificate."""
    gone, _ = await house.deletes(house.audio.put("call_1"), house.texts.put("call_1"))
    assert gone == ["recordings/call_1", "transcripts/call_1"]
    assert isinstance(await house.audio.delete(house.audio.put("x")), Deleted)
