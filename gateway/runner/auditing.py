"""What an auditor asks of a tenant's evidence: a bundle of it, its head, and the proof that a call is in it (promise 29)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gateway.adapters.audit.bundle_file import BundleWriter, new_bundle
from gateway.adapters.keys.signing import SigningKey
from gateway.adapters.stores.anchors import RedisAnchors
from gateway.adapters.stores.certificates import RedisCertificates
from gateway.adapters.stores.consents import RedisConsents
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.notices import RedisNoticeLog
from gateway.adapters.stores.policy_archive import PolicyArchive
from gateway.adapters.stores.receipts import Receipts
from gateway.adapters.stores.redis import Store
from gateway.errors import EvidenceInvalid, InvalidRequest, NotFound
from gateway.evidence import head as heads
from gateway.evidence.bundle import ANCHORS, CHAIN, KEY, POLICIES, RECEIPTS, REGISTRIES, Span, key_part, manifest, resting_on
from gateway.evidence.canonical import canonical
from gateway.evidence.chain import genesis, record
from gateway.evidence.cut import Cut
from gateway.evidence.entries import Entry, Json
from gateway.evidence.head import Head, read_head
from gateway.evidence.merkle import Tree
from gateway.evidence.receipt import verify as verify_receipt
from gateway.policy.load import PolicySet
from gateway.ports import Clock
from gateway.values import CallId, TenantId

CONSENTS, NOTICES, CERTIFICATES = "consents.jsonl", "notices.jsonl", "certificates.jsonl"
Period = tuple[datetime | None, datetime | None]


@dataclass(frozen=True, slots=True)
class AuditParts:
    """What the desk reads, and the key that it signs with."""

    ledger: RedisLedger
    receipts: Receipts
    consents: RedisConsents
    notices: RedisNoticeLog
    instructions: PolicyArchive
    anchors: RedisAnchors
    certificates: RedisCertificates
    key: SigningKey
    clock: Clock


class AuditDesk:
    """It only reads: what it hands out holds no private text. Every method raises StoreUnavailable."""

    def __init__(self, parts: AuditParts) -> None:
        self._p = parts

    @staticmethod
    def of(store: Store, ledger: RedisLedger, receipts: Receipts, data: Path, key: SigningKey, clock: Clock) -> AuditDesk:
        """``data``: SORDINO_DATA."""
        kept = (RedisConsents(store), RedisNoticeLog(store), PolicyArchive(data / "instructions"))
        return AuditDesk(AuditParts(ledger, receipts, *kept, RedisAnchors(store), RedisCertificates(store), key, clock))

    async def export(self, tenant: TenantId, period: Period, output: Path, known: Sequence[PolicySet]) -> None:
        """Write one signed file of a stretch of the chain and what belongs to it.

        ``known``: the policies in force, then those of earlier folders.

        Raises:
            NotFound: nothing of that tenant in that time.
            EvidenceInvalid: a receipt was altered.
            OSError: the file cannot be written.
        """
        key = self._p.key
        with new_bundle(output) as bundle:
            span = await _write_parts(bundle, self._p, tenant, period, known)
            with bundle.part(KEY) as write:
                write(key_part(key.public_key))
            made = self._p.clock.now()
            bundle.finish(manifest(tenant, made, period, span, bundle.parts, sign=key.sign, public_key=key.public_key))

    async def head(self, tenant: TenantId) -> dict[str, Json]:
        """The signed head of all entries up to now. Raises NotFound, EvidenceInvalid."""
        return (await self._headed(tenant))[0]

    async def prove(self, tenant: TenantId, call: CallId, since: Mapping[str, Json] | None = None) -> dict[str, Json]:
        """That a call is in the evidence and, with ``since``, that nothing before that head was changed.

        Raises:
            NotFound: no such call, or it was deleted after its time.
            InvalidRequest: so early a head cannot be compared any more.
            EvidenceInvalid: the chain was rewritten, or ``since`` is no head of it.
        """
        document, tree, entries, cut = await self._headed(tenant, call)
        if cut is not None:
            if not entries:
                raise NotFound("there is no evidence of that call", hint=f"there may have been: {cut.said}")
            if since is not None:
                check_reaches(read_head(since), cut)
        return heads.proof(tree, document, heads.thread_of(call, entries), since)

    async def _headed(
        self, tenant: TenantId, call: CallId | None = None
    ) -> tuple[dict[str, Json], Tree, list[Entry], Cut | None]:
        """The head of all entries up to now, their tree, the entries of one call, and what was deleted of the beginning."""
        leaves, mine = list[bytes](), list[Entry]()
        last: Entry | None = None
        cut = await self._p.ledger.beginning(tenant)
        before = 0 if cut is None else cut.last
        async for last in self._p.ledger.entries(tenant):
            if last.seq != before + len(leaves) + 1:
                raise EvidenceInvalid(f"entry {last.seq} stands where entry {before + len(leaves) + 1} should", hint="try again")
            leaves.append(heads.leaf(last.hash))
            if last.draft.call == call:
                mine.append(last)
        if last is None:
            raise NotFound("there is no evidence of that tenant", hint="sordino tenants list tells the tenants")
        tree = Tree(leaves, behind=None if cut is None else cut.tree())
        key, made = self._p.key, self._p.clock.now()
        document = heads.head(tenant, tree.size, tree.root(), last.hash, made, sign=key.sign, public_key=key.public_key)
        return document, tree, mine, cut


def check_reaches(earlier: Head, cut: Cut) -> None:
    """Raises InvalidRequest: of so early a head nobody can tell any more."""
    if earlier.size < cut.last:
        raise InvalidRequest(
            f"that head covers {earlier.size} entries, and {cut.said}",
            hint=f"only a head of {cut.last} entries or more can be compared: keep newer ones (sordino evidence head)",
        )


async def _write_parts(
    bundle: BundleWriter, sources: AuditParts, tenant: TenantId, period: Period, known: Sequence[PolicySet]
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
            "there is no evidence of that tenant in that time",
            hint="sordino tenants list tells the tenants; days are of UTC",
        )
    with bundle.part(RECEIPTS) as write:
        for call in await _calls(sources.receipts, tenant, first, last or 0):
            if (text := await sources.receipts.load(tenant, call)) is not None:
                write(canonical(verify_receipt(text).receipt.document) + b"\n")
    await asyncio.to_thread(_documents, bundle, tenant, known, sources.instructions, used)
    await _write_records(bundle, sources, tenant, (first, last or 0))
    return Span(count, first, last, before, head)


async def _write_records(bundle: BundleWriter, sources: AuditParts, tenant: TenantId, places: tuple[int, int]) -> None:
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
