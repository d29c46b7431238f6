"""The keys beside backups: once a key's destruction is answered, no ``keys.sealed`` has it, whoever else replaces the file."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.audit.backup_file import open_backup, read_header
from gateway.adapters.audit.sealed_file import SEALED, replace_sealed, turn
from gateway.adapters.keys.master import MasterKeys
from gateway.adapters.stores.backups import RedisBackups
from gateway.adapters.stores.key_shelf import RedisKeyShelf
from gateway.adapters.stores.redis import Store
from gateway.adapters.system import RandomIds, SystemClock
from gateway.errors import StoreUnavailable
from gateway.runner import key_seal
from gateway.runner.backup_keys import keys_of, secret_of
from gateway.runner.key_seal import KeySeal
from gateway.tasks import TaskOwner
from gateway.values import CallId, TenantId

ACME, CLASS = TenantId("acme"), "transcript"
MASTERS = MasterKeys.fixed(bytes(range(32)))


def keys_in(folder: Path) -> set[str]:
    """The calls whose key is in it."""
    path = folder / SEALED
    header = read_header(path)
    keys = keys_of(secret_of(header, MASTERS), header.sections, {})
    with open_backup(path, lambda _: keys) as backup:
        return {record.name.split(":")[3] for _, record in backup.records() if CLASS in record.name}


async def with_calls(store: Store, folder: Path) -> RedisKeyShelf:
    shelf = RedisKeyShelf(store, MASTERS)
    for call in ("call_1", "call_2"):
        await shelf.key(ACME, CallId(call), CLASS, create=True)
    await asyncio.to_thread(folder.mkdir)
    await RedisBackups(store).add(str(folder))
    return shelf


def sealing(store: Store) -> KeySeal:
    """Another gateway's."""
    return KeySeal(store, MASTERS, SystemClock(), RandomIds())


async def of_a_backup(store: Store, folder: Path) -> None:
    await sealing(store).seal(folder)


async def of_another_gateway(store: Store, folder: Path) -> None:
    await RedisBackups(store).want()
    await sealing(store).seal_all()


@pytest.mark.parametrize("slow_one", [of_a_backup, of_another_gateway])
@pytest.mark.parametrize("locks", [True, False])
async def test_who_read_the_keys_before_one_was_destroyed_does_not_bring_it_back(
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    slow_one: Callable[[Store, Path], Coroutine[Any, Any, None]],
    locks: bool,
) -> None:
    """A backup, or another gateway, has a slow disk; meanwhile a call is erased here. The erasure waits for it.

    Where a file system's locks do not hold between machines, the slow one sees what happened and does it once more.
    """
    folder = tmp_path / "backups"
    shelf = await with_calls(store, folder)
    reached, go = threading.Event(), threading.Event()

    def slow(path: Path, content: bytes) -> None:
        if not reached.is_set():
            reached.set()
            go.wait(60)
        replace_sealed(path, content)

    monkeypatch.setattr(key_seal, "replace_sealed", slow)
    if not locks:
        monkeypatch.setattr(key_seal, "turn", lambda folder: nullcontext(True))
    async with TaskOwner("test", on_failure=lambda name, error: None) as tasks:
        slowly = tasks.start(slow_one(store, folder), name="slowly")
        try:
            assert await asyncio.to_thread(reached.wait, 60)
            await shelf.destroy(ACME, CallId("call_2"), CLASS)
            destroyed = tasks.start(sealing(store).destroyed(), name="destroyed")
            if locks:
                await asyncio.wait([destroyed], timeout=0.5)  # who does not wait for its turn has long ended
                assert not destroyed.done()
            else:
                await destroyed
        finally:
            go.set()
        await destroyed
        assert keys_in(folder) == {"call_1"} or not locks
        await slowly
    assert keys_in(folder) == {"call_1"}
    assert (await RedisBackups(store).stale())[1] == ()


async def test_who_is_cancelled_over_a_slow_disk_keeps_others_waiting_until_it_has_written(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that writes cannot be stopped: it must not write behind somebody who came later."""
    folder = tmp_path / "backups"
    await with_calls(store, folder)
    reached, go = threading.Event(), threading.Event()

    def slow(path: Path, content: bytes) -> None:
        reached.set()
        go.wait(60)
        replace_sealed(path, content)

    monkeypatch.setattr(key_seal, "replace_sealed", slow)
    async with TaskOwner("test", on_failure=lambda name, error: None) as tasks:
        slowly = tasks.start(sealing(store).seal(folder), name="slowly")
        try:
            assert await asyncio.to_thread(reached.wait, 60)
            slowly.cancel()
            await asyncio.wait([slowly], timeout=0.2)
            with turn(folder) as free:
                assert not free
        finally:
            go.set()
        with pytest.raises(asyncio.CancelledError):
            await slowly
    with turn(folder) as free:
        assert free
    assert keys_in(folder) == {"call_1", "call_2"}


async def test_a_folder_is_stale_until_the_keys_in_it_are_of_the_last_destruction(store: Store, tmp_path: Path) -> None:
    """Who was slow and tells an older count does not make it older, and nobody brings back a folder that was forgotten."""
    places, folder = RedisBackups(store), str(tmp_path)
    await places.add(folder)
    await places.want()
    await places.want()
    assert await places.stale() == (2, (folder,))
    await places.sealed(folder, 2)
    await places.sealed(folder, 1)
    assert await places.stale() == (2, ())
    await places.forget(folder)
    await places.sealed(folder, 2)
    assert await places.all() == ()


async def test_a_folder_that_somebody_never_lets_go_of_is_told_and_nothing_is_answered(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So no deletion is certified, and it is tried again."""
    folder = tmp_path / "backups"
    await with_calls(store, folder)
    monkeypatch.setattr(key_seal, "LOOKS", 2)
    with turn(folder) as mine:
        assert mine
        with pytest.raises(StoreUnavailable, match="replacing the keys beside a backup"):
            await sealing(store).destroyed()
    assert (await RedisBackups(store).stale())[1] == (str(folder),)
