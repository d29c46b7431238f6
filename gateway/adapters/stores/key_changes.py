"""What changing keys does in the store, while gateways go on writing. Every step may be done again; none loses a key.

What is locked anew is compared with what was read: who destroyed or changed it meanwhile wins.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from gateway.adapters.stores.identity import IDENTITY, opened
from gateway.adapters.stores.identity import NAME as IDENTITY_NAME
from gateway.adapters.stores.key_shelf import (
    CURRENT,
    LOCK_ANEW,
    MADE,
    RedisKeyShelf,
    bound_to,
    ids,
    record,
    tenant_key,
)
from gateway.adapters.stores.line import Script
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.scanning import scan
from gateway.locks import CALL, TENANT, KeyLock, Locked, MasterLocks, fresh_key, key_id
from gateway.values import CallId, Private, TenantId

_CALL_KEY = re.compile(r"sordino:\{([^{}:]+)\}:([^:]+):([^:]+):key")
_EVERY_KEY = "sordino:{*}:*:*:key"

REPLACE = Script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
return 1
""")
_CHANGE = Script("""
if redis.call('HGET', KEYS[1], 'current') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'current', ARGV[2], ARGV[2], ARGV[3], 'made:' .. ARGV[2], redis.call('TIME')[1])
return 1
""")


_END = Script("""
if redis.call('HGET', KEYS[1], 'current') ~= ARGV[1] then return 0 end
for _, each in ipairs(redis.call('HKEYS', KEYS[1])) do
  if each ~= 'current' and each ~= ARGV[1] and each ~= 'made:' .. ARGV[1] then redis.call('HDEL', KEYS[1], each) end
end
return 1
""")

Beat = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class TenantKeyFacts:
    """What there is to know of a tenant's key. ``made``: Unix seconds. ``older``: keys that a change has not got rid of yet."""

    tenant: TenantId
    key_id: str
    locked_by: str
    made: int
    older: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _CallKey:
    name: str
    tenant: TenantId
    kind: str
    call: CallId
    data: bytes


class KeyChanges:
    """Every method raises StoreUnavailable."""

    def __init__(self, store: Store, shelf: RedisKeyShelf, masters: MasterLocks, beat: Beat | None = None) -> None:
        """``beat`` is awaited again and again while much is done; what it raises ends it."""
        self._beat = beat
        self._store = store
        self._shelf = shelf
        self._masters = masters

    async def facts(self) -> list[TenantKeyFacts]:
        """Every tenant's key, by tenant."""
        found = []
        for tenant in await self._shelf.tenants():
            stored = record(await self._store.ask("HGETALL", tenant_key(tenant)))
            if CURRENT in stored:
                now = stored[CURRENT].decode("ascii")
                said = Locked.of(stored[now])
                older = tuple(each for each in ids(stored) if each != now)
                found.append(TenantKeyFacts(tenant, now, said.by if said else "", int(stored.get(MADE + now, b"0")), older))
        return found

    async def count_calls(self) -> dict[TenantId, dict[str, int]]:
        """How many keys of calls each tenant has, by class of data."""
        counted: dict[TenantId, Counter[str]] = {}
        async for each in self._call_keys(_EVERY_KEY):
            counted.setdefault(each.tenant, Counter())[each.kind] += 1
        return {tenant: dict(counts) for tenant, counts in counted.items()}

    async def lock_tenants_by(self, master: KeyLock) -> dict[TenantId, str]:
        """Every tenant's key and the identity key are locked by that master key now. Whose was not, and the id of their key.

        What older gateways locked with the master key alone gets its tenant's key in between.
        """
        changed = {}
        for tenant in await self._shelf.tenants():
            if self._beat is not None:
                await self._beat()
            if await self._lock_tenant_by(master, tenant):
                changed[tenant] = await self.current(tenant)
        await self._lock_identity_by(master)
        async for each in self._call_keys(_EVERY_KEY):
            if Locked.of(each.data) is None:
                await self._lock_call(each)
        return changed

    async def begin_tenant(self, tenant: TenantId) -> str:
        """The tenant has a new key, from which on no key of a call is locked with the one before. That one's id.

        Where a change was begun and not ended, nothing new is made.
        """
        there = await self._shelf.opened(tenant)
        if len(there.locks) > 1:
            return next(each for each in there.locks if each != there.current)
        fresh, master = fresh_key(), self._masters.current()
        locked = master.lock(TENANT, fresh, TENANT, tenant)
        await self._store.run(_CHANGE, [tenant_key(tenant)], there.current, key_id(TENANT, fresh), locked)
        self._shelf.forget(tenant)
        return there.current

    async def lock_calls(self, tenant: TenantId) -> int:
        """Every key of a call of this tenant is locked by its present key now. How many were not."""
        changed = 0
        now = (await self._shelf.opened(tenant)).current
        async for each in self._call_keys(f"sordino:{{{tenant}}}:*:*:key"):
            said = Locked.of(each.data)
            if said is None or said.by != now:
                changed += await self._lock_call(each)
        return changed

    async def current(self, tenant: TenantId) -> str:
        """The id of the tenant's present key."""
        return (await self._shelf.opened(tenant)).current

    async def end_tenant(self, tenant: TenantId, now: str) -> None:
        """The tenant's earlier keys are gone, where ``now`` is the present one still; call it when ``lock_calls`` has ended."""
        await self._store.run(_END, [tenant_key(tenant)], now)
        self._shelf.forget(tenant)

    async def adopt(self, tenant: TenantId, call: CallId, kind: str, key: Private[bytes]) -> None:
        """A key that was elsewhere stands on the shelf from now on, unless there is one already."""
        there = await self._shelf.opened(tenant)
        locked = there.locks[there.current].lock(CALL, key, *bound_to(tenant, call, kind))
        await self._store.ask("SET", f"sordino:{{{tenant}}}:{kind}:{call}:key", locked, "NX")

    # --- inside ---------------------------------------------------------------------------------------------------------

    async def _lock_tenant_by(self, master: KeyLock, tenant: TenantId) -> bool:
        name, changed = tenant_key(tenant), False
        stored = record(await self._store.ask("HGETALL", name))
        for each in ids(stored):
            said = Locked.of(stored[each])
            if said is not None and said.by != master.id:
                key = self._masters.of(said.by).open(stored[each], TENANT, tenant)
                locked = master.lock(TENANT, key, TENANT, tenant)
                changed |= bool(await self._store.run(LOCK_ANEW, [name], each, stored[each], locked))
        return changed

    async def _lock_identity_by(self, master: KeyLock) -> None:
        there = await self._store.ask("GET", IDENTITY_NAME)
        if there is not None and (said := Locked.of(there)) is not None and said.by != master.id:
            locked = master.lock(IDENTITY, opened(there, self._masters), IDENTITY)
            await self._store.run(REPLACE, [IDENTITY_NAME], there, locked)

    async def _lock_call(self, each: _CallKey) -> int:
        """1 where it was locked anew; 0 where somebody else was there first."""
        bound, said = bound_to(each.tenant, each.call, each.kind), Locked.of(each.data)
        there = self._shelf.in_memory(each.tenant)
        if there is None or (said is not None and said.by not in there.locks):
            there = await self._shelf.opened(each.tenant)
        if said is None:
            key = Private(self._masters.unwrap(each.data, tenant=each.tenant, call=each.call, kind=each.kind))
        elif said.by in there.locks:
            key = there.locks[said.by].open(each.data, *bound)
        else:  # left behind by a tenant's key that was destroyed: it opens nothing any more
            return 0
        locked = there.locks[there.current].lock(CALL, key, *bound)
        return int(await self._store.run(REPLACE, [each.name], each.data, locked))

    async def _call_keys(self, pattern: str) -> AsyncIterator[_CallKey]:
        async for batch in scan(self._store, pattern):
            if self._beat is not None:
                await self._beat()
            matches = [match for name in batch if (match := _CALL_KEY.fullmatch(name.decode()))]
            values = await self._store.ask("MGET", *(match[0] for match in matches)) if matches else []
            for match, data in zip(matches, values, strict=True):
                if data is not None:
                    yield _CallKey(match[0], TenantId(match[1]), match[2], CallId(match[3]), bytes(data))
