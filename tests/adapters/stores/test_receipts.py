"""A receipt is kept in two places, whole in each, and comes out also when the store is what failed the call."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.receipts import Receipts
from gateway.adapters.stores.redis import Store
from gateway.errors import EvidenceUnavailable, InvalidRequest, StoreUnavailable
from gateway.evidence.receipt import verify
from gateway.values import CallId, TenantId
from tests.evidence.samples import ACME, CALL, PUBLIC, entries, signed

RECEIPT = signed()


async def test_a_receipt_is_kept_as_a_file_for_its_owner_alone_and_in_the_store(store: Store, tmp_path: Path) -> None:
    receipts = Receipts(store, tmp_path / "receipts")
    kept = await receipts.save(RECEIPT)
    assert kept.in_store
    assert kept.file == tmp_path / "receipts" / "acme" / "call_01.json"
    assert kept.file.stat().st_mode & 0o777 == 0o600
    assert kept.file.parent.stat().st_mode & 0o777 == 0o700
    assert list(kept.file.parent.iterdir()) == [kept.file]
    assert verify(kept.file.read_bytes(), PUBLIC).receipt == RECEIPT
    async with store.answers() as client:
        assert await client.hget("sordino:{acme}:receipts", "call_01") == RECEIPT.to_json()


async def test_it_comes_out_as_a_file_when_the_store_is_dead(own_valkey: EmbeddedValkey, tmp_path: Path) -> None:
    async with Store(own_valkey.url) as store:
        await own_valkey.kill()
        kept = await Receipts(store, tmp_path).save(RECEIPT)
    assert not kept.in_store
    assert kept.file
    assert kept.file.read_bytes() == RECEIPT.to_json()


async def test_it_is_in_the_store_when_the_disk_takes_nothing(store: Store, tmp_path: Path) -> None:
    (tmp_path / "receipts").touch()
    receipts = Receipts(store, tmp_path / "receipts")
    kept = await receipts.save(RECEIPT)
    assert (kept.file, kept.in_store) == (None, True)
    assert await receipts.load(ACME, CALL) == RECEIPT.to_json()


async def test_when_neither_takes_it_that_is_said(own_valkey: EmbeddedValkey, tmp_path: Path) -> None:
    (tmp_path / "receipts").touch()
    async with Store(own_valkey.url) as store:
        await own_valkey.kill()
        with pytest.raises(EvidenceUnavailable, match="kept nowhere"):
            await Receipts(store, tmp_path / "receipts").save(RECEIPT)


async def test_a_receipt_is_found_in_whichever_place_has_it(store: Store, tmp_path: Path) -> None:
    receipts = Receipts(store, tmp_path)
    kept = await receipts.save(RECEIPT)
    assert kept.file
    kept.file.unlink()
    assert await receipts.load(ACME, CALL) == RECEIPT.to_json()
    await receipts.save(RECEIPT)
    async with store.answers() as client:
        await client.flushall()
    assert await receipts.load(ACME, CALL) == RECEIPT.to_json()
    assert await receipts.load(ACME, CallId("call_none")) is None


async def test_the_list_names_every_call_of_the_tenant_once_and_of_no_other(store: Store, tmp_path: Path) -> None:
    receipts = Receipts(store, tmp_path)
    for call in ("call_02", "call_01", "call_03"):
        kept = await receipts.save(signed(entries(call=CallId(call))))
        if call == "call_03" and kept.file:
            kept.file.unlink()
    assert await receipts.calls(ACME) == ["call_01", "call_02", "call_03"]
    assert await receipts.calls(TenantId("other")) == []
    assert await receipts.load(TenantId("other"), CALL) is None


async def test_without_a_store_a_list_would_be_incomplete_and_is_refused(own_valkey: EmbeddedValkey, tmp_path: Path) -> None:
    async with Store(own_valkey.url) as store:
        await own_valkey.kill()
        with pytest.raises(StoreUnavailable):
            await Receipts(store, tmp_path).calls(ACME)


@pytest.mark.parametrize("call", ["../escape", "..", "a/b", ""])
async def test_a_call_cannot_name_a_file_outside_the_folder(store: Store, tmp_path: Path, call: str) -> None:
    receipts = Receipts(store, tmp_path / "receipts")
    with pytest.raises(InvalidRequest):
        await receipts.save(signed(entries(call=CallId(call))))
    with pytest.raises(InvalidRequest):
        await receipts.load(ACME, CallId(call))
    assert not _any_file(tmp_path)


def _any_file(folder: Path) -> bool:
    return any(folder.rglob("*.json"))
