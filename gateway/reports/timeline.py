"""What happened in an incident, hour by hour, as a page for paper: whom it touched, who was told when, with which proof."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.policy.cases import Case, CaseEvent
from gateway.reports.page import Page

_SAID = {
    "opened": "Put on record",
    "scoped": "Evidence read",
    "letter": "written",
    "notified": "arrived",
    "attempted": "did not arrive; it is tried again",
    "told.otherwise": "Told by other means",
    "all.told": "Everybody has been told",
    "chain.fault": "Fault in the chain of evidence",
    "closing.reason": "Reason for closing",
    "closed": "Closed",
}

_LETTERS = {"incident.notice": "Notice", "incident.opened": "Alert", "case.deadline": "Reminder"}


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the timeline. ``whose``: a tenant, or empty for the gateway itself."""

    at: datetime
    whose: str
    what: str
    detail: str


def steps(house: Case, parts: Iterable[Case]) -> tuple[Step, ...]:
    """Everything in the order in which it happened."""
    found = [_step(event, "") for event in house.events]
    found += [_step(event, case.tenant) for case in parts for event in case.events if event.what != "opened"]
    return tuple(sorted(found, key=lambda step: step.at))


def timeline(house: Case, parts: Sequence[Case], *, now: datetime) -> str:
    """The page. Texts that people wrote stand in it: it is for those who may read the incident."""
    state = "open" if house.open else f"closed: {house.outcome}"
    page = Page(f"Incident {house.id}", house.notes.get("what", ""))
    due = house.deadlines.get("notice")
    facts = house.facts
    page.facts(
        (
            ("State", state),
            ("Window", f"{_moment(_read(facts['from']))} to {_moment(_read(facts['to']))}"),
            ("Sub-processor", str(facts["processor"] or "any")),
            ("Region", str(facts["region"] or "any")),
            ("Known since", _moment(_read(facts["aware_at"]))),
            ("Everybody to be told by", _kept(due.at, due.met_at, now) if due else "nobody is touched"),
        )
    )
    page.section("Whom it touches", "As counted in the evidence of each tenant.")
    rows = [_row(case, now) for case in parts]
    page.table(
        ("Tenant", "Calls", "People", "Transmissions", "Evidence", "To be told by"), rows, none="Nobody, as far as was read."
    )
    page.section("What happened")
    lines = ((_moment(step.at), step.whose or "gateway", step.what, step.detail or "-") for step in steps(house, parts))
    page.table(("When", "Whose", "What", "More"), lines, none="Nothing.")
    return page.html(f"Incident {house.id}, as of {_moment(now)}. Each line is an entry of the evidence, by its number there.")


def _row(case: Case, now: datetime) -> tuple[str, ...]:
    scope = next((event.facts for event in reversed(case.events) if event.what == "scoped"), {})
    due = case.deadlines.get("notice")
    numbers = [f"{scope.get(name, 0):,}" for name in ("calls", "people", "hops")]
    return (case.tenant, *numbers, str(scope.get("chain", "not read")), _kept(due.at, due.met_at, now) if due else "-")


def _kept(due: datetime, met: datetime | None, now: datetime) -> str:
    if met is not None:
        return f"{_moment(due)}; told {_moment(met)}" + (", LATE" if met > due else "")
    return f"{_moment(due)}{', OVERDUE' if now > due else ''}"


def _step(event: CaseEvent, whose: str) -> Step:
    facts, notes = event.facts, event.notes
    parts: list[str] = []
    if event.what == "scoped" and "calls" in facts:
        parts.append(
            f"{facts['calls']:,} calls, {facts['people']:,} people, {facts['hops']:,} transmissions; chain {facts['chain']}"
        )
    elif event.what == "scoped":
        parts.append(f"touched: {', '.join(facts.get('tenants', {})) or 'nobody'}")
        parts += [str(why) for why in facts.get("why", ())]
    elif event.what in ("notified", "attempted"):
        parts.append(f"{facts['channel']}: {facts['proof']}")
    elif event.what == "letter":
        parts.append(notes.get("subject", ""))
    elif event.what == "chain.fault":
        parts.append(f"entry {facts.get('entry')} {facts.get('fault')}")
    elif event.what == "closed":
        parts.append(str(facts.get("outcome", "")))
    if event.what not in ("letter", "opened"):
        parts += notes.values()
    by, said = facts.get("by"), _SAID.get(event.what, event.what.replace(".", " "))
    if "letter_kind" in facts:
        said = f"{_LETTERS.get(str(facts['letter_kind']), 'Message')} {said}"
    detail = "; ".join(filter(None, [*parts, f"by {by}" if by else ""]))
    return Step(event.at, whose, said, detail)


def _read(value: object) -> datetime:
    return datetime.fromisoformat(str(value))


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
