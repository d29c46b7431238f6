"""Work that one gateway at a time does, of all that share a store: a lease that runs out by itself where its holder dies."""

from __future__ import annotations

from gateway.adapters.stores import names
from gateway.adapters.stores.redis import Store

_TAKE = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
_LEAVE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class RedisLease:
    """``sordino:{tenant}:lease:<name>``. ``holder`` is this gateway's own random id."""

    def __init__(self, store: Store, holder: str) -> None:
        self._store = store
        self._holder = holder

    async def take(self, tenant: str, name: str, *, for_s: float) -> bool:
        """Have it, or keep it, for so long from now on. False: another gateway has it. Raises StoreUnavailable."""
        async with self._store.answers() as client:
            key, ms = names.key(tenant, "lease", name), str(int(for_s * 1000))
            return bool(await client.eval(_TAKE, 1, key, self._holder, ms))

    async def leave(self, tenant: str, name: str) -> None:
        """Give it back, if it is still ours. Raises StoreUnavailable."""
        async with self._store.answers() as client:
            await client.eval(_LEAVE, 1, names.key(tenant, "lease", name), self._holder)
