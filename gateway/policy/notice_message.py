"""What a tenant is told of a new sub-processor: the same facts for a program and for a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gateway.policy.notice import Terms, clocks, material, takes_effect
from gateway.policy.registry import SubProcessor
from gateway.values import TenantId

ANNOUNCED = "subprocessor.announced"


@dataclass(frozen=True, slots=True)
class NoticeMessage:
    """One notice. ``id`` is the same in every attempt and channel, so that a receiver can tell a repetition."""

    id: str
    kind: str
    at: datetime
    subject: str
    text: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tried:
    """How one attempt to deliver went. ``proof`` is a status code or a message id, never the receiver's words."""

    delivered: bool
    proof: str


def announcement(entry: SubProcessor, tenant: TenantId, terms: Terms, *, at: datetime, objection_days: int) -> NoticeMessage:
    """The notice of a new or changed sub-processor to one tenant, as of the time at which it was announced."""
    facts = entry.model_dump(mode="json", include=set(_TOLD), exclude_none=True)
    day = takes_effect(terms, at)
    data = {
        "tenant": tenant,
        "processor": facts,
        "terms": material(entry),
        "announced_at": moment(at),
        "clocks": [clock.why for clock in clocks(terms, at)],
        "takes_effect": day.isoformat() if day else None,
        "objection_days": objection_days,
    }
    # Announced anew after a change it is another notice; the same one, sent again, is not.
    name = f"notice_{tenant}_{entry.id}_{int(at.timestamp() * 1000)}"
    return NoticeMessage(name, ANNOUNCED, at, f"New sub-processor: {entry.name}", _letter(entry, data), data)


_TOLD = ("id", "name", "purpose", "kind", "region", "receives", "training", "retention_days", "mechanism")


def _letter(entry: SubProcessor, data: Mapping[str, Any]) -> str:
    receives = ", ".join(category.value.replace("_", " ") for category in entry.receives) or "nothing"
    retention = "unknown" if entry.retention_days is None else f"{entry.retention_days} days"
    day = data["takes_effect"]
    when = f"It may be used from {day} on, not before." if day else "It will not be used: its notice period cannot be counted."
    lines = (
        "We give notice of a new sub-processor.",
        "",
        f"  Name:      {entry.name}",
        f"  Purpose:   {entry.purpose}",
        f"  Receives:  {receives}",
        f"  Where:     {entry.region}",
        f"  Training:  {entry.training.value}",
        f"  Retention: {retention}",
        "",
        f"{when} The periods count from the delivery of this notice:",
        *(f"  - {why}" for why in data["clocks"]),
        "",
        "If you object, tell us. From then on it gets nothing of yours, whatever the date, and we have",
        f"{data['objection_days']} days to find a solution with you.",
        "",
    )
    return "\n".join(lines)


def moment(at: datetime) -> str:
    """A time as notices tell it: RFC 3339, in UTC, to the second."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
