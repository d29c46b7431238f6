"""Version 1 of locked keys: the master key locks those of calls by itself. Read, and written no more (``gateway.locks``)."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.adapters.keys.files import read_key, read_or_create_key
from gateway.errors import StoreUnavailable
from gateway.values import CallId, TenantId

VERSION = b"\x01"
NONCE_BYTES = 12


class MasterKey:
    """The key that locks all others. Implements ``gateway.locks.OlderKeys``."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._id = hashlib.sha256(b"sordino master key\x00" + key).hexdigest()[:16]

    @classmethod
    def from_file(cls, path: Path, *, create: bool = False) -> MasterKey:
        """Raises Misconfigured: see ``gateway.adapters.keys.files``."""
        return cls(read_or_create_key(path) if create else read_key(path))

    @property
    def id(self) -> str:
        """A name of the key that tells nothing about it: 16 hexadecimal digits."""
        return self._id

    def wrap(self, key: bytes, *, tenant: TenantId, call: CallId, kind: str) -> bytes:
        """``key`` locked for this tenant, call and kind of data only: version, nonce, ciphertext with tag."""
        nonce = os.urandom(NONCE_BYTES)
        return VERSION + nonce + self._cipher.encrypt(nonce, key, _bound_to(tenant, call, kind))

    def unwrap(self, wrapped: bytes, *, tenant: TenantId, call: CallId, kind: str) -> bytes:
        """The key again.

        Raises:
            StoreUnavailable: it was locked with another master key, for another tenant, call or kind, or was altered.
        """
        nonce, locked = wrapped[1 : 1 + NONCE_BYTES], wrapped[1 + NONCE_BYTES :]
        if wrapped[:1] != VERSION or len(nonce) != NONCE_BYTES:
            raise _does_not_open()
        try:
            return self._cipher.decrypt(nonce, locked, _bound_to(tenant, call, kind))
        except InvalidTag:
            raise _does_not_open() from None

    def __repr__(self) -> str:
        return f"MasterKey(id={self._id})"


def _bound_to(*parts: str) -> bytes:
    return json.dumps(parts, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def _does_not_open() -> StoreUnavailable:
    return StoreUnavailable(
        "the master key does not open this call's key",
        hint="is SORDINO_MASTER_KEY_FILE the file that this store was written with?",
    )
