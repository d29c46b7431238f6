"""Why: every candidate of a route beside every rule, with the sentence of each no."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.policy.egress import RULES, Ask, decide
from gateway.policy.model import TenantPolicy
from gateway.policy.registry import Registry
from gateway.values import ProcessorId


@dataclass(frozen=True, slots=True)
class Row:
    """One candidate. ``rules`` has each rule by name with its no, or None. ``chosen``: this one would get the Grant."""

    processor: str
    region: str
    model: str
    rules: Mapping[str, str | None]
    chosen: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """The table for one question. ``why`` is set when nobody could be asked."""

    rows: tuple[Row, ...]
    why: str

    @property
    def permitted(self) -> bool:
        return any(row.chosen for row in self.rows)


RULE_NAMES = tuple(rule.__name__ for rule in RULES)


def explain(policy: TenantPolicy, registry: Registry, ask: Ask) -> Explanation:
    """What ``decide`` says to the same question, rule by rule."""
    decision = decide(policy, registry, ask)
    rows: list[Row] = []
    for candidate, verdict in zip(policy.route.candidates(ask.hop) if decision.verdicts else (), decision.verdicts, strict=True):
        entry = registry.entries.get(ProcessorId(candidate.processor))
        rules = {rule.__name__: rule(policy, entry, ask) for rule in RULES} if entry else {"registered": verdict.reasons[0]}
        chosen = verdict.permitted and not any(row.chosen for row in rows)
        rows.append(Row(verdict.processor, verdict.region, candidate.model, rules, chosen))
    return Explanation(tuple(rows), decision.why)
