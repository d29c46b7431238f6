"""Keys that lock keys: the master key locks those of tenants, a tenant's key locks those of its calls (promise 25).

AES-256-GCM (NIST SP 800-38D). A locked key names, in clear, who locked it and whom it holds; both names, and for what it was
locked (tenant, call, class of data), are associated data: moved to another tenant, call or class it does not open.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.errors import StoreUnavailable
from gateway.values import CallId, Private, TenantId

VERSION = b"\x02"
"""Version 1 had no tenant's key in between (``OlderKeys``); it is still opened."""
KEY_BYTES = 32
ID_BYTES = 8
NONCE_BYTES = 12
_HEAD = len(VERSION) + 2 * ID_BYTES
MASTER, TENANT, CALL = "master", "tenant", "recording"
"""What kind of key an id names. Keys of calls go by the word that the first recordings were written with."""


def key_id(kind: str, key: Private[bytes]) -> str:
    """A name of a key that tells nothing about it: 16 hexadecimal digits."""
    return hashlib.sha256(f"sordino {kind} key\x00".encode() + key.reveal()).hexdigest()[: 2 * ID_BYTES]


def fresh_key() -> Private[bytes]:
    """32 bytes of the system's randomness."""
    return Private(os.urandom(KEY_BYTES))


@dataclass(frozen=True, slots=True)
class Locked:
    """What a locked key says of itself: ids of the key that locked it and of the one inside."""

    by: str
    id: str

    @staticmethod
    def of(data: bytes) -> Locked | None:
        """None: it is of version 1, and says nothing. Raises StoreUnavailable for what is no locked key."""
        if data[:1] == b"\x01":
            return None
        if data[:1] != VERSION or len(data) <= _HEAD + NONCE_BYTES:
            raise does_not_open()
        return Locked(data[1 : 1 + ID_BYTES].hex(), data[1 + ID_BYTES : _HEAD].hex())


class KeyLock:
    """One key, to lock others with. ``id`` is its name."""

    def __init__(self, kind: str, key: Private[bytes]) -> None:
        self.id = key_id(kind, key)
        self._cipher = AESGCM(key.reveal())

    def lock(self, kind: str, key: Private[bytes], *bound: str) -> bytes:
        """``key``, of that kind, locked for ``bound``: version, both ids, nonce, ciphertext with tag."""
        head = VERSION + bytes.fromhex(self.id) + bytes.fromhex(key_id(kind, key))
        nonce = os.urandom(NONCE_BYTES)
        return head + nonce + self._cipher.encrypt(nonce, key.reveal(), _bound(head, bound))

    def open(self, data: bytes, *bound: str) -> Private[bytes]:
        """The key again. Raises StoreUnavailable: another key locked it, it was locked for something else, or it was altered."""
        head, nonce, locked = data[:_HEAD], data[_HEAD : _HEAD + NONCE_BYTES], data[_HEAD + NONCE_BYTES :]
        if Locked.of(data) is None:
            raise does_not_open()
        try:
            return Private(self._cipher.decrypt(nonce, locked, _bound(head, bound)))
        except InvalidTag:
            raise does_not_open() from None

    def __repr__(self) -> str:
        return f"KeyLock(id={self.id})"


class OlderKeys(Protocol):
    """Who opens keys of version 1, which the master key alone locked."""

    def unwrap(self, wrapped: bytes, *, tenant: TenantId, call: CallId, kind: str) -> bytes:
        """Raises StoreUnavailable when it does not open."""
        ...


class MasterLocks(OlderKeys, Protocol):
    """The master keys that this gateway has: one, and while it is changed two."""

    def current(self) -> KeyLock:
        """The one that locks from now on, as it is now. Raises Misconfigured."""
        ...

    async def refresh(self) -> None:
        """Have keys that were put in place meanwhile at hand. Raises StoreUnavailable, Misconfigured."""
        ...

    def of(self, lock_id: str) -> KeyLock:
        """Raises StoreUnavailable: it is not here."""
        ...

    def secret(self) -> Private[bytes]:
        """The current one itself, for what older gateways derived from it. Raises Misconfigured."""
        ...


class KeyShelf(OlderKeys, Protocol):
    """The keys of calls: one for each class of a call's data, in the store and nowhere else.

    So to destroy one there makes every copy of the data unreadable. Every method raises StoreUnavailable when the store does
    not answer, or a key does not open, and InvalidRequest for an id that cannot stand in a name.
    """

    async def key(
        self, tenant: TenantId, call: CallId, kind: str, *, create: bool, ttl_s: int | None = None
    ) -> Private[bytes] | None:
        """That call's key for ``kind`` (a class of data). None: there is none, and none was to be made.

        ``ttl_s``: how long a new one lives, in seconds; None: until it is destroyed.
        """
        ...

    async def destroy(self, tenant: TenantId, call: CallId, kind: str) -> str:
        """The key is gone when this answers. Its id; empty: there was none."""
        ...

    async def destroy_tenant(self, tenant: TenantId) -> str:
        """The tenant's key is gone when this answers, and with it every key of its calls. Its id; empty: there was none."""
        ...

    async def purge(self) -> PurgeProof:
        """Make the server forget what it has written down of destroyed keys. One for many destructions."""
        ...


@dataclass(frozen=True, slots=True)
class PurgeProof:
    """What the server confirmed of its own files. What it or an operator has copied elsewhere is not in it."""

    append_only_file: str
    """``rewritten``, ``none`` (the server writes none), or ``not-permitted`` (it does not let us: its operator must)."""
    snapshots: str = "unknown"
    """``none``: the server makes no snapshots by itself; ``kept``: it does; ``unknown``: it does not say."""


def does_not_open() -> StoreUnavailable:
    """The same words for every key that does not open: why it does not is nobody's business."""
    return StoreUnavailable(
        "the master key does not open this call's key",
        hint="is SORDINO_MASTER_KEY_FILE the file that this store was written with?",
    )


def _bound(head: bytes, bound: tuple[str, ...]) -> bytes:
    return head + json.dumps(bound, ensure_ascii=True, separators=(",", ":")).encode("ascii")
