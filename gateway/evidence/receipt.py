"""The receipt of one call: what happened, provable to someone who trusts neither the gateway nor its operator's word.

A receipt is one JSON object. Its ``entries`` are the call's entries of the chain, in full. Everything else in it is *derived*
from them (``gateway.evidence.summary``): whoever verifies derives it again and compares. The signature (Ed25519, RFC 8032)
covers the canonical form of all of it. There is no private text in a receipt.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gateway.errors import EvidenceInvalid
from gateway.evidence import quick
from gateway.evidence.canonical import canonical, parse, plain
from gateway.evidence.chain import DURABILITIES, NEVER_UNCONFIRMED, UNCONFIRMED, entry_from, genesis, record
from gateway.evidence.entries import Draft, Entry, Json
from gateway.evidence.keys import key_id
from gateway.evidence.lines import read_quickly
from gateway.evidence.signed import MEMBERS, Sign, check_signature, sign_document, trusted
from gateway.evidence.summary import summarise
from gateway.values import CallId, TenantId

FORMAT = "sordino.receipt/1"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A signed receipt: ``document`` is all of it, as JSON values; ``entries`` are the call's entries in order."""

    document: Mapping[str, Json]
    entries: tuple[Entry, ...]

    @property
    def tenant(self) -> str:
        return str(self.document["tenant"])

    @property
    def call(self) -> str:
        return str(self.document["call"])

    @property
    def outcome(self) -> str:
        """``completed``, ``never_listened`` or ``failed``."""
        return str(self.document["outcome"])

    @property
    def code(self) -> str | None:
        """The error code of a call that failed."""
        code = self.document["code"]
        return None if code is None else str(code)

    @property
    def durability(self) -> str:
        """The weakest confirmation among the entries: ``fsync``, ``memory`` or ``unconfirmed``."""
        return str(self.document["durability"])

    @property
    def public_key(self) -> bytes:
        return base64.b64decode(str(_mapping(self.document["signature"])["public_key"]))

    def to_json(self) -> bytes:
        """UTF-8 JSON, indented for people, with a newline at the end."""
        return json.dumps(self.document, ensure_ascii=False, indent=2).encode("utf-8") + b"\n"


@dataclass(frozen=True, slots=True)
class Verified:
    """A receipt that verified, by whose key, and whether that key is the one that the verifier trusts."""

    receipt: Receipt
    key_id: str
    trusted: bool

    @property
    def statement(self) -> str:
        """One sentence for people."""
        count = len(self.receipt.entries)
        body = f"Nothing in this receipt was changed since it was signed ({count} entries"
        if self.trusted:
            return f"{body}), and key {self.key_id}, which you gave, signed it."
        return f"{body}). It is signed by key {self.key_id}, which you have not confirmed."


def build(entries: Sequence[Entry], *, sign: Sign, public_key: bytes) -> Receipt:
    """The signed receipt of the call whose ``entries`` these are, in order, all of them.

    Raises:
        EvidenceInvalid: there are none, or they are not one call's whole thread.
    """
    _check_thread(entries)
    unsigned = {
        **_derived(entries),
        "entries": [{**record(entry), "durable": entry.durable} for entry in entries],
    }
    document = sign_document(unsigned, sign=sign, public_key=public_key)
    return Receipt(document=_mapping(plain(document)), entries=tuple(entries))


def verify(receipt_json: bytes | str, trusted_key: bytes | None = None) -> Verified:
    """Check a receipt offline. ``trusted_key`` is the raw public key (32 bytes) that the verifier got from the operator.

    Raises:
        EvidenceInvalid: the first place that is wrong, in words.
    """
    found = _quickly(receipt_json) if isinstance(receipt_json, bytes) else None
    receipt, key = found or _carefully(receipt_json)
    return Verified(receipt, key_id(key), trusted=trusted(key, trusted_key))


def _quickly(text: bytes) -> tuple[Receipt, bytes] | None:
    """A receipt in canonical form and the key that signed it, or None for whatever is not plainly good (see ``quick``)."""
    document = quick.read(text)
    if type(document) is not dict or type(document.get("entries")) is not list:
        return None
    signature = document.get("signature")
    try:
        entries = _read_plain_entries(document["entries"])
        _check_thread(entries)
        derived = {**_derived(entries), "entries": document["entries"], "signature": signature}
        if quick.write(derived) != text:
            return None
        return Receipt(document=document, entries=tuple(entries)), check_signature(document, "the receipt", quick.write)
    except (EvidenceInvalid, TypeError):
        return None


def _read_plain_entries(items: list[Json]) -> list[Entry]:
    entries, durable = [], []
    for item in items:
        if type(item) is not dict or item.get("durable") not in DURABILITIES:
            raise EvidenceInvalid("is not plainly an entry")
        entries.append({name: value for name, value in item.items() if name != "durable"})
        durable.append(str(item["durable"]))
    found = read_quickly(list(map(quick.write, entries)))
    if found is None:
        raise EvidenceInvalid("is not plainly an entry")
    return list(map(_plain_entry, found, durable))


def _plain_entry(members: Mapping[str, Any], durable: str) -> Entry:
    tenant, call, kind, body = TenantId(members["tenant"]), CallId(members["call"]), members["kind"], members["body"]
    at = datetime.fromisoformat(members["at"][:-1]).replace(tzinfo=UTC)
    draft = Draft(tenant, call, kind, at, body, members["call_previous"])
    return Entry(members["seq"], members["previous"], draft, members["hash"], durable)


def _carefully(receipt_json: bytes | str) -> tuple[Receipt, bytes]:
    document = parse(receipt_json)
    if not isinstance(document, dict):
        raise EvidenceInvalid("a receipt is one JSON object, and this is not one")
    if document.get("format") != FORMAT:
        raise EvidenceInvalid(f"this is not a receipt of the format {FORMAT}")
    signature = document.get("signature")
    if not isinstance(signature, dict) or set(signature) != MEMBERS:
        raise EvidenceInvalid("the receipt is not signed, or its signature is incomplete")
    entries = _read_entries(document.get("entries"))
    _check_thread(entries)
    derived = {**_derived(entries), "entries": document["entries"], "signature": signature}
    _compare(document, derived, "")
    return Receipt(document=document, entries=entries), check_signature(document, "the receipt")


def _derived(entries: Sequence[Entry]) -> dict[str, Json]:
    confirmed = [entry for entry in entries if entry.durable != UNCONFIRMED]
    return {
        "format": FORMAT,
        **summarise(entries),
        "durability": min((entry.durable for entry in entries), key=DURABILITIES.index),
        "chain": {
            "first": confirmed[0].seq if confirmed else None,
            "last": confirmed[-1].seq if confirmed else None,
            "entries": len(entries),
            "unconfirmed": len(entries) - len(confirmed),
            "head": entries[-1].hash,
        },
    }


def _read_entries(stored: Json) -> tuple[Entry, ...]:
    if not isinstance(stored, list):
        raise EvidenceInvalid("the receipt has no list of entries")
    return tuple(_read_entry(number, item) for number, item in enumerate(stored, start=1))


def _read_entry(number: int, item: Json) -> Entry:
    if not isinstance(item, dict) or item.get("durable") not in DURABILITIES:
        raise EvidenceInvalid(f"entry {number} of the receipt does not say how it was confirmed")
    rest = {name: value for name, value in item.items() if name != "durable"}
    try:
        return entry_from(rest, durable=str(item["durable"]))
    except EvidenceInvalid as error:
        kind = item.get("kind")
        name = f" ({kind[:40]})" if isinstance(kind, str) and kind.isprintable() else ""
        raise EvidenceInvalid(f"entry {number} of the receipt{name} {error.message}") from None


def _check_thread(entries: Sequence[Entry]) -> None:
    """One call's entries, from its genesis, each behind the one before, confirmed ones first and in the chain's order."""
    if not entries:
        raise EvidenceInvalid("the receipt has no entries")
    tenant, call = entries[0].draft.tenant, entries[0].draft.call
    last, seq, cut = genesis(tenant, call), 0, False
    for number, entry in enumerate(entries, start=1):
        what = f"entry {number} of the receipt ({entry.draft.kind})"
        if (entry.draft.tenant, entry.draft.call) != (tenant, call):
            raise EvidenceInvalid(f"{what} belongs to another call")
        if entry.draft.call_previous != last:
            raise EvidenceInvalid(f"{what} does not follow the entry before it: one was removed, added or moved")
        _check_place(entry, seq, cut=cut, what=what)
        last, seq, cut = entry.hash, entry.seq, entry.durable == UNCONFIRMED


def _check_place(entry: Entry, seq: int, *, cut: bool, what: str) -> None:
    if entry.durable == UNCONFIRMED:
        if entry.seq != 0 or entry.previous != "":
            raise EvidenceInvalid(f"{what} is unconfirmed and still claims a place in the chain")
        if entry.draft.kind in NEVER_UNCONFIRMED:
            raise EvidenceInvalid(f"{what} needs the store's confirmation and has none")
    elif cut:
        raise EvidenceInvalid(f"{what} claims a confirmation after one that was missing")
    elif entry.seq <= seq:
        raise EvidenceInvalid(f"{what} stands before an entry that it follows")


def _compare(said: Json, shown: Json, where: str) -> None:
    """Raises EvidenceInvalid at the first place where the summary says something else than the entries show."""
    if said is shown:
        return  # the entries, which are checked one by one
    if isinstance(said, dict) and isinstance(shown, dict):
        for name in [*shown, *said]:
            place = f"{where}.{name[:80]}" if where else name[:80]
            if name not in said:
                raise EvidenceInvalid(f"the summary lacks {place}")
            if name not in shown:
                raise EvidenceInvalid(f"the summary has {place!r}, which the entries do not show")
            _compare(said[name], shown[name], place)
    elif isinstance(said, list) and isinstance(shown, list) and len(said) == len(shown):
        for index, (one, other) in enumerate(zip(said, shown, strict=True)):
            _compare(one, other, f"{where}[{index}]")
    elif (type(said) is not type(shown) or said != shown) and canonical(said) != canonical(shown):
        raise EvidenceInvalid(f"the summary's {where} is not what the entries show")


def _mapping(value: Json) -> Mapping[str, Json]:
    if not isinstance(value, Mapping):
        raise EvidenceInvalid("an object is missing in the receipt")
    return value
