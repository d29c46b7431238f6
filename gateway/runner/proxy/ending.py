"""The end of a conversation of the model proxy: its last entry, its receipt, and its key destroyed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from gateway.errors import EvidenceUnavailable, InvalidRequest
from gateway.evidence.chain import genesis
from gateway.evidence.entries import Entry
from gateway.evidence.receipt import Receipt
from gateway.policy.model import TenantPolicy
from gateway.runner.proxy.conversations import Conversation
from gateway.runner.proxy.record import ProxyParts
from gateway.values import CallId, TenantId

Seal = Callable[[Sequence[Entry]], Awaitable[Receipt]]
"""Makes the receipt of these entries and keeps it."""
ReadEntries = Callable[[TenantId, CallId], AsyncIterator[Entry]]


class Endings:
    """Ends conversations, once each. ``read`` gives a call's entries of the tenant's evidence."""

    def __init__(self, parts: ProxyParts, read: ReadEntries, seal: Seal) -> None:
        self._parts = parts
        self._read = read
        self._seal = seal

    async def end(self, tenant: TenantPolicy, named: str) -> Receipt:
        """The receipt of the conversation of that name or id. What its placeholders stood for is gone when this returns.

        Asked again after a failure, it goes on where it stopped.

        Raises:
            NotFound: there is no such conversation of this tenant, or it has ended.
            InvalidRequest: this gateway is still answering a request of it, or nothing was ever asked in it.
            StoreUnavailable, EvidenceUnavailable: it has not ended.
        """
        conversation = await self._parts.conversations.existing(tenant, named)
        if conversation.busy:
            raise InvalidRequest("the conversation is still being answered", hint="end it when its last answer is whole")
        conversation.busy += 1
        try:
            entries = await self._thread(conversation)
            if not entries:
                raise InvalidRequest("nothing was asked in that conversation")
            if entries[-1].draft.kind != "call.ended":
                await self._write_end(conversation, entries[0])
                entries = await self._thread(conversation)
            receipt = await self._seal(entries)
            await conversation.stored.destroy()
        finally:
            conversation.busy -= 1
            self._parts.conversations.forget(conversation)
        return receipt

    async def _write_end(self, conversation: Conversation, first: Entry) -> None:
        lasted = self._parts.clock.now() - first.draft.at
        duration_ms = max(0, int(lasted.total_seconds() * 1000))
        await conversation.account.write("call.ended", {"outcome": "completed", "duration_ms": duration_ms})
        await conversation.stored.keep({}, conversation.account.confirmed)

    async def _thread(self, conversation: Conversation) -> list[Entry]:
        """The conversation's entries from its first to its last. What the store took and nobody built on is left out."""
        tenant, head = TenantId(conversation.tenant.tenant), conversation.account.confirmed
        by_hash = {entry.hash: entry async for entry in self._read(tenant, conversation.call)}
        thread: list[Entry] = []
        while head and head != genesis(tenant, conversation.call):
            if head not in by_hash:
                raise EvidenceUnavailable("the evidence of that conversation is not whole in the store")
            thread.append(by_hash[head])
            head = thread[-1].draft.call_previous
        return thread[::-1]
