"""Calls with a child whose data is not all gone yet: ``sordino:{tenant}:children``, a set of ids (promise 32)."""

from __future__ import annotations

from gateway.adapters.stores import names
from gateway.adapters.stores.redis import Store
from gateway.values import CallId, TenantId


class RedisChildCalls:
    """Implements ``gateway.runner.children.ChildLog``. Every method raises StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, tenant: TenantId, call: CallId) -> None:
        """It is to be deleted, whoever dies meanwhile."""
        await self._store.ask("SADD", names.key(tenant, "children"), names.checked(call))

    async def remove(self, tenant: TenantId, call: CallId) -> None:
        """Nothing of it is left."""
        await self._store.ask("SREM", names.key(tenant, "children"), names.checked(call))

    async def all(self, tenant: TenantId) -> list[CallId]:
        """In the order of their ids, which is that of time."""
        found = await self._store.ask("SMEMBERS", names.key(tenant, "children"))
        return sorted(CallId(each.decode()) for each in found)
