"""The redaction bench: its labelled sets are what their page says, and its goals are judged by their bounds."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from gateway.cli import labelled
from gateway.redaction.score import Line, Mark, score
from tests.bench import redaction, redaction_report
from tests.bench.redaction import DATA, SETS, Seen

COUNTS = {"spoken": (750, 831, 235), "written": (750, 831, 235), "asr": (414, 429, 137), "dialogues": (1411, 626, 820)}
NAME = Mark(0, 3, "PERSON")


def gold(name: str) -> list[Line]:
    """Every line of a set, with nothing found in it."""
    rows = [json.loads(line) for line in (DATA / f"dev.{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    assert all(labelled.has_gold(row) for row in rows)
    return [line for row in rows for line in labelled.lines(row, [()] * len(row.get("turns", [row])))]


@pytest.mark.parametrize("name", SETS)
def test_a_set_holds_what_its_page_says(name: str) -> None:
    lines = gold(name)
    figures = score(lines)
    assert (len(lines), figures.total.spans, figures.clean) == COUNTS[name]
    assert figures.total.recall == 0
    assert all(0 <= mark.start < mark.end <= len(line.text) for line in lines for mark in line.gold)


def test_a_goal_is_met_at_its_bound_and_missed_below_it() -> None:
    met = Seen([Line(str(number), "ann", (NAME,), (NAME,) if number < 97 else ()) for number in range(100)])
    missed = Seen([Line(str(number), "ann", (NAME,), (NAME,) if number < 96 else ()) for number in range(100)])
    times = {"detect": {"p50": 3.0, "p99": 6.1}, "after_interim": {"p50": 0.5}}
    judged = {each["goal"]: each["met"] for each in redaction_report.goals({"spoken": met, "written": missed}, times)}
    assert judged["mask recall, dev.spoken"]
    assert not judged["mask recall, dev.written"]
    assert judged["CPU ms an utterance of 20 words, p50"]
    assert not judged["CPU ms an utterance of 20 words, p99"]
    assert judged["CPU ms after the last word, when interim results came, p50"]


def test_the_tables_show_every_set_kind_and_goal() -> None:
    seen = Seen([Line("1", "ann", (NAME,), (NAME,))], [2.5])
    figures = redaction.figures(seen)
    times = {"detect": {"p50": 2.5, "p99": 2.5, "n": 1}, "plain": None, "mask": None, "after_interim": None}
    found = {"sets": {"spoken": {"ours": figures, "plain": figures}}, "cpu_ms": times}
    found["goals"] = redaction_report.goals({"spoken": seen}, {"detect": times["detect"]})
    out = io.StringIO()
    redaction_report.show(Console(file=out, width=160), found)
    for part in ("dev.spoken", "PERSON", "100.0%", "plain Presidio", "met", "≤ 3.00", "≥ 97.0%"):
        assert part in out.getvalue()
