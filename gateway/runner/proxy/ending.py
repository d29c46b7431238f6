"""The end of a conversation of the model proxy: its last entry, its receipt, and its key destroyed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime

from gateway.errors import EvidenceUnavailable, InvalidRequest
from gateway.evidence.chain import genesis
from gateway.evidence.entries import Entry, Json
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

    async def end(self, tenant: TenantPolicy, named: str, *, destroy: bool = True) -> Receipt:
        """The receipt of the conversation of that name or id. What its placeholders stood for is gone when this returns, but
        where ``destroy`` is false: then who asks deletes it.

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
                await self._write_end(conversation, entries)
                entries = await self._thread(conversation)
            receipt = await self._seal(entries)
            if destroy:
                await conversation.stored.destroy()
        finally:
            conversation.busy -= 1
            self._parts.conversations.forget(conversation)
        return receipt

    async def _write_end(self, conversation: Conversation, thread: Sequence[Entry]) -> None:
        await conversation.account.write("call.ended", ended_body(thread, now=self._parts.clock.now()))
        await conversation.stored.keep({}, conversation.account.confirmed)

    async def _thread(self, conversation: Conversation) -> list[Entry]:
        tenant, head = TenantId(conversation.tenant.tenant), conversation.account.confirmed
        found = [entry async for entry in self._read(tenant, conversation.call)]
        return thread_to(head, found, tenant, conversation.call)


def ended_body(thread: Sequence[Entry], *, now: datetime | None = None, reason: str = "") -> dict[str, Json]:
    """The body of ``call.ended``. ``now``: when somebody ended it; nobody did: it has lasted until its last entry."""
    lasted = (now or thread[-1].draft.at) - thread[0].draft.at
    body: dict[str, Json] = {"outcome": "completed", "duration_ms": max(0, int(lasted.total_seconds() * 1000))}
    return {**body, "reason": reason} if reason else body


def thread_to(head: str, found: Sequence[Entry], tenant: TenantId, call: CallId) -> list[Entry]:
    """A call's entries from its first to the one of that hash, and the last one if somebody has written it already.

    What the store took and nobody built on is left out. Raises EvidenceUnavailable: one of them is not there.
    """
    by_hash = {entry.hash: entry for entry in found}
    thread = [entry for entry in found if entry.draft.kind == "call.ended" and entry.draft.call_previous == head][:1]
    while head and head != genesis(tenant, call):
        if head not in by_hash:
            raise EvidenceUnavailable("the evidence of that conversation is not whole in the store")
        thread.append(by_hash[head])
        head = thread[-1].draft.call_previous
    return thread[::-1]


def newest_thread(found: Sequence[Entry], tenant: TenantId, call: CallId) -> list[Entry]:
    """The same, to its last entry, where nobody knows any more which one its gateway acted on. Raises EvidenceUnavailable."""
    return thread_to(found[-1].hash, found, tenant, call) if found else []
