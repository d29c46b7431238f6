"""What is left of a tenant beside its data, and goes with its number data: lists of others, marks of persons, counters.

None of it is a holding: nothing of it is handed out, or due on a day of its own. ``KEPT`` of ``gateway.policy.offboarding`` says
what stays.
"""

from __future__ import annotations

from gateway.adapters.stores import names
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.scanning import scan
from gateway.values import TenantId

GONE = ("draft", "in-progress", "limits", "list", "lists", "rate", "restricted", "reveals")
"""The first parts of the names of what goes."""


class RedisDeparted:
    """Raises StoreUnavailable when the store does not answer."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def forget(self, tenant: TenantId) -> dict[str, str | int]:
        """There is nothing of it when this answers. What that is, in the words of the evidence. Twice is as good as once."""
        singles = ("in-progress", "limits", "lists", "rate", "restricted")
        await self._store.ask("DEL", *(names.key(tenant, each) for each in singles))
        for part in ("draft", "list", "reveals"):
            async for batch in scan(self._store, names.key(tenant, part) + ":*"):
                if batch:
                    await self._store.ask("DEL", *batch)
        return {"forgotten": ", ".join(GONE)}
