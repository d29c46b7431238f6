"""Certificates of deletions: ``sordino:{tenant}:certificates``, id to document; ``…:certificates:<item>``, the ids of one thing.

They are written where a deletion ends (``deletions``), are evidence, and stay as long as the tenant's evidence does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from gateway.adapters.stores import names
from gateway.adapters.stores.redis import Store
from gateway.evidence.certificate import Certificate, stored_certificate
from gateway.values import TenantId

BATCH = 500


class RedisCertificates:
    """Every method raises StoreUnavailable, and EvidenceInvalid for one that cannot be read."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of(self, tenant: TenantId, item: str) -> list[Certificate]:
        """Those of one call, or one person's keyed hash, the oldest first."""
        async with self._store.answers() as client:
            ids: Any = await client.smembers(names.key(tenant, "certificates", item))
            found: Any = await client.hmget(names.key(tenant, "certificates"), sorted(ids)) if ids else []
        return sorted((stored_certificate(each) for each in found if each is not None), key=lambda each: (each.at, each.id))

    async def all(self, tenant: TenantId) -> AsyncIterator[Certificate]:
        """All of the tenant's, in no order. One that is written meanwhile may be missing."""
        seen, cursor = set[bytes](), 0
        while True:
            page: Any
            async with self._store.answers() as client:
                cursor, page = await client.hscan(names.key(tenant, "certificates"), cursor, count=BATCH)
            for id_, document in page.items():
                if id_ not in seen:
                    seen.add(id_)
                    yield stored_certificate(document)
            if not int(cursor):
                return
