"""Where signed receipts are kept: a file for each call, and the store (``sordino:{tenant}:receipts``).

The file comes first and stands alone: a receipt comes out also when the store is what failed the call. What another gateway has
deleted is not read from a file any more: its certificate says so, and each gateway removes its own.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.exceptions import ResponseError

from gateway.adapters.stores import names
from gateway.adapters.stores.certificates import RedisCertificates
from gateway.adapters.stores.redis import Store
from gateway.disk import sync_folder
from gateway.errors import EvidenceUnavailable, StoreUnavailable
from gateway.evidence.receipt import Receipt
from gateway.values import CallId, TenantId

HOLDING = "receipts"
"""As the certificates of deletions call it."""
PAGE = 1_000
DRAFT_S = 3_600
"""A draft that is older was left behind by who was killed."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a receipt went: its file (None: it could not be written), and whether the store has it too."""

    file: Path | None
    in_store: bool


class Receipts:
    """``folder`` is ``SORDINO_DATA/receipts``; a receipt's file is ``<tenant>/<call>.json`` in it, mode 0600."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._certificates = RedisCertificates(store)

    async def save(self, receipt: Receipt) -> Kept:
        """Keep it in both places, replacing an earlier receipt of the same call.

        Raises:
            EvidenceUnavailable: neither place took it.
            InvalidRequest: an id cannot stand in a name.
        """
        text = receipt.to_json()
        path = self.path(TenantId(receipt.tenant), CallId(receipt.call))
        disk_fault: str | None = None
        try:
            await asyncio.to_thread(_write_whole, path, text)
        except OSError as error:
            disk_fault = error.strerror or type(error).__name__
        try:
            async with self._store.answers() as client:
                await client.hset(names.key(receipt.tenant, "receipts"), receipt.call, text)
        except StoreUnavailable as error:
            if disk_fault:
                raise EvidenceUnavailable(
                    f"the receipt could be kept nowhere: {error.message}; its file: {disk_fault}",
                    hint="is the disk under SORDINO_DATA full?",
                ) from None
            return Kept(path, in_store=False)
        return Kept(None if disk_fault else path, in_store=True)

    async def load(self, tenant: TenantId, call: CallId) -> bytes | None:
        """The receipt's JSON, or None when neither place has one, or it was deleted. Raises StoreUnavailable, EvidenceInvalid."""
        if not await self._stored(tenant, call) and await self._deleted(tenant, call):
            return None
        try:
            return await asyncio.to_thread(self.path(tenant, call).read_bytes)
        except OSError:
            stored: Any = await self._store.ask("HGET", names.key(tenant, "receipts"), call)
            return None if stored is None else bytes(stored)

    async def calls(self, tenant: TenantId) -> list[CallId]:
        """The calls of this tenant that have a receipt in either place, sorted. Raises StoreUnavailable, EvidenceInvalid."""
        return sorted([call async for call in self.each(tenant)])

    async def each(self, tenant: TenantId) -> AsyncIterator[CallId]:
        """The same calls in no order, page by page, so that nobody waits for a long list. Raises StoreUnavailable…"""
        files = await asyncio.to_thread(self._files, tenant)
        seen = set[CallId]()
        cursor: int | bytes = 0
        while True:
            cursor, page = await self._page(tenant, cursor)
            for name in page:
                if (call := CallId(name.decode())) not in seen:
                    seen.add(call)
                    yield call
            if not int(cursor):
                break
        for call in files:
            if call not in seen and not await self._deleted(tenant, call):
                yield call

    def _files(self, tenant: TenantId) -> list[CallId]:
        folder = self._folder / names.checked(tenant)
        return [CallId(path.stem) for path in folder.glob("[!.]*.json") if names.is_id(path.stem)]

    async def _deleted(self, tenant: TenantId, call: CallId) -> bool:
        """Whether it is certified that the receipt was deleted: whoever still has a file of it is to remove that."""
        return any(each.holding == HOLDING for each in await self._certificates.of(tenant, call))

    async def _page(self, tenant: TenantId, cursor: int | bytes) -> tuple[int | bytes, Sequence[bytes]]:
        key = names.key(tenant, "receipts")
        async with self._store.answers() as client:
            found: Any
            try:
                cursor, found = await client.hscan(key, int(cursor), count=PAGE, no_values=True)
            except ResponseError:  # a server before Redis 7.4 and Valkey 8 gives the values, too
                cursor, found = await client.hscan(key, int(cursor), count=PAGE)
        return cursor, list(found)

    async def has(self, tenant: TenantId, call: CallId) -> bool:
        """Whether either place has one that was not deleted. Raises StoreUnavailable, EvidenceInvalid."""
        if await self._stored(tenant, call):
            return True
        return await asyncio.to_thread(self.path(tenant, call).exists) and not await self._deleted(tenant, call)

    async def delete(self, tenant: TenantId, call: CallId) -> None:
        """It is in neither place any more. Raises StoreUnavailable: then ask again."""
        await self._remove(self.path(tenant, call))
        await self._store.ask("HDEL", names.key(tenant, "receipts"), call)

    async def clear_away(self) -> tuple[CallId, ...]:
        """Remove the files of this machine, of whatever tenant, whose receipt another gateway has deleted, and what was being
        written when somebody was killed.

        Any other file is left alone. Raises StoreUnavailable, EvidenceInvalid.
        """
        gone: list[CallId] = []
        for tenant in await asyncio.to_thread(self._tenants):
            for draft in await asyncio.to_thread(_old_drafts, self._folder / tenant):
                await self._remove(draft)
            files = await asyncio.to_thread(self._files, tenant)
            for start in range(0, len(files), PAGE):
                some = files[start : start + PAGE]
                stored = await asyncio.gather(*(self._stored(tenant, call) for call in some))
                for call in [call for call, known in zip(some, stored, strict=True) if not known]:
                    if await self._deleted(tenant, call):
                        await self._remove(self.path(tenant, call))
                        gone.append(call)
        return tuple(gone)

    async def _stored(self, tenant: TenantId, call: CallId) -> bool:
        return bool(await self._store.ask("HEXISTS", names.key(tenant, "receipts"), call))

    def _tenants(self) -> list[TenantId]:
        folders = self._folder.iterdir() if self._folder.is_dir() else ()
        return sorted(TenantId(each.name) for each in folders if each.is_dir() and names.is_id(each.name))

    async def _remove(self, path: Path) -> None:
        try:
            await asyncio.to_thread(_unlink, path)
        except OSError as error:
            raise StoreUnavailable(
                f"a receipt could not be deleted: {error.strerror}", hint="mend the permissions of SORDINO_DATA"
            ) from None

    def path(self, tenant: TenantId, call: CallId) -> Path:
        """Where the call's receipt is, or would be. Raises InvalidRequest for an id that cannot stand in a file's name."""
        return self._folder / names.checked(tenant) / f"{names.checked(call)}.json"


def _unlink(path: Path) -> None:
    try:
        path.unlink()
    except FileNotFoundError:
        return
    sync_folder(path.parent)


def _old_drafts(folder: Path) -> list[Path]:
    before = time.time() - DRAFT_S
    return [path for path in folder.glob(".*.json.*") if path.stat().st_mtime < before]


def _write_whole(path: Path, text: bytes) -> None:
    """The whole file or none of it, on the disk when this returns."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)
