"""Holds, deletions, expiry and death in any order: nothing held is lost, nothing deleted can be read (promises 14, 16)."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import date, timedelta
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
from gateway.policy.retention import HoldScope
from gateway.runner.deletion import Deletions
from gateway.runner.holdings import Item
from gateway.runner.retention import Sweeper, SweeperParts
from gateway.values import CallId, DataClass
from tests.conftest import PATIENCE_S
from tests.policy.samples import TENANT, loaded
from tests.runner.kept import ACME, START, HandClock, Shelf, keeping
from tests.runner.test_deletion_faults import Fate, lived

PEOPLE = ("f00d", "beef")
CALLS = tuple(f"call_{number}" for number in range(4))
EVERYTHING = [(shelf, call) for shelf in ("recordings", "receipts") for call in CALLS] + [("consents", one) for one in PEOPLE]
POLICY = loaded(TENANT + "retention: {audio: 3d, metadata: 9d, consent: 20d}\n").tenant("acme")
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
        self.desk = keeping(self.store, self.ledger, *self.shelves.values(), clock=self.clock)
        for number, call in enumerate(CALLS):
            await RedisSubjects(self.store).note(ACME, PEOPLE[number % 2], CallId(call), START)

    def present(self) -> dict[tuple[str, str], Item]:
        return {(name, id_): item for name, shelf in self.shelves.items() for (_, id_), item in shelf.has.items()}

    @rule(call=st.sampled_from(CALLS), shelf=st.sampled_from(["recordings", "receipts"]), keep=st.none() | st.integers(0, 5))
    def a_call_leaves(self, call: str, shelf: str, keep: int | None) -> None:
        self.put(shelf, call, None if keep is None else timedelta(days=keep))

    @rule(person=st.sampled_from(PEOPLE))
    def a_person_agrees(self, person: str) -> None:
        self.put("consents", person, None)

    def put(self, shelf: str, id_: str, keep: timedelta | None) -> None:
        if (shelf, id_) not in self.present() and (shelf, id_) not in self.gone:
            item = self.shelves[shelf].put(id_, since=self.clock.at, keep=keep)
            for hold in self.does(self.desk.holds.holds(ACME)):
                if self.covers(hold.scope, item):
                    self.protected[hold.id].add((shelf, id_))

    def covers(self, scope: HoldScope, item: Item) -> bool:
        whose = PEOPLE[CALLS.index(item.id) % 2] if item.id in CALLS else item.id
        return scope.covers(item.data_class, item.id, item.since, subject=whose)

    @rule(target=placed, scope=SCOPES)
    def a_hold_is_placed(self, scope: HoldScope) -> Any:
        if scope.start is not None and scope.end is not None and scope.start >= scope.end:
            scope = replace(scope, end=None)
        order: dict[str, Any] = {"reason": "case 7", "approver": "A. Judge", "review": date(2030, 1, 1), "by": "operator"}
        found = self.does(self.desk.holds.place(ACME, scope, **order))
        late = {(each.holding, each.id) for each in found.too_late}
        self.protected[found.hold.id] = {
            where for where, item in self.present().items() if self.covers(scope, item) and where not in late
        }
        return found.hold.id

    @rule(hold=consumes(placed))
    def a_hold_is_lifted(self, hold: str) -> None:
        self.does(self.desk.holds.lift(ACME, hold, reason="case closed", by="operator"))
        del self.protected[hold]

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
            holdings=lambda: [fate.over(shelf) for shelf in self.shelves.values()],
        )

        async def delete() -> None:
            done = await Deletions(mortal).delete(ACME, wanted, why="request of the caller", by="operator")
            assert len(done.certificates) + len(done.held) == len(wanted)

        self.does(lived(delete()))

    @rule()
    def another_gateway_goes_on(self) -> None:
        self.does(self.desk.deletions.resume([ACME], at_once=True))
        assert self.does(self.desk.deletions._p.log.pending(ACME)) == []

    @rule(days=st.sampled_from([0, 1, 3, 7, 30]))
    def time_goes_by_and_the_sweeper_looks(self, days: int) -> None:
        self.clock.at += timedelta(days=days)

        async def never(_: object) -> None:
            return None

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
            ended=never,
            pause=pause,
        )
        assert self.does(Sweeper(parts).sweep()).left == ()
        decided = {(each.holding, each.id) for each in self.does(self.desk.deletions._p.log.pending(ACME))}
        # What a dead gateway had decided is another one's to finish when its time for that is over.
        free = set(self.present()) - decided - set().union(*self.protected.values())
        limit = POLICY.retention
        for where in free:
            item = self.present()[where]
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


@pytest.mark.timeout(300)
def test_the_life_of_data_in_any_order(valkey: EmbeddedValkey) -> None:
    class OnThisStore(Life):
        url = valkey.url

    run_state_machine_as_test(OnThisStore, settings=settings(max_examples=12, stateful_step_count=20, deadline=None))
