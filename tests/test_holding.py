"""What is deleted at one gateway is deleted at all of them that share its store, also on their own disks."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.receipts import DRAFT_S, Receipts
from gateway.adapters.stores.redis import Store
from gateway.errors import StoreUnavailable
from gateway.evidence.receipt import verify
from gateway.settings import Settings
from tests.runner.lived import ACME, CALLS, Lived, lived, write_policies


@pytest.fixture
async def gateway(tmp_path: Path, valkey: EmbeddedValkey) -> AsyncIterator[Lived]:
    async with Store(valkey.url, timeout_s=20) as store:
        await store.ask("FLUSHDB")
    policies = write_policies(tmp_path / "policies")
    key = "A" * 43 + "="
    named = {"DATA": tmp_path / "data", "POLICIES": policies, "REDIS_URL": valkey.url, "MASTER_KEY": key}
    async with lived(Settings.from_env({f"SORDINO_{name}": str(value) for name, value in named.items()})) as found:
        await found.live()
        yield found


@pytest.fixture
async def other(gateway: Lived, tmp_path: Path) -> Receipts:
    """Those of another gateway, which took the calls too: it has files of their receipts on a disk of its own."""
    mine, theirs = (Receipts(gateway.store, folder / "receipts") for folder in (gateway.settings.data, tmp_path / "other"))
    for call in CALLS:
        path = theirs.path(ACME, call)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(await mine.load(ACME, call) or b"")
    return theirs


async def test_a_receipt_that_was_erased_at_one_gateway_is_read_from_no_other_ones_file(gateway: Lived, other: Receipts) -> None:
    """From the moment of its certificate, which says whose disk is clear; the file itself goes with that gateway's next look."""
    done = await gateway.desk.erase_call(ACME, CALLS[0], why="request of the caller", by="operator")
    (where,) = [each.document["where"] for each in done.certificates if each.holding == "receipts"]
    machine = (gateway.settings.data / "recordings" / ".name").read_text()
    assert where == [f"disk {machine}", "store"]
    assert await other.load(ACME, CALLS[0]) is None
    assert not await other.has(ACME, CALLS[0])
    assert await other.calls(ACME) == sorted(CALLS[1:])
    assert other.path(ACME, CALLS[0]).exists()
    assert await other.clear_away() == (CALLS[0],)
    assert sorted(other.path(ACME, CALLS[0]).parent.iterdir()) == sorted(other.path(ACME, call) for call in CALLS[1:])


async def test_a_file_that_only_this_gateway_has_stays_where_nothing_says_that_it_was_deleted(
    gateway: Lived, other: Receipts
) -> None:
    """The store failed when it was written. And a conversation that went on after its receipt was deleted has a new one."""
    await gateway.store.ask("HDEL", "sordino:{acme}:receipts", CALLS[1])
    text = await other.load(ACME, CALLS[0])
    await gateway.desk.erase_call(ACME, CALLS[0], why="request of the caller", by="operator")
    await other.save(verify(text or b"").receipt)
    assert await other.clear_away() == ()
    assert await other.load(ACME, CALLS[0]) == text
    assert await other.calls(ACME) == sorted(CALLS)


async def test_what_was_being_written_when_a_gateway_was_killed_is_cleared_away(other: Receipts) -> None:
    folder = other.path(ACME, CALLS[0]).parent
    old, fresh = (folder / f".{CALLS[0]}.json.42.{word}" for word in ("0f0f0f0f", "1e1e1e1e"))
    for draft in (old, fresh):
        draft.write_bytes(b"half of it")
    os.utime(old, (0, old.stat().st_mtime - DRAFT_S - 1))
    assert await other.clear_away() == ()
    assert [old.exists(), fresh.exists()] == [False, True]


async def test_a_gateway_without_its_store_shows_no_receipt_that_may_have_been_deleted(
    own_valkey: EmbeddedValkey, other: Receipts, tmp_path: Path
) -> None:
    async with Store(own_valkey.url) as gone:
        await own_valkey.kill()
        with pytest.raises(StoreUnavailable):
            await Receipts(gone, tmp_path / "other" / "receipts").load(ACME, CALLS[0])
