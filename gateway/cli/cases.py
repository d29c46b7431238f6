"""``sordino cases``: requests and incidents with their deadlines, and a calendar of them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.attached import add_policies
from gateway.cli.incidents import GOOD, on_the_incidents
from gateway.cli.incidents_shown import one_line, show_case
from gateway.http.cases import case_json, steps_json
from gateway.incident import IncidentDesks
from gateway.policy.cases import Case
from gateway.runner.cases import HOUSE
from gateway.values import TenantId

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  (argparse has no public name for it)

SOME_OVERDUE = 1


def add_parser(subparsers: Subparsers) -> None:
    """Add ``cases`` and its commands."""
    top = subparsers.add_parser(
        "cases",
        help="requests and incidents: what is due by when, what happened, a calendar",
        description="Requests of persons and regulators, and incidents: deadlines, events, proof that somebody was told.",
        epilog="example: sordino cases list --open",
    ).add_subparsers(required=True, metavar="COMMAND")
    what = "the cases of every tenant, or one; exit code 1 where one is overdue"
    listed = _command(top, "list", run_list, what, "list --open --tenant acme")
    listed.add_argument("--tenant", metavar="T", help="whose (everybody's)")
    listed.add_argument("--kind", default="", metavar="KIND", help="only this kind: incident, rights.access")
    listed.add_argument("--open", action="store_true", help="only those that are not closed")
    shown = _command(top, "show", run_show, "one of them, step by step", "show case_01… --tenant acme")
    shown.add_argument("case", metavar="CASE", help="its id")
    shown.add_argument("--tenant", default=HOUSE, metavar="T", help="whose (the gateway's own)")
    calendar = _command(
        top, "calendar", run_calendar, "deadlines for a calendar program (.ics)", "calendar --tenant acme -o acme.ics"
    )
    calendar.add_argument("--tenant", metavar="T", help="whose (everybody's, and the gateway's own)")
    calendar.add_argument("-o", "--output", type=Path, metavar="FILE", help="where to (standard output)")


def run_list(given: argparse.Namespace) -> int:
    """``sordino cases list``"""

    async def work(desks: IncidentDesks) -> int:
        now, found = desks.clock.now(), list[Case]()
        for tenant in (TenantId(given.tenant),) if given.tenant else desks.book.tenants():
            found += await desks.book.list(tenant, kind=given.kind, open_only=given.open)
        if given.format == "json":
            print(json.dumps({"cases": [case_json(case) for case in found]}, indent=2, ensure_ascii=False))
        else:
            for case in found:
                print(f"{'gateway' if case.tenant == HOUSE else case.tenant:<16}  {one_line(case, now)}")
            if not found:
                print("no case is on record")
        return SOME_OVERDUE if any(case.is_overdue(now) for case in found) else GOOD

    return on_the_incidents(given, work)


def run_show(given: argparse.Namespace) -> int:
    """``sordino cases show CASE``"""

    async def work(desks: IncidentDesks) -> int:
        case = await desks.book.get(TenantId(given.tenant), given.case)
        if given.format == "json":
            print(json.dumps({**case_json(case), **steps_json(case)}, indent=2, ensure_ascii=False))
        else:
            show_case(case, desks.clock.now())
        return GOOD

    return on_the_incidents(given, work)


def run_calendar(given: argparse.Namespace) -> int:
    """``sordino cases calendar``"""

    async def work(desks: IncidentDesks) -> int:
        file = await desks.book.calendar(TenantId(given.tenant) if given.tenant else None)
        if given.output is None:
            sys.stdout.write(file)
        else:
            given.output.write_text(file, encoding="utf-8", newline="")
            print(f"wrote {given.output}")
        return GOOD

    return on_the_incidents(given, work)


def _command(to: Subparsers, name: str, run: Any, what: str, example: str) -> argparse.ArgumentParser:
    command = to.add_parser(name, help=what, description=what, epilog=f"example: sordino cases {example}")
    command.add_argument("--format", default="text", choices=["text", "json"])
    add_policies(command)
    command.set_defaults(run=run)
    return command
