"""Whether the rows of the matrices have heard each rule say yes and no: a rule that nobody saw refuse is not tested."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.policy.explain import RULE_NAMES
from gateway.policy.matrix import Played


@dataclass(frozen=True, slots=True)
class Covered:
    """How often a rule let a candidate pass and how often it said no, over all rows."""

    rule: str
    yes: int
    no: int

    @property
    def missing(self) -> str:
        """``yes``, ``no`` or both that were never heard; empty when both were."""
        return " and ".join(word for word, times in (("yes", self.yes), ("no", self.no)) if not times)


def coverage(rows: Iterable[Played]) -> tuple[Covered, ...]:
    """Every rule of egress in its order. A file that was refused at reading counts as the no of the rule that it shows."""
    yes: Counter[str] = Counter()
    no: Counter[str] = Counter()
    for row in rows:
        if row.rule is not None and row.passed:
            no[row.rule] += 1
        for explanation in row.outcome.explained.values() if row.outcome is not None else ():
            for candidate in explanation.rows:
                for rule, sentence in candidate.rules.items():
                    (no if sentence else yes)[rule] += 1
    return tuple(Covered(rule, yes[rule], no[rule]) for rule in RULE_NAMES)
