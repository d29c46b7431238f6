"""Anchors of each tenant's chain: ``sordino:{tenant}:anchors``, a list that is only ever added to, oldest first; and beside it
``…:anchored``, the newest of each witness.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.adapters.stores import names
from gateway.adapters.stores.redis import Store
from gateway.errors import EvidenceInvalid, StoreUnavailable
from gateway.evidence.canonical import canonical, parse
from gateway.evidence.entries import Json
from gateway.values import TenantId


class RedisAnchors:
    """Implements ``gateway.runner.anchoring.Anchors``. Every method raises StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, tenant: TenantId, anchor: Mapping[str, Json]) -> None:
        async with self._store.answers() as client:
            exchange = client.pipeline(transaction=True)
            exchange.rpush(names.key(tenant, "anchors"), canonical(anchor))
            exchange.hset(names.key(tenant, "anchored"), str(anchor["by"]), canonical(anchor))
            await exchange.execute()

    async def newest(self, tenant: TenantId) -> dict[str, Mapping[str, Any]]:
        """Of each witness the newest."""
        async with self._store.answers() as client:
            stored: Any = await client.hgetall(names.key(tenant, "anchored"))
        return {by.decode(): _anchor(each) for by, each in stored.items()}

    async def all(self, tenant: TenantId) -> list[Mapping[str, Any]]:
        async with self._store.answers() as client:
            stored: Any = await client.lrange(names.key(tenant, "anchors"), 0, -1)
        return [_anchor(each) for each in stored]


def _anchor(stored: bytes) -> Mapping[str, Any]:
    try:
        found = parse(stored)
    except EvidenceInvalid:
        found = None
    if not isinstance(found, dict):
        raise StoreUnavailable("an anchor in the store cannot be read", hint="restore it from a backup")
    return found
