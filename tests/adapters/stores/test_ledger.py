"""What the ledger confirmed is in the chain, on the disk, once; what it did not confirm never bends the chain."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from gateway.adapters.stores import ledger as ledger_module
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.redis import Store
from gateway.errors import EvidenceInvalid, EvidenceUnavailable, InvalidRequest, StoreUnavailable
from gateway.evidence.chain import CallChain, verify_chain
from gateway.evidence.entries import Draft, Entry
from gateway.evidence.receipt import build, verify
from gateway.values import CallId, TenantId
from tests.conftest import PATIENCE_S
from tests.evidence.samples import ACME, KEY, NOON, PUBLIC, WHOLE


def draft(text: str = "x", *, call: str = "call_1", tenant: TenantId = ACME) -> Draft:
    return CallChain(tenant, CallId(call)).draft("note", NOON, {"text": text})


async def whole_chain(ledger: RedisLedger, tenant: TenantId = ACME) -> list[Entry]:
    """Every entry of the tenant, verified link by link."""
    entries = [entry async for entry in ledger.entries(tenant)]
    verify_chain(entries, tenant=tenant)
    return entries


async def talk(ledger: RedisLedger, call: str, turns: int) -> CallChain:
    thread = CallChain(ACME, CallId(call))
    for turn in range(turns):
        thread.add(await ledger.append(thread.draft("note", NOON, {"turn": turn})))
    return thread


@contextmanager
def frozen(valkey: EmbeddedValkey) -> Iterator[None]:
    """The server takes what is sent to it, and does nothing until it thaws: the way that outcomes become unknown."""
    assert valkey.pid
    os.kill(valkey.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(valkey.pid, signal.SIGCONT)


async def test_an_entry_is_confirmed_on_the_disk_and_reads_back_as_it_was(store: Store) -> None:
    async with RedisLedger(store) as ledger:
        thread = await talk(ledger, "call_1", 3)
        assert [entry.durable for entry in thread.entries] == ["fsync"] * 3
        assert await whole_chain(ledger) == thread.entries


async def test_a_whole_call_goes_through_and_its_receipt_verifies(store: Store) -> None:
    thread = CallChain(ACME, CallId("call_1"))
    async with RedisLedger(store) as ledger:
        for kind, body in WHOLE:
            thread.add(await ledger.append(thread.draft(kind, NOON, body)))
    receipt = build(thread.entries, sign=KEY.sign, public_key=PUBLIC)
    assert verify(receipt.to_json(), PUBLIC).receipt.durability == "fsync"


async def test_many_calls_at_once_make_one_chain_and_each_finds_its_own(store: Store) -> None:
    async with RedisLedger(store) as ledger:
        threads = await asyncio.gather(*(talk(ledger, f"call_{n}", 5) for n in range(30)))
        assert [entry.seq for entry in await whole_chain(ledger)] == list(range(1, 151))
        for thread in threads:
            assert [entry async for entry in ledger.entries(ACME, thread.call)] == thread.entries


async def test_two_gateways_on_one_store_cannot_fork_the_chain(valkey: EmbeddedValkey, store: Store) -> None:
    async with Store(valkey.url) as other_store, RedisLedger(store) as one, RedisLedger(other_store) as other:
        threads = await asyncio.gather(*(talk(ledger, f"call_{n}_{id(ledger)}", 10) for n in range(4) for ledger in (one, other)))
        entries = await whole_chain(one)
    assert len(entries) == 80
    assert sorted(e.hash for e in entries) == sorted(e.hash for thread in threads for e in thread.entries)


async def test_a_gateway_that_starts_anew_goes_on_behind_what_is_there(store: Store) -> None:
    for start in range(3):
        async with RedisLedger(store) as ledger:
            assert (await ledger.append(draft(call=f"call_{start}"))).seq == start + 1
    async with RedisLedger(store) as ledger:
        assert len(await whole_chain(ledger)) == 3


async def test_tenants_have_chains_of_their_own(store: Store) -> None:
    other = TenantId("other")
    async with RedisLedger(store) as ledger:
        await asyncio.gather(ledger.append(draft("a")), ledger.append(draft("b", tenant=other)))
        assert [len(await whole_chain(ledger, tenant)) for tenant in (ACME, other)] == [1, 1]
        async with store.answers() as client:
            assert sorted(await client.keys("*:evidence")) == [b"sordino:{acme}:evidence", b"sordino:{other}:evidence"]


async def test_the_reader_turns_pages(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "PAGE", 3)
    async with RedisLedger(store) as ledger:
        await talk(ledger, "call_1", 9)
        assert [entry.seq for entry in await whole_chain(ledger)] == list(range(1, 10))
        assert [entry.seq async for entry in ledger.entries(ACME, after=7)] == [8, 9]


async def test_without_a_store_nothing_is_confirmed(own_valkey: EmbeddedValkey) -> None:
    async with Store(own_valkey.url) as store, RedisLedger(store) as ledger:
        await own_valkey.kill()
        with pytest.raises(EvidenceUnavailable):
            await ledger.append(draft())


async def test_after_a_power_cut_every_confirmed_entry_is_there_and_the_chain_goes_on(own_valkey: EmbeddedValkey) -> None:
    async with Store(own_valkey.url) as store, RedisLedger(store) as ledger:
        confirmed: list[Entry] = []

        async def one_call(name: str) -> None:
            thread = CallChain(ACME, CallId(name))
            while True:
                confirmed.append(thread.add(await ledger.append(thread.draft("note", NOON, {}))))
                if len(confirmed) == 40:
                    await own_valkey.kill()

        ends = await asyncio.gather(*(one_call(f"call_{n}") for n in range(5)), return_exceptions=True)
        assert [type(end) for end in ends] == [EvidenceUnavailable] * 5
        await own_valkey.start()
        await ledger.append(draft(call="after"))
        hashes = [entry.hash for entry in await whole_chain(ledger)]
        assert set(hashes) >= {entry.hash for entry in confirmed}
        assert len(hashes) == len(set(hashes))


async def test_an_answer_that_never_came_is_no_confirmation_and_the_chain_stays_whole_whether_it_was_written_or_not(
    own_valkey: EmbeddedValkey,
) -> None:
    async with Store(own_valkey.url, timeout_s=0.3) as store, RedisLedger(store, timeout_s=0.3) as ledger:
        first = await ledger.append(draft("first"))
        with frozen(own_valkey):
            with pytest.raises(EvidenceUnavailable):
                await ledger.append(draft("unknown"))
            with pytest.raises(EvidenceUnavailable):
                await ledger.append(draft("unknown too", call="call_2"))
        last = await ledger.append(draft("last", call="call_3"))
        entries = await whole_chain(ledger)
        texts = [entry.draft.body["text"] for entry in entries]
        assert (texts[0], texts[-1]) == ("first", "last")
        assert len(texts) == len(set(texts))
        assert (entries[0], entries[-1]) == (first, last)


async def test_who_gives_up_waiting_before_it_was_sent_leaves_nothing_in_the_chain(own_valkey: EmbeddedValkey) -> None:
    async with Store(own_valkey.url) as store, RedisLedger(store) as ledger:
        await ledger.append(draft("first"))
        with frozen(own_valkey):
            sent = asyncio.gather(ledger.append(draft("sent")), return_exceptions=True)
            await asyncio.sleep(0)
            queued = asyncio.gather(ledger.append(draft("never sent")), return_exceptions=True)
            await asyncio.sleep(0)
            queued.cancel()
            with pytest.raises(asyncio.CancelledError):
                await queued
        await sent
        await ledger.append(draft("last"))
        assert "never sent" not in [entry.draft.body["text"] for entry in await whole_chain(ledger)]


async def test_a_store_that_lost_confirmed_evidence_gets_no_more_until_someone_has_looked(store: Store) -> None:
    async with RedisLedger(store) as ledger:
        await ledger.append(draft())
        async with store.answers() as client:
            await client.flushall()
        for _ in range(2):
            with pytest.raises(EvidenceUnavailable, match=r"lost evidence that it had confirmed .*append-only file"):
                await ledger.append(draft())
    async with RedisLedger(store) as started_anew:
        assert (await started_anew.append(draft())).seq == 1


async def test_a_store_whose_chain_was_replaced_by_a_longer_one_gets_no_more(store: Store) -> None:
    async with RedisLedger(store) as ledger:
        await ledger.append(draft("ours"))
        async with store.answers() as client:
            await client.flushall()
        async with RedisLedger(store) as forger:
            for number in range(3):
                await forger.append(draft(f"forged {number}"))
        with pytest.raises(EvidenceUnavailable, match="lost evidence"):
            await ledger.append(draft("next"))


async def test_an_entry_altered_in_the_store_is_found_when_it_is_read(store: Store) -> None:
    async with RedisLedger(store) as ledger:
        await ledger.append(draft("true"))
        async with store.answers() as client:
            page: Any = await client.xrange("sordino:{acme}:evidence")
            [(place, fields)] = page
            await client.delete("sordino:{acme}:evidence")
            altered = {name: value.replace(b"true", b"lies") for name, value in fields.items()}
            await client.xadd("sordino:{acme}:evidence", altered, id=place)
        with pytest.raises(EvidenceInvalid, match="does not have the hash"):
            await whole_chain(ledger)


@pytest.mark.parametrize(
    ("setting", "value", "durable"),
    [("appendonly", "no", "memory"), ("appendfsync", "everysec", "fsync"), ("appendfsync", "always", "fsync")],
)
async def test_an_entry_says_honestly_how_it_was_confirmed(
    own_valkey: EmbeddedValkey, setting: str, value: str, durable: str
) -> None:
    async with Store(own_valkey.url, timeout_s=5) as store, RedisLedger(store, timeout_s=5) as ledger:
        async with store.answers() as client:
            await client.config_set(setting, value)
        assert (await ledger.append(draft())).durable == durable
        assert [entry.durable for entry in await whole_chain(ledger)] == [durable]


async def test_a_server_that_takes_entries_and_never_syncs_them_confirms_nothing(own_valkey: EmbeddedValkey) -> None:
    async with Store(own_valkey.url) as store, RedisLedger(store) as ledger:
        async with store.answers() as client:
            await client.config_set("appendfsync", "no")
        with pytest.raises(EvidenceUnavailable):
            await ledger.append(draft())
        async with store.answers() as client:
            await client.config_set("appendfsync", "always")
        await ledger.append(draft(call="call_2"))
        assert len(await whole_chain(ledger)) == 2


async def test_a_draft_that_is_no_evidence_is_refused_alone(store: Store) -> None:
    async with RedisLedger(store) as ledger:
        bad = CallChain(ACME, CallId("call_1")).draft("masked", NOON, {"counts": {"PERSON": 0.5}})
        good, refused = await asyncio.gather(ledger.append(draft()), ledger.append(bad), return_exceptions=True)
        assert isinstance(good, Entry)
        assert isinstance(refused, EvidenceInvalid)


async def test_a_tenant_whose_name_could_reach_elsewhere_is_refused(store: Store) -> None:
    async with RedisLedger(store) as ledger:
        with pytest.raises(InvalidRequest):
            await ledger.append(draft(tenant=TenantId("a}:evil")))


async def test_more_than_may_wait_is_refused_at_once(own_valkey: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "MAX_WAITING", 2)
    async with Store(own_valkey.url) as store, RedisLedger(store) as ledger:
        with frozen(own_valkey):
            waiting = asyncio.gather(*(ledger.append(draft(call=f"call_{n}")) for n in range(2)), return_exceptions=True)
            await asyncio.sleep(0)
            with pytest.raises(EvidenceUnavailable, match="takes no more entries"):
                await ledger.append(draft(call="one_too_many"))
        await waiting


async def test_many_tenants_that_write_at_once_share_a_few_connections(
    own_valkey: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "MOST_LINES", 2)
    tenants = [TenantId(f"tenant-{n}") for n in range(9)]
    async with Store(own_valkey.url, timeout_s=PATIENCE_S) as store, RedisLedger(store, timeout_s=PATIENCE_S) as ledger:
        entries = await asyncio.gather(*(ledger.append(draft(tenant=tenant)) for tenant in tenants for _ in range(5)))
        connections = (await store.ask("CLIENT", "LIST")).decode().splitlines()
        assert [entry.durable for entry in entries] == ["fsync"] * 45
        assert len(connections) <= 2 + 2
        assert [len(await whole_chain(ledger, tenant)) for tenant in tenants] == [5] * 9


async def test_a_closed_ledger_finishes_what_is_on_its_way_and_takes_nothing_more(store: Store) -> None:
    ledger = RedisLedger(store)
    on_its_way = [asyncio.gather(ledger.append(draft(call=f"call_{n}"))) for n in range(3)]
    await asyncio.sleep(0)
    await ledger.aclose()
    assert [(await one)[0].durable for one in on_its_way] == ["fsync"] * 3
    with pytest.raises(EvidenceUnavailable):
        await ledger.append(draft())


async def test_reading_needs_the_store(own_valkey: EmbeddedValkey) -> None:
    async with Store(own_valkey.url) as store, RedisLedger(store) as ledger:
        await own_valkey.kill()
        with pytest.raises(StoreUnavailable):
            await whole_chain(ledger)
