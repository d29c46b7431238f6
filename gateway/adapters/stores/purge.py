"""What a server has written down of what is deleted: its append-only file, rewritten from what there is now.

A server appends every write to its file, so that a key which was set and deleted stands there until the file is rewritten.
Sources: https://valkey.io/commands/bgrewriteaof/ and https://valkey.io/commands/info/ (section persistence).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from redis.exceptions import ResponseError

from gateway.adapters.stores.redis import Store
from gateway.errors import StoreUnavailable
from gateway.locks import PurgeProof

LOOK_EVERY_S = 0.02
LONGEST_LOOK_S = 1.0
REWRITTEN, NONE, NOT_PERMITTED = "rewritten", "none", "not-permitted"


async def purge(store: Store, *, within_s: float = 600.0) -> PurgeProof:
    """Rewrite the append-only file, and wait until it is done: then it holds nothing that was deleted before this was called.

    Raises:
        StoreUnavailable: the server does not answer, the rewrite failed, or has not ended within the bound.
    """
    try:
        async with asyncio.timeout(within_s):
            told = await _persistence(store)
            if told is None:
                return PurgeProof(NOT_PERMITTED)
            snapshots = await _snapshots(store)
            if told.get("aof_enabled") != "1":
                return PurgeProof(NONE, snapshots)
            done = await _rewrite(store, told)
            return PurgeProof(REWRITTEN if done else NOT_PERMITTED, snapshots)
    except TimeoutError:
        raise StoreUnavailable(
            "the store has not rewritten its append-only file in time", hint="is its disk full, or its machine overloaded?"
        ) from None


async def grown(store: Store) -> bool:
    """Whether the append-only file has grown since it was rewritten: only then can anything deleted be in it.

    Raises StoreUnavailable.
    """
    told = await _persistence(store) or {}
    return told.get("aof_enabled") == "1" and told.get("aof_current_size") != told.get("aof_base_size")


async def _rewrite(store: Store, told: Mapping[str, str] | None) -> bool:
    """False: the server does not let us. A rewrite that goes on already may have begun before the keys were destroyed."""
    pause = LOOK_EVERY_S
    begun: int | None = None
    while True:
        if told is None:
            return False
        busy = told.get("aof_rewrite_in_progress") != "0" or told.get("aof_rewrite_scheduled") != "0"
        if begun is not None and not busy and int(told.get("aof_rewrites", begun + 1)) > begun:
            if told.get("aof_last_bgrewrite_status") != "ok":
                raise StoreUnavailable("the store could not rewrite its append-only file", hint="is its disk full?")
            return True
        if begun is None and not busy:
            before = int(told.get("aof_rewrites", 0))
            if not await _begin(store):
                return False
            begun = before
        else:
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, LONGEST_LOOK_S)
        told = await _persistence(store)


async def _begin(store: Store) -> bool:
    """False: not permitted. That another one began in this moment is as good: it began after the keys were destroyed."""
    async with store.answers() as client:
        try:
            await client.bgrewriteaof()
        except ResponseError as error:
            return "in progress" in str(error)
    return True


async def _persistence(store: Store) -> Mapping[str, str] | None:
    """What INFO says of persistence; None: it is not permitted."""
    async with store.answers() as client:
        try:
            told: Any = await client.info("persistence")
        except ResponseError:
            return None
    return {str(name): str(value) for name, value in told.items()}


async def _snapshots(store: Store) -> str:
    async with store.answers() as client:
        try:
            told: Any = await client.config_get("save")
        except ResponseError:
            return "unknown"
    return "kept" if any(bool(value) for value in told.values()) else "none"
