"""Shows heads of each tenant's chain to witnesses from time to time, so that nobody can rewrite what was before (promise 29)."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from gateway.errors import SordinoError
from gateway.evidence import head as heads
from gateway.evidence.anchor import anchor
from gateway.evidence.entries import Entry, Json
from gateway.evidence.merkle import Growing
from gateway.evidence.signed import Sign
from gateway.ports import Clock, Telemetry
from gateway.values import TenantId

log = logging.getLogger(__name__)

WORK = "anchoring"
LEASE_S = 300.0


class Witness(Protocol):
    """Somebody outside who sees a head."""

    @property
    def name(self) -> str: ...
    async def see(self, head: Mapping[str, Json]) -> str:
        """A time stamp, or nothing from who only keeps it. Raises UpstreamFailed, UpstreamTimeout."""
        ...


class Anchors(Protocol):
    async def add(self, tenant: TenantId, anchor: Mapping[str, Json]) -> None: ...
    async def newest(self, tenant: TenantId) -> Mapping[str, Any] | None: ...


class Chain(Protocol):
    def entries(self, tenant: TenantId, *, after: int = 0) -> AsyncIterator[Entry]: ...


class Lease(Protocol):
    async def take(self, tenant: str, name: str, *, for_s: float) -> bool: ...


@dataclass(frozen=True, slots=True)
class AnchoringParts:
    """What anchoring stands on. ``every``: how long a chain that grew waits for its next anchor, at most."""

    witnesses: Sequence[Witness]
    anchors: Anchors
    chain: Chain
    lease: Lease
    tenants: Callable[[], Iterable[TenantId]]
    sign: Sign
    public_key: bytes
    clock: Clock
    telemetry: Telemetry
    every: timedelta


class Anchoring:
    """``await anchoring.round()`` now and then. Of many gateways on one store one does it."""

    def __init__(self, parts: AnchoringParts) -> None:
        self._p = parts
        self._grown: dict[TenantId, tuple[Growing, str]] = {}

    async def round(self) -> int:
        """Anchor every chain that is due; the number of anchors. A witness who does not answer is asked the next time."""
        made = 0
        for tenant in self._p.tenants():
            try:
                if await self._is_due(tenant) and await self._p.lease.take(tenant, WORK, for_s=LEASE_S):
                    made += await self.anchor(tenant)
            except SordinoError as error:
                log.warning("the chain of tenant %s could not be anchored now: %s", tenant, error.code)
                self._p.telemetry.count("sordino_anchors_total", outcome="failed")
        return made

    async def anchor(self, tenant: TenantId) -> int:
        """Show the head as it is now to every witness; the number of those who saw it, 0 where there is nothing new.

        Raises:
            UpstreamFailed, UpstreamTimeout: a witness has not seen it; those before did.
            EvidenceInvalid: an entry in the store was altered, or the chain was rewritten since this gateway saw it.
            StoreUnavailable.
        """
        newest = await self._p.anchors.newest(tenant)
        tree, last = await self._grow(tenant, newest["head"] if newest else None)
        if not tree.size or (newest is not None and newest["head"]["last"] == last):
            return 0
        made = self._p.clock.now()
        head = heads.head(tenant, tree.size, tree.root, last, made, sign=self._p.sign, public_key=self._p.public_key)
        for witness in self._p.witnesses:
            stamp = await witness.see(head)
            await self._p.anchors.add(tenant, anchor(head, witness.name, stamp))
            self._p.telemetry.count("sordino_anchors_total", outcome="seen")
        return len(self._p.witnesses)

    async def _is_due(self, tenant: TenantId) -> bool:
        newest = await self._p.anchors.newest(tenant)
        if newest is None:
            return True
        made = datetime.fromisoformat(str(newest["head"]["made"]))
        return self._p.clock.now() - made >= self._p.every

    async def _grow(self, tenant: TenantId, anchored: Mapping[str, Any] | None) -> tuple[Growing, str]:
        """The tree over all entries, held against the newest anchor; what this gateway has seen before is not read again."""
        tree, last = self._grown.pop(tenant, (Growing(), ""))
        known = not tree.size  # what was read before was held against the anchor of that time
        async for entry in self._p.chain.entries(tenant, after=tree.size):
            if entry.seq != tree.size + 1 or (last and entry.previous != last):
                raise heads.rewritten(tenant, entry.seq)
            tree.add(heads.leaf(entry.hash))
            last = entry.hash
            if known and anchored and tree.size == anchored["size"] and anchored["root"] != f"sha256:{tree.root.hex()}":
                raise heads.rewritten(tenant, entry.seq)
        if anchored and tree.size < anchored["size"]:
            raise heads.rewritten(tenant, tree.size + 1)
        self._grown[tenant] = (tree, last)
        return tree, last
