"""Calls that wait to be handed over to a person: marked when the line is given up, taken once when the carrier asks what next."""

from __future__ import annotations

import hashlib

from gateway.adapters.stores import names
from gateway.adapters.stores.redis import Store
from gateway.values import TenantId

WAITS_S = 120
"""How long the carrier may take to ask: the message before it is played meanwhile."""


class Handovers:
    """Marks of all gateways on one store. A mark says that a call is to be handed over, and not to whom."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def mark(self, tenant: TenantId, carrier: str, call: str) -> None:
        """Raises StoreUnavailable."""
        async with self._store.answers() as client:
            await client.set(_key(tenant, carrier, call), b"1", ex=WAITS_S)

    async def take(self, tenant: TenantId, carrier: str, call: str) -> bool:
        """Whether it is marked; from then on it is not. Raises StoreUnavailable."""
        async with self._store.answers() as client:
            return await client.getdel(_key(tenant, carrier, call)) is not None


def _key(tenant: TenantId, carrier: str, call: str) -> str:
    return names.key(tenant, "handover", hashlib.sha256(f"{carrier}\0{call}".encode()).hexdigest())
