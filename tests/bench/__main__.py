"""``python -m tests.bench``: measure latencies and capacity of a whole gateway on this machine (``make bench``)."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from gateway.demo.model_process import ScriptedModel
from gateway.errors import SordinoError
from tests.bench import capacity, report
from tests.bench.child import ROOT, BenchError, Child, child
from tests.bench.numbers import Json, spread
from tests.bench.plan import FULL, QUICK, STAGES, Plan
from tests.bench.policies import write_policies
from tests.bench.tenants import measured_apart


class Bench:
    """One run over the wanted stages."""

    def __init__(self, plan: Plan, wanted: tuple[str, ...], output: Path, *, why: bool, say: Callable[[str], None]) -> None:
        self._plan = plan
        self._wanted = wanted
        output.mkdir(parents=True, exist_ok=True)
        self._work = Path(tempfile.mkdtemp(prefix="work-", dir=output))
        self._why = why
        self._say = say
        self._open = AsyncExitStack()
        self.done = 0

    async def run(self) -> Json:
        """Raises BenchError, and what a gateway that cannot start raises."""
        write_policies(self._work)
        async with self._open:
            self._say("a gateway starts: store, recogniser, detector, voice, scripted model")
            model = await self._open.enter_async_context(ScriptedModel())
            house = await self._child("house", str(self._work), model.url, *(["--why"] if self._why else []))
            ready = await house.ask("ready")
            found: Json = {"ready_s": ready["ready_s"]}
            stages: dict[str, Callable[[], Awaitable[Json]]] = {
                "frame": lambda: house.ask("frame", times=self._plan.frames),
                "mask": lambda: house.ask("mask", times=self._plan.masks),
                "route": lambda: house.ask("route", times=self._plan.routes),
                "unmask": lambda: house.ask("unmask", times=self._plan.answers),
                "tenants": measured_apart,
                "calls": lambda: self._calls(house, ready["url"]),
                "capacity": lambda: self._capacity(house, ready["url"]),
            }
            for name in self._wanted:
                self._say(name)
                began = time.monotonic()
                found[name] = {**await stages[name](), "took_s": round(time.monotonic() - began, 1)}
                self.done += 1
        # After a failure the folder stays: the logs of the bench's processes are in it.
        shutil.rmtree(self._work, ignore_errors=True)
        return found

    async def _child(self, name: str, *arguments: str) -> Child:
        return await self._open.enter_async_context(child(name, self._work, *arguments))

    async def _calls(self, house: Child, url: str) -> Json:
        phone, still = await self._child("phone"), await self._child("echo")
        await still.ask("ready")
        await asyncio.gather(house.ask("reset"), still.ask("reset", frames=False))
        delays: list[float] = []
        loops: list[Json] = []
        asked = answered = 0
        for number in range(self._plan.calls):
            self._say(f"calls: call {number + 1} of {self._plan.calls}, in real time")
            made = await phone.ask("call", url=url, turns=list(self._plan.turns))
            await house.ask("idle")
            loops.append(_lag(await house.ask("read")))
            await house.ask("reset", calls=False)
            delays += made["delays"]
            asked, answered = asked + made["turns"], answered + made["answered"]
        seen, beside = await asyncio.gather(house.ask("read"), still.ask("read"))
        stages: Json = seen["calls"]["stages"]
        return {
            **stages,
            "inside": stages.get("first_audio"),
            "first_audio": spread(delays),
            "open": seen["calls"]["opened"],
            "turns": asked,
            "answered": answered,
            "outcomes": seen["calls"]["outcomes"],
            "loops": loops,
            "still": _lag(beside),
            "places": (await house.ask("places"))["places"],
        }

    async def _capacity(self, house: Child, url: str) -> Json:
        crowd, echo = await self._child("crowd"), await self._child("echo")
        return await capacity.measure(house, echo, crowd, url, self._plan, self._say)


def _lag(seen: Json) -> Json:
    return {name: seen.get(name) for name in ("lag", "broken", "own_max", "late_at", "gc")}


def _machine() -> Json:
    load = os.getloadavg()[0]
    return {"cores": os.cpu_count(), "load": round(load, 2), "python": platform.python_version(), "system": platform.platform()}


async def _run(given: argparse.Namespace, console: Console) -> Json:
    wanted = (given.only,) if given.only else STAGES
    machine = _machine()
    report.head(console, machine)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=20), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, refresh_per_second=2) as progress:
        task = progress.add_task("", total=len(wanted))

        def say(step: str) -> None:
            progress.update(task, description=step, completed=bench.done)
            if not console.is_terminal:
                sys.stderr.write(f"  {step}\n")

        bench = Bench(QUICK if given.quick else FULL, wanted, given.output, why=given.why, say=say)
        found = await bench.run()
    return {"machine": machine, "quick": given.quick, **found}


def _show(console: Console, found: Json) -> None:
    report.stages(console, found)
    if "tenants" in found:
        report.tenants(console, found["tenants"])
    if "calls" in found:
        calls = found["calls"]
        console.print(f"Whole calls: {calls['answered']} of {calls['turns']} turns were answered; they ended {calls['outcomes']}")
        report.loop(console, calls)
    if "capacity" in found:
        report.capacity(console, found["capacity"])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure latencies and capacity on this machine.")
    parser.add_argument("--quick", action="store_true", help="fewer samples: a minute and a half instead of up to six minutes")
    parser.add_argument("--only", choices=STAGES, metavar="STAGE", help=f"one of {', '.join(STAGES)}")
    parser.add_argument("--why", action="store_true", help="name the places where the event loop was held up (costs a little)")
    parser.add_argument("--output", type=Path, default=ROOT / "bench-output", metavar="DIR", help="where bench.json goes")
    given = parser.parse_args()
    console = Console()
    began = time.monotonic()
    try:
        found = asyncio.run(_run(given, console))
    except (BenchError, SordinoError, OSError) as error:
        console.print(f"[red]{error}[/red]", highlight=False)
        return 1
    except KeyboardInterrupt:
        return 130
    _show(console, found)
    file = given.output / "bench.json"
    file.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    console.print(f"  {time.monotonic() - began:.0f} s; all numbers: {file}", highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
