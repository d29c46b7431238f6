"""``sordino call``: play a caller to a running gateway, as a carrier would."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.adapters.system import Secrets
from gateway.audio import read_wav
from gateway.caller.call import Caller, ClosedBy
from gateway.caller.vendors import CARRIERS
from gateway.errors import InvalidRequest, Misconfigured
from gateway.settings import Settings

CARRIER_HELP = "whose protocol is spoken (twilio); for telnyx the secret NAME_PRIVATE holds the other half of its public key NAME"

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  (argparse has no public name for it)


def add_parser(subparsers: Subparsers) -> None:
    """Add ``call``."""
    parser = subparsers.add_parser(
        "call",
        help="play a caller to a running gateway",
        description="Play recordings as a caller's turns to a running gateway; print the timeline; save the conversation.",
        epilog="example: sordino call gateway/demo/audio/opening-hours.wav --to http://127.0.0.1:8080 --tenant demo",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.wav", help="one recording a turn: 16-bit mono WAV")
    parser.add_argument("--to", default="http://127.0.0.1:8080", metavar="URL", help="the gateway (http://127.0.0.1:8080)")
    parser.add_argument("--tenant", default="demo", help="whose number is called (demo)")
    parser.add_argument("--from", dest="from_", default="+15550199", metavar="+1…", help="the caller's number")
    parser.add_argument("--carrier", default="twilio", choices=CARRIERS, help=CARRIER_HELP)
    parser.add_argument("--policies", type=Path, metavar="DIR", help="where the tenant's file stands (SORDINO_POLICIES)")
    parser.add_argument(
        "--output", type=Path, default=Path("conversation.wav"), metavar="WAV", help="where the conversation goes"
    )
    parser.add_argument("--format", default="text", choices=["text", "json"])
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    settings = Settings.from_env(os.environ, policies=given.policies)
    tenant = PolicyFolder.open(settings.policies).tenant(given.tenant)
    carrier: str = given.carrier
    name = tenant.carrier.secrets().get(carrier)
    if not tenant.numbers or name is None:
        raise Misconfigured(
            f"tenant {given.tenant} has no number at {carrier.title()}", hint=f"add numbers and carrier.{carrier} to its file"
        )
    # Telnyx alone signs with a key that the gateway does not hold: who plays Telnyx needs the other half.
    token = Secrets(settings.data / "secrets").read(f"{name}_PRIVATE" if carrier == "telnyx" else name)
    for file in given.files:
        if not file.is_file():
            raise InvalidRequest(f"there is no file {file}")
    if not given.output.parent.is_dir():
        raise InvalidRequest(f"there is no folder {given.output.parent}", hint="make it, or name another file with --output")
    caller = Caller.dial(given.to, to=tenant.numbers[0], from_=given.from_, auth_token=token, carrier=carrier)
    asyncio.run(_talk(caller, given.files))
    given.output.write_bytes(caller.recording())
    _show(caller, given)
    return 0 if caller.closed is not None and caller.closed.by is ClosedBy.CALLER else 1


async def _talk(caller: Caller, files: list[Path]) -> None:
    turns = [read_wav(file) for file in files]
    async with caller as call:
        await call.announcement_over()
        await call.listen(until_silent_ms=900, timeout_s=15)
        for turn in turns:
            if not await call.say(turn):
                return
            await call.listen(until_silent_ms=1_200, timeout_s=25)


def _show(caller: Caller, given: argparse.Namespace) -> None:
    rows = caller.timeline.rows()
    if given.format == "json":
        print(json.dumps({"timeline": rows, "conversation": str(given.output)}, indent=2))
        return
    table = Table("at", "what", "which", box=None, header_style="dim")
    for row in rows:
        which = row.get("name") or (f"turn {row['turn']}" if "turn" in row else "")
        table.add_row(f"{float(row['at_ms']) / 1000:7.2f} s", str(row["kind"]).replace("_", " "), str(which))
    console = Console(highlight=False)
    console.print(table)
    for turn, delay in caller.timeline.answer_delays().items():
        console.print(f"turn {turn}: the answer began {delay:.0f} ms after the caller's last sound")
    console.print(f"saved {given.output} (caller left, agent right)")
