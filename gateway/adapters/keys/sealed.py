"""Small values that we give away and take back: sealed, so that nobody else can read, change or make one (AES-256-GCM)."""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.values import Private

NONCE_BYTES = 12
LONGEST = 4_000
_TOKEN = re.compile(r"[A-Za-z0-9_-]+")


class Sealed:
    """Of one purpose: what was sealed for another does not open."""

    def __init__(self, key: Private[bytes], purpose: str) -> None:
        """``key``: the gateway's, which never changes; each purpose has its own, derived by HKDF (RFC 5869)."""
        info = b"sordino sealed 1\x00" + purpose.encode()
        self._seal = AESGCM(HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(key.reveal()))

    def seal(self, values: Mapping[str, str]) -> str:
        """Letters, digits, ``-`` and ``_``."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = nonce + self._seal.encrypt(nonce, json.dumps(dict(values)).encode(), None)
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")

    def open(self, token: str) -> Mapping[str, str] | None:
        """What was sealed; None for what is not ours, or was changed."""
        if len(token) > LONGEST or not _TOKEN.fullmatch(token):
            return None
        try:
            sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            plain = self._seal.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None)
        except (binascii.Error, ValueError, InvalidTag):
            return None
        found: Mapping[str, str] = json.loads(plain)
        return found
