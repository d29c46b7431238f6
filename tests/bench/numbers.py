"""Percentiles of what was measured, in one form for the terminal and for ``bench.json``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Spread:
    """How a measure is spread, in ms. Percentiles are nearest-rank: each one is a value that was really measured."""

    n: int
    p50: float
    p95: float
    p99: float
    max: float

    @staticmethod
    def of(samples: Sequence[float]) -> Spread:
        """``samples`` in ms, at least one."""
        ordered = sorted(samples)
        return Spread(len(ordered), rank(ordered, 0.50), rank(ordered, 0.95), rank(ordered, 0.99), ordered[-1])

    def row(self) -> Json:
        return {name: value if name == "n" else round(value, 5) for name, value in asdict(self).items()}


def rank(ordered: Sequence[float], share: float) -> float:
    """The nearest-rank percentile of samples in ascending order."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def spread(samples: Sequence[float]) -> Json | None:
    return Spread.of(samples).row() if samples else None
