"""Who is not called: those who asked, the do-not-call lists, and how often each was called. Keyed hashes only (promise 31).

``sordino:{tenant}:opted-out`` is a hash of subject to time; ``sordino:{tenant}:list:<name>`` a set of subjects with its dates in
``sordino:{tenant}:lists``; ``sordino:{tenant}:attempts:<subject>`` the calls of the last 24 hours.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

from gateway.adapters.stores import names
from gateway.adapters.stores.redis import Store
from gateway.errors import StoreUnavailable
from gateway.policy.outbound import ListHit
from gateway.values import TenantId

BATCH = 1_000
DRAFT_LIFE_S = 3_600
DAY = timedelta(hours=24)

_OPT_OUT = """
local before = redis.call('HGET', KEYS[1], ARGV[1])
if before and before <= ARGV[2] then return before end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return ARGV[2]
"""
"""The first time counts: from then on they are not to be called."""

_ATTEMPT = """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[2])
local before = redis.call('ZCARD', KEYS[1])
if before >= tonumber(ARGV[3]) then return -1 end
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[4])
redis.call('EXPIRE', KEYS[1], 172800)
return before
"""
"""Counts and takes one of the day's attempts in one step, so two diallers never take the same one."""


@dataclass(frozen=True, slots=True)
class ImportedList:
    """A do-not-call list as it was imported: its own date, when it came in, and how many numbers it has."""

    name: str
    as_of: date
    imported_at: datetime
    numbers: int


class RedisSuppression:
    """Implements ``gateway.runner.outbound.Suppression``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def opt_out(self, tenant: TenantId, subject: str, at: datetime) -> datetime:
        """They are not to be called from ``at`` on. Returns when they first asked. Raises StoreUnavailable."""
        key = names.key(tenant, "opted-out")
        async with self._store.answers() as client:
            first: Any = await client.eval(_OPT_OUT, 1, key, names.checked(subject), _moment(at))
        return _read_moment(first)

    async def opted_out(self, tenant: TenantId, subject: str) -> datetime | None:
        """When they asked not to be called; None: they never did. Raises StoreUnavailable."""
        async with self._store.answers() as client:
            found: Any = await client.hget(names.key(tenant, "opted-out"), names.checked(subject))
        return None if found is None else _read_moment(found)

    async def lift(self, tenant: TenantId, subject: str) -> bool:
        """They may be called again, by their own later word. Whether they were on the list. Raises StoreUnavailable."""
        async with self._store.answers() as client:
            return bool(await client.hdel(names.key(tenant, "opted-out"), names.checked(subject)))

    async def replace_list(
        self, tenant: TenantId, name: str, subjects: Iterable[str], *, as_of: date, imported_at: datetime
    ) -> ImportedList:
        """The list's whole content, in place of what was there: readers see the old one or the new one.

        Raises:
            StoreUnavailable: the store did not answer; the old list is still there, or the new one is.
        """
        key = names.key(tenant, "list", name)
        draft = names.key(tenant, "draft", name, os.urandom(8).hex())
        source, count = iter(subjects), 0
        while batch := list(islice(source, BATCH)):
            async with self._store.answers() as client:
                exchange = client.pipeline(transaction=False)
                exchange.sadd(draft, *batch)
                exchange.expire(draft, DRAFT_LIFE_S)
                await exchange.execute()
            count += len(batch)
        async with self._store.answers() as client:
            total = int(await client.scard(draft))
            imported = ImportedList(name, as_of, imported_at, total)
            exchange = client.pipeline(transaction=True)
            if count:
                exchange.rename(draft, key)
                exchange.persist(key)
            else:
                exchange.delete(key)
            exchange.hset(names.key(tenant, "lists"), name, _line(imported))
            await exchange.execute()
        return imported

    async def lists(self, tenant: TenantId) -> tuple[ImportedList, ...]:
        """Every imported list, by name. Raises StoreUnavailable."""
        async with self._store.answers() as client:
            stored: Any = await client.hgetall(names.key(tenant, "lists"))
        return tuple(sorted((_list(name.decode(), line) for name, line in stored.items()), key=lambda each: each.name))

    async def hits(self, tenant: TenantId, subject: str) -> tuple[ListHit, ...]:
        """What each imported list says of this subject. Raises StoreUnavailable."""
        imported = await self.lists(tenant)
        async with self._store.answers() as client:
            exchange = client.pipeline(transaction=False)
            for each in imported:
                exchange.sismember(names.key(tenant, "list", each.name), subject)
            listed: list[Any] = await exchange.execute() if imported else []
        return tuple(ListHit(each.name, each.as_of, bool(hit)) for each, hit in zip(imported, listed, strict=True))

    async def attempts(self, tenant: TenantId, subject: str, at: datetime) -> int:
        """Calls to them in the 24 hours before ``at``. Raises StoreUnavailable."""
        key = names.key(tenant, "attempts", subject)
        async with self._store.answers() as client:
            return int(await client.zcount(key, f"({(at - DAY).timestamp()}", "+inf"))

    async def take_attempt(self, tenant: TenantId, subject: str, at: datetime, *, most: int) -> bool:
        """Count one more call to them at ``at``, if fewer than ``most`` were made in 24 hours. Raises StoreUnavailable."""
        key, one = names.key(tenant, "attempts", subject), os.urandom(8).hex()
        times = (str(at.timestamp()), str((at - DAY).timestamp()))
        async with self._store.answers() as client:
            before: Any = await client.eval(_ATTEMPT, 1, key, *times, str(most), one)
        return int(before) >= 0


def _moment(at: datetime) -> str:
    """UTC with a fixed number of places, so that texts stand in the order of their times."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _read_moment(text: bytes) -> datetime:
    try:
        return datetime.strptime(text.decode("ascii"), "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        raise StoreUnavailable("the suppression list holds a time that cannot be read", hint="restore it from a backup") from None


def _line(imported: ImportedList) -> str:
    return json.dumps([imported.as_of.isoformat(), imported.imported_at.isoformat(), imported.numbers])


def _list(name: str, line: bytes) -> ImportedList:
    try:
        as_of, imported_at, numbers = json.loads(line)
        return ImportedList(name, date.fromisoformat(as_of), datetime.fromisoformat(imported_at), int(numbers))
    except (ValueError, TypeError):
        raise StoreUnavailable(f"the dates of the do-not-call list {name} cannot be read", hint="import it again") from None
