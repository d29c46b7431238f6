"""``sordino keys``: which keys there are, and another one in place of the master key or of a tenant's."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gateway.cli.attached import add_policies, attach
from gateway.errors import InvalidRequest
from gateway.keeping import Keys, key_desk, master_change, open_keys
from gateway.runner.key_desk import KeyDesk, Step
from gateway.settings import Settings
from gateway.values import TenantId

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  (argparse has no public name for it)

Work = Callable[[KeyDesk, Keys, Settings], Awaitable[int]]


def add_parser(subparsers: Subparsers) -> None:
    """Add ``keys`` and its commands."""
    top = subparsers.add_parser(
        "keys",
        help="the keys that lock what is kept: list, rotate",
        description="The master key, the tenants' keys and those of calls. No command ever shows a key: only its id.",
        epilog="example: sordino keys list",
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    what = "which keys there are: ids, ages, how many of calls"
    each = commands.add_parser("list", help=what, description=what, epilog="example: sordino keys list --format json")
    each.add_argument("--format", default="text", choices=["text", "json"])
    add_policies(each)
    each.set_defaults(run=run_list)
    what = "a new master key, or a new key for one tenant, while calls go on; begin it again if it was broken off"
    each = commands.add_parser("rotate", help=what, description=what, epilog="example: sordino keys rotate --tenant acme")
    each.add_argument("--tenant", metavar="T", help="this tenant's key (the master key)")
    add_policies(each)
    each.set_defaults(run=run_rotate)


def run_list(given: argparse.Namespace) -> int:
    """``sordino keys list``"""

    async def work(desk: KeyDesk, keys: Keys, settings: Settings) -> int:
        facts, calls = await desk.list()
        now = datetime.now(UTC)
        rows: list[dict[str, Any]] = [
            {
                "tenant": each.tenant,
                "key_id": each.key_id,
                "locked_by": each.locked_by,
                "made": datetime.fromtimestamp(each.made, UTC).isoformat(timespec="seconds"),
                "calls": dict(sorted(calls.get(each.tenant, {}).items())),
                "older": list(each.older),
            }
            for each in facts
        ]
        if given.format == "json":
            print(json.dumps({"master": keys.masters.ids[0], "known": list(keys.masters.ids), "tenants": rows}, indent=2))
            return 0
        print(f"master key {keys.masters.ids[0]}")
        for row in rows:
            days = max(0, (now - datetime.fromisoformat(row["made"])).days)
            counts = ", ".join(f"{count} {kind}" for kind, count in row["calls"].items()) or "none"
            held = "" if row["locked_by"] == keys.masters.ids[0] else f", locked by {row['locked_by']}"
            unended = ", a change has not ended: sordino keys rotate --tenant " + row["tenant"] if row["older"] else ""
            print(f"{row['tenant']}  {row['key_id']}  {days} day(s) old{held}; keys of calls: {counts}{unended}")
        return 0

    return _on_the_desk(given, work)


def run_rotate(given: argparse.Namespace) -> int:
    """``sordino keys rotate [--tenant T]``"""

    async def work(desk: KeyDesk, keys: Keys, settings: Settings) -> int:
        steps: AsyncIterator[Step]
        if given.tenant is not None:
            if not given.tenant:
                raise InvalidRequest("no tenant is named", hint="sordino keys rotate --tenant acme; without it, the master key")
            steps = desk.rotate_tenant(TenantId(given.tenant))
        else:
            steps = desk.rotate_master(master_change(settings, keys))
        async for step in steps:
            if step.told:
                print(step.told)
        return 0

    return _on_the_desk(given, work)


def _on_the_desk(given: argparse.Namespace, work: Work) -> int:
    settings = Settings.from_env(os.environ, policies=given.policies)

    async def run() -> int:
        async with AsyncExitStack() as running:
            store, ledger = await attach(settings, running)
            keys = await open_keys(settings, store)
            return await work(key_desk(settings, store, ledger, keys), keys, settings)

    return asyncio.run(run())
