"""What one call leaves on record: its entries in order, each linked to the one before."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from gateway.errors import EvidenceUnavailable
from gateway.evidence.chain import NEVER_UNCONFIRMED, UNCONFIRMED, CallChain
from gateway.evidence.entries import Draft, Entry, Json
from gateway.ports import Clock, Ledger
from gateway.values import CallId, TenantId


class CallAccount:
    """Writes a call's entries one after the other. What the ledger did not confirm stands in the receipt as unconfirmed."""

    def __init__(self, tenant: TenantId, call: CallId, ledger: Ledger, clock: Clock, *, after: str = "") -> None:
        """``after``: the hash of the call's last entry, where another gateway, or this one before, has written some."""
        self.tenant = tenant
        self.call = call
        self._chain = CallChain(tenant, call, after=after)
        self._ledger = ledger
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()

    @property
    def head(self) -> str:
        """The hash of the call's last entry; empty before the first."""
        return self._chain.head

    @property
    def confirmed(self) -> str:
        """The hash of the call's last entry that the ledger has; empty before the first."""
        known = [entry.hash for entry in self._chain.entries if entry.durable != UNCONFIRMED]
        return known[-1] if known else self._chain.after

    def go_on_behind(self, head: str) -> None:
        """Another gateway has written to the call's thread: go on behind its last entry."""
        if head != self._chain.head:
            self._chain = CallChain(self.tenant, self.call, after=head)

    def forget_all_but_last(self) -> None:
        """Keep the thread and let go of what is in the ledger: for conversations that go on for days."""
        if not self._chain.cut:
            del self._chain.entries[:-1]

    @property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(self._chain.entries)

    async def write(self, kind: str, body: Mapping[str, Json]) -> None:
        """Returns when the ledger has confirmed the entry.

        Raises:
            EvidenceUnavailable: it has not. From then on nothing of this call can be confirmed, and every write says so at
                once: an entry after a gap would prove nothing.
        """
        async with self._one_at_a_time:
            draft = self._chain.draft(kind, self._clock.now(), body)
            if self._chain.cut:
                self._keep_unconfirmed(draft)
                raise EvidenceUnavailable("the ledger lost an earlier entry of this call")
            try:
                self._chain.add(await self._ledger.append(draft))
            except EvidenceUnavailable:
                self._keep_unconfirmed(draft)
                raise

    def _keep_unconfirmed(self, draft: Draft) -> None:
        # What lets data move was not confirmed, so it did not happen and has no place in the receipt.
        if draft.kind in NEVER_UNCONFIRMED:
            self._chain.cut = True
        else:
            self._chain.add_unconfirmed(draft)
