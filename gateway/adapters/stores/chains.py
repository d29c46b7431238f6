"""Whose chains of evidence there are: by what is in the store, so that no chain is left out for want of a policy."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.tenants import chains_of
from gateway.ports import Clock
from gateway.values import TenantId

LOOK_AGAIN_S = 600.0


class RedisChains:
    """``await chains()``: tenants of now, and every chain that the store has: the gateway's own, and those of who has left.

    Raises StoreUnavailable. The store is walked through every ten minutes at the most.
    """

    def __init__(self, store: Store, tenants: Callable[[], Iterable[TenantId]], clock: Clock) -> None:
        self._store = store
        self._tenants = tenants
        self._clock = clock
        self._found: frozenset[TenantId] = frozenset()
        self._looked: float | None = None

    async def __call__(self) -> tuple[TenantId, ...]:
        now = self._clock.monotonic()
        if self._looked is None or now - self._looked >= LOOK_AGAIN_S:
            self._found = await chains_of(self._store)
            self._looked = now
        return tuple(sorted({*self._tenants(), *self._found}))
