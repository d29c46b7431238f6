"""What is read off a running gateway: how late its event loop is, how late frames are handled, what happens on its calls."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
import time
from array import array
from collections import Counter
from pathlib import Path
from types import FrameType

import psutil  # type: ignore[import-untyped] # livekit-agents brings it, without types

from gateway.call.events import CallerAudio
from gateway.call.flow import Outcome, Phase
from gateway.ports import TurnShown
from gateway.values import CallId
from tests.bench.child import ROOT
from tests.bench.numbers import Json, spread

TICK_S = 0.005
LAW_MS = 10.0
"""The event loop is never blocked for longer (livekit-notes and issue: every stage runs beside it)."""
LATE_MS = 20.0
MOST_LATE = 50
STAMP_NS = 10_000
"""The unit of the time stamps that the crowd puts into its frames: 10 µs of the machine's monotonic clock."""


_SCHEDSTAT = Path("/proc/self/schedstat")


def stamp() -> int:
    """Now, as the crowd writes it into a frame: one clock for all processes of a machine (clock_gettime(2))."""
    return time.monotonic_ns() // STAMP_NS


def waited_for_core_s() -> float | None:
    """How long the loop's thread was ready to run and had no core, since it began (proc_pid_schedstat(5)); None elsewhere."""
    try:
        return int(_SCHEDSTAT.read_text(encoding="ascii").split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return None


class Work:
    """What share of the time since ``reset`` this process worked, and its main thread waited for a core."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._since = (time.monotonic(), time.process_time(), waited_for_core_s())

    def read(self) -> Json:
        """``core``: of one core, all threads. ``waited``: the machine had other things to do; None where nobody tells."""
        wall, worked = time.monotonic() - self._since[0], time.process_time() - self._since[1]
        before, after = self._since[2], waited_for_core_s()
        waited = None if before is None or after is None else (after - before) / wall
        memory = psutil.Process().memory_info().rss
        return {"wall_s": wall, "worked_s": worked, "core": worked / wall, "waited": waited, "memory": memory}


class LoopLag:
    """Sleeps 5 ms again and again and notes how much longer it took, and how much of that the loop's thread itself worked."""

    def __init__(self) -> None:
        self.over_ms = array("d")
        self.own_ms = array("d")
        self.late_at: list[tuple[float, float, float]] = []
        self.beat = self._began = time.monotonic()

    async def run(self) -> None:
        while True:
            before, worked = time.perf_counter(), time.thread_time()
            await asyncio.sleep(TICK_S)
            self.over_ms.append(max(0.0, (time.perf_counter() - before - TICK_S) * 1000))
            self.own_ms.append((time.thread_time() - worked) * 1000)
            self.beat = time.monotonic()
            if self.over_ms[-1] > LAW_MS and len(self.late_at) < MOST_LATE:
                late = (self.beat - self._began, self.over_ms[-1], self.own_ms[-1])
                self.late_at.append((round(late[0], 3), round(late[1], 1), round(late[2], 1)))

    def reset(self) -> None:
        self.over_ms, self.own_ms = array("d"), array("d")
        self.late_at, self._began = [], time.monotonic()

    def read(self) -> Json:
        """``own_max``: the most of one tick's lateness that can have been the loop's own work; the rest was the machine's doing.
        ``late_at``: the first such ticks as (s since reset, ms late, ms of own work)."""
        broken = [min(over, own) for over, own in zip(self.over_ms, self.own_ms, strict=True) if over > LAW_MS]
        own_max = round(max(broken, default=0.0), 3)
        return {"lag": spread(self.over_ms), "broken": len(broken), "own_max": own_max, "late_at": self.late_at}


class Collections:
    """How long Python's garbage collector held up everything, as one of the loop's possible reasons."""

    def __init__(self) -> None:
        self._began = 0.0
        self._ms: list[float] = []
        gc.callbacks.append(self._happened)

    def _happened(self, phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            self._began = time.perf_counter()
        else:
            self._ms.append((time.perf_counter() - self._began) * 1000)

    def reset(self) -> None:
        self._ms.clear()

    def read(self) -> Json:
        return {"gc": spread(self._ms)}


class Frames:
    """How long after it was sent each stamped frame was through: decoded, through the gate, with the conversation's input."""

    def __init__(self) -> None:
        self._late_ms: dict[Phase, array[float]] = {phase: array("d") for phase in Phase}
        self.on = False

    def handled(self, event: CallerAudio, phase: Phase) -> None:
        if self.on:
            self._late_ms[phase].append((stamp() - event.at_ms) * STAMP_NS / 1e6)

    def reset(self, *, on: bool) -> None:
        self.on = on
        for samples in self._late_ms.values():
            del samples[:]

    def read(self) -> Json:
        return {
            phase.value: {**(spread(samples) or {}), "late": sum(each > LATE_MS for each in samples)}
            for phase, samples in self._late_ms.items()
            if samples
        }


class Calls:
    """An observer (``gateway.ports.Observer``) that keeps times, never words."""

    def __init__(self) -> None:
        self.stages: dict[str, list[float]] = {}
        self.opened_ms: list[float] = []
        self.outcomes: Counter[str] = Counter()

    def saw(self, call: CallId, turn: TurnShown) -> None:
        if turn.kind == "latency":
            self.stages.setdefault(str(turn.facts["stage"]), []).append(float(turn.facts["ms"]))

    def ended(self, outcome: Outcome) -> None:
        self.outcomes[outcome.value] += 1

    def reset(self) -> None:
        self.stages, self.opened_ms = {}, []
        self.outcomes.clear()

    def read(self) -> Json:
        stages = {name: spread(samples) for name, samples in self.stages.items()}
        return {"stages": stages, "opened": spread(self.opened_ms), "outcomes": dict(self.outcomes)}


class Places(threading.Thread):
    """While the loop is overdue, looks again and again at where its thread stands. Costs a little: only with ``--why``."""

    def __init__(self, lag: LoopLag) -> None:
        super().__init__(name="places", daemon=True)
        self._lag = lag
        self._loop_thread = threading.get_ident()
        self.places: Counter[str] = Counter()

    def run(self) -> None:
        while True:
            time.sleep(0.002)
            if time.monotonic() - self._lag.beat > TICK_S + LAW_MS / 1000:
                self.places[_place(sys._current_frames().get(self._loop_thread))] += 1

    def read(self) -> list[Json]:
        return [{"place": place, "times": times} for place, times in self.places.most_common(12)]


def _place(frame: FrameType | None) -> str:
    """Where the loop's thread stands: the innermost frame, then the way to it as far as it is ours or livekit's."""
    steps: list[str] = []
    while frame is not None:
        file = frame.f_code.co_filename.split("site-packages" + os.sep)[-1].removeprefix(str(ROOT) + os.sep)
        if not steps or file.startswith(("gateway", "agents", "livekit")):
            steps.append(f"{file}:{frame.f_lineno} {frame.f_code.co_name}")
        frame = frame.f_back
    if not steps or "runners.py" in steps[0]:
        return "(the loop stood still: no core for this process, or another thread held the interpreter)"
    return "\n        < ".join(steps[:9])
