"""Holds, deletions, expiry and death in any order: nothing held is lost, nothing deleted can be read (promises 14, 16)."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule, run_state_machine_as_test

from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.lease import RedisLease
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.subjects import RedisSubjects
from gateway.adapters.telemetry.null import NullTelemetry
from gateway.errors import DataHeld, NotFound
from gateway.policy.retention import HoldScope
from gateway.runner.deletion import Deletions
from gateway.runner.holdings import CALLERS, LINKS, PERSONS, Item
from gateway.runner.places import CallersHolding, PersonsHolding
from gateway.runner.retention import Sweeper, SweeperParts
from gateway.values import CallId, DataClass
from tests.conftest import PATIENCE_S
from tests.policy.samples import TENANT, loaded
from tests.runner.kept import ACME, START, HandClock, Shelf, keeping
from tests.runner.test_deletion_faults import Fate, lived

PEOPLE = ("f00d", "beef")
CALLS = tuple(f"call_{number}" for number in range(4))
OF_CALLS, OF_PERSONS = ("recordings", "receipts", CALLERS), ("consents", PERSONS)
EVERYTHING = [(name, call) for name in OF_CALLS for call in CALLS] + [(name, one) for name in OF_PERSONS for one in PEOPLE]
POLICY = loaded(TENANT + "retention: {audio: 3d, metadata: 9d, consent: 20d, contact: 20d}\n").tenant("acme")
ORDER: dict[str, Any] = {"reason": "case 7", "approver": "A. Judge", "review": date(2030, 1, 1), "by": "operator"}
SCOPES = st.builds(
    HoldScope,
    call=st.none() | st.sampled_from([CallId(call) for call in CALLS]),
    subject=st.none() | st.sampled_from(PEOPLE),
    data_class=st.none() | st.sampled_from([DataClass.AUDIO, DataClass.METADATA, DataClass.CONSENT]),
    start=st.none() | st.integers(0, 6).map(lambda days: START + timedelta(days=days)),
    end=st.none() | st.integers(3, 12).map(lambda days: START + timedelta(days=days)),
)


class Life(RuleBasedStateMachine):
    """The life of the data of a tenant. ``url`` is a real Valkey's."""

    url = ""
    placed = Bundle("placed")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.open = AsyncExitStack()
        self.clock = HandClock()
        self.shelves = {
            "recordings": Shelf("recordings", DataClass.AUDIO),
            "receipts": Shelf("receipts", DataClass.METADATA),
            "consents": Shelf("consents", DataClass.CONSENT),
        }
        self.protected: dict[str, set[tuple[str, str]]] = {}
        self.scopes: dict[str, HoldScope] = {}
        self.gone: set[tuple[str, str]] = set()
        self.does(self.begin())

    def does(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        self.does(self.open.aclose())
        self.loop.close()

    async def begin(self) -> None:
        self.store = await self.open.enter_async_context(Store(self.url, timeout_s=PATIENCE_S))
        async with self.store.answers() as client:
            await client.flushall()
        self.ledger = await self.open.enter_async_context(RedisLedger(self.store, timeout_s=PATIENCE_S))
        self.subjects = RedisSubjects(self.store)
        links = (CallersHolding(self.subjects, self.clock), PersonsHolding(self.subjects))
        self.desk = keeping(self.store, self.ledger, *self.shelves.values(), clock=self.clock, more=links)
        for call in CALLS:
            await self.subjects.note(ACME, whose(call), CallId(call), START)

    def present(self) -> dict[tuple[str, str], Item]:
        data = {(name, id_): item for name, shelf in self.shelves.items() for (_, id_), item in shelf.has.items()}
        return data | {(item.holding, item.id): item for item in self.does(self.links())}

    async def links(self) -> list[Item]:
        callers, persons = (place for place in self.desk.holdings if place.name in LINKS)
        found = [await callers.of_call(ACME, CallId(call)) for call in CALLS]
        return [item for item in (*found, *[await persons.of_person(ACME, one) for one in PEOPLE]) if item is not None]

    def decided(self) -> set[tuple[str, str]]:
        return {(each.holding, each.id) for each in self.does(self.desk.deletions._p.log.pending(ACME))}

    @rule(call=st.sampled_from(CALLS), shelf=st.sampled_from(["recordings", "receipts"]), keep=st.none() | st.integers(0, 5))
    def a_call_leaves(self, call: str, shelf: str, keep: int | None) -> None:
        self.put(shelf, call, None if keep is None else timedelta(days=keep))

    @rule(person=st.sampled_from(PEOPLE))
    def a_person_agrees(self, person: str) -> None:
        self.put("consents", person, None)

    def put(self, shelf: str, id_: str, keep: timedelta | None) -> None:
        if (shelf, id_) not in self.present() and (shelf, id_) not in self.gone:
            self.shelves[shelf].put(id_, since=self.clock.at, keep=keep)
            for hold, scope in self.scopes.items():
                self.protected[hold] |= self.kept_by(scope) & {(shelf, id_), *self.found_by(id_)}

    def kept_by(self, scope: HoldScope) -> set[tuple[str, str]]:
        """What an order keeps, of all that is there and not decided to go: the data, and all that it is found by."""
        there = {where: item for where, item in self.present().items() if where not in self.decided()}
        kept = {where for where, item in there.items() if where[0] in self.shelves and self.covers(scope, item, there)}
        found_by = {link for _, id_ in kept for link in self.found_by(id_)}
        if scope.subject is not None:
            found_by |= {link for call in CALLS if whose(call) == scope.subject for link in self.found_by(call)}
        return kept | (found_by & set(there))

    def covers(self, scope: HoldScope, item: Item, there: dict[tuple[str, str], Item]) -> bool:
        found = item.id in PEOPLE or set(self.found_by(item.id)) <= set(there)
        person = whose(item.id) if found else None
        return scope.covers(item.data_class, item.id, item.since, subject=person)

    def found_by(self, id_: str) -> list[tuple[str, str]]:
        return [(CALLERS, id_), (PERSONS, whose(id_))] if id_ in CALLS else []

    @rule(target=placed, scope=SCOPES)
    def a_hold_is_placed(self, scope: HoldScope) -> Any:
        if scope.start is not None and scope.end is not None and scope.start >= scope.end:
            scope = replace(scope, end=None)
        kept = self.kept_by(scope)
        found = self.does(self.desk.holds.place(ACME, scope, **ORDER))
        assert {(each.holding, each.id) for each in found.too_late} <= self.decided()
        self.protected[found.hold.id], self.scopes[found.hold.id] = kept, scope
        return found.hold.id

    @rule(hold=consumes(placed))
    def a_hold_is_lifted(self, hold: str) -> None:
        self.does(self.desk.holds.lift(ACME, hold, reason="case closed", by="operator"))
        del self.protected[hold], self.scopes[hold]

    @rule(call=st.sampled_from(CALLS))
    def a_call_is_erased(self, call: str) -> None:
        """Whoever asked before, and whatever was held then."""
        try:
            self.does(self.desk.erase_call(ACME, CallId(call), why="request of the caller", by="operator"))
        except (DataHeld, NotFound):
            return

    @rule(chosen=st.lists(st.sampled_from(EVERYTHING), unique=True, max_size=6), dies_at=st.none() | st.integers(1, 14))
    def something_is_deleted(self, chosen: list[tuple[str, str]], dies_at: int | None) -> None:
        """By a gateway that may be killed over it."""
        wanted = [item for where, item in self.present().items() if where in chosen]
        fate = Fate(0 if dies_at is None else dies_at)
        parts = self.desk.deletions._p
        mortal = replace(
            parts,
            log=fate.over(parts.log),
            ledger=fate.over(parts.ledger),
            holdings=lambda: [fate.over(place) for place in self.desk.holdings],
        )

        async def delete() -> None:
            done = await Deletions(mortal).delete(ACME, wanted, why="request of the caller", by="operator")
            assert len(done.certificates) + len(done.held) == len(wanted)

        self.does(lived(delete()))

    @rule()
    def another_gateway_goes_on(self) -> None:
        self.does(self.desk.deletions.resume([ACME], at_once=True))
        assert self.does(self.desk.deletions._p.log.pending(ACME)) == []

    @rule(days=st.sampled_from([0, 1, 3, 7, 30]), over=st.booleans())
    def time_goes_by_and_the_sweeper_looks(self, days: int, over: bool) -> None:
        self.clock.at += timedelta(days=days)

        async def ended(_: object) -> datetime | None:
            return START if over else None

        async def pause() -> None:
            return None

        parts = SweeperParts(
            deletions=self.desk.deletions,
            holdings=lambda: self.desk.holdings,
            holds=self.desk.holds,
            tenants=lambda: {ACME: POLICY},
            lease=RedisLease(self.store, "one"),
            holder="one",
            clock=self.clock,
            telemetry=NullTelemetry(),
            ended=ended,
            pause=pause,
        )
        assert self.does(Sweeper(parts).sweep()).left == ()
        there = {where: item for where, item in self.present().items() if where[0] in self.shelves}
        # What a dead gateway had decided is another one's to finish when its time for that is over.
        free = {where: item for where, item in there.items() if where not in self.decided()}
        held = {(each.item.holding, each.item.id) for each in self.does(self.desk.deletions.held(ACME, list(free.values())))}
        limit = POLICY.retention
        for where in set(free) - held:
            item = free[where]
            kept = limit.of(item.data_class) if item.keep is None else min(item.keep, limit.of(item.data_class))
            assert item.since + kept > self.clock.at, "what is due and not held is gone"

    @invariant()
    def nothing_held_is_lost(self) -> None:
        for kept in self.protected.values():
            assert kept <= set(self.present())

    @invariant()
    def nothing_certified_can_be_read_and_everything_that_is_gone_is_certified_or_on_its_way(self) -> None:
        async def look() -> tuple[list[tuple[str, str]], set[tuple[str, str]]]:
            certified = [(each.holding, each.of) async for each in self.desk.certificates.all(ACME)]
            pending = await self.desk.deletions._p.log.pending(ACME)
            return certified, {(each.holding, each.id) for each in pending}

        certified, pending = self.does(look())
        assert len(certified) == len(set(certified)), "one certificate each"
        assert not set(certified) & set(self.present())
        lost = {where for shelf in self.shelves.values() for where in [(shelf.name, id_) for id_ in shelf.deleted]}
        self.gone |= set(certified) | pending
        assert lost - set(self.present()) <= set(certified) | pending


def whose(id_: str) -> str:
    return PEOPLE[CALLS.index(id_) % 2] if id_ in CALLS else id_


@pytest.mark.timeout(300)
def test_the_life_of_data_in_any_order(valkey: EmbeddedValkey) -> None:
    class OnThisStore(Life):
        url = valkey.url

    run_state_machine_as_test(OnThisStore, settings=settings(max_examples=12, stateful_step_count=20, deadline=None))
