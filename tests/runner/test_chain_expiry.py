"""The beginning of a chain goes when its time is over, and everything that stays still verifies (promise 14)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from gateway.adapters.stores.cases import RedisCases
from gateway.adapters.stores.chain_cut import ChainTrim
from gateway.adapters.stores.chain_lines import ChainLines
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.offboarding import RedisOffboarding
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.subjects import RedisSubjects
from gateway.errors import EvidenceInvalid, StoreUnavailable
from gateway.evidence.certificate import verify_certificate
from gateway.evidence.chain import CallChain
from gateway.evidence.head import leaf
from gateway.evidence.merkle import Growing
from gateway.policy.cases import CaseEvent
from gateway.policy.offboarding import Done, Offboarding, Status, Step, Times
from gateway.policy.retention import HoldScope
from gateway.runner.chain_expiry import Beginning, ChainExpiry, ChainHolding
from gateway.runner.deletion import Deletions
from gateway.runner.holdings import Item
from gateway.values import CallId, DataClass, TenantId
from tests.conftest import PATIENCE_S
from tests.runner.aged import DAY, OF_CALL, POLICY, Aged, aged
from tests.runner.kept import ACME, SIGNING, START
from tests.runner.test_deletion_faults import Fate, lived

ORDER: dict[str, Any] = {"reason": "case 7", "approver": "A. Judge", "by": "operator", "review": date(2027, 11, 20)}


@pytest.fixture
async def house(store: Store) -> AsyncIterator[Aged]:
    async with aged(store) as found:
        yield found


async def found(house: Aged) -> Item:
    """What may go 101 days after the start."""
    house.clock.at = START + 101 * DAY
    due = await ChainExpiry(house.store, house.clock).due(ACME, 100 * DAY)
    assert due is not None
    return due.item


async def test_what_is_older_than_the_policy_goes_and_what_stays_verifies(house: Aged) -> None:
    """An entry at the end says what went and stands for it; a signed certificate is kept; calls stay whole."""
    await house.calls(0, 10, 20)
    tree = Growing()
    async for entry in house.ledger.entries(ACME):
        if entry.seq <= 8:
            tree.add(leaf(entry.hash))
    assert (await house.sweep(99)).deleted == {}
    assert await house.places() == list(range(1, 13))

    swept = await house.sweep(111)
    assert (swept.deleted, swept.left) == ({DataClass.EVIDENCE: 1}, ())
    assert await house.places() == list(range(9, 15))
    assert (await house.kinds())[-2:] == ["evidence.cut", "deletion.certified"]
    cut = await house.cut()
    assert (cut.first, cut.last, cut.seq, cut.tree().root) == (1, 8, 13, tree.root)
    assert await house.verified() == 6
    (certificate,) = await house.desk.certificates.of(ACME, "entries_1_8")
    checked = verify_certificate(certificate.to_json(), SIGNING.public_key)
    assert checked.trusted
    assert (certificate.data_class, certificate.holding, certificate.place[0]) == (DataClass.EVIDENCE, "chain", 14)
    stated = certificate.document
    assert (stated["why"], stated["by"], stated["where"]) == ("its time is over", "retention", ["store"])


async def test_the_gateways_own_sweeper_does_it(house: Aged) -> None:
    """And another one that comes to it at the same time does it no second time."""
    await house.calls(0, 50)
    house.clock.at = START + 101 * DAY
    gateways = [house.desk.sweeper(lambda: {ACME: POLICY}) for _ in range(3)]
    done = await asyncio.gather(*(each.sweep() for each in gateways))
    assert sum(each.deleted.get(DataClass.EVIDENCE, 0) for each in done) == 1
    assert await house.verified() == OF_CALL + 2


async def test_history_goes_on_going_and_each_deletion_names_the_one_before(house: Aged) -> None:
    await house.calls(0, 30, 60, 90)
    for day, stays in ((101, 5), (131, 9), (161, 13)):
        assert (await house.sweep(day)).deleted == {DataClass.EVIDENCE: 1}
        assert (await house.places())[0] == stays
        await house.verified()
    assert (await house.cut()).first == 9


async def test_a_history_without_news_does_not_grow_by_its_own_deletions(house: Aged) -> None:
    """What is deleted is written down; when that is old, nothing else is left, and it stays as it is."""
    await house.calls(0)
    assert (await house.sweep(101)).deleted == {DataClass.EVIDENCE: 1}
    before = await house.places()
    for day in (202, 303, 404):
        assert (await house.sweep(day)).deleted == {}
    assert await house.places() == before == [5, 6]
    await house.call("news", 405)
    assert (await house.sweep(506)).deleted == {DataClass.EVIDENCE: 1}
    assert await house.verified() == 2


async def test_it_is_looked_for_once_a_day_and_not_more(house: Aged) -> None:
    await house.calls(0)
    await house.call("promised", 0.1)
    assert (await house.sweep(100.05)).deleted == {DataClass.EVIDENCE: 1}
    assert (await house.sweep(100.9)).deleted == {}, "something is due, and nobody looked"
    assert (await house.sweep(101.1)).deleted == {DataClass.EVIDENCE: 1}


async def test_a_long_history_goes_in_steps_that_the_store_does_not_feel(house: Aged) -> None:
    await house.calls(*[0] * 5)
    for left in (9, 17, 21):
        assert (await house.sweep(101, most=8)).deleted == {DataClass.EVIDENCE: 1}
        assert (await house.places())[0] == left
    await house.call("after", 101)
    assert await house.verified() == 2 * 3 + OF_CALL


async def test_a_call_that_is_longer_than_a_step_goes_all_the_same(house: Aged) -> None:
    await house.calls(0, 0)
    assert (await house.sweep(101, most=3)).deleted == {DataClass.EVIDENCE: 1}
    assert (await house.places())[0] > 4


async def test_what_a_call_was_promised_is_kept_although_the_policy_says_less_by_now(house: Aged) -> None:
    await house.call("call_1", 0)
    await house.call("call_2", 0, retention={"evidence": int(timedelta(days=200).total_seconds())})
    await house.call("call_3", 0)
    await house.sweep(150)
    assert (await house.places())[0] == 5
    await house.sweep(200)
    assert (await house.places())[0] == 13


async def test_a_conversation_that_may_still_go_on_is_not_touched_whatever_the_policy_says(house: Aged) -> None:
    """Its evidence is read again when it ends: so it is kept a day longer than placeholders live."""
    await house.calls(0)
    parts = house.sweeper()._p
    hasty = next(iter(parts.tenants().values()))
    hasty = hasty.model_copy(update={"retention": hasty.retention.model_copy(update={"evidence": timedelta(0)})})
    for day, goes in ((1.1, {}), (1.2, {DataClass.EVIDENCE: 1})):
        house.clock.at = START + day * DAY
        sweeper = type(house.sweeper())(replace(parts, tenants=lambda: {ACME: hasty}))
        assert (await sweeper.sweep()).deleted == goes


HOLDS = [
    ("one call", HoldScope(call=CallId("call_2")), 5),
    ("one person", HoldScope(subject="abc"), 5),
    ("a person whose calls the store knows", HoldScope(subject="known"), 9),
    ("a time", HoldScope(start=START + 9 * DAY, end=START + 11 * DAY), 5),
    ("evidence as a class", HoldScope(data_class=DataClass.EVIDENCE), 1),
    ("everything", HoldScope(), 1),
    ("recordings only", HoldScope(data_class=DataClass.AUDIO), 14),
    ("recordings of one call", HoldScope(call=CallId("call_2"), data_class=DataClass.AUDIO), 14),
]


@pytest.mark.parametrize(("scope", "first"), [each[1:] for each in HOLDS], ids=[each[0] for each in HOLDS])
async def test_a_legal_hold_keeps_its_scope_and_what_stands_behind_it(house: Aged, scope: HoldScope, first: int) -> None:
    """And nothing before it. When it is lifted, the rest goes."""
    await house.call("call_1", 0)
    await house.call("call_2", 10, subject="abc")
    await house.call("call_3", 20)
    await RedisSubjects(house.store).note(ACME, "known", CallId("call_3"), START)
    placed = await house.desk.holds.place(ACME, scope, **ORDER)
    await house.sweep(150)
    assert (await house.places())[0] == first
    await house.desk.holds.lift(ACME, placed.hold.id, reason="case closed", by="operator")
    await house.sweep(152)
    assert (await house.places())[0] >= 13
    await house.verified()


async def test_of_a_hold_and_a_deletion_at_the_same_moment_the_hold_is_first(house: Aged) -> None:
    """It comes after somebody looked, and before it is decided: then nothing is."""
    await house.calls(0, 0)
    sweeper, due = house.sweeper(), ChainExpiry(house.store, house.clock)

    class Slow:
        async def due(self, tenant: TenantId, keep: timedelta) -> Beginning | None:
            found = await due.due(tenant, keep)
            assert found is not None
            await house.desk.holds.place(ACME, HoldScope(call=CallId("call_1")), **ORDER)
            return found

    house.clock.at = START + 101 * DAY
    assert (await type(sweeper)(replace(sweeper._p, evidence=Slow())).sweep()).deleted == {}
    assert (await house.places())[:8] == list(range(1, 9))


async def test_who_places_a_hold_too_late_is_told_that_evidence_was_decided_to_go(house: Aged) -> None:
    await house.calls(0)
    item = await found(house)
    without = Deletions(replace(house.desk.deletions._p, holdings=tuple))
    with pytest.raises(StoreUnavailable, match="this gateway has no chain"):
        await without.delete(ACME, [item], why="w", by="b")
    placed = await house.desk.holds.place(ACME, HoldScope(call=CallId("call_1")), **ORDER)
    assert [intent.id for intent in placed.too_late] == ["entries_1_4"]


def opened(kind: str, about: str, **facts: str) -> CaseEvent:
    return CaseEvent("opened", START, {"kind": kind, "about": about, **facts})


WINDOW = {"from": (START + 9 * DAY).isoformat(), "to": (START + 11 * DAY).isoformat()}
CASES = [
    ("about a call", opened("erasure", "call_2"), 5),
    ("about a person", opened("access", "abc"), 5),
    ("about a person whose calls the store knows", opened("access", "known"), 9),
    ("an incident, its time", opened("incident", "reported", **WINDOW), 5),
    ("an incident of no known time", opened("incident", "reported"), 1),
    ("about somebody else", opened("access", "x y"), 13),
]


@pytest.mark.parametrize(("event", "first"), [each[1:] for each in CASES], ids=[each[0] for each in CASES])
async def test_what_an_open_case_is_about_stays_until_it_is_closed(house: Aged, event: CaseEvent, first: int) -> None:
    await house.call("call_1", 0)
    await house.call("call_2", 10, subject="abc")
    await house.call("call_3", 20)
    await RedisSubjects(house.store).note(ACME, "known", CallId("call_3"), START)
    cases = RedisCases(house.store)
    await cases.add(ACME, "case_1", 0, [event], live=True)
    await house.sweep(150)
    assert (await house.places())[0] == first
    await cases.add(ACME, "case_1", 1, [CaseEvent("closed", START, {"outcome": "done"})], live=False)
    await cases.prove(ACME, "case_1", 2, "")
    await house.sweep(152)
    assert (await house.places())[0] >= 13


async def test_while_a_tenant_leaves_its_evidence_stays_whole(house: Aged) -> None:
    """It is exported, and the last certificate is counted from it."""
    await house.calls(0)
    log, now = RedisOffboarding(house.store), START
    times = Times.of(now, ends=now, contact=20 * DAY)
    state = Offboarding("offboarding_1", ACME, "r", "b", now, times, steps={Step.ANNOUNCED: Done(now, now)}, version=1)
    assert await log.save(state, before=0)
    assert (await house.sweep(101)).deleted == {}
    assert await log.save(replace(state, status=Status.CANCELLED, version=2), before=1)
    assert (await house.sweep(101)).deleted == {DataClass.EVIDENCE: 1}


async def test_of_a_tenant_that_has_left_evidence_goes_too(house: Aged) -> None:
    """It has no policy any more, so it is kept as long as the default says; what was promised for longer, for longer."""
    await house.calls(0)
    await house.call("promised", 0, retention={"evidence": int(timedelta(days=3_000).total_seconds())})
    log, now = RedisOffboarding(house.store), START
    state = Offboarding("offboarding_1", ACME, "r", "b", now, Times.of(now, ends=now, contact=20 * DAY), version=1)
    assert await log.save(replace(state, status=Status.DONE), before=0)
    await log.rest(ACME)
    for day, first in ((2_191, 1), (2_193, 5), (3_001, 9)):
        house.clock.at = START + day * DAY
        await house.desk.sweeper(dict).sweep()
        assert (await house.places())[0] == first
    assert await log.save(replace(state, status=Status.ACTIVE, version=2), before=1)
    await log.rest(ACME)
    assert await log.over() == ()


async def test_of_a_chain_that_was_tampered_with_nothing_is_deleted(house: Aged) -> None:
    await house.calls(0, 0)
    async with house.store.answers() as client:
        await client.xdel("sordino:{acme}:evidence", "3-0")
    assert (await house.sweep(101)).left == (ACME,)
    assert await house.places() == [1, 2, 4, 5, 6, 7, 8]
    assert await house.desk.deletions._p.log.pending(ACME) == []


async def test_what_led_to_entries_that_are_gone_goes_with_them(house: Aged) -> None:
    """The places of their calls, and the certificates that rest on them: those are kept as long as the evidence is."""
    await house.call("call_1", 0)
    house.clock.at = START
    await house.desk.deletions.delete(ACME, [], why="w", by="b")
    await house.call("call_2", 50)
    async with house.store.answers() as client:
        assert await client.exists("sordino:{acme}:evidence:call_1")
    await house.sweep(101)
    async with house.store.answers() as client:
        assert not await client.exists("sordino:{acme}:evidence:call_1")
        assert await client.exists("sordino:{acme}:evidence:call_2")
        held = await client.hlen("sordino:{acme}:certificates")
    assert held == 1
    assert [entry.seq async for entry in house.ledger.entries(ACME, CallId("call_2"))] == [5, 6, 7, 8]
    assert [entry async for entry in house.ledger.entries(ACME, CallId("call_1"))] == []
    await house.sweep(202)
    async with house.store.answers() as client:
        assert await client.exists("sordino:{acme}:certificates:entries_1_4") == 0
        assert await client.exists("sordino:{acme}:certificates:entries_5_10") == 1


async def test_a_gateway_that_wrote_long_ago_goes_on_behind_what_others_wrote(house: Aged) -> None:
    """Its last entry is gone by now. That is no loss of the store's, as it would be if the chain had become shorter."""
    async with RedisLedger(house.store, timeout_s=PATIENCE_S) as idle:
        chain = CallChain(ACME, CallId("early"))
        chain.add(await idle.append(chain.draft("note", START, {})))
        await house.call("call_1", 50)
        await house.sweep(101)
        assert (await house.places())[0] == 2
        later = CallChain(ACME, CallId("later"))
        assert (await idle.append(later.draft("note", house.clock.at, {}))).seq == 8
    assert await house.verified() == 7


async def test_a_beginning_that_nobody_said_was_deleted_is_told_as_missing(house: Aged) -> None:
    """Whoever trims the store by hand has not deleted evidence after its time."""
    await house.calls(0, 0)
    async with house.store.answers() as client:
        await client.xtrim("sordino:{acme}:evidence", minid="5-0", approximate=False)
    with pytest.raises(EvidenceInvalid, match="begins with entry 5, and nothing in it says"):
        await ChainLines(house.store).beginning(ACME)


async def test_what_was_deleted_is_found_without_its_mark(house: Aged) -> None:
    """The mark only makes it quick: the entry itself says it."""
    await house.calls(0, 50)
    await house.sweep(101)
    cut = await house.cut()
    async with house.store.answers() as client:
        for mark in (None, "6 x", "99 x", "x"):
            await client.delete("sordino:{acme}:chain-marks")
            if mark:
                await client.hset("sordino:{acme}:chain-marks", "cut", mark)
            assert await house.cut() == cut


class Mortal:
    """A gateway that deletes evidence, and dies at one of its steps."""

    def __init__(self, house: Aged, fate: Fate) -> None:
        holding = ChainHolding(house.store, fate.over(house.ledger), house.clock)
        holding._trim = fate.over(ChainTrim(house.store))
        parts = house.desk.deletions._p
        self.deletions = Deletions(
            replace(parts, log=fate.over(parts.log), holdings=lambda: [fate.over(holding)], ledger=fate.over(parts.ledger))
        )


@pytest.mark.timeout(300)
async def test_a_gateway_killed_at_any_step_is_followed_by_another(store: Store) -> None:
    """Nothing goes before the entry that says so is there; in the end there is one such entry and one certificate."""
    deaths = 0
    for steps in range(1, 100):
        async with store.answers() as client:
            await client.flushall()
        async with aged(store) as house:
            await house.calls(0, 50)
            item = await found(house)
            done = await lived(Mortal(house, Fate(steps)).deletions.delete(ACME, [item], why="w", by="b"))
            if (await house.places())[0] != 1:
                await house.verified()
            deaths += not done
            await house.desk.deletions.resume([ACME], at_once=True)
            if (await house.places())[0] == 1:  # it was not even decided
                await house.sweep(102.5)
            assert await house.verified() == OF_CALL + 2
            assert (await house.kinds()).count("evidence.cut") == 1
            assert (await house.kinds()).count("deletion.certified") == 1
            assert [each.of async for each in house.desk.certificates.all(ACME)] == ["entries_1_4"]
            assert await house.desk.deletions._p.log.pending(ACME) == []
            if done:
                break
    assert deaths >= 8, "the steps of a deletion were not all tried"


async def test_while_a_deletion_is_not_over_no_evidence_goes(house: Aged) -> None:
    """Who follows it looks for its entry behind the place where it was decided."""
    await house.calls(0, 0)
    item = await found(house)
    done = await lived(Mortal(house, Fate(4)).deletions.delete(ACME, [item], why="w", by="b"))
    assert not done
    assert await house.desk.deletions._p.log.pending(ACME) != []
    house.clock.at += 2 * DAY
    assert await ChainExpiry(house.store, house.clock).due(ACME, 100 * DAY) is None
