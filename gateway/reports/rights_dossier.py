"""What a person is handed: all facts of it, from which the page for people and the data for programs are written alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.evidence.chain import timestamp
from gateway.evidence.entries import Json
from gateway.reports.rights_facts import CallFacts, Recipient, longest_kept, masked_kinds

SCHEMA = "sordino.rights/1"


@dataclass(frozen=True, slots=True)
class FileOf:
    """One file of the bundle. ``of`` is a call's id, or ``person``."""

    path: str
    data_class: str
    of: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Dossier:
    """``subject`` is the keyed hash of the number, or of what was said: neither stands here itself."""

    right: str
    tenant: str
    subject: str
    case: str
    made: datetime
    language: str
    identity: Mapping[str, Json]
    calls: Sequence[CallFacts]
    recipients: Sequence[Recipient]
    head: tuple[int, str]
    """Place and hash of the tenant's last entry of evidence when this was made."""
    unread: Sequence[str] = ()
    """Calls of this person whose evidence is no longer there."""
    consents: Sequence[Mapping[str, str]] = ()
    """What was kept of their consents beside their calls, the oldest first."""
    opted_out: str = ""
    restricted: str = ""
    retention_s: Mapping[str, int] = field(default_factory=dict)
    files: Sequence[FileOf] = ()

    @property
    def kept_s(self) -> dict[str, int]:
        """Class of data to the longest time that it is kept: as the calls were promised, else as the policy says now."""
        return {**self.retention_s, **longest_kept(self.calls)}


def as_data(dossier: Dossier) -> dict[str, Any]:
    """``data.json``: the schema ``sordino.rights/1``.

    Times are RFC 3339 in UTC, lengths of time whole seconds (``_s``) or milliseconds (``_ms``), digests SHA-256 in hexadecimal.
    Members of later versions are added, never taken away.
    """
    seq, head = dossier.head
    return {
        "schema": SCHEMA,
        "right": dossier.right,
        "controller": dossier.tenant,
        "subject": dossier.subject,
        "case": dossier.case,
        "made_at": timestamp(dossier.made),
        "identity": dict(dossier.identity),
        "evidence": {"entries": seq, "head": head},
        "sources": sources(dossier),
        "calls": [_call(each) for each in dossier.calls],
        "calls_without_evidence": list(dossier.unread),
        "recipients": [_recipient(each) for each in dossier.recipients],
        "consents": [dict(each) for each in dossier.consents],
        "not_to_be_called_since": dossier.opted_out or None,
        "restricted_since": dossier.restricted or None,
        "masked": dict(sorted(masked_kinds(dossier.calls).items())),
        "retention_s": dict(sorted(dossier.kept_s.items())),
        "files": [
            {"path": each.path, "class": each.data_class, "of": each.of, "bytes": each.size, "sha256": each.sha256}
            for each in dossier.files
        ],
    }


def sources(dossier: Dossier) -> list[str]:
    """Where the data is from: ``call`` (the person, by speaking), ``carrier`` (number and times), ``tenant`` (consents)."""
    found = {"carrier" if each.carrier not in ("proxy", "") else "program" for each in dossier.calls}
    if dossier.calls:
        found.add("call")
    if any(each.get("how") in ("imported", "written", "request") for each in dossier.consents):
        found.add("tenant")
    return sorted(found)


def _call(call: CallFacts) -> dict[str, Any]:
    return {
        "call": call.call,
        "started": call.started or None,
        "ended": call.ended or None,
        "duration_ms": call.duration_ms,
        "outcome": call.outcome or None,
        "carrier": call.carrier or None,
        "direction": call.direction or None,
        "language": call.language or None,
        "policy": call.policy_digest or None,
        "announcements": list(call.announcements),
        "consents": [dict(each) for each in call.consents],
        "masked": dict(sorted(call.masked.items())),
        "sent_to": dict(sorted(call.hops.items())),
        "recorded_ms": call.recorded_ms,
        "retention_s": dict(sorted(call.retention_s.items())),
    }


def _recipient(each: Recipient) -> dict[str, Any]:
    return {
        "processor": each.processor,
        "name": each.name,
        "country": each.region,
        "hosts": sorted(each.hosts),
        "steps": sorted(each.hops),
        "purposes": sorted(each.purposes),
        "categories": sorted(each.categories),
        "about": sorted(each.about),
        "masked": each.masked,
        "mechanisms": sorted(each.mechanisms),
        "training": sorted(each.training),
        "models": sorted(each.models),
        "calls": len(each.calls),
        "times": each.times,
        "first": each.first,
        "last": each.last,
    }
