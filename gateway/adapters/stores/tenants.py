"""Who has anything in the store, whether a policy knows them or not: whoever had a call has evidence of it."""

from __future__ import annotations

import re

from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.scanning import scan
from gateway.values import TenantId

_CHAIN = re.compile(r"sordino:\{([^{}:]+)\}:evidence")


async def tenants_with_evidence(store: Store) -> tuple[TenantId, ...]:
    """Sorted; the gateway's own (``_gateway``, ``_house``) not among them. Raises StoreUnavailable."""
    found = set[str]()
    async for batch in scan(store, "sordino:{*}:evidence"):
        found |= {match[1] for name in batch if (match := _CHAIN.fullmatch(name.decode()))}
    return tuple(TenantId(name) for name in sorted(found) if not name.startswith("_"))
