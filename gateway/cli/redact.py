"""``sordino redact``: mask text from the terminal with the very detector of the calls, and see why."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.adapters.detectors.presidio import PresidioDetector
from gateway.cli import confusion_page, labelled
from gateway.errors import InvalidRequest
from gateway.redaction.languages import LANGUAGES
from gateway.redaction.mask import Operator, Pseudonyms
from gateway.redaction.score import Line
from gateway.redaction.surrogate import Surrogates
from gateway.values import Private, Span

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 (argparse has no public name for it)

_TIMEOUT_S = 30.0
"""Nobody is on the line, so a long file may take its time."""


def add_parser(subparsers: Subparsers) -> None:
    """Add ``redact``. It sets ``run``: a function of the parsed arguments that returns the exit code."""
    parser = subparsers.add_parser(
        "redact",
        help="mask text from the terminal; --explain shows each finding",
        description="Mask private data in a text as it would be masked on a call. Nothing leaves this machine.",
        epilog='example: sordino redact --explain --text "my card is four five three two, my name is Ann Lee"',
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--text", metavar="TEXT", help="the text itself")
    source.add_argument("--file", metavar="FILE", type=Path, help="a text file (UTF-8)")
    source.add_argument("--jsonl", metavar="IN", help="a file of rows with a text or turns each; rows of spans come out")
    source.add_argument("stdin", nargs="?", choices=["-"], metavar="-", help="read the text from standard input")
    parser.add_argument("--language", default="en", choices=list(LANGUAGES), help="the language that is spoken (en)")
    parser.add_argument("--explain", action="store_true", help="show each span with its detector, score and reason")
    parser.add_argument(
        "--operator",
        default=Operator.PSEUDONYM.value,
        choices=[each.value for each in Operator],
        help="what happens to what is found (pseudonym)",
    )
    parser.add_argument(
        "--page",
        metavar="OUT",
        type=Path,
        help="with --jsonl whose rows hold gold spans: an HTML page of what was missed and what was masked for nothing",
    )
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """``sordino redact``. Raises InvalidRequest for what cannot be read, RedactionUnavailable without a detector."""
    asyncio.run(_run(given))
    return 0


async def _run(given: argparse.Namespace) -> None:
    if given.page and not given.jsonl:
        raise InvalidRequest("--page needs rows to show", hint="give them with --jsonl")
    if given.page and not given.page.parent.is_dir():
        raise InvalidRequest(f"{given.page} cannot be written: there is no folder {given.page.parent}")
    rows = list(_rows(given.jsonl)) if given.jsonl else []
    if given.page:
        _need_gold(given.jsonl, rows)
    text = "" if given.jsonl else _text(given)
    detector = PresidioDetector(timeout_s=_TIMEOUT_S)
    try:
        await detector.start()
        if not given.jsonl:
            await _one(detector, text, given)
        lines = []
        for row in rows:
            found = await labelled.found(detector, row, given.language)
            print(json.dumps(labelled.as_json(row, found)), flush=True)
            if given.page:
                lines += labelled.lines(row, found)
        if given.page:
            _write_page(given.page, given.jsonl, lines)
    finally:
        await detector.aclose()


def _text(given: argparse.Namespace) -> str:
    if given.text is not None:
        return str(given.text)
    return _read(str(given.file)) if given.file else sys.stdin.read()


def _read(path: str) -> str:
    if path == "-":
        return sys.stdin.read()
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InvalidRequest(f"there is no file {path}") from None
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"{path} is not UTF-8 text (byte {error.start})", hint="convert it with iconv") from None
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror}") from None


def _need_gold(path: str, rows: list[dict[str, Any]]) -> None:
    for number, row in enumerate(rows, start=1):
        if not labelled.has_gold(row):
            hint = 'for --page every text needs "spans": [{"start", "end", "type"}]'
            raise InvalidRequest(f"{path}: row {number} does not say what is private in it", hint=hint)


def _write_page(where: Path, source: str, lines: list[Line]) -> None:
    name = Path(source).stem if source != "-" else "rows"
    about = f"{len(lines)} texts of {name}, as the detector of the calls reads them."
    try:
        where.write_text(confusion_page.page([confusion_page.shown(name, lines)], about=about), encoding="utf-8")
    except OSError as error:
        raise InvalidRequest(f"{where} cannot be written: {error.strerror}") from None


async def _one(detector: PresidioDetector, text: str, given: argparse.Namespace) -> None:
    spans = await labelled.spans(detector, text, language=given.language)
    names = Pseudonyms(default=given.operator, language=given.language)
    masked = names.apply(Private(text), spans).text
    if given.operator == Operator.SURROGATE:
        masked = Surrogates(names.value, os.urandom(32), names.spoken).dress([masked], lambda kind: True).texts[0]
    print(masked, end="" if masked.endswith("\n") else "\n")
    if given.explain:
        _explain(text, spans, sys.stderr if not sys.stdout.isatty() else sys.stdout)


def _explain(text: str, spans: tuple[Span, ...], where: TextIO) -> None:
    if not spans:
        print("nothing private was found", file=where)
        return
    table = Table("span", "kind", "words", "score", "detector", "why", box=None, header_style="dim")
    for span in spans:
        words = Text(text[span.start : span.end])
        table.add_row(f"{span.start}-{span.end}", span.entity, words, f"{span.score:.2f}", span.detector, Text(span.why))
    Console(file=where, highlight=False).print(table)


def _rows(path: str) -> Iterator[dict[str, Any]]:
    """The rows of a JSONL file, checked: an id, and a text or turns with speaker and text."""
    for number, line in enumerate(_read(path).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            column = getattr(error, "colno", 1)
            raise InvalidRequest(f"{path}:{number}:{column}: not a JSON object", hint="one object a line") from None
        if not _is_row(row):
            hint = 'a row is {"id","text"} or {"id","turns":[{"speaker","text"}]}'
            raise InvalidRequest(f"{path}:{number}:1: the row lacks what it needs", hint=hint)
        yield row


def _is_row(row: object) -> bool:
    if not isinstance(row, dict) or "id" not in row:
        return False
    if "turns" not in row:
        return isinstance(row.get("text"), str)
    turns = row["turns"]
    return isinstance(turns, list) and all(isinstance(turn, dict) and isinstance(turn.get("text"), str) for turn in turns)
