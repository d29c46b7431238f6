"""Conversations of the model proxy in Redis or Valkey: a call's vault that several gateways write to in turn.

Values live where every call's do (``sordino:{tenant}:vault:<call>:key`` and ``…:values``), so what erases a call erases them too.
Beside them ``…:texts`` has the texts that are masked already, by a digest that only the call's key can make, locked with that
key; and the version, which every write of values must name, so that two gateways never give one placeholder to two values.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.adapters.stores import names
from gateway.adapters.stores.idle import TOUCH, erase, idle_key, lead_s, parts_of
from gateway.adapters.stores.key_shelf import RedisKeyShelf, TenantKeyMoved
from gateway.adapters.stores.line import Script
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.vault import DAY_S, KIND, NONCE_BYTES
from gateway.errors import ConversationMoved, StoreUnavailable
from gateway.values import CallId, Placeholder, Private, TenantId

MOST_TEXTS = 4_000

_OPENED = (
    TOUCH
    + """
if redis.call('EXISTS', KEYS[1]) == 1 and redis.call('HEXISTS', KEYS[3], 'ended') == 0 then
  touch(KEYS[4], ARGV[1], ARGV[2], ARGV[3])
end
"""
)
_REMEMBER = Script("""
if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('HEXISTS', KEYS[3], 'ended') == 1 then return -1 end
if tonumber(redis.call('HGET', KEYS[3], 'version') or '0') ~= tonumber(ARGV[2]) then return -2 end
redis.call('HSET', KEYS[2], unpack(ARGV, 3))
local version = redis.call('HINCRBY', KEYS[3], 'version', 1)
for i = 1, 3 do redis.call('EXPIRE', KEYS[i], ARGV[1]) end
return version
""")
_LOOK = Script(
    TOUCH
    + """
local of = redis.call('HMGET', KEYS[3], 'version', 'head', 'ended')
if of[3] or redis.call('EXISTS', KEYS[1]) == 0 then return {0, '0', ''} end
if touch(KEYS[4], ARGV[1], ARGV[2], ARGV[3]) then for i = 1, 3 do redis.call('EXPIRE', KEYS[i], ARGV[2]) end end
return {1, of[1] or '0', of[2] or ''}
"""
)
_KEEP = Script("""
if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('HEXISTS', KEYS[3], 'ended') == 1 then return -1 end
local now = tonumber(redis.call('TIME')[1])
redis.call('ZADD', KEYS[4], now + ARGV[1] - ARGV[3], ARGV[4])
if redis.call('HLEN', KEYS[3]) < tonumber(ARGV[2]) then redis.call('HSET', KEYS[3], unpack(ARGV, 5))
else redis.call('HSET', KEYS[3], ARGV[5], ARGV[6]) end
for i = 1, 3 do redis.call('EXPIRE', KEYS[i], ARGV[1]) end
return 1
""")
_CALLED = Script("""
local now = redis.call('GET', KEYS[1])
if not now or now == ARGV[2] then now = ARGV[1] end
redis.call('SET', KEYS[1], now, 'EX', ARGV[3])
return now
""")
"""What writes does so only while the call's key is there: what was destroyed elsewhere stays destroyed."""


class RedisConversations:
    """Opens conversations. ``ttl_s``: how long one lives after its last request, in seconds."""

    def __init__(self, store: Store, keys: RedisKeyShelf, *, ttl_s: int = DAY_S) -> None:
        self._store = store
        self._keys = keys
        self._ttl_s = ttl_s

    async def open(self, tenant: TenantId, call: CallId, *, create: bool) -> RedisConversation | None:
        """The conversation with all of its values; None when it has ended, or there is none and none is to be made. One exchange.

        Raises:
            StoreUnavailable: the store did not answer, or the master key does not open the call's key.
            InvalidRequest: an id cannot stand in the name of a key.
        """
        try:
            return await self._open(tenant, call, create)
        except TenantKeyMoved:
            return await self._open(tenant, call, create)

    async def _open(self, tenant: TenantId, call: CallId, create: bool) -> RedisConversation | None:
        parts = parts_of(tenant, call)
        asking = await self._keys.asking(tenant, call, KIND, create=create, ttl_s=self._ttl_s)
        async with self._store.answers() as client:
            exchange = client.pipeline(transaction=True)
            asking.add_to(exchange)
            exchange.hgetall(parts[1])
            exchange.hmget(parts[2], ["version", "head", "ended"])
            exchange.eval(_OPENED, 4, *parts, idle_key(tenant), call, str(self._ttl_s), str(lead_s(self._ttl_s)))
            answer, values, (version, head, ended), _ = await exchange.execute()
        if ended is not None or (key := await self._keys.answered(asking, answer)) is None:
            return None
        mine = RedisConversation(self._store, tenant, call, key, parts, self._ttl_s)
        mine.version = int(version or 0)
        mine.head = (head or b"").decode()
        mine.values = {Placeholder(name.decode()): mine.unlock_value(name.decode(), data) for name, data in values.items()}
        return mine

    async def called(self, tenant: TenantId, name: str, fresh: CallId, *, instead_of: CallId | None = None) -> CallId:
        """The conversation that goes by this name now: ``fresh`` from now on, where none does, or only ``instead_of``.

        ``name`` is a digest. It is forgotten when it is not asked for within the life of a conversation. Raises StoreUnavailable.
        """
        key = names.key(tenant, "vault", name, "now")
        found = await self._store.run(_CALLED, [key], fresh, instead_of or "", self._ttl_s)
        return CallId(bytes(found).decode())


class RedisConversation:
    """One conversation as this gateway knows it. Implements ``gateway.ports.CallVault``."""

    def __init__(
        self, store: Store, tenant: TenantId, call: CallId, key: Private[bytes], parts: Sequence[str], ttl_s: int
    ) -> None:
        self._store = store
        self._bound = (tenant, call)
        self._cipher: AESGCM | None = AESGCM(key.reveal())
        self._digest_key = hmac.digest(key.reveal(), b"sordino texts", "sha256")
        self._parts = list(parts)
        self._keys = [*parts, idle_key(tenant)]
        self._ttl_s = ttl_s
        self.version = 0
        self.head = ""
        """Hash of the conversation's last entry of evidence."""
        self.values: dict[Placeholder, Private[str]] = {}
        """What was in the vault when it was opened."""

    def digest(self, *parts: str) -> bytes:
        """A name for a text that nobody can make, or compare with a guess, who does not have the call's key."""
        return hashlib.blake2b(json.dumps(parts).encode("ascii"), key=self._digest_key, digest_size=32).digest()

    async def remember(self, values: Mapping[Placeholder, Private[str]]) -> None:
        """Add values.

        Raises:
            ConversationMoved: another gateway has added some since; nothing was written.
            StoreUnavailable: the store has not confirmed it, or the conversation was destroyed.
        """
        if not values:
            return
        fields = [part for name, value in values.items() for part in (name, self._lock(value.map(_encoded), "value", name))]
        written = await self._store.run(_REMEMBER, self._parts, self._ttl_s, self.version, *fields)
        if int(written) == -1:
            raise _destroyed()
        if int(written) == -2:
            raise ConversationMoved("another gateway has written to this conversation", hint="try again; nothing was sent")
        self.version = int(written)

    async def unchanged(self) -> bool:
        """Whether nobody else has added values since, nor erased it. ``head`` is the newest then."""
        there, version, head = await self._store.run(_LOOK, self._keys, self._bound[1], self._ttl_s, lead_s(self._ttl_s))
        if not there or int(version or 0) != self.version:
            return False
        self.head = (head or b"").decode()
        return True

    async def recall(self) -> dict[Placeholder, Private[str]]:
        """Every value that it has now."""
        async with self._store.answers() as client:
            stored: Any = await client.hgetall(self._parts[1])
        return {Placeholder(name.decode()): self.unlock_value(name.decode(), data) for name, data in stored.items()}

    async def texts(self, digests: Sequence[bytes]) -> dict[bytes, str]:
        """What was kept under these digests."""
        if not digests:
            return {}
        async with self._store.answers() as client:
            stored: Any = await client.hmget(self._parts[2], list(digests))
        found = zip(digests, stored, strict=True)
        return {digest: self._unlock(data, "text", digest.hex()).decode() for digest, data in found if data is not None}

    async def keep(self, texts: Mapping[bytes, str], head: str) -> None:
        """Keep texts (of this call's own making: masked) and the place in the evidence, for the next gateway that opens it."""
        fields: list[str | bytes] = ["head", head]
        for digest, text in texts.items():
            fields += [digest, self._lock(Private(text.encode()), "text", digest.hex())]
        about = (self._ttl_s, MOST_TEXTS, lead_s(self._ttl_s), self._bound[1])
        written = await self._store.run(_KEEP, self._keys, *about, *fields)
        if int(written) == -1:
            raise _destroyed()
        self.head = head

    async def destroy(self) -> None:
        """Delete the values, the texts and the call's key, here and in the store, where it is known as ended for a while.

        Raises StoreUnavailable.
        """
        self._cipher = None
        async with self._store.answers() as client:
            exchange = client.pipeline(transaction=True)
            erase(exchange, *self._bound, self._ttl_s)
            await exchange.execute()

    def unlock_value(self, name: str, data: bytes) -> Private[str]:
        """Raises StoreUnavailable when it was altered or moved."""
        return Private(self._unlock(data, "value", name).decode("utf-8", "surrogatepass"))

    def _lock(self, plain: Private[bytes], kind: str, name: str) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._open_cipher().encrypt(nonce, plain.reveal(), self._bound_to(kind, name))

    def _unlock(self, data: bytes, kind: str, name: str) -> bytes:
        try:
            return self._open_cipher().decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], self._bound_to(kind, name))
        except (InvalidTag, ValueError):
            raise StoreUnavailable("what is kept of this conversation does not open: it was altered or moved") from None

    def _open_cipher(self) -> AESGCM:
        if self._cipher is None:
            raise _destroyed()
        return self._cipher

    def _bound_to(self, kind: str, name: str) -> bytes:
        # Values are bound as every call's vault binds them, so that both read the same ones.
        bound = [*self._bound, name] if kind == "value" else [*self._bound, kind, name]
        return json.dumps(bound, separators=(",", ":")).encode("ascii")


def _encoded(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


def _destroyed() -> StoreUnavailable:
    return StoreUnavailable("this conversation was erased")
