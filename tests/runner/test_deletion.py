"""One way to delete: nothing held is lost, nothing is reported before it is done, and who dies over it is followed by another."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.subjects import RedisSubjects
from gateway.errors import InvalidRequest, StoreUnavailable
from gateway.evidence.certificate import verify_certificate
from gateway.evidence.chain import verify_chain
from gateway.values import CallId, DataClass
from tests.conftest import PATIENCE_S
from tests.runner.kept import ACME, SIGNING, START, Shelf, keeping


@pytest.fixture
async def ledger(store: Store) -> AsyncIterator[RedisLedger]:
    async with RedisLedger(store, timeout_s=PATIENCE_S) as ledger:
        yield ledger


async def test_what_is_deleted_is_gone_written_down_and_certified_when_it_answers(store: Store, ledger: RedisLedger) -> None:
    shelf = Shelf()
    kept = keeping(store, ledger, shelf)
    items = [shelf.put("call_1"), shelf.put("call_2")]

    done = await kept.deletions.delete(ACME, items, why="request of the caller", by="operator")

    assert not shelf.has
    assert not done.held
    assert [each.of for each in done.certificates] == ["call_1", "call_2"]
    entries = [entry async for entry in ledger.entries(ACME)]
    verify_chain(entries, tenant=ACME)
    assert [entry.draft.kind for entry in entries] == ["deletion.certified"] * 2
    for certificate, entry in zip(done.certificates, entries, strict=True):
        assert certificate.document["entry"] == {"seq": entry.seq, "hash": entry.hash}
        assert certificate.key_id == f"key-of-{certificate.of}"
        assert certificate.document["why"] == "request of the caller"
        assert verify_certificate(certificate.to_json(), SIGNING.public_key).trusted
        assert await kept.certificates.of(ACME, certificate.of) == [certificate]


async def test_a_deletion_needs_a_reason(store: Store, ledger: RedisLedger) -> None:
    shelf = Shelf()
    item = shelf.put("call_1")
    with pytest.raises(InvalidRequest):
        await keeping(store, ledger, shelf).deletions.delete(ACME, [item], why="  ", by="operator")
    assert shelf.has


async def test_what_could_not_be_deleted_is_an_error_and_is_finished_later(store: Store, ledger: RedisLedger) -> None:
    shelf, broken = Shelf(), Shelf("other", broken=True)
    kept = keeping(store, ledger, shelf, broken)
    items = [broken.put("call_1"), shelf.put("call_1")]

    with pytest.raises(StoreUnavailable):
        await kept.deletions.delete(ACME, items, why="expired", by="retention")

    assert not shelf.has, "one fault keeps nothing else from being deleted"
    assert [each.holding for each in await kept.certificates.of(ACME, "call_1")] == ["shelf"]
    broken.broken = False
    done = await kept.deletions.resume([ACME], at_once=True)
    assert [each.holding for each in done] == ["other"]
    assert not broken.has
    assert await kept.deletions.resume([ACME], at_once=True) == ()


async def test_to_delete_what_is_gone_is_no_error(store: Store, ledger: RedisLedger) -> None:
    shelf = Shelf()
    kept = keeping(store, ledger, shelf)
    item = shelf.put("call_1")
    for _ in range(2):
        done = await kept.deletions.delete(ACME, [item], why="expired", by="retention")
        assert len(done.certificates) == 1


async def test_who_asks_of_a_call_or_person_finishes_what_was_decided_of_them_before(store: Store, ledger: RedisLedger) -> None:
    """Also of calls that are nobody's any more, which may be theirs; what is certainly somebody else's waits for its own turn."""
    calls, people = Shelf("recordings", broken=True), Shelf("consents", DataClass.CONSENT, broken=True)
    kept, subjects = keeping(store, ledger, calls, people), RedisSubjects(store)
    await subjects.note(ACME, "anne", CallId("call_1"), START)
    await subjects.note(ACME, "bert", CallId("call_2"), START)
    items = [*map(calls.put, ("call_1", "call_2", "nobodys")), people.put("anne"), people.put("bert")]
    with pytest.raises(StoreUnavailable):
        await kept.deletions.delete(ACME, items, why="expired", by="retention")
    calls.has.clear()  # as if who began it had died right behind it
    with pytest.raises(StoreUnavailable):
        await kept.deletions.finish(ACME, subject="anne")

    calls.broken = people.broken = False
    done = await kept.deletions.finish(ACME, subject="anne")
    assert sorted(each.of for each in done) == ["anne", "call_1", "nobodys"]
    assert sorted(each.id for each in await kept.deletions._p.log.pending(ACME)) == ["bert", "call_2"]
    assert [each.of for each in await kept.deletions.finish(ACME, call=CallId("call_2"))] == ["call_2"]
    assert await kept.deletions.finish(ACME, subject="anne") == ()
