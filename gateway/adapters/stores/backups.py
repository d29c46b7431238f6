"""Which folders hold backups of this store, and which of them still have the keys of before.

``sordino:{_gateway}:backups`` is a hash of folder to count, ``…:backups:wanted`` the count: it grows whenever a key was
destroyed, and a folder whose ``keys.sealed`` was replaced since then has the count of that moment.
"""

from __future__ import annotations

from gateway.adapters.stores import names
from gateway.adapters.stores.line import Script
from gateway.adapters.stores.redis import Store

_PLACES = names.key("_gateway", "backups")
_WANTED = names.key("_gateway", "backups", "wanted")

# Upwards only: who was slow does not make a folder stale again, nor one that was forgotten known.
_SEALED = Script("""
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known and tonumber(known) < tonumber(ARGV[2]) then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
return 1
""")


class RedisBackups:
    """Every method raises StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, folder: str) -> None:
        """Backups are there from now on."""
        await self._store.ask("HSETNX", _PLACES, folder, "0")

    async def forget(self, folder: str) -> None:
        """There are none any more."""
        await self._store.ask("HDEL", _PLACES, folder)

    async def all(self) -> tuple[str, ...]:
        """Every folder, sorted."""
        return tuple(sorted(each.decode() for each in await self._store.ask("HKEYS", _PLACES)))

    async def want(self) -> None:
        """A key was destroyed: what is sealed anywhere must be replaced."""
        await self._store.ask("INCR", _WANTED)

    async def wanted(self) -> int:
        """How often a key was destroyed: to be read before keys are, which are then of that count at least."""
        return int(await self._store.ask("GET", _WANTED) or 0)

    async def count(self, folder: str) -> int:
        """The count of the folder's keys; -1 where it is not known."""
        count = await self._store.ask("HGET", _PLACES, folder)
        return -1 if count is None else int(count)

    async def stale(self) -> tuple[int, tuple[str, ...]]:
        """The count now, and the folders that have an older one."""
        wanted = await self.wanted()
        found = await self._store.ask("HGETALL", _PLACES)
        old = [place.decode() for place, count in zip(found[::2], found[1::2], strict=True) if int(count) < wanted]
        return wanted, tuple(sorted(old))

    async def sealed(self, folder: str, count: int) -> None:
        """Its keys are those of that count, or of a later one. A folder that was forgotten meanwhile stays forgotten."""
        await self._store.run(_SEALED, [_PLACES], folder, count)
