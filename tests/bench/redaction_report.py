"""What the redaction bench says: tables beside plain Presidio, and the goals at the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Column, Table

from tests.bench.numbers import Json

if TYPE_CHECKING:
    from tests.bench.redaction import Seen

IDENTITY = ("PASSPORT", "DRIVER_LICENSE", "IN_AADHAAR", "IN_PAN", "UK_NHS", "UK_NINO", "MEDICAL_RECORD", "MEMBER_ID")
NUMBERS = ("CREDIT_CARD", "CVV", "US_SSN", "BANK_ACCOUNT", "PHONE_NUMBER", "EMAIL_ADDRESS", *IDENTITY)
"""The kinds of which hardly any may be missed."""

RECALL: Mapping[str, float] = {"spoken": 0.97, "written": 0.97, "asr": 0.92, "dialogues": 0.95}
NUMBERS_RECALL: Mapping[str, float] = {"spoken": 0.99, "asr": 0.97}
SPLIT, PRECISION, TOUCHED = 0.92, 0.93, 0.04
DETECT_P50, DETECT_P99, AFTER_INTERIM = 3.0, 6.0, 0.5
FIGURES: tuple[tuple[str, str, str], ...] = (
    ("mask_recall", "mask recall", ".1%"),
    ("leaked_per_1000", "leaked of 1000 characters", ".0f"),
    ("precision", "mask precision", ".1%"),
    ("harmless_touched", "harmless touched", ".1%"),
    ("typed_recall", "typed recall", ".1%"),
    ("split_masked", "split values masked in time", ".1%"),
)


def goals(seen: Mapping[str, Seen], times: Mapping[str, Json | None]) -> list[Json]:
    """Each goal: what is measured, the figure, the bound, and whether it is met."""
    return [*_quality(seen), *_cost(times)]


def _quality(seen: Mapping[str, Seen]) -> Iterator[Json]:
    scores = {name: each.score() for name, each in seen.items() if each.lines}
    for name, each in scores.items():
        yield _least(f"mask recall, dev.{name}", each.total.recall, RECALL[name])
        if name in NUMBERS_RECALL:
            yield _least(f"  of cards, accounts, identity numbers, dev.{name}", each.of(NUMBERS).recall, NUMBERS_RECALL[name])
        if each.split:
            yield _least("split values masked in time, the caller's fragments", each.split_masked, SPLIT)
    for name, each in scores.items():
        yield _least(f"mask precision, dev.{name}", each.precision, PRECISION)
    for name, each in scores.items():
        yield _most(f"harmless texts touched, dev.{name}", each.harmless_touched, TOUCHED)


def _cost(times: Mapping[str, Json | None]) -> Iterator[Json]:
    if detect := times.get("detect"):
        yield _most("CPU ms an utterance of 20 words, p50", detect["p50"], DETECT_P50)
        yield _most("CPU ms an utterance of 20 words, p99", detect["p99"], DETECT_P99)
    if after := times.get("after_interim"):
        yield _most("CPU ms after the last word, when interim results came, p50", after["p50"], AFTER_INTERIM)


def _least(what: str, figure: float, bound: float) -> Json:
    return {"goal": what, "figure": figure, "at_least": bound, "met": figure >= bound}


def _most(what: str, figure: float, bound: float) -> Json:
    return {"goal": what, "figure": figure, "at_most": bound, "met": figure <= bound}


def show(console: Console, found: Json) -> None:
    console.print("\n[bold]Redaction, beside plain Presidio[/bold] (its default recognizers, spaCy's small English model)\n")
    _figures(console, found["sets"])
    for name, each in found["sets"].items():
        _kinds(console, name, each)
    _times(console, found["cpu_ms"])
    _goals(console, found["goals"])


def _table(*names: str) -> Table:
    first, *rest = names
    return Table(first, *(Column(name, justify="right") for name in rest), box=None, pad_edge=False, padding=(0, 2, 0, 0))


def _figures(console: Console, sets: Json) -> None:
    table = _table("", *(f"dev.{name}" for name in sets))
    for key, name, form in FIGURES:
        table.add_row(name, *(_shown(each["ours"][key], form) for each in sets.values()))
        plain = (f"[dim]{_shown(each['plain'][key], form)}[/dim]" for each in sets.values())
        table.add_row("[dim]  plain Presidio[/dim]", *plain)
    console.print(table)


def _shown(figure: float | None, form: str) -> str:
    return "-" if figure is None else format(figure, form)


def _kinds(console: Console, name: str, each: Json) -> None:
    ours, plain = each["ours"]["kinds"], each["plain"]["kinds"]
    table = _table(f"dev.{name}", "values", "masked", "right kind", "Presidio masked", "right kind")
    for kind, row in ours.items():
        other = plain[kind]
        figures = (row["mask_recall"], row["typed_recall"], other["mask_recall"], other["typed_recall"])
        table.add_row(kind, str(row["n"]), *(f"{figure:.0%}" for figure in figures))
    console.print()
    console.print(table)


def _times(console: Console, times: Json) -> None:
    table = _table("CPU of an utterance of about 20 words", "p50 ms", "p99 ms", "n")
    names = {
        "detect": "detection, the way to the worker and back included",
        "plain": "plain Presidio, in process",
        "mask": "a call's whole mask",
        "after_interim": "  of it: after the last word, when interim results came before",
    }
    for key, name in names.items():
        if times[key]:
            table.add_row(name, f"{times[key]['p50']:.2f}", f"{times[key]['p99']:.2f}", str(times[key]["n"]))
    console.print()
    console.print(table)


def _goals(console: Console, rows: list[Json]) -> None:
    table = _table("Goal", "bound", "now", "")
    for row in rows:
        form = ".2f" if "CPU" in row["goal"] else ".1%"
        bound = f"≥ {row['at_least']:{form}}" if "at_least" in row else f"≤ {row['at_most']:{form}}"
        figure = f"{row['figure']:{form}}"
        table.add_row(row["goal"], bound, figure, "[green]met[/green]" if row["met"] else "[red]missed[/red]")
    console.print()
    console.print(table)
    console.print(f"  {sum(row['met'] for row in rows)} of {len(rows)} goals are met\n", highlight=False)
