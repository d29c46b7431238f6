"""``sordino outbound`` and ``sordino consent``: may this number be called, who must not be, and who agreed."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from gateway.cli.attached import add_policies, day, on_the_desks
from gateway.cli.lines import line_of
from gateway.errors import Finding, InvalidRequest, Location, PolicyInvalid
from gateway.governing import Governing
from gateway.policy.consent import ANY_PURPOSE, Answer, ConsentRecord, How
from gateway.policy.faults import did_you_mean
from gateway.policy.free_text import checked_purpose
from gateway.policy.list_file import read_numbers
from gateway.policy.model import CONVERSATION, TenantPolicy
from gateway.policy.outbound import FRESH_FOR
from gateway.policy.phone import e164
from gateway.policy.retention import reason_of_a_person
from gateway.runner.outbound import DialReport
from gateway.values import Private

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  (argparse has no public name for it)

GOOD, REFUSED = 0, 1
MOST_FINDINGS = 20
THEIRS = "theirs, E.164; - reads it from the input"
CONSENT_COLUMNS = ("number", "purpose", "at", "proof")


def add_parser(subparsers: Subparsers) -> None:
    """Add ``outbound`` and ``consent`` with their commands."""
    outbound = subparsers.add_parser(
        "outbound",
        help="before a number is dialled: may it be?",
        description="Whether a number may be called, and who must not be.",
        epilog="example: sordino outbound check --tenant acme --to +15125550100",
    ).add_subparsers(required=True, metavar="COMMAND")
    each = _command(
        outbound,
        "check",
        run_check,
        "may it be called, and every reason against it",
        "outbound check --tenant acme --to +15125550100",
    )
    each.add_argument("--to", required=True, metavar="NUMBER", help="the number to call, E.164; - reads it from the input")
    each.add_argument("--purpose", default=CONVERSATION, help="what for (default: %(default)s)")
    each.add_argument("--at", type=_moment, metavar="TIME", help="at that time, 2026-12-01T09:30:00-06:00 (default: now)")
    each.add_argument("--dial", action="store_true", help="it is called if it may be: count it as one of the day's attempts")
    each.add_argument("--format", choices=("text", "json"), default="text", help="how to print (default: %(default)s)")
    each = _command(
        outbound,
        "import-list",
        run_import_list,
        "take over a do-not-call list, in place of the one of its name",
        "outbound import-list --tenant acme --name ftc --as-of 2026-12-01 --country us list.csv",
    )
    each.add_argument("file", type=Path, metavar="FILE", help="CSV with a number a line")
    each.add_argument("--name", required=True, help="the list's name, as the tenant's file has it under outbound.do_not_call")
    each.add_argument("--as-of", required=True, type=day, metavar="DATE", help="the day of its content")
    each.add_argument("--country", default="", metavar="CC", help="the country of numbers in national form: us")
    _command(outbound, "lists", run_lists, "the lists that were imported, with their dates", "outbound lists --tenant acme")
    for name, run, what in (
        ("opt-out", run_opt_out, "they asked not to be called: in force at once"),
        ("lift", run_lift, "they asked to be called again"),
    ):
        each = _command(outbound, name, run, what, f'outbound {name} --tenant acme --number +15125550100 --proof "letter 7"')
        _number_and_proof(each)
    _add_consent(subparsers)


def _add_consent(subparsers: Subparsers) -> None:
    consent = subparsers.add_parser(
        "consent",
        help="consent of the people who are called",
        description="Consent of the people who are called: given, withdrawn, shown.",
        epilog="example: sordino consent show --tenant acme --number +15125550100",
    ).add_subparsers(required=True, metavar="COMMAND")
    for name, what in (("give", "they agreed to a purpose"), ("withdraw", "they do not agree any more")):
        each = _command(
            consent,
            name,
            run_consent,
            what,
            f'consent {name} --tenant acme --number +15125550100 --purpose reminder --proof "form 17"',
        )
        _number_and_proof(each)
        purpose = {"required": True} if name == "give" else {"default": ANY_PURPOSE}
        each.add_argument("--purpose", help="what for; withdrawn without one: everything", **purpose)
        each.add_argument("--until", type=_moment, metavar="DATE", help="it ends by itself then")
        each.set_defaults(answer=Answer.GIVEN if name == "give" else Answer.WITHDRAWN)
    each = _command(
        consent, "show", run_show_consent, "everything that somebody said", "consent show --tenant acme --number +15125550100"
    )
    each.add_argument("--number", required=True, help=THEIRS)
    each = _command(
        consent,
        "import",
        run_import_consents,
        f"many, from CSV with the columns {', '.join(CONSENT_COLUMNS)}",
        "consent import --tenant acme consents.csv",
    )
    each.add_argument("file", type=Path, metavar="FILE")


def run_check(given: argparse.Namespace) -> int:
    number, purpose = line_of(given.to, "number"), checked_purpose(given.purpose)

    async def work(desks: Governing) -> int:
        report = await desks.dial.check(given.tenant, number, purpose=purpose, at=given.at, dialling=given.dial)
        _show(report, given.format)
        return GOOD if report.answer.permitted else REFUSED

    return on_the_desks(given, work)


def run_import_list(given: argparse.Namespace) -> int:
    async def work(desks: Governing) -> int:
        with given.file.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
            numbers = _numbers(given, lines)
            imported = await desks.dial.import_list(given.tenant, given.name, numbers, as_of=given.as_of)
        print(f"{given.name}: {imported.numbers} number(s) as of {imported.as_of}")
        for note in _notes(given, desks.policies().tenant(given.tenant)):
            print(f"  note: {note}", file=sys.stderr)
        return GOOD

    _refuse_faults(given)
    return on_the_desks(given, work)


def run_lists(given: argparse.Namespace) -> int:
    async def work(desks: Governing) -> int:
        for each in await desks.dial.lists(given.tenant):
            print(f"{each.name:<24} as of {each.as_of}  {each.numbers} number(s), imported {each.imported_at:%Y-%m-%d %H:%M}")
        return GOOD

    return on_the_desks(given, work)


def run_opt_out(given: argparse.Namespace) -> int:
    number = line_of(given.number, "number")

    async def work(desks: Governing) -> int:
        await desks.dial.opt_out(given.tenant, number, how=How.REQUEST, proof=reason_of_a_person(given.proof, "proof"))
        print("they are not called again")
        return GOOD

    return on_the_desks(given, work)


def run_lift(given: argparse.Namespace) -> int:
    number = line_of(given.number, "number")

    async def work(desks: Governing) -> int:
        await desks.dial.lift(given.tenant, number, proof=given.proof)
        print("they may be called again, if they consent: sordino consent give")
        return GOOD

    return on_the_desks(given, work)


def run_consent(given: argparse.Namespace) -> int:
    number = line_of(given.number, "number")

    async def work(desks: Governing) -> int:
        how = How.WRITTEN if given.answer is Answer.GIVEN else How.REQUEST
        purpose, proof = checked_purpose(given.purpose), reason_of_a_person(given.proof, "proof")
        record = ConsentRecord(given.answer, purpose, how, datetime.now(UTC), proof, given.until)
        await desks.dial.consent(given.tenant, number, record)
        print(f"{given.answer.value}: {given.purpose}")
        return GOOD

    return on_the_desks(given, work)


def run_show_consent(given: argparse.Namespace) -> int:
    number = line_of(given.number, "number")

    async def work(desks: Governing) -> int:
        for each in await desks.dial.consents_of(given.tenant, number):
            until = f" until {each.until:%Y-%m-%d}" if each.until else ""
            print(
                f"{each.at:%Y-%m-%d %H:%M}  {each.answer.value:<10} {each.purpose:<16} {each.how.value:<12} {each.proof}{until}"
            )
        return GOOD

    return on_the_desks(given, work)


def run_import_consents(given: argparse.Namespace) -> int:
    said = list(_consents(given.file))

    async def work(desks: Governing) -> int:
        await desks.dial.import_consents(given.tenant, said)
        print(f"{len(said)} consent(s)")
        return GOOD

    return on_the_desks(given, work)


def _numbers(given: argparse.Namespace, lines: TextIO) -> Iterator[Private[str]]:
    for each in read_numbers(str(given.file), lines, given.country):
        if isinstance(each, Private):
            yield each


def _refuse_faults(given: argparse.Namespace) -> None:
    """A list with one unreadable line would let somebody be called who stands on it: so it is refused as a whole."""
    with given.file.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        faults = [each for each in read_numbers(str(given.file), lines, given.country) if isinstance(each, Finding)]
    if faults:
        raise PolicyInvalid(tuple(faults[:MOST_FINDINGS]))


def _consents(file: Path) -> Iterator[tuple[Private[str], ConsentRecord]]:
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        rows = csv.DictReader(lines)
        missing = [column for column in CONSENT_COLUMNS if column not in (rows.fieldnames or ())]
        if missing:
            found = Finding(
                f"the column {missing[0]} is missing", Location(str(file), 1, 1), f"begin with {','.join(CONSENT_COLUMNS)}"
            )
            raise PolicyInvalid((found,))
        for row in rows:
            try:
                at = _moment(row["at"] or "")
            except argparse.ArgumentTypeError as wrong:
                raise PolicyInvalid((Finding("this is not a time", Location(str(file), rows.line_num, 1), str(wrong)),)) from None
            record = ConsentRecord(Answer.GIVEN, (row["purpose"] or "").strip(), How.IMPORTED, at, (row["proof"] or "").strip())
            if not record.purpose or not record.proof:
                where = Location(str(file), rows.line_num, 1)
                raise PolicyInvalid((Finding("a consent needs its purpose and its proof", where, "fill both columns"),))
            try:
                number = e164(Private((row["number"] or "").strip()))  # with its country: consent of somebody else is none
                checked_purpose(record.purpose)
                reason_of_a_person(record.proof, "proof")
            except InvalidRequest as wrong:
                raise PolicyInvalid((Finding(wrong.message, Location(str(file), rows.line_num, 1), wrong.hint),)) from None
            yield number, record


def _notes(given: argparse.Namespace, policy: TenantPolicy) -> Iterator[str]:
    """Why a list that was taken over will not do what it was meant for."""
    asked, longest = policy.outbound.do_not_call, min(policy.outbound.do_not_call_max_age, FRESH_FOR)
    if given.name not in asked:
        meant = did_you_mean(given.name, asked, otherwise="its do_not_call names")
        yield f"{policy.tenant} asks for no list of this name; {meant}"
    elif datetime.now(UTC).date() - given.as_of > longest:
        yield f"it is older than {longest.days} days, so nobody is called until a newer one is imported"


def _show(report: DialReport, form: str) -> None:
    answer = report.answer
    if form == "json":
        body = {
            "permitted": answer.permitted,
            "reasons": answer.reasons,
            "places": report.where.places,
            "evidence": report.evidence,
        }
        print(json.dumps(body, indent=2))
        return
    print("permitted" if answer.permitted else "refused")
    for reason in answer.reasons:
        print(f"  no: {reason}")
    for sentence in report.where.why:
        print(f"  place: {sentence}")


def _command(commands: Subparsers, name: str, run: Any, what: str, example: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name, help=what, description=what[0].upper() + what[1:] + ".", epilog=f"example: sordino {example}"
    )
    add_policies(parser)
    parser.add_argument("--tenant", required=True, metavar="NAME", help="whose calls")
    parser.set_defaults(run=run)
    return parser


def _number_and_proof(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--number", required=True, help=THEIRS)
    parser.add_argument("--proof", required=True, help="where it is proven: a form, a letter, a call")


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("write a time: 2026-12-01T09:30:00-06:00, or a day") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
