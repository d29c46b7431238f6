"""``sordino subprocessors``: who they are, notice of new ones, objections, and the public list."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.cli.attached import add_policies, on_the_desks
from gateway.errors import InvalidRequest, NotFound
from gateway.governing import Governing
from gateway.http.governance import standing_json
from gateway.policy.notice import Outcome
from gateway.policy.publish import as_html, as_json
from gateway.policy.registry import SubProcessor
from gateway.runner.notices import Standing
from gateway.settings import Settings
from gateway.values import ProcessorId

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  (argparse has no public name for it)

GOOD = 0


def add_parser(subparsers: Subparsers) -> None:
    """Add ``subprocessors`` and its commands."""
    parser = subparsers.add_parser(
        "subprocessors",
        help="sub-processors: notice, objections, the public list",
        description="Who receives data of calls; notice of new ones, and tenants' objections.",
        epilog="example: sordino subprocessors announce mistral",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    each = _command(commands, "list", run_list, "all of them, with what is on record for tenants", "list --tenant acme")
    _tenants(each)
    each = _command(commands, "show", run_show, "one of them, and how it stands for each tenant", "show mistral")
    each.add_argument("id", metavar="ID")
    _tenants(each)
    each = _command(
        commands,
        "announce",
        run_announce,
        "give notice: it is refused until the tenants' clocks have run out, which start when it arrives",
        "announce mistral",
    )
    each.add_argument("id", metavar="ID")
    _tenants(each)
    each.add_argument("--given", type=_day, metavar="DATE", help="it was given by other means on that day (with --proof)")
    each.add_argument("--proof", default="", help="where it is proven that it was given: a letter, a contract")
    each = _command(
        commands, "object", run_object, "a tenant's no: it holds at once", 'object mistral --tenant acme --reason "EU only"'
    )
    each.add_argument("id", metavar="ID")
    each.add_argument("--tenant", required=True, metavar="NAME", help="who objects")
    each.add_argument("--reason", required=True, help="their grounds")
    each = _command(commands, "settle", run_settle, "how an objection ended", "settle mistral --tenant acme --outcome avoided")
    each.add_argument("id", metavar="ID")
    each.add_argument("--tenant", required=True, metavar="NAME", help="who objected")
    each.add_argument(
        "--outcome", required=True, type=Outcome, choices=list(Outcome), metavar="HOW", help=f"{', '.join(Outcome)}"
    )
    each = _command(
        commands, "publish", run_publish, "write the public list: a page, and JSON for programs", "publish --out public"
    )
    each.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="where to (the current folder)")


def run_list(given: argparse.Namespace) -> int:
    async def work(desks: Governing) -> int:
        standings = await desks.notices.standings(tenants=given.tenant)
        _show([*desks.policies().registry.entries.values()], standings, given.format)
        return GOOD

    return on_the_desks(given, work)


def run_show(given: argparse.Namespace) -> int:
    async def work(desks: Governing) -> int:
        standings = await desks.notices.standings(given.id, given.tenant)
        _show([desks.policies().registry.entries[ProcessorId(given.id)]], standings, given.format, whole=True)
        return GOOD

    return on_the_desks(given, work)


def run_announce(given: argparse.Namespace) -> int:
    async def work(desks: Governing) -> int:
        if given.given is None:
            rows = await desks.notices.announce(given.id, given.tenant)
        else:
            tenants = given.tenant or sorted(desks.policies().tenants)
            told = {"on": given.given, "reference": given.proof}
            rows = [await desks.notices.given(given.id, tenant, **told) for tenant in tenants]
        _standings(rows, given.format)
        return GOOD

    if given.given is not None and not given.proof:
        raise InvalidRequest("a notice that was given by other means needs --proof", hint='--proof "letter of 2026-12-01"')
    return on_the_desks(given, work)


def run_object(given: argparse.Namespace) -> int:
    async def work(desks: Governing) -> int:
        _standings([await desks.notices.object(given.id, given.tenant, given.reason)], given.format)
        return GOOD

    return on_the_desks(given, work)


def run_settle(given: argparse.Namespace) -> int:
    async def work(desks: Governing) -> int:
        _standings([await desks.notices.settle(given.id, given.tenant, given.outcome)], given.format)
        return GOOD

    return on_the_desks(given, work)


def run_publish(given: argparse.Namespace) -> int:
    settings = Settings.from_env(os.environ, policies=given.policies)
    registry = PolicyFolder.open(settings.policies).policies.registry
    if not registry.entries:
        raise NotFound("there are no sub-processors to publish")
    given.out.mkdir(parents=True, exist_ok=True)
    for name, text in (("subprocessors.html", as_html(registry)), ("subprocessors.json", as_json(registry))):
        (given.out / name).write_text(text, encoding="utf-8")
        print(f"wrote {given.out / name}")
    return GOOD


def _show(entries: Sequence[SubProcessor], standings: Sequence[Standing], form: str, *, whole: bool = False) -> None:
    if form == "json":
        rows: list[dict[str, Any]] = [entry.model_dump(mode="json", exclude_none=True) for entry in entries]
        print(json.dumps({"subprocessors": rows, "tenants": [standing_json(row) for row in standings]}, indent=2))
        return
    for entry in entries:
        state = f"announced on {entry.announced_on}" if entry.announced_on else entry.status
        print(f"{entry.id:<24} {entry.kind.value:<10} {entry.region:<18} {state}  {entry.name}")
        if whole:
            print(f"  {entry.purpose}; training {entry.training.value}; source: {entry.source}")
    _standings(standings, form)


def _standings(rows: Sequence[Standing], form: str) -> None:
    if form == "json":
        print(json.dumps([standing_json(row) for row in rows], indent=2))
        return
    for row in rows:
        use = row.why or "no notice or objection keeps it out"
        print(f"tenant {row.tenant}: {row.processor}: {use}")
        if row.notice is not None:
            day = row.takes_effect or "not before it arrives"
            print(f"  announced {row.notice.announced_at:%Y-%m-%d %H:%M} UTC, takes effect {day}")
            for each in row.notice.deliveries.values():
                arrived = f"delivered {each.delivered_at:%Y-%m-%d %H:%M}" if each.delivered_at else "not delivered yet"
                print(f"  {each.channel}: {arrived}, {each.attempts} attempt(s) {each.proof}".rstrip())
            if not row.notice.deliveries:
                print("  nobody was told: add `contacts` to the tenant's file, or record a letter with --given and --proof")
        if row.objected:
            print(f"  objection: {row.objected}")


def _command(commands: Subparsers, name: str, run: Any, what: str, example: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name, help=what, description=what[0].upper() + what[1:] + ".", epilog=f"example: sordino subprocessors {example}"
    )
    add_policies(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how to print (default: %(default)s)")
    parser.set_defaults(run=run)
    return parser


def _tenants(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tenant", action="append", default=[], metavar="NAME", help="only this tenant (repeatable; all)")


def _day(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("write a day: 2026-12-01") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
