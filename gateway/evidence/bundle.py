"""A bundle of evidence: what an auditor takes home, and can check without the gateway and without us (promise 29).

It has parts, each a text of one JSON value a line in canonical form, and a signed manifest that names each part with its SHA-256.
How parts are kept in one file is the business of ``adapters/audit``. Nothing in a bundle is private text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.x509 import Certificate

from gateway.errors import BundleInvalid, EvidenceInvalid
from gateway.evidence.anchor import Anchor, read_anchor
from gateway.evidence.canonical import canonical, parse
from gateway.evidence.certificate import verify_certificate
from gateway.evidence.chain import timestamp
from gateway.evidence.cut import KIND as CUT
from gateway.evidence.cut import Cut, cut_before
from gateway.evidence.entries import Json
from gateway.evidence.keys import key_id, public_key_pem
from gateway.evidence.lines import LONGEST_LINE, See, Walk, split
from gateway.evidence.receipt import Receipt, verify
from gateway.evidence.signed import MEMBERS, Sign, check_signature, sign_document, trusted
from gateway.values import TenantId

FORMAT = "sordino.bundle/1"
MANIFEST = "manifest.json"
CHAIN, RECEIPTS, KEY = "chain.jsonl", "receipts.jsonl", "signing.pub"
POLICIES, REGISTRIES = "policies.jsonl", "registries.jsonl"
CERTIFICATES = "certificates.jsonl"
RECORDS = ("consents.jsonl", "notices.jsonl", CERTIFICATES)
ANCHORS = "anchors.jsonl"
PARTS = (CHAIN, RECEIPTS, POLICIES, REGISTRIES, *RECORDS, ANCHORS, KEY)
"""All of them, in this order; one without content is there, and empty."""
MAX_MANIFEST = 64 * 1024
LONGEST_RECORD = 64 * 1024 * 1024
"""Bytes of one receipt, policy or registry."""

_MEMBERS = {"format", "tenant", "made", "from", "to", "chain", "parts", "signature"}
_CHAIN = {"entries", "first", "last", "before", "head"}

Chunks = Callable[[str], Iterable[bytes]]
"""The bytes of a part, piece by piece, from the beginning each time it is asked."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part as the manifest states it."""

    name: str
    length: int
    lines: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that verified. ``trusted``: its key is the one that the verifier was given.

    ``without_policy`` and ``without_registry`` are digests that calls of the bundle name, and that no document in it has.
    """

    manifest: Mapping[str, Any]
    key_id: str
    trusted: bool
    entries: int
    receipts: int
    calls: int
    """Calls that began in the bundle's period."""
    strays: int
    certificates: int = 0
    without_policy: tuple[str, ...] = ()
    without_registry: tuple[str, ...] = ()
    anchors: tuple[Anchor, ...] = ()
    """Those of its period, in its order: each was held against the chain."""
    cut: Cut | None = None
    """What its chain says of the entries before its first one, if they were deleted after their time."""

    @property
    def tenant(self) -> str:
        return str(self.manifest["tenant"])


@dataclass(slots=True)
class Tally:
    """What was written of one part so far. ``line`` gives a value as it stands in the part."""

    name: str
    length: int = 0
    lines: int = 0
    _hash: Any = field(default_factory=hashlib.sha256)

    def add(self, data: bytes) -> bytes:
        self.length += len(data)
        self.lines += data.count(b"\n")
        self._hash.update(data)
        return data

    @property
    def part(self) -> Part:
        return Part(self.name, self.length, self.lines, "sha256:" + self._hash.hexdigest())


@dataclass(frozen=True, slots=True)
class Span:
    """Which part of the chain is in the bundle. ``before`` is the hash before its first entry, ``head`` that of its last one."""

    entries: int
    first: int | None
    last: int | None
    before: str
    head: str


def manifest(
    tenant: TenantId,
    made: datetime,
    period: tuple[datetime | None, datetime | None],
    span: Span,
    parts: Iterable[Part],
    *,
    sign: Sign,
    public_key: bytes,
) -> bytes:
    """The signed manifest. ``period`` is [from, to); None: from the beginning, up to when it was made."""
    start, end = period
    stated: dict[str, Json] = {
        "format": FORMAT,
        "tenant": tenant,
        "made": timestamp(made),
        "from": timestamp(start) if start else None,
        "to": timestamp(end) if end else None,
        "chain": {name: getattr(span, name) for name in sorted(_CHAIN)},
        "parts": [{"name": each.name, "bytes": each.length, "lines": each.lines, "sha256": each.sha256} for each in parts],
    }
    return canonical(sign_document(stated, sign=sign, public_key=public_key)) + b"\n"


def key_part(public_key: bytes) -> bytes:
    """The part that holds the public key: PEM, for people. What counts is the key in the verifier's own hand."""
    return public_key_pem(public_key).encode("ascii")


def verify_bundle(
    data: bytes, chunks: Chunks, trusted_key: bytes | None = None, *, see: See | None = None, roots: Sequence[Certificate] = ()
) -> Bundle:
    """Check a whole bundle: ``data`` is its manifest. Parts are read piece by piece; memory does not grow with their length.

    ``see`` is shown each entry of the chain that was found good, in its order. ``roots`` are certificates of time stamping
    authorities that the verifier trusts.

    Raises:
        BundleInvalid: the first broken place: the part, the line, what is wrong there.
    """
    stated, key = _manifest(data)
    try:
        is_trusted = trusted(key, trusted_key)
    except EvidenceInvalid as error:
        raise _bad(error.message) from None
    check = _Check(TenantId(stated["tenant"]), stated, key, chunks, see)
    check.anchors_first(roots)
    check.chain_and_receipts()
    policies = check.documents(POLICIES, "policy")
    registries = check.documents(REGISTRIES, "registry")
    for name in RECORDS:
        if name != CERTIFICATES:
            check.records(name)
    if b"".join(check.whole(KEY)) != key_part(key):
        raise BundleInvalid(KEY, "this is not the key that signed the manifest")
    return Bundle(
        stated,
        key_id(key),
        is_trusted,
        entries=check.walk.count,
        receipts=check.receipts,
        calls=check.calls,
        strays=check.walk.strays,
        certificates=check.certificates,
        without_policy=tuple(sorted(check.policies - policies)),
        without_registry=tuple(sorted(check.registries - registries)),
        anchors=check.anchors,
        cut=check.cut,
    )


class _Check:
    def __init__(self, tenant: TenantId, stated: Mapping[str, Any], key: bytes, chunks: Chunks, see: See | None = None) -> None:
        self.tenant = tenant
        self.walk = Walk(tenant, stated["chain"]["before"])
        self.receipts = self.calls = 0
        self.policies: set[str] = set()
        self.registries: set[str] = set()
        self._key = key
        self._span: Mapping[str, Any] = stated["chain"]
        self._open_ended = stated["to"] is None
        self._parts = {part["name"]: part for part in stated["parts"]}
        self._chunks = chunks
        self._shown = see
        self.anchors: tuple[Anchor, ...] = ()
        self._anchored: dict[int, Anchor] = {}
        self._next: Iterator[Receipt] = iter(())
        self._awaited: Receipt | None = None
        self._certificates: Iterator[tuple[int, str]] = iter(())
        self._certified: tuple[int, str] | None = None
        self.certificates = 0
        self.cut: Cut | None = None

    def whole(self, name: str) -> Iterator[bytes]:
        """The part's pieces, and at its end whether it was what the manifest says."""
        tally, stated = Tally(name), self._parts[name]
        for chunk in self._chunks(name):
            tally.add(chunk)
            if tally.length > stated["bytes"]:
                raise BundleInvalid(name, f"this part has more than the {stated['bytes']} bytes that the manifest says")
            yield chunk
        if tally.length < stated["bytes"]:
            raise BundleInvalid(name, f"this part ends after line {tally.lines} of {stated['lines']}: it was cut off")
        if (tally.part.sha256, tally.lines) != (stated["sha256"], stated["lines"]):
            raise BundleInvalid(name, "this part does not have the SHA-256 that the manifest says: it was changed")

    def chain_and_receipts(self) -> None:
        """The chain link by link; and beside it each receipt, at the place of the last entry that it rests on."""
        self._next = self._read_receipts()
        self._await_next()
        self._certificates = self._read_certificates()
        self._certified = next(self._certificates, None)
        self.walk.over(lambda: split(self.whole(CHAIN), CHAIN, LONGEST_LINE), self._see)
        found = Span(self.walk.count, self.walk.first, self.walk.seq, self.walk.before, self.walk.head)
        for name in sorted(_CHAIN):
            if getattr(found, name) != self._span[name]:
                raise BundleInvalid(CHAIN, f"the manifest says {name} {self._span[name]}, and the chain shows otherwise")
        beyond = [anchor for size, anchor in self._anchored.items() if size > (found.last or 0)]
        if beyond and self._open_ended:
            raise BundleInvalid(ANCHORS, f"{beyond[0].by} saw {beyond[0].head.size} entries at {beyond[0].at}: some were removed")
        if self._awaited is not None:
            raise BundleInvalid(RECEIPTS, "this receipt is of entries that the chain does not have", line=self.receipts)
        if self._certified is not None:
            raise BundleInvalid(CERTIFICATES, "this certificate is of an entry that the chain lacks", line=self.certificates)

    def anchors_first(self, roots: Sequence[Certificate]) -> None:
        """Each anchor for itself; the chain is held against them as it is read."""
        for number, record in self._records(ANCHORS):
            try:
                anchor = read_anchor(record, roots)
            except EvidenceInvalid as error:
                raise BundleInvalid(ANCHORS, f"this anchor is not valid: {error.message}", line=number) from None
            if anchor.head.tenant != self.tenant:
                raise BundleInvalid(ANCHORS, "this anchor belongs to another tenant", line=number)
            if self._anchored.setdefault(anchor.head.size, anchor).head.last != anchor.head.last:
                raise BundleInvalid(ANCHORS, "this anchor contradicts an earlier one: history was rewritten", line=number)
            self.anchors += (anchor,)

    def _see(self, entry: Mapping[str, Any]) -> None:
        anchor = self._anchored.get(entry["seq"])
        if anchor is not None and anchor.head.last != entry["hash"]:
            raise BundleInvalid(
                CHAIN, f"entry {entry['seq']} is not the one that {anchor.by} saw at {anchor.at}: history was rewritten"
            )
        if self._shown is not None:
            self._shown(entry)
        if entry["kind"] == "call.started":
            self.calls += 1
            self._note(entry["body"])
        elif entry["kind"] == CUT:
            self.cut = cut_before(entry, self.walk.first, self.walk.before) or self.cut
        while self._awaited is not None and resting_on(self._awaited)[0] <= entry["seq"]:
            if resting_on(self._awaited) != (entry["seq"], entry["hash"]):
                raise BundleInvalid(RECEIPTS, "this receipt is of another entry than the chain has", line=self.receipts)
            self._await_next()
        while self._certified is not None and self._certified[0] <= entry["seq"]:
            if self._certified != (entry["seq"], entry["hash"]):
                raise BundleInvalid(
                    CERTIFICATES, "this certificate is of another entry than the chain has", line=self.certificates
                )
            self._certified = next(self._certificates, None)

    def _note(self, body: Mapping[str, Any]) -> None:
        for name, found in (("policy_digest", self.policies), ("registry_digest", self.registries)):
            if body.get(name):
                found.add(str(body[name]).removeprefix("sha256:"))

    def _await_next(self) -> None:
        self._awaited = next(self._next, None)

    def _read_receipts(self) -> Iterator[Receipt]:
        for number, line in enumerate(self._lines(RECEIPTS), start=1):
            self.receipts = number
            try:
                verified = verify(line)
            except EvidenceInvalid as error:
                raise BundleInvalid(RECEIPTS, f"this receipt is not valid: {error.message}", line=number) from None
            if verified.receipt.tenant != self.tenant:
                raise BundleInvalid(RECEIPTS, "this receipt belongs to another tenant", line=number)
            if resting_on(verified.receipt)[0]:
                yield verified.receipt

    def _read_certificates(self) -> Iterator[tuple[int, str]]:
        """Place and hash of the entry that each certificate rests on, in their order."""
        last = 0
        for number, line in enumerate(self._lines(CERTIFICATES), start=1):
            self.certificates = number
            try:
                certificate = verify_certificate(line).certificate
            except EvidenceInvalid as error:
                raise BundleInvalid(CERTIFICATES, f"this certificate is not valid: {error.message}", line=number) from None
            if certificate.tenant != self.tenant:
                raise BundleInvalid(CERTIFICATES, "this certificate belongs to another tenant", line=number)
            if certificate.place[0] <= last:
                raise BundleInvalid(CERTIFICATES, "this certificate is there twice, or not in its place", line=number)
            last = certificate.place[0]
            yield certificate.place

    def documents(self, part: str, member: str) -> set[str]:
        """Digests of the documents in a part. Each is checked: the SHA-256 of its canonical form."""
        found = set()
        for number, record in self._records(part):
            if set(record) != {"digest", member}:
                raise BundleInvalid(part, f"this line does not have exactly a digest and a {member}", line=number)
            stated, document = record["digest"], record[member]
            if hashlib.sha256(canonical(document)).hexdigest() != stated:
                raise BundleInvalid(part, f"this {member} does not have the digest that it says", line=number)
            if isinstance(document, Mapping) and document.get("tenant", self.tenant) != self.tenant:
                raise BundleInvalid(part, f"this {member} belongs to another tenant", line=number)
            found.add(str(stated))
        return found

    def records(self, part: str) -> None:
        for number, record in self._records(part):
            if record.get("tenant") != self.tenant:
                raise BundleInvalid(part, "this record belongs to another tenant", line=number)

    def _records(self, part: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
        for number, line in enumerate(self._lines(part), start=1):
            try:
                record = parse(line)
            except EvidenceInvalid as error:
                raise BundleInvalid(part, f"this line cannot be read: {error.message}", line=number) from None
            if not isinstance(record, Mapping):
                raise BundleInvalid(part, "this line is not an object", line=number)
            yield number, record

    def _lines(self, part: str) -> Iterator[bytes]:
        return split(self.whole(part), part, LONGEST_RECORD)


def resting_on(receipt: Receipt) -> tuple[int, str]:
    """Place and hash of the last entry of the chain that a receipt rests on; (0, "") for one whose every entry is unconfirmed."""
    confirmed = [entry for entry in receipt.entries if entry.seq]
    return (confirmed[-1].seq, confirmed[-1].hash) if confirmed else (0, "")


def _manifest(data: bytes) -> tuple[Mapping[str, Any], bytes]:
    """What the manifest states, and the key whose signature it bears."""
    if len(data) > MAX_MANIFEST:
        raise _bad(f"it is larger than {MAX_MANIFEST} bytes")
    try:
        stated: Any = parse(data)
    except EvidenceInvalid as error:
        raise _bad(f"it cannot be read: {error.message}") from None
    if not isinstance(stated, dict) or stated.get("format") != FORMAT:
        raise _bad(f"this is not a bundle of the format {FORMAT}")
    if set(stated) != _MEMBERS or not _is_stated(stated):
        raise _bad("it lacks something, or has something of the wrong kind")
    try:
        return stated, check_signature(stated, "it")
    except EvidenceInvalid as error:
        raise _bad(error.message) from None


def _is_stated(stated: Mapping[str, Any]) -> bool:
    parts, span, signature = stated["parts"], stated["chain"], stated["signature"]
    shapes = (
        isinstance(stated["tenant"], str),
        isinstance(span, dict) and set(span) == _CHAIN and isinstance(span["before"], str),
        isinstance(signature, dict) and set(signature) == MEMBERS,
        isinstance(parts, list) and all(isinstance(part, dict) and _is_part(part) for part in parts),
    )
    return all(shapes) and tuple(part["name"] for part in parts) == PARTS


def _is_part(part: Mapping[str, Any]) -> bool:
    counts = [part.get("bytes"), part.get("lines")]
    known = set(part) == {"name", "bytes", "lines", "sha256"}
    return known and all(type(count) is int and count >= 0 for count in counts) and isinstance(part["sha256"], str)


def _bad(what: str) -> BundleInvalid:
    return BundleInvalid(MANIFEST, what)
