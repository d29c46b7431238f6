"""Anchors: heads of a tenant's chain that somebody else has seen, so that the operator cannot rewrite history unseen.

An anchor is a signed head (``head``) and the word of who saw it: an authority's time stamp over it (RFC 3161), or the name of
a second place where it was written down. Only the head's hash ever went to an authority: no evidence, no name of a tenant.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.x509 import Certificate, load_pem_x509_certificates
from rfc3161_client import TimeStampResponse, VerifierBuilder, decode_timestamp_response
from rfc3161_client.base import HashAlgorithm, TimestampRequestBuilder
from rfc3161_client.errors import VerificationError
from rfc3161_client.tsp import PKIStatus, TimeStampRequest

from gateway.errors import EvidenceInvalid
from gateway.evidence.canonical import canonical
from gateway.evidence.chain import timestamp
from gateway.evidence.entries import Json
from gateway.evidence.head import Head, read_head

MEMBERS = {"tenant", "head", "by", "stamp"}
SHA256 = "2.16.840.1.101.3.4.2.1"
"""Its object identifier (RFC 5754)."""
SECOND_PLACE = "second-place"
"""By whom a head was seen that was only written down elsewhere."""
LARGEST_STAMP = 64 * 1024
"""Bytes of an authority's answer. Some thousands, with its certificates."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """An anchor that verified. ``at``: the authority's time, RFC 3339; of a second place the head's own.

    ``confirmed``: an authority whose certificate the verifier trusts has signed it.
    """

    head: Head
    by: str
    at: str
    confirmed: bool


def request(head: Mapping[str, Json]) -> TimeStampRequest:
    """What an authority is asked: the SHA-256 of the head's canonical form and a nonce."""
    return TimestampRequestBuilder().data(canonical(head)).hash_algorithm(HashAlgorithm.SHA256).build()


def stamped(asked: TimeStampRequest, answer: bytes, roots: Sequence[Certificate]) -> str:
    """The answer as an anchor keeps it.

    Raises:
        EvidenceInvalid: it is no time stamp, not granted, of something else or of another request, or with ``roots``: not signed
            by an authority below one of them.
    """
    response = _response(answer)
    if response.tst_info.nonce != asked.nonce:
        raise EvidenceInvalid("the time stamp answers another request")
    _check(response, asked.message_imprint.message, roots)
    return base64.b64encode(answer).decode("ascii")


def anchor(head: Mapping[str, Json], by: str, stamp: str = "") -> dict[str, Json]:
    """``by``: the authority's host, or the name of the second place; ``stamp``: what ``stamped`` gave, or nothing."""
    return {"tenant": head["tenant"], "head": dict(head), "by": by, "stamp": stamp}


def read_anchor(document: Mapping[str, Any], roots: Sequence[Certificate] = ()) -> Anchor:
    """Check an anchor offline. ``roots``: certificates of authorities that the verifier trusts.

    Raises:
        EvidenceInvalid: what is wrong with it.
    """
    if set(document) != MEMBERS or not isinstance(document["by"], str) or not isinstance(document["stamp"], str):
        raise EvidenceInvalid("the anchor lacks something, or has something of the wrong kind")
    head = read_head(document["head"])
    if head.tenant != document["tenant"]:
        raise EvidenceInvalid("the anchor is of another tenant than its head")
    if not document["stamp"]:
        return Anchor(head, document["by"], head.made, confirmed=False)
    try:
        response = _response(base64.b64decode(document["stamp"], validate=True))
    except binascii.Error:
        raise EvidenceInvalid("the anchor's time stamp is not base64") from None
    _check(response, hashlib.sha256(canonical(document["head"])).digest(), roots)
    return Anchor(head, document["by"], timestamp(response.tst_info.gen_time), confirmed=bool(roots))


def read_roots(pem: bytes) -> list[Certificate]:
    """The certificates in a PEM file. Raises EvidenceInvalid: there is none in it."""
    try:
        return load_pem_x509_certificates(pem)
    except ValueError:
        raise EvidenceInvalid("there is no certificate in that file", hint="give the authority's root certificate, PEM") from None


def _response(answer: bytes) -> TimeStampResponse:
    if len(answer) > LARGEST_STAMP:
        raise EvidenceInvalid("the time stamp is larger than any")
    try:
        response = decode_timestamp_response(answer)
        if PKIStatus(response.status) != PKIStatus.GRANTED:
            raise EvidenceInvalid("the authority did not grant the time stamp")
        response.tst_info.gen_time  # noqa: B018  (it is read when it is asked for, and may be broken)
    except (ValueError, TypeError):
        raise EvidenceInvalid("this is no time stamp (RFC 3161)") from None
    return response


def _check(response: TimeStampResponse, imprint: bytes, roots: Sequence[Certificate]) -> None:
    shown = response.tst_info.message_imprint
    if shown.message != imprint or shown.hash_algorithm.dotted_string != SHA256:
        raise EvidenceInvalid("the time stamp is of something else than this head")
    if not roots:
        return
    # Certificates that came with the answer are no reason to trust it, so they are not handed over as known ones.
    verifier = VerifierBuilder(roots=list(roots)).build()
    try:
        verifier.verify(response, imprint)
    except (VerificationError, ValueError):
        raise EvidenceInvalid("the time stamp is not by an authority that you trust, or was altered") from None
