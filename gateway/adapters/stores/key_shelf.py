"""The keys of tenants and of calls, in Redis or Valkey: every one locked, every one under a name that ends in ``:key``.

``sordino:{tenant}:key`` is a hash: ``current``, the id of the tenant's key, and under each id that key, locked by the master
key; there are two of them only while it is changed. ``sordino:{tenant}:<class>:<call>:key`` is the key of one class of a call's
data, locked by the tenant's. Nothing that is copied elsewhere (files, backups) ever holds one: so what is destroyed here is
destroyed everywhere.

A gateway keeps the tenants' keys that it used lately in memory, opened. Each exchange that asks for a call's key tells which
tenant's key is current, and makes a new key of a call only under that one: a tenant's key that was destroyed or changed by
another gateway is noticed with the very next exchange, and no key is ever locked with it again.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from gateway.adapters.stores import names
from gateway.adapters.stores.line import Script
from gateway.adapters.stores.purge import purge
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.scanning import scan
from gateway.errors import StoreUnavailable
from gateway.locks import CALL, TENANT, KeyLock, Locked, MasterLocks, PurgeProof, fresh_key, key_id
from gateway.values import CallId, Private, TenantId

MOST_TENANTS = 4_096
KEPT_S = 300.0
"""How long a tenant's opened key may stay in memory unused, in seconds."""
CURRENT, MADE = "current", "made:"
_TENANTS_KEY = re.compile(r"sordino:\{([^{}:]+)\}:key")

TAKE = """
local current = redis.call('HGET', KEYS[2], 'current') or ''
local there = redis.call('GET', KEYS[1])
if there then return {there, current} end
if ARGV[2] == '' or current ~= ARGV[1] then return {'', current} end
if ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[2]) else redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3]) end
return {ARGV[2], current}
"""
"""The call's key, made where there is none and the tenant's key is still the one that locked it."""
_TAKE = Script(TAKE)
_BEGIN = Script("""
if redis.call('HEXISTS', KEYS[1], 'current') == 0 then
  redis.call('HSET', KEYS[1], 'current', ARGV[1], ARGV[1], ARGV[2], 'made:' .. ARGV[1], redis.call('TIME')[1])
end
return redis.call('HGETALL', KEYS[1])
""")
LOCK_ANEW = Script("""
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
""")
_END = Script("""
local current = redis.call('HGET', KEYS[1], 'current') or ''
redis.call('DEL', KEYS[1])
return current
""")


class TenantKeyMoved(StoreUnavailable):
    """The tenant's key is another one by now, or was destroyed: ask once more."""

    retryable = True


@dataclass(frozen=True, slots=True)
class Asking:
    """One question for a call's key, to be put into an exchange: ``EVAL TAKE 2 *names *arguments``."""

    tenant: TenantId
    call: CallId
    kind: str
    create: bool
    names: tuple[str, str]
    arguments: tuple[str | bytes, ...]

    def add_to(self, exchange: Any) -> None:
        """Behind what the exchange asks already. Its answer is for ``RedisKeyShelf.answered``."""
        exchange.eval(TAKE, 2, *self.names, *self.arguments)


@dataclass(slots=True)
class OpenedTenant:
    """A tenant's keys as this gateway has them in memory."""

    current: str
    locks: dict[str, KeyLock]
    used: float


class RedisKeyShelf:
    """Implements ``gateway.locks.KeyShelf``."""

    def __init__(self, store: Store, masters: MasterLocks, *, now: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._masters = masters
        self._now = now
        self._opened: dict[TenantId, OpenedTenant] = {}

    async def key(
        self, tenant: TenantId, call: CallId, kind: str, *, create: bool, ttl_s: int | None = None
    ) -> Private[bytes] | None:
        """See ``gateway.locks.KeyShelf``. One exchange with the store, but for a tenant that was not asked for lately."""
        try:
            return await self._key(tenant, call, kind, create, ttl_s)
        except TenantKeyMoved:
            return await self._key(tenant, call, kind, create, ttl_s)

    async def asking(self, tenant: TenantId, call: CallId, kind: str, *, create: bool, ttl_s: int | None) -> Asking:
        """What to put into an exchange of one's own. Raises StoreUnavailable, InvalidRequest."""
        at = (call_key(tenant, call, kind), tenant_key(tenant))
        if not create:
            return Asking(tenant, call, kind, create, at, ("", "", ""))
        opened = self._remembered(tenant) or await self._open(tenant, create=True)
        locked = opened.locks[opened.current].lock(CALL, fresh_key(), *bound_to(tenant, call, kind))
        return Asking(tenant, call, kind, create, at, (opened.current, locked, "" if ttl_s is None else str(ttl_s)))

    async def answered(self, asking: Asking, answer: Any) -> Private[bytes] | None:
        """The key, from the answer to what was asked. None: there is none, and none was to be made.

        Raises:
            TenantKeyMoved: ask once more, from ``asking`` on.
            StoreUnavailable: the key does not open.
        """
        locked, current = bytes(answer[0]), bytes(answer[1]).decode("ascii")
        opened = self._remembered(asking.tenant)
        if opened is not None and opened.current != current:
            self.forget(asking.tenant)
            opened = None
        if not locked:
            if asking.create:
                raise _moved()
            return None
        said = Locked.of(locked)
        if said is None:
            return Private(self._masters.unwrap(locked, tenant=asking.tenant, call=asking.call, kind=asking.kind))
        if opened is None or said.by not in opened.locks:
            opened = await self._open(asking.tenant, create=False)
        if said.by not in opened.locks:
            raise _moved()
        return opened.locks[said.by].open(locked, *bound_to(asking.tenant, asking.call, asking.kind))

    async def destroy(self, tenant: TenantId, call: CallId, kind: str) -> str:
        """See ``gateway.locks.KeyShelf``."""
        locked = await self._store.ask("GETDEL", call_key(tenant, call, kind))
        if locked is None:
            return ""
        said = Locked.of(locked)
        if said is not None:
            return said.id
        return key_id(CALL, Private(self._masters.unwrap(locked, tenant=tenant, call=call, kind=kind)))

    async def destroy_tenant(self, tenant: TenantId) -> str:
        """See ``gateway.locks.KeyShelf``. The keys of its calls are deleted behind it: nothing opens them any more."""
        self.forget(tenant)
        gone = bytes(await self._store.run(_END, [tenant_key(tenant)])).decode("ascii")
        async for batch in self.names_of_calls(tenant):
            await self._store.ask("DEL", *batch)
        return gone

    async def purge(self) -> PurgeProof:
        """See ``gateway.locks.KeyShelf``."""
        return await purge(self._store)

    def unwrap(self, wrapped: bytes, *, tenant: TenantId, call: CallId, kind: str) -> bytes:
        """See ``gateway.locks.KeyShelf``."""
        return self._masters.unwrap(wrapped, tenant=tenant, call=call, kind=kind)

    # --- what changing keys needs ---------------------------------------------------------------------------------------

    async def tenants(self) -> list[TenantId]:
        """Everybody who has a key, sorted. Raises StoreUnavailable."""
        found = set()
        async for batch in scan(self._store, "sordino:{*}:key"):
            found |= {match[1] for name in batch if (match := _TENANTS_KEY.fullmatch(name.decode()))}
        return [TenantId(name) for name in sorted(found)]

    async def names_of_calls(self, tenant: TenantId) -> AsyncIterator[list[bytes]]:
        """The names of the keys of this tenant's calls, some at a time. Raises StoreUnavailable."""
        async for batch in scan(self._store, names.key(tenant, "x", "y", "key").replace(":x:y:", ":*:")):
            if batch:
                yield batch

    async def opened(self, tenant: TenantId) -> OpenedTenant:
        """The tenant's keys as the store has them now; a first one is made where there is none. Raises StoreUnavailable."""
        return await self._open(tenant, create=True)

    def in_memory(self, tenant: TenantId) -> OpenedTenant | None:
        """The tenant's keys, if this gateway has used them lately."""
        return self._remembered(tenant)

    def forget(self, tenant: TenantId) -> None:
        """What this gateway has of it in memory."""
        self._opened.pop(tenant, None)

    # --- inside ---------------------------------------------------------------------------------------------------------

    async def _key(self, tenant: TenantId, call: CallId, kind: str, create: bool, ttl_s: int | None) -> Private[bytes] | None:
        asking = await self.asking(tenant, call, kind, create=create, ttl_s=ttl_s)
        return await self.answered(asking, await self._store.run(_TAKE, asking.names, *asking.arguments))

    def _remembered(self, tenant: TenantId) -> OpenedTenant | None:
        opened = self._opened.pop(tenant, None)
        if opened is None or opened.used < self._now() - KEPT_S:
            return None
        return self._remember(tenant, opened)

    def _remember(self, tenant: TenantId, opened: OpenedTenant) -> OpenedTenant:
        """In memory those that were used longest ago stand first, and go first."""
        self._opened.pop(tenant, None)
        opened.used = self._now()
        while self._opened:
            first, oldest = next(iter(self._opened.items()))
            if len(self._opened) < MOST_TENANTS and oldest.used >= opened.used - KEPT_S:
                break
            del self._opened[first]
        self._opened[tenant] = opened
        return opened

    async def _open(self, tenant: TenantId, *, create: bool) -> OpenedTenant:
        await self._masters.refresh()
        name = tenant_key(tenant)
        stored = record(await self._store.ask("HGETALL", name))
        if CURRENT not in stored:
            if not create:
                raise _moved()
            stored = await self._begin(tenant)
        locks = {each: self._lock_of(tenant, stored[each]) for each in ids(stored)}
        opened = OpenedTenant(stored[CURRENT].decode("ascii"), locks, self._now())
        if opened.current not in locks:
            raise StoreUnavailable("the key of this tenant is not whole", hint="restore it from the sealed copy of the keys")
        return self._remember(tenant, opened)

    async def _begin(self, tenant: TenantId) -> dict[str, bytes]:
        """The tenant's first key, or the one that another gateway made meanwhile."""
        name, fresh, master = tenant_key(tenant), fresh_key(), self._masters.current()
        mine = key_id(TENANT, fresh)
        locked = master.lock(TENANT, fresh, TENANT, tenant)
        stored = record(await self._store.run(_BEGIN, [name], mine, locked))
        # Who changes the master key at this moment may not see this one any more: it is locked anew at once.
        await self._masters.refresh()
        if stored.get(mine) == locked and (now := self._masters.current()).id != master.id:
            await self._store.run(LOCK_ANEW, [name], mine, locked, now.lock(TENANT, fresh, TENANT, tenant))
        return stored

    def _lock_of(self, tenant: TenantId, locked: bytes) -> KeyLock:
        said = Locked.of(locked)
        if said is None:
            raise _moved()
        return KeyLock(TENANT, self._masters.of(said.by).open(locked, TENANT, tenant))


def tenant_key(tenant: str) -> str:
    """The name of the tenant's key in the store. Raises InvalidRequest."""
    return names.key(tenant, "key")


def call_key(tenant: str, call: str, kind: str) -> str:
    """The name of a call's key for that class of data. Raises InvalidRequest."""
    return names.key(tenant, kind, call, "key")


def record(answer: Any) -> dict[str, bytes]:
    """An answer to HGETALL."""
    return {bytes(name).decode("ascii"): bytes(value) for name, value in zip(answer[::2], answer[1::2], strict=True)}


def ids(stored: dict[str, bytes]) -> list[str]:
    """Which keys a tenant's hash holds."""
    return [name for name in stored if name != CURRENT and not name.startswith(MADE)]


def bound_to(tenant: TenantId, call: CallId, kind: str) -> tuple[str, ...]:
    """What the key of a call is locked for."""
    return (CALL, tenant, call, kind)


def _moved() -> TenantKeyMoved:
    return TenantKeyMoved("the key of this tenant was destroyed, or is being changed", hint="try again; nothing was sent")
