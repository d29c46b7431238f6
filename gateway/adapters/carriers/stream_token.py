"""The short-lived token that joins a media socket to the webhook that allowed it.

A carrier's WebSocket is not signed, so the webhook's answer carries this token and the carrier brings it back in its first
message. It binds tenant, call, both numbers and an expiry. It is sealed with AES-256-GCM: nobody can read the numbers in it
or change a bit of it, and the carrier's logs show nothing. Single use is kept by whoever holds the socket, by ``jti``.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.errors import InvalidRequest, Unauthenticated
from gateway.values import Private, TenantId

MAX_TOKEN_CHARS = 490
"""Twilio takes 500 characters for a parameter with its name."""

_PURPOSE = b"sordino stream token 1"
_NONCE_BYTES = 12
_FIELDS = ("tenant", "call", "from", "to", "exp", "jti", "place")


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamClaims:
    """What the webhook knew of the call. ``carrier_call`` is the carrier's name of it (Twilio: ``callSid``)."""

    tenant: TenantId
    carrier_call: str
    from_number: Private[str]
    to_number: Private[str]
    expires_at: datetime
    jti: str
    """Never given out twice: who holds the socket takes each only once."""
    caller_place: str = ""
    """Where the carrier says that the caller is, as a region code; empty: it does not say."""


class StreamTokens:
    """Makes and checks stream tokens under one key. Every gateway that may take the socket needs the same key."""

    def __init__(self, key: Private[bytes]) -> None:
        """``key``: at least 32 random bytes. The token's own key is derived from it, so a master key may be given."""
        if len(key.reveal()) < 32:
            raise ValueError("the key of the stream tokens needs at least 32 bytes")
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(key.reveal())
        self._seal = AESGCM(derived)

    def mint(self, claims: StreamClaims, *, max_chars: int = MAX_TOKEN_CHARS) -> str:
        """A URL-safe token. ``max_chars``: what the carrier of this call can hold.

        Raises:
            InvalidRequest: the claims are longer than a carrier's parameter can hold.
        """
        values = (
            claims.tenant,
            claims.carrier_call,
            claims.from_number.reveal(),
            claims.to_number.reveal(),
            int(claims.expires_at.timestamp()),
            claims.jti,
            claims.caller_place,
        )
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._seal.encrypt(nonce, json.dumps(values, separators=(",", ":")).encode(), _PURPOSE)
        token = base64.urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")
        if len(token) > min(max_chars, MAX_TOKEN_CHARS):
            raise InvalidRequest("the numbers of this call are longer than a carrier's parameter can hold")
        return token

    def verify(self, token: str, *, carrier_call: str | None, now: datetime) -> StreamClaims:
        """The claims of a token of ours for this very call; ``carrier_call`` None: the token alone says which. ``now`` is aware.

        Raises:
            Unauthenticated: not ours, changed, of another call, or expired. The message does not say which.
        """
        opened = self._open(token)
        if opened is None:
            raise _refused()
        tenant, call, from_number, to_number, expires, jti, place = opened
        expires_at = datetime.fromtimestamp(int(expires), UTC)
        if carrier_call not in (call, None) or now >= expires_at:
            raise _refused()
        return StreamClaims(
            tenant=TenantId(tenant),
            carrier_call=call,
            from_number=Private(from_number),
            to_number=Private(to_number),
            expires_at=expires_at,
            jti=jti,
            caller_place=place,
        )

    def _open(self, token: str) -> tuple[str, ...] | None:
        if len(token) > MAX_TOKEN_CHARS or not token.isascii():
            return None
        try:
            sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            plain = self._seal.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _PURPOSE)
        except (binascii.Error, ValueError, InvalidTag):
            return None
        values = json.loads(plain)
        return tuple(str(value) for value in values) if len(values) == len(_FIELDS) else None


def _refused() -> Unauthenticated:
    return Unauthenticated("this media stream was not allowed by our webhook, or too long ago")
