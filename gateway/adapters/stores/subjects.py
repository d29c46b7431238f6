"""Which calls are whose: a person is the keyed hash of a number, and no number stands in the store (promise 19).

``sordino:{tenant}:subject:<hash>`` is a sorted set of calls by their beginning, ``…:subject-of`` a hash of call to person,
``…:subjects`` a sorted set of persons by when they were last on a call, ``…:restricted`` a hash of person to time. The last one
outlives an erasure: who asked that nothing is done with their calls did not ask to be forgotten as somebody who asked. A person
by number stays in ``…:subjects`` when the last of their calls has gone (``gone``): number data has a time of its own.

What was spoken on a call, where the policy wants to find it by that, is such a person too (``spoken_…``, see
``gateway.adapters.keys.spoken``). A call has one number at most, and may have several of these: their set is
``…:spoken-of:<call>``.
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
for i = 4, #ARGV do
  redis.call('ZREM', KEYS[1], ARGV[i])
  redis.call('SREM', KEYS[5] .. ARGV[i], ARGV[1])
  if redis.call('HGET', KEYS[3], ARGV[i]) == ARGV[1] then redis.call('HDEL', KEYS[3], ARGV[i]) end
  redis.call('EXPIRE', KEYS[4] .. ':' .. ARGV[i], ARGV[2])
end
local left = redis.call('ZCARD', KEYS[1])
if left == 0 and ARGV[3] == '' then redis.call('ZREM', KEYS[2], ARGV[1]) end
return left
""")
"""Calls of one person are no longer theirs; a person without calls is nobody here, unless their hash is to stay. A call that came
meanwhile stays."""


_SPOKEN = Script("""
if ARGV[4] ~= '' then
  redis.call('ZREM', KEYS[4] .. ARGV[4], ARGV[2])
  redis.call('SREM', KEYS[3], ARGV[4])
  if redis.call('ZCARD', KEYS[4] .. ARGV[4]) == 0 then redis.call('ZREM', KEYS[2], ARGV[4]) end
end
if ARGV[1] ~= '' then
  redis.call('ZADD', KEYS[1], 'LT', ARGV[3], ARGV[2])
  redis.call('ZADD', KEYS[2], 'GT', ARGV[3], ARGV[1])
  redis.call('SADD', KEYS[3], ARGV[1])
end
return 1
""")
"""Notes what was spoken on a call in one step, in the place of what it was taken for before more of it was said."""


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

    async def spoken(self, tenant: TenantId, subject: str, call: CallId, at: datetime, *, instead_of: str = "") -> None:
        """This was said on that call; ``instead_of``: what was taken for it before, when less of it had been said.

        An empty ``subject``: nothing takes that one's place.
        """
        keys = [
            names.key(tenant, "subject", subject or instead_of),
            names.key(tenant, "subjects"),
            names.key(tenant, "spoken-of", call),
            names.key(tenant, "subject") + ":",
        ]
        await self._store.run(_SPOKEN, keys, subject, call, _score(at), instead_of and names.checked(instead_of))

    async def spoken_of(self, tenant: TenantId, call: CallId) -> list[str]:
        """Who was named by what was said on this call, sorted."""
        found: Any = await self._store.ask("SMEMBERS", names.key(tenant, "spoken-of", call))
        return sorted(name.decode() for name in found)

    async def theirs(self, tenant: TenantId, subject: str, call: CallId) -> bool:
        """Whether this call is one of this person's."""
        return await self._store.ask("ZSCORE", names.key(tenant, "subject", subject), names.checked(call)) is not None

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
        return await self._forget(tenant, subject, calls, until, stays=False)

    async def gone(self, tenant: TenantId, subject: str, call: CallId) -> int:
        """That call is no longer this person's; they stay known, also without calls. How many are left."""
        return await self._forget(tenant, subject, [call], None, stays=True)

    async def _forget(
        self, tenant: TenantId, subject: str, calls: Sequence[CallId] | None, until: datetime | None, *, stays: bool
    ) -> int:
        key, stay = names.key(tenant, "subject", subject), "stays" if stays else ""
        latest = "+inf" if until is None else _score(until + _SAME_MOMENT)
        found: Any = await self._store.ask("ZRANGEBYSCORE", key, "-inf", latest) if calls is None else []
        known = [name.decode() for name in found] if calls is None else list(calls)
        left, keys = 0, [*self._keys(tenant, subject), names.key(tenant, "evidence"), names.key(tenant, "spoken-of") + ":"]
        for at in range(0, max(1, len(known)), PAGE):
            left = int(await self._store.run(_FORGET, keys, subject, LIVES_S, stay, *known[at : at + PAGE]))
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
