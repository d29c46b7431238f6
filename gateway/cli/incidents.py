"""``sordino incidents``: whom something that went wrong touches, their clocks, drafts of notices, proof that they were told."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.adapters.system import RandomIds, Secrets, SystemClock
from gateway.cli.attached import add_policies, attach, check_tenant
from gateway.cli.incidents_shown import show
from gateway.governing import open_senders
from gateway.http.incidents import incident_json
from gateway.incident import IncidentDesks, alert_contacts, open_incidents
from gateway.reports.breach import PAPERS
from gateway.reports.timeline import timeline
from gateway.runner.incidents_record import NOTICE, Incident, Report
from gateway.settings import Settings
from gateway.values import TenantId

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  (argparse has no public name for it)

GOOD, BROKEN = 0, 1
BY = "command line"
Work = Callable[[IncidentDesks], Awaitable[int]]


def add_parser(subparsers: Subparsers) -> None:
    """Add ``incidents`` and its commands."""
    top = subparsers.add_parser(
        "incidents",
        help="incidents: whom they touch, by when they must be told, notices with proof",
        description="Something went wrong: whom it touches is counted in the evidence, and the shortest of their clocks runs.",
        epilog='example: sordino incidents open --from 2026-12-01T08:00Z --to 2026-12-01T10:00Z --what "keys of a vendor leaked"',
    ).add_subparsers(required=True, metavar="COMMAND")
    _add_open(top)
    scope = _one(top, "scope", run_scope, "read the evidence again: whom it touches now", "scope incident_01…")
    scope.add_argument("--tenant", metavar="T", help="with --calls: the calls and people (keyed hashes) of this tenant")
    scope.add_argument("--calls", type=Path, metavar="FILE", help="write them there, as JSON")
    draft = _one(
        top, "draft", run_draft, "a notice, drafted from what is on record", "draft incident_01… --tenant acme -o notice.md"
    )
    draft.add_argument("--tenant", required=True, metavar="T", help="whose")
    draft.add_argument("--paper", default=NOTICE, choices=list(PAPERS), help="which (%(default)s)")
    draft.add_argument("--html", action="store_true", help="as a page for paper instead of Markdown")
    draft.add_argument("-o", "--output", type=Path, metavar="FILE", help="where to (standard output)")
    notify = _one(
        top, "notify", run_notify, "send a tenant the notice, until it arrives", "notify incident_01… --tenant acme --text n.md"
    )
    notify.add_argument("--tenant", required=True, metavar="T", help="whom")
    notify.add_argument("--text", type=Path, metavar="FILE", help="the draft, filled in")
    notify.add_argument("--preliminary", action="store_true", help="now, with what is known; what is blank is said to follow")
    notify.add_argument("--given", metavar="PROOF", help="it was told by other means: where that is proven")
    event = _one(
        top, "event", run_event, "something happened: it stands in the timeline", 'event incident_01… contained --note "…"'
    )
    event.add_argument("what", metavar="WHAT", help="a word: contained, cause.found")
    event.add_argument("--note", default="", metavar="TEXT", help="what people should know of it, without names of callers")
    event.add_argument("--tenant", action="append", default=[], metavar="T", help="this tenant's record has it too (repeatable)")
    close = _one(top, "close", run_close, "it is over", "close incident_01… resolved")
    close.add_argument("outcome", metavar="OUTCOME", help="a word: resolved, false.alarm")
    close.add_argument("--reason", default="", metavar="TEXT", help="why somebody who was not told need not be")
    listed = _command(top, "list", run_list, "every incident", "list --open")
    listed.add_argument("--open", action="store_true", help="only those that are not closed")
    shown = _one(top, "show", run_show, "one of them, with its timeline", "show incident_01…")
    shown.add_argument("--html", type=Path, metavar="FILE", help="as a page for paper")
    verify = _command(top, "verify", run_verify, "verify the evidence in the store; a fault opens an incident", "verify")
    verify.add_argument("--tenant", metavar="T", help="only this one's")


def _add_open(top: Subparsers) -> None:
    what = "put it on record: whom it touches is read from the evidence, and their clocks start"
    add = _command(top, "open", run_open, what, 'open --from 2026-12-01T08:00Z --to 2026-12-01T10:00Z --what "…"')
    add.add_argument(
        "--from", dest="start", required=True, type=_time, metavar="TIME", help="since when: RFC 3339, UTC without a zone"
    )
    add.add_argument("--to", dest="end", required=True, type=_time, metavar="TIME", help="until when, not included")
    add.add_argument("--what", required=True, metavar="TEXT", help="what happened, without names of callers")
    add.add_argument("--processor", default="", metavar="P", help="only what went to this sub-processor")
    add.add_argument("--region", default="", metavar="R", help="only what went to this region")
    add.add_argument("--tenant", action="append", default=[], metavar="T", help="this tenant, touched or not (repeatable)")
    add.add_argument("--aware", type=_time, metavar="TIME", help="when it became known (now): the clock counts from there")


def on_the_incidents(given: argparse.Namespace, work: Work) -> int:
    """Do ``work`` on the store that the gateway uses. Raises PolicyInvalid, Misconfigured, StoreUnavailable."""
    settings = Settings.from_env(os.environ, policies=given.policies)
    folder = PolicyFolder.open(settings.policies)

    async def run() -> int:
        async with AsyncExitStack() as running:
            store, ledger = await attach(settings, running)
            await check_tenant(given, folder, ledger)
            clock, secrets = SystemClock(), Secrets(settings.data / "secrets", os.environ)
            senders = await open_senders(secrets, os.environ, clock, running)
            house = alert_contacts(os.environ)
            return await work(open_incidents(store, ledger, lambda: folder.policies, senders, clock, RandomIds(), house))

    return asyncio.run(run())


def run_open(given: argparse.Namespace) -> int:
    """``sordino incidents open``"""
    report = Report(
        start=given.start,
        end=given.end,
        what=given.what,
        processor=given.processor,
        region=given.region,
        tenants=tuple(given.tenant),
        aware=given.aware,
    )
    return _told(given, lambda desks: desks.incidents.open(report, by=BY))


def run_scope(given: argparse.Namespace) -> int:
    """``sordino incidents scope ID``"""

    async def work(desks: IncidentDesks) -> int:
        if given.calls is None:
            show(await desks.incidents.scope(given.incident), desks.clock.now())
            return GOOD
        incident, tenant = await desks.incidents.get(given.incident), TenantId(given.tenant or "")
        incident.scope(tenant)
        found = await desks.incidents.read(incident, tenant)
        listed = {**found.facts, "tenant": tenant, "calls": sorted(found.calls), "people": sorted(found.people)}
        given.calls.write_text(json.dumps(listed, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"wrote {given.calls}: {len(found.calls):,} calls, {len(found.people):,} people")
        return GOOD

    return on_the_incidents(given, work)


def run_draft(given: argparse.Namespace) -> int:
    """``sordino incidents draft ID --tenant T``"""

    async def work(desks: IncidentDesks) -> int:
        draft = await desks.incidents.draft(given.incident, TenantId(given.tenant), given.paper)
        words = draft.html if given.html else draft.markdown + "\n"
        if given.output is None:
            sys.stdout.write(words)
        else:
            given.output.write_text(words, encoding="utf-8")
            print(f"wrote {given.output}: {len(draft.blanks)} blank(s) to fill in")
        return GOOD

    return on_the_incidents(given, work)


def run_notify(given: argparse.Namespace) -> int:
    """``sordino incidents notify ID --tenant T``"""
    tenant = TenantId(given.tenant)

    async def work(desks: IncidentDesks) -> Incident:
        if given.given:
            return await desks.incidents.given(given.incident, tenant, by=BY, proof=given.given)
        words = given.text.read_text(encoding="utf-8") if given.text else ""
        return await desks.incidents.notify(given.incident, tenant, by=BY, text=words, preliminary=given.preliminary)

    return _told(given, work)


def run_event(given: argparse.Namespace) -> int:
    """``sordino incidents event ID WHAT``"""
    facts: dict[str, Any] = {"by": BY, "note": given.note, "tenants": given.tenant}
    return _told(given, lambda desks: desks.incidents.event(given.incident, given.what, **facts))


def run_close(given: argparse.Namespace) -> int:
    """``sordino incidents close ID OUTCOME``"""
    return _told(given, lambda desks: desks.incidents.close(given.incident, given.outcome, by=BY, reason=given.reason))


def run_show(given: argparse.Namespace) -> int:
    """``sordino incidents show ID``"""
    if given.html is None:
        return _told(given, lambda desks: desks.incidents.get(given.incident))

    async def work(desks: IncidentDesks) -> int:
        incident = await desks.incidents.get(given.incident)
        page = timeline(incident.main, list(incident.parts.values()), now=desks.clock.now())
        given.html.write_text(page, encoding="utf-8")
        print(f"wrote {given.html}")
        return GOOD

    return on_the_incidents(given, work)


def run_list(given: argparse.Namespace) -> int:
    """``sordino incidents list``"""

    async def work(desks: IncidentDesks) -> int:
        found = await desks.incidents.list(open_only=given.open)
        if given.format == "json":
            print(json.dumps({"incidents": [incident_json(each) for each in found]}, indent=2, ensure_ascii=False))
            return GOOD
        for each in found:
            due = f"to be told by {each.due:%Y-%m-%d %H:%M} UTC" if each.due else "touches nobody"
            state = f"closed: {each.main.outcome}" if not each.main.open else due if each.untold else "everybody has been told"
            print(f"{each.id}  {each.main.opened_at:%Y-%m-%d %H:%M}  {len(each.parts)} tenant(s)  {state}")
        if not found:
            print("no incident is on record")
        return GOOD

    return on_the_incidents(given, work)


def run_verify(given: argparse.Namespace) -> int:
    """``sordino incidents verify``. Exit code 1 where a chain is broken."""

    async def work(desks: IncidentDesks) -> int:
        broken = False
        for tenant in (TenantId(given.tenant),) if given.tenant else desks.book.tenants():
            looked = await desks.watch.verify(tenant)
            print(f"{tenant}: {looked.entries:,} entries, {'BROKEN' if looked.faults else 'whole'}")
            for fault in looked.faults[:10]:
                print(f"  entry {fault.place} {fault.what}")
            if looked.incident is not None:
                print(f"  incident {looked.incident.id} has it: sordino incidents show {looked.incident.id}")
            broken = broken or bool(looked.faults)
        return BROKEN if broken else GOOD

    return on_the_incidents(given, work)


def _told(given: argparse.Namespace, do: Callable[[IncidentDesks], Awaitable[Incident]]) -> int:
    async def work(desks: IncidentDesks) -> int:
        incident = await do(desks)
        if given.format == "json":
            print(json.dumps(incident_json(incident, whole=True), indent=2, ensure_ascii=False))
        else:
            show(incident, desks.clock.now())
        return GOOD

    return on_the_incidents(given, work)


def _one(to: Subparsers, name: str, run: Any, what: str, example: str) -> argparse.ArgumentParser:
    command = _command(to, name, run, what, example)
    command.add_argument("incident", metavar="INCIDENT", help="its id")
    return command


def _command(to: Subparsers, name: str, run: Any, what: str, example: str) -> argparse.ArgumentParser:
    command = to.add_parser(name, help=what, description=what, epilog=f"example: sordino incidents {example}")
    command.add_argument("--format", default="text", choices=["text", "json"])
    add_policies(command)
    command.set_defaults(run=run)
    return command


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("write a time: 2026-12-01T09:30Z") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
