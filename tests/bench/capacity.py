"""How many calls one gateway process carries before frames are late, and what a bare echo costs for as many callers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.bench.child import Child
from tests.bench.numbers import Json
from tests.bench.plan import Plan, Steps
from tests.bench.policies import ANNOUNCING, TALKING

LATE_SHARE = 0.01
"""A step is broken when more of the frames than this were handled more than 20 ms after they came."""
TRIES = 3
"""A step that looks broken is measured again: a noisy neighbour breaks one window, too many callers break each."""

STARVED = 0.15
"""The gateway waited so much of the time for a core that it says nothing about the gateway."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Kind:
    name: str
    what: str
    number: str
    talks: bool
    phase: str


KINDS = (
    Kind(
        "announcement",
        "hearing the announcement and speaking over it: decoded, dropped at the gate",
        ANNOUNCING,
        True,
        "announcing",
    ),
    Kind("holding", "in conversation, silent: voice activity, no recogniser at work", TALKING, False, "listening"),
    Kind(
        "talking",
        "in conversation, half of the time speaking: recogniser, model and voice on this machine too",
        TALKING,
        True,
        "listening",
    ),
)


async def climb(house: Child, crowd: Child, url: str, kind: Kind, steps: Steps, say: Say) -> Json:
    """More and more callers of that kind, until a step breaks. ``carries``: the last step that held; 0 when none did."""
    rows: list[Json] = []
    try:
        for n in steps.counts:
            say(f"capacity: {n} callers {kind.what.split(':')[0]}")
            await crowd.ask("grow", url=url, to=kind.number, n=n, talks=kind.talks, every_s=steps.every_s)
            await asyncio.sleep(steps.settle_s)
            row = await _step(house, crowd, n, kind.phase, steps.measure_s)
            rows.append(row)
            if row["broken"]:
                break
    finally:
        await crowd.ask("hang_up")
        await house.ask("idle")
    carries = max((row["n"] for row in rows if not row["broken"]), default=0)
    return {"kind": kind.name, "what": kind.what, "carries": carries, "limit_found": bool(rows[-1]["broken"]), "steps": rows}


async def _step(house: Child, crowd: Child, n: int, phase: str, measure_s: float) -> Json:
    row: Json = {}
    for _ in range(TRIES):
        await asyncio.gather(house.ask("reset", frames=True), crowd.ask("reset"))
        await asyncio.sleep(measure_s)
        seen, callers = await asyncio.gather(house.ask("read"), crowd.ask("read"))
        row = _judged(seen, callers, n, phase)
        if not row["broken"]:
            break
    return row


def _judged(seen: Json, callers: Json, n: int, phase: str) -> Json:
    frames: dict[str, Any] = seen["frames"].get(phase) or {"n": 0, "late": 0, "p50": None, "p99": None}
    share = frames["late"] / frames["n"] if frames["n"] else 1.0
    lost = n - callers["alive"]
    why = ["frames were late"] if share > LATE_SHARE else []
    if why and (seen["waited"] or 0.0) > STARVED:
        why = ["frames were late: the machine is full"]
    why += [f"{lost} call(s) ended by themselves"] if lost else []
    return {
        "n": n,
        "broken": bool(why),
        "why": " and ".join(why),
        "late_share": share,
        "frame_p50": frames["p50"],
        "frame_p99": frames["p99"],
        "core": seen["core"],
        "waited": seen["waited"],
        "us_per_frame": seen["worked_s"] / frames["n"] * 1e6 if frames["n"] else None,
        "lag": seen["lag"],
        "gc": seen.get("gc"),
        "lost": lost,
        "callers_late": callers["late"],
        "memory": seen["memory"],
        "opened": seen.get("calls", {}).get("opened"),
    }


async def echoes(echo: Child, crowd: Child, counts: list[int], plan: Plan, say: Say) -> list[Json]:
    """The same frames from as many callers against a bare echo."""
    url = (await echo.ask("ready"))["url"]
    rows: list[Json] = []
    try:
        for n in counts:
            say(f"capacity: a bare aiohttp echo for {n} callers")
            await crowd.ask("grow", url=url, to="", n=n, talks=True, every_s=0.01)
            rows.append(await _step(echo, crowd, n, "echo", plan.echo_s))
            if rows[-1]["broken"]:
                break
    finally:
        await crowd.ask("hang_up")
    return rows


async def measure(house: Child, echo: Child, crowd: Child, url: str, plan: Plan, say: Say) -> Json:
    steps = {"announcement": plan.announcing, "holding": plan.holding, "talking": plan.talking}
    kinds = [await climb(house, crowd, url, kind, steps[kind.name], say) for kind in KINDS]
    counts = [row["n"] for row in kinds[0]["steps"]]
    return {"kinds": kinds, "echo": await echoes(echo, crowd, counts, plan, say)}
