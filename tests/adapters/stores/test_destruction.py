"""What was destroyed cannot be opened with anything that is left: copies of the files, the store, the master key."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.keys.master import MasterKeys
from gateway.adapters.recordings.folder import Folder
from gateway.adapters.recordings.format import CLASS, FileKey, new_header, open_recording
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.key_shelf import RedisKeyShelf
from gateway.adapters.stores.purge import purge
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.vault import RedisVault
from gateway.errors import NotFound, StoreUnavailable
from gateway.locks import Locked, PurgeProof
from gateway.values import CallId, Placeholder, Private, TenantId
from tests.adapters.recordings.samples import PIECES, RATE
from tests.conftest import PATIENCE_S

ACME, OTHER, CALL = TenantId("acme"), TenantId("other"), CallId("call_1")
MASTERS = MasterKeys.fixed(bytes(range(32)))
PERSON, ADA = Placeholder("<PERSON_1>"), Private("Ada Lovelace")


def raw(server: EmbeddedValkey) -> bytes:
    """Every byte of the server's files."""
    return b"".join(path.read_bytes() for path in sorted(server.log.parent.rglob("*")) if path.is_file())


@pytest.fixture
async def own_store(own_valkey: EmbeddedValkey) -> AsyncIterator[Store]:
    async with Store(own_valkey.url, timeout_s=PATIENCE_S) as store:
        yield store


async def a_call(store: Store, folder: Folder, tenant: TenantId = ACME) -> Path:
    """A call with a value in its vault and a recording; the recording's file."""
    shelf = RedisKeyShelf(store, MASTERS)
    await (await RedisVault(store, shelf).open(tenant, CALL)).remember({PERSON: ADA})
    key = await shelf.key(tenant, CALL, CLASS, create=True)
    assert key is not None
    stated = {"started": "2026-11-22T05:00:00.000000+00:00", "consent": "sha256:c", "rate": RATE, "redacted": "silence"}
    file = await folder.create(new_header(key, tenant, CALL, **stated), key)
    for piece in PIECES[:-1]:
        await file.write(piece)
    await file.finish(24_000)
    return file.path


async def locked_keys(store: Store, tenant: TenantId = ACME) -> list[bytes]:
    """Every locked key that the store has of the tenant."""
    async with store.answers() as client:
        calls: list[Any] = [await client.get(name) for name in await client.keys(f"sordino:{{{tenant}}}:*:key")]
        owns: Any = await client.hgetall(f"sordino:{{{tenant}}}:key")
    return [bytes(each) for each in [*calls, *owns.values()] if len(bytes(each)) > 40]


async def opens(store: Store, file: Path, tenant: TenantId = ACME) -> list[str]:
    """What somebody can open who has the store, the master key and that copy of the recording."""
    shelf, found = RedisKeyShelf(store, MASTERS), []
    try:
        key = await shelf.key(tenant, CALL, "vault", create=False)
        if key is not None and await (await RedisVault(store, shelf).open(tenant, CALL)).recall() == {PERSON: ADA}:
            found.append("vault")
    except StoreUnavailable:
        pass
    try:
        with file.open("rb") as source:
            if list(open_recording(source, FileKey(await shelf.key(tenant, CALL, CLASS, create=False), shelf)).pieces()):
                found.append("audio")
    except (StoreUnavailable, NotFound):
        pass
    return found


@pytest.mark.parametrize("what", ["calls", "tenant"])
async def test_copies_of_the_files_open_nothing_after_the_keys_were_destroyed(
    own_valkey: EmbeddedValkey, own_store: Store, tmp_path: Path, what: str
) -> None:
    """A copy of the recordings was taken before, all of the store is still there but the keys, and so is the master key."""
    folder = Folder(tmp_path / "recordings")
    await a_call(own_store, folder)
    kept = await a_call(own_store, folder, OTHER)
    backup = tmp_path / "backup"
    shutil.copytree(tmp_path / "recordings", backup)
    copy = backup / ACME / kept.name
    locked = await locked_keys(own_store)
    assert len(locked) == 3
    assert all(each in raw(own_valkey) for each in locked)
    assert await opens(own_store, copy) == ["vault", "audio"]

    shelf = RedisKeyShelf(own_store, MASTERS)
    if what == "calls":
        assert await shelf.destroy(ACME, CALL, "vault")
        assert await shelf.destroy(ACME, CALL, CLASS)
    else:
        assert await shelf.destroy_tenant(ACME)
    assert await shelf.purge() == PurgeProof("rewritten", "none")

    assert await opens(own_store, copy) == []
    left = {Locked.of(each) for each in await locked_keys(own_store)}
    gone = [each for each in locked if Locked.of(each) not in left]
    assert len(gone) == (3 if what == "tenant" else 2)
    there = raw(own_valkey)
    assert not any(each in there for each in gone)
    assert await opens(own_store, kept, OTHER) == ["vault", "audio"]


async def test_what_was_purged_is_gone_from_a_server_that_comes_up_from_its_files(
    own_valkey: EmbeddedValkey, own_store: Store, tmp_path: Path
) -> None:
    file = await a_call(own_store, Folder(tmp_path / "recordings"))
    shelf = RedisKeyShelf(own_store, MASTERS)
    await shelf.destroy_tenant(ACME)
    await shelf.purge()
    await own_valkey.kill()
    await own_valkey.start()
    async with Store(own_valkey.url, timeout_s=PATIENCE_S) as again:
        assert await locked_keys(again) == []
        assert await opens(again, file) == []


async def test_many_who_purge_at_once_all_get_their_proof(own_valkey: EmbeddedValkey, own_store: Store, tmp_path: Path) -> None:
    """A rewrite that had begun before a key was destroyed may hold it: each waits for one that began after."""
    await a_call(own_store, Folder(tmp_path / "recordings"))
    locked = await locked_keys(own_store)
    shelf = RedisKeyShelf(own_store, MASTERS)

    async def destroyed(kind: str) -> PurgeProof:
        await shelf.destroy(ACME, CALL, kind)
        return await shelf.purge()

    proofs = await asyncio.gather(destroyed("vault"), shelf.purge(), destroyed(CLASS))
    assert {proof.append_only_file for proof in proofs} == {"rewritten"}
    left, there = await locked_keys(own_store), raw(own_valkey)
    assert [each in there for each in locked] == [each in left for each in locked]


async def test_a_server_without_an_append_only_file_is_told_as_that(own_store: Store) -> None:
    async with own_store.answers() as client:
        await client.config_set("appendonly", "no")
    assert await purge(own_store) == PurgeProof("none", "none")


async def test_a_server_that_makes_snapshots_is_told_as_that(own_store: Store) -> None:
    async with own_store.answers() as client:
        await client.config_set("save", "3600 1")
    assert (await purge(own_store)).snapshots == "kept"


@pytest.mark.parametrize("denied", [["-bgrewriteaof"], ["-info"], ["-bgrewriteaof", "-config"]])
async def test_a_server_that_does_not_let_us_is_told_as_that(
    own_valkey: EmbeddedValkey, own_store: Store, denied: list[str]
) -> None:
    """As the servers of clouds do: then their operator must rewrite the file."""
    async with own_store.answers() as client:
        rules = ("ACL", "SETUSER", "guest", "on", "nopass", "~*", "&*", "+@all", *denied)
        await client.execute_command(*rules)  # type: ignore[no-untyped-call]
    url = own_valkey.url.replace("unix://", "unix://guest:any@")
    async with Store(url, timeout_s=PATIENCE_S) as guest:
        assert (await purge(guest)).append_only_file == "not-permitted"


async def test_a_server_that_is_gone_confirms_nothing(own_valkey: EmbeddedValkey, own_store: Store) -> None:
    await own_store.ping()
    await own_valkey.kill()
    with pytest.raises(StoreUnavailable):
        await purge(own_store)
