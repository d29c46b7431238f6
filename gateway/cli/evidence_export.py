"""``sordino evidence export``: what an auditor asks of one tenant and period, as one signed file, and its verification."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.x509 import Certificate

from gateway.adapters.audit.bundle_file import open_bundle
from gateway.adapters.keys.signing import SigningKey
from gateway.adapters.stores.names import checked
from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.adapters.stores.receipts import Receipts
from gateway.adapters.system import SystemClock
from gateway.cli.attached import add_policies, attach
from gateway.cli.offline import safe
from gateway.errors import EvidenceInvalid
from gateway.evidence.anchor import SECOND_PLACE
from gateway.evidence.bundle import (
    Bundle,
)
from gateway.evidence.bundle import verify_bundle as verify
from gateway.policy.load import PolicySet
from gateway.runner.auditing import AuditDesk
from gateway.settings import Settings
from gateway.values import TenantId

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  (argparse has no public name for it)

GOOD, INVALID = 0, 1


def add_export(commands: Subparsers) -> None:
    """Add ``evidence export``."""
    what = "one tenant's evidence as one signed file, for an auditor who has neither this gateway nor its store"
    export = commands.add_parser(
        "export",
        help=what,
        description=what,
        epilog="example: sordino evidence export --tenant acme --from 2026-01-01 -o acme.zip",
    )
    export.add_argument("--tenant", required=True, metavar="T", help="whose")
    export.add_argument("--from", dest="start", type=_day, metavar="DAY", help="from this day on, UTC (from the beginning)")
    export.add_argument("--to", dest="end", type=_last_day, metavar="DAY", help="up to the end of this day, UTC (up to now)")
    export.add_argument("-o", "--output", type=Path, default=Path("bundle.zip"), metavar="FILE", help="default: %(default)s")
    export.add_argument(
        "--policies-were",
        action="append",
        default=[],
        type=Path,
        metavar="DIR",
        help="a folder of policies that were in force earlier (repeatable): those that calls name by digest are taken along",
    )
    add_policies(export)
    export.set_defaults(run=run_export)


def run_export(given: argparse.Namespace) -> int:
    """``sordino evidence export --tenant T``. The file is verified, as its reader would, before this answers."""
    settings = Settings.from_env(os.environ, policies=given.policies)
    tenant = TenantId(checked(given.tenant))
    known = [PolicyFolder.open(folder).policies for folder in (settings.policies, *given.policies_were)]
    asyncio.run(_export(given, settings, tenant, known))
    bundle = _read(given.output, None)
    print(f"wrote {given.output}: {_counts(bundle)}")
    if bundle.cut is not None:
        print(f"  not in it: {safe(bundle.cut.said)}")
    _say_missing(bundle)
    print(f"  to verify it anywhere: sordino evidence verify {given.output} --key {settings.data / 'keys' / 'signing.pub'}")
    return GOOD


def run_verify(path: Path, trusted_key: bytes | None, roots: Sequence[Certificate] = ()) -> int:
    """``sordino evidence verify BUNDLE [--key PUB] [--tsa-root PEM]``. Raises OSError."""
    try:
        bundle = _read(path, trusted_key, roots)
    except EvidenceInvalid as error:
        print(f"{path}: NOT VALID: {safe(str(error))}", file=sys.stderr)
        return INVALID
    print(f"verified: {_counts(bundle)} of {safe(bundle.tenant)}, made {safe(bundle.manifest['made'])}")
    span = bundle.manifest["chain"]
    if bundle.entries:
        print(f"  chain: entries {span['first']} to {span['last']}, each behind the one before it; head {span['head']}")
        if span["first"] == 1:
            print("  it begins with the tenant's very first entry")
        elif bundle.cut is not None:
            print(f"  the earlier part was deleted after its time: {safe(bundle.cut.said)}")
        else:
            print(f"  to be the continuation of an earlier bundle, that one must end with {span['before']}")
    if bundle.strays:
        print(f"  {bundle.strays} entries build on an earlier one than their call's last: what lies between was not acted on")
    _say_anchors(bundle)
    _say_missing(bundle)
    whose = "the key that you gave" if bundle.trusted else "which you have not confirmed: give --key signing.pub"
    print(f"  signed by key {bundle.key_id}, {whose}")
    return GOOD


def _read(path: Path, trusted_key: bytes | None, roots: Sequence[Certificate] = ()) -> Bundle:
    with open_bundle(path) as file:
        return verify(file.manifest, file.chunks, trusted_key, roots=roots)


def _counts(bundle: Bundle) -> str:
    certificates = f", {bundle.certificates} certificates" if bundle.certificates else ""
    return f"{bundle.entries} entries, {bundle.calls} calls, {bundle.receipts} receipts{certificates}"


def _say_anchors(bundle: Bundle) -> None:
    if not bundle.anchors:
        print("  not anchored: nobody but the operator saw it (SORDINO_TSA_URL or SORDINO_ANCHOR_DIR)")
        return
    last = bundle.anchors[-1]
    print(f"  anchored {len(bundle.anchors)} times; its first {last.head.size} entries were seen by {safe(last.by)} at {last.at}")
    stamps = [anchor for anchor in bundle.anchors if anchor.by != SECOND_PLACE]
    if stamps and not all(anchor.confirmed for anchor in stamps):
        print("  whose time stamps those are you have not confirmed: give --tsa-root with the authority's certificate")


def _say_missing(bundle: Bundle) -> None:
    for what, digests in (("policy", bundle.without_policy), ("registry", bundle.without_registry)):
        for each in digests:
            print(f"  not in it: the {what} {safe(each)}, which calls name (--policies-were DIR takes it along)")


async def _export(given: argparse.Namespace, settings: Settings, tenant: TenantId, known: Sequence[PolicySet]) -> None:
    async with open_audit(settings) as desk:
        await desk.export(tenant, (given.start, given.end), given.output, known)


@asynccontextmanager
async def open_audit(settings: Settings) -> AsyncIterator[AuditDesk]:
    """The auditor's desk of the store that the gateway uses, whether one runs or not."""
    key = SigningKey.from_file(settings.data / "keys" / "signing.key", create=True)
    async with AsyncExitStack() as running:
        store, ledger = await attach(settings, running)
        yield AuditDesk.of(store, ledger, Receipts(store, settings.data / "receipts"), settings.data, key, SystemClock())


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise argparse.ArgumentTypeError("write a day: 2026-12-01") from None


def _last_day(text: str) -> datetime:
    return _day(text) + timedelta(days=1)
