"""What the evidence of a person's calls says of them: the calls, who received what and why, what was agreed, what was kept.

Everything comes from entries that were written when it happened, nothing from a policy that holds today (promise 21).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.evidence.chain import timestamp
from gateway.evidence.entries import Entry, Json
from gateway.values import CallId

CONSENTS = {"consent.given": "yes", "consent.declined": "no", "consent.withdrawn": "withdrawn"}


@dataclass(slots=True)
class CallFacts:
    """One call as its entries tell it. ``started`` and ``ended`` are RFC 3339, empty where the evidence does not say."""

    call: CallId
    started: str = ""
    ended: str = ""
    outcome: str = ""
    duration_ms: int = 0
    carrier: str = ""
    direction: str = ""
    language: str = ""
    policy_digest: str = ""
    retention_s: Mapping[str, int] = field(default_factory=dict)
    announcements: list[str] = field(default_factory=list)
    consents: list[dict[str, str]] = field(default_factory=list)
    masked: Counter[str] = field(default_factory=Counter)
    hops: Counter[str] = field(default_factory=Counter)
    """Processor to how often it was sent something."""
    recorded_ms: int = 0
    deleted: list[str] = field(default_factory=list)
    entries: int = 0


@dataclass(slots=True)
class Recipient:
    """Somebody to whom something of this person was sent, as the Grants say that let it out."""

    processor: str
    name: str
    region: str
    hops: set[str] = field(default_factory=set)
    hosts: set[str] = field(default_factory=set)
    purposes: set[str] = field(default_factory=set)
    categories: set[str] = field(default_factory=set)
    about: set[str] = field(default_factory=set)
    mechanisms: set[str] = field(default_factory=set)
    training: set[str] = field(default_factory=set)
    models: set[str] = field(default_factory=set)
    masked: bool = True
    """Whether everything that it got was masked."""
    times: int = 0
    calls: set[CallId] = field(default_factory=set)
    first: str = ""
    last: str = ""


class Reading:
    """Takes the entries of a person's calls, each call's in order; the calls among each other in any."""

    def __init__(self) -> None:
        self._calls: dict[CallId, CallFacts] = {}
        self._recipients: dict[tuple[str, str], Recipient] = {}

    def add(self, entry: Entry) -> None:
        draft = entry.draft
        call = self._calls.setdefault(draft.call, CallFacts(draft.call))
        call.entries += 1
        if draft.kind == "hop":
            self._hop(call, draft.body["grant"], draft.at)
        else:
            _read(call, draft.kind, draft.body, draft.at)

    @property
    def calls(self) -> list[CallFacts]:
        """The oldest first."""
        return sorted(self._calls.values(), key=lambda each: (each.started, each.call))

    @property
    def recipients(self) -> list[Recipient]:
        """By name."""
        return sorted(self._recipients.values(), key=lambda each: (each.name.casefold(), each.region))

    def _hop(self, call: CallFacts, grant: Any, at: datetime) -> None:
        key = (str(grant["processor"]), str(grant["region"]))
        found = self._recipients.get(key)
        if found is None:
            found = self._recipients[key] = Recipient(key[0], str(grant.get("processor_name") or key[0]), key[1])
        moment = timestamp(at)
        found.times += 1
        found.calls.add(call.call)
        found.first, found.last = min(found.first or moment, moment), max(found.last, moment)
        found.masked = found.masked and bool(grant["masked"])
        found.categories.update(grant["categories"])
        found.about.update(grant.get("about", ()))
        for texts, name in (
            (found.hops, "hop"),
            (found.hosts, "host"),
            (found.purposes, "purpose"),
            (found.mechanisms, "mechanism"),
            (found.training, "training"),
            (found.models, "model"),
        ):
            if value := str(grant.get(name) or ""):
                texts.add(value)
        call.hops[key[0]] += 1


def _read(call: CallFacts, kind: str, body: Mapping[str, Json], at: datetime) -> None:
    moment = timestamp(at)
    if kind == "call.started":
        call.started, call.carrier = moment, str(body.get("carrier") or "")
        call.direction, call.language = str(body.get("direction") or ""), str(body.get("language") or "")
        call.policy_digest = str(body.get("policy_digest") or "")
        kept = body.get("retention")
        call.retention_s = {str(name): int(value) for name, value in kept.items()} if isinstance(kept, Mapping) else {}  # type: ignore[arg-type]
    elif kind == "call.ended":
        call.ended, call.outcome = moment, str(body["outcome"])
        call.duration_ms = int(body["duration_ms"])  # type: ignore[arg-type]
    elif kind in CONSENTS:
        call.consents.append({"at": moment, "answer": CONSENTS[kind], "purpose": str(body["purpose"]), "how": str(body["how"])})
    elif kind == "masked" and isinstance(body["counts"], Mapping):
        call.masked.update({str(name): int(value) for name, value in body["counts"].items()})  # type: ignore[arg-type]
    elif kind == "announcement.played":
        call.announcements.append(str(body["id"]))
    elif kind == "recording.stopped":
        call.recorded_ms += int(body["ms"])  # type: ignore[arg-type]
    elif kind == "recording.deleted":
        call.deleted.append(moment)


def longest_kept(calls: Sequence[CallFacts]) -> dict[str, int]:
    """Class of data to the longest time, in seconds, that any of these calls was promised to be kept."""
    found: dict[str, int] = {}
    for call in calls:
        for name, seconds in call.retention_s.items():
            found[name] = max(seconds, found.get(name, 0))
    return found


def masked_kinds(calls: Sequence[CallFacts]) -> Counter[str]:
    """Kinds of personal data that were found in what was said, and masked, with how often."""
    total: Counter[str] = Counter()
    for call in calls:
        total.update(call.masked)
    return total
