"""The certificate of a tenant's end: what was done when, what is gone, what is kept and why and until when (promise 15).

It is one JSON object in canonical form, signed like a receipt, and names the entry of the tenant's chain that says the same.
Each deletion has a certificate of its own beside it (``certificate``). There is no private text in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.errors import EvidenceInvalid
from gateway.evidence.canonical import canonical, parse
from gateway.evidence.chain import timestamp
from gateway.evidence.entries import Entry, Json
from gateway.evidence.keys import key_id
from gateway.evidence.signed import Sign, check_signature, sign_document, trusted

FORMAT = "sordino.offboarding/1"
KIND = "offboarding.certified"
"""The kind of the entry that it rests on."""
_MEMBERS = {"format", "tenant", "at", "entry", "statement", "signature"}


@dataclass(frozen=True, slots=True)
class VerifiedEnd:
    """A certificate that verified. ``trusted``: its key is the one that the verifier gave."""

    document: Mapping[str, Json]
    key_id: str
    trusted: bool


def certify_end(entry: Entry, *, sign: Sign, public_key: bytes) -> bytes:
    """The certificate of what this entry says, as JSON on one line. Raises EvidenceInvalid for another entry."""
    if entry.draft.kind != KIND:
        raise EvidenceInvalid("this entry does not say that a tenant has left")
    stated: dict[str, Json] = {
        "format": FORMAT,
        "tenant": entry.draft.tenant,
        "at": timestamp(entry.draft.at),
        "entry": {"seq": entry.seq, "hash": entry.hash},
        "statement": dict(entry.draft.body),
    }
    return canonical(sign_document(stated, sign=sign, public_key=public_key)) + b"\n"


def verify_end(data: bytes | str, trusted_key: bytes | None = None) -> VerifiedEnd:
    """Check one offline. ``trusted_key``: the raw public key that the verifier got from the operator.

    Raises:
        EvidenceInvalid: what is wrong with it, in words.
    """
    document = parse(data)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise EvidenceInvalid(f"this is not a certificate of the format {FORMAT}")
    if set(document) != _MEMBERS or not isinstance(document["statement"], dict):
        raise EvidenceInvalid("the certificate lacks something, or has something of the wrong kind")
    key = check_signature(document, "the certificate")
    return VerifiedEnd(document, key_id(key), trusted(key, trusted_key))


def is_end(data: bytes) -> bool:
    """Whether this calls itself the certificate of a tenant's end; ``verify_end`` says whether it is a good one."""
    try:
        document = parse(data)
    except EvidenceInvalid:
        return False
    return isinstance(document, dict) and str(document.get("format", "")).startswith("sordino.offboarding/")
