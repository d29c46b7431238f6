"""A gateway's keys: where the master key comes from, which key never changes, and what the store is made to forget."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.adapters.keys.envelope import MasterKey
from gateway.adapters.keys.files import read_key
from gateway.adapters.recordings.folder import Folder, RecordingFile
from gateway.adapters.recordings.format import CLASS, FileKey, open_recording
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.recordings import KEPT, RecordingFacts, RedisRecordings
from gateway.adapters.stores.redis import Store
from gateway.errors import Misconfigured, StoreUnavailable
from gateway.keeping import keep_purged, key_desk, master_change, open_keys
from gateway.settings import Settings
from gateway.tasks import TaskOwner
from gateway.values import CallId, Private, TenantId
from tests.adapters.recordings.samples import CALL, KEY, PIECES, RATE, TENANT, header_and_key
from tests.conftest import PATIENCE_S

OLD = Private(base64.b64encode(bytes(range(32))).decode())


def settings(folder: Path, master_key: Private[str] | None = None) -> Settings:
    return Settings(data=folder, policies=folder, master_key=master_key)


async def test_a_first_start_makes_a_master_key_and_an_identity_that_has_nothing_to_do_with_it(
    store: Store, tmp_path: Path
) -> None:
    keys = await open_keys(settings(tmp_path), store)
    again = await open_keys(settings(tmp_path), store)
    assert keys.identity == again.identity
    assert keys.identity.reveal() != read_key(tmp_path / "keys" / "master.key")
    assert len(keys.identity.reveal()) == 32


async def test_a_store_that_was_in_use_keeps_its_hashes_and_names(store: Store, tmp_path: Path) -> None:
    """Older gateways derived them from the master key itself."""
    async with store.answers() as client:
        await client.set("sordino:{acme}:anything", b"1")
    keys = await open_keys(settings(tmp_path, OLD), store)
    assert keys.identity.reveal() == bytes(range(32))


async def test_gateways_that_begin_at_once_have_one_identity(store: Store, tmp_path: Path) -> None:
    keys = await asyncio.gather(*(open_keys(settings(tmp_path, OLD), store) for _ in range(8)))
    assert len({each.identity for each in keys}) == 1


async def test_a_gateway_with_another_master_key_does_not_begin(store: Store, tmp_path: Path) -> None:
    await open_keys(settings(tmp_path, OLD), store)
    with pytest.raises(StoreUnavailable, match="SORDINO_MASTER_KEY_FILE"):
        await open_keys(settings(tmp_path), store)


@pytest.mark.parametrize("text", ["", "no base64!", base64.b64encode(bytes(31)).decode()])
async def test_what_is_no_key_is_told_without_being_repeated(store: Store, tmp_path: Path, text: str) -> None:
    with pytest.raises(Misconfigured, match="does not hold 32 bytes") as told:
        await open_keys(settings(tmp_path, Private(text)), store)
    assert not text or text not in str(told.value)


class TestForgetting:
    async def test_from_time_to_time_the_store_forgets_the_keys_that_are_gone(
        self, own_valkey: EmbeddedValkey, tmp_path: Path
    ) -> None:
        async with Store(own_valkey.url, timeout_s=PATIENCE_S) as store:
            keys = await open_keys(settings(tmp_path, OLD), store)
            await keys.shelf.key(TENANT, CALL, "vault", create=True)
            locked = await store.ask("GET", "sordino:{acme}:vault:call_1:key")
            await keys.shelf.destroy(TENANT, CALL, "vault")
            assert locked in files(own_valkey)
            await self._rounds(store, 1)
            assert locked not in files(own_valkey)

    async def test_a_store_to_which_nobody_wrote_is_left_alone(self, own_valkey: EmbeddedValkey, tmp_path: Path) -> None:
        async with Store(own_valkey.url, timeout_s=PATIENCE_S) as store:
            await open_keys(settings(tmp_path, OLD), store)
            await self._rounds(store, 3)
            async with store.answers() as client:
                assert (await client.info("persistence"))["aof_rewrites"] == 1

    async def test_a_store_that_is_gone_is_asked_again_later(self, own_valkey: EmbeddedValkey) -> None:
        async with Store(own_valkey.url, timeout_s=PATIENCE_S) as store:
            await own_valkey.kill()
            await self._rounds(store, 2)

    async def _rounds(self, store: Store, many: int) -> None:
        """So many of them, and no more."""
        left, done = many, asyncio.Event()

        async def sleep(_: float) -> None:
            nonlocal left
            if left == 0:
                done.set()
                await asyncio.Event().wait()
            left -= 1

        async with asyncio.timeout(60), TaskOwner("test", on_failure=lambda name, failure: done.set()) as tasks:
            round_ = tasks.start(keep_purged(store, sleep), name="purge")
            await done.wait()
            round_.cancel()
        assert left == 0


async def test_keys_that_older_recordings_carry_are_on_the_shelf_once_the_master_key_was_changed(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their files stay as they are; a recording whose file is elsewhere keeps the old master key in use."""
    monkeypatch.setattr("gateway.adapters.keys.change.MOUNTS", tmp_path / "none")  # tests may run in memory
    given = settings(tmp_path)
    keys = await open_keys(given, store)
    older = MasterKey(read_key(tmp_path / "keys" / "master.key")).wrap(KEY.reveal(), tenant=TENANT, call=CALL, kind=CLASS)
    folder, index = Folder(tmp_path / "recordings"), RedisRecordings(store)
    file = RecordingFile(folder.path(TENANT, CALL), replace(header_and_key()[0], key=older), KEY)
    for piece in PIECES[:-1]:
        await file.write(piece)
    await file.finish(24_000)
    facts = RecordingFacts(CALL, "2026-11-22", "disk", "folder", file.header.key_id, "c", "silence", RATE, keep_s=60, state=KEPT)
    await index.put(TENANT, facts)
    await index.put(TENANT, replace(facts, call=CallId("call_2")))
    async with RedisLedger(store, timeout_s=PATIENCE_S) as ledger:
        desk = key_desk(given, store, ledger, keys)
        steps = [step.name async for step in desk.rotate_master(master_change(given, keys))]
        assert steps[-1] == "waiting"
        await index.forget(TENANT, CallId("call_2"))
        steps = [step.name async for step in desk.rotate_master(master_change(given, keys))]
        assert steps[-1] == "ended"
    after = await open_keys(given, store)
    with file.path.open("rb") as source:
        opened = open_recording(source, FileKey(await after.shelf.key(TenantId("acme"), CALL, CLASS, create=False), after.shelf))
        assert list(opened.pieces()) == list(PIECES)


def files(server: EmbeddedValkey) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(server.log.parent.rglob("*")) if path.is_file())
