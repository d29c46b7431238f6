"""``sordino recordings``: which calls are recorded, one of them as a WAV file, and its deletion."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.adapters.stores.notices import RedisNoticeLog
from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.adapters.system import RandomIds, Secrets, SystemClock
from gateway.adapters.telemetry.null import NullTelemetry
from gateway.cli.attached import add_policies, attach, check_tenant
from gateway.cli.data import BY, on_the_data_desk
from gateway.holding import DataDesk
from gateway.keeping import open_keys
from gateway.recording import DeskNeeds, open_recordings
from gateway.runner.notices import NoticeWatch
from gateway.runner.recordings import RecordingDesk
from gateway.settings import Settings
from gateway.values import CallId, TenantId

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  (argparse has no public name for it)

Work = Callable[[RecordingDesk], Awaitable[int]]


def add_parser(subparsers: Subparsers) -> None:
    """Add ``recordings`` and its commands."""
    top = subparsers.add_parser(
        "recordings",
        help="recordings of calls: list, export, delete",
        description="Recordings of calls. Reading one asks for a reason, and both reading and deleting are written down.",
        epilog="example: sordino recordings list --tenant acme",
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for name, run, what, example in (
        ("list", run_list, "the recordings of a tenant", "--tenant acme"),
        ("export", run_export, "one recording as a WAV file, caller left and agent right", '--tenant acme --call C --reason "…"'),
        ("delete", run_delete, "destroy the key and the sound of one recording", "--tenant acme --call C"),
    ):
        command = commands.add_parser(name, help=what, description=what, epilog=f"example: sordino recordings {name} {example}")
        command.add_argument("--tenant", required=True, metavar="T", help="whose")
        if name == "list":
            command.add_argument("--format", default="text", choices=["text", "json"])
        else:
            command.add_argument("--call", required=True, metavar="C", help="of which call")
            command.add_argument(
                "--reason", required=name == "export", metavar="WHY", help="stands in the evidence: no personal data"
            )
        if name == "export":
            command.add_argument("--output", "-o", type=Path, metavar="FILE.wav", help="where to (CALL.wav)")
        add_policies(command)
        command.set_defaults(run=run)


def run_list(given: argparse.Namespace) -> int:
    """``sordino recordings list --tenant T``"""

    async def work(desk: RecordingDesk) -> int:
        rows = await desk.list(TenantId(given.tenant))
        if given.format == "json":
            print(json.dumps([asdict(row) for row in rows], indent=2))
            return 0
        for row in rows:
            cut = ", cut" if row.cut else ""
            print(f"{row.call}  {row.started[:19]}Z  {row.ms / 1000:8.1f} s  {row.state}{cut} at {row.processor}")
        if not rows:
            print(f"{given.tenant} has no recordings")
        return 0

    return _on_the_desk(given, work)


def run_export(given: argparse.Namespace) -> int:
    """``sordino recordings export --tenant T --call C --reason WHY [--output FILE.wav]``"""
    output = given.output or Path(f"{given.call}.wav")

    async def work(desk: RecordingDesk) -> int:
        async with desk.export(TenantId(given.tenant), CallId(given.call), reason=given.reason) as found:
            handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                async for piece in found.wav:
                    file.write(piece)
            extent = found.extent
        print(f"written {output}: {extent.ms / 1000:.1f} s, {found.facts.redacted} where personal data was said")
        for gap in extent.gaps:
            print(f"  not recorded from {gap.start_ms / 1000:.1f} s to {gap.end_ms / 1000:.1f} s: {gap.reason}")
        if extent.cut:
            print("  it was cut: its gateway ended before the call did")
        return 0

    return _on_the_desk(given, work)


def run_delete(given: argparse.Namespace) -> int:
    """``sordino recordings delete --tenant T --call C [--reason WHY]``"""

    async def work(desk: DataDesk) -> int:
        tenant, call = TenantId(given.tenant), CallId(given.call)
        done = await desk.delete_recording(tenant, call, why=given.reason or "request of the operator", by=BY)
        print(f"deleted: the key and the sound of {given.call}")
        for each in done.certificates:
            print(f"  certificate {each.id}")
        return 0

    return on_the_data_desk(given, work)


def _on_the_desk(given: argparse.Namespace, work: Work) -> int:
    """Do ``work`` on the store and the files that the gateway uses. Raises PolicyInvalid, Misconfigured, StoreUnavailable."""
    settings = Settings.from_env(os.environ, policies=given.policies)
    folder = PolicyFolder.open(settings.policies)

    async def run() -> int:
        async with AsyncExitStack() as running:
            store, ledger = await attach(settings, running)
            await check_tenant(given, folder, ledger)
            needs = DeskNeeds(
                data=settings.data,
                store=store,
                ledger=ledger,
                policies=folder,
                secrets=Secrets(settings.data / "secrets", os.environ),
                keys=(await open_keys(settings, store)).shelf,
                telemetry=NullTelemetry(),
                clock=SystemClock(),
                ids=RandomIds(),
                notices=NoticeWatch(RedisNoticeLog(store), lambda: folder.policies),
            )
            return await work(open_recordings(needs).desk)

    return asyncio.run(run())
