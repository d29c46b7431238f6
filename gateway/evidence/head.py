"""Heads of a tenant's tree, and proofs against them: what an auditor keeps in hand so that history cannot be rewritten unseen.

A head says how many entries there were at a time, and the root of the Merkle tree over them (``merkle``); the gateway signs it.
A proof shows one call's last entry under a head, and with it the call's whole thread, since each entry carries the hash of the
one before. With ``grown`` it shows as well that the chain under an earlier head is the beginning of the present one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.errors import EvidenceInvalid
from gateway.evidence.canonical import canonical, parse
from gateway.evidence.chain import MEMORY, entry_from, record, timestamp
from gateway.evidence.entries import Entry, Json
from gateway.evidence.keys import key_id
from gateway.evidence.merkle import Tree, includes, is_consistent
from gateway.evidence.signed import MEMBER, Sign, check_signature, sign_document, trusted
from gateway.values import CallId, TenantId

HEAD, PROOF = "sordino.head/1", "sordino.proof/1"
MOST_STEPS = 64
_HEAD = {"format", "tenant", "size", "root", "last", "made", MEMBER}
_PROOF = {"format", "head", "entry", "path"}
_GROWN = {"since", "path"}
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_STEP = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Head:
    """A signed head that verified. ``last`` is the hash of entry number ``size``; ``trusted``: by the key that was given."""

    document: Mapping[str, Json]
    tenant: TenantId
    size: int
    root: bytes
    last: str
    made: str
    key_id: str
    trusted: bool


@dataclass(frozen=True, slots=True)
class Proven:
    """A proof that verified: the entry stands under ``head``; ``since``: the earlier head that it grew from, if it says so."""

    head: Head
    entry: Entry
    since: Head | None


def leaf(hash_: str) -> bytes:
    """An entry's hash as a leaf's data. Raises EvidenceInvalid for what is no hash of an entry."""
    if not _DIGEST.fullmatch(hash_):
        raise EvidenceInvalid("this is no hash of an entry")
    return bytes.fromhex(hash_.removeprefix("sha256:"))


def head(
    tenant: TenantId, size: int, root: bytes, last: str, made: datetime, *, sign: Sign, public_key: bytes
) -> dict[str, Json]:
    """The signed head of a tenant's first ``size`` entries."""
    stated: dict[str, Json] = {
        "format": HEAD,
        "tenant": tenant,
        "size": size,
        "root": f"sha256:{root.hex()}",
        "last": last,
        "made": timestamp(made),
    }
    return sign_document(stated, sign=sign, public_key=public_key)


def proof(tree: Tree, head: Mapping[str, Json], entry: Entry, since: Mapping[str, Json] | None = None) -> dict[str, Json]:
    """The proof that ``entry`` stands under ``head``, and with ``since`` that the chain grew from that head.

    Raises:
        EvidenceInvalid: the tree does not have the entry, or is shorter than ``since``.
    """
    size = head["size"]
    assert isinstance(size, int)  # noqa: S101  (we made it)
    try:
        path = tree.inclusion(entry.seq - 1, size)
        grown: dict[str, Json] = {}
        if since is not None:
            earlier = read_head(since)
            grown = {"grown": {"since": dict(since), "path": [step.hex() for step in tree.consistency(earlier.size, size)]}}
    except ValueError:
        raise EvidenceInvalid("the chain is shorter than what it is to prove") from None
    return {"format": PROOF, "head": dict(head), "entry": record(entry), "path": [step.hex() for step in path], **grown}


def read_head(document: object, trusted_key: bytes | None = None) -> Head:
    """Check a head. Raises EvidenceInvalid: what is wrong with it."""
    if not isinstance(document, Mapping) or document.get("format") != HEAD:
        raise EvidenceInvalid(f"this is not a head of the format {HEAD}")
    if set(document) != _HEAD or not _is_head(document):
        raise EvidenceInvalid("the head lacks something, or has something of the wrong kind")
    key = check_signature(document, "the head")
    return Head(
        document,
        TenantId(document["tenant"]),
        document["size"],
        leaf(document["root"]),
        document["last"],
        document["made"],
        key_id(key),
        trusted(key, trusted_key),
    )


def read_proof(data: bytes, trusted_key: bytes | None = None) -> Proven:
    """Check a proof offline. Raises EvidenceInvalid: the first thing in it that does not hold."""
    document = parse(data)
    if not isinstance(document, dict) or document.get("format") != PROOF:
        raise EvidenceInvalid(f"this is not a proof of the format {PROOF}")
    if set(document) not in (_PROOF, _PROOF | {"grown"}):
        raise EvidenceInvalid("the proof lacks something, or has something that it does not need")
    under = read_head(document["head"], trusted_key)
    try:
        entry = entry_from(document["entry"], durable=MEMORY)
    except EvidenceInvalid as error:
        raise EvidenceInvalid(f"the proof's entry {error.message}") from None
    if entry.draft.tenant != under.tenant:
        raise EvidenceInvalid("the proof's entry belongs to another tenant than its head")
    if not includes(leaf(entry.hash), entry.seq - 1, under.size, _steps(document["path"]), under.root):
        raise EvidenceInvalid(f"entry {entry.seq} is not one of the {under.size} under the head")
    since = _grown(document["grown"], under, trusted_key) if "grown" in document else None
    return Proven(under, entry, since)


def grew(earlier: Head, later: Head, path: Sequence[bytes]) -> None:
    """Raises EvidenceInvalid unless the chain under ``later`` begins with that under ``earlier``."""
    if earlier.tenant != later.tenant:
        raise EvidenceInvalid("the two heads are of different tenants")
    if not is_consistent(earlier.size, earlier.root, later.size, later.root, path):
        raise EvidenceInvalid(
            f"history was rewritten: {later.size} entries of {later.made} do not begin with the {earlier.size} of {earlier.made}"
        )


def rewritten(tenant: TenantId, place: int) -> EvidenceInvalid:
    """The error of a chain that is not what it was when it was read before."""
    return EvidenceInvalid(
        f"the evidence of {tenant} was rewritten: entry {place} does not follow what was there", hint="sordino evidence verify"
    )


def is_proof(data: bytes) -> bool:
    """Whether this calls itself a proof; ``read_proof`` says whether it is a good one."""
    try:
        document: Any = parse(data)
    except EvidenceInvalid:
        return False
    return isinstance(document, dict) and str(document.get("format", "")).startswith("sordino.proof/")


def to_json(document: Mapping[str, Json]) -> bytes:
    """Canonical JSON on one line, with a newline at its end."""
    return canonical(document) + b"\n"


def thread_of(call: CallId, entries: Sequence[Entry]) -> Entry:
    """The last confirmed entry of a call: it carries the hashes of all before it. Raises EvidenceInvalid where there is none."""
    mine = [entry for entry in entries if entry.draft.call == call and entry.seq]
    if not mine:
        raise EvidenceInvalid("there is no evidence of that call")
    return mine[-1]


def _grown(grown: object, under: Head, trusted_key: bytes | None) -> Head:
    if not isinstance(grown, dict) or set(grown) != _GROWN:
        raise EvidenceInvalid("the proof does not say rightly what the chain grew from")
    since = read_head(grown["since"], trusted_key)
    grew(since, under, _steps(grown["path"]))
    return since


def _steps(path: object) -> list[bytes]:
    if not isinstance(path, list) or len(path) > MOST_STEPS or not all(isinstance(s, str) and _STEP.fullmatch(s) for s in path):
        raise EvidenceInvalid("a path in the proof is not one")
    return [bytes.fromhex(step) for step in path]


def _is_head(document: Mapping[str, Any]) -> bool:
    texts = all(isinstance(document[name], str) for name in ("tenant", "root", "last", "made"))
    size = document["size"]
    return texts and type(size) is int and size > 0 and all(_DIGEST.fullmatch(document[name]) for name in ("root", "last"))
