"""Tenants' API keys: who may use the model proxy, for what, how often and until when.

A key is ``sordino-<tenant>-<43 characters>``: 256 random bits, shown once. The store has its SHA-256 only, in the hash
``sordino:{tenant}:keys``; with that much randomness a slow hash adds nothing (NIST SP 800-63B section 5.1.1.2 is about words that
people choose). One script admits a request: it finds the key, asks the rate limit and takes a place among those in progress.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from gateway.adapters.stores import names
from gateway.adapters.stores.line import Script
from gateway.adapters.stores.offboarding import is_leaving
from gateway.adapters.stores.redis import Store
from gateway.errors import Forbidden, InvalidRequest, NotFound, RateLimited, Unauthenticated
from gateway.values import Private, TenantId

SCOPES = frozenset({"chat", "models", "audio", "calls"})
SECRET_BYTES = 32
PER_MINUTE = 60_000
BURST = 2_000
CONCURRENT = 500
"""What a tenant may do that nobody has set limits for: enough for any honest use of one gateway, and a bound all the same."""
ENDED_WITHIN_S = 0.05
"""How soon the store is told of a request that has ended, where no other comes that tells it by the way."""
LEASE_S = 900
"""How long a request that never said that it ended counts as in progress."""

_KEY = re.compile(r"sordino-(?P<tenant>[a-z0-9][a-z0-9_.-]{0,126})-(?P<secret>[A-Za-z0-9_-]{43})", re.ASCII)

_ADMIT = Script("""
if #ARGV > 6 then redis.call('ZREM', KEYS[4], unpack(ARGV, 7)) end
local record = redis.call('HGET', KEYS[1], ARGV[1])
if not record then return {0, '', 0} end
if redis.call('HEXISTS', KEYS[5], 'leaving') == 1 then return {4, record, 0} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local set = redis.call('HMGET', KEYS[2], 'per_minute', 'burst', 'concurrent')
local every = 60000 / tonumber(set[1] or ARGV[2])
local burst, most = tonumber(set[2] or ARGV[3]), tonumber(set[3] or ARGV[4])
local due = math.max(now, tonumber(redis.call('GET', KEYS[3]) or '0'))
local wait = due - (burst - 1) * every - now
if wait > 0 then return {2, record, math.ceil(wait)} end
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now)
if redis.call('ZCARD', KEYS[4]) >= most then return {3, record, 1000} end
redis.call('SET', KEYS[3], string.format('%.3f', due + every), 'PX', math.ceil(due + every - now) + 1000)
redis.call('ZADD', KEYS[4], now + ARGV[5] * 1000, ARGV[6])
redis.call('EXPIRE', KEYS[4], ARGV[5])
return {1, record, 0}
""")
"""The generic cell rate algorithm (ITU-T I.371 annex A: one number, the time when the next cell is due), and a set of leases.

Leases that have ended since are told by the way (ARGV[7] and on).
"""


@dataclass(frozen=True, slots=True)
class TenantKey:
    """A key without its secret. Times are RFC 3339; ``expires_at`` and ``revoked_at`` are empty where there is none."""

    id: str
    tenant: str
    name: str
    scopes: tuple[str, ...]
    created_at: str
    expires_at: str = ""
    revoked_at: str = ""

    def usable(self, now: datetime) -> bool:
        return not self.revoked_at and (not self.expires_at or now < datetime.fromisoformat(self.expires_at))


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one tenant, over all of its keys and all gateways on the store."""

    per_minute: int = PER_MINUTE
    burst: int = BURST
    concurrent: int = CONCURRENT


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that may go on. ``lease`` is given back by ``leave``."""

    tenant: TenantId
    key: TenantKey
    lease: str


class TenantKeys:
    """Keys and limits of all tenants of one store. Every method raises StoreUnavailable when the store does not answer."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ended: dict[TenantId, list[str]] = {}
        """Leases of requests that have ended, of which the store has not been told."""
        self._telling = False

    async def create(
        self,
        tenant: TenantId,
        *,
        now: datetime,
        name: str = "",
        scopes: Iterable[str] = SCOPES,
        lives: timedelta | None = None,
    ) -> tuple[TenantKey, Private[str]]:
        """A new key, and its secret form: it is nowhere else, and cannot be shown again.

        Raises:
            InvalidRequest: a scope that there is not, or a name that is no short plain text.
        """
        wanted = tuple(sorted(set(scopes)))
        if not wanted or not set(wanted) <= SCOPES:
            raise InvalidRequest("a key has a scope that there is not", hint=f"choose from {', '.join(sorted(SCOPES))}")
        if not re.fullmatch(r"[\w .-]{0,64}", name, re.ASCII):
            raise InvalidRequest("the key's name is not plain text", hint="use up to 64 letters, digits, spaces, `.`, `_`, `-`")
        secret = Private(f"sordino-{names.checked(tenant)}-{secrets.token_urlsafe(SECRET_BYTES)}")
        expires = (now + lives).isoformat() if lives is not None else ""
        key = TenantKey(f"key_{secrets.token_hex(8)}", tenant, name, wanted, now.isoformat(), expires)
        await self._write(tenant, secret.map(_digest), key)
        return key, secret

    async def of(self, tenant: TenantId) -> list[TenantKey]:
        """Every key that there was, the oldest first."""
        return sorted((key for _, key in await self._all(tenant)), key=lambda key: (key.created_at, key.id))

    async def revoke(self, tenant: TenantId, key_id: str, *, now: datetime) -> TenantKey:
        """From now on nobody is let in by it. Raises NotFound."""
        digest, key = await self._find(tenant, key_id)
        gone = key if key.revoked_at else replace(key, revoked_at=now.isoformat())
        await self._write(tenant, Private(digest), gone)
        return gone

    async def rotate(
        self, tenant: TenantId, key_id: str, *, now: datetime, grace: timedelta = timedelta(0)
    ) -> tuple[TenantKey, Private[str]]:
        """A new key with the same name, scopes and length of life; the old one is good for ``grace`` more. Raises NotFound."""
        digest, old = await self._find(tenant, key_id)
        if not old.usable(now):
            raise InvalidRequest("that key is no longer good", hint="create a new one")
        lives = datetime.fromisoformat(old.expires_at) - datetime.fromisoformat(old.created_at) if old.expires_at else None
        fresh, secret = await self.create(tenant, now=now, name=old.name, scopes=old.scopes, lives=lives)
        if grace:
            until = now + grace
            if not old.expires_at or until < datetime.fromisoformat(old.expires_at):
                await self._write(tenant, Private(digest), replace(old, expires_at=until.isoformat()))
        else:
            await self.revoke(tenant, key_id, now=now)
        return fresh, secret

    async def limits(self, tenant: TenantId) -> Limits:
        async with self._store.answers() as client:
            stored: Any = await client.hmget(names.key(tenant, "limits"), ["per_minute", "burst", "concurrent"])
        per_minute, burst, concurrent = (int(value) if value else None for value in stored)
        return Limits(per_minute or PER_MINUTE, burst or BURST, concurrent or CONCURRENT)

    async def limit(self, tenant: TenantId, limits: Limits) -> None:
        """Raises InvalidRequest for a limit below 1."""
        if min(limits.per_minute, limits.burst, limits.concurrent) < 1:
            raise InvalidRequest("a limit is below 1", hint="revoke the keys to let nobody in")
        async with self._store.answers() as client:
            await client.hset(names.key(tenant, "limits"), mapping={name: str(value) for name, value in asdict(limits).items()})

    async def enter(self, secret: Private[str], scope: str, *, now: datetime) -> Admitted:
        """Let a request in, in one exchange with the store.

        Raises:
            Unauthenticated: no such key, or it is revoked or has expired.
            Forbidden: the key is not for this.
            RateLimited: too many in a minute or at once; ``retry_after_s`` says when to come again.
            TenantLeaving: the tenant's account is ending.
        """
        digest = secret.map(_digest)
        tenant = secret.map(_tenant)
        found = str(tenant.reveal())
        if not found:
            raise _unknown()
        lease = secrets.token_hex(8)
        keys = [names.key(found, part) for part in ("keys", "limits", "rate", "in-progress", "offboarding")]
        limits = (PER_MINUTE, BURST, CONCURRENT, LEASE_S)
        ended = self._ended.pop(TenantId(found), [])
        try:
            verdict, stored, wait_ms = await self._store.run(_ADMIT, keys, digest.reveal(), *limits, lease, *ended)
        except BaseException:
            self._ended.setdefault(TenantId(found), []).extend(ended)
            raise
        if int(verdict) == 0:
            raise _unknown()
        key = _key(stored)
        refusal = self._refusal(key, scope, int(verdict), int(wait_ms), now)
        if refusal is not None:
            if int(verdict) == 1:
                await self.leave(Admitted(TenantId(found), key, lease))
            raise refusal
        return Admitted(TenantId(found), key, lease)

    @staticmethod
    def _refusal(key: TenantKey, scope: str, verdict: int, wait_ms: int, now: datetime) -> Exception | None:
        if verdict == 4:
            return is_leaving()
        if not key.usable(now):
            return _unknown()
        if scope not in key.scopes:
            return Forbidden(f"this key is not for {scope}", hint=f"create one: sordino tenants keys create {key.tenant}")
        if verdict == 2:
            return RateLimited("too many requests of this tenant in a minute", retry_after_s=wait_ms / 1000)
        if verdict == 3:
            return RateLimited("too many requests of this tenant at once", retry_after_s=wait_ms / 1000)
        return None

    async def leave(self, admitted: Admitted) -> None:
        """The request has ended: its place is free when this returns."""
        await self._store.ask("ZREM", names.key(admitted.tenant, "in-progress"), admitted.lease)

    def ends(self, admitted: Admitted) -> bool:
        """The request has ended. Whoever enters here next finds its place free, and tells the store of it by the way.

        True: nobody is about to tell the store else, so start ``tell_ended``.
        """
        self._ended.setdefault(admitted.tenant, []).append(admitted.lease)
        nobody_tells, self._telling = not self._telling, True
        return nobody_tells

    async def tell_ended(self) -> None:
        """Tell the store, soon, of the requests that have ended; at once when it is cancelled. What it does not hear now it is
        told when the next one enters.
        """
        try:
            await asyncio.sleep(ENDED_WITHIN_S)
        finally:
            self._telling = False
            while self._ended:
                tenant, leases = self._ended.popitem()
                try:
                    await self._store.ask("ZREM", names.key(tenant, "in-progress"), *leases)
                except BaseException:
                    self._ended.setdefault(tenant, []).extend(leases)
                    raise

    async def _all(self, tenant: TenantId) -> list[tuple[str, TenantKey]]:
        async with self._store.answers() as client:
            stored: Any = await client.hgetall(names.key(tenant, "keys"))
        return [(digest.decode(), _key(record)) for digest, record in stored.items()]

    async def _find(self, tenant: TenantId, key_id: str) -> tuple[str, TenantKey]:
        for digest, key in await self._all(tenant):
            if key.id == key_id:
                return digest, key
        raise NotFound(f"tenant {tenant} has no such key", hint=f"sordino tenants keys list {tenant}")

    async def _write(self, tenant: TenantId, digest: Private[str], key: TenantKey) -> None:
        async with self._store.answers() as client:
            await client.hset(names.key(tenant, "keys"), digest.reveal(), json.dumps(asdict(key)))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _tenant(secret: str) -> str:
    """The tenant that a key names, or nothing for what is no key."""
    match = _KEY.fullmatch(secret)
    return match["tenant"] if match and not match["tenant"].endswith(".") else ""


@lru_cache(maxsize=1_024)
def _key(stored: bytes) -> TenantKey:
    fields = json.loads(stored)
    return TenantKey(**{**fields, "scopes": tuple(fields["scopes"])})


def _unknown() -> Unauthenticated:
    return Unauthenticated("this is no key of a tenant here, or no longer", hint="send Authorization: Bearer <tenant key>")
