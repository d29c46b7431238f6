"""How long the bench takes its time: by default at most six minutes in all, with ``--quick`` at most a minute and a half."""

from __future__ import annotations

from dataclasses import dataclass

STAGES = ("frame", "mask", "route", "unmask", "tenants", "calls", "capacity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """One kind of caller: how many at a time, and how quickly they join."""

    counts: tuple[int, ...]
    every_s: float
    """Between one caller's joining and the next."""
    settle_s: float
    measure_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    frames: int
    masks: int
    """Calls of fourteen sentences each."""
    routes: int
    answers: int
    calls: int
    turns: tuple[str, ...]
    announcing: Steps
    holding: Steps
    talking: Steps
    echo_s: float
    """How long each step of the bare echo is measured."""


FULL = Plan(
    frames=20_000,
    masks=10,
    routes=300,
    answers=1_000,
    calls=2,
    turns=("opening-hours", "phone-number", "card-number", "email-address", "cancel"),
    announcing=Steps(counts=(10, 20, 40, 60, 80, 120, 160), every_s=0.03, settle_s=0.5, measure_s=2.0),
    holding=Steps(counts=(5, 10, 20, 30, 40, 60), every_s=0.1, settle_s=1.5, measure_s=2.5),
    talking=Steps(counts=(1, 2, 4, 8, 12, 16), every_s=0.25, settle_s=2.0, measure_s=4.0),
    echo_s=1.5,
)
QUICK = Plan(
    frames=3_000,
    masks=2,
    routes=60,
    answers=200,
    calls=1,
    turns=("opening-hours", "phone-number"),
    announcing=Steps(counts=(10, 40), every_s=0.03, settle_s=0.3, measure_s=1.0),
    holding=Steps(counts=(5, 15), every_s=0.08, settle_s=0.7, measure_s=1.0),
    talking=Steps(counts=(2,), every_s=0.2, settle_s=1.5, measure_s=3.0),
    echo_s=1.0,
)
MEDIA = Plan(
    frames=0,
    masks=0,
    routes=0,
    answers=0,
    calls=0,
    turns=(),
    announcing=Steps(counts=(50, 100, 200, 300, 400), every_s=0.02, settle_s=1.0, measure_s=3.0),
    holding=Steps(counts=(10, 20, 30, 40, 50, 60), every_s=0.1, settle_s=3.0, measure_s=3.0),
    talking=Steps(counts=(2, 4, 8, 12, 16), every_s=0.25, settle_s=2.0, measure_s=4.0),
    echo_s=2.0,
)
"""What ``make bench-media`` takes: only capacity, further up."""
