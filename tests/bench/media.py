"""``python -m tests.bench.media`` (``make bench-media``): how many calls one gateway carries, beside a bare echo of their frames.

The gateway has one event loop, so what it carries it carries on one core; recogniser, voice, detector and model have processes
of their own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from gateway.demo.model_process import ScriptedModel
from gateway.errors import SordinoError
from tests.bench import capacity, report
from tests.bench.child import ROOT, BenchError, child
from tests.bench.numbers import Json
from tests.bench.plan import MEDIA, Plan
from tests.bench.policies import write_policies

CONVERSATIONS, SOCKETS, CALL_MB, LAG_MS, LAG_AT = 40, 300, 1.0, 10.0, 30
"""The goals: calls in conversation, calls in the announcement, memory a call, the loop's p99 at so many conversations."""


async def measure(plan: Plan, output: Path, say: Callable[[str], None]) -> Json:
    """Raises BenchError, and what a gateway that cannot start raises."""
    work = _folder(output)
    async with AsyncExitStack() as running:
        say("a gateway starts: store, recogniser, detector, voice, scripted model")
        model = await running.enter_async_context(ScriptedModel())
        house = await running.enter_async_context(child("house", work, str(work), model.url))
        crowd = await running.enter_async_context(child("crowd", work))
        echo = await running.enter_async_context(child("echo", work))
        ready = await house.ask("ready")
        await house.ask("reset")
        empty = (await house.ask("read"))["memory"]
        found = await capacity.measure(house, echo, crowd, ready["url"], plan, say)
    shutil.rmtree(work, ignore_errors=True)
    return {**found, "empty_memory": empty}


def _folder(output: Path) -> Path:
    output.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="work-", dir=output))
    write_policies(work)
    return work


def goals(found: Json) -> Iterable[tuple[str, float | None, float, bool]]:
    """What is asked for, what was found (None: no step says), the bound, and whether more is better."""
    kinds: dict[str, Any] = {kind["kind"]: kind for kind in found["kinds"]}
    holding = kinds["holding"]["steps"]
    at = min((row for row in holding if row["n"] >= LAG_AT), key=lambda row: row["n"], default=None)
    most = max((row for row in holding if not row["broken"]), key=lambda row: row["n"], default=None)
    yield f"calls in conversation, caller silent: at least {CONVERSATIONS}", kinds["holding"]["carries"], CONVERSATIONS, True
    yield f"calls in the announcement: at least {SOCKETS}", kinds["announcement"]["carries"], SOCKETS, True
    yield f"event loop p99 at {LAG_AT} conversations, ms", at["lag"]["p99"] if at and at["lag"] else None, LAG_MS, False
    grown = None if most is None else (most["memory"] - kinds["announcement"]["steps"][-1]["memory"]) / most["n"] / 2**20
    yield "memory a conversation, MB", None if grown is None else max(0.0, grown), CALL_MB, False


def show(console: Console, found: Json) -> None:
    report.capacity(console, found)
    table = Table("Goal", "found", "bound", "", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for what, value, bound, more in goals(found):
        met = value is not None and (value >= bound if more else value <= bound)
        shown = "-" if value is None else f"{value:.1f}"
        table.add_row(what, shown, f"{bound:g}", "[green]met[/green]" if met else "[red]missed[/red]")
    console.print(table)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.media", description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT / "bench-output", metavar="DIR", help="where media.json goes")
    given = parser.parse_args()
    console = Console()
    machine = {"cores": os.cpu_count(), "load": round(os.getloadavg()[0], 2), "python": sys.version.split()[0]}
    report.head(console, machine)
    try:
        found = asyncio.run(measure(MEDIA, given.output, lambda step: console.print(f"  [dim]{step}[/dim]")))
    except (BenchError, SordinoError, OSError) as error:
        console.print(f"[red]{error}[/red]", highlight=False)
        return 1
    except KeyboardInterrupt:
        return 130
    show(console, found)
    (given.output / "media.json").write_text(json.dumps({"machine": machine, **found}, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
