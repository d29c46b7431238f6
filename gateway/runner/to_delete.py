"""Calls of which something is to be deleted, whoever dies over it and whatever does not answer meanwhile (promises 11, 14, 32).

It is noted before anything is touched: in the store, and where that does not answer, on this machine's disk. What a legal hold
keeps stays noted, and goes when the hold is lifted.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from gateway.errors import DataHeld, NotFound, SordinoError, StoreUnavailable
from gateway.values import CallId, TenantId

log = logging.getLogger(__name__)

TAKEN_BACK = "the agreement was taken back"


class CallLog(Protocol):
    """Calls of which something is to go and is not all gone yet. Every method raises StoreUnavailable."""

    async def add(self, tenant: TenantId, call: CallId) -> None: ...
    async def remove(self, tenant: TenantId, call: CallId) -> None: ...
    async def all(self, tenant: TenantId) -> list[CallId]: ...


class Noted:
    """A ``CallLog`` that also takes a call while the store does not answer: ``here`` is on this machine's disk."""

    def __init__(self, store: CallLog, here: CallLog) -> None:
        self._store = store
        self._here = here

    async def add(self, tenant: TenantId, call: CallId) -> None:
        """Raises StoreUnavailable: neither place took it."""
        try:
            await self._store.add(tenant, call)
        except StoreUnavailable:
            await self._here.add(tenant, call)

    async def remove(self, tenant: TenantId, call: CallId) -> None:
        await self._store.remove(tenant, call)
        await self._here.remove(tenant, call)

    async def all(self, tenant: TenantId) -> list[CallId]:
        return sorted({*await self._here.all(tenant), *await self._store.all(tenant)})


class DeleteOfCall(Protocol):
    """Delete one class of a call's data: ``DataDesk.delete_recording``. Raises DataHeld where a legal hold keeps it."""

    async def __call__(self, tenant: TenantId, call: CallId, *, why: str, by: str) -> object: ...


HeldOfCall = Callable[[TenantId, CallId], Awaitable[bool]]
"""Whether a legal hold keeps that class of the call's data now. Raises StoreUnavailable."""


@dataclass(slots=True)
class Deleting:
    """How one class of what a call keeps goes when its caller takes the agreement back.

    Who deletes stands on those who keep, so it is known later (``by``, ``held``).
    """

    noted: CallLog | None = None
    by: DeleteOfCall | None = None
    held: HeldOfCall | None = None

    async def done(self, tenant: TenantId, call: CallId, *, why: str = TAKEN_BACK) -> bool:
        """It is gone, with a certificate, or was never there. False: a legal hold keeps it.

        Raises StoreUnavailable and what else deleting does: then, and where a hold keeps it, ``resume`` goes on with it.
        """
        await self.note(tenant, call)
        if self.by is not None:
            try:
                await self.by(tenant, call, why=why, by="the other end of the call")
            except DataHeld:
                return False
            except NotFound:
                pass
            if self.noted is not None:
                await self.noted.remove(tenant, call)
        return True

    async def note(self, tenant: TenantId, call: CallId) -> None:
        """It is to be deleted, whoever dies now. Raises StoreUnavailable: neither the store nor the disk took it."""
        if self.noted is not None:
            await self.noted.add(tenant, call)

    async def awaited(self, tenant: TenantId, call: CallId) -> bool:
        """Whether it only waits to be deleted, and is nobody's to read: what a hold keeps is not. Raises StoreUnavailable."""
        if self.noted is None or call not in await self.noted.all(tenant):
            return False
        return self.held is None or not await self.held(tenant, call)

    async def resume(self, tenants: Iterable[TenantId]) -> int:
        """Go on with what was left; how many are gone now. What fails, or is held, waits for the next time."""
        gone = 0
        for tenant in tenants:
            for call in [] if self.noted is None else await self.noted.all(tenant):
                try:
                    if self.held is None or not await self.held(tenant, call):
                        gone += await self.done(tenant, call)
                except SordinoError as error:
                    log.warning("what a caller no longer agrees to is deleted later: %s", error.code)
        return gone
