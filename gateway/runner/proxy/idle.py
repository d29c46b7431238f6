"""Conversations that nobody ends: after their idle time each gets its last entry and its receipt, and its key is destroyed.

Every gateway looks. Which of them ends a conversation is the store's to say, and whoever dies over it is followed by another.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from gateway.errors import EvidenceUnavailable, SordinoError
from gateway.ports import Ledger
from gateway.runner.account import CallAccount
from gateway.runner.proxy.ending import ReadEntries, Seal, ended_body, newest_thread, thread_to
from gateway.runner.proxy.record import ProxyParts
from gateway.values import CallId, TenantId

log = logging.getLogger(__name__)

EVERY_S = (8.0, 12.0)
AT_ONCE = 20
WITHIN_S, CLAIMED_S = 30.0, 60.0
"""For one conversation; and how long after they were claimed the last of them is begun. Both together are less than the store's
lease, so that no two gateways ever end the same one."""
AGAIN_S = 600
"""When what could not be ended is tried again."""
BUSY_S = 60


class Idle(Protocol):
    """Who is due (``gateway.adapters.stores.idle``). Every method raises StoreUnavailable."""

    async def claim(self, tenant: TenantId, most: int) -> Mapping[CallId, int]: ...
    async def close(self, tenant: TenantId, call: CallId, lease: int) -> str | None: ...
    async def postpone(self, tenant: TenantId, call: CallId, wait_s: int) -> None: ...
    async def destroy(self, tenant: TenantId, call: CallId) -> None: ...


class IdleSweep:
    """``tenants``: those of the policy in force. ``read`` gives a call's entries; ``seal`` makes its receipt and keeps it."""

    def __init__(
        self,
        parts: ProxyParts,
        idle: Idle,
        ledger: Ledger,
        read: ReadEntries,
        seal: Seal,
        tenants: Callable[[], Iterable[str]],
    ) -> None:
        self._parts = parts
        self._ledger = ledger
        self._idle = idle
        self._read = read
        self._seal = seal
        self._tenants = tenants

    async def run(self) -> None:
        """Look again and again, until cancelled. ``sordino_sweeps_total`` counts each look, for who wants to know it goes on."""
        while True:
            await asyncio.sleep(random.uniform(*EVERY_S))  # noqa: S311  (so that gateways do not all look at once)
            await self.sweep()

    async def sweep(self) -> int:
        """End what is due now; how many have ended. Does not raise: what failed is tried again later."""
        ended, outcome = 0, "done"
        self._parts.conversations.drop_idle()
        for tenant in map(TenantId, tuple(self._tenants())):
            try:
                while due := await self._idle.claim(tenant, AT_ONCE):
                    ended += await self._end_all(tenant, due)
            except SordinoError as error:
                outcome = "failed"
                log.warning("the idle conversations of tenant %s could not be looked for: %s", tenant, error.code)
        self._parts.telemetry.count("sordino_sweeps_total", outcome=outcome)
        return ended

    async def _end_all(self, tenant: TenantId, due: Mapping[CallId, int]) -> int:
        ended, began = 0, self._parts.clock.monotonic()
        for call, lease in due.items():
            if self._parts.clock.monotonic() - began < CLAIMED_S:
                ended += await self._end_or_postpone(tenant, call, lease)
        return ended

    async def _end_or_postpone(self, tenant: TenantId, call: CallId, lease: int) -> bool:
        try:
            async with asyncio.timeout(WITHIN_S):
                return await self._end(tenant, call, lease)
        except TimeoutError:
            code = EvidenceUnavailable.code
        except SordinoError as error:
            code = error.code
        log.warning("an idle conversation of tenant %s could not be ended and is tried again: %s", tenant, code)
        await self._idle.postpone(tenant, call, AGAIN_S)
        return False

    async def _end(self, tenant: TenantId, call: CallId, lease: int) -> bool:
        if not self._parts.conversations.let_go(tenant, call):
            await self._idle.postpone(tenant, call, BUSY_S)
            return False
        head = await self._idle.close(tenant, call, lease)
        if head is None:
            return False
        found = [entry async for entry in self._read(tenant, call)]
        thread = thread_to(head, found, tenant, call) if head else newest_thread(found, tenant, call)
        if thread:
            if thread[-1].draft.kind != "call.ended":
                account = CallAccount(tenant, call, self._ledger, self._parts.clock, after=thread[-1].hash)
                await account.write("call.ended", ended_body(thread, reason="idle"))
                thread += account.entries
            await self._seal(thread)
            self._parts.telemetry.count("sordino_idle_receipts_total")
        await self._idle.destroy(tenant, call)
        return bool(thread)
