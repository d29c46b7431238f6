"""The chain: every entry carries the hash of the one before it, twice.

``previous`` is the hash of the tenant's entry before it, so nothing can be taken out of a tenant's evidence unseen.
``call_previous`` is the hash of the same call's entry before it, so one call's receipt is whole without the other calls.
The hash is SHA-256 over the canonical form (``canonical``) of all that an entry says, its place included.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gateway.errors import EvidenceInvalid
from gateway.evidence.canonical import plain, quoted, written
from gateway.evidence.entries import Draft, Entry, Json
from gateway.evidence.facts import check_body
from gateway.values import CallId, TenantId

VERSION = 1
FSYNC = "fsync"
MEMORY = "memory"
UNCONFIRMED = "unconfirmed"
"""Kept by the gateway alone, because the store did not confirm it: such an entry has no place in the tenant's chain."""
DURABILITIES = (UNCONFIRMED, MEMORY, FSYNC)
"""From the weakest to the strongest."""
NEVER_UNCONFIRMED = frozenset({"hop", "listening.started", "payment.resumed"})
"""Without a confirmed entry of these kinds no data may move, so they cannot be unconfirmed."""

FIELDS = {"v", "seq", "previous", "call_previous", "tenant", "call", "kind", "at", "body", "hash"}
"""The members of a stored entry."""


def digest(data: bytes) -> str:
    """``sha256:`` and 64 hexadecimal digits."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def genesis(tenant: TenantId, call: CallId | None = None) -> str:
    """What the first entry points back to: of the tenant's chain, or with ``call`` of that call's own."""
    whose, owner = "tenant" if call is None else "call", quoted(tenant, "$.tenant")
    named = "null" if call is None else quoted(call, "$.call")
    # The canonical form of these four members: their names are ASCII and in order.
    return digest(f'{{"call":{named},"genesis":"{whose}","tenant":{owner},"v":{VERSION}}}'.encode())


def timestamp(at: datetime) -> str:
    """RFC 3339 in UTC with microseconds: ``2026-11-01T12:00:00.000000Z``. Raises EvidenceInvalid for a time without a zone."""
    if at.utcoffset() is None:
        raise EvidenceInvalid("the entry's time has no zone", hint="pass an aware datetime")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def seal(draft: Draft, seq: int, previous: str, *, durable: str = MEMORY) -> Entry:
    """The entry at place ``seq`` (from 1) behind the entry whose hash is ``previous``.

    Raises:
        EvidenceInvalid: the body holds what evidence cannot hold, or lacks a field that its kind needs.
    """
    return seal_written(draft, seq, previous, durable=durable)[0]


def seal_written(draft: Draft, seq: int, previous: str, *, durable: str = MEMORY) -> tuple[Entry, bytes]:
    """The same, and the canonical form of its ``record``: as it is stored. Raises like ``seal``."""
    body = {name: plain(value, f"body.{name}", below=2) for name, value in draft.body.items()}
    check_body(draft.kind, body)
    sealed = Draft(draft.tenant, draft.call, draft.kind, draft.at, body, draft.call_previous)
    named = {"call": draft.call, "call_previous": draft.call_previous, "kind": draft.kind, "tenant": draft.tenant}
    texts = {name: quoted(text, f"$.{name}") for name, text in {**named, "previous": previous}.items()}
    # The members of ``record`` in canonical order: all of them are ASCII.
    before = (
        f'{{"at":"{timestamp(draft.at)}","body":{written(body)},"call":{texts["call"]},"call_previous":{texts["call_previous"]},'
    )
    after = f'"kind":{texts["kind"]},"previous":{texts["previous"]},"seq":{seq},"tenant":{texts["tenant"]},"v":{VERSION}}}'
    hash_ = digest((before + after).encode("utf-8"))
    entry = Entry(seq=seq, previous=previous, draft=sealed, hash=hash_, durable=durable)
    return entry, f'{before}"hash":"{hash_}",{after}'.encode()


def seal_unconfirmed(draft: Draft) -> Entry:
    """An entry that the store did not confirm: linked to its call, without a place in the tenant's chain.

    Raises:
        EvidenceInvalid: like ``seal``, and for a kind that lets data move: that needs the store's confirmation.
    """
    if draft.kind in NEVER_UNCONFIRMED:
        raise EvidenceInvalid(f"an entry of kind {draft.kind} needs the store's confirmation")
    return seal(draft, 0, "", durable=UNCONFIRMED)


def record(entry: Entry) -> dict[str, Json]:
    """The entry as it is stored: JSON members, the hash included, durability not (the store's answer comes later)."""
    return {**_content(entry.draft, entry.seq, entry.previous), "hash": entry.hash}


def entry_from(stored: Json, *, durable: str) -> Entry:
    """Read a stored entry back and check its hash.

    Raises:
        EvidenceInvalid: a member is missing, unknown or of the wrong type, or the content does not have that hash.
    """
    if not isinstance(stored, Mapping):
        raise EvidenceInvalid("is not an object")
    if set(stored) != FIELDS:
        odd = min(set(stored) ^ FIELDS)
        raise EvidenceInvalid(f"{'lacks' if odd in FIELDS else 'has an unknown'} member {odd[:80]!r}")
    if stored["v"] != VERSION or isinstance(stored["v"], bool):
        raise EvidenceInvalid("is of a version that this verifier does not know")
    seq, body = stored["seq"], stored["body"]
    if not isinstance(seq, int) or isinstance(seq, bool) or seq < 0:
        raise EvidenceInvalid("has a place that is not a whole number")
    if not isinstance(body, Mapping):
        raise EvidenceInvalid("has a body that is not an object")
    texts = {name: _text(stored, name) for name in ("previous", "call_previous", "tenant", "call", "kind", "at", "hash")}
    draft = Draft(
        tenant=TenantId(texts["tenant"]),
        call=CallId(texts["call"]),
        kind=texts["kind"],
        at=_time(texts["at"]),
        body=body,
        call_previous=texts["call_previous"],
    )
    entry = seal(draft, seq, texts["previous"], durable=durable)
    if entry.hash != texts["hash"]:
        raise EvidenceInvalid("does not have the hash that it says")
    return entry


@dataclass(frozen=True, slots=True)
class Chain:
    """A tenant's chain that verified: how many entries, the last one's place and hash.

    ``stray`` are places of entries that no later entry of their call builds on although there are later ones: the store took
    them, but its confirmation never arrived, so the gateway did not act on them.
    """

    count: int
    seq: int
    head: str
    stray: tuple[int, ...]


def verify_chain(entries: Iterable[Entry], *, tenant: TenantId, seq: int = 0, head: str | None = None) -> Chain:
    """Check one tenant's entries in order; ``seq`` and ``head`` name the entry before the first one (default: the genesis).

    Raises:
        EvidenceInvalid: names the first entry that is altered, missing, out of place, of another tenant, or not linked to
            its call.
    """
    last = genesis(tenant) if head is None else head
    tips: dict[CallId, dict[str, int]] = {}
    built_on: dict[CallId, set[str]] = {}
    count = 0
    for entry in entries:
        what = f"entry {entry.seq} ({entry.draft.kind})"
        if entry.draft.tenant != tenant:
            raise EvidenceInvalid(f"{what} belongs to another tenant")
        if entry.seq != seq + 1:
            raise EvidenceInvalid(f"{what} stands where entry {seq + 1} should stand")
        if entry.previous != last:
            raise EvidenceInvalid(f"{what} does not follow the entry before it")
        if seal(entry.draft, entry.seq, entry.previous).hash != entry.hash:
            raise EvidenceInvalid(f"{what} was altered: it does not have the hash that it says")
        _check_call_link(entry, tips, built_on, partial=head is not None, what=what)
        seq, last, count = entry.seq, entry.hash, count + 1
    return Chain(count, seq, last, _stray(tips, built_on))


def _check_call_link(
    entry: Entry, tips: dict[CallId, dict[str, int]], built_on: dict[CallId, set[str]], *, partial: bool, what: str
) -> None:
    draft = entry.draft
    known = tips.setdefault(draft.call, {})
    begins = draft.call_previous == genesis(draft.tenant, draft.call) or (partial and not known)
    if not begins and draft.call_previous not in known:
        raise EvidenceInvalid(f"{what} does not follow any earlier entry of its call")
    built_on.setdefault(draft.call, set()).add(draft.call_previous)
    known[entry.hash] = entry.seq


def _stray(tips: Mapping[CallId, Mapping[str, int]], built_on: Mapping[CallId, set[str]]) -> tuple[int, ...]:
    stray = [seq for call, known in tips.items() for hash_, seq in list(known.items())[:-1] if hash_ not in built_on[call]]
    return tuple(sorted(stray))


@dataclass(slots=True)
class CallChain:
    """The thread of one call's entries, for the one who writes them. Write one entry after the other, never two at once.

    ``entry = await ledger.append(chain.draft(...)); chain.add(entry)``, or after EvidenceUnavailable, for what must be said
    anyway, ``chain.add_unconfirmed(draft)``. Once ``cut``, nothing more goes to the ledger: it could not be linked there.
    """

    tenant: TenantId
    call: CallId
    entries: list[Entry] = field(default_factory=list)
    cut: bool = False
    after: str = ""
    """Hash of the call's entry before ``entries``, for a thread that somebody else began."""

    @property
    def head(self) -> str:
        """Hash of the last entry; empty before the first."""
        return self.entries[-1].hash if self.entries else self.after

    def draft(self, kind: str, at: datetime, body: Mapping[str, Json]) -> Draft:
        last = self.head or genesis(self.tenant, self.call)
        return Draft(tenant=self.tenant, call=self.call, kind=kind, at=at, body=body, call_previous=last)

    def add(self, entry: Entry) -> Entry:
        self.entries.append(entry)
        return entry

    def add_unconfirmed(self, draft: Draft) -> Entry:
        """Raises EvidenceInvalid for a kind that lets data move."""
        entry = seal_unconfirmed(draft)
        self.cut = True
        return self.add(entry)


def _content(draft: Draft, seq: int, previous: str) -> dict[str, Json]:
    return {
        "v": VERSION,
        "seq": seq,
        "previous": previous,
        "call_previous": draft.call_previous,
        "tenant": draft.tenant,
        "call": draft.call,
        "kind": draft.kind,
        "at": timestamp(draft.at),
        "body": draft.body,
    }


def _text(stored: Mapping[str, Json], name: str) -> str:
    value = stored[name]
    if not isinstance(value, str):
        raise EvidenceInvalid(f"has a member {name!r} that is not text")
    return value


def _time(text: str) -> datetime:
    try:
        at = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        raise EvidenceInvalid("has a time that is not one") from None
    if timestamp(at) != text:
        raise EvidenceInvalid("has a time that is not written in full")
    return at
