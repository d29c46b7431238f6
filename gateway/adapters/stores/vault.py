"""The encrypted memory of calls: placeholder to value, in Redis or Valkey, under a key that each call has for itself.

``sordino:{tenant}:vault:<call>:key`` is the call's key, locked by the tenant's (``key_shelf.py``); ``…:values`` is a hash of
placeholder to ciphertext (AES-256-GCM, bound to tenant, call and placeholder). The store never sees a value in clear. To destroy
is to delete both; every key also has a time to live, for the gateway that dies before it can.

What is deleted here stays in the server's append-only file, as ciphertext and locked key, until the server rewrites that file:
who holds the file *and* the master key could still read it until then (``purge.py``).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.adapters.stores import names
from gateway.adapters.stores.redis import Store
from gateway.errors import StoreUnavailable
from gateway.locks import KeyShelf
from gateway.values import CallId, Placeholder, Private, TenantId

KIND = "vault"
NONCE_BYTES = 12
DAY_S = 24 * 60 * 60

_REMEMBER = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[2], unpack(ARGV, 2))
redis.call('EXPIRE', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[2], ARGV[1])
return 1
"""
"""Writes values only while the call's key is there: what was destroyed elsewhere stays destroyed."""


class RedisVault:
    """Implements ``gateway.ports.Vault``."""

    def __init__(self, store: Store, keys: KeyShelf, *, ttl_s: int = DAY_S) -> None:
        """``ttl_s``: how long a call's values live at most after its last write, in seconds."""
        self._store = store
        self._keys = keys
        self._ttl_s = ttl_s

    async def open(self, tenant: TenantId, call: CallId) -> RedisCallVault:
        """The call's vault, with a new key if it has none.

        Raises:
            StoreUnavailable: the store did not answer, or the master key does not open the call's key.
            InvalidRequest: an id cannot stand in the name of a key.
        """
        key = await self._keys.key(tenant, call, KIND, create=True, ttl_s=self._ttl_s)
        if key is None:
            raise _destroyed()
        return RedisCallVault(self._store, tenant, call, key, ttl_s=self._ttl_s)


class RedisCallVault:
    """Implements ``gateway.ports.CallVault``."""

    def __init__(self, store: Store, tenant: TenantId, call: CallId, key: Private[bytes], *, ttl_s: int) -> None:
        self._store = store
        self._tenant = tenant
        self._call = call
        self._cipher: AESGCM | None = AESGCM(key.reveal())
        self._ttl_s = ttl_s
        self._key_name = names.key(tenant, "vault", call, "key")
        self._values_name = names.key(tenant, "vault", call, "values")

    async def remember(self, values: Mapping[Placeholder, Private[str]]) -> None:
        """Raises StoreUnavailable unless the store has confirmed the write; also once the vault was destroyed."""
        if not values:
            return
        cipher = self._open_cipher()
        fields: list[str | bytes] = []
        for placeholder, value in values.items():
            nonce = os.urandom(NONCE_BYTES)
            locked = cipher.encrypt(nonce, value.reveal().encode("utf-8", "surrogatepass"), self._bound_to(placeholder))
            fields += [placeholder, nonce + locked]
        async with self._store.answers() as client:
            written: Any = await client.eval(_REMEMBER, 2, self._key_name, self._values_name, str(self._ttl_s), *fields)
        if written != 1:
            self._cipher = None
            raise _destroyed()

    async def recall(self) -> dict[Placeholder, Private[str]]:
        """Every value of the call. Raises StoreUnavailable, also when one was altered or the vault was destroyed."""
        cipher = self._open_cipher()
        async with self._store.answers() as client:
            stored: Any = await client.hgetall(self._values_name)
        return {
            Placeholder(name.decode()): self._unlock(cipher, Placeholder(name.decode()), data) for name, data in stored.items()
        }

    async def destroy(self) -> None:
        """Delete the values and the call's key, here and in the store.

        Raises:
            StoreUnavailable: the store did not confirm it. The key is gone from this process all the same, and the store forgets
                by itself when the time to live is over; call again to be sure.
        """
        self._cipher = None
        async with self._store.answers() as client:
            await client.delete(self._key_name, self._values_name)

    def _unlock(self, cipher: AESGCM, placeholder: Placeholder, data: bytes) -> Private[str]:
        try:
            value = cipher.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], self._bound_to(placeholder))
        except (InvalidTag, ValueError):
            raise StoreUnavailable("a value in the vault of this call does not open: it was altered or moved") from None
        return Private(value.decode("utf-8", "surrogatepass"))

    def _open_cipher(self) -> AESGCM:
        if self._cipher is None:
            raise _destroyed()
        return self._cipher

    def _bound_to(self, placeholder: Placeholder) -> bytes:
        return json.dumps([self._tenant, self._call, placeholder], separators=(",", ":")).encode("ascii")


def _destroyed() -> StoreUnavailable:
    return StoreUnavailable("the vault of this call was destroyed")
