"""How far each tenant's chain was verified: ``sordino:{tenant}:chain-marks``, name to place and the hash of the entry there."""

from __future__ import annotations

from typing import Any

from gateway.adapters.stores import names
from gateway.adapters.stores.redis import Store
from gateway.values import TenantId


class ChainMarks:
    """Implements ``gateway.runner.incidents_watch.Marks``. Every method raises StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, tenant: TenantId, name: str) -> tuple[int, str] | None:
        """The place and the hash there; None: nothing was verified yet, or the mark cannot be read: then all is verified anew."""
        async with self._store.answers() as client:
            found: Any = await client.hget(names.key(tenant, "chain-marks"), name)
        place, _, hash_ = found.decode("utf-8", "replace").partition(" ") if found is not None else ("", "", "")
        return (int(place), hash_) if place.isascii() and place.isdecimal() else None

    async def put(self, tenant: TenantId, name: str, place: int, hash_: str) -> None:
        async with self._store.answers() as client:
            await client.hset(names.key(tenant, "chain-marks"), name, f"{place} {hash_}")
