"""The certificate of one deletion: what was deleted, which key with it, why, by whom and when (promises 14 and 17).

It is one JSON object in canonical form, signed (Ed25519, RFC 8032) like a receipt, and names the entry of the tenant's chain that
says the same. A person is a keyed hash in it; there is no private text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.errors import EvidenceInvalid
from gateway.evidence.canonical import canonical, parse
from gateway.evidence.chain import timestamp
from gateway.evidence.entries import Entry, Json
from gateway.evidence.keys import key_id
from gateway.evidence.signed import Sign, check_signature, sign_document, trusted
from gateway.values import DataClass

FORMAT = "sordino.certificate/1"
KIND = "deletion.certified"
"""The kind of the entry that a certificate rests on; its body has the ``_STATED`` members."""

_STATED = ("certificate", "class", "of", "holding", "key_id", "where", "append_only_file", "why", "by", "decided", "gone")
_TEXTS = {*_STATED, "format", "tenant", "at"} - {"where"}
_MEMBERS = {*_TEXTS, "where", "entry", "signature"}


@dataclass(frozen=True, slots=True)
class Destroyed:
    """The facts of one deletion. ``of`` is the call's id or the person's keyed hash; times are aware UTC."""

    certificate: str
    data_class: DataClass
    of: str
    holding: str
    key_id: str
    where: Sequence[str]
    why: str
    by: str
    decided: datetime
    """When it was claimed: no hold placed later could stop it."""
    gone: datetime
    append_only_file: str = ""
    """What was done about the store's own file, where a key was destroyed: ``rewritten``, ``not-permitted``, ``none``."""

    def body(self) -> dict[str, Json]:
        """The body of its ``deletion.certified`` entry."""
        return {
            "certificate": self.certificate,
            "class": self.data_class.value,
            "of": self.of,
            "holding": self.holding,
            "key_id": self.key_id,
            "where": list(self.where),
            "append_only_file": self.append_only_file,
            "why": self.why,
            "by": self.by,
            "decided": timestamp(self.decided),
            "gone": timestamp(self.gone),
        }


@dataclass(frozen=True, slots=True)
class Certificate:
    """A signed certificate. ``document`` is all of it, as JSON values."""

    document: Mapping[str, Json]

    @property
    def id(self) -> str:
        return str(self.document["certificate"])

    @property
    def tenant(self) -> str:
        return str(self.document["tenant"])

    @property
    def data_class(self) -> DataClass:
        return DataClass(str(self.document["class"]))

    @property
    def of(self) -> str:
        """The call's id, or the keyed hash of a person."""
        return str(self.document["of"])

    @property
    def holding(self) -> str:
        return str(self.document["holding"])

    @property
    def place(self) -> tuple[int, str]:
        """Place and hash of the entry of the chain that says the same."""
        entry: Any = self.document["entry"]
        return int(entry["seq"]), str(entry["hash"])

    @property
    def key_id(self) -> str:
        """The key that was destroyed; empty where there was none."""
        return str(self.document["key_id"])

    @property
    def at(self) -> str:
        """When the evidence had it, RFC 3339."""
        return str(self.document["at"])

    def to_json(self) -> bytes:
        """Canonical JSON on one line, with a newline at its end."""
        return canonical(self.document) + b"\n"


@dataclass(frozen=True, slots=True)
class VerifiedCertificate:
    """A certificate that verified, and whether its key is the one that the verifier gave."""

    certificate: Certificate
    key_id: str
    trusted: bool


def certify(entry: Entry, *, sign: Sign, public_key: bytes) -> Certificate:
    """The certificate of what an entry of the kind ``deletion.certified`` says. Raises EvidenceInvalid for another entry."""
    body = entry.draft.body
    if entry.draft.kind != KIND or set(body) != set(_STATED):
        raise EvidenceInvalid("this entry does not say that something was deleted")
    stated: dict[str, Json] = {
        **body,
        "format": FORMAT,
        "tenant": entry.draft.tenant,
        "at": timestamp(entry.draft.at),
        "entry": {"seq": entry.seq, "hash": entry.hash},
    }
    return Certificate(sign_document(stated, sign=sign, public_key=public_key))


def verify_certificate(data: bytes | str, trusted_key: bytes | None = None) -> VerifiedCertificate:
    """Check a certificate offline. ``trusted_key``: the raw public key that the verifier got from the operator.

    Raises:
        EvidenceInvalid: what is wrong with it, in words.
    """
    document = parse(data)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise EvidenceInvalid(f"this is not a certificate of the format {FORMAT}")
    if set(document) != _MEMBERS or not _is_shaped(document):
        raise EvidenceInvalid("the certificate lacks something, or has something of the wrong kind")
    key = check_signature(document, "the certificate")
    return VerifiedCertificate(Certificate(document), key_id(key), trusted=trusted(key, trusted_key))


def is_certificate(data: bytes) -> bool:
    """Whether this calls itself a certificate; ``verify_certificate`` says whether it is a good one."""
    try:
        document = parse(data)
    except EvidenceInvalid:
        return False
    return isinstance(document, dict) and str(document.get("format", "")).startswith("sordino.certificate/")


def _is_shaped(document: Mapping[str, object]) -> bool:
    entry, where = document["entry"], document["where"]
    return (
        all(isinstance(document[name], str) for name in _TEXTS)
        and document["class"] in {each.value for each in DataClass}
        and isinstance(where, list)
        and all(isinstance(each, str) for each in where)
        and isinstance(entry, dict)
        and set(entry) == {"seq", "hash"}
        and type(entry["seq"]) is int
        and isinstance(entry["hash"], str)
    )


def stored_certificate(stored: bytes) -> Certificate:
    """One that we kept ourselves, as it stands there. Raises EvidenceInvalid where it cannot be read."""
    document = parse(stored)
    if not isinstance(document, dict):
        raise EvidenceInvalid("a certificate in the store cannot be read", hint="restore it from a backup")
    return Certificate(document)
