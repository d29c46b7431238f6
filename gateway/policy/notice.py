"""New sub-processors: notice, the clocks that then run, objections and how they end (promises 3, 4, 5 and 35).

What happened stands in an append-only list of events for each tenant. ``fold`` makes the state of affairs out of them; time is
an argument, so the answer of tomorrow can be asked today. Nothing here names a caller.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from gateway.errors import InvalidRequest
from gateway.policy.calendar import add_business_days, holidays_of, is_calendar
from gateway.policy.canonical import digest
from gateway.policy.registry import SubProcessor
from gateway.values import ProcessorId

State = TypeVar("State")

SETTLE_WITHIN_DAYS = 18
"""Days in which an objection is to be settled, before the agreement may be ended, where the policy names none (promise 5)."""
RETRY_AFTER_S = (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds to wait before each attempt to deliver, as Standard Webhooks 1.0.0 proposes: about three days in all."""


class Happened(StrEnum):
    """Kinds of event in a tenant's notice log."""

    ANNOUNCED = "announced"
    DELIVERED = "delivered"
    FAILED = "failed"
    OBJECTED = "objected"
    SETTLED = "settled"


class Outcome(StrEnum):
    """How an objection ended: the tenant takes the processor after all, goes on without it, or ends the agreement."""

    ACCEPTED = "accepted"
    AVOIDED = "avoided"
    TERMINATED = "terminated"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a tenant's notice log. ``facts`` by kind: see ``fold``. ``at`` is aware."""

    kind: Happened
    at: datetime
    processor: ProcessorId
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a tenant's contracts ask for before a new sub-processor is used. A business day is one in all ``calendars``."""

    days: int
    business_days: int = 0
    calendars: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Clock:
    """One period that must pass. ``first_day`` is the first on which it is over; None: it cannot be told, so it never is."""

    name: str
    first_day: date | None
    why: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One channel's part of a notice: attempts so far, and the proof once one arrived."""

    channel: str
    attempts: int = 0
    last_attempt: datetime | None = None
    delivered_at: datetime | None = None
    proof: str = ""

    @property
    def due_at(self) -> datetime | None:
        """When to try again; None: it has arrived, or every attempt was made."""
        if self.delivered_at is not None or self.attempts >= len(RETRY_AFTER_S):
            return None
        if self.last_attempt is None:
            return datetime.min.replace(tzinfo=UTC)
        return self.last_attempt + timedelta(seconds=RETRY_AFTER_S[self.attempts])


@dataclass(frozen=True, slots=True)
class Notice:
    """What one tenant was told of one sub-processor. ``material`` names the terms that it was told (see ``material``)."""

    processor: ProcessorId
    announced_at: datetime
    material: str
    deliveries: Mapping[str, Delivery]

    @property
    def delivered_at(self) -> datetime | None:
        """When the first channel delivered it: from then on the clocks run."""
        return min((each.delivered_at for each in self.deliveries.values() if each.delivered_at), default=None)


@dataclass(frozen=True, slots=True)
class Objection:
    """A tenant's no. It holds at once, and until it is settled otherwise."""

    processor: ProcessorId
    at: datetime
    reason: str
    days: int = SETTLE_WITHIN_DAYS
    """Days to find a solution."""
    outcome: Outcome | None = None
    settled_at: datetime | None = None

    @property
    def settle_by(self) -> date:
        return self.at.date() + timedelta(days=self.days)

    def overdue(self, at: datetime) -> bool:
        """Whether the time to find a solution is over: then the tenant may end the agreement."""
        return self.outcome is None and at.date() > self.settle_by

    @property
    def holds(self) -> bool:
        return self.outcome is not Outcome.ACCEPTED


@dataclass(frozen=True, slots=True)
class Notices:
    """One tenant's state of affairs: the last notice and the last objection for each sub-processor."""

    notices: Mapping[ProcessorId, Notice] = field(default_factory=dict)
    objections: Mapping[ProcessorId, Objection] = field(default_factory=dict)

    def barred(self, entries: Collection[SubProcessor], terms: Terms, at: datetime) -> dict[ProcessorId, str]:
        """Whom this tenant may not use at ``at``, with the sentence why: what ``Ask.barred`` takes."""
        found = {ProcessorId(entry.id): why for entry in entries if (why := self._waits(entry, terms, at)) is not None}
        for processor, objection in self.objections.items():
            if objection.holds:
                found[processor] = _objected(objection)
        return found

    def cleared(self, entries: Collection[SubProcessor], terms: Terms, at: datetime) -> frozenset[ProcessorId]:
        """The pending ones whose notice was given to this tenant and has run out: they may be used from now on."""
        barred = self.barred(entries, terms, at)
        return frozenset(ProcessorId(e.id) for e in entries if e.id in self.notices and e.id not in barred)

    def _waits(self, entry: SubProcessor, terms: Terms, at: datetime) -> str | None:
        notice = self.notices.get(ProcessorId(entry.id))
        if notice is None:
            return None
        if notice.material != material(entry):
            return "it has changed since it was announced, so it waits for a new notice"
        if notice.delivered_at is None:
            return f"its notice of {notice.announced_at.date()} has reached nobody at the tenant yet"
        running = [clock for clock in clocks(terms, notice.delivered_at) if not _over(clock, at)]
        return f"it is pending: {'; '.join(clock.why for clock in running)}" if running else None


def clocks(terms: Terms, delivered_at: datetime) -> tuple[Clock, ...]:
    """Each period that the contracts ask for, counted from the day after the notice arrived, in UTC."""
    day = delivered_at.astimezone(UTC).date()
    found = [_clock(f"{terms.days} days", day + timedelta(days=terms.days + 1 if terms.days else 0), day)]
    if terms.business_days:
        unknown = [calendar for calendar in terms.calendars if not is_calendar(calendar)]
        where = f" in {' and '.join(terms.calendars)}" if terms.calendars else ""
        name = f"{terms.business_days} business days{where}"
        if unknown:
            found.append(Clock(name, None, f"the holidays of {unknown[0]} are not known, so {name} cannot be counted"))
        else:
            years = [holidays_of(calendar) for calendar in terms.calendars]
            last = add_business_days(day, terms.business_days, lambda each: any(is_holiday(each) for is_holiday in years))
            found.append(_clock(name, last + timedelta(days=1), day))
    return tuple(found)


def takes_effect(terms: Terms, delivered_at: datetime) -> date | None:
    """The first day on which every clock is over (the strictest ends it); None: it cannot be told, so never."""
    days = [clock.first_day for clock in clocks(terms, delivered_at)]
    return None if None in days else max(day for day in days if day is not None)


def material(entry: SubProcessor) -> str:
    """A digest of what a tenant must be told of: who, where, what for, which data, training, retention, mechanisms.

    A review date or a note of a source is none of that, so it may change without notice.
    """
    told = ("name", "purpose", "kind", "base_url", "region", "training", "retention_days", "receives", "mechanism")
    facts = entry.model_dump(mode="json", exclude_none=True)
    return digest({name: facts[name] for name in told if name in facts})


def fold(events: Iterable[Event]) -> Notices:
    """The state after ``events``, in their order.

    Facts by kind: ``announced``: ``material``, ``channels`` (names with a comma between); ``delivered``, ``failed``: ``channel``,
    ``proof``; ``objected``: ``reason``, ``days``; ``settled``: ``outcome``. A new announcement begins anew, an objection stays.

    Raises:
        InvalidRequest: an event does not fit what was before it.
    """
    notices: dict[ProcessorId, Notice] = {}
    objections: dict[ProcessorId, Objection] = {}
    for event in events:
        match event.kind:
            case Happened.ANNOUNCED:
                channels = [name for name in event.facts["channels"].split(",") if name]
                deliveries = {name: Delivery(name) for name in channels}
                notices[event.processor] = Notice(event.processor, event.at, event.facts["material"], deliveries)
            case Happened.DELIVERED | Happened.FAILED:
                notices[event.processor] = _tried(_known(notices, event), event)
            case Happened.OBJECTED:
                objections[event.processor] = Objection(
                    event.processor, event.at, event.facts["reason"], int(event.facts.get("days", SETTLE_WITHIN_DAYS))
                )
            case Happened.SETTLED:
                open_one = _known(objections, event)
                outcome = Outcome(event.facts["outcome"])
                objections[event.processor] = replace(open_one, outcome=outcome, settled_at=event.at)
    return Notices(notices, objections)


def _known(state: Mapping[ProcessorId, State], event: Event) -> State:
    found = state.get(event.processor)
    if found is None:
        raise InvalidRequest(f"nothing is on record for {event.processor} to which this could belong ({event.kind.value})")
    return found


def _tried(notice: Notice, event: Event) -> Notice:
    channel = event.facts["channel"]
    before = notice.deliveries.get(channel, Delivery(channel))
    after = replace(before, attempts=before.attempts + 1, last_attempt=event.at, proof=event.facts.get("proof", ""))
    if event.kind is Happened.DELIVERED and before.delivered_at is None:
        after = replace(after, delivered_at=event.at)
    return replace(notice, deliveries={**notice.deliveries, channel: after})


def _objected(objection: Objection) -> str:
    if objection.outcome is not None:
        return f"the tenant objected to it on {objection.at.date()}, and that ended as {objection.outcome.value}"
    return f"the tenant objected to it on {objection.at.date()}; a solution is due by {objection.settle_by}"


def _clock(name: str, first_day: date, delivered: date) -> Clock:
    return Clock(name, first_day, f"{name} from its notice of {delivered} end before {first_day}")


def _over(clock: Clock, at: datetime) -> bool:
    return clock.first_day is not None and at.astimezone(UTC).date() >= clock.first_day


def due(notices: Notices, at: datetime) -> Sequence[tuple[Notice, Delivery]]:
    """The deliveries to try now, in the order of their announcement."""
    waiting = [(notice, delivery) for notice in notices.notices.values() for delivery in notice.deliveries.values()]
    ready = [pair for pair in waiting if (when := pair[1].due_at) is not None and when <= at]
    return sorted(ready, key=lambda pair: (pair[0].announced_at, pair[0].processor, pair[1].channel))
