"""Cases: a person's request, a regulator's question, an incident. What happened, which deadlines run, who was told.

Each case is a list of events that is only ever added to; ``fold`` makes its state out of them. Time is an argument. Nothing here
names a person: a case is about a keyed hash, a call or an incident's id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from gateway.errors import InvalidRequest
from gateway.policy.notice import Delivery
from gateway.policy.notice_message import NoticeMessage, moment
from gateway.values import TenantId

OPENED, CLOSED, LETTER, NOTIFIED, ATTEMPTED = "opened", "closed", "letter", "notified", "attempted"
RESERVED = frozenset({OPENED, CLOSED, LETTER, NOTIFIED, ATTEMPTED})
"""What the case book itself writes; every other word is its user's."""

REMIND_BEFORE = tuple(timedelta(hours=hours) for hours in (168, 48, 12, 4, 1, 0, -24))
"""How long before a deadline the tenant's contacts are told of it; the last is a day behind it."""
REMINDER = "case.deadline"


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One step. ``at`` is aware."""

    what: str
    at: datetime
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Goes into the evidence: names, counts, times, digests; no free text."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """Free text that a person wrote. It stays in the case; the evidence has its SHA-256."""
    deadlines: Mapping[str, datetime] = field(default_factory=dict)
    """Deadlines that run from now on, or are moved."""
    meets: tuple[str, ...] = ()
    """Deadlines that this step keeps."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """Something that must be done by ``at``. ``since``: when it was set."""

    name: str
    at: datetime
    since: datetime
    met_at: datetime | None = None

    def is_overdue(self, now: datetime) -> bool:
        """Whether it was not met in time, or is not yet and should be."""
        return (self.met_at or now) > self.at


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to the tenant's contacts, and how it fared on each channel."""

    message: NoticeMessage
    deliveries: Mapping[str, Delivery]
    meets: tuple[str, ...] = ()

    @property
    def delivered_at(self) -> datetime | None:
        """When the first channel delivered it."""
        return min((each.delivered_at for each in self.deliveries.values() if each.delivered_at), default=None)


@dataclass(frozen=True, slots=True)
class Case:
    """A case as it stands. ``about`` is what the one who opened it gave: a keyed hash, a call's or an incident's id."""

    id: str
    tenant: TenantId
    kind: str
    about: str
    opened_at: datetime
    facts: Mapping[str, Any]
    notes: Mapping[str, str]
    events: tuple[CaseEvent, ...]
    deadlines: Mapping[str, Deadline] = field(default_factory=dict)
    letters: Mapping[str, Letter] = field(default_factory=dict)
    closed_at: datetime | None = None
    outcome: str = ""

    @property
    def open(self) -> bool:
        return self.closed_at is None

    @property
    def running(self) -> tuple[Deadline, ...]:
        """The deadlines that still run, the next one first. A closed case has none."""
        left = [each for each in self.deadlines.values() if each.met_at is None] if self.open else []
        return tuple(sorted(left, key=lambda each: (each.at, each.name)))

    @property
    def live(self) -> bool:
        """Whether something is still to be done: it is open, or a letter waits for its delivery."""
        waiting = (delivery.due_at for letter in self.letters.values() for delivery in letter.deliveries.values())
        return self.open or any(at is not None for at in waiting)

    def is_overdue(self, now: datetime) -> bool:
        """Whether a deadline that still runs is past."""
        return any(each.is_overdue(now) for each in self.running)


@dataclass(frozen=True, slots=True)
class Due:
    """A deadline that is near or past. ``left`` is negative behind it."""

    case: Case
    deadline: Deadline
    left: timedelta

    @property
    def overdue(self) -> bool:
        return self.left < timedelta(0)


def fold(case_id: str, tenant: TenantId, events: Sequence[CaseEvent]) -> Case:
    """The case after ``events``, of which there is one at least.

    Raises:
        InvalidRequest: they contradict each other: the first does not open it, a deadline or a letter is not known, it is closed
            twice.
        KeyError, ValueError: an event of the book's own lacks a fact.
    """
    first = events[0]
    if first.what != OPENED:
        raise InvalidRequest("a case begins with its opening")
    facts = {name: value for name, value in first.facts.items() if name not in ("kind", "about")}
    kind, about = str(first.facts["kind"]), str(first.facts["about"])
    case = Case(case_id, tenant, kind, about, first.at, facts, dict(first.notes), tuple(events))
    for number, event in enumerate(events):
        case = _after(case, event, first=number == 0)
    return case


def _after(case: Case, event: CaseEvent, *, first: bool) -> Case:
    if event.what == OPENED and not first:
        raise InvalidRequest("a case is opened once")
    deadlines = dict(case.deadlines)
    for name, at in event.deadlines.items():
        deadlines[name] = Deadline(name, at, event.at)
    letters, meets = dict(case.letters), event.meets
    if event.what == LETTER:
        letters[str(event.facts["letter"])] = _letter(event)
        meets = ()
    elif event.what in (NOTIFIED, ATTEMPTED):
        name, channel = str(event.facts["letter"]), str(event.facts["channel"])
        letters[name], first_one = _tried(letters.get(name), channel, event)
        meets = letters[name].meets if first_one else ()
    for name in meets:
        if name not in deadlines:
            raise InvalidRequest(f"this case has no deadline {name[:40]!r}")
        if deadlines[name].met_at is None:
            deadlines[name] = replace(deadlines[name], met_at=event.at)
    if event.what == CLOSED:
        if not case.open:
            raise InvalidRequest("this case is closed already")
        case = replace(case, closed_at=event.at, outcome=str(event.facts["outcome"]))
    return replace(case, deadlines=deadlines, letters=letters)


def _letter(event: CaseEvent) -> Letter:
    facts, notes = event.facts, event.notes
    message = NoticeMessage(
        str(facts["letter"]), str(facts["letter_kind"]), event.at, notes["subject"], notes["text"], facts.get("data", {})
    )
    return Letter(message, {name: Delivery(name) for name in facts["channels"]}, event.meets)


def _tried(letter: Letter | None, channel: str, event: CaseEvent) -> tuple[Letter, bool]:
    """The letter after one attempt, and whether this was the first time that it arrived."""
    if letter is None or channel not in letter.deliveries:
        raise InvalidRequest("an attempt for a letter that nobody wrote")
    before, arrived = letter.deliveries[channel], event.what == NOTIFIED
    proof = str(event.facts["proof"])
    tried = Delivery(channel, before.attempts + 1, event.at, before.delivered_at or (event.at if arrived else None), proof)
    return replace(letter, deliveries={**letter.deliveries, channel: tried}), arrived and letter.delivered_at is None


def letter_event(message: NoticeMessage, channels: Sequence[str], meets: Sequence[str] = ()) -> CaseEvent:
    """The event that writes ``message`` into the case; it is ``message.at`` then. It waits for delivery from there on."""
    facts = {"letter": message.id, "letter_kind": message.kind, "channels": list(channels), "data": dict(message.data)}
    return CaseEvent(LETTER, message.at, facts, {"subject": message.subject, "text": message.text}, meets=tuple(meets))


def to_deliver(case: Case, now: datetime) -> Iterator[tuple[Letter, str]]:
    """Each letter and channel that is to be tried now."""
    for letter in case.letters.values():
        for delivery in letter.deliveries.values():
            due = delivery.due_at
            if due is not None and due <= now:
                yield letter, delivery.channel


def reminder(case: Case, now: datetime) -> NoticeMessage | None:
    """What the tenant's contacts are to be told of this case's deadlines now; None: nothing, or it was said already.

    One message for one deadline at a time, the most urgent first, and of the distances that have passed the last one only: a
    gateway that was away for a week says one thing, not seven. The name is the same whoever makes it, so it is said once.
    """
    for deadline in case.running:
        passed = [
            step
            for step in REMIND_BEFORE
            if deadline.at - step <= now and (step <= timedelta(0) or deadline.at - step > deadline.since)
        ]
        if not passed:
            continue
        step = min(passed)
        name = f"{case.id}_{deadline.name}_{int(deadline.at.timestamp())}_{_hours(step)}"
        if name not in case.letters:
            return _reminder(case, deadline, name, now)
    return None


def _hours(step: timedelta) -> str:
    hours = int(step.total_seconds()) // 3600
    return f"{hours}h" if hours >= 0 else f"late{-hours}h"


def _reminder(case: Case, deadline: Deadline, name: str, now: datetime) -> NoticeMessage:
    left = deadline.at - now
    when = f"was due {spell(-left)} ago" if left < timedelta(0) else f"is due in {spell(left)}"
    data = {
        "tenant": case.tenant,
        "case": case.id,
        "case_kind": case.kind,
        "about": case.about,
        "deadline": deadline.name,
        "due_at": moment(deadline.at),
        "overdue": left < timedelta(0),
    }
    lines = (
        f"A deadline of a case {when}.",
        "",
        f"  Case:     {case.id} ({case.kind})",
        f"  About:    {case.about}",
        f"  Opened:   {moment(case.opened_at)}",
        f"  Deadline: {deadline.name}, {data['due_at']}",
        "",
        f"To see it: sordino cases show {case.id} --tenant {case.tenant}",
        "",
    )
    subject = f"{'OVERDUE' if data['overdue'] else 'Due'}: {deadline.name} of case {case.id}"
    return NoticeMessage(name, REMINDER, now, subject, "\n".join(lines), data)


def spell(left: timedelta) -> str:
    """A span of time for people: ``2 days``, ``5 h 30 min``, ``40 min``."""
    minutes = int(left.total_seconds()) // 60
    if minutes >= 48 * 60:
        return f"{minutes // 1440} days"
    hours, rest = divmod(minutes, 60)
    return " ".join([*([f"{hours} h"] if hours else []), *([f"{rest} min"] if rest or not hours else [])])
