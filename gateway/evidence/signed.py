"""A JSON document with its own signature in it (Ed25519, RFC 8032), over the canonical form of all the rest."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from gateway.errors import EvidenceInvalid
from gateway.evidence.canonical import canonical
from gateway.evidence.entries import Json
from gateway.evidence.keys import KEY_BYTES, exact_base64, key_id, signature_holds

ALGORITHM = "Ed25519"
SIGNATURE_BYTES = 64
MEMBER = "signature"
MEMBERS = {"algorithm", "key_id", "public_key", "value"}

Sign = Callable[[bytes], bytes]
"""Signs a message with the gateway's Ed25519 key: 64 bytes."""


def sign_document(document: Mapping[str, Json], *, sign: Sign, public_key: bytes) -> dict[str, Json]:
    """The document with its ``signature``."""
    about: dict[str, Json] = {
        "algorithm": ALGORITHM,
        "key_id": key_id(public_key),
        "public_key": base64.b64encode(public_key).decode("ascii"),
    }
    value = base64.b64encode(sign(canonical({**document, MEMBER: about}))).decode("ascii")
    return {**document, MEMBER: {**about, "value": value}}


def check_signature(document: Mapping[str, Any], what: str, written: Callable[[object], bytes] = canonical) -> bytes:
    """The public key that signed it, 32 bytes. ``what`` names the document: "the receipt"; ``written`` gives canonical form.

    Raises:
        EvidenceInvalid: it is not signed, or it was changed after it was.
    """
    signature = document.get(MEMBER)
    if not isinstance(signature, Mapping) or set(signature) != MEMBERS:
        raise EvidenceInvalid(f"{what} is not signed, or its signature is incomplete")
    if signature["algorithm"] != ALGORITHM:
        raise EvidenceInvalid(f"the signature is not of the algorithm {ALGORITHM}")
    key = _bytes(signature["public_key"], "the signature's public key", KEY_BYTES)
    value = _bytes(signature["value"], "the signature's value", SIGNATURE_BYTES)
    if signature["key_id"] != key_id(key):
        raise EvidenceInvalid("the signature's key_id is not that of its public key")
    unsigned = {**document, MEMBER: {name: item for name, item in signature.items() if name != "value"}}
    if not signature_holds(key, value, written(unsigned)):
        raise EvidenceInvalid(f"the signature does not fit: something in {what} was changed after it was signed")
    return key


def trusted(key: bytes, wanted: bytes | None) -> bool:
    """Whether a key was asked for, and this is it. Raises EvidenceInvalid: another one was asked for."""
    if wanted is not None and wanted != key:
        raise EvidenceInvalid(f"it is signed by key {key_id(key)}, not by the key that you gave ({key_id(wanted)})")
    return wanted is not None


def _bytes(text: object, what: str, length: int) -> bytes:
    if not isinstance(text, str):
        raise EvidenceInvalid(f"{what} is not text")
    try:
        return exact_base64(text, length)
    except EvidenceInvalid as error:
        raise EvidenceInvalid(f"{what} {error.message}") from None
