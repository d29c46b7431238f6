"""``sordino evidence export``: what an auditor asks of one tenant and period, as one signed file, and its verification."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.x509 import Certificate

from gateway.adapters.audit.bundle_file import BundleWriter, new_bundle, open_bundle
from gateway.adapters.keys.signing import SigningKey
from gateway.adapters.stores.anchors import RedisAnchors
from gateway.adapters.stores.certificates import RedisCertificates
from gateway.adapters.stores.consents import RedisConsents
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.names import checked
from gateway.adapters.stores.notices import RedisNoticeLog
from gateway.adapters.stores.policy_archive import PolicyArchive
from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.adapters.stores.receipts import Receipts
from gateway.adapters.system import SystemClock
from gateway.cli.attached import add_policies, attach
from gateway.cli.offline import safe
from gateway.errors import EvidenceInvalid, NotFound
from gateway.evidence.anchor import SECOND_PLACE
from gateway.evidence.bundle import (
    ANCHORS,
    CHAIN,
    KEY,
    POLICIES,
    RECEIPTS,
    REGISTRIES,
    Bundle,
    Span,
    key_part,
    manifest,
    resting_on,
)
from gateway.evidence.bundle import verify_bundle as verify
from gateway.evidence.canonical import canonical
from gateway.evidence.chain import genesis, record
from gateway.evidence.entries import Entry
from gateway.evidence.receipt import verify as verify_receipt
from gateway.policy.load import PolicySet
from gateway.settings import Settings
from gateway.values import CallId, TenantId

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  (argparse has no public name for it)

GOOD, INVALID = 0, 1
CONSENTS, NOTICES, CERTIFICATES = "consents.jsonl", "notices.jsonl", "certificates.jsonl"
Period = tuple[datetime | None, datetime | None]


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


@dataclass(frozen=True, slots=True)
class _Sources:
    ledger: RedisLedger
    receipts: Receipts
    consents: RedisConsents
    notices: RedisNoticeLog
    instructions: PolicyArchive
    anchors: RedisAnchors
    certificates: RedisCertificates


async def _export(given: argparse.Namespace, settings: Settings, tenant: TenantId, known: Sequence[PolicySet]) -> None:
    key = SigningKey.from_file(settings.data / "keys" / "signing.key", create=True)
    async with AsyncExitStack() as running:
        store, ledger = await attach(settings, running)
        receipts = Receipts(store, settings.data / "receipts")
        instructions = PolicyArchive(settings.data / "instructions")
        sources = _Sources(
            ledger,
            receipts,
            RedisConsents(store),
            RedisNoticeLog(store),
            instructions,
            RedisAnchors(store),
            RedisCertificates(store),
        )
        with new_bundle(given.output) as bundle:
            span = await _write_parts(bundle, sources, tenant, (given.start, given.end), known)
            with bundle.part(KEY) as write:
                write(key_part(key.public_key))
            period, made = (given.start, given.end), SystemClock().now()
            bundle.finish(manifest(tenant, made, period, span, bundle.parts, sign=key.sign, public_key=key.public_key))


async def _write_parts(
    bundle: BundleWriter, sources: _Sources, tenant: TenantId, period: Period, known: Sequence[PolicySet]
) -> Span:
    used: set[str] = set()
    count, first, last, before, head = 0, None, None, genesis(tenant), genesis(tenant)
    with bundle.part(CHAIN) as write:
        async for entry in _within(sources.ledger, tenant, period):
            write(canonical(record(entry)) + b"\n")
            if first is None:
                first, before = entry.seq, entry.previous
            count, last, head = count + 1, entry.seq, entry.hash
            if entry.draft.kind == "call.started":
                body = entry.draft.body
                used |= {str(body.get(name, "")).removeprefix("sha256:") for name in ("policy_digest", "registry_digest")}
    if first is None:
        raise NotFound(
            f"there is no evidence of tenant {tenant} in that time",
            hint="sordino tenants list tells the tenants; days are of UTC",
        )
    with bundle.part(RECEIPTS) as write:
        for call in await _calls(sources.receipts, tenant, first, last or 0):
            if (text := await sources.receipts.load(tenant, call)) is not None:
                write(canonical(verify_receipt(text).receipt.document) + b"\n")
    await asyncio.to_thread(_documents, bundle, tenant, known, sources.instructions, used)
    await _write_records(bundle, sources, tenant, (first, last or 0))
    return Span(count, first, last, before, head)


async def _write_records(bundle: BundleWriter, sources: _Sources, tenant: TenantId, places: tuple[int, int]) -> None:
    with bundle.part(CONSENTS) as write:
        async for consent in sources.consents.everybody(tenant):
            write(canonical({"tenant": tenant, **consent}) + b"\n")
    with bundle.part(NOTICES) as write:
        for event in await sources.notices.events(tenant):
            told = {"kind": event.kind.value, "at": event.at.isoformat(), "subject": event.processor, "facts": dict(event.facts)}
            write(canonical({"tenant": tenant, **told}) + b"\n")
    with bundle.part(CERTIFICATES) as write:
        certified = [each async for each in sources.certificates.all(tenant) if places[0] <= each.place[0] <= places[1]]
        for certificate in sorted(certified, key=lambda each: each.place):
            write(certificate.to_json())
    with bundle.part(ANCHORS) as write:
        for anchor in await sources.anchors.all(tenant):
            if places[0] <= anchor["head"]["size"] <= places[1]:
                write(canonical(anchor) + b"\n")


async def _within(ledger: RedisLedger, tenant: TenantId, period: Period) -> AsyncIterator[Entry]:
    """One stretch of the chain without a gap: from the first entry of the period, up to the first one after it."""
    start, end = period
    begun = start is None
    async for entry in ledger.entries(tenant):
        begun = begun or (start is not None and entry.draft.at >= start)
        if begun and end is not None and entry.draft.at >= end:
            return
        if begun:
            yield entry


async def _calls(receipts: Receipts, tenant: TenantId, first: int, last: int) -> list[CallId]:
    """The calls whose receipt rests on an entry from ``first`` to ``last``, in their order. Raises EvidenceInvalid."""
    found = []
    for call in await receipts.calls(tenant):
        text = await receipts.load(tenant, call)
        if text is None:
            continue
        try:
            place, _ = resting_on(verify_receipt(text).receipt)
        except EvidenceInvalid as error:
            where = receipts.path(tenant, call)
            raise EvidenceInvalid(
                f"{where}: this receipt is not valid: {error.message}", hint="restore it from a backup"
            ) from None
        if first <= place <= last:
            found.append((place, call))
    return [call for _, call in sorted(found)]


def _documents(bundle: BundleWriter, tenant: TenantId, known: Sequence[PolicySet], kept: PolicyArchive, used: set[str]) -> None:
    """What is in force, and of what was in force what calls name: each by the digest that stands in their evidence."""
    policies: dict[str, object] = {}
    registries: dict[str, object] = {}
    for digest in sorted(used):
        document = kept.load(digest)
        if isinstance(document, list):
            registries[digest] = document
        elif isinstance(document, dict) and document.get("tenant") == tenant:
            policies[digest] = document
    for number, each in enumerate(known):
        policy, registry = each.tenants.get(tenant), each.registry
        if policy is not None and (number == 0 or policy.digest in used):
            policies[policy.digest] = policy.document()
        if number == 0 or registry.digest in used:
            registries[registry.digest] = registry.document()
    for part, member, found in ((POLICIES, "policy", policies), (REGISTRIES, "registry", registries)):
        with bundle.part(part) as write:
            for digest, document in sorted(found.items()):
                write(canonical({"digest": digest, member: document}) + b"\n")


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise argparse.ArgumentTypeError("write a day: 2026-12-01") from None


def _last_day(text: str) -> datetime:
    return _day(text) + timedelta(days=1)
