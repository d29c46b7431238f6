"""Walking over the names of a store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from gateway.adapters.stores.redis import Store

BATCH = 500


async def scan(store: Store, pattern: str) -> AsyncIterator[list[bytes]]:
    """Every name that is there from the first answer to the last, some at a time. Raises StoreUnavailable."""
    cursor: Any = b"0"
    while True:
        cursor, batch = await store.ask("SCAN", cursor, "MATCH", pattern, "COUNT", BATCH)
        yield batch
        if int(cursor) == 0:
            return
