"""``python -m tests.bench.redaction``: how good and how quick redaction is, beside plain Presidio (``make bench-redaction``)."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from gateway.adapters.detectors.masker import CallMasker
from gateway.adapters.detectors.presidio import PresidioDetector
from gateway.cli import confusion_page, labelled
from gateway.errors import SordinoError
from gateway.redaction.score import Line, Score, score
from gateway.values import Placeholder, Private, Span
from tests.bench import redaction_report as report
from tests.bench.child import ROOT
from tests.bench.numbers import Json, spread
from tests.bench.plain_presidio import PlainPresidio

DATA = ROOT / "tests" / "data" / "pii"
SETS = ("spoken", "written", "asr", "dialogues")
TWENTY = range(17, 24)
"""Utterances of about twenty words: the ones whose CPU time is told."""
QUICK_EVERY = 6


@dataclass(slots=True)
class Seen:
    """One set, read by one redactor."""

    lines: list[Line] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    def score(self) -> Score:
        return score(self.lines)


class MemoryVault:
    """A vault without a store: what it costs is no part of the mask's CPU."""

    async def remember(self, values: Mapping[Placeholder, Private[str]]) -> None:
        return

    async def recall(self) -> dict[Placeholder, Private[str]]:
        return {}

    async def destroy(self) -> None:
        return


class Bench:
    def __init__(self, detector: PresidioDetector, plain: PlainPresidio, *, every: int, progress: Progress) -> None:
        self._detector = detector
        self._plain = plain
        self._every = every
        self._progress = progress
        self.ours: dict[str, Seen] = {name: Seen() for name in SETS}
        self.theirs: dict[str, Seen] = {name: Seen() for name in SETS}
        self.after_interim_ms: list[float] = []
        self.whole_ms: list[float] = []

    async def run(self) -> None:
        for name in SETS:
            rows = list(_rows(name))[:: self._every]
            task = self._progress.add_task(f"dev.{name}", total=len(rows))
            for row in rows:
                self._say_if_plain(name, row, rows)
                await self._row(name, row)
                self._progress.advance(task)
        texts = [line.text for name in SETS[:3] for line in self.ours[name].lines if len(line.text.split()) in TWENTY]
        task = self._progress.add_task("interim reading", total=len(texts))
        for text in texts:
            await self._interim(text)
            self._progress.advance(task)

    def _say_if_plain(self, name: str, row: Json, rows: list[Json]) -> None:
        if row is rows[0] and not self._progress.console.is_terminal:
            sys.stderr.write(f"  dev.{name}: {len(rows)} rows\n")

    async def _row(self, name: str, row: Json) -> None:
        began = self._cpu()
        found = await labelled.found(self._detector, row)
        took = (self._cpu() - began) * 1000
        mine, other = self.ours[name], self.theirs[name]
        mine.lines += labelled.lines(row, found)
        texts = [turn["text"] for turn in row.get("turns", [row])]
        plain: list[tuple[Span, ...]] = []
        for text in texts:
            began = time.process_time()
            plain.append(self._plain.spans(text))
            if len(text.split()) in TWENTY:
                other.cpu_ms.append((time.process_time() - began) * 1000)
        other.lines += labelled.lines(row, plain)
        if "turns" not in row and len(texts[0].split()) in TWENTY:
            mine.cpu_ms.append(took)

    async def _interim(self, text: str) -> None:
        """A whole turn as a call masks it, and what is left of it after the last word when its words were read as they came."""
        began = self._cpu()
        masker = CallMasker(self._detector, MemoryVault())
        await masker.mask(Private(text))
        self.whole_ms.append((self._cpu() - began) * 1000)
        masker = CallMasker(self._detector, MemoryVault(), read_every_s=0)
        await masker.ahead(Private(text))
        began = self._cpu()
        await masker.mask(Private(text))
        self.after_interim_ms.append((self._cpu() - began) * 1000)

    def _cpu(self) -> float:
        """Seconds of CPU of this process and of the detector's, the way between them included."""
        return time.process_time() + sum(_process_time(pid) for pid in self._detector.pids)


def _process_time(pid: int) -> float:
    """The CPU clock of another process, in ns (Linux: clock_getcpuclockid(3) makes its number of the process's)."""
    return time.clock_gettime((~pid << 3) | 2)


def _rows(name: str) -> Iterator[Json]:
    with (DATA / f"dev.{name}.jsonl").open(encoding="utf-8") as file:
        yield from (json.loads(line) for line in file if line.strip())


async def _run(given: argparse.Namespace, console: Console) -> tuple[Bench, Json]:
    columns = (TextColumn("{task.description:16}"), BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn())
    detector = PresidioDetector(timeout_s=30)
    with Progress(*columns, console=console, transient=True, refresh_per_second=4) as progress:
        starting = progress.add_task("the models load", total=None)
        await detector.start()
        plain = await asyncio.to_thread(PlainPresidio)
        progress.remove_task(starting)
        bench = Bench(detector, plain, every=QUICK_EVERY if given.quick else 1, progress=progress)
        try:
            await bench.run()
        finally:
            await detector.aclose()
    return bench, _found(bench)


def _found(bench: Bench) -> Json:
    sets = {
        name: {"ours": figures(bench.ours[name]), "plain": figures(bench.theirs[name])} for name in SETS if bench.ours[name].lines
    }
    cpu = [each for name in SETS for each in bench.ours[name].cpu_ms]
    plain_cpu = [each for name in SETS for each in bench.theirs[name].cpu_ms]
    times = {
        "detect": spread(cpu),
        "plain": spread(plain_cpu),
        "mask": spread(bench.whole_ms),
        "after_interim": spread(bench.after_interim_ms),
    }
    return {"sets": sets, "cpu_ms": times, "goals": report.goals(bench.ours, times)}


def figures(seen: Seen) -> Json:
    """What a set's tables show, as JSON."""
    counts = seen.score()
    total = counts.total
    return {
        "spans": total.spans,
        "mask_recall": total.recall,
        "typed_recall": total.typed_recall,
        "leaked_per_1000": total.leaked_per_1000,
        "precision": counts.precision,
        "clean": counts.clean,
        "harmless_touched": counts.harmless_touched,
        "split": counts.split,
        "split_masked": counts.split_masked if counts.split else None,
        "kinds": {
            kind: {"n": row.spans, "mask_recall": row.recall, "typed_recall": row.typed_recall}
            for kind, row in sorted(counts.kinds.items(), key=lambda each: -each[1].spans)
        },
        "forms": {form: {"n": row.spans, "mask_recall": row.recall} for form, row in sorted(counts.forms.items())},
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.redaction", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help=f"every {QUICK_EVERY}th row: some seconds; the goals are for all rows"
    )
    parser.add_argument("--json", action="store_true", help="all figures as JSON on standard output, nothing else")
    parser.add_argument("--output", type=Path, default=ROOT / "bench-output", metavar="DIR", help="where redaction.html goes")
    given = parser.parse_args()
    console = Console(stderr=given.json)
    try:
        bench, found = asyncio.run(_run(given, console))
    except (SordinoError, OSError) as error:
        console.print(f"[red]{error}[/red]", highlight=False)
        return 1
    except KeyboardInterrupt:
        return 130
    given.output.mkdir(parents=True, exist_ok=True)
    page = given.output / "redaction.html"
    shown = [confusion_page.shown(f"dev.{name}", bench.ours[name].lines) for name in SETS]
    about = "The labelled sets in tests/data/pii, as the detector of the calls reads them. Only texts with a fault are shown."
    page.write_text(confusion_page.page(shown, about=about), encoding="utf-8")
    if given.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    else:
        report.show(console, found)
        console.print(f"  every missed and every over-masked span: {page}", highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
