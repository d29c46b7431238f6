"""Which recordings there are: ``sordino:{tenant}:recordings``, a hash of call to facts. No sound and no word is in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from gateway.adapters.stores import names
from gateway.adapters.stores.line import Script
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.scanning import scan
from gateway.errors import StoreUnavailable
from gateway.values import CallId, TenantId

BATCH = 500
_INDEX = re.compile(r"sordino:\{([^{}:]+)\}:recordings")
WRITING, WAITING, KEPT = "recording", "waiting", "kept"
"""Where a recording stands: being written (or its gateway was killed), waiting to be sent to its store, at its place."""

_REPLACE = Script("""
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
if ARGV[3] == '' then redis.call('HDEL', KEYS[1], ARGV[1]) else redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) end
return 1
""")
"""Another line in the place of the one that was read, or none, if that one still is there."""


@dataclass(frozen=True, slots=True)
class RecordingFacts:
    """One recording. ``processor`` is who keeps it; ``keep_s`` how long the policy of its call lets it live, in seconds."""

    call: CallId
    started: str
    processor: str
    dialect: str
    key_id: str
    consent: str
    redacted: str
    rate: int
    keep_s: int
    state: str = WRITING
    ms: int = 0
    chunks: int = 0
    sha256: str = ""
    folder: str = ""
    """Whose disk it is on, or was before it was sent (``Folder.name``)."""
    on_shelf: bool = False
    """Its key is in the store alone. Older ones have it in their file, locked by the master key."""
    cut: bool = False
    """Its gateway was killed while it wrote it."""


class RedisRecordings:
    """The index of every tenant's recordings. Every method raises StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, tenant: TenantId, facts: RecordingFacts) -> None:
        """Write it down, in place of what was known of that call's recording."""
        async with self._store.answers() as client:
            await client.hset(names.key(tenant, "recordings"), facts.call, json.dumps(asdict(facts)))

    async def sent(self, tenant: TenantId, call: CallId) -> bool:
        """One that waited for its store is there. False: it does not wait, or was forgotten."""
        return await self._change(tenant, call, {"state": KEPT}, only=WAITING)

    async def change(self, tenant: TenantId, call: CallId, **changed: Any) -> bool:
        """New values for some of the facts, in one step: what was forgotten meanwhile does not come back. False: it was."""
        return await self._change(tenant, call, changed)

    async def _change(self, tenant: TenantId, call: CallId, changed: Mapping[str, Any], *, only: str = "") -> bool:
        while (stored := await self._stored(tenant, call)) is not None:
            facts = _facts(stored)
            if only and facts.state != only:
                return False
            if await self._replace(tenant, call, stored, json.dumps(asdict(replace(facts, **changed)))):
                return True
        return False

    async def find(self, tenant: TenantId, call: CallId) -> RecordingFacts | None:
        stored = await self._stored(tenant, call)
        return None if stored is None else _facts(stored)

    async def list(self, tenant: TenantId) -> list[RecordingFacts]:
        """All of this tenant's, the oldest first."""
        async with self._store.answers() as client:
            stored: Any = await client.hvals(names.key(tenant, "recordings"))
        return sorted((_facts(each) for each in stored), key=lambda facts: facts.started)

    async def having(self, tenants: Iterable[TenantId]) -> tuple[TenantId, ...]:
        """Those of the tenants that have recordings."""
        wanted, found = list(tenants), list[TenantId]()
        for start in range(0, len(wanted), BATCH):
            batch = wanted[start : start + BATCH]
            async with self._store.answers() as client:
                exchange = client.pipeline(transaction=False)
                for tenant in batch:
                    exchange.exists(names.key(tenant, "recordings"))
                there: Any = await exchange.execute()
            found += [tenant for tenant, exists in zip(batch, there, strict=True) if exists]
        return tuple(found)

    async def tenants(self) -> tuple[TenantId, ...]:
        """Everybody who has recordings, sorted, whether the policies know them or not."""
        found = set[str]()
        async for batch in scan(self._store, "sordino:{*}:recordings"):
            found |= {match[1] for name in batch if (match := _INDEX.fullmatch(name.decode()))}
        return tuple(TenantId(name) for name in sorted(found))

    async def forget(self, tenant: TenantId, call: CallId, *, as_it_was: RecordingFacts | None = None) -> bool:
        """The recording is gone. False: it was not known, or is not ``as_it_was`` any more: then it stays."""
        while (stored := await self._stored(tenant, call)) is not None:
            if as_it_was is not None and _facts(stored) != as_it_was:
                return False
            if await self._replace(tenant, call, stored, ""):
                return True
        return False

    async def _stored(self, tenant: TenantId, call: CallId) -> bytes | None:
        async with self._store.answers() as client:
            stored: Any = await client.hget(names.key(tenant, "recordings"), names.checked(call))
        return None if stored is None else bytes(stored)

    async def _replace(self, tenant: TenantId, call: CallId, stored: bytes, line: str) -> bool:
        return bool(int(await self._store.run(_REPLACE, [names.key(tenant, "recordings")], call, stored, line)))


def _facts(stored: bytes) -> RecordingFacts:
    try:
        return RecordingFacts(**json.loads(stored))
    except (ValueError, TypeError):
        raise StoreUnavailable("the index of recordings holds what cannot be read", hint="restore it from a backup") from None
