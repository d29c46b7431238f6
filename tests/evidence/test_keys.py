"""An auditor gets the public key as a file or as a line of text, and can use either."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.errors import EvidenceInvalid
from gateway.evidence.keys import exact_base64, key_id, public_key_pem, read_public_key
from tests.evidence.samples import PUBLIC

OTHER_KIND = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def test_a_key_reads_back_from_both_its_written_forms() -> None:
    assert read_public_key(public_key_pem(PUBLIC).encode()) == PUBLIC
    assert read_public_key(base64.b64encode(PUBLIC) + b"\n") == PUBLIC


def test_a_key_has_a_short_name_of_its_own() -> None:
    assert key_id(PUBLIC) == "56475aa75463474c"
    assert key_id(bytes(32)) != key_id(PUBLIC)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"hello",
        b"\xff\xfe",
        base64.b64encode(b"short"),
        OTHER_KIND,
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
    ],
)
def test_what_is_no_ed25519_key_is_refused_with_a_hint(text: bytes) -> None:
    with pytest.raises(EvidenceInvalid, match=r"not an Ed25519 public key \(give the PEM file"):
        read_public_key(text)


@pytest.mark.parametrize("text", ["AAAB", "AA==\n", " AA==", "AB==", "AA", "A A==", "é==="])
def test_base64_has_one_right_way(text: str) -> None:
    with pytest.raises(EvidenceInvalid):
        exact_base64(text, 1)
    assert exact_base64("AA==", 1) == b"\x00"
