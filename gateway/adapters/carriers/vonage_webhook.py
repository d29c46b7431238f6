"""Vonage's answer URL (set to POST): is it really Vonage that asks, and what do we answer.

Signature: a JWT (HS256, RFC 7519) in ``Authorization`` with the hash of the body,
https://developer.vonage.com/en/getting-started/concepts/webhooks. Answer: an NCCO,
https://developer.vonage.com/en/voice/voice-api/ncco-reference#connect.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus

from gateway.adapters.carriers.vonage import CALL_HEADER, CONTENT_TYPE
from gateway.adapters.carriers.webhook import JSON, TOKEN_PARAMETER, Answer, Asked, Proof, Ringing, fresh, once_of, with_plus
from gateway.errors import InvalidRequest
from gateway.values import Private

SIGNATURE_HEADER = "Authorization"
MAX_HEADERS_BYTES = 512
"""Vonage's limit for the headers of a WebSocket endpoint."""
MAX_JWT_CHARS = 4096
_CALL = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NAMES_CHARS = len(f'{{"{CALL_HEADER}":"","{TOKEN_PARAMETER}":""}}') + 36


def sign(secret: Private[str], body: bytes, *, issued_at: int, jti: str) -> str:
    """The value of ``Authorization`` for this body, as whoever plays Vonage writes it."""
    claims = {"iat": issued_at, "jti": jti, "iss": "Vonage", "payload_hash": hashlib.sha256(body).hexdigest()}
    head = f"{_segment({'alg': 'HS256', 'typ': 'JWT'})}.{_segment(claims)}"
    return f"Bearer {head}.{_encoded(_mac(secret, head))}"


class VonageWebhook:
    """Implements ``gateway.adapters.carriers.webhook.Webhook``. The secret is the account's signature secret."""

    carrier = "vonage"
    method = "POST"
    takes = JSON
    proven_by = f"the signed token in {SIGNATURE_HEADER}"
    max_token_chars = MAX_HEADERS_BYTES - _NAMES_CHARS

    def called(self, fields: Mapping[str, str]) -> str:
        return with_plus(fields.get("to", ""))

    def proven(self, secret: Private[str], asked: Asked, now: datetime) -> Proof | None:
        scheme, _, token = asked.headers.get(SIGNATURE_HEADER, "").partition(" ")
        head, _, signature = token.strip().rpartition(".")
        right = hmac.compare_digest(_mac(secret, head[:MAX_JWT_CHARS]), _decoded(signature) or b"")
        if not right or scheme.lower() != "bearer" or not secret.reveal() or len(token) > MAX_JWT_CHARS:
            return None
        header, _, payload = head.partition(".")
        claims = _object(payload)
        if _object(header).get("alg") != "HS256" or not hmac.compare_digest(
            str(claims.get("payload_hash", "")).encode(), hashlib.sha256(asked.body).hexdigest().encode()
        ):
            return None
        at, jti = claims.get("iat"), claims.get("jti")
        if not isinstance(at, int) or not isinstance(jti, str) or not jti or not fresh(at, now):
            return None
        return Proof(once_of(self.carrier, jti))

    def ringing(self, fields: Mapping[str, str]) -> Ringing:
        call = fields.get("uuid", "")
        if not _CALL.fullmatch(call):
            raise InvalidRequest("the request has no uuid as Vonage writes it")
        return Ringing(call, Private(with_plus(fields.get("from", ""))), Private(with_plus(fields.get("to", ""))))

    def connect(self, socket: str, ringing: Ringing, token: str) -> Answer:
        headers = {CALL_HEADER: ringing.carrier_call, TOKEN_PARAMETER: token}
        endpoint = {"type": "websocket", "uri": socket, "content-type": CONTENT_TYPE, "headers": headers}
        ncco = [{"action": "connect", "endpoint": [endpoint]}]
        return Answer(json.dumps(ncco, separators=(",", ":")), "application/json")

    def busy(self) -> Answer:
        # An NCCO has no word for it; a call whose answer URL fails is ended.
        return Answer("[]", "application/json", HTTPStatus.SERVICE_UNAVAILABLE)

    def then(self, answer: Answer, url: str) -> Answer:
        # An NCCO has no redirect: a notice, whose answer takes the place of what is left of the NCCO.
        asks = {"action": "notify", "payload": {"stream": "ended"}, "eventUrl": [url], "eventMethod": "POST"}
        return replace(answer, text=json.dumps([*json.loads(answer.text), asks], separators=(",", ":")))

    def dial(self, number: Private[str]) -> Answer:
        endpoint = number.map(lambda told: {"type": "phone", "number": told.removeprefix("+")}).reveal()
        return Answer(json.dumps([{"action": "connect", "endpoint": [endpoint]}], separators=(",", ":")), "application/json")

    def hang_up(self) -> Answer:
        return Answer("[]", "application/json")


def _mac(secret: Private[str], head: str) -> bytes:
    return hmac.digest(secret.reveal().encode(), head.encode("utf-8", "surrogatepass"), hashlib.sha256)


def _segment(value: Mapping[str, object]) -> str:
    return _encoded(json.dumps(value, separators=(",", ":")).encode())


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None


def _object(segment: str) -> Mapping[str, object]:
    try:
        found = json.loads(_decoded(segment) or b"")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
