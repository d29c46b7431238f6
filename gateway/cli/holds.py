"""``sordino holds`` and ``sordino calls``: legal holds, and the erasure of one call."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from gateway.cli.attached import add_policies, day
from gateway.cli.data import BY, on_the_data_desk
from gateway.cli.lines import line_of
from gateway.holding import DataDesk
from gateway.http.holds import deletion_json, scope_of
from gateway.runner.deletion import held_reasons
from gateway.runner.holds import shown
from gateway.values import CallId, DataClass, TenantId

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  (argparse has no public name for it)

GOOD, SOME_HELD = 0, 1


def add_parser(subparsers: Subparsers) -> None:
    """Add ``holds`` and ``calls`` with their commands."""
    top = subparsers.add_parser(
        "holds",
        help="legal holds: what may not be deleted",
        description="Legal holds: an order to keep, with its scope, reason, approver and review. It never ends by itself.",
        epilog='example: sordino holds add --tenant acme --call C --reason "case 7" --approver "A. Judge" --review 2027-01-31',
    ).add_subparsers(required=True, metavar="COMMAND")
    kept = '--tenant acme --call C --reason "case 7" --approver "A. Judge" --review 2027-01-31'
    add = _command(top, "add", run_add, "keep what is named here, whatever else says that it goes", kept)
    add.add_argument("--call", metavar="C", help="only of this call")
    add.add_argument("--subject", metavar="NUMBER", help="only of this person, in any usual form; - reads it from the input")
    add.add_argument("--class", dest="data_class", choices=[each.value for each in DataClass], help="only this class of data")
    add.add_argument("--from", dest="start", metavar="TIME", help="only what began to be kept then or later: 2026-12-01")
    add.add_argument("--to", dest="end", metavar="TIME", help="only what began to be kept before")
    add.add_argument("--all", action="store_true", help="everything of the tenant")
    add.add_argument("--reason", required=True, metavar="WHY", help="stands in the evidence: no personal data")
    add.add_argument("--approver", required=True, metavar="WHO", help="who has approved it")
    add.add_argument("--review", required=True, type=day, metavar="DAY", help="when somebody looks at it again")
    listed = _command(top, "list", run_list, "the holds in force", "--tenant acme")
    listed.add_argument("--format", default="text", choices=["text", "json"])
    lift = _command(top, "lift", run_lift, "what it kept may be deleted again", '--tenant acme hold_01… --reason "case closed"')
    lift.add_argument("hold", metavar="HOLD", help="its id")
    lift.add_argument("--reason", required=True, metavar="WHY", help="stands in the evidence: no personal data")
    calls = subparsers.add_parser(
        "calls",
        help="what is kept of a call: erase it",
        description="What is kept of a call.",
        epilog='example: sordino calls erase --tenant acme --call C --why "request of the caller"',
    ).add_subparsers(required=True, metavar="COMMAND")
    what = "erase all that is kept of one call; it is done when this answers; exit code 1 where a hold keeps some of it"
    erase = _command(calls, "erase", run_erase, what, '--tenant acme --call C --why "request of the caller"', group="calls")
    erase.add_argument("--call", required=True, metavar="C", help="of which call")
    erase.add_argument("--why", required=True, metavar="WHY", help="stands in the evidence: no personal data")
    erase.add_argument("--format", default="text", choices=["text", "json"])


def _command(to: Subparsers, name: str, run: Any, what: str, example: str, *, group: str = "holds") -> argparse.ArgumentParser:
    command = to.add_parser(name, help=what, description=what, epilog=f"example: sordino {group} {name} {example}")
    command.add_argument("--tenant", required=True, metavar="T", help="whose")
    add_policies(command)
    command.set_defaults(run=run)
    return command


def run_add(given: argparse.Namespace) -> int:
    """``sordino holds add``"""
    stated = {
        "call": given.call,
        "number": None if given.subject is None else line_of(given.subject, "number"),
        "class": given.data_class,
        "from": given.start,
        "to": given.end,
        "all": given.all,
    }

    async def work(desk: DataDesk) -> int:
        tenant = TenantId(given.tenant)
        about = {"reason": given.reason, "approver": given.approver, "review": given.review, "by": BY}
        done = await desk.holds.place(tenant, scope_of(tenant, stated, desk.subject), **about)
        print(f"placed: {done.hold.id}, to be looked at again on {done.hold.review}")
        for each in done.too_late:
            print(f"  too late for the {each.data_class.value} of {each.id}: that was decided to be deleted before ({each.why})")
        return GOOD

    return on_the_data_desk(given, work)


def run_list(given: argparse.Namespace) -> int:
    """``sordino holds list``"""

    async def work(desk: DataDesk) -> int:
        holds = await desk.holds.holds(TenantId(given.tenant))
        late = {hold.id for each in (await desk.holds.overdue([TenantId(given.tenant)])).values() for hold in each}
        if given.format == "json":
            print(json.dumps([{**shown(hold), "overdue": hold.id in late} for hold in holds], indent=2))
            return GOOD
        for hold in holds:
            scope = shown(hold)["scope"]
            named = ", ".join(f"{name} {value}" for name, value in scope.items()) if isinstance(scope, dict) else ""
            due = "PAST ITS REVIEW of" if hold.id in late else "review on"
            print(f"{hold.id}  {named or 'everything'}; {hold.reason}; approved by {hold.approver}; {due} {hold.review}")
        if not holds:
            print(f"{given.tenant} has no legal holds")
        return GOOD

    return on_the_data_desk(given, work)


def run_lift(given: argparse.Namespace) -> int:
    """``sordino holds lift``"""

    async def work(desk: DataDesk) -> int:
        hold = await desk.holds.lift(TenantId(given.tenant), given.hold, reason=given.reason, by=BY)
        print(f"lifted: {hold.id}")
        return GOOD

    return on_the_data_desk(given, work)


def run_erase(given: argparse.Namespace) -> int:
    """``sordino calls erase``"""

    async def work(desk: DataDesk) -> int:
        done = await desk.erase_call(TenantId(given.tenant), CallId(given.call), why=given.why, by=BY)
        if given.format == "json":
            print(json.dumps({"call": given.call, **deletion_json(done)}, indent=2))
        else:
            for each in done.certificates:
                key = f", its key {each.key_id} destroyed" if each.key_id else ""
                print(f"gone: {each.holding}{key}; certificate {each.id}")
            for reason in held_reasons(done.held):
                print(f"kept: {reason}")
        return SOME_HELD if done.held else GOOD

    return on_the_data_desk(given, work)
