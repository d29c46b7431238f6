"""A call's entries are linked one to the other, and once one was not confirmed, nothing more is claimed to be."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import cycle

import pytest

from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.redis import Store
from gateway.adapters.system import SystemClock
from gateway.errors import EvidenceInvalid, EvidenceUnavailable
from gateway.evidence.chain import UNCONFIRMED, genesis, verify_chain
from gateway.evidence.entries import Draft, Entry
from gateway.runner.account import CallAccount
from gateway.values import CallId, TenantId

ACME, CALL = TenantId("acme"), CallId("call_1")


class Gate:
    """A ledger in front of a real one: it can be shut, or lose an entry's confirmation on the way back."""

    def __init__(self, ledger: RedisLedger) -> None:
        self.ledger = ledger
        self.asked: list[Draft] = []
        self.shut = False
        self.open = asyncio.Event()
        self.open.set()

    async def append(self, draft: Draft) -> Entry:
        self.asked.append(draft)
        if self.shut:
            raise EvidenceUnavailable("not confirmed")
        entry = await self.ledger.append(draft)
        await self.open.wait()
        return entry


class CountingWrites:
    """A ledger in front of a real one that counts how many entries come in one write."""

    def __init__(self, ledger: RedisLedger, *, shut: bool = False) -> None:
        self.ledger = ledger
        self.shut = shut
        self.writes: list[int] = []

    async def append(self, draft: Draft) -> Entry:
        return (await self.append_all([draft]))[0]

    async def append_all(self, drafts: Sequence[Draft]) -> list[Entry]:
        self.writes.append(len(drafts))
        if self.shut:
            raise EvidenceUnavailable("not confirmed")
        return await self.ledger.append_all(drafts)


def account(ledger: RedisLedger | Gate | CountingWrites) -> CallAccount:
    return CallAccount(ACME, CALL, ledger, SystemClock())


async def test_each_entry_follows_the_one_before(store: Store) -> None:
    async with RedisLedger(store, timeout_s=20) as ledger:
        book = account(ledger)
        await book.write("call.started", {})
        await book.write("note", {"n": 1})
        await book.write("note", {"n": 2})
        links = [entry.draft.call_previous for entry in book.entries]
        assert links == [genesis(ACME, CALL), book.entries[0].hash, book.entries[1].hash]
        verify_chain([entry async for entry in ledger.entries(ACME)], tenant=ACME)


async def test_what_is_written_ahead_goes_in_one_write_with_the_next_entry_and_before_it(store: Store) -> None:
    async with RedisLedger(store, timeout_s=20) as ledger:
        whole = CountingWrites(ledger)
        book = account(whole)
        book.write_ahead("call.started", {})
        book.write_ahead("masked", {"counts": {"PERSON": 1}})
        await book.write("note", {"n": 1})
        await book.write("note", {"n": 2})
        assert whole.writes == [3, 1]
        assert [entry.draft.kind for entry in book.entries] == ["call.started", "masked", "note", "note"]
        assert [entry.durable for entry in book.entries] == ["fsync"] * 4
        links = [entry.draft.call_previous for entry in book.entries]
        assert links == [genesis(ACME, CALL), *(entry.hash for entry in book.entries[:3])]
        verify_chain([entry async for entry in ledger.entries(ACME)], tenant=ACME)


async def test_what_is_written_ahead_is_not_lost_where_no_other_entry_comes(store: Store) -> None:
    async with RedisLedger(store, timeout_s=20) as ledger:
        book = account(ledger)
        book.write_ahead("call.started", {})
        await book.settle()
        await book.settle()
        assert [entry.draft.kind async for entry in ledger.entries(ACME)] == ["call.started"]


async def test_what_could_not_be_confirmed_together_is_all_unconfirmed_and_no_grant_is_among_it(store: Store) -> None:
    async with RedisLedger(store, timeout_s=20) as ledger:
        whole = CountingWrites(ledger, shut=True)
        book = account(whole)
        book.write_ahead("call.started", {})
        with pytest.raises(EvidenceUnavailable):
            await book.write("hop", {})
        whole.shut = False
        with pytest.raises(EvidenceUnavailable):
            await book.write("note", {"n": 1})
        assert [(entry.draft.kind, entry.durable) for entry in book.entries] == [
            ("call.started", UNCONFIRMED),
            ("note", UNCONFIRMED),
        ]
        assert not [entry async for entry in ledger.entries(ACME)]


async def test_a_wall_clock_that_jumps_tears_no_thread(store: Store) -> None:
    """A machine that is set right in the middle of a call: times go back, the order of the entries does not."""

    class Jumping(SystemClock):
        jumps = cycle((0, 3_000, -2_500, 17, -86_400))

        def now(self) -> datetime:
            return super().now() + timedelta(seconds=next(self.jumps))

    async with RedisLedger(store, timeout_s=20) as ledger:
        book = CallAccount(ACME, CALL, ledger, Jumping())
        for n in range(10):
            await book.write("note", {"n": n})
        entries = [entry async for entry in ledger.entries(ACME)]
        assert [entry.draft.body["n"] for entry in entries] == list(range(10))
        assert verify_chain(entries, tenant=ACME).count == 10


async def test_entries_that_are_written_at_once_still_follow_each_other(store: Store) -> None:
    """A turn is masked while another part asks for a Grant."""
    async with RedisLedger(store, timeout_s=20) as ledger:
        book = account(ledger)
        await asyncio.gather(*(book.write("note", {"n": n}) for n in range(20)))
        assert [entry.draft.body["n"] for entry in book.entries] == list(range(20))
        checked = verify_chain([entry async for entry in ledger.entries(ACME)], tenant=ACME)
        assert (checked.count, checked.stray) == (20, ())


async def test_after_one_that_was_not_confirmed_the_ledger_is_not_asked_again(store: Store) -> None:
    """What would be linked to a gap proves nothing. What must be said anyway stands in the receipt as unconfirmed."""
    async with RedisLedger(store, timeout_s=20) as ledger:
        gate = Gate(ledger)
        book = account(gate)
        await book.write("call.started", {})
        gate.shut = True
        with pytest.raises(EvidenceUnavailable):
            await book.write("call.failed", {"code": "evidence_unavailable"})
        gate.shut = False
        with pytest.raises(EvidenceUnavailable, match="lost an earlier entry"):
            await book.write("call.ended", {"outcome": "failed", "duration_ms": 1})
        assert [draft.kind for draft in gate.asked] == ["call.started", "call.failed"]
        assert [(entry.draft.kind, entry.durable == UNCONFIRMED) for entry in book.entries] == [
            ("call.started", False),
            ("call.failed", True),
            ("call.ended", True),
        ]


@pytest.mark.parametrize("kind", ["hop", "listening.started"])
async def test_what_lets_data_move_is_never_in_a_receipt_unconfirmed(store: Store, kind: str) -> None:
    """It did not happen, so the receipt does not say it did; and nothing of the call can be confirmed any more."""
    async with RedisLedger(store, timeout_s=20) as ledger:
        gate = Gate(ledger)
        book = account(gate)
        gate.shut = True
        with pytest.raises(EvidenceUnavailable):
            await book.write(kind, {})
        gate.shut = False
        with pytest.raises(EvidenceUnavailable):
            await book.write(kind, {})
        assert book.entries == ()
        assert len(gate.asked) == 1


async def test_what_cannot_be_evidence_is_refused_and_cuts_nothing(store: Store) -> None:
    async with RedisLedger(store, timeout_s=20) as ledger:
        book = account(ledger)
        with pytest.raises(EvidenceInvalid):
            await book.write("note", {"share": float("nan")})
        await book.write("note", {"share": 1})
        assert len(book.entries) == 1


async def test_who_does_not_wait_for_the_confirmation_leaves_the_chain_whole(store: Store) -> None:
    """A barge-in takes back a question that is on its way to the ledger: it is stray there, and later entries are linked."""
    async with RedisLedger(store, timeout_s=20) as ledger:
        gate = Gate(ledger)
        book = account(gate)
        await book.write("call.started", {})
        gate.open.clear()
        asking = asyncio.ensure_future(book.write("note", {"n": 1}))  # noqa: TID251 - a test's own task, awaited below
        while len(gate.asked) < 2:  # noqa: ASYNC110 - the next turn of the loop
            await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        gate.open.set()
        await book.write("note", {"n": 2})
        assert [entry.draft.body.get("n") for entry in book.entries] == [None, 2]
        verify_chain([entry async for entry in ledger.entries(ACME)], tenant=ACME)


async def test_a_store_that_dies_in_the_middle_is_told_as_evidence_that_is_missing(own_valkey: EmbeddedValkey) -> None:
    async with Store(own_valkey.url) as store, RedisLedger(store, timeout_s=20) as ledger:
        book = account(ledger)
        await book.write("call.started", {})
        await own_valkey.kill()
        with pytest.raises(EvidenceUnavailable):
            await book.write("masked", {"counts": {}})
        assert [entry.durable for entry in book.entries] == ["fsync", UNCONFIRMED]
