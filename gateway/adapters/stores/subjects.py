"""Which calls are whose: a person is the keyed hash of a number, and no number stands in the store (promise 19).

``sordino:{tenant}:subject:<hash>`` is a sorted set of calls by their beginning, ``…:subject-of`` a hash of call to person,
``…:subjects`` a sorted set of persons by when they were last on a call, ``…:restricted`` a hash of person to time. The last one
outlives an erasure: who asked that nothing is done with their calls did not ask to be forgotten as somebody who asked.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.adapters.stores import names
from gateway.adapters.stores.call_index import LIVES_S, SUBJECT_OF, index_key
from gateway.adapters.stores.line import Script
from gateway.adapters.stores.redis import Store
from gateway.errors import StoreUnavailable
from gateway.values import CallId, TenantId

PAGE = 500
_SAME_MOMENT = timedelta(milliseconds=1)
"""A time that went through the store and back is the same to this."""

_ARRIVE = Script("""
local of = redis.call('HGET', KEYS[3], ARGV[2])
if of and of ~= ARGV[1] then
  redis.call('ZREM', KEYS[5] .. of, ARGV[2])
  if redis.call('ZCARD', KEYS[5] .. of) == 0 then redis.call('ZREM', KEYS[2], of) end
end
redis.call('ZADD', KEYS[1], 'LT', ARGV[3], ARGV[2])
redis.call('ZADD', KEYS[2], 'GT', ARGV[3], ARGV[1])
redis.call('HSET', KEYS[3], ARGV[2], ARGV[1])
redis.call('PERSIST', KEYS[6])
return redis.call('HGET', KEYS[4], ARGV[1])
""")
"""Notes a call of a person in one step, and tells since when their data is restricted. Where its evidence is, is kept with it."""

_FORGET = Script("""
for i = 3, #ARGV do
  redis.call('ZREM', KEYS[1], ARGV[i])
  if redis.call('HGET', KEYS[3], ARGV[i]) == ARGV[1] then redis.call('HDEL', KEYS[3], ARGV[i]) end
  redis.call('EXPIRE', KEYS[4] .. ':' .. ARGV[i], ARGV[2])
end
local left = redis.call('ZCARD', KEYS[1])
if left == 0 then redis.call('ZREM', KEYS[2], ARGV[1]) end
return left
""")
"""Calls of one person are no longer theirs; a person without calls is nobody here. A call that came meanwhile stays."""


class RedisSubjects:
    """Every method raises StoreUnavailable when the store does not answer."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def note(self, tenant: TenantId, subject: str, call: CallId, at: datetime) -> None:
        """This call is this person's. Twice is as good as once."""
        await self.arrive(tenant, subject, call, at)

    async def arrive(self, tenant: TenantId, subject: str, call: CallId, at: datetime) -> datetime | None:
        """Note the call, and tell since when this person's data is restricted; None: it is not. One exchange."""
        others = [names.key(tenant, "restricted"), names.key(tenant, "subject") + ":", index_key(tenant, call)]
        found: Any = await self._store.run(_ARRIVE, [*self._keys(tenant, subject), *others], subject, call, _score(at))
        return None if found is None else _moment(found)

    async def calls(self, tenant: TenantId, subject: str) -> list[CallId]:
        """The calls of this person, the oldest first."""
        found: Any = await self._store.ask("ZRANGE", names.key(tenant, "subject", subject), 0, -1)
        return [CallId(name.decode()) for name in found]

    async def of_call(self, tenant: TenantId, call: CallId) -> str | None:
        """Whose call it is; None: of nobody whose number was known."""
        found: Any = await self._store.ask("HGET", names.key(tenant, SUBJECT_OF), call)
        return None if found is None else bytes(found).decode()

    async def seen(self, tenant: TenantId, subject: str) -> datetime | None:
        """When this person was last on a call; None: never, or it was forgotten."""
        found: Any = await self._store.ask("ZSCORE", names.key(tenant, "subjects"), names.checked(subject))
        return None if found is None else datetime.fromtimestamp(float(found), UTC)

    async def everybody(self, tenant: TenantId) -> AsyncIterator[tuple[str, datetime]]:
        """Every person with when they were last on a call, the longest ago first."""
        key, since, same = names.key(tenant, "subjects"), "-inf", 0
        while page := await self._store.ask("ZRANGEBYSCORE", key, since, "+inf", "WITHSCORES", "LIMIT", same, PAGE):
            for name, score in zip(page[::2], page[1::2], strict=True):
                since, same = (since, same + 1) if score == since else (score, 1)
                yield name.decode(), datetime.fromtimestamp(float(score), UTC)

    async def forget(
        self, tenant: TenantId, subject: str, calls: Sequence[CallId] | None = None, *, until: datetime | None = None
    ) -> int:
        """These calls are no longer this person's: those named, else those begun up to ``until``, else all. How many are left."""
        key = names.key(tenant, "subject", subject)
        latest = "+inf" if until is None else _score(until + _SAME_MOMENT)
        found: Any = await self._store.ask("ZRANGEBYSCORE", key, "-inf", latest) if calls is None else []
        known = [name.decode() for name in found] if calls is None else list(calls)
        left, keys = 0, [*self._keys(tenant, subject), names.key(tenant, "evidence")]
        for at in range(0, max(1, len(known)), PAGE):
            left = int(await self._store.run(_FORGET, keys, subject, LIVES_S, *known[at : at + PAGE]))
        return left

    async def restrict(self, tenant: TenantId, subject: str, at: datetime) -> datetime:
        """Nothing but storage from now on. Since when it is so: the first time counts."""
        key, since = names.key(tenant, "restricted"), at.astimezone(UTC).isoformat(timespec="microseconds")
        await self._store.ask("HSETNX", key, names.checked(subject), since)
        found: Any = await self._store.ask("HGET", key, subject)
        return _moment(found or since.encode())

    async def lift(self, tenant: TenantId, subject: str) -> bool:
        """The restriction ends. Whether there was one."""
        return bool(int(await self._store.ask("HDEL", names.key(tenant, "restricted"), names.checked(subject))))

    async def restricted(self, tenant: TenantId, subject: str) -> datetime | None:
        """Since when this person's data is restricted; None: it is not."""
        found: Any = await self._store.ask("HGET", names.key(tenant, "restricted"), names.checked(subject))
        return None if found is None else _moment(found)

    def _keys(self, tenant: TenantId, subject: str) -> list[str]:
        return [names.key(tenant, "subject", subject), names.key(tenant, "subjects"), names.key(tenant, SUBJECT_OF)]


def _score(at: datetime) -> str:
    return f"{at.timestamp():.6f}"


def _moment(text: bytes) -> datetime:
    try:
        return datetime.fromisoformat(text.decode("ascii"))
    except ValueError:
        raise StoreUnavailable("the list of restricted persons holds a time that cannot be read", hint="restore it") from None
