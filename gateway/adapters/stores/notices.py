"""The notice log: for each tenant a list of events that is only ever added to, ``sordino:{tenant}:notices`` (promises 3 to 5)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.adapters.stores import names
from gateway.adapters.stores.redis import Store
from gateway.errors import StoreUnavailable
from gateway.policy.notice import Event, Happened
from gateway.values import ProcessorId, TenantId

_ADD = """
if redis.call('LLEN', KEYS[1]) ~= tonumber(ARGV[1]) then return 0 end
redis.call('RPUSH', KEYS[1], unpack(ARGV, 2))
return 1
"""
"""Adds events behind those that the writer has seen, or not at all: what two gateways decide at once is decided one by one."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read of one tenant's log, and the last line of it as it stands there."""

    events: tuple[Event, ...]
    last: bytes

    @property
    def count(self) -> int:
        return len(self.events)


_NOTHING = _Read((), b"")


class RedisNoticeLog:
    """Implements ``gateway.runner.notices.NoticeLog``."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read: dict[TenantId, _Read] = {}

    async def events(self, tenant: TenantId) -> tuple[Event, ...]:
        """Every event of the tenant, the oldest first: the very same tuple as long as nothing was added.

        Raises:
            StoreUnavailable: the store did not answer, or has an event that cannot be read: then nobody knows what is permitted.
        """
        key, before = names.key(tenant, "notices"), self._read.get(tenant, _NOTHING)
        new: Any
        async with self._store.answers() as client:
            # From the last one that was read on, so that a log that was put in its place is noticed.
            new = await client.lrange(key, max(0, before.count - 1), -1)
            if before.count and (not new or new[0] != before.last):
                before, new = _NOTHING, await client.lrange(key, 0, -1)
        more = new[1:] if before.count else new
        if not more:
            return before.events
        try:
            read = _Read((*before.events, *(_event(line) for line in more)), more[-1])
        except (ValueError, KeyError, TypeError, AttributeError):
            raise StoreUnavailable("the notice log holds an event that cannot be read", hint="restore it from a backup") from None
        self._read[tenant] = read
        return read.events

    async def add(self, tenant: TenantId, seen: int, events: Sequence[Event]) -> bool:
        """Add ``events`` if the log still has ``seen`` events. False: somebody else was first; read again.

        Raises:
            StoreUnavailable: the store did not answer; they may or may not be there.
        """
        if not events:
            return True
        lines = [_line(event) for event in events]
        async with self._store.answers() as client:
            added: Any = await client.eval(_ADD, 1, names.key(tenant, "notices"), str(seen), *lines)
        return bool(added)


def _line(event: Event) -> str:
    facts = dict(event.facts)
    return json.dumps([event.kind.value, event.at.isoformat(), event.processor, facts], ensure_ascii=False, separators=(",", ":"))


def _event(line: bytes) -> Event:
    kind, at, processor, facts = json.loads(line)
    moment = datetime.fromisoformat(at)
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return Event(Happened(kind), moment, ProcessorId(processor), {str(name): str(value) for name, value in facts.items()})
