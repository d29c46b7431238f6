"""``sordino transcripts``: which calls are kept as text, and one of them, masked or with a reason in clear."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING

from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.adapters.system import SystemClock
from gateway.cli.attached import add_policies, attach, check_tenant
from gateway.errors import InvalidRequest
from gateway.keeping import open_keys
from gateway.runner.access import HOST
from gateway.runner.transcripts import TranscriptDesk, as_json, as_text
from gateway.settings import Settings
from gateway.transcribing import open_transcripts
from gateway.values import CallId, TenantId

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  (argparse has no public name for it)

Work = Callable[[TranscriptDesk], Awaitable[int]]


def add_parser(subparsers: Subparsers) -> None:
    """Add ``transcripts`` and its commands."""
    top = subparsers.add_parser(
        "transcripts",
        help="what was said on calls: list, show",
        description="What was said on calls, masked. To read one in clear asks for a reason, and is written down.",
        epilog="example: sordino transcripts list --tenant acme",
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for name, run, what, example in (
        ("list", run_list, "the transcripts of a tenant", "--tenant acme"),
        ("show", run_show, "one transcript, turn by turn", '--tenant acme --call C --reveal --reason "case 7"'),
    ):
        command = commands.add_parser(name, help=what, description=what, epilog=f"example: sordino transcripts {name} {example}")
        command.add_argument("--tenant", required=True, metavar="T", help="whose")
        command.add_argument("--format", default="text", choices=["text", "json"], help="how to print (default: text)")
        if name == "show":
            command.add_argument("--call", required=True, metavar="C", help="of which call")
            command.add_argument("--reveal", dest="clear", action="store_true", help="as it was said, but for card data")
            command.add_argument("--reason", metavar="WHY", help="stands in the evidence: no personal data")
        add_policies(command)
        command.set_defaults(run=run)


def run_list(given: argparse.Namespace) -> int:
    """``sordino transcripts list --tenant T``"""

    async def work(desk: TranscriptDesk) -> int:
        rows = await desk.list(TenantId(given.tenant))
        if given.format == "json":
            print(json.dumps([asdict(row) for row in rows], indent=2))
            return 0
        for row in rows:
            print(f"{row.call}  {row.started[:19]}Z  {row.turns:5} turns  {row.state}")
        if not rows:
            print(f"{given.tenant} has no transcripts")
        return 0

    return _on_the_desk(given, work)


def run_show(given: argparse.Namespace) -> int:
    """``sordino transcripts show --tenant T --call C [--reveal --reason WHY]``"""
    if given.clear and not given.reason:
        raise InvalidRequest("to read a transcript in clear needs a reason", hint='add --reason "…": it stands in the evidence')
    tenant, call = TenantId(given.tenant), CallId(given.call)

    async def work(desk: TranscriptDesk) -> int:
        if given.clear:
            clear = await desk.read_in_clear(tenant, call, reason=given.reason, by=HOST)
            print((as_json(clear) if given.format == "json" else as_text(clear)).reveal(), end="")
            return 0
        found = await desk.read(tenant, call)
        if given.format == "json":
            print(json.dumps({"facts": asdict(found.facts), "turns": [asdict(turn) for turn in found.turns]}, indent=2))
            return 0
        for turn in found.turns:
            print(f"{turn.at}  {turn.speaker}: {turn.text}")
        return 0

    return _on_the_desk(given, work)


def _on_the_desk(given: argparse.Namespace, work: Work) -> int:
    """Do ``work`` on the store that the gateway uses. Raises PolicyInvalid, Misconfigured, StoreUnavailable, NotFound…"""
    settings = Settings.from_env(os.environ, policies=given.policies)
    folder = PolicyFolder.open(settings.policies)

    async def run() -> int:
        async with AsyncExitStack() as running:
            store, ledger = await attach(settings, running)
            await check_tenant(given, folder, ledger)
            keys = await open_keys(settings, store)
            return await work(open_transcripts(store, keys.shelf, ledger, SystemClock(), data=settings.data).desk)

    return asyncio.run(run())
