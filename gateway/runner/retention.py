"""The sweeper: what has been kept for as long as it may be is deleted, on time, by one gateway of many (promise 14).

Each tenant's round is one gateway's by a lease, and the store checks that lease again in the moment in which something is decided
to be deleted. Work is done in bounded steps with a pause between them, so that calls never wait for it, however much has gathered
while nobody looked.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from gateway.adapters.stores.deletions import RETENTION
from gateway.errors import SordinoError
from gateway.policy.model import TenantPolicy
from gateway.policy.retention import OF_PERSONS, Retention, due, due_without_policy
from gateway.ports import Clock, Telemetry
from gateway.runner.chain_expiry import BY, WHY, Due
from gateway.runner.deletion import Deletions
from gateway.runner.holdings import LINKS, Holding, Item
from gateway.runner.holds import HoldDesk
from gateway.values import CallId, DataClass, TenantId

log = logging.getLogger(__name__)

EVERY_S = (240.0, 360.0)
REST = 20
"""How many times as long as a look took nothing is looked at: with a million things a look takes a minute."""
STEP = 1_000
"""Things that are deleted at once."""
LOOK = 200
"""Things that are looked at before others get their turn."""
PAUSE_S = 0.05
LEASE_S = 900.0
ALONE_FOR = timedelta(days=1)
"""How long a tenant's file must have been gone before what no call was promised is counted by what is usual."""
SETTLED = timedelta(days=1)
"""How long the evidence of a call is kept at least, behind the longest life of its placeholders."""


class Lease(Protocol):
    """``gateway.adapters.stores.lease``. Raises StoreUnavailable."""

    async def take(self, tenant: str, name: str, *, for_s: float) -> bool: ...
    async def leave(self, tenant: str, name: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Swept:
    """One round: how much was deleted of each class, how much a hold keeps, and the tenants that are still to be done."""

    deleted: Mapping[DataClass, int]
    held: int
    left: tuple[TenantId, ...]
    """Another gateway is at them, or something failed: the next round, or that gateway, does them."""


@dataclass(frozen=True, slots=True)
class SweeperParts:
    """What it stands on. ``holder`` is this gateway's name at the lease; ``ended`` tells when a tenant's contract ended."""

    deletions: Deletions
    holdings: Callable[[], Sequence[Holding]]
    holds: HoldDesk
    tenants: Callable[[], Mapping[TenantId, TenantPolicy]]
    lease: Lease
    holder: str
    clock: Clock
    telemetry: Telemetry
    ended: Callable[[TenantId], Awaitable[datetime | None]]
    pause: Callable[[], Awaitable[None]]
    everybody: Callable[[], Awaitable[Iterable[TenantId]]] | None = None
    """Whoever has data, with a policy or without; None: only the tenants of the policies. Raises StoreUnavailable."""
    evidence: Due | None = None
    """Finds what is due of a chain's beginning; None: chains stay whole."""
    departed: Callable[[], Awaitable[Sequence[TenantId]]] | None = None
    """Tenants that have left: of them only evidence is kept, as long as the defaults say."""


class Sweeper:
    """``run`` goes on until it is cancelled; ``sweep`` is one round."""

    def __init__(self, parts: SweeperParts) -> None:
        self._p = parts
        self._last_run = 0
        self._overdue: dict[TenantId, int] = {}
        self._alone: dict[TenantId, datetime] = {}
        """Tenants without a policy, and when that was noticed."""
        self._left: frozenset[TenantId] = frozenset()
        """Those among them that have left: their evidence goes in time, too."""

    async def run(self, chore: Callable[[], Awaitable[object]]) -> None:
        """Look again and again; ``chore`` is what each gateway does for itself.

        ``sordino_sweeper_last_run_timestamp`` says when all was last seen to.
        """
        while True:
            began = self._p.clock.monotonic()
            await self.sweep()
            try:
                await chore()
            except SordinoError as error:
                log.warning("what others have deleted could not be cleared away here: %s", error.code)
            took = self._p.clock.monotonic() - began
            # By chance, so that gateways do not all look at once.
            await asyncio.sleep(max(random.uniform(*EVERY_S), took * REST))  # noqa: S311

    async def sweep(self) -> Swept:
        """One round over every tenant. Does not raise: what failed is tried again, and stands in ``left``."""
        deleted: Counter[DataClass] = Counter()
        held, left, failed = 0, [], False
        for tenant, policy in await self._all():
            try:
                if not await self._p.lease.take(tenant, RETENTION, for_s=LEASE_S):
                    left.append(tenant)
                    continue
                held += await self._tenant(tenant, policy, deleted)
                await self._p.lease.leave(tenant, RETENTION)
            except SordinoError as error:
                left.append(tenant)
                failed = True
                log.warning("retention of tenant %s could not be looked after now: %s", tenant, error.code)
        if not failed:
            self._beat()
        return Swept(deleted, held, tuple(left))

    async def _all(self) -> list[tuple[TenantId, TenantPolicy | None]]:
        """The tenants of the policies, those that have left, and those who have data though their file is gone: nobody else would
        look after it.
        """
        tenants, more = dict[TenantId, TenantPolicy | None](self._p.tenants()), list[TenantId](self._alone)
        try:
            self._left = frozenset(await self._p.departed() if self._p.departed is not None else ())
            more = list(await self._p.everybody() if self._p.everybody is not None else ())
        except SordinoError as error:
            log.warning("tenants without a policy could not be looked for now: %s", error.code)
        now = self._p.clock.now()
        self._alone = {tenant: self._alone.get(tenant, now) for tenant in (*self._left, *more) if tenant not in tenants}
        return [*tenants.items(), *((tenant, None) for tenant in self._alone)]

    async def _tenant(self, tenant: TenantId, policy: TenantPolicy | None, deleted: Counter[DataClass]) -> int:
        """All of one tenant that is due. How much of it a hold keeps. What fails does not keep the rest from being done."""
        failed: list[SordinoError] = []
        held = 0
        try:
            deleted.update(each.data_class for each in await self._p.deletions.resume([tenant]))
        except SordinoError as error:
            failed.append(error)
        async for step in self._steps(tenant, policy, failed):
            try:
                held += await self._step(tenant, step, deleted, failed)
            except SordinoError as error:
                failed.append(error)
            if not await self._p.lease.take(tenant, RETENTION, for_s=LEASE_S):
                return held
            await self._p.pause()
        if policy is not None or tenant in self._left:
            await self._evidence(tenant, Retention() if policy is None else policy.retention, deleted, failed)
        await self._tell_overdue(tenant)
        if failed:
            raise failed[0]
        return held

    async def _evidence(
        self, tenant: TenantId, retention: Retention, deleted: Counter[DataClass], failed: list[SordinoError]
    ) -> None:
        """The beginning of the chain, so much of it as goes at once; last, for it says what was deleted before."""
        if self._p.evidence is None:
            return
        try:
            # Never of a conversation that may still go on: it lives no longer than its placeholders.
            keep = max(retention.evidence, retention.vault + SETTLED)
            due_now = await self._p.evidence.due(tenant, keep)
            if due_now is not None:
                how = {"why": WHY, "by": BY, "holder": self._p.holder, "looked": due_now.holds}
                done = await self._p.deletions.delete(tenant, [due_now.item], **how)
                deleted.update(each.data_class for each in done.certificates)
        except SordinoError as error:
            failed.append(error)

    async def _step(self, tenant: TenantId, step: Sequence[Item], deleted: Counter[DataClass], failed: list[SordinoError]) -> int:
        """These are gone but for those that a hold keeps; how many it does."""
        kept = {id(each.item) for each in await self._p.deletions.held(tenant, step)}
        free = [item for item in step if id(item) not in kept]
        await self._delete(tenant, free, deleted, failed)
        await self._delete(tenant, await self._orphans(tenant, free, failed), deleted, failed)
        return len(kept)

    async def _steps(
        self, tenant: TenantId, policy: TenantPolicy | None, failed: list[SordinoError]
    ) -> AsyncIterator[list[Item]]:
        """What is due, some at a time. What cannot be read in one place is no reason to leave the others as they are."""
        ended = await self._p.ended(tenant)
        for holding in self._p.holdings():
            found = list[Item]()
            try:
                async for item in self._due(holding, tenant, policy, ended):
                    found.append(item)
                    if len(found) >= STEP:
                        yield found
                        found = []
            except SordinoError as error:
                failed.append(error)
                self._p.telemetry.count("sordino_retention_failures_total", holding=holding.name)
                log.warning("not all of the %s of tenant %s can be read: %s", holding.name, tenant, error.code)
            if found:
                yield found

    async def _due(
        self, holding: Holding, tenant: TenantId, policy: TenantPolicy | None, ended: datetime | None
    ) -> AsyncIterator[Item]:
        """What is due of one place. Looking at a million things that are not due holds nobody up either."""
        looked = 0
        async for item in holding.items(tenant):
            until = self._until(item, policy, ended)
            if until is not None and until <= self._p.clock.now():
                yield item
            looked += 1
            if looked % LOOK == 0:
                await asyncio.sleep(0)

    def _until(self, item: Item, policy: TenantPolicy | None, ended: datetime | None) -> datetime | None:
        if policy is not None:
            return due(item.data_class, item.since, item.keep, policy.retention, ended=ended)
        until = due_without_policy(item.data_class, item.since, item.keep, ended=ended)
        if until is None or item.keep is not None:
            return until
        # Its file may only be on its way: what was promised nothing waits for it.
        return max(until, self._alone[item.tenant] + ALONE_FOR)

    async def _delete(
        self, tenant: TenantId, items: Sequence[Item], deleted: Counter[DataClass], failed: list[SordinoError]
    ) -> None:
        if items:
            try:
                done = await self._p.deletions.delete(tenant, items, why=WHY, by=BY, holder=self._p.holder)
            except SordinoError as error:
                failed.append(error)
            else:
                deleted.update(each.data_class for each in done.certificates)

    async def _orphans(self, tenant: TenantId, gone: Sequence[Item], failed: list[SordinoError]) -> list[Item]:
        """Of calls of which nothing is kept any more, whose they were."""
        others = [holding for holding in self._p.holdings() if holding.name not in LINKS]
        links = [holding for holding in self._p.holdings() if holding.name in LINKS]
        found: list[Item] = []
        for call in dict.fromkeys(CallId(item.id) for item in gone if item.data_class not in OF_PERSONS):
            try:
                link = [item for holding in links if (item := await holding.of_call(tenant, call)) is not None]
                if link and not [holding for holding in others if await holding.of_call(tenant, call) is not None]:
                    found += link
            except SordinoError as error:
                failed.append(error)
        return found

    async def _tell_overdue(self, tenant: TenantId) -> None:
        overdue = (await self._p.holds.overdue([tenant])).get(tenant, ())
        before = self._overdue.get(tenant, 0)
        if len(overdue) != before:
            self._overdue[tenant] = len(overdue)
            self._p.telemetry.gauge("sordino_holds_overdue", len(overdue) - before, tenant=tenant)
        if len(overdue) > before:
            log.warning("tenant %s has %d legal holds past their review (sordino holds list)", tenant, len(overdue))

    def _beat(self) -> None:
        now = int(self._p.clock.now().timestamp())
        self._p.telemetry.gauge("sordino_sweeper_last_run_timestamp", now - self._last_run)
        self._last_run = now
