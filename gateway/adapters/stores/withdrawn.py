"""Calls whose caller took an agreement back, as long as something of them is still kept (promises 11 and 14).

``sordino:{tenant}:withdrawn:<class>`` is a set of ids for each class of data.
"""

from __future__ import annotations

from gateway.adapters.stores import names
from gateway.adapters.stores.redis import Store
from gateway.values import CallId, DataClass, TenantId


class RedisWithdrawn:
    """Implements ``gateway.runner.to_delete.CallLog``. Every method raises StoreUnavailable."""

    def __init__(self, store: Store, data_class: DataClass) -> None:
        self._store = store
        self._class = data_class.value

    async def add(self, tenant: TenantId, call: CallId) -> None:
        """It is to be deleted, whoever dies meanwhile."""
        await self._store.ask("SADD", names.key(tenant, "withdrawn", self._class), names.checked(call))

    async def remove(self, tenant: TenantId, call: CallId) -> None:
        """Nothing of it is left."""
        await self._store.ask("SREM", names.key(tenant, "withdrawn", self._class), names.checked(call))

    async def all(self, tenant: TenantId) -> list[CallId]:
        """In the order of their ids."""
        found = await self._store.ask("SMEMBERS", names.key(tenant, "withdrawn", self._class))
        return sorted(CallId(each.decode()) for each in found)
