"""What may be used only once, across all gateways on one store."""

from __future__ import annotations

from gateway.adapters.stores.redis import Store


class OnlyOnce:
    """Remembers ids for as long as they could be used again."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def first_time(self, id_: str, *, within_s: int) -> bool:
        """Whether ``id_`` was never seen in the last ``within_s`` seconds. Raises StoreUnavailable: then take it for seen."""
        async with self._store.answers() as client:
            return bool(await client.set(f"sordino:once:{id_}", b"", nx=True, ex=within_s))
