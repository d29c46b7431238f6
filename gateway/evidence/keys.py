"""Public keys of receipts: how they are named, written down and read."""

from __future__ import annotations

import base64
import binascii
import hashlib

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from gateway.errors import EvidenceInvalid

KEY_BYTES = 32


def key_id(public_key: bytes) -> str:
    """The name of a raw Ed25519 public key: the first 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def public_key_pem(public_key: bytes) -> str:
    """A raw Ed25519 public key (32 bytes) as PEM (RFC 8410), as it is handed to an auditor."""
    key = Ed25519PublicKey.from_public_bytes(public_key)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def read_public_key(text: bytes) -> bytes:
    """The raw 32 bytes of an Ed25519 public key that is given as PEM, or as the base64 text that stands in receipts.

    Raises:
        EvidenceInvalid: it is neither.
    """
    if b"-----BEGIN" in text:
        return _from_pem(text)
    try:
        return exact_base64(text.decode("ascii").strip(), KEY_BYTES)
    except (UnicodeDecodeError, EvidenceInvalid):
        raise _no_key() from None


def _from_pem(text: bytes) -> bytes:
    try:
        key = load_pem_public_key(text)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _no_key() from None
    if not isinstance(key, Ed25519PublicKey):
        raise _no_key()
    return key.public_bytes_raw()


def _no_key() -> EvidenceInvalid:
    return EvidenceInvalid(
        "this is not an Ed25519 public key", hint="give the PEM file `signing.pub` of the gateway, or the base64 text of the key"
    )


def exact_base64(text: str, length: int) -> bytes:
    """``length`` bytes from base64 (RFC 4648, section 4) written the one right way: no stray characters, no unused bits set."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise EvidenceInvalid("is not base64") from None
    if len(data) != length or base64.b64encode(data).decode("ascii") != text:
        raise EvidenceInvalid(f"is not {length} bytes in base64")
    return data


def signature_holds(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether this Ed25519 signature (RFC 8032) over ``message`` was made with the key's private half."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except InvalidSignature:
        return False
    return True
