"""Which folders hold backups of this store: ``sordino:{_gateway}:backups``.

Beside them keys are sealed anew whenever one is destroyed.
"""

from __future__ import annotations

from gateway.adapters.stores import names
from gateway.adapters.stores.redis import Store

_PLACE = names.key("_gateway", "backups")


class RedisBackups:
    """Every method raises StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, folder: str) -> None:
        """Backups are there from now on."""
        await self._store.ask("SADD", _PLACE, folder)

    async def forget(self, folder: str) -> None:
        """There are none any more."""
        await self._store.ask("SREM", _PLACE, folder)

    async def all(self) -> tuple[str, ...]:
        return tuple(sorted(each.decode() for each in await self._store.ask("SMEMBERS", _PLACE)))
