"""Shows heads of every chain to witnesses from time to time, so that nobody can rewrite what was before (promise 29)."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from gateway.errors import SordinoError, UpstreamFailed, UpstreamTimeout
from gateway.evidence import head as heads
from gateway.evidence.anchor import anchor
from gateway.evidence.cut import Cut
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
        """A time stamp, or nothing from who only keeps it.

        Raises UpstreamFailed, UpstreamTimeout; EvidenceInvalid: it has seen another history.
        """
        ...


class Anchors(Protocol):
    async def add(self, tenant: TenantId, anchor: Mapping[str, Json]) -> None: ...
    async def newest(self, tenant: TenantId) -> Mapping[str, Mapping[str, Any]]: ...


class Chain(Protocol):
    def entries(self, tenant: TenantId, *, after: int = 0) -> AsyncIterator[Entry]: ...
    async def beginning(self, tenant: TenantId) -> Cut | None: ...


class Lease(Protocol):
    async def take(self, tenant: str, name: str, *, for_s: float) -> bool: ...


@dataclass(frozen=True, slots=True)
class AnchoringParts:
    """What anchoring stands on. ``every``: how long a chain that grew waits for its next anchor, at most."""

    witnesses: Sequence[Witness]
    anchors: Anchors
    chain: Chain
    lease: Lease
    tenants: Callable[[], Awaitable[Iterable[TenantId]]]
    """Whose chains there are."""
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
        """Anchor every chain that is due; the number of anchors. A witness who does not answer is asked the next time.

        Raises StoreUnavailable where nobody can tell which chains there are.
        """
        made = 0
        for tenant in await self._p.tenants():
            try:
                if await self._is_due(tenant) and await self._p.lease.take(tenant, WORK, for_s=LEASE_S):
                    made += await self.anchor(tenant)
            except SordinoError as error:
                log.warning("the chain of tenant %s could not be anchored now: %s: %s", tenant, error.code, error.message)
                self._p.telemetry.count("sordino_anchors_total", outcome="failed")
        return made

    async def anchor(self, tenant: TenantId) -> int:
        """Show the head as it is now to every witness who has not seen it; the number of those who see it now.

        Raises:
            UpstreamFailed, UpstreamTimeout: a witness has not seen it; the others did.
            EvidenceInvalid: an entry in the store was altered, or the chain was rewritten since it was anchored: we know it
                ourselves, or a witness does.
            StoreUnavailable.
        """
        newest = await self._p.anchors.newest(tenant)
        tree, last = await self._grow(tenant, [each["head"] for each in newest.values()])
        if not tree.size:
            return 0
        made, seen = self._p.clock.now(), 0
        head = heads.head(tenant, tree.size, tree.root, last, made, sign=self._p.sign, public_key=self._p.public_key)
        failure: SordinoError | None = None
        for witness in self._p.witnesses:
            if witness.name in newest and newest[witness.name]["head"]["last"] == last:
                continue
            try:
                stamp = await witness.see(head)
            except (UpstreamFailed, UpstreamTimeout) as error:
                failure = error
                continue
            await self._p.anchors.add(tenant, anchor(head, witness.name, stamp))
            self._p.telemetry.count("sordino_anchors_total", outcome="seen")
            seen += 1
        if failure is not None:
            raise failure
        return seen

    async def _is_due(self, tenant: TenantId) -> bool:
        newest = await self._p.anchors.newest(tenant)
        shown = [newest[witness.name] for witness in self._p.witnesses if witness.name in newest]
        made = [datetime.fromisoformat(str(each["head"]["made"])) for each in shown]
        return len(shown) < len(self._p.witnesses) or self._p.clock.now() - min(made) >= self._p.every

    async def _grow(self, tenant: TenantId, anchored: Sequence[Mapping[str, Any]]) -> tuple[Growing, str]:
        """The tree over all entries, held against its anchors; what this gateway has seen before is not read again."""
        tree, last = self._grown.pop(tenant, (Growing(), ""))
        known = tree.size
        cut = await self._p.chain.beginning(tenant)
        if cut is not None and tree.size < cut.last:
            # Of what was deleted after its time only that is left which stands for it: heads are of the whole chain as before.
            tree, last = cut.tree(), cut.hash
        # What was read before was held against the anchors of that time.
        roots = {head["size"]: head["root"] for head in anchored if head["size"] > known}
        if roots.get(tree.size, f"sha256:{tree.root.hex()}") != f"sha256:{tree.root.hex()}":
            raise heads.rewritten(tenant, tree.size)
        async for entry in self._p.chain.entries(tenant, after=tree.size):
            if entry.seq != tree.size + 1 or (last and entry.previous != last):
                raise heads.rewritten(tenant, entry.seq)
            tree.add(heads.leaf(entry.hash))
            last = entry.hash
            if tree.size in roots and roots[tree.size] != f"sha256:{tree.root.hex()}":
                raise heads.rewritten(tenant, entry.seq)
        if any(tree.size < head["size"] for head in anchored):
            raise heads.rewritten(tenant, tree.size + 1)
        self._grown[tenant] = (tree, last)
        return tree, last
