"""Why: every candidate of a route beside every rule, with the sentence of each no."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from gateway.policy.announcing import RECORDING
from gateway.policy.egress import RULES, Ask, decide
from gateway.policy.jurisdiction import Jurisdiction
from gateway.policy.model import CONVERSATION, TenantPolicy
from gateway.policy.payment import PAYMENT
from gateway.policy.registry import Registry
from gateway.policy.rules import least_tls
from gateway.values import CallId, DataCategory, Hop, ProcessorId, TenantId

USUAL_DATA: Mapping[Hop, tuple[DataCategory, ...]] = {
    Hop.TELEPHONY: (DataCategory.VOICE, DataCategory.CONTACT),
    Hop.STT: (DataCategory.VOICE,),
    Hop.LLM: (DataCategory.MASKED_TRANSCRIPT,),
    Hop.TTS: (DataCategory.TRANSCRIPT,),
    Hop.REALTIME: (DataCategory.VOICE,),
    Hop.STORAGE: (DataCategory.VOICE,),
    Hop.TELEMETRY: (DataCategory.METADATA,),
    Hop.PAYMENT: (DataCategory.PAYMENT,),
}
"""What a call sends at each hop when nothing else is said."""


@dataclass(frozen=True, slots=True)
class Row:
    """One candidate. ``rules`` has each rule by name with its no, or None. ``chosen``: this one would get the Grant.

    ``tls`` is the least version that it would be reached with; empty where there is no TLS.
    """

    processor: str
    region: str
    model: str
    rules: Mapping[str, str | None]
    chosen: bool
    tls: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The table for one question. ``why`` is set when nobody could be asked."""

    rows: tuple[Row, ...]
    why: str

    @property
    def permitted(self) -> bool:
        return any(row.chosen for row in self.rows)

    @property
    def chosen(self) -> str | None:
        """Who would get the Grant."""
        return next((row.processor for row in self.rows if row.chosen), None)

    @property
    def tls(self) -> str:
        """The least version of TLS that the one who gets it must speak; empty without TLS."""
        return next((row.tls for row in self.rows if row.chosen), "")


MEND: Mapping[str, str] = {
    "kind": "name a processor for this hop",
    "status": "wait until it may be used, or name another until then",
    "region": "name a processor in the tenant's regions, or add its region to `regions`",
    "training": "agree with it that nothing is used for training, and write `training: prohibited` for it in agreements.yaml",
    "retention": "agree on a shorter time, and write `retention_days` for it in agreements.yaml",
    "data": "name a processor that may receive this data",
    "sensitive": "name one for such turns, or add this one under `sensitive`",
    "purpose": "nothing but the tenant's `purposes` may be done with the data",
    "mechanism": "write the transfer mechanism that you have with it under `mechanism` in agreements.yaml",
    "dpa": "sign an agreement, and write it into agreements.yaml beside subprocessors.yaml (`sordino policy lint` says the line)",
    "transport": "give it an https address; where it cannot be told to speak the `tls` that is asked for, name another",
    "barred": "settle the objection, or wait until the notice has run out",
    "registered": "add it to subprocessors.yaml",
}
"""How a no of each rule can become a yes, for people. What passes by itself (``failed``, ``health``) is not among them."""

RULE_NAMES = tuple(rule.__name__ for rule in RULES)


def question(
    policy: TenantPolicy,
    hop: Hop,
    *,
    at: datetime,
    data: Collection[DataCategory] = (),
    purpose: str = CONVERSATION,
    origins: Collection[str] = (),
    about: Collection[DataCategory] = (),
) -> Ask:
    """What a call of that tenant would ask at ``at``; ``data`` and ``purpose`` left out: what is usual there."""
    return Ask(
        tenant=TenantId(policy.tenant),
        call=CallId("explain"),
        hop=hop,
        categories=frozenset(data or USUAL_DATA[hop]),
        purpose=purpose if purpose != CONVERSATION else usual_purpose(hop),
        at=at,
        grant_id="explain",
        origins=frozenset(origins),
        about=frozenset(about),
    )


def usual_purpose(hop: Hop) -> str:
    """What data goes to that hop for, when nothing else is said."""
    return {Hop.PAYMENT: PAYMENT, Hop.STORAGE: RECORDING}.get(hop, CONVERSATION)


def laws_of(policy: TenantPolicy, found: Jurisdiction) -> tuple[str, ...]:
    """Whose laws a call asks under: those of both ends, and what the files presume where nobody can place one of them."""
    presumed = policy.presumed_origins if found.laws and found.places is None else ()
    return tuple(sorted({*found.laws, *presumed}))


def explain(policy: TenantPolicy, registry: Registry, ask: Ask) -> Explanation:
    """What ``decide`` says to the same question, rule by rule."""
    decision = decide(policy, registry, ask)
    taken = decision.grant.processor if decision.grant is not None else None
    rows: list[Row] = []
    for candidate, verdict in zip(policy.route.candidates(ask.hop) if decision.verdicts else (), decision.verdicts, strict=True):
        entry = registry.entries.get(ProcessorId(candidate.processor))
        rules = {rule.__name__: rule(policy, entry, ask) for rule in RULES} if entry else {"registered": verdict.reasons[0]}
        # The same processor may stand twice, with two models: the first of them is asked.
        chosen = verdict.permitted and verdict.processor == taken and not any(row.chosen for row in rows)
        tls = least_tls(policy, entry, ask) if entry else None
        rows.append(Row(verdict.processor, verdict.region, candidate.model, rules, chosen, tls or ""))
    return Explanation(tuple(rows), decision.why)
