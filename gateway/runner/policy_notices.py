"""Tells tenants that their policy has changed: noted in the notice log, delivered as other notices are, proven as evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from gateway.errors import StoreUnavailable
from gateway.evidence.entries import Json
from gateway.policy.change_notice import CHANGED, change_message, is_of_policy, noticed
from gateway.policy.model import TenantPolicy
from gateway.policy.notice import Event, Happened, due
from gateway.ports import Clock, Ids, Ledger
from gateway.runner.account import CallAccount
from gateway.runner.notices import ATTEMPTS, NoticeLog, NoticeSender, attempt, folded
from gateway.values import CallId, ProcessorId, TenantId


class PolicyNotices:
    """Looks at one tenant's policy after the other, as often as it is asked to. Time is the clock's."""

    def __init__(self, log: NoticeLog, ledger: Ledger, senders: Mapping[str, NoticeSender], clock: Clock, ids: Ids) -> None:
        """``senders`` by channel, as ``NoticeDesk`` has them."""
        self._log = log
        self._ledger = ledger
        self._senders = senders
        self._clock = clock
        self._ids = ids
        self._seen: dict[str, str] = {}
        self._unproven: dict[TenantId, list[Event]] = {}

    async def look(self, policy: TenantPolicy) -> int:
        """Put down a change of the tenant's policy, and try every delivery of one that is due. How many arrived.

        Nothing happens for a tenant that does not ask for it (``notify_policy_changes``) or has no contacts.

        Raises:
            StoreUnavailable, EvidenceUnavailable: the next look goes on where this one stopped.
        """
        if not (policy.notify_policy_changes and policy.contacts.channels):
            return 0
        await self._prove(TenantId(policy.tenant))
        # Once for each policy of this process: while two gateways run with different files, they do not contradict each other
        # without end.
        if self._seen.get(policy.tenant) != policy.digest:
            await self._happen(TenantId(policy.tenant), lambda events, at: _noticed(policy, events, at))
            self._seen[policy.tenant] = policy.digest
        return await self._deliver_due(policy)

    async def _deliver_due(self, policy: TenantPolicy) -> int:
        tenant, arrived = TenantId(policy.tenant), 0
        events = await self._log.events(tenant)
        told = {event.processor: event for event in events if is_of_policy(event) and event.kind is Happened.ANNOUNCED}
        for notice, delivery in due(folded(events), self._clock.now()):
            if notice.processor not in told:
                continue
            message = change_message(told[notice.processor], tenant)
            tried = await attempt(self._senders, delivery.channel, policy.contacts, message)
            kind = Happened.DELIVERED if tried.delivered else Happened.FAILED
            await self._happen(tenant, _happened(kind, notice.processor, channel=delivery.channel, proof=tried.proof))
            arrived += tried.delivered
        return arrived

    async def _happen(self, tenant: TenantId, decide: Callable[[Sequence[Event], datetime], Sequence[Event]]) -> None:
        """Decide on the log as it is, write to it if nobody was faster, then to the evidence."""
        for _ in range(ATTEMPTS):
            at, events = self._clock.now(), await self._log.events(tenant)
            new = decide(events, at)
            if await self._log.add(tenant, len(events), new):
                self._unproven.setdefault(tenant, []).extend(new)
                return await self._prove(tenant)
        raise StoreUnavailable("too many gateways write to this tenant's notice log at once")

    async def _prove(self, tenant: TenantId) -> None:
        """Write what is in the log to the evidence, also what the ledger did not take before."""
        waiting = self._unproven.get(tenant, [])
        account = CallAccount(tenant, CallId(self._ids.new("notice")), self._ledger, self._clock)
        while waiting:
            event = waiting[0]
            facts = event.facts
            body: dict[str, Json] = {"notice": event.processor, "happened_at": event.at.isoformat()}
            if event.kind is not Happened.ANNOUNCED:
                await account.write(f"{CHANGED}.{event.kind.value}", {**body, **facts})
            elif facts["old"]:
                settings: list[Json] = [name for name in facts["settings"].split(",") if name]
                told: dict[str, Json] = {"old_digest": facts["old"], "new_digest": facts["material"], "settings": settings}
                await account.write(CHANGED, {**body, **told, "channels": facts["channels"]})
            del waiting[0]


def _noticed(policy: TenantPolicy, events: Sequence[Event], at: datetime) -> Sequence[Event]:
    try:
        return noticed(policy, events, at)
    except KeyError:
        raise StoreUnavailable("the notice log contradicts itself", hint="restore it from a backup") from None


def _happened(kind: Happened, subject: ProcessorId, **facts: str) -> Callable[[Sequence[Event], datetime], Sequence[Event]]:
    return lambda _, at: [Event(kind, at, subject, facts)]
