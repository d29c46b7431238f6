"""Where the newest entries about access stand in a tenant's evidence: a list of their ids, ``sordino:{tenant}:access-log``.

The evidence itself is the log. This is a way into it that costs as much as what is read; without it, the chain still has all.
"""

from __future__ import annotations

from typing import Any

from gateway.adapters.stores import names
from gateway.adapters.stores.redis import Store
from gateway.values import CallId, TenantId

MOST = 10_000


class RedisAccessLog:
    """Every method raises StoreUnavailable when the store does not answer."""

    def __init__(self, store: Store, *, most: int = MOST) -> None:
        """``most``: how many ids of a tenant are kept, the newest."""
        self._store = store
        self._most = most

    async def note(self, tenant: TenantId, entry: CallId) -> None:
        place = names.key(tenant, "access-log")
        async with self._store.answers() as client, client.pipeline(transaction=True) as both:
            both.rpush(place, names.checked(entry))
            both.ltrim(place, -self._most, -1)
            await both.execute()

    async def newest(self, tenant: TenantId, most: int) -> list[CallId]:
        """The ids of the last entries, the oldest of them first."""
        async with self._store.answers() as client:
            found: Any = await client.lrange(names.key(tenant, "access-log"), -most, -1)
        return [CallId(each.decode()) for each in found]
