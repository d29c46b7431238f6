"""Plivo's answer URL: is it really Plivo that asks, and what do we answer.

Signature: https://www.plivo.com/docs/voice/concepts/signature-validation (V3: HMAC-SHA256 over URL, sorted fields and a nonce).
Fields: https://docs.plivo.com/docs/voice/xml/request. Answer: https://docs.plivo.com/docs/voice/xml/audiostream.
With ``keepCallAlive`` what stands behind the stream is done when it has ended:
https://docs.plivo.com/docs/voice-agents/audio-streaming/xml/call-control.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import escape

from gateway.adapters.carriers.plivo import to_hex
from gateway.adapters.carriers.webhook import (
    FORM,
    TOKEN_PARAMETER,
    XML,
    Answer,
    Asked,
    Proof,
    Ringing,
    once_of,
    spellings,
    with_plus,
    xml_dial,
    xml_hang_up,
    xml_then,
)
from gateway.errors import InvalidRequest
from gateway.values import Private

SIGNATURE_HEADER = "X-Plivo-Signature-V3"
NONCE_HEADER = "X-Plivo-Signature-V3-Nonce"
MAX_HEADERS_CHARS = 512
"""Plivo's limit for ``extraHeaders``."""
REMEMBERED_S = 24 * 3600
"""A nonce has no time, so it is remembered for a day."""
_CALL = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def sign(auth_token: Private[str], url: str, form: Iterable[tuple[str, str]], nonce: str) -> str:
    """The value of ``X-Plivo-Signature-V3`` for a POST: base64 of HMAC-SHA256.

    ``url`` is the URL as the carrier called it, with its query; ``form`` the decoded fields of the POST body.
    """
    parts = urlsplit(url)
    query = "&".join(f"{name}={value}" for name, value in sorted(parse_qsl(parts.query, keep_blank_values=True)))
    said = "".join(name + value for name, value in sorted(form))
    base = parts._replace(query="", fragment="").geturl()
    if query or said:
        base += "?" + query
    if query and said:
        base += "."
    digest = hmac.new(auth_token.reveal().encode(), f"{base}{said}.{nonce}".encode("utf-8", "surrogatepass"), hashlib.sha256)
    return base64.b64encode(digest.digest()).decode("ascii")


class PlivoWebhook:
    """Implements ``gateway.adapters.carriers.webhook.Webhook``. The secret is the auth token of the account."""

    carrier = "plivo"
    method = "POST"
    takes = FORM
    proven_by = SIGNATURE_HEADER
    max_token_chars = (MAX_HEADERS_CHARS - len(TOKEN_PARAMETER) - 1) // 2 * 4 // 3
    """Two digits for each byte."""

    def called(self, fields: Mapping[str, str]) -> str:
        return with_plus(fields.get("To", ""))

    def proven(self, secret: Private[str], asked: Asked, now: datetime) -> Proof | None:
        nonce = asked.headers.get(NONCE_HEADER, "")
        given = [each.strip().encode("utf-8", "surrogatepass") for each in asked.headers.get(SIGNATURE_HEADER, "").split(",")[:4]]
        rights = [sign(secret, spelling, asked.fields, nonce).encode() for spelling in spellings(asked.url)]
        matches = [hmac.compare_digest(right, each) for right in rights for each in given]
        return Proof(once_of(self.carrier, nonce), REMEMBERED_S) if any(matches) and nonce and secret.reveal() else None

    def ringing(self, fields: Mapping[str, str]) -> Ringing:
        call = fields.get("CallUUID", "")
        if not _CALL.fullmatch(call):
            raise InvalidRequest("the form has no CallUUID as Plivo writes it")
        return Ringing(call, Private(with_plus(fields.get("From", ""))), Private(with_plus(fields.get("To", ""))))

    def connect(self, socket: str, ringing: Ringing, token: str) -> Answer:
        stream = (
            '<Stream bidirectional="true" keepCallAlive="true" audioTrack="inbound" contentType="audio/x-mulaw;rate=8000" '
            f'extraHeaders="{TOKEN_PARAMETER}={to_hex(token)}">{escape(socket)}</Stream>'
        )
        return Answer(_response(stream), XML)

    def busy(self) -> Answer:
        return Answer(_response('<Hangup reason="busy"/>'), XML)

    def then(self, answer: Answer, url: str) -> Answer:
        return xml_then(answer, url)

    def dial(self, number: Private[str]) -> Answer:
        return xml_dial(number)

    def hang_up(self) -> Answer:
        return xml_hang_up()


def _response(inner: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{inner}</Response>'
