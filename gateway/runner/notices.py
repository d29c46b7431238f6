"""Sub-processors over time: announce, deliver, object, settle. Each step is in the tenant's notice log and in its evidence.

The log says what is permitted, the evidence proves it. The log is written first, so an objection holds also where its proof is
missing; whoever took the step is told so by EvidenceUnavailable.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.errors import InvalidRequest, Misconfigured, NotFound, StoreUnavailable
from gateway.evidence.entries import Json
from gateway.policy.contacts import Contacts
from gateway.policy.load import PolicySet
from gateway.policy.model import TenantPolicy
from gateway.policy.notice import Delivery, Event, Happened, Notice, Notices, Outcome, Terms, due, fold, material, takes_effect
from gateway.policy.notice_message import NoticeMessage, Tried, announcement
from gateway.policy.registry import Registry, SubProcessor
from gateway.policy.retention import reason_of_a_person
from gateway.ports import Clock, Ids, Ledger
from gateway.runner.account import CallAccount
from gateway.values import CallId, Hop, ProcessorId, TenantId

ATTEMPTS = 20
LETTER = "letter"
"""The channel of a notice that somebody gave by other means, with a reference to where that is proven."""


class NoticeLog(Protocol):
    async def events(self, tenant: TenantId) -> tuple[Event, ...]: ...
    async def add(self, tenant: TenantId, seen: int, events: Sequence[Event]) -> bool: ...


class NoticeSender(Protocol):
    """One channel."""

    async def deliver(self, contacts: Contacts, message: NoticeMessage) -> Tried: ...


Decide = Callable[[Notices, datetime], Sequence[Event]]
PermittedRoute = Callable[[TenantPolicy, Registry, Notices, datetime], Mapping[str, Sequence[str]]]
"""Hop to the processors that would be permitted there."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A sub-processor as it stands for one tenant. ``why`` it may not be used; empty: nothing of notice or objection bars it."""

    tenant: TenantId
    processor: ProcessorId
    notice: Notice | None
    takes_effect: str
    objected: str
    why: str


class NoticeDesk:
    """Everything that is done about notices. Time is the clock's."""

    def __init__(
        self,
        log: NoticeLog,
        ledger: Ledger,
        policies: Callable[[], PolicySet],
        senders: Mapping[str, NoticeSender],
        clock: Clock,
        ids: Ids,
        route: PermittedRoute,
    ) -> None:
        """``senders`` by channel (``webhook``, ``mail``); a channel without one fails with each attempt."""
        self._log = log
        self._ledger = ledger
        self._policies = policies
        self._senders = senders
        self._clock = clock
        self._ids = ids
        self._route = route

    async def state(self, tenant: TenantId) -> Notices:
        """Raises StoreUnavailable, also for a log that contradicts itself: then nobody knows what is permitted."""
        return folded(await self._log.events(tenant))

    async def announce(self, processor: str, tenants: Iterable[str] = ()) -> list[Standing]:
        """Start the clock of a sub-processor for every tenant (or those named), and make the first attempt on every channel.

        Raises:
            NotFound: no such sub-processor or tenant.
            StoreUnavailable, EvidenceUnavailable: what is not on record did not happen.
        """
        entry = self._entry(processor)
        for policy in self._tenants(tenants):
            channels = ",".join(policy.contacts.channels)

            def begin(state: Notices, at: datetime, channels: str = channels) -> Sequence[Event]:
                told = state.notices.get(ProcessorId(entry.id))
                if told is not None and told.material == material(entry):
                    return []  # said twice it is the same notice: its clocks run on
                return [Event(Happened.ANNOUNCED, at, ProcessorId(entry.id), {"material": material(entry), "channels": channels})]

            await self._happen(TenantId(policy.tenant), begin)
            await self.deliver_due(policy.tenant)
        return await self.standings(processor, tenants)

    async def deliver_due(self, tenant: str) -> int:
        """Try every delivery of the tenant that is due now. How many arrived. Raises StoreUnavailable, EvidenceUnavailable."""
        policy, arrived = self._policies().tenant(tenant), 0
        ready = due(await self.state(TenantId(tenant)), self._clock.now())
        for notice, delivery in ready:
            entry = self._policies().registry.entries.get(notice.processor)
            if entry is None or material(entry) != notice.material:
                continue  # what was announced is no more: it waits for a new notice anyway
            tried = await self._try(policy, entry, notice, delivery)
            kind = Happened.DELIVERED if tried.delivered else Happened.FAILED
            await self._happen(TenantId(tenant), _same(kind, notice.processor, channel=delivery.channel, proof=tried.proof))
            arrived += tried.delivered
        return arrived

    async def given(self, processor: str, tenant: str, *, on: datetime, reference: str) -> Standing:
        """Notice was given by other means on that day: ``reference`` says where that is proven.

        Raises:
            InvalidRequest: the day is still to come, or nothing was announced before.
        """
        entry = self._entry(processor)
        if on > self._clock.now():
            raise InvalidRequest("a notice cannot have been given on a day that is still to come")
        facts = {"material": material(entry), "channels": LETTER}
        reference = reason_of_a_person(reference, "proof")
        told = [
            Event(Happened.ANNOUNCED, on, ProcessorId(entry.id), facts),
            Event(
                Happened.DELIVERED,
                on,
                ProcessorId(entry.id),
                {"channel": LETTER, "proof": reference},
            ),
        ]
        await self._happen(TenantId(self._policies().tenant(tenant).tenant), lambda _, at: told)
        return (await self.standings(processor, [tenant]))[0]

    async def object(self, processor: str, tenant: str, reason: str) -> Standing:
        """The tenant's no: from now on it gets nothing of theirs. Raises NotFound, InvalidRequest (it is open already)."""
        entry, policy = self._entry(processor), self._policies().tenant(tenant)
        reason = reason_of_a_person(reason)

        def begin(state: Notices, at: datetime) -> Sequence[Event]:
            open_one = state.objections.get(ProcessorId(entry.id))
            if open_one is not None and open_one.outcome is None:
                raise InvalidRequest(f"{tenant} has objected to {processor} already, on {open_one.at.date()}")
            facts = {"reason": reason, "days": str(policy.objection_days)}
            return [Event(Happened.OBJECTED, at, ProcessorId(entry.id), facts)]

        await self._happen(TenantId(tenant), begin)
        return (await self.standings(processor, [tenant]))[0]

    async def settle(self, processor: str, tenant: str, outcome: Outcome) -> Standing:
        """How the objection ended. Raises NotFound: there is none that is open."""
        entry = self._entry(processor)

        def end(state: Notices, at: datetime) -> Sequence[Event]:
            open_one = state.objections.get(ProcessorId(entry.id))
            if open_one is None or open_one.outcome is not None:
                raise NotFound(f"{tenant} has no open objection to {processor}")
            return [Event(Happened.SETTLED, at, ProcessorId(entry.id), {"outcome": outcome.value})]

        await self._happen(TenantId(self._policies().tenant(tenant).tenant), end)
        return (await self.standings(processor, [tenant]))[0]

    async def standings(self, processor: str = "", tenants: Iterable[str] = ()) -> list[Standing]:
        """How sub-processors stand for tenants: the one that is named, or those with something on record.

        Raises StoreUnavailable, NotFound, PolicyUnavailable.
        """
        registry, at = self._policies().registry, self._clock.now()
        wanted = [self._entry(processor)] if processor else list(registry.entries.values())
        found: list[Standing] = []
        for policy in self._tenants(tenants):
            state = await self.state(TenantId(policy.tenant))
            terms = terms_of(policy)
            barred = state.barred(wanted, terms, at)
            for entry in wanted:
                name = ProcessorId(entry.id)
                if processor or name in state.notices or name in state.objections:
                    found.append(_standing(policy, name, state, terms, barred.get(name, "")))
        return found

    async def _try(self, policy: TenantPolicy, entry: SubProcessor, notice: Notice, delivery: Delivery) -> Tried:
        message = announcement(
            entry, TenantId(policy.tenant), terms_of(policy), at=notice.announced_at, objection_days=policy.objection_days
        )
        return await attempt(self._senders, delivery.channel, policy.contacts, message)

    async def _happen(self, tenant: TenantId, decide: Decide) -> None:
        """Decide on the state as it is, write it to the log if nobody was faster, then to the evidence."""
        for _ in range(ATTEMPTS):
            at, events = self._clock.now(), await self._log.events(tenant)
            before = folded(events)
            new = decide(before, at)
            after = folded((*events, *new))
            if await self._log.add(tenant, len(events), new):
                return await self._prove(tenant, new, before, after, at)
        raise StoreUnavailable("too many gateways write to this tenant's notice log at once")

    async def _prove(self, tenant: TenantId, new: Sequence[Event], before: Notices, after: Notices, at: datetime) -> None:
        account = CallAccount(tenant, CallId(self._ids.new("notice")), self._ledger, self._clock)
        policies = self._policies()
        for event in new:
            body: dict[str, Json] = {"processor": event.processor, "happened_at": event.at.isoformat(), **event.facts}
            body["registry_digest"] = policies.registry.digest
            if event.kind in (Happened.OBJECTED, Happened.SETTLED):
                policy = policies.tenant(tenant)
                body["route_before"] = _json(self._route(policy, policies.registry, before, at))
                body["route_after"] = _json(self._route(policy, policies.registry, after, at))
            await account.write(f"subprocessor.{event.kind.value}", body)

    def _entry(self, processor: str) -> SubProcessor:
        entry = self._policies().registry.entries.get(ProcessorId(processor))
        if entry is None:
            raise NotFound(f"there is no sub-processor {processor[:64]!r}", hint="sordino subprocessors list shows them")
        return entry

    def _tenants(self, names: Iterable[str]) -> list[TenantPolicy]:
        policies = self._policies()
        return [policies.tenant(name) for name in names] or [policies.tenants[name] for name in sorted(policies.tenants)]


class NoticeWatch:
    """What a call asks before each Grant: who is barred for its tenant now, and whose notice has run out."""

    def __init__(self, log: NoticeLog, policies: Callable[[], PolicySet]) -> None:
        self._log = log
        self._policies = policies
        self._folded: dict[TenantId, tuple[tuple[Event, ...], Notices]] = {}

    async def __call__(self, tenant: TenantId, at: datetime) -> tuple[Mapping[ProcessorId, str], frozenset[ProcessorId]]:
        """``(barred, noticed)`` for ``Ask``. Raises StoreUnavailable, PolicyUnavailable: then nothing leaves."""
        policies = self._policies()
        policy = policies.tenant(tenant)
        named = {ProcessorId(each.processor) for hop in Hop for each in policy.route.candidates(hop)}
        entries = [entry for name, entry in policies.registry.entries.items() if name in named]
        state, terms = self._state(tenant, await self._log.events(tenant)), terms_of(policy)
        return state.barred(entries, terms, at), state.cleared(entries, terms, at)

    def _state(self, tenant: TenantId, events: tuple[Event, ...]) -> Notices:
        """Folded once for the same events."""
        known = self._folded.get(tenant)
        if known is None or known[0] is not events:
            known = self._folded[tenant] = (events, folded(events))
        return known[1]


NoticesNow = Callable[[TenantId, datetime], Awaitable[tuple[Mapping[ProcessorId, str], frozenset[ProcessorId]]]]


def terms_of(policy: TenantPolicy) -> Terms:
    """The notice periods of a tenant's policy."""
    return Terms(policy.notice_days, policy.notice_business_days, policy.holidays)


async def attempt(senders: Mapping[str, NoticeSender], channel: str, contacts: Contacts, message: NoticeMessage) -> Tried:
    """One attempt on one channel. What is not set up for it has failed, in words that may stand in the log."""
    sender = senders.get(channel)
    if sender is None:
        return Tried(delivered=False, proof="this gateway has no such channel")
    try:
        return await sender.deliver(contacts, message)
    except Misconfigured as error:
        return Tried(delivered=False, proof=error.message)


def folded(events: Sequence[Event]) -> Notices:
    """``fold``. Raises StoreUnavailable for a log that contradicts itself."""
    try:
        return fold(events)
    except (InvalidRequest, KeyError, ValueError):
        raise StoreUnavailable("the notice log contradicts itself", hint="restore it from a backup") from None


def _same(kind: Happened, processor: ProcessorId, **facts: str) -> Decide:
    return lambda _, at: [Event(kind, at, processor, facts)]


def _standing(policy: TenantPolicy, name: ProcessorId, state: Notices, terms: Terms, why: str) -> Standing:
    notice, objection = state.notices.get(name), state.objections.get(name)
    day = takes_effect(terms, notice.delivered_at) if notice and notice.delivered_at else None
    ended = "" if objection is None else objection.outcome.value if objection.outcome else f"open until {objection.settle_by}"
    return Standing(TenantId(policy.tenant), name, notice, day.isoformat() if day else "", ended, why)


def _json(route: Mapping[str, Sequence[str]]) -> dict[str, Json]:
    return {hop: list(names) for hop, names in route.items()}
