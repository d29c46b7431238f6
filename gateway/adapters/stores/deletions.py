"""Deletions that were decided and are not certified yet: ``sordino:{tenant}:deletions``, from thing to what is to be done.

A deletion is decided by one script, and only if no hold was placed since its asker looked (``holds``). From then on it happens,
whoever asks or dies: what is left in this place is finished by any gateway. ``…:deletions:due`` says when another one may take
it over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gateway.adapters.stores import names
from gateway.adapters.stores.line import Script
from gateway.adapters.stores.redis import Store
from gateway.errors import StoreUnavailable
from gateway.values import DataClass, TenantId

RETENTION = "retention"
"""The lease of whoever looks after a tenant's retention (``gateway.adapters.stores.lease``)."""
LEASE_S = 300
"""How long whoever works on a deletion has it for itself."""

_NOT_HOLDER = -2

_CLAIM = Script("""
if ARGV[3] ~= '' and redis.call('GET', KEYS[5]) ~= ARGV[3] then return {-2} end
if (redis.call('GET', KEYS[1]) or '0') ~= ARGV[1] then return {-1} end
local last = redis.call('XREVRANGE', KEYS[4], '+', '-', 'COUNT', 1)[1]
local seq = last and string.match(last[1], '^(%d+)-') or '0'
local due = tonumber(redis.call('TIME')[1]) + ARGV[2]
local found = {1}
for i = 4, #ARGV, 2 do
  redis.call('HSETNX', KEYS[2], ARGV[i], seq .. '|' .. ARGV[i + 1])
  redis.call('ZADD', KEYS[3], due, ARGV[i])
  found[#found + 1] = redis.call('HGET', KEYS[2], ARGV[i])
end
return found
""")
"""Decides deletions, if no hold has come or gone since and the asker still has its lease; what was decided before stays so."""

_TAKE = Script("""
local now = tonumber(redis.call('TIME')[1])
local found = {}
for _, field in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, ARGV[2])) do
  redis.call('ZADD', KEYS[2], now + ARGV[1], field)
  local intent = redis.call('HGET', KEYS[1], field)
  if intent then found[#found + 1] = intent else redis.call('ZREM', KEYS[2], field) end
end
return found
""")
"""What was decided and nobody works on any more; it is ours for a while."""

_FINISH = Script("""
redis.call('HSETNX', KEYS[3], ARGV[2], ARGV[3])
redis.call('SADD', KEYS[4], ARGV[2])
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return redis.call('HGET', KEYS[3], ARGV[2])
""")
"""The certificate is kept, and with it the deletion is over. Of two certificates of one deletion the first counts."""


class LeaseLost(StoreUnavailable):
    """Somebody else does by now what only one does at a time: nothing was decided."""


@dataclass(frozen=True, slots=True)
class Intent:
    """One deletion that was decided. ``after``: the place in the tenant's chain behind which its evidence stands."""

    deletion: str
    holding: str
    data_class: DataClass
    id: str
    since: datetime
    why: str
    by: str
    decided: datetime
    key_id: str = ""
    keep: timedelta | None = None
    after: int = 0

    @property
    def field(self) -> str:
        """Its name among a tenant's deletions: two deletions of one thing are one."""
        return f"{self.holding}/{self.id}"


class RedisDeletions:
    """Every method raises StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def claim(
        self, tenant: TenantId, intents: Sequence[Intent], holds_version: str, *, holder: str = ""
    ) -> list[Intent] | None:
        """Decide these deletions; as they stand then, with what was decided before. None: a hold has come or gone since.

        ``holder``: who must have the tenant's lease of ``RETENTION`` in this very moment. Raises LeaseLost where another has.
        """
        keys = [
            names.key(tenant, "holds", "version"),
            names.key(tenant, "deletions"),
            names.key(tenant, "deletions", "due"),
            names.key(tenant, "evidence"),
            names.key(tenant, "lease", RETENTION),
        ]
        parts = [part for intent in intents for part in (intent.field, _line(intent))]
        found: Any = await self._store.run(_CLAIM, keys, holds_version, LEASE_S, holder, *parts)
        if int(found[0]) == _NOT_HOLDER:
            raise LeaseLost("another gateway looks after retention by now")
        return None if int(found[0]) < 0 else [intent_of(each) for each in found[1:]]

    async def take(self, tenant: TenantId, most: int) -> list[Intent]:
        """Up to ``most`` deletions that nobody works on any more; now they are ours for a while."""
        keys = [names.key(tenant, "deletions"), names.key(tenant, "deletions", "due")]
        found: Any = await self._store.run(_TAKE, keys, LEASE_S, most)
        return [intent_of(each) for each in found]

    async def pending(self, tenant: TenantId) -> list[Intent]:
        """What was decided and is not certified yet."""
        async with self._store.answers() as client:
            found: Any = await client.hvals(names.key(tenant, "deletions"))
        return [intent_of(each) for each in found]

    async def decided(self, tenant: TenantId, holding: str, id_: str) -> bool:
        """Whether that thing is to go, and is not certified yet."""
        return bool(int(await self._store.ask("HEXISTS", names.key(tenant, "deletions"), f"{holding}/{id_}")))

    async def finish(self, tenant: TenantId, intent: Intent, certificate: str, document: bytes) -> bytes:
        """Keep its certificate, and let go of it. The certificate that counts: an earlier one of the same deletion if any."""
        keys = [
            names.key(tenant, "deletions"),
            names.key(tenant, "deletions", "due"),
            names.key(tenant, "certificates"),
            names.key(tenant, "certificates", intent.id),
        ]
        found: Any = await self._store.run(_FINISH, keys, intent.field, certificate, document)
        return bytes(found)


def _line(intent: Intent) -> str:
    facts = {
        "d": intent.deletion,
        "h": intent.holding,
        "c": intent.data_class.value,
        "i": intent.id,
        "s": intent.since.isoformat(),
        "w": intent.why,
        "b": intent.by,
        "t": intent.decided.isoformat(),
        "k": intent.key_id,
        "l": None if intent.keep is None else intent.keep.total_seconds(),
    }
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":"))


def intent_of(stored: bytes) -> Intent:
    after, _, line = bytes(stored).decode().partition("|")
    try:
        facts: Mapping[str, Any] = json.loads(line)
        return Intent(
            deletion=facts["d"],
            holding=facts["h"],
            data_class=DataClass(facts["c"]),
            id=facts["i"],
            since=datetime.fromisoformat(facts["s"]),
            why=facts["w"],
            by=facts["b"],
            decided=datetime.fromisoformat(facts["t"]),
            key_id=facts["k"],
            keep=None if facts["l"] is None else timedelta(seconds=facts["l"]),
            after=int(after),
        )
    except (ValueError, KeyError, TypeError):
        raise StoreUnavailable("a deletion that was decided cannot be read", hint="restore it from a backup") from None
