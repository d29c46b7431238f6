"""The case book's store: for each case a list of events that is only ever added to, ``sordino:{tenant}:case:<id>``.

``sordino:{tenant}:cases`` has every case by the time of its opening, ``…:cases:live`` those with which something is still to be
done, ``…:cases:unproven`` those with events that the evidence may not have yet, ``…:cases:proven`` how many it has of each case,
and its last entry's hash.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from gateway.adapters.stores import names
from gateway.adapters.stores.redis import Store
from gateway.errors import StoreUnavailable
from gateway.policy.cases import CaseEvent
from gateway.values import TenantId

AT_ONCE = 500

_ADD = """
if redis.call('LLEN', KEYS[1]) ~= tonumber(ARGV[2]) then return 0 end
redis.call('RPUSH', KEYS[1], unpack(ARGV, 5))
if ARGV[2] == '0' then redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1]) end
if ARGV[4] == 'live' then redis.call('SADD', KEYS[3], ARGV[1]) else redis.call('SREM', KEYS[3], ARGV[1]) end
redis.call('SADD', KEYS[4], ARGV[1])
return 1
"""
"""Adds events behind those that the writer has seen, or not at all: what two gateways decide at once is decided one by one."""

_PROVEN = """
local before = redis.call('HGET', KEYS[2], ARGV[1])
if not before or tonumber(string.match(before, '^%d+')) < tonumber(ARGV[3]) then redis.call('HSET', KEYS[2], ARGV[1], ARGV[2]) end
if redis.call('LLEN', KEYS[3]) == tonumber(ARGV[3]) then redis.call('SREM', KEYS[1], ARGV[1]) end
return 1
"""


class RedisCases:
    """Implements ``gateway.runner.cases.CaseLog``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def events(self, tenant: TenantId, case_id: str) -> tuple[CaseEvent, ...]:
        """Every event of the case, the oldest first; none: there is no such case.

        Raises:
            StoreUnavailable: the store did not answer, or has an event that cannot be read.
            InvalidRequest: the id is none.
        """
        async with self._store.answers() as client:
            lines: Any = await client.lrange(names.key(tenant, "case", case_id), 0, -1)
        return _read(lines)

    async def add(self, tenant: TenantId, case_id: str, seen: int, events: Sequence[CaseEvent], *, live: bool) -> bool:
        """Add ``events`` if the case still has ``seen`` of them. False: somebody else was first; read again.

        ``live``: whether something is still to be done behind them: it is open, or a letter waits.

        Raises:
            StoreUnavailable: they may or may not be there.
        """
        if not events:
            return True
        state, since = "live" if live else "over", events[0].at.timestamp()
        keys = [
            names.key(tenant, "case", case_id),
            *(names.key(tenant, "cases", *each) for each in ((), ("live",), ("unproven",))),
        ]
        arguments = [case_id, str(seen), repr(since), state, *(_line(event) for event in events)]
        async with self._store.answers() as client:
            added: Any = await client.eval(_ADD, len(keys), *keys, *arguments)
        return bool(added)

    async def claim(self, tenant: TenantId, what: str, *, for_s: int) -> bool:
        """Whether nobody else has claimed ``what`` in the last ``for_s`` seconds. Raises StoreUnavailable."""
        async with self._store.answers() as client:
            return bool(await client.set(_claim(tenant, what), b"", nx=True, ex=for_s))

    async def release(self, tenant: TenantId, what: str) -> None:
        """Others may claim it again. Raises StoreUnavailable."""
        async with self._store.answers() as client:
            await client.delete(_claim(tenant, what))

    async def ids(self, tenant: TenantId, *, live_only: bool = False) -> tuple[str, ...]:
        """The tenant's cases, the oldest first. Raises StoreUnavailable."""
        key = names.key(tenant, "cases")
        async with self._store.answers() as client:
            if not live_only:
                everyone: Any = await client.zrange(key, 0, -1)
                return tuple(each.decode() for each in everyone)
            live: Any = await client.smembers(names.key(tenant, "cases", "live"))
            since: Any = await client.zmscore(key, list(live)) if live else []
        found = sorted((at or 0.0, each.decode()) for at, each in zip(since, live, strict=True))
        return tuple(each for _, each in found)

    async def many(self, tenant: TenantId, ids: Sequence[str]) -> tuple[tuple[CaseEvent, ...], ...]:
        """The events of each of these cases. Raises StoreUnavailable."""
        found: list[tuple[CaseEvent, ...]] = []
        for start in range(0, len(ids), AT_ONCE):
            async with self._store.answers() as client:
                exchange = client.pipeline(transaction=False)
                for each in ids[start : start + AT_ONCE]:
                    exchange.lrange(names.key(tenant, "case", each), 0, -1)
                found += [_read(lines) for lines in await exchange.execute()]
        return tuple(found)

    async def unproven(self, tenant: TenantId) -> tuple[str, ...]:
        """Cases with events that the evidence may not have. Raises StoreUnavailable."""
        async with self._store.answers() as client:
            found: Any = await client.smembers(names.key(tenant, "cases", "unproven"))
        return tuple(sorted(each.decode() for each in found))

    async def proven(self, tenant: TenantId, case_id: str) -> tuple[int, str]:
        """How many of its events the evidence has, and the hash of the last one's entry (empty: none). Raises like ``ids``."""
        async with self._store.answers() as client:
            found: Any = await client.hget(names.key(tenant, "cases", "proven"), names.checked(case_id))
        if found is None:
            return 0, ""
        count, _, head = found.decode().partition(" ")
        return int(count), head

    async def prove(self, tenant: TenantId, case_id: str, count: int, head: str) -> None:
        """The evidence has the first ``count`` events; ``head`` is the hash of the last one's entry. Raises StoreUnavailable."""
        parts = (("cases", "unproven"), ("cases", "proven"), ("case", case_id))
        keys = [names.key(tenant, *each) for each in parts]
        async with self._store.answers() as client:
            await client.eval(_PROVEN, len(keys), *keys, case_id, f"{count} {head}", str(count))


def _claim(tenant: TenantId, what: str) -> str:
    return names.key(tenant, "cases", "claim", sha256(what.encode()).hexdigest())


def _line(event: CaseEvent) -> str:
    body: dict[str, object] = {"what": event.what, "at": event.at.isoformat(), "facts": dict(event.facts)}
    if event.notes:
        body["notes"] = dict(event.notes)
    if event.deadlines:
        body["deadlines"] = {name: at.isoformat() for name, at in event.deadlines.items()}
    if event.meets:
        body["meets"] = list(event.meets)
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _read(lines: Sequence[bytes]) -> tuple[CaseEvent, ...]:
    try:
        return tuple(_event(line) for line in lines)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise StoreUnavailable("the case book holds an event that cannot be read", hint="restore it from a backup") from None


def _event(line: bytes) -> CaseEvent:
    body = json.loads(line)
    deadlines = {str(name): _aware(at) for name, at in body.get("deadlines", {}).items()}
    notes = {str(name): str(text) for name, text in body.get("notes", {}).items()}
    meets = tuple(str(name) for name in body.get("meets", ()))
    return CaseEvent(str(body["what"]), _aware(body["at"]), dict(body["facts"]), notes, deadlines, meets)


def _aware(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without its zone")
    return at
