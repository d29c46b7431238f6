"""The one place that lets data out: it answers a question about egress with a Grant or with reasons (law 1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.policy.fields import Training
from gateway.policy.model import Candidate, TenantPolicy
from gateway.policy.regions import LOCAL, ancestors
from gateway.policy.registry import Registry, SubProcessor
from gateway.values import CallId, DataCategory, Hop, ProcessorId, TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Permission to send one kind of data of one call to one processor. Made only in this file, used once, written down.

    ``send`` are the flags that must be in the request so that the processor's promise holds (``store: false``).
    ``secret`` names the environment variable or file of the key, never the key.
    """

    id: str
    tenant: TenantId
    call: CallId
    hop: Hop
    processor: ProcessorId
    processor_name: str
    dialect: str
    base_url: str
    host: str
    region: str
    model: str
    purpose: str
    categories: frozenset[DataCategory]
    masked: bool
    send: Mapping[str, object] = field(default_factory=dict)
    secret: str | None = None
    mechanism: str = "none-needed"
    training: str = "prohibited"
    policy_digest: str = ""
    registry_digest: str = ""
    issued_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """The question: may this data of this call go to some processor for this hop, now?"""

    tenant: TenantId
    call: CallId
    hop: Hop
    categories: frozenset[DataCategory]
    purpose: str
    at: datetime
    grant_id: str
    origin: str = ""
    """Law of the data's origin as a country or region code (``eu``, ``us``); empty: not known."""
    excluding: frozenset[ProcessorId] = frozenset()
    """Processors that already failed in this turn."""
    model: str = ""
    """The model that the client asked for; it is granted where the tenant's route says ``*``."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules said of one candidate. ``reasons`` is empty exactly when it is permitted."""

    processor: ProcessorId
    region: str
    reasons: tuple[str, ...]

    @property
    def permitted(self) -> bool:
        return not self.reasons


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer. ``grant`` is the first permitted candidate's, or ``None``: refused, and ``verdicts`` says why for each.

    ``why`` is set when there was nobody to ask at all.
    """

    grant: Grant | None
    verdicts: tuple[Verdict, ...]
    why: str = ""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Every no, as a sentence that names the processor."""
        named = tuple(f"{v.processor}: {reason}" for v in self.verdicts for reason in v.reasons)
        return (self.why, *named) if self.why else named


Rule = Callable[[TenantPolicy, SubProcessor, Ask], str | None]
"""Says no with a sentence about the processor ("its region is us…"), or nothing."""


def kind(policy: TenantPolicy, entry: SubProcessor, ask: Ask) -> str | None:
    if entry.kind is ask.hop:
        return None
    return f"it is a processor for {entry.kind.value}, not for {ask.hop.value}"


def status(policy: TenantPolicy, entry: SubProcessor, ask: Ask) -> str | None:
    """Promise 3: a new sub-processor waits until the notice period is over."""
    if entry.announced_on is not None:
        first_day = entry.announced_on + timedelta(days=policy.notice_days)
        if ask.at.date() < first_day:
            return f"it is pending: announced on {entry.announced_on}, it may be used from {first_day}"
    if entry.status == "pending":
        return "it is pending: it is not in use yet"
    return None


def failed(policy: TenantPolicy, entry: SubProcessor, ask: Ask) -> str | None:
    return "it already failed in this turn" if entry.id in ask.excluding else None


def region(policy: TenantPolicy, entry: SubProcessor, ask: Ask) -> str | None:
    """Promise 7: processing within the specified locations."""
    if entry.region == LOCAL or not entry.places.isdisjoint(policy.allowed_places):
        return None
    return f"its region {entry.region} is not in the tenant's regions ({', '.join(policy.regions) or LOCAL})"


def training(policy: TenantPolicy, entry: SubProcessor, ask: Ask) -> str | None:
    """Promise 10: nobody trains on calls unless the tenant allows it. Unknown terms are never allowed."""
    if entry.training is Training.UNKNOWN:
        return "its training terms are unknown"
    if entry.training.laxity <= policy.training.laxity:
        return None
    return f"training at it is {entry.training.value}, and the tenant asks for {policy.training.value}"


def data(policy: TenantPolicy, entry: SubProcessor, ask: Ask) -> str | None:
    """Promise 34: each recipient has its categories of data."""
    surplus = ask.categories - entry.accepts
    if not surplus and ask.categories:
        return None
    if not ask.categories:
        return "nothing says what data it would receive"
    named = " and ".join(sorted(category.value for category in surplus))
    return f"it may not receive {named} (only {', '.join(sorted(category.value for category in entry.receives)) or 'nothing'})"


def purpose(policy: TenantPolicy, entry: SubProcessor, ask: Ask) -> str | None:
    """Promise 9: no other purpose."""
    if ask.purpose in policy.allowed_purposes:
        return None
    return f"the purpose {ask.purpose} is not allowed (only {', '.join(policy.purposes) or 'none'})"


def mechanism(policy: TenantPolicy, entry: SubProcessor, ask: Ask) -> str | None:
    """Promise 8: a hop across a border needs a live transfer mechanism from every law that protects the caller."""
    if entry.region == LOCAL:
        return None
    laws = _laws(policy, ask)
    if not laws:
        return "it is not known whose law protects the caller"
    missing = [law for law in laws if _mechanism(entry, law) in (None, "unknown")]
    return f"no transfer mechanism from {' and '.join(missing)} to {entry.region} is known" if missing else None


def dpa(policy: TenantPolicy, entry: SubProcessor, ask: Ask) -> str | None:
    """Promise 6: a processing agreement that somebody reviewed lately."""
    if entry.region == LOCAL:
        return None
    if entry.dpa is None:
        return "there is no data processing agreement with it"
    if ask.at.date() > entry.dpa.good_until:
        return f"the review of its data processing agreement expired on {entry.dpa.good_until}"
    return None


def transport(policy: TenantPolicy, entry: SubProcessor, ask: Ask) -> str | None:
    """Promise 24: no plaintext off this machine."""
    return entry.transport_problem or None


RULES: tuple[Rule, ...] = (kind, status, failed, region, training, data, purpose, mechanism, dpa, transport)
"""Every rule that a candidate must pass, in the order in which their sentences are shown."""

MASKED = frozenset((DataCategory.MASKED_TRANSCRIPT, DataCategory.METADATA))


def decide(policy: TenantPolicy, registry: Registry, ask: Ask) -> Decision:
    """Ask every rule about every candidate of the tenant's route; the first whom none refuses gets the Grant.

    Pure: the same question gets the same answer. ``verdicts`` stand in the tenant's order, for all candidates.
    """
    if ask.tenant != policy.tenant:
        return Decision(None, (), f"this is not the policy of tenant {ask.tenant}")
    candidates = policy.route.candidates(ask.hop)
    if not candidates:
        return Decision(None, (), f"the tenant's route names nobody for {ask.hop.value}")
    grant: Grant | None = None
    verdicts: list[Verdict] = []
    for candidate in candidates:
        entry = registry.entries.get(ProcessorId(candidate.processor))
        if entry is None:
            verdicts.append(
                Verdict(ProcessorId(candidate.processor), "unknown", ("it is not in the registry of sub-processors",))
            )
            continue
        reasons = tuple(reason for rule in RULES if (reason := rule(policy, entry, ask)) is not None)
        verdicts.append(Verdict(ProcessorId(entry.id), entry.region, reasons))
        if grant is None and not reasons:
            grant = _grant(policy, registry, ask, candidate, entry)
    return Decision(grant, tuple(verdicts))


def _grant(policy: TenantPolicy, registry: Registry, ask: Ask, candidate: Candidate, entry: SubProcessor) -> Grant:
    return Grant(
        id=ask.grant_id,
        tenant=ask.tenant,
        call=ask.call,
        hop=ask.hop,
        processor=ProcessorId(entry.id),
        processor_name=entry.name,
        dialect=entry.dialect,
        base_url=entry.base_url or "",
        host=entry.host,
        region=entry.region,
        model=candidate.model if candidate.model != "*" else ask.model or "*",
        purpose=ask.purpose,
        categories=ask.categories,
        masked=ask.categories <= MASKED,
        send=deepcopy(entry.send) if entry.send else {},
        secret=entry.secret,
        mechanism=_mechanisms(policy, entry, ask),
        training=entry.training.value,
        policy_digest=policy.digest,
        registry_digest=registry.digest,
        issued_at=ask.at,
    )


def _laws(policy: TenantPolicy, ask: Ask) -> tuple[str, ...]:
    """Whose law protects the caller: the known origin and what the files state, and without a known one what they presume."""
    presumed = () if ask.origin else policy.presumed_origins
    return tuple(sorted({*policy.origins, ask.origin, *presumed} - {"", LOCAL}))


def _mechanism(entry: SubProcessor, law: str) -> str | None:
    """How data may go from under ``law`` to the processor: ``none-needed`` inside one area (GDPR art. 1(3)), or as registered."""
    above = ancestors(law)
    if not above.isdisjoint(entry.places):
        return "none-needed"
    stated = [place for place in above if place in entry.mechanism]
    return entry.mechanism[max(stated, key=len)] if stated else None


def _mechanisms(policy: TenantPolicy, entry: SubProcessor, ask: Ask) -> str:
    if entry.region == LOCAL:
        return "none-needed"
    found = {law: _mechanism(entry, law) or "unknown" for law in _laws(policy, ask)}
    return (
        next(iter(found.values())) if len(set(found.values())) == 1 else "; ".join(f"{law}: {how}" for law, how in found.items())
    )
