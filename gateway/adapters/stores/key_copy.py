"""A sealed copy of every key that the store has: for who restores a store. It is replaced by the next one, never kept beside it.

A backup of data holds no keys, so that a destroyed one does not come back with it; who restores brings the keys from the newest
copy. The copy is ``SORDKEYS1``, the length of its own key, that key (locked by the master key, version 2) and AES-256-GCM's
ciphertext of the names and values, which are locked as well.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import struct
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.scanning import scan
from gateway.errors import InvalidRequest
from gateway.locks import NONCE_BYTES, Locked, MasterLocks, fresh_key
from gateway.values import Private

MAGIC = b"SORDKEYS1"
COPY = "copy"
_LENGTH = struct.Struct(">H")
_EVERY_KEY = "sordino:{*}:*key"
_HASH, _TEXT = "hash", "string"


async def export_keys(store: Store, masters: MasterLocks) -> bytes:
    """Every key of every tenant and call, sealed. Raises StoreUnavailable, Misconfigured."""
    rows: list[list[Any]] = []
    async for batch in scan(store, _EVERY_KEY):
        found = await asyncio.gather(*(_row(store, name) for name in batch if name.endswith(b":key")))
        rows += [row for row in found if row is not None]
    own, nonce = fresh_key(), os.urandom(NONCE_BYTES)
    locked = masters.current().lock(COPY, own, COPY)
    head = MAGIC + _LENGTH.pack(len(locked)) + locked
    text = json.dumps(sorted(rows), separators=(",", ":")).encode("ascii")
    return head + nonce + AESGCM(own.reveal()).encrypt(nonce, text, head)


async def _row(store: Store, name: bytes) -> list[Any] | None:
    """Name, kind, values and how long it lives, in ms. None: it is gone by now."""
    kind = bytes(await store.ask("TYPE", name)).decode()
    values = await store.ask("HGETALL", name) if kind == _HASH else [await store.ask("GET", name)]
    left = int(await store.ask("PTTL", name))
    if left == -2 or None in values:
        return None
    return [name.decode(), kind, [base64.b64encode(bytes(each)).decode() for each in values], left]


async def import_keys(store: Store, masters: MasterLocks, sealed: bytes) -> int:
    """Put every key of the copy into its place; how many. What is there under the same name is replaced.

    Raises:
        InvalidRequest: this is no copy of keys, or it was altered.
        StoreUnavailable: the master key that sealed it is not here, or the store does not answer.
    """
    rows = json.loads(_opened(masters, sealed).reveal())
    for name, kind, values, left in rows:
        data = [base64.b64decode(each) for each in values]
        await store.ask("DEL", name)
        if kind == _HASH:
            await store.ask("HSET", name, *data)
        else:
            await store.ask("SET", name, data[0])
        if left >= 0:
            await store.ask("PEXPIRE", name, max(1, left))
    return len(rows)


def _opened(masters: MasterLocks, sealed: bytes) -> Private[bytes]:
    start = len(MAGIC) + _LENGTH.size
    if sealed[: len(MAGIC)] != MAGIC or len(sealed) < start:
        raise _altered()
    (length,) = _LENGTH.unpack(sealed[len(MAGIC) : start])
    locked, rest = sealed[start : start + length], sealed[start + length :]
    said = Locked.of(locked)
    if said is None:
        raise _altered()
    own = masters.of(said.by).open(locked, COPY)
    try:
        return Private(AESGCM(own.reveal()).decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], sealed[: start + length]))
    except (InvalidTag, ValueError):
        raise _altered() from None


def _altered() -> InvalidRequest:
    return InvalidRequest("this is no copy of keys, or it was altered", hint="take the newest copy that the gateway has written")
