"""Calls that are noted on this machine's disk because the store did not answer: ``<folder>/<tenant>/<call>``, empty files."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from gateway.adapters.stores import names
from gateway.disk import sync_folder
from gateway.errors import StoreUnavailable
from gateway.values import CallId, TenantId


class Marks:
    """Implements ``gateway.runner.to_delete.CallLog``. Every method raises StoreUnavailable: the disk is full, or gone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def add(self, tenant: TenantId, call: CallId) -> None:
        """It is on the disk when this answers."""
        await self._on_disk(_mark, self._path(tenant, call))

    async def remove(self, tenant: TenantId, call: CallId) -> None:
        """What was not noted is no error."""
        await self._on_disk(_unmark, self._path(tenant, call))

    async def all(self, tenant: TenantId) -> list[CallId]:
        """In the order of their ids."""
        folder = self._folder / names.checked(tenant)
        return sorted(CallId(each.name) for each in await asyncio.to_thread(lambda: list(folder.glob("*"))))

    def _path(self, tenant: TenantId, call: CallId) -> Path:
        return self._folder / names.checked(tenant) / names.checked(call)

    async def _on_disk(self, act: Callable[[Path], None], path: Path) -> None:
        try:
            await asyncio.to_thread(act, path)
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise StoreUnavailable(
                f"a call could not be noted on the disk: {why}", hint="mend the disk under SORDINO_DATA"
            ) from None


def _mark(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
    sync_folder(path.parent)


def _unmark(path: Path) -> None:
    try:
        path.unlink()
    except FileNotFoundError:
        return
    sync_folder(path.parent)
