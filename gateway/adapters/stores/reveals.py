"""Grants of reveal: who may see private text of a tenant's calls, why, and until when (promise 26).

One hash for each person and tenant, ``sordino:{tenant}:reveals:<who>``. It ends with its last grant.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from gateway.adapters.stores import names
from gateway.adapters.stores.redis import Store
from gateway.values import TenantId


@dataclass(frozen=True, slots=True)
class Reveal:
    """One grant. ``call`` empty: every call of the tenant. ``until`` is RFC 3339."""

    id: str
    who: str
    tenant: str
    call: str
    reason: str
    until: str

    def covers(self, call: str, now: datetime) -> bool:
        return now < datetime.fromisoformat(self.until) and self.call in ("", call)


class RedisReveals:
    """Every method raises StoreUnavailable when the store does not answer: then nothing is revealed."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, grant: Reveal, *, longest_s: int) -> None:
        place = names.key(grant.tenant, "reveals", grant.who)
        async with self._store.answers() as client:
            await client.hset(place, grant.id, json.dumps(asdict(grant)))
            # No grant lives longer: none is cut short by one that is younger and shorter.
            await client.expire(place, longest_s)

    async def of(self, tenant: TenantId, who: str, *, now: datetime) -> list[Reveal]:
        """Those that have not ended."""
        async with self._store.answers() as client:
            stored: Any = await client.hgetall(names.key(tenant, "reveals", who))
        found = [Reveal(**json.loads(each)) for each in stored.values()]
        return sorted((each for each in found if now < datetime.fromisoformat(each.until)), key=lambda each: each.id)

    async def end(self, tenant: TenantId, who: str, grant_id: str) -> bool:
        """From now on it shows nothing. False: there is none."""
        async with self._store.answers() as client:
            gone: Any = await client.hdel(names.key(tenant, "reveals", who), grant_id)
        return bool(gone)
