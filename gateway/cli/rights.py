"""``sordino rights``: what people may ask of what is kept of them, from the request to its end."""

from __future__ import annotations

import argparse
import getpass
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.attached import add_policies
from gateway.cli.lines import FROM_INPUT, line_of
from gateway.cli.rights_desk import on_the_rights_desk
from gateway.errors import InvalidRequest, Misconfigured
from gateway.http.rights import acted_json, case_json, shown
from gateway.policy.cases import Case
from gateway.runner import rights_case as cases
from gateway.runner.rights import Correction, RightsDesk
from gateway.runner.rights_acts import Acted, two_values
from gateway.runner.rights_case import Right, Via
from gateway.runner.rights_spoken import Spoken
from gateway.values import CallId, Private

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  (argparse has no public name for it)

DONE, WAITS = 0, 1
LONGEST_LINE = 2_000
WHAT = {
    Right.ACCESS: "everything that is kept of a person, as a ZIP file with a page to read",
    Right.EXPORT: "the same, to take along to somebody else",
    Right.KNOW: "who received what of a person, where and why, as the evidence says",
    Right.ERASE: "erase all that is kept of a person, or of one call",
    Right.RECTIFY: "put a wrong value right wherever it is kept",
    Right.RESTRICT: "store a person's data and do nothing else with it",
    Right.LIFT: "end such a restriction",
}


def add_parser(subparsers: Subparsers) -> None:
    """Add ``rights`` and its commands."""
    top = subparsers.add_parser(
        "rights",
        help="requests of callers: access, know, erase, rectify, restrict, lift, export",
        description="Requests of callers. Each is a case with a deadline. All but a restriction need a check of who asks. "
        "Exit code 1 while a request waits for something.",
        epilog='example: sordino rights access --tenant acme --subject +4915112345678 --identity "called back"',
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for right in Right:
        _act(commands, right)
    _case(commands, "show", run_show, "one request: its deadlines, and what it waits for")
    each = _case(commands, "identify", run_identify, "write down how it was checked who asks", ' --identity "called back"')
    each.add_argument("--identity", required=True, metavar="HOW", help="stands in the evidence: no personal data")
    each = _case(commands, "told", run_told, "the tenant was told by other means than webhook and mail", " --proof letter")
    each.add_argument("--proof", required=True, metavar="WHERE", help="where that is proven")
    what = "release a regulator's request: a second person does"
    each = _case(commands, "release", run_release, what, ' --authorisation "order 7"')
    each.add_argument("--authorisation", required=True, metavar="REFERENCE", help="the written authorisation that it rests on")
    each = _command(commands, "list", run_list, "the requests of a tenant, or of one person", "rights list --tenant acme")
    each.add_argument("--subject", metavar="NUMBER", help="of this person only; - reads it from the input")
    _spoken(each)
    each.add_argument("--country", default="", metavar="CC", help="the country of a number in national form: de")
    each.add_argument("--open", action="store_true", help="only those that are not closed")


def _act(commands: Subparsers, right: Right) -> None:
    example = f"rights {right.value} --tenant acme --subject +4915112345678"
    each = _command(commands, right.value, run_act, WHAT[right], example)
    each.set_defaults(right=right)
    each.add_argument("--subject", metavar="NUMBER", help="the number, in any usual form; - reads it from the input")
    _spoken(each)
    each.add_argument("--case", metavar="CASE", help="go on with this request")
    each.add_argument("--country", default="", metavar="CC", help="the country of a number in national form: de")
    each.add_argument("--call", metavar="C", help="only of this call")
    each.add_argument("--via", type=Via, choices=list(Via), default=Via.TENANT, help="who brought it (default: %(default)s)")
    each.add_argument("--identity", metavar="HOW", help="how it was checked who asks: stands in the evidence, no personal data")
    each.add_argument("--reason", default="", metavar="WHY", help="stands in the evidence: no personal data")
    if right.hands_out:
        each.add_argument("--output", "-o", type=Path, metavar="FILE.zip", help="where to (RIGHT-CASE.zip)")
        each.add_argument("--language", default="", metavar="L", help="of the page: en or de (the tenant's)")
    if right is Right.ERASE:
        each.add_argument("--account", action="store_true", help="a whole account goes: 15 days")
    if right is Right.RECTIFY:
        each.add_argument("--old", default=FROM_INPUT, metavar="TEXT", help="the wrong value; left out: a line of the input")
        each.add_argument("--new", default=FROM_INPUT, metavar="TEXT", help="the right value; left out: the next line")


def run_act(given: argparse.Namespace) -> int:
    """``sordino rights access|export|know|erase|rectify|restrict|lift``: opened, and carried out as far as may be."""
    if [bool(given.subject), bool(given.spoken), bool(given.case)].count(True) != 1:
        hint = "one of --subject NUMBER, --spoken KIND, and --case of one that is open"
        raise Misconfigured("say whose request it is", hint=hint)
    who = _who(given)
    correction = None
    if given.right is Right.RECTIFY:
        correction = Correction(line_of(given.old, "wrong value"), line_of(given.new, "right value"))
        two_values(correction.old, correction.new)
    if given.right.hands_out:
        _check_output(given.output or Path(f"{given.right.value}.zip"))

    async def work(desk: RightsDesk) -> int:
        case = await _taken(given, desk, who)
        if given.identity:
            case = await desk.identify(given.tenant, case.id, method=given.identity, by=given.by)
        if reasons := cases.why_not(case):
            return _waits(given, await shown(desk, case), case, reasons)
        if given.right.hands_out:
            return await _hand_out(given, desk, case)
        return _tell_done(given, case, await desk.do(given.tenant, case.id, by=given.by, correction=correction))

    return on_the_rights_desk(given, work)


def _check_output(output: Path) -> None:
    """A file that cannot be written is told before a request is taken on record, and not after it was handed out."""
    if output.is_dir() or not os.access(output if output.exists() else output.parent, os.W_OK):
        raise Misconfigured(f"{output} cannot be written", hint="-o FILE.zip, in a folder that is there")


async def _taken(given: argparse.Namespace, desk: RightsDesk, who: Private[str] | Spoken | None) -> Case:
    """The request that is meant: the one that is named, else a new one."""
    if who is None:
        case = await desk.show(given.tenant, given.case)
        if cases.right_of(case) is not given.right:
            raise InvalidRequest(f"the case {case.id} asks to {cases.right_of(case).value}", hint="name its right")
        return case
    return await desk.open(
        given.tenant,
        given.right,
        who,
        by=given.by,
        via=given.via,
        call=CallId(given.call) if given.call else None,
        reason=given.reason,
        account=getattr(given, "account", False),
        country=given.country,
    )


async def _hand_out(given: argparse.Namespace, desk: RightsDesk, case: Case) -> int:
    found = await desk.hand_out(given.tenant, case.id, by=given.by, language=given.language)
    output = given.output or Path(found.name)
    handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        async for piece in found.pieces:
            file.write(piece)
    if given.format == "json":
        print(json.dumps({"case": case.id, "file": str(output), **found.facts}, indent=2))
        return DONE
    print(f"written {output}: {found.facts['calls']} calls, {found.facts['recipients']} recipients; readable by you alone")
    print(f"  case {case.id} is closed; evidence {found.facts['evidence']}")
    return DONE


def _tell_done(given: argparse.Namespace, case: Case, done: Acted) -> int:
    if given.format == "json":
        print(json.dumps({"case": case.id, **acted_json(done)}, indent=2, default=str))
        return DONE if done.finished else WAITS
    facts = done.facts
    if done.what == Right.ERASE.value:
        print(f"{'erased' if done.finished else 'NOT all erased'}: {facts['calls']} calls, {len(done.certificates)} certificates")
        _tell_held(done)
        if facts["going_on"]:
            print(f"  {facts['going_on']} calls of theirs have not ended: the rest follows by itself when they have")
        for sentence in facts["kept"]:  # type: ignore[union-attr]
            print(f"  kept: {sentence}")
    elif done.what == Right.RECTIFY.value and done.held:
        print("NOT put right: a legal hold keeps it as it is, and nothing was altered")
        _tell_held(done)
    elif done.what == Right.RECTIFY.value:
        print("put right: " + ", ".join(f"{count} in {place}" for place, count in facts["places"].items()))  # type: ignore[union-attr]
    elif done.what == Right.RESTRICT.value:
        print(f"restricted since {facts['since']}: {facts.get('limits') or 'no dialling, no recogniser, no model'}")
    else:
        print("lifted: this person's data may be used again")
    print(f"  case {case.id} is {'closed' if done.finished else 'open'}; evidence {done.evidence}")
    return DONE if done.finished else WAITS


def _tell_held(done: Acted) -> None:
    for each in done.held:
        print(f"  held: {each.item.data_class.value} of {each.item.id} by {each.hold.id} ({each.hold.reason})")


def _waits(given: argparse.Namespace, told: dict[str, Any], case: Case, reasons: tuple[str, ...]) -> int:
    if given.format == "json":
        print(json.dumps(told, indent=2))
        return WAITS
    print(f"case {case.id} is open, and waits:")
    for reason in reasons:
        print(f"  - {reason}")
    for deadline in case.running:
        print(f"  {deadline.name}: until {deadline.at:%Y-%m-%d %H:%M} UTC")
    _print_found(told)
    check = ' --identity "how it was checked"' if cases.lacks_identity(case) else ""
    print(f"  then: sordino rights {given.right.value} --tenant {case.tenant} --case {case.id}{check}")
    return WAITS


def _print_found(told: dict[str, Any]) -> None:
    """Whoever checks who asks sees what they would get: the calls on which it was said."""
    if "found" in told:
        print(f"  found by the {told['spoken']} that was said: {len(told['found'])} calls")
        for each in told["found"]:
            print(f"    {each['call']}  {each['begun'] or ''}".rstrip())


def run_list(given: argparse.Namespace) -> int:
    """``sordino rights list --tenant T``"""
    who = _who(given)

    async def work(desk: RightsDesk) -> int:
        found = await desk.list(given.tenant, number=who, country=given.country, open_only=given.open)
        if given.format == "json":
            print(json.dumps([case_json(case) for case in found], indent=2))
            return DONE
        for case in found:
            due = f"until {case.running[0].at:%Y-%m-%d}" if case.running else case.outcome
            state = "open" if case.open else "closed"
            print(f"{case.id}  {case.opened_at:%Y-%m-%d}  {cases.right_of(case).value:9}  {state:6}  {due}")
        if not found:
            print(f"{given.tenant} has no such requests")
        return DONE

    return on_the_rights_desk(given, work)


def run_show(given: argparse.Namespace) -> int:
    """``sordino rights show --tenant T --case CASE``"""
    return _on_case(given, lambda desk: desk.show(given.tenant, given.case), calls=True)


def run_identify(given: argparse.Namespace) -> int:
    """``sordino rights identify --tenant T --case CASE --identity HOW``"""
    return _on_case(given, lambda desk: desk.identify(given.tenant, given.case, method=given.identity, by=given.by))


def run_told(given: argparse.Namespace) -> int:
    """``sordino rights told --tenant T --case CASE --proof WHERE``"""
    return _on_case(given, lambda desk: desk.notified(given.tenant, given.case, proof=given.proof, by=given.by))


def run_release(given: argparse.Namespace) -> int:
    """``sordino rights release --tenant T --case CASE --authorisation REFERENCE``"""
    return _on_case(given, lambda desk: desk.release(given.tenant, given.case, authorisation=given.authorisation, by=given.by))


def _on_case(given: argparse.Namespace, step: Callable[[RightsDesk], Awaitable[Case]], *, calls: bool = False) -> int:
    async def work(desk: RightsDesk) -> int:
        case = await step(desk)
        told = await shown(desk, case) if calls else case_json(case)
        if given.format == "json":
            print(json.dumps(told, indent=2))
            return DONE
        print(f"{case.id}: {cases.right_of(case).value}, brought by {cases.via_of(case).value}, person {case.about[:16]}…")
        for event in case.events:
            print(f"  {event.at:%Y-%m-%d %H:%M} UTC  {event.what}")
        for deadline in case.running:
            print(f"  {deadline.name}: until {deadline.at:%Y-%m-%d %H:%M} UTC")
        for reason in cases.why_not(case) if case.open else ():
            print(f"  waits: {reason}")
        _print_found(told)
        return DONE

    return on_the_rights_desk(given, work)


def _case(commands: Subparsers, name: str, run: Any, what: str, more: str = "") -> argparse.ArgumentParser:
    each = _command(commands, name, run, what, f"rights {name} --tenant acme --case CASE{more}")
    each.add_argument("--case", required=True, metavar="CASE", help="which request")
    return each


def _command(commands: Subparsers, name: str, run: Any, what: str, example: str) -> argparse.ArgumentParser:
    each = commands.add_parser(
        name, help=what, description=what[0].upper() + what[1:] + ".", epilog=f"example: sordino {example}"
    )
    add_policies(each)
    each.add_argument("--tenant", required=True, metavar="T", help="whose callers")
    each.add_argument("--by", default=_me(), metavar="NAME", help="who does it: stands in the evidence (default: %(default)s)")
    each.add_argument("--format", choices=("text", "json"), default="text", help="how to print (default: %(default)s)")
    each.set_defaults(run=run)
    return each


def _spoken(command: argparse.ArgumentParser) -> None:
    command.add_argument("--spoken", metavar="KIND", help="found by what they said on calls: EMAIL_ADDRESS, ID_NUMBER… (policy)")
    what = "where what they said is: its first line; - is the input, where it is asked for, too (default: %(default)s)"
    command.add_argument("--value-file", default=FROM_INPUT, metavar="FILE", help=what)


def _who(given: argparse.Namespace) -> Private[str] | Spoken | None:
    """Whose request: by number, by what they said, or of nobody in particular. Raises Misconfigured."""
    if given.subject and given.spoken:
        raise Misconfigured("name one person", hint="either --subject NUMBER or --spoken KIND")
    if given.subject:
        return line_of(given.subject, "number")
    if not given.spoken:
        return None
    if given.value_file == FROM_INPUT:
        return Spoken(given.spoken, line_of(FROM_INPUT, given.spoken))
    try:
        with Path(given.value_file).open(encoding="utf-8") as file:
            return Spoken(given.spoken, Private(file.readline(LONGEST_LINE).strip()))
    except (OSError, UnicodeDecodeError):
        raise Misconfigured(
            f"{given.value_file} cannot be read", hint="--value-file FILE with the value on its first line"
        ) from None


def _me() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "command line"
