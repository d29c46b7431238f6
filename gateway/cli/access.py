"""``sordino access``: roles, keys of people and services, who was let in, and the glass that is broken in an emergency."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gateway.accessing import AccessNeeds, access_desk
from gateway.adapters.stores.api_keys import PERSON, SERVICE, AccessKey, Wish, held_for
from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.adapters.system import RandomIds, Secrets, SystemClock
from gateway.cli.attached import add_policies, attach
from gateway.governing import open_senders
from gateway.http.accesses import roles_table
from gateway.policy.roles import MEANING, RIGHTS, Right, Role
from gateway.runner.access import GLASS_MINUTES, HOST, MOST_GLASS_MINUTES, ON_THE_HOST, AccessDesk
from gateway.settings import Settings

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  (argparse has no public name for it)

GOOD = 0
_UNITS = {"m": 60, "h": 3600, "d": 86400}


def add_parser(subparsers: Subparsers) -> None:
    """Add ``access`` and its commands."""
    access = subparsers.add_parser(
        "access",
        help="who may do what: roles, keys, the access log",
        description="Who may use the control interface, in which role and for which tenants.",
        epilog="example: sordino access keys create --role auditor --tenant acme --expires 30d",
    )
    commands = access.add_subparsers(required=True, metavar="COMMAND")
    each = _command(commands, "roles", run_roles, "the table of roles and rights", "roles")
    each.add_argument("--format", default="text", choices=["text", "json"])
    each = _command(commands, "log", run_log, "who was let in and who was refused, the newest first", "log --tenant acme")
    each.add_argument("--tenant", default="", metavar="NAME", help="about whose data (left out: about the gateway as a whole)")
    each.add_argument("--most", type=int, default=50, metavar="N", help="how many rows (50)")
    each.add_argument("--format", default="text", choices=["text", "json"])
    each = _command(
        commands,
        "break-glass",
        run_break_glass,
        "an owner's rights for minutes: it is in every tenant's evidence, and every tenant is told",
        'break-glass --reason "the identity provider is down, incident 12"',
    )
    each.add_argument("--reason", required=True, help="why; it is shown to the tenants")
    each.add_argument("--minutes", type=int, default=GLASS_MINUTES, metavar="N", help=f"up to {MOST_GLASS_MINUTES} (15)")
    people = commands.add_parser(
        "people", help="who has signed in", description="People who have signed in.", epilog="example: sordino access people list"
    )
    _add_people(people.add_subparsers(required=True, metavar="COMMAND"))
    keys = commands.add_parser(
        "keys", help="keys of people and services", description="Access keys.", epilog="example: sordino access keys list"
    )
    _add_keys(keys.add_subparsers(required=True, metavar="COMMAND"))


def _add_keys(commands: Subparsers) -> None:
    each = _command(commands, "create", run_create, "make a key; it is shown once", "keys create --role operator --expires 90d")
    each.add_argument("--role", required=True, choices=[role.value for role in Role], metavar="ROLE", help=", ".join(Role))
    each.add_argument("--tenant", action="append", default=[], metavar="NAME", help="for whom it is good (repeatable; all)")
    each.add_argument("--expires", type=_span, default=timedelta(days=90), metavar="90d", help="how long it is good (90d)")
    each.add_argument("--name", default="", help="whose it is, or what it is for")
    each.add_argument("--service", action="store_true", help="it is for a program (with --role service)")
    each.add_argument("--right", action="append", default=[], metavar="R", help="only this of the role's rights (repeatable)")
    each = _command(commands, "list", run_list, "every key that there was, without its secret", "keys list")
    each.add_argument("--format", default="text", choices=["text", "json"])
    each = _command(commands, "rotate", run_rotate, "a new key in place of one", "keys rotate key_0123 --grace 24h")
    each.add_argument("key", metavar="KEY_ID")
    each.add_argument("--grace", type=_span, default=timedelta(0), metavar="24h", help="how long the old one stays good (0m)")
    each = _command(commands, "revoke", run_revoke, "nobody is let in by it any more", "keys revoke key_0123")
    each.add_argument("key", metavar="KEY_ID")


def _add_people(commands: Subparsers) -> None:
    each = _command(commands, "list", run_people, "everybody who has signed in", "people list")
    each.add_argument("--format", default="text", choices=["text", "json"])
    each = _command(commands, "sign-out", run_sign_out, "end all of somebody's sessions at once", "people sign-out person_0123")
    each.add_argument("person", metavar="PERSON_ID")
    each = _command(commands, "forget", run_forget, "let go of somebody's name; evidence has their id", "people forget person_0")
    each.add_argument("person", metavar="PERSON_ID")


def _command(
    commands: Subparsers, name: str, run: Callable[[argparse.Namespace], int], what: str, example: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=what, description=what, epilog=f"example: sordino access {example}")
    add_policies(parser)
    parser.set_defaults(run=run)
    return parser


def run_roles(given: argparse.Namespace) -> int:
    if given.format == "json":
        print(json.dumps(roles_table(), indent=2))
        return GOOD
    wide = max(len(right.value) for right in Right)
    print(" " * wide, *(role.value for role in Role), sep="  ")
    for right in Right:
        marks = (("yes" if right in RIGHTS[role] else "-").ljust(len(role.value)) for role in Role)
        print(right.value.ljust(wide), *marks, MEANING[right], sep="  ")
    return GOOD


def run_create(given: argparse.Namespace) -> int:
    wish = Wish(
        role=given.role,
        tenants=held_for(given.tenant),
        lives=given.expires,
        name=given.name,
        kind=SERVICE if given.service else PERSON,
        rights=tuple(given.right),
    )

    async def work(desk: AccessDesk) -> None:
        key, secret = await desk.create_key(wish, by=ON_THE_HOST)
        _show_once(key, secret.reveal())

    return _at_the_desk(given, work)


def run_list(given: argparse.Namespace) -> int:
    async def work(desk: AccessDesk) -> None:
        found = await desk.keys()
        if given.format == "json":
            print(json.dumps([asdict(key) for key in found], indent=2))
            return
        now = datetime.now(UTC)
        for key in found:
            state = "revoked" if key.revoked_at else "good" if key.usable(now) else "expired"
            rights = f" ({', '.join(key.rights)} only)" if key.rights else ""
            told = f"{key.id}  {state} until {key.expires_at[:16]}  {key.kind}  {key.role}{rights} of {_whose(key)}  {key.name}"
            print(told.rstrip())

    return _at_the_desk(given, work)


def run_rotate(given: argparse.Namespace) -> int:
    async def work(desk: AccessDesk) -> None:
        key, secret = await desk.rotate_key(given.key, grace=given.grace, by=ON_THE_HOST)
        _show_once(key, secret.reveal())

    return _at_the_desk(given, work)


def run_revoke(given: argparse.Namespace) -> int:
    async def work(desk: AccessDesk) -> None:
        await desk.revoke_key(given.key, by=HOST)
        print(f"{given.key} lets nobody in any more")

    return _at_the_desk(given, work)


def run_people(given: argparse.Namespace) -> int:
    async def work(desk: AccessDesk) -> None:
        found = await desk.people()
        if given.format == "json":
            print(json.dumps([asdict(each) for each in found], indent=2))
            return
        for each in found:
            print(f"{each.id}  {', '.join(each.roles)}  last on {each.seen_at[:16]}  {each.name}  ({each.issuer})")
        if not found:
            print("nobody has signed in")

    return _at_the_desk(given, work)


def run_sign_out(given: argparse.Namespace) -> int:
    async def work(desk: AccessDesk) -> None:
        print(f"{await desk.end_sessions(given.person, by=HOST)} session(s) ended")

    return _at_the_desk(given, work)


def run_forget(given: argparse.Namespace) -> int:
    async def work(desk: AccessDesk) -> None:
        await desk.forget(given.person, by=HOST)
        print(f"the name of {given.person} is forgotten, and their sessions ended")

    return _at_the_desk(given, work)


def run_log(given: argparse.Namespace) -> int:
    async def work(desk: AccessDesk) -> None:
        found = await desk.log(given.tenant, given.most)
        if given.format == "json":
            print(json.dumps([{"at": each.at.isoformat(), "kind": each.kind, **each.body} for each in found], indent=2))
            return
        for each in found:
            facts = " ".join(f"{name}={value}" for name, value in each.body.items() if name != "roles")
            print(f"{each.at:%Y-%m-%d %H:%M:%S}  {each.kind.removeprefix('access.')}  {facts}")

    return _at_the_desk(given, work)


def run_break_glass(given: argparse.Namespace) -> int:
    async def work(desk: AccessDesk) -> None:
        key, secret = await desk.break_glass(ON_THE_HOST, reason=given.reason, minutes=given.minutes)
        print(f"it is in every tenant's evidence, and is good until {key.expires_at[:19]}", file=sys.stderr)
        _show_once(key, secret.reveal())

    return _at_the_desk(given, work)


def _whose(key: AccessKey) -> str:
    return "all tenants" if "*" in key.tenants else ", ".join(key.tenants)


def _show_once(key: AccessKey, secret: str) -> None:
    """The secret alone on stdout, so that a script can take it."""
    print(f"{key.id}, {key.role} of {_whose(key)}, until {key.expires_at[:16]}. It is shown this once:", file=sys.stderr)
    print(secret)


def _at_the_desk(given: argparse.Namespace, work: Callable[[AccessDesk], Awaitable[None]]) -> int:
    settings = Settings.from_env(os.environ, policies=given.policies)
    folder = PolicyFolder.open(settings.policies)

    async def run() -> None:
        async with AsyncExitStack() as running:
            store, ledger = await attach(settings, running)
            clock, secrets = SystemClock(), Secrets(settings.data / "secrets", os.environ)
            senders = await open_senders(secrets, os.environ, clock, running)
            await work(access_desk(AccessNeeds(store, ledger, lambda: folder.policies, senders, clock, RandomIds())))

    asyncio.run(run())
    return GOOD


def _span(text: str) -> timedelta:
    match = re.fullmatch(r"([0-9]{1,6})([mhd])", text)
    if match is None:
        raise argparse.ArgumentTypeError("write a whole number and a unit: 90d, 24h, 30m")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])
