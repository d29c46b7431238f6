"""The one place that lets data out: it answers a question about egress with a Grant or with reasons (law 1)."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, datetime

from gateway.policy.fields import Tls
from gateway.policy.model import Candidate, TenantPolicy
from gateway.policy.question import Ask, Health
from gateway.policy.regions import LOCAL
from gateway.policy.registry import Registry, SubProcessor
from gateway.policy.rules import LASTING, PASSING, RETRIEVING, RULES, STORED, Rule, carried, failed, laws, least_tls, means_for
from gateway.values import CallId, DataCategory, Hop, ProcessorId, TenantId

__all__ = ["MASKED", "RULES", "Ask", "Decision", "Grant", "Health", "Router", "Rule", "Verdict", "decide"]


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
    about: frozenset[DataCategory] = frozenset()
    """What the data speaks of, also where it is masked."""
    send: Mapping[str, object] = field(default_factory=dict)
    secret: str | None = None
    mechanism: str = "none-needed"
    training: str = "prohibited"
    tls: Tls | None = None
    """The least version of TLS that it may be sent with: the stricter of what the processor's entry and the policy ask for.

    None where there is none: in our own processes, or in plain text on this machine.
    """
    policy_digest: str = ""
    registry_digest: str = ""
    issued_at: datetime


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


MASKED = frozenset((DataCategory.MASKED_TRANSCRIPT, DataCategory.METADATA))


@dataclass(frozen=True, slots=True)
class _Judged:
    """A candidate, its entry, and what the lasting rules say of it."""

    candidate: Candidate
    entry: SubProcessor | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class _Row:
    """All candidates of a route for one kind of question, and those of them whom no rule refuses."""

    judged: tuple[_Judged, ...]
    verdicts: tuple[Verdict, ...]
    permitted: tuple[_Judged, ...]

    @staticmethod
    def of(judged: tuple[_Judged, ...]) -> _Row:
        return _Row(judged, tuple(each.verdict for each in judged), tuple(each for each in judged if not each.verdict.reasons))


_Question = tuple[Hop, frozenset[DataCategory], frozenset[DataCategory], str, str, frozenset[str], frozenset[ProcessorId], date]

_REMEMBERED = 256


class Router:
    """Decides for one tenant over one registry. The same question gets the same answer.

    What the rules say of a kind of question is kept for the day, so that a call's next turn costs next to nothing. Make a new
    router when the policy or the registry changes.
    """

    def __init__(self, policy: TenantPolicy, registry: Registry) -> None:
        self._policy = policy
        self._registry = registry
        self._judged: dict[_Question, _Row] = {}

    def decide(self, ask: Ask) -> Decision:
        """Ask every rule about every candidate of the tenant's route; the first whom none refuses gets the Grant.

        Those who answer slowly come after the others. ``verdicts`` stand in the tenant's order, for all candidates.
        """
        policy = self._policy
        if ask.tenant != policy.tenant:
            return Decision(None, (), f"this is not the policy of tenant {ask.tenant}")
        row = self._lasting(ask)
        if not row.judged:
            return Decision(None, (), f"the tenant's route names nobody for {ask.hop.value}")
        if ask.barred or ask.excluding or ask.health:
            named = {*ask.barred, *ask.excluding, *ask.health}
            row = _Row.of(tuple(self._passing(each, ask) if each.verdict.processor in named else each for each in row.judged))
        if not row.permitted:
            return Decision(None, row.verdicts)
        first = min(row.permitted, key=lambda each: ask.health.get(each.verdict.processor) is Health.SLOW)
        return Decision(self._grant(ask, first), row.verdicts)

    def _lasting(self, ask: Ask) -> _Row:
        said = (ask.purpose, ask.origin, ask.origins, ask.noticed)
        question = (ask.hop, ask.categories, ask.about, *said, ask.at.date())
        row = self._judged.get(question)
        if row is None:
            row = _Row.of(tuple(self._judge(candidate, ask) for candidate in self._policy.route.candidates(ask.hop)))
            if len(self._judged) >= _REMEMBERED:
                self._judged.clear()
            self._judged[question] = row
        return row

    def _judge(self, candidate: Candidate, ask: Ask) -> _Judged:
        name = ProcessorId(candidate.processor)
        entry = self._registry.entries.get(name)
        if entry is None:
            return _Judged(candidate, None, Verdict(name, "unknown", ("it is not in the registry of sub-processors",)))
        rules = RETRIEVING if ask.purpose == STORED else LASTING
        reasons = tuple(reason for rule in rules if (reason := rule(self._policy, entry, ask)) is not None)
        return _Judged(candidate, entry, Verdict(name, entry.region, reasons))

    def _passing(self, judged: _Judged, ask: Ask) -> _Judged:
        name, entry = judged.verdict.processor, judged.entry
        if entry is None:
            return judged
        rules = (failed,) if ask.purpose == STORED else PASSING
        more = tuple(reason for rule in rules if (reason := rule(self._policy, entry, ask)) is not None)
        verdict = Verdict(name, entry.region, (*judged.verdict.reasons, *more))
        return _Judged(judged.candidate, entry, verdict)

    def _grant(self, ask: Ask, judged: _Judged) -> Grant | None:
        entry, candidate, policy = judged.entry, judged.candidate, self._policy
        if entry is None:
            return None
        sent = carried(policy, ask)
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
            categories=sent,
            masked=sent <= MASKED,
            about=ask.about,
            send=deepcopy(entry.send) if entry.send else {},
            secret=entry.secret,
            mechanism=_mechanisms(policy, entry, ask),
            training=entry.training.value,
            tls=least_tls(policy, entry, ask),
            policy_digest=policy.digest,
            registry_digest=self._registry.digest,
            issued_at=ask.at,
        )


def decide(policy: TenantPolicy, registry: Registry, ask: Ask) -> Decision:
    """One question to a fresh router: see ``Router.decide``."""
    return Router(policy, registry).decide(ask)


def _mechanisms(policy: TenantPolicy, entry: SubProcessor, ask: Ask) -> str:
    if entry.region == LOCAL:
        return "none-needed"
    agreement = entry.dpa.reference if entry.dpa is not None else None
    stated = {law: means_for(entry, law) for law in laws(policy, ask)}
    found = {law: means.named(agreement) if means is not None else "unknown" for law, means in stated.items()}
    if len(set(found.values())) == 1:
        return next(iter(found.values()))
    return "; ".join(f"{law}: {how}" for law, how in found.items())
