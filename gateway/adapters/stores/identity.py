"""The gateway's identity key: what keyed hashes of numbers, sealed tokens and names of conversations are derived from.

It must not change when the master key does: a person would become another one. So it is a key of its own, in the store, locked by
the master key: ``sordino:{_gateway}:identity:key``. A store that was in use before there was one gets the master key of that
day, from which all of these were derived then.
"""

from __future__ import annotations

from typing import Any

from gateway.adapters.stores import names
from gateway.adapters.stores.redis import Store
from gateway.locks import Locked, MasterLocks, does_not_open, fresh_key
from gateway.values import Private

IDENTITY = "identity"
NAME = names.key("_gateway", IDENTITY, "key")


async def identity_key(store: Store, masters: MasterLocks) -> Private[bytes]:
    """32 bytes, the same for every gateway on this store.

    Raises:
        StoreUnavailable: the store does not answer, or the master key does not open it.
        Misconfigured: the master key cannot be read.
    """
    there = await store.ask("GET", NAME)
    if there is None:
        first = masters.secret() if await _in_use(store) else fresh_key()
        await store.ask("SET", NAME, masters.current().lock(IDENTITY, first, IDENTITY), "NX")
        there = await store.ask("GET", NAME)
    return opened(there, masters)


def opened(there: Any, masters: MasterLocks) -> Private[bytes]:
    """The key that the store holds locked. Raises StoreUnavailable."""
    if there is None or (said := Locked.of(bytes(there))) is None:
        raise does_not_open()
    return masters.of(said.by).open(bytes(there), IDENTITY)


async def _in_use(store: Store) -> bool:
    return int(await store.ask("DBSIZE")) > 0
