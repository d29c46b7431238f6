"""Who has anything in the store, whether a policy knows them or not: whoever had a call has evidence of it."""

from __future__ import annotations

import re

from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.scanning import scan
from gateway.values import TenantId

_CHAIN = re.compile(r"sordino:\{([^{}:]+)\}:evidence")


async def chains_of(store: Store) -> frozenset[TenantId]:
    """Every chain that there is, by its owner: the gateway's own (``_gateway``, ``_house``), too. Raises StoreUnavailable."""
    found = set[TenantId]()
    async for batch in scan(store, "sordino:{*}:evidence"):
        found |= {TenantId(match[1]) for name in batch if (match := _CHAIN.fullmatch(name.decode()))}
    return frozenset(found)


async def tenants_with_evidence(store: Store) -> tuple[TenantId, ...]:
    """Sorted, without the gateway's own. Raises StoreUnavailable."""
    return tuple(sorted(name for name in await chains_of(store) if not name.startswith("_")))
