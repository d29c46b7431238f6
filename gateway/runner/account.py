"""What one call leaves on record: its entries in order, each linked to the one before."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from gateway.errors import EvidenceUnavailable
from gateway.evidence.chain import NEVER_UNCONFIRMED, UNCONFIRMED, CallChain
from gateway.evidence.entries import Draft, Entry, Json
from gateway.ports import Clock, Ledger
from gateway.values import CallId, TenantId

Said = tuple[str, datetime, Mapping[str, Json]]
"""Kind, time and body of an entry."""
AppendAll = Callable[[Sequence[Draft]], Awaitable[Sequence[Entry]]]
"""The way of a ledger that takes several entries of a call in one confirmed write (``RedisLedger.append_all``)."""


class CallAccount:
    """Writes a call's entries one after the other. What the ledger did not confirm stands in the receipt as unconfirmed."""

    def __init__(self, tenant: TenantId, call: CallId, ledger: Ledger, clock: Clock, *, after: str = "") -> None:
        """``after``: the hash of the call's last entry, where another gateway, or this one before, has written some."""
        self.tenant = tenant
        self.call = call
        self._chain = CallChain(tenant, call, after=after)
        self._ledger = ledger
        self._append_all: AppendAll | None = getattr(ledger, "append_all", None)
        self._clock = clock
        self._ahead: list[Said] = []
        """What is to be written with the next entry, before it."""
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
            said = (kind, self._clock.now(), body)
            ahead, self._ahead = self._ahead, []
            if ahead and self._append_all is not None and not self._chain.cut:
                await self._write_all([*ahead, said], self._append_all)
            else:
                await self._write_each([*ahead, said])

    def write_ahead(self, kind: str, body: Mapping[str, Json]) -> None:
        """Something that happened now, to be written with the next entry and before it: whoever waits for that waits for both.

        ``settle`` writes it where no other entry comes.
        """
        self._ahead.append((kind, self._clock.now(), body))

    async def settle(self) -> None:
        """Write what waits for a next entry. Raises EvidenceUnavailable."""
        if self._ahead:
            async with self._one_at_a_time:
                ahead, self._ahead = self._ahead, []
                await self._write_each(ahead)

    async def _write_all(self, said: Sequence[Said], append_all: AppendAll) -> None:
        try:
            for entry in await append_all([self._chain.draft(*each) for each in said]):
                self._chain.add(entry)
        except EvidenceUnavailable:
            for each in said:
                self._keep_unconfirmed(self._chain.draft(*each))
            raise

    async def _write_each(self, said: Sequence[Said]) -> None:
        for place, each in enumerate(said):
            try:
                await self._append(self._chain.draft(*each))
            except EvidenceUnavailable:
                for unconfirmed in said[place:]:
                    self._keep_unconfirmed(self._chain.draft(*unconfirmed))
                raise

    async def _append(self, draft: Draft) -> None:
        if self._chain.cut:
            raise EvidenceUnavailable("the ledger lost an earlier entry of this call")
        self._chain.add(await self._ledger.append(draft))

    def _keep_unconfirmed(self, draft: Draft) -> None:
        # What lets data move was not confirmed, so it did not happen and has no place in the receipt.
        if draft.kind in NEVER_UNCONFIRMED:
            self._chain.cut = True
        else:
            self._chain.add_unconfirmed(draft)
