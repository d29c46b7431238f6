"""An incident, a case, on a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from gateway.policy.cases import Case, spell
from gateway.reports.timeline import steps
from gateway.runner.incidents_record import NOTICE, Incident, last_scope


def show(incident: Incident, now: datetime) -> None:
    """Whom it touches, what is due, what happened."""
    main = incident.main
    _put(f"{incident.id}: {main.notes.get('what', '')}")
    where = ", ".join(part for part in (str(main.facts["processor"]), str(main.facts["region"])) if part) or "anywhere"
    _put(f"  from {main.facts['from']} to {main.facts['to']}, {where}; known since {main.facts['aware_at']}")
    if main.open:
        _put(f"  {_clock(main, now)}" if incident.parts else "  it touches nobody, as far as the evidence says")
    else:
        _put(f"  closed {_moment(main.closed_at or now)}: {main.outcome}")
    for tenant, case in incident.parts.items():
        scope = last_scope(case)
        calls, people, hops, nobody = (scope.get(name, 0) for name in ("calls", "people", "hops", "calls_of_nobody"))
        _put(f"  {tenant}: {calls} calls, {people} people (and {nobody} calls of nobody known), {hops} transmissions")
        _put(f"    evidence {scope.get('chain', 'not read')}; {_clock(case, now)}")
        if gone := scope.get("deleted_up_to"):
            _put(f"    entries 1 to {gone} were deleted after their time: what of them was of that window is not counted")
    _put("")
    for step in steps(main, incident.parts.values()):
        _put(f"  {_moment(step.at)}  {step.whose or 'gateway':<12}  {step.what}" + (f": {step.detail}" if step.detail else ""))


def show_case(case: Case, now: datetime) -> None:
    """One case: what it is about, its deadlines, what happened, who was told."""
    for line in (one_line(case, now), f"  about {case.about}, opened {_moment(case.opened_at)}"):
        _put(line)
    for each in case.deadlines.values():
        met = f"met {_moment(each.met_at)}" if each.met_at else _left(each.at, now) if case.open else "not met"
        _put(f"  {each.name}: {_moment(each.at)}, {met}")
    for event in case.events:
        _put(f"  {_moment(event.at)}  {event.what}" + (f": {facts}" if (facts := _facts(event.facts.items())) else ""))


def one_line(case: Case, now: datetime) -> str:
    """For lists."""
    if not case.open:
        state = f"closed: {case.outcome}"
    else:
        state = "; ".join(f"{each.name} {_left(each.at, now)}" for each in case.running) or "nothing is due"
    return f"{case.id}  {case.kind}  {_moment(case.opened_at)}  {state}"


def _clock(case: Case, now: datetime) -> str:
    deadline = case.deadlines.get(NOTICE)
    if deadline is None:
        return "no clock runs"
    if deadline.met_at is not None:
        late = ", LATE" if deadline.met_at > deadline.at else ""
        return f"told {_moment(deadline.met_at)}{late} (to be told by {_moment(deadline.at)})"
    return f"to be told by {_moment(deadline.at)}: {_left(deadline.at, now)}"


def _left(at: datetime, now: datetime) -> str:
    return f"in {spell(at - now)}" if at >= now else f"OVERDUE by {spell(now - at)}"


def _facts(items: Iterable[tuple[str, object]]) -> str:
    return ", ".join(f"{name} {value}" for name, value in items if isinstance(value, str | int) and name not in ("kind", "about"))


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _put(line: str) -> None:
    """Whatever people wrote, it cannot move the cursor or change the colours."""
    print("".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line))
