"""``sordino policy test`` and ``diff``: the suites of policies/tests as a table, and what another folder decides otherwise."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import ValidationError
from rich.table import Table
from rich.text import Text

from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.cli.policy_output import (
    FINDINGS,
    GOOD,
    Subparsers,
    add_command,
    complain,
    folder_of,
    opened,
    show_findings,
    wide_console,
)
from gateway.cli.policy_receipts import asked_in_receipts
from gateway.errors import EvidenceInvalid, Finding, Location
from gateway.policy.coverage import Covered, coverage
from gateway.policy.diff import Asked, Change, changed_asks, changed_rows
from gateway.policy.documents import Parts
from gateway.policy.load import Memory, PolicySet, load
from gateway.policy.matrix import Load, Played, ReadSuite, read_suite, run
from gateway.redaction.entities import KINDS


def add_parser(commands: Subparsers) -> None:
    """Add ``test`` and ``diff``."""
    testing = add_command(
        commands,
        "test",
        run_test,
        "play the calls of policies/tests against the policy, and say which rules they covered",
        "sordino policy test --policies policies",
    )
    testing.add_argument("--suite", metavar="NAME", help="only this suite; the coverage of rules is not asked of one alone")
    testing.add_argument("--covered", action="store_true", help="fail, too, when a rule was not heard to say both yes and no")
    testing.add_argument("--all", action="store_true", help="show the rows that pass, too")
    comparing = add_command(
        commands,
        "diff",
        run_diff,
        "show what another policy folder would decide otherwise",
        "sordino policy diff policies policies-new --days 30",
    )
    comparing.add_argument("old", type=Path, metavar="OLD", help="the folder as it is")
    comparing.add_argument("new", type=Path, metavar="NEW", help="the folder as it would be")
    comparing.add_argument(
        "--days", type=int, default=30, metavar="N", help="real calls of the last N days (default: %(default)s)"
    )
    comparing.add_argument("--receipts", type=Path, metavar="DIR", help="their receipts (default: receipts/ in SORDINO_DATA)")
    comparing.add_argument("--asks", type=Path, metavar="FILE", help="questions to ask besides, one JSON object a line")


def run_test(arguments: argparse.Namespace) -> int:
    """Exit code 1 when a row fails; with ``--covered`` when a rule is not covered both ways, too."""
    folder = opened(folder_of(arguments), arguments.format)
    if folder is None:
        return FINDINGS
    suites, faults = read_suites(folder_of(arguments))
    if faults:
        show_findings(faults, arguments.format, _texts(faults))
        return FINDINGS
    chosen = [read for read in suites if arguments.suite in (None, read.suite.suite)]
    if not chosen:
        where = folder_of(arguments) / "tests"
        return complain("test", f"there is no suite {arguments.suite or 'at all'}", f"write one in {where}")
    rows = [row for read in chosen for row in run(read, folder.policies, beside(folder.texts))]
    covered = coverage(rows)
    gaps = [each for each in covered if each.missing] if arguments.covered and arguments.suite is None else []
    if arguments.format == "json":
        _print_json(rows, covered, ok=not gaps and all(row.passed for row in rows))
    else:
        _print_table(rows, covered, every=arguments.all, whole=arguments.suite is None)
    return FINDINGS if gaps or not all(row.passed for row in rows) else GOOD


def _texts(faults: Iterable[Finding]) -> dict[str, str]:
    """The files that have the faults, as far as they are text."""
    found: dict[str, str] = {}
    for file in {fault.where.file for fault in faults}:
        with suppress(OSError, UnicodeDecodeError):
            found[file] = Path(file).read_text(encoding="utf-8")
    return found


def read_suites(folder: Path) -> tuple[list[ReadSuite], list[Finding]]:
    """Every suite of ``FOLDER/tests`` in order, and every fault in them."""
    suites: list[ReadSuite] = []
    faults: list[Finding] = []
    parts = Parts()
    for path in sorted((folder / "tests").glob("*.y*ml")):
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            faults.append(Finding("the file cannot be read as UTF-8 text", Location(str(path), 1, 1), "save it as UTF-8"))
            continue
        read, found = read_suite(str(path), text, parts)
        faults += found
        if read is not None:
            suites.append(read)
    return suites, faults


def beside(texts: Mapping[str, str]) -> Load:
    """Loads a suite's own texts beside the folder's packs and catalogue, and without its tenants."""
    base = {file: text for file, text in texts.items() if Path(file).parent.name != "tenants"}

    memory = Memory()

    def loaded(more: Mapping[str, str]) -> PolicySet:
        return load({**base, **more}, entities=KINDS, memory=memory)

    return loaded


def _print_json(rows: list[Played], covered: tuple[Covered, ...], *, ok: bool) -> None:
    shown = [
        {
            "suite": row.suite,
            "call": row.call,
            "passed": row.passed,
            "where": str(row.where),
            "differences": list(row.differences),
        }
        for row in rows
    ]
    rules = [{"rule": each.rule, "yes": each.yes, "no": each.no} for each in covered]
    print(json.dumps({"ok": ok, "rows": shown, "coverage": rules}, indent=2))


def _print_table(rows: list[Played], covered: tuple[Covered, ...], *, every: bool, whole: bool) -> None:
    console = wide_console()
    table = Table("suite", "call", "", box=None, pad_edge=False)
    for row in rows:
        if every or not row.passed:
            mark = Text("ok", "green") if row.passed else Text("\n".join(row.differences), "red")
            table.add_row(row.suite, Text(row.call if row.passed else f"{row.call}\n{row.where}"), mark)
    if table.row_count:
        console.print(table)
    failed = sum(not row.passed for row in rows)
    console.print(Text(f"{len(rows)} call(s), {failed} failed", "red" if failed else "green"))
    if whole:
        rules = Table("rule", "yes", "no", "", box=None, pad_edge=False)
        for each in covered:
            missing = Text(f"never heard to say {each.missing}", "yellow") if each.missing else Text("")
            rules.add_row(each.rule, str(each.yes), str(each.no), missing)
        console.print(rules)


def run_diff(arguments: argparse.Namespace) -> int:
    """Exit code 1 when anything would be decided otherwise."""
    old, new = (opened(folder, arguments.format) for folder in (arguments.old, arguments.new))
    if old is None or new is None:
        return FINDINGS
    suites, faults = _suites_of(arguments.old, arguments.new)
    if faults:
        show_findings(faults, arguments.format, _texts(faults))
        return FINDINGS
    try:
        asked = [*_receipts(arguments), *_asks(arguments.asks)]
    except EvidenceInvalid as invalid:
        return complain("diff", invalid.message, invalid.hint)
    rows = [_rows(suites, folder) for folder in (old, new)]
    changes = [*changed_rows(*rows), *changed_asks(asked, old.policies, new.policies)]
    _print_changes(changes, arguments.format, rows=len(rows[0]), asks=len(asked))
    return FINDINGS if changes else GOOD


def _rows(suites: Iterable[ReadSuite], folder: PolicyFolder) -> list[Played]:
    return [row for read in suites for row in run(read, folder.policies, beside(folder.texts))]


def _suites_of(old: Path, new: Path) -> tuple[list[ReadSuite], list[Finding]]:
    """The new folder's suites, and those of the old one that the new one has not."""
    suites, faults = read_suites(new)
    names = {read.suite.suite for read in suites}
    before, more = read_suites(old)
    return [*suites, *(read for read in before if read.suite.suite not in names)], [*faults, *more]


def _receipts(arguments: argparse.Namespace) -> list[Asked]:
    folder = arguments.receipts or Path(os.environ.get("SORDINO_DATA") or ".sordino") / "receipts"
    return asked_in_receipts(folder, since=datetime.now(UTC) - timedelta(days=arguments.days))


def _asks(file: Path | None) -> list[Asked]:
    """Raises EvidenceInvalid that names the line."""
    asked: list[Asked] = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines() if file else (), start=1):
        try:
            asked.append(Asked.model_validate_json(line))
        except ValidationError as invalid:
            said = invalid.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in said["loc"])
            hint = 'a line is {"tenant": "demo", "hop": "llm", "at": "2026-11-21T12:00:00Z", "data": ["masked_transcript"]}'
            raise EvidenceInvalid(f"{file}:{number}: {place}: {said['msg']}", hint=hint) from None
    return asked


def _print_changes(changes: list[Change], form: str, *, rows: int, asks: int) -> None:
    if form == "json":
        listed = [{"what": each.what, "before": each.before, "after": each.after} for each in changes]
        print(json.dumps({"rows": rows, "asks": asks, "changes": listed}, indent=2))
        return
    console = wide_console()
    table = Table("", "before", "after", box=None, pad_edge=False)
    for each in changes:
        table.add_row(Text(each.what), Text(each.before, "red"), Text(each.after, "green"))
    if changes:
        console.print(table)
    console.print(f"{len(changes)} change(s) over {rows} row(s) of the matrices and {asks} question(s) of real calls")
