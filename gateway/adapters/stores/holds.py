"""Legal holds: ``sordino:{tenant}:holds``, from id to order, and ``…:holds:version``, which every change moves (promise 16).

A deletion is decided only if the version is the one under which its asker looked; a hold that is placed is told, in the same
step, what had been decided before it. So of a hold and a deletion at the same moment one was first, and both know which.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from gateway.adapters.stores import names
from gateway.adapters.stores.deletions import Intent, intent_of
from gateway.adapters.stores.line import Script
from gateway.adapters.stores.redis import Store
from gateway.errors import StoreUnavailable
from gateway.policy.retention import Hold, HoldScope
from gateway.values import CallId, DataClass, TenantId

_PLACE = Script("""
redis.call('INCR', KEYS[2])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return redis.call('HVALS', KEYS[3])
""")
_LIFT = Script("""
redis.call('INCR', KEYS[2])
return redis.call('HDEL', KEYS[1], ARGV[1])
""")
_READ = Script("""
return {redis.call('GET', KEYS[2]) or '0', redis.call('HVALS', KEYS[1])}
""")


class RedisHolds:
    """Every method raises StoreUnavailable, also for a hold that cannot be read: then nothing may be deleted."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def place(self, hold: Hold) -> list[Intent]:
        """It is in force. What of the tenant had been decided to be deleted before, and is not certified yet."""
        keys = [*_keys(hold.tenant), names.key(hold.tenant, "deletions")]
        found: Any = await self._store.run(_PLACE, keys, hold.id, _line(hold))
        return [intent_of(each) for each in found]

    async def lift(self, tenant: TenantId, id_: str) -> bool:
        """It is in force no more. False: there was none of this id."""
        return bool(await self._store.run(_LIFT, _keys(tenant), id_))

    async def now(self, tenant: TenantId) -> tuple[str, tuple[Hold, ...]]:
        """The version, and every hold in force, the oldest first."""
        version, found = await self._store.run(_READ, _keys(tenant))
        holds = sorted((_hold(tenant, each) for each in found), key=lambda hold: (hold.placed, hold.id))
        return bytes(version).decode(), tuple(holds)


def _keys(tenant: TenantId) -> list[str]:
    return [names.key(tenant, "holds"), names.key(tenant, "holds", "version")]


def _line(hold: Hold) -> str:
    scope = hold.scope
    facts = {
        "id": hold.id,
        "call": scope.call,
        "subject": scope.subject,
        "class": None if scope.data_class is None else scope.data_class.value,
        "from": None if scope.start is None else scope.start.isoformat(),
        "to": None if scope.end is None else scope.end.isoformat(),
        "reason": hold.reason,
        "approver": hold.approver,
        "review": hold.review.isoformat(),
        "placed": hold.placed.isoformat(),
        "by": hold.by,
    }
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":"))


def _hold(tenant: TenantId, stored: bytes) -> Hold:
    try:
        facts: Mapping[str, Any] = json.loads(stored)
        scope = HoldScope(
            call=None if facts["call"] is None else CallId(facts["call"]),
            subject=facts["subject"],
            data_class=None if facts["class"] is None else DataClass(facts["class"]),
            start=_moment(facts["from"]),
            end=_moment(facts["to"]),
        )
        review, placed = date.fromisoformat(facts["review"]), datetime.fromisoformat(facts["placed"])
        return Hold(facts["id"], tenant, scope, facts["reason"], facts["approver"], review, placed, facts["by"])
    except (ValueError, KeyError, TypeError):
        raise StoreUnavailable("a legal hold in the store cannot be read", hint="restore it from a backup") from None


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
