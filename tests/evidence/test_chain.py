"""Nothing can be changed in a chain, taken out of it or put into it without the verifier naming the place."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import EvidenceInvalid
from gateway.evidence.canonical import canonical, parse
from gateway.evidence.chain import (
    UNCONFIRMED,
    CallChain,
    entry_from,
    genesis,
    record,
    seal,
    seal_unconfirmed,
    seal_written,
    timestamp,
    verify_chain,
)
from gateway.evidence.entries import Draft, Entry
from gateway.values import CallId, TenantId
from tests.evidence.samples import ACME, CALL, NOON


def tenant_chain(*calls: str) -> list[Entry]:
    """Entries of these calls, one each, in this order."""
    threads = {name: CallChain(ACME, CallId(name)) for name in calls}
    chain: list[Entry] = []
    for name in calls:
        draft = threads[name].draft("note", NOON, {"n": len(chain)})
        previous = chain[-1].hash if chain else genesis(ACME)
        chain.append(threads[name].add(seal(draft, len(chain) + 1, previous)))
    return chain


def test_a_whole_chain_verifies_and_tells_its_head() -> None:
    chain = tenant_chain("a", "b", "a", "c", "b")
    verified = verify_chain(chain, tenant=ACME)
    assert (verified.count, verified.seq, verified.head, verified.stray) == (5, 5, chain[-1].hash, ())


def test_a_chain_can_be_verified_from_a_known_place_on() -> None:
    chain = tenant_chain("a", "b", "a", "c", "b")
    assert verify_chain(chain[2:], tenant=ACME, seq=2, head=chain[1].hash).head == chain[-1].hash


@pytest.mark.parametrize(
    ("tamper", "says"),
    [
        (lambda c: [*c[:2], *c[3:]], r"entry 4 \(note\) stands where entry 3 should stand"),
        (lambda c: c[1:], "stands where entry 1 should stand"),
        (lambda c: [c[0], c[2], c[1], *c[3:]], "stands where entry 2 should stand"),
        (lambda c: [*c[:1], _changed(c[1], body={"n": 7}), *c[2:]], r"entry 2 \(note\) was altered"),
        (lambda c: [*c[:1], _changed(c[1], at=NOON + timedelta(microseconds=1)), *c[2:]], "entry 2 .* was altered"),
        (lambda c: [*c[:1], _resealed(_changed(c[1], body={"n": 7})), *c[2:]], "entry 3 .* does not follow the entry before it"),
        (lambda c: [*c[:2], _resealed(_changed(c[2], call_previous=c[1].hash)), *c[3:]], "earlier entry of its call"),
        (lambda c: [*c[:1], _changed(c[1], tenant=TenantId("other")), *c[2:]], "belongs to another tenant"),
    ],
    ids=["removed", "first removed", "swapped", "body", "time", "resealed", "linked to another call", "tenant"],
)
def test_any_change_is_found_and_its_place_named(tamper: Any, says: str) -> None:
    with pytest.raises(EvidenceInvalid, match=says):
        verify_chain(tamper(tenant_chain("a", "b", "a", "c", "b")), tenant=ACME)


def _changed(entry: Entry, **changes: Any) -> Entry:
    return dataclasses.replace(entry, draft=dataclasses.replace(entry.draft, **changes))


def _resealed(entry: Entry) -> Entry:
    return seal(entry.draft, entry.seq, entry.previous)


def test_an_entry_that_was_stored_but_never_confirmed_to_its_call_is_named_and_does_not_break_the_chain() -> None:
    """The store took entry 2 and its answer was lost: the call went on from entry 1, with entry 3."""
    thread = CallChain(ACME, CALL)
    first = thread.add(seal(thread.draft("call.started", NOON, {}), 1, genesis(ACME)))
    lost = seal(thread.draft("note", NOON, {}), 2, first.hash)
    third = thread.add(seal(thread.draft("call.failed", NOON, {"code": "evidence_unavailable"}), 3, lost.hash))
    assert verify_chain([first, lost, third], tenant=ACME).stray == (2,)


def test_two_tenants_or_two_calls_never_begin_alike() -> None:
    beginnings = {genesis(TenantId("a")), genesis(TenantId("b")), genesis(TenantId("a"), CallId("b")), genesis(TenantId("ab"))}
    assert len(beginnings) == 4


def test_an_entry_reads_back_from_its_stored_form_as_it_was() -> None:
    for entry in tenant_chain("a", "b"):
        assert entry_from(record(entry), durable=entry.durable) == entry


@given(st.dictionaries(st.text(), st.none() | st.integers(-9, 9) | st.text() | st.lists(st.text(), max_size=2), max_size=4))
def test_the_stored_form_is_the_canonical_one_and_reads_back_whatever_the_body_holds(body: dict[str, Any]) -> None:
    entry, stored = seal_written(CallChain(ACME, CALL).draft("note", NOON, body), 7, genesis(ACME))
    assert stored == canonical(record(entry))
    assert entry_from(parse(stored), durable=entry.durable) == entry


def test_a_body_that_could_not_be_read_back_is_not_written() -> None:
    def sealed(levels: int) -> bytes:
        body: Any = 1
        for _ in range(levels):
            body = [body]
        return seal_written(CallChain(ACME, CALL).draft("note", NOON, {"deep": body}), 1, genesis(ACME))[1]

    assert entry_from(parse(sealed(61)), durable="fsync").draft.kind == "note"
    with pytest.raises(EvidenceInvalid, match="nested deeper"):
        sealed(62)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"kind": "call.ended"}, "lacks its field outcome|does not have the hash"),
        ({"seq": True}, "place that is not a whole number"),
        ({"seq": -1}, "place that is not a whole number"),
        ({"v": 2}, "version"),
        ({"v": True}, "version"),
        ({"at": "2026-11-01T12:00:00Z"}, "time"),
        ({"at": "2026-11-01T12:00:00.5Z"}, "time that is not written in full"),
        ({"at": 5}, "'at' that is not text"),
        ({"body": []}, "body that is not an object"),
        ({"extra": 1}, "unknown member 'extra'"),
        ({"hash": "sha256:" + "0" * 64}, "does not have the hash"),
    ],
)
def test_a_stored_entry_that_was_altered_is_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(EvidenceInvalid, match=says):
        entry_from({**record(tenant_chain("a")[0]), **change}, durable="fsync")


def test_a_stored_entry_without_one_of_its_members_is_refused() -> None:
    whole = record(tenant_chain("a")[0])
    for name in whole:
        with pytest.raises(EvidenceInvalid, match=f"lacks member '{name}'"):
            entry_from({key: value for key, value in whole.items() if key != name}, durable="fsync")


def test_what_is_changed_in_the_body_after_sealing_does_not_reach_the_entry() -> None:
    body: dict[str, Any] = {"counts": {"PERSON": 1}}
    entry = seal(CallChain(ACME, CALL).draft("masked", NOON, body), 1, genesis(ACME))
    body["counts"]["PERSON"] = 9
    assert entry.draft.body == {"counts": {"PERSON": 1}}
    assert verify_chain([entry], tenant=ACME).count == 1


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2999, 1, 1)), st.integers(-14, 14))  # noqa: DTZ001
def test_a_time_is_written_the_same_whatever_zone_it_came_in(naive: datetime, hours: int) -> None:
    at = naive.replace(tzinfo=timezone(timedelta(hours=hours)))
    assert timestamp(at) == timestamp(at.astimezone(timezone(timedelta(hours=3))))


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(EvidenceInvalid, match="has no zone"):
        timestamp(NOON.replace(tzinfo=None))


@pytest.mark.parametrize("kind", ["hop", "listening.started"])
def test_what_lets_data_move_cannot_be_written_without_the_stores_confirmation(kind: str) -> None:
    draft = Draft(tenant=ACME, call=CALL, kind=kind, at=NOON, body={}, call_previous=genesis(ACME, CALL))
    with pytest.raises(EvidenceInvalid, match="needs the store's confirmation"):
        seal_unconfirmed(draft)


def test_a_call_whose_store_died_still_has_its_end_in_its_thread() -> None:
    thread = CallChain(ACME, CALL)
    thread.add(seal(thread.draft("call.started", NOON, {}), 7, "sha256:before"))
    end = thread.add_unconfirmed(thread.draft("call.ended", NOON, {"outcome": "failed", "duration_ms": 5}))
    assert thread.cut
    assert (end.seq, end.previous, end.durable) == (0, "", UNCONFIRMED)
    assert end.draft.call_previous == thread.entries[0].hash
