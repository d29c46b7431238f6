"""Telnyx's TeXML webhook: is it really Telnyx that asks, and what do we answer.

Signature: Ed25519 over time stamp, ``|`` and body,
https://developers.telnyx.com/api-reference/callbacks/texml-call-initiated; the key stands on the portal. Answer:
https://developers.telnyx.com/docs/voice/programmable-voice/texml-verbs/stream.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import datetime
from xml.sax.saxutils import quoteattr

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.adapters.carriers.stream import number
from gateway.adapters.carriers.webhook import (
    FORM,
    TOKEN_PARAMETER,
    XML,
    Answer,
    Asked,
    Proof,
    Ringing,
    fresh,
    once_of,
    xml_dial,
    xml_hang_up,
    xml_then,
)
from gateway.errors import InvalidRequest
from gateway.values import Private

SIGNATURE_HEADER = "telnyx-signature-ed25519"
TIMESTAMP_HEADER = "telnyx-timestamp"
_CALL = re.compile(r"v[0-9]:[A-Za-z0-9_-]{16,128}")
_NOBODYS_KEY = Ed25519PublicKey.from_public_bytes(b"\x01" + bytes(31))
"""Stands in where there is no key, so that the answer takes as long; what it verifies counts for nothing."""


def sign(private_key: Private[str], timestamp: str, body: bytes) -> str:
    """The value of ``telnyx-signature-ed25519``. ``private_key``: base64 of 32 bytes, as whoever plays Telnyx holds it.

    Raises:
        InvalidRequest: it is no such key.
    """
    seed = _decoded(private_key.reveal())
    if seed is None or len(seed) != 32:
        raise InvalidRequest("the key that signs for Telnyx is not base64 of 32 bytes")
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(timestamp.encode() + b"|" + body)
    return base64.b64encode(signature).decode("ascii")


class TelnyxWebhook:
    """Implements ``gateway.adapters.carriers.webhook.Webhook``. The secret is Telnyx's public key: base64 of 32 bytes."""

    carrier = "telnyx"
    method = "POST"
    takes = FORM
    proven_by = SIGNATURE_HEADER
    max_token_chars = 490

    def called(self, fields: Mapping[str, str]) -> str:
        return fields.get("To", "")

    def proven(self, secret: Private[str], asked: Asked, now: datetime) -> Proof | None:
        stamp, given = asked.headers.get(TIMESTAMP_HEADER, ""), asked.headers.get(SIGNATURE_HEADER, "")
        key = _decoded(secret.reveal())
        known = key is not None and len(key) == 32
        public = Ed25519PublicKey.from_public_bytes(key) if key is not None and known else _NOBODYS_KEY
        try:
            public.verify(_decoded(given) or b"", stamp.encode("utf-8", "surrogatepass") + b"|" + asked.body)
        except InvalidSignature:
            return None
        at = number(stamp)
        return Proof(once_of(self.carrier, stamp, given)) if known and at is not None and fresh(at, now) else None

    def ringing(self, fields: Mapping[str, str]) -> Ringing:
        call = fields.get("CallSid", "")
        if not _CALL.fullmatch(call):
            raise InvalidRequest("the form has no CallSid as Telnyx writes it")
        return Ringing(call, Private(fields.get("From", "")), Private(fields.get("To", "")))

    def connect(self, socket: str, ringing: Ringing, token: str) -> Answer:
        stream = (
            f'<Stream url={quoteattr(socket)} track="inbound_track" codec="PCMU" bidirectionalMode="rtp" '
            f'bidirectionalCodec="PCMU" bidirectionalSamplingRate="8000">'
            f'<Parameter name="{TOKEN_PARAMETER}" value={quoteattr(token)}/></Stream>'
        )
        return Answer(_response(f"<Connect>{stream}</Connect>"), XML)

    def busy(self) -> Answer:
        return Answer(_response('<Reject reason="busy"/>'), XML)

    def then(self, answer: Answer, url: str) -> Answer:
        return xml_then(answer, url)

    def dial(self, number: Private[str]) -> Answer:
        return xml_dial(number)

    def hang_up(self) -> Answer:
        return xml_hang_up()


def _response(inner: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{inner}</Response>'


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
