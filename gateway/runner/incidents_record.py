"""What is on record of an incident: the gateway's own case, and that of each tenant that it touches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from gateway.errors import NotFound
from gateway.evidence.entries import Json
from gateway.evidence.scope import Window
from gateway.policy.cases import Case
from gateway.policy.notice_message import NoticeMessage, moment
from gateway.values import TenantId

NOTICE = "notice"
"""The deadline until which a touched tenant must have been told, and the paper that tells it."""
SCOPED = "scoped"
MESSAGE, ALERT = "incident.notice", "incident.opened"
"""Kinds of message: to a touched tenant, and to the operator's own people."""


@dataclass(frozen=True, slots=True)
class Report:
    """What is known when an incident is opened. Times are aware; ``end`` is not part of it."""

    start: datetime
    end: datetime
    what: str
    processor: str = ""
    """Only what went to this sub-processor; empty: to anybody."""
    region: str = ""
    """Only what went to this region, or into it; empty: anywhere."""
    tenants: tuple[str, ...] = ()
    """Only these tenants, which are told in every case; empty: whoever is touched."""
    aware: datetime | None = None
    """When it became known; None: now."""
    cause: str = "reported"


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident with the case of each tenant that it touches."""

    main: Case
    parts: Mapping[TenantId, Case]

    @property
    def id(self) -> str:
        return self.main.id

    @property
    def window(self) -> Window:
        return Window(_moment(self.main.facts["from"]), _moment(self.main.facts["to"]))

    @property
    def aware(self) -> datetime:
        return _moment(self.main.facts["aware_at"])

    @property
    def due(self) -> datetime | None:
        """Until when everybody must have been told; None: it touches nobody so far."""
        deadline = self.main.deadlines.get(NOTICE)
        return deadline.at if deadline else None

    @property
    def untold(self) -> tuple[TenantId, ...]:
        """The touched tenants that no notice has reached."""
        return tuple(tenant for tenant, case in self.parts.items() if case.deadlines[NOTICE].met_at is None)

    def scope(self, tenant: TenantId) -> Mapping[str, Json]:
        """The counts of a touched tenant as last read (``gateway.evidence.scope.Scope.facts``). Raises NotFound."""
        case = self.parts.get(tenant)
        if case is None:
            raise NotFound(f"the incident {self.id} does not touch {tenant}", hint="sordino incidents show names whom it does")
        return last_scope(case)


def last_scope(case: Case) -> Mapping[str, Json]:
    """The facts of the last ``scoped`` event; empty before the first."""
    return next((event.facts for event in reversed(case.events) if event.what == SCOPED), {})


def touched_by(main: Case) -> tuple[TenantId, ...]:
    """The tenants that any reading of the evidence has found touched."""
    rows = [event.facts.get("tenants") for event in main.events if event.what == SCOPED]
    return tuple(sorted({TenantId(name) for row in rows if isinstance(row, Mapping) for name in row}))


def counted(incident: Incident, tenant: TenantId) -> dict[str, Json]:
    """The counts that a program gets with the notice."""
    scope = incident.scope(tenant)
    counts = ("calls", "people", "calls_of_nobody", "hops", "masked_hops", "recordings", "categories", "about", "calls_sha256")
    return {
        "tenant": tenant,
        "aware_at": moment(incident.aware),
        "due_at": moment(incident.due or incident.aware),
        "from": moment(incident.window.start),
        "to": moment(incident.window.end),
        **{name: scope[name] for name in counts if name in scope},
    }


def alert(incident: Incident, at: datetime) -> NoticeMessage:
    """What the operator's own people are told when an incident is opened."""
    due = moment(incident.due) if incident.due else ""
    data = {
        "incident": incident.id,
        "cause": incident.main.about,
        "tenants": list(incident.parts),
        "aware_at": moment(incident.aware),
        "due_at": due or None,
    }
    lines = (
        "An incident was opened.",
        "",
        f"  Incident: {incident.id} ({incident.main.about})",
        f"  What:     {incident.main.notes.get('what', '')}",
        f"  Touches:  {', '.join(incident.parts) or 'nobody, as far as the evidence says'}",
        f"  Tell by:  {due or 'no clock runs'}",
        "",
        f"To see it: sordino incidents show {incident.id}",
        "",
    )
    return NoticeMessage(f"{incident.id}_opened", ALERT, at, f"Incident {incident.id}", "\n".join(lines), data)


def _moment(value: object) -> datetime:
    return datetime.fromisoformat(str(value))
