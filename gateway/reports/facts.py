"""What the papers say of a tenant: its policy, its registry, and who of its route may be asked today, in words for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from gateway.policy.model import TenantPolicy
from gateway.policy.regions import LOCAL, ancestors
from gateway.policy.registry import Registry, SubProcessor

NOT_STATED = "not stated"


@dataclass(frozen=True, slots=True)
class Recipient:
    """A processor of the tenant's route: for which steps of a call, and every reason why it may not be asked today."""

    entry: SubProcessor
    hops: tuple[str, ...]
    reasons: tuple[str, ...]

    @property
    def outside(self) -> bool:
        """Whether data leaves the gateway's machine for it."""
        return self.entry.region != LOCAL


@dataclass(frozen=True, slots=True)
class Parties:
    """Who is who, as the person says who asks for the paper. What is left out becomes a line to write on."""

    controller: str = ""
    processor: str = ""
    officer: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """All that a paper is written from. ``day`` is the day as of which it speaks."""

    policy: TenantPolicy
    registry: Registry
    recipients: Sequence[Recipient]
    day: date
    parties: Parties = Parties()

    @property
    def permitted(self) -> list[Recipient]:
        return [each for each in self.recipients if not each.reasons]

    @property
    def foot(self) -> str:
        """From what exactly it was written: the digests stand in the receipt of every call."""
        return (
            f"Written on {self.day} from the policy of tenant {self.policy.tenant} (SHA-256 {self.policy.digest}) and the "
            f"registry of sub-processors (SHA-256 {self.registry.digest}) then in force. The receipt of each call names both."
        )


def categories(entry: SubProcessor) -> str:
    """``masked transcript, metadata``"""
    return words(sorted(each.value for each in entry.receives))


def words(texts: Iterable[str]) -> str:
    return ", ".join(text.replace("_", " ") for text in texts)


def place(region: str) -> str:
    """A region for people: ``eu``, ``in (ap-south-1)``, the gateway's own machine."""
    if region == LOCAL:
        return "the gateway's own machine"
    head, _, part = region.partition("/")
    named = head.upper() if len(head) <= 3 else head
    return f"{named} ({part})" if part else named


def is_third_country(region: str) -> bool:
    """Whether it lies outside the European Economic Area; nobody knows where ``unknown`` is, so that counts too."""
    return region != LOCAL and "eea" not in ancestors(region)


def safeguards(entry: SubProcessor, laws: Iterable[str]) -> str:
    """By which means data goes there, for each law of origin; without laws, for each that the entry names."""
    agreement = entry.dpa.reference if entry.dpa else None
    wanted = set(laws) or set(entry.mechanism)
    named = [f"{law}: {means.named(agreement)}" for law, means in sorted(entry.mechanism.items()) if law in wanted]
    return "; ".join(named) or NOT_STATED


def agreement(entry: SubProcessor) -> str:
    if entry.dpa is None:
        return "none on record"
    return f"{entry.dpa.reference}, last reviewed {entry.dpa.reviewed_on}, good until {entry.dpa.good_until}"


def kept(entry: SubProcessor) -> str:
    days = entry.retention_days
    return NOT_STATED if days is None else "not at all" if days == 0 else f"at most {days} days"


def span(length: timedelta) -> str:
    """``30 days``, ``4 hours``, ``not at all``"""
    seconds = int(length.total_seconds())
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        if seconds and seconds % size == 0:
            return f"{seconds // size} {name}{'s' if seconds != size else ''}"
    return "not at all"
