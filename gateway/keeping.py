"""Wiring of keys: where the master key comes from, the shelf of those that it locks, and the key that never changes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gateway.adapters.keys.master import MasterKeys
from gateway.adapters.stores.identity import identity_key
from gateway.adapters.stores.key_shelf import RedisKeyShelf
from gateway.adapters.stores.redis import Store
from gateway.settings import Settings
from gateway.values import Private


@dataclass(frozen=True, slots=True)
class Keys:
    """What a gateway has of keys. ``identity``: what hashes, tokens and names are derived from; no rotation changes it."""

    masters: MasterKeys
    shelf: RedisKeyShelf
    identity: Private[bytes]


async def open_keys(settings: Settings, store: Store) -> Keys:
    """The keys of the gateway with this store. A missing master key is made, where it is a file under ``settings.data``.

    Raises:
        Misconfigured: the master key is missing or cannot be read.
        StoreUnavailable: the store does not answer, or was written with another master key.
    """
    masters = master_keys(settings)
    return Keys(masters, RedisKeyShelf(store, masters), await identity_key(store, masters))


def master_keys(settings: Settings) -> MasterKeys:
    """From SORDINO_MASTER_KEY, or from the file. Raises Misconfigured."""
    if settings.master_key is not None:
        return MasterKeys.from_secret(settings.master_key, settings.master_key_next)
    return MasterKeys.from_file(master_key_file(settings), create=settings.master_key_file is None)


def master_key_file(settings: Settings) -> Path:
    """Where the master key is, unless the environment holds it."""
    return settings.master_key_file or settings.data / "keys" / "master.key"
