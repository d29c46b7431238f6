"""Which conversations of the model proxy nobody has used for a while: ``sordino:{tenant}:idle``, calls by when they are due.

A conversation is due shortly before its vault dies of age. Every exchange that keeps it alive moves the day; whoever ends one
takes it with a lease, so that of many gateways one does, and another one if that one died over it.
"""

from __future__ import annotations

from typing import Any

from gateway.adapters.stores import names
from gateway.adapters.stores.line import Script
from gateway.adapters.stores.redis import Store
from gateway.values import CallId, TenantId

LEAD_S = 300
"""How long before its vault is forgotten a conversation is due, at most; a quarter of its life where that is less."""
LEASE_S = 120
ENDED_S = 24 * 60 * 60
"""How long it is known that a conversation has ended."""

TOUCH = """
local function touch(idle, call, ttl, lead)
  local now = tonumber(redis.call('TIME')[1])
  local due = redis.call('ZSCORE', idle, call)
  if due and tonumber(due) - now > tonumber(lead) then return false end
  redis.call('ZADD', idle, now + ttl - lead, call)
  return true
end
"""
"""Used in scripts. Writes only when the conversation is new, or nearly due: reading costs no write."""

_CLAIM = Script("""
local now = tonumber(redis.call('TIME')[1])
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[2])
for _, call in ipairs(due) do redis.call('ZADD', KEYS[1], now + ARGV[1], call) end
return {now + ARGV[1], due}
""")
_CLOSE = Script("""
if tonumber(redis.call('ZSCORE', KEYS[2], ARGV[1]) or '0') ~= tonumber(ARGV[2]) then return {0, ''} end
redis.call('HSET', KEYS[1], 'ended', '1')
redis.call('EXPIRE', KEYS[1], ARGV[3])
return {1, redis.call('HGET', KEYS[1], 'head') or ''}
""")
_POSTPONE = Script("""
return redis.call('ZADD', KEYS[1], 'XX', tonumber(redis.call('TIME')[1]) + ARGV[2], ARGV[1])
""")


def lead_s(ttl_s: int) -> int:
    """How long before the end of a life of ``ttl_s`` a conversation is due."""
    return min(LEAD_S, ttl_s // 4)


def idle_key(tenant: str) -> str:
    return names.key(tenant, "idle")


def parts_of(tenant: str, call: str) -> list[str]:
    """The names of what the store has of a conversation: its key, its values, its texts. Raises InvalidRequest."""
    return [names.key(tenant, "vault", call, part) for part in ("key", "values", "texts")]


class IdleConversations:
    """What ends conversations that nobody ends. Every method raises StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def claim(self, tenant: TenantId, most: int) -> dict[CallId, int]:
        """Conversations that are due, each with its lease; no other gateway gets them for ``LEASE_S``."""
        lease, due = await self._store.run(_CLAIM, [idle_key(tenant)], LEASE_S, most)
        return {CallId(bytes(call).decode()): int(lease) for call in due}

    async def close(self, tenant: TenantId, call: CallId, lease: int) -> str | None:
        """From now on nobody goes on in it. The hash of its last entry of evidence, empty where that is forgotten.

        None: somebody has used it since it was claimed, or another gateway has it.
        """
        keys = [parts_of(tenant, call)[2], idle_key(tenant)]
        done, head = await self._store.run(_CLOSE, keys, call, lease, ENDED_S)
        return bytes(head).decode() if int(done) else None

    async def postpone(self, tenant: TenantId, call: CallId, wait_s: int) -> None:
        """Try again no sooner than that."""
        await self._store.run(_POSTPONE, [idle_key(tenant)], call, wait_s)

    async def destroy(self, tenant: TenantId, call: CallId) -> None:
        """Its key, values and texts are gone, and it is due no more."""
        async with self._store.answers() as client:
            exchange = client.pipeline(transaction=True)
            erase(exchange, tenant, call, ENDED_S)
            await exchange.execute()


def erase(exchange: Any, tenant: str, call: str, ended_s: int) -> None:
    """Adds to an exchange what destroys a conversation and remembers for ``ended_s`` that it has ended."""
    parts = parts_of(tenant, call)
    exchange.delete(*parts)
    exchange.hset(parts[2], "ended", "1")
    exchange.expire(parts[2], ended_s)
    exchange.zrem(idle_key(tenant), call)
