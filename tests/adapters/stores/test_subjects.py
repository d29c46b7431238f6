"""Whose calls are whose: found by the keyed hash alone, at one tenant alone, and forgotten for good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.adapters.stores.call_index import LIVES_S, index_key
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.subjects import PAGE, RedisSubjects
from gateway.adapters.system import SystemClock
from gateway.errors import InvalidRequest
from gateway.runner.account import CallAccount
from gateway.values import CallId, TenantId
from tests.conftest import PATIENCE_S

ACME, OTHER = TenantId("acme"), TenantId("other")
ANNE, BEN = "a" * 64, "b" * 64
AT = datetime(2026, 11, 1, 9, tzinfo=UTC)


def calls(*names: str) -> list[CallId]:
    return [CallId(name) for name in names]


@pytest.fixture
def subjects(store: Store) -> RedisSubjects:
    return RedisSubjects(store)


async def test_a_person_is_found_with_every_call_in_order(subjects: RedisSubjects) -> None:
    """However they came in, the oldest first; noted twice is noted once."""
    for name, days in (("c3", 3), ("c1", 1), ("c2", 2), ("c1", 5)):
        await subjects.note(ACME, ANNE, CallId(name), AT + timedelta(days=days))
    assert await subjects.calls(ACME, ANNE) == calls("c1", "c2", "c3")
    assert await subjects.of_call(ACME, CallId("c2")) == ANNE
    assert await subjects.seen(ACME, ANNE) == AT + timedelta(days=5)
    assert await subjects.of_call(ACME, CallId("c9")) is None
    assert await subjects.seen(ACME, BEN) is None


async def test_the_same_person_at_another_tenant_is_nobody_here(subjects: RedisSubjects) -> None:
    """Noted, restricted and forgotten at one tenant, they are untouched at the other."""
    await subjects.note(ACME, ANNE, CallId("c1"), AT)
    await subjects.note(OTHER, ANNE, CallId("c2"), AT)
    await subjects.restrict(ACME, ANNE, AT)
    assert await subjects.restricted(OTHER, ANNE) is None
    assert await subjects.forget(ACME, ANNE) == 0
    assert await subjects.calls(OTHER, ANNE) == calls("c2")
    assert await subjects.of_call(OTHER, CallId("c2")) == ANNE


async def test_a_call_has_one_person_only(subjects: RedisSubjects) -> None:
    """The later word counts, and who has no call any more is nobody here."""
    await subjects.note(ACME, ANNE, CallId("c1"), AT)
    await subjects.note(ACME, BEN, CallId("c1"), AT)
    assert await subjects.calls(ACME, ANNE) == []
    assert [name async for name, _ in subjects.everybody(ACME)] == [BEN]


async def test_who_is_forgotten_leaves_nothing_but_the_restriction(store: Store, subjects: RedisSubjects) -> None:
    """Some calls first, then all of them; whoever asked that nothing is done stays known as that."""
    for name in ("c1", "c2", "c3"):
        await subjects.note(ACME, ANNE, CallId(name), AT)
    await subjects.restrict(ACME, ANNE, AT)
    assert await subjects.forget(ACME, ANNE, calls("c1")) == 2
    assert await subjects.calls(ACME, ANNE) == calls("c2", "c3")
    assert await subjects.forget(ACME, ANNE) == 0
    async with store.answers() as client:
        assert await client.keys("*") == [b"sordino:{acme}:restricted"]


@pytest.mark.parametrize("first", ["the person", "the evidence"])
async def test_where_a_persons_calls_stand_in_the_evidence_is_known_as_long_as_they_are(
    store: Store, subjects: RedisSubjects, first: str
) -> None:
    """Whichever was there first; of calls of nobody it is known for thirty days, and for as long after they were forgotten."""
    mine, nobodys, late = calls("c1", "c2", "c3")
    async with RedisLedger(store, timeout_s=PATIENCE_S) as ledger:
        if first == "the person":
            await subjects.note(ACME, ANNE, mine, AT)
        for call in (mine, nobodys):
            await CallAccount(ACME, call, ledger, SystemClock()).write("note", {})
        if first == "the evidence":
            await subjects.note(ACME, ANNE, mine, AT)
        await subjects.note(ACME, ANNE, late, AT)
        assert [await store.ask("TTL", index_key(ACME, call)) for call in (mine, late)] == [-1, -2]
        assert 0 < int(await store.ask("TTL", index_key(ACME, nobodys))) <= LIVES_S
        await subjects.forget(ACME, ANNE)
        assert 0 < int(await store.ask("TTL", index_key(ACME, mine))) <= LIVES_S
        assert [entry.draft.call async for entry in ledger.entries(ACME, mine)] == [mine]


async def test_a_call_that_came_while_others_were_forgotten_stays(subjects: RedisSubjects) -> None:
    """Only what was named is forgotten."""
    await subjects.note(ACME, ANNE, CallId("c1"), AT)
    known = await subjects.calls(ACME, ANNE)
    await subjects.note(ACME, ANNE, CallId("c2"), AT)
    assert await subjects.forget(ACME, ANNE, known) == 1
    assert await subjects.calls(ACME, ANNE) == calls("c2")


async def test_a_restriction_holds_from_the_first_word_until_it_is_lifted(subjects: RedisSubjects) -> None:
    """The call that comes in is told so in the same exchange that notes it."""
    assert await subjects.arrive(ACME, ANNE, CallId("c1"), AT) is None
    assert await subjects.restrict(ACME, ANNE, AT) == AT
    assert await subjects.restrict(ACME, ANNE, AT + timedelta(days=1)) == AT
    assert await subjects.arrive(ACME, ANNE, CallId("c2"), AT) == AT
    assert await subjects.restricted(ACME, ANNE) == AT
    assert await subjects.lift(ACME, ANNE)
    assert not await subjects.lift(ACME, ANNE)
    assert await subjects.arrive(ACME, ANNE, CallId("c3"), AT) is None


async def test_everybody_is_told_once_however_many_came_at_the_same_moment(subjects: RedisSubjects) -> None:
    """More than a page of persons, half of them at one moment."""
    count = 2 * PAGE + 10
    for number in range(count):
        await subjects.note(ACME, f"{number:064x}", CallId(f"c{number}"), AT + timedelta(seconds=max(0, number - PAGE)))
    found = [name async for name, _ in subjects.everybody(ACME)]
    assert len(found) == count
    assert len(set(found)) == count


async def test_a_person_with_more_calls_than_a_page_is_forgotten_whole(subjects: RedisSubjects) -> None:
    """In steps that no other call waits long for."""
    for number in range(PAGE + 3):
        await subjects.note(ACME, ANNE, CallId(f"c{number}"), AT)
    assert await subjects.forget(ACME, ANNE) == 0
    assert await subjects.calls(ACME, ANNE) == []


async def test_no_id_reaches_into_another_name(subjects: RedisSubjects) -> None:
    """What is no id is refused before the store is asked."""
    with pytest.raises(InvalidRequest):
        await subjects.note(ACME, "a:b", CallId("c1"), AT)
    with pytest.raises(InvalidRequest):
        await subjects.restrict(ACME, "a b", AT)


async def test_what_was_noted_after_a_person_was_read_is_not_forgotten(subjects: RedisSubjects) -> None:
    """An erasure forgets up to what it has seen: a call that began meanwhile is found by the next one."""
    moment = AT + timedelta(microseconds=123_457)
    await subjects.note(ACME, ANNE, CallId("c1"), AT)
    await subjects.note(ACME, ANNE, CallId("c2"), moment)
    seen = await subjects.seen(ACME, ANNE)
    await subjects.note(ACME, ANNE, CallId("c3"), moment + timedelta(seconds=1))
    assert await subjects.forget(ACME, ANNE, until=seen) == 1
    assert await subjects.calls(ACME, ANNE) == calls("c3")
