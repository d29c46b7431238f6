"""``sordino tenants offboard``: what would go, the beginning of a tenant's end, where it stands, its cancellation."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.adapters.stores.names import checked
from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.adapters.system import RandomIds, SystemClock
from gateway.adapters.telemetry.null import NullTelemetry
from gateway.cli.attached import add_policies
from gateway.cli.backup import in_a_stack
from gateway.cli.data import BY, attach_data
from gateway.cli.offline import safe
from gateway.errors import EvidenceInvalid, InvalidRequest, NotFound
from gateway.evidence.leaving import is_end, verify_end
from gateway.http.offboarding import preview_json, state_json
from gateway.leaving import Leaving, LeavingNeeds, open_leaving
from gateway.policy.offboarding import OF_CONTRACT, ORDER, WAIT, Offboarding, Status
from gateway.runner.deletion import held_reasons
from gateway.runner.offboarding import ELSEWHERE, Preview
from gateway.settings import Settings
from gateway.values import TenantId

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  (argparse has no public name for it)

GOOD, WAITING = 0, 1
LARGEST = 1024 * 1024


def add_offboard(commands: Subparsers) -> None:
    """Add ``tenants offboard``."""
    what = "end a tenant's account: export, delete, destroy its key, certify; each step by its own deadline"
    each = commands.add_parser(
        "offboard",
        help=what,
        description=what,
        epilog='example: sordino tenants offboard acme --reason "contract ended" --dry-run',
    )
    each.add_argument("tenant", metavar="TENANT")
    each.add_argument("--reason", metavar="WHY", help="stands in the evidence: no personal data")
    each.add_argument("--ends", type=_day, metavar="DAY", help="the account's last day, UTC (now)")
    each.add_argument(
        "--wait-days", type=int, default=WAIT.days, metavar="N", help="how long data may still be had back (%(default)s)"
    )
    each.add_argument(
        "--contract-days", type=int, default=OF_CONTRACT.days, metavar="N", help="within what time the contract wants it gone"
    )
    each.add_argument("--format", default="text", choices=["text", "json"])
    instead = each.add_mutually_exclusive_group()
    instead.add_argument("--dry-run", action="store_true", help="what would go, by class; nothing is done")
    instead.add_argument("--status", action="store_true", help="where it stands")
    instead.add_argument("--cancel", action="store_true", help="take it back, before data was deleted")
    instead.add_argument("--certificate", type=Path, metavar="FILE", help="write the certificate of its end there")
    add_policies(each)
    each.set_defaults(run=run_offboard)


def run_offboard(given: argparse.Namespace) -> int:
    """0: done, or nothing is overdue. 1: a step waits for something, or is overdue."""
    tenant = TenantId(checked(given.tenant))

    async def work(leaving: Leaving) -> int:
        times = {"ends": given.ends, "wait": timedelta(days=given.wait_days), "contract": timedelta(days=given.contract_days)}
        if given.dry_run:
            return _say_preview(given, await leaving.desk.preview(tenant, **times))
        if given.certificate is not None:
            return await _write_certificate(given, leaving, tenant)
        if given.status:
            return _say(given, leaving, await leaving.desk.show(tenant))
        if not given.reason:
            raise InvalidRequest("no reason is given", hint='--reason "contract ended"; it stands in the evidence')
        if given.cancel:
            return _say(given, leaving, await leaving.desk.cancel(tenant, reason=given.reason, by=BY))
        return _say(given, leaving, await leaving.desk.start(tenant, reason=given.reason, by=BY, **times))

    return _run(given, tenant, work)


def of_end(path: Path) -> bool:
    """Whether the file is the certificate of a tenant's end. Raises OSError."""
    return path.stat().st_size <= LARGEST and is_end(path.read_bytes())


def run_verify(path: Path, trusted_key: bytes | None) -> int:
    """``sordino evidence verify END [--key PUB]``. Raises OSError."""
    try:
        verified = verify_end(path.read_bytes(), trusted_key)
    except EvidenceInvalid as error:
        print(f"{path}: NOT VALID: {safe(error)}", file=sys.stderr)
        return WAITING
    document = verified.document
    entry, stated = document["entry"], document["statement"]
    if isinstance(entry, Mapping) and isinstance(stated, Mapping):
        deleted = stated.get("deleted")
        count = sum(int(str(each)) for each in deleted.values()) if isinstance(deleted, Mapping) else 0
        print(f"verified: tenant {safe(document['tenant'])} has left: {count} things deleted, {safe(stated.get('reason', ''))}")
        print(f"  entry {entry['seq']} of its evidence says the same: {safe(entry['hash'])}")
    whose = "the key that you gave" if verified.trusted else "which you have not confirmed: give --key signing.pub"
    print(f"  signed by key {verified.key_id}, {whose}")
    return GOOD


def _run(given: argparse.Namespace, tenant: TenantId, work: Callable[[Leaving], Awaitable[int]]) -> int:
    settings = Settings.from_env(os.environ, policies=given.policies)
    folder = PolicyFolder.open(settings.policies)

    async def inside(running: AsyncExitStack) -> int:
        attached = await attach_data(settings, folder, running)
        needs = LeavingNeeds(
            data=settings.data,
            store=attached.store,
            ledger=attached.ledger,
            keys=attached.keys,
            kept=attached.desk,
            signing=attached.signing,
            tenants=lambda: folder.policies.tenants,
            clock=SystemClock(),
            ids=RandomIds(),
            telemetry=NullTelemetry(),
        )
        leaving = open_leaving(needs)
        if tenant not in folder.policies.tenants and await leaving.log.find(tenant) is None:
            known = ", ".join(sorted(folder.policies.tenants)) or "none"
            raise InvalidRequest("there is no such tenant in the policies", hint=f"known: {known}")
        return await work(leaving)

    return in_a_stack(inside)


async def _write_certificate(given: argparse.Namespace, leaving: Leaving, tenant: TenantId) -> int:
    document = await leaving.log.certificate(tenant)
    if document is None:
        raise NotFound(f"the end of tenant {tenant} is not over", hint=f"sordino tenants offboard {tenant} --status")
    given.certificate.write_bytes(document)
    print(f"wrote {given.certificate}; to verify it anywhere: sordino evidence verify {given.certificate} --key signing.pub")
    return GOOD


def _say_preview(given: argparse.Namespace, found: Preview) -> int:
    if given.format == "json":
        print(json.dumps(preview_json(found), indent=2))
        return GOOD
    times = found.times
    print(f"nothing was done. Of {given.tenant} there would go, by {times.data_by:%Y-%m-%d %H:%M} UTC:")
    for (kind, holding), count in sorted(found.counts.items()):
        print(f"  {count:8}  {kind:10}  {holding}")
    print(f"  {found.api_keys:8}  API keys    at once")
    kept, gone = f"{times.contact_from:%Y-%m-%d %H:%M}", f"{times.contact_by:%Y-%m-%d %H:%M}"
    print(f"number data (contact) stays until {kept} UTC, and is gone by {gone}")
    for reason in held_reasons(found.held):
        print(f"stays: {reason}")
    print("stays: the evidence, certificates, and keyed hashes of who asked not to be called")
    return GOOD


def _say(given: argparse.Namespace, leaving: Leaving, state: Offboarding) -> int:
    now = leaving.desk.now()
    late = state.overdue(now)
    waits = [why for done in state.steps.values() for why in done.waits]
    code = WAITING if late or waits else GOOD
    if given.format == "json":
        print(json.dumps(state_json(state, now), indent=2))
        return code
    print(f"{state.tenant}: {state.id}, {state.status.value}, announced {state.announced:%Y-%m-%d %H:%M} UTC by {state.by}")
    for step in ORDER:
        done, by = state.steps.get(step), state.times.by(step)
        if done is not None and done.ended is not None:
            told = f"done {done.ended:%Y-%m-%d %H:%M}"
        elif state.status is not Status.ACTIVE:
            told = "not done"
        else:
            begins = state.times.begins(step)
            told = f"from {begins:%Y-%m-%d %H:%M} on" if begins else "at once"
            told += f", by {by:%Y-%m-%d %H:%M}" if by else ""
            told += " OVERDUE" if step is late else ""
        print(f"  {step.value:16} {told}")
        for why in done.waits if done else ():
            print(f"    waits: {why}")
    exported = leaving.exports.path(state)
    if exported.exists():
        print(f"  what it takes along: {exported}")
    if state.status is Status.CANCELLING:
        print(f"  taken back; {ELSEWHERE}, within a minute while it runs")
    if state.stays:
        print("  its API keys stay revoked: sordino tenants keys create makes new ones")
    return code


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=1)
    except ValueError:
        raise argparse.ArgumentTypeError("write a day: 2026-12-31") from None
