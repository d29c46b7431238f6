"""``sordino evidence head|prove|consistent``: small files by which an auditor sees that history was not rewritten."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.adapters.audit.bundle_file import is_bundle, open_bundle
from gateway.adapters.stores.names import checked
from gateway.cli.evidence_export import open_audit
from gateway.cli.offline import safe, trusted_key
from gateway.errors import EvidenceInvalid, InvalidRequest
from gateway.evidence import head as heads
from gateway.evidence.bundle import verify_bundle
from gateway.evidence.canonical import parse
from gateway.evidence.cut import Cut
from gateway.evidence.entries import Json
from gateway.evidence.head import Head, read_head, read_proof
from gateway.evidence.merkle import HASH_BYTES, Growing
from gateway.runner.auditing import AuditDesk, check_reaches
from gateway.settings import Settings
from gateway.values import CallId, TenantId

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  (argparse has no public name for it)

GOOD, INVALID = 0, 1


def add_proofs(commands: Subparsers) -> None:
    """Add ``evidence head``, ``evidence prove`` and ``evidence consistent``."""
    what = "the signed head of a tenant's evidence: keep it, and nobody can change what was before it unseen"
    head = commands.add_parser(
        "head", help=what, description=what, epilog="example: sordino evidence head --tenant acme -o head.json"
    )
    head.add_argument("--tenant", required=True, metavar="T", help="whose")
    head.add_argument("-o", "--output", type=Path, default=Path("head.json"), metavar="FILE", help="default: %(default)s")
    head.set_defaults(run=run_head)
    what = "that one call is in a tenant's evidence, provable without handing over the others"
    prove = commands.add_parser(
        "prove",
        help=what,
        description=what,
        epilog="example: sordino evidence prove --tenant acme --call call_01… --since head.json",
    )
    prove.add_argument("--tenant", required=True, metavar="T", help="whose")
    prove.add_argument("--call", required=True, metavar="C", help="which call")
    prove.add_argument("--since", type=Path, metavar="HEAD", help="prove as well that nothing before this head was changed")
    prove.add_argument("-o", "--output", type=Path, default=Path("proof.json"), metavar="FILE", help="default: %(default)s")
    prove.set_defaults(run=run_prove)
    what = "whether a newer head, proof or bundle only added to what an earlier head covers; exit code 0 yes, 1 no"
    consistent = commands.add_parser(
        "consistent",
        help=what,
        description=what,
        epilog="example: sordino evidence consistent head.json bundle.zip --key signing.pub",
    )
    consistent.add_argument("head", type=Path, metavar="HEAD", help="the earlier head")
    consistent.add_argument("newer", type=Path, metavar="NEWER", help="a bundle of the whole chain, or a proof made --since HEAD")
    consistent.add_argument("--key", metavar="PUB", help="the gateway's public key: a PEM file, or its base64 text")
    consistent.set_defaults(run=run_consistent)


def run_head(given: argparse.Namespace) -> int:
    """``sordino evidence head --tenant T``"""
    document = asyncio.run(_of_desk(lambda desk: desk.head(TenantId(checked(given.tenant)))))
    given.output.write_bytes(heads.to_json(document))
    print(f"wrote {given.output}: the head of {document['size']} entries of {document['tenant']}")
    print("  hand it to whoever is to notice if anything before it is ever changed: sordino evidence consistent")
    return GOOD


def run_prove(given: argparse.Namespace) -> int:
    """``sordino evidence prove --tenant T --call C [--since HEAD]``"""
    since = _document(given.since) if given.since else None
    tenant, call = TenantId(checked(given.tenant)), CallId(checked(given.call))
    text = heads.to_json(asyncio.run(_of_desk(lambda desk: desk.prove(tenant, call, since))))
    proven = read_proof(text)
    given.output.write_bytes(text)
    print(f"wrote {given.output}: entry {proven.entry.seq} of {proven.head.size}, {len(text):,} bytes")
    print(f"  to verify it anywhere: sordino evidence verify {given.output} --key signing.pub")
    return GOOD


def run_verify(path: Path, trusted_key: bytes | None) -> int:
    """``sordino evidence verify PROOF [--key PUB]``. Raises OSError."""
    try:
        proven = read_proof(path.read_bytes(), trusted_key)
    except EvidenceInvalid as error:
        print(f"{path}: NOT VALID: {safe(str(error))}", file=sys.stderr)
        return INVALID
    entry, under = proven.entry, proven.head
    print(f"verified: entry {entry.seq} ({safe(entry.draft.kind)}, {safe(entry.draft.call)}) of {safe(under.tenant)}")
    print(f"  it is one of the {under.size} entries that were there at {safe(under.made)}")
    print(f"  the receipt of this call must have an entry with the hash {entry.hash}")
    if proven.since is not None:
        print(f"  and nothing of the {proven.since.size} entries of {safe(proven.since.made)} was changed since")
    whose = "the key that you gave" if under.trusted else "which you have not confirmed: give --key signing.pub"
    print(f"  signed by key {under.key_id}, {whose}")
    return GOOD


def run_consistent(given: argparse.Namespace) -> int:
    """``sordino evidence consistent HEAD NEWER``"""
    key = trusted_key(given.key)
    if is_bundle(given.head):
        raise InvalidRequest(f"{given.head} is a bundle, and no head", hint="first the earlier head, then what is newer")
    try:
        earlier = read_head(_document(given.head), key)
        size, made = _bundled(given.newer, earlier, key) if is_bundle(given.newer) else _grown(given.newer, earlier, key)
    except EvidenceInvalid as error:
        print(f"NOT CONSISTENT: {safe(str(error))}", file=sys.stderr)
        return INVALID
    print(f"consistent: the {size} entries of {safe(made)} begin with the {earlier.size} of {safe(earlier.made)}, unchanged")
    return GOOD


def _bundled(path: Path, earlier: Head, key: bytes | None) -> tuple[int, str]:
    tree, found, behind = Growing(), list[bytes](), bytearray()

    def see(entry: Mapping[str, Any]) -> None:
        if entry["seq"] != tree.size + 1:
            behind.extend(heads.leaf(entry["hash"]))  # what was before it is told further on, or not at all
            return
        tree.add(heads.leaf(entry["hash"]))
        if tree.size == earlier.size:
            found.append(tree.root)

    with open_bundle(path) as file:
        bundle = verify_bundle(file.manifest, file.chunks, key, see=see)
    if bundle.tenant != earlier.tenant:
        raise EvidenceInvalid("the head and the bundle are of different tenants")
    if bundle.manifest["chain"]["first"] != 1:
        if bundle.cut is None:
            raise EvidenceInvalid("the bundle does not begin with the tenant's first entry", hint="export it without --from")
        tree = _behind(bundle.cut, behind, earlier, found)
    if found != [earlier.root]:
        raise EvidenceInvalid(
            f"the bundle's first {earlier.size} entries are not those of the head: history was rewritten"
            if found
            else f"the bundle has {tree.size} entries, and the head has {earlier.size}: some were removed"
        )
    return tree.size, bundle.manifest["made"]


def _behind(cut: Cut, leaves: bytearray, earlier: Head, found: list[bytes]) -> Growing:
    """The tree of a bundle whose earlier part was deleted: that part is in the root by what stands for it."""
    check_reaches(earlier, cut)
    tree = cut.tree()
    for start in range(0, len(leaves) + HASH_BYTES, HASH_BYTES):
        if tree.size == earlier.size:
            found.append(tree.root)
        if start < len(leaves):
            tree.add(bytes(leaves[start : start + HASH_BYTES]))
    return tree


def _grown(path: Path, earlier: Head, key: bytes | None) -> tuple[int, str]:
    proven = read_proof(path.read_bytes(), key)
    if proven.since is None or (proven.since.root, proven.since.size) != (earlier.root, earlier.size):
        raise EvidenceInvalid("the proof was not made since that head", hint="ask for one: sordino evidence prove --since HEAD")
    return proven.head.size, proven.head.made


async def _of_desk(work: Callable[[AuditDesk], Awaitable[dict[str, Json]]]) -> dict[str, Json]:
    async with open_audit(Settings.from_env(os.environ)) as desk:
        return await work(desk)


def _document(path: Path) -> Mapping[str, Json]:
    found = parse(path.read_bytes())
    if not isinstance(found, dict):
        raise EvidenceInvalid(f"{path}: this is no head")
    return found
