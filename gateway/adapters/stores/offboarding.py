"""Where a tenant's end stands: ``sordino:{tenant}:offboarding``, a hash of ``version``, ``state`` and ``leaving``.

Whoever writes says which version was read, so of two gateways, or of a step and a cancellation, one is first and the other knows.
``leaving`` is what calls and requests look at before they begin.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from gateway.adapters.stores import names
from gateway.adapters.stores.line import Script
from gateway.adapters.stores.redis import Store
from gateway.errors import StoreUnavailable, TenantLeaving
from gateway.policy.offboarding import Done, Offboarding, Status, Step, Times
from gateway.values import TenantId

LEAVING = "leaving"

_ALL = names.key("_gateway", "offboardings")
_OVER = names.key("_gateway", "offboarded")

_SAVE = Script("""
local before = redis.call('HGET', KEYS[1], 'version') or '0'
if before ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'state', ARGV[3])
if ARGV[4] == '' then redis.call('HDEL', KEYS[1], 'leaving') else redis.call('HSET', KEYS[1], 'leaving', ARGV[4]) end
return 1
""")


class RedisOffboarding:
    """Every method raises StoreUnavailable, also for a state that cannot be read."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def find(self, tenant: TenantId) -> Offboarding | None:
        """The tenant's end, if it was ever begun."""
        stored: Any = await self._store.ask("HGET", place(tenant), "state")
        return None if stored is None else _read(tenant, stored)

    async def left(self, tenants: Collection[str]) -> frozenset[str]:
        """Those of them that are gone: their keys were destroyed. One exchange, none where nobody is asked about."""
        if not tenants:
            return frozenset()
        asked = sorted(tenants)
        async with self._store.answers() as client:
            exchange = client.pipeline(transaction=False)
            for tenant in asked:
                exchange.hget(place(tenant), "state")
            stored = await exchange.execute()
        found = zip(asked, stored, strict=True)
        return frozenset(tenant for tenant, state in found if state is not None and _read(TenantId(tenant), state).left)

    async def save(self, state: Offboarding, *, before: int) -> bool:
        """Write it in the place of version ``before`` (0: there was none). False: another one has written meanwhile."""
        if state.status is Status.ACTIVE and len(state.steps) == 1:
            await self._store.ask("SADD", _ALL, state.tenant)
        leaving = "" if state.stays else state.id
        written: Any = await self._store.run(_SAVE, [place(state.tenant)], before, state.version, _line(state), leaving)
        return int(written) == 1

    async def all(self) -> tuple[TenantId, ...]:
        """Every tenant whose end is not over, or was not seen to be, sorted."""
        return tuple(TenantId(each.decode()) for each in sorted(await self._store.ask("SMEMBERS", _ALL)))

    async def rest(self, tenant: TenantId) -> None:
        """Nothing is to be done for it any more, unless it was begun anew meanwhile."""
        state = await self.find(tenant)
        await self._store.ask("SADD" if state is not None and state.status is Status.DONE else "SREM", _OVER, tenant)
        await self._store.ask("SREM", _ALL, tenant)
        state = await self.find(tenant)
        if state is not None and not state.over:
            await self._store.ask("SADD", _ALL, tenant)

    async def over(self) -> tuple[TenantId, ...]:
        """Every tenant that has left, sorted: of those nothing is kept but what outlives them."""
        return tuple(TenantId(each.decode()) for each in sorted(await self._store.ask("SMEMBERS", _OVER)))

    async def check(self, tenant: TenantId) -> None:
        """Raises TenantLeaving: the tenant's account is ending, or has ended."""
        if await self._store.ask("HEXISTS", place(tenant), LEAVING):
            raise is_leaving()

    async def keep_certificate(self, tenant: TenantId, document: bytes) -> None:
        """The certificate of the end; the first one stays."""
        await self._store.ask("HSETNX", place(tenant), "certificate", document)

    async def certificate(self, tenant: TenantId) -> bytes | None:
        """The certificate of the end; None: it has not ended."""
        stored: Any = await self._store.ask("HGET", place(tenant), "certificate")
        return None if stored is None else bytes(stored)


def place(tenant: str) -> str:
    """The name of the tenant's end in the store. Raises InvalidRequest."""
    return names.key(tenant, "offboarding")


def is_leaving() -> TenantLeaving:
    """What who asks for a call or a request of such a tenant is told."""
    return TenantLeaving(
        "this tenant's account is ending: nothing new begins",
        hint="who ends it can say why: sordino tenants offboard TENANT --status",
        reasons=("the tenant is being offboarded",),
    )


def _line(state: Offboarding) -> str:
    steps = {
        step.value: {
            "begun": done.begun.isoformat(),
            "ended": done.ended.isoformat() if done.ended else None,
            "waits": list(done.waits),
            "facts": dict(done.facts),
        }
        for step, done in state.steps.items()
    }
    times = state.times
    facts = {
        "id": state.id,
        "reason": state.reason,
        "by": state.by,
        "announced": state.announced.isoformat(),
        "times": [each.isoformat() for each in _times(times)],
        "status": state.status.value,
        "steps": steps,
        "version": state.version,
        "taken_back": state.taken_back,
    }
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":"))


def _times(times: Times) -> tuple[datetime, ...]:
    return times.ends, times.data_from, times.data_by, times.contact_from, times.contact_by


def _read(tenant: TenantId, stored: bytes) -> Offboarding:
    try:
        facts: Mapping[str, Any] = json.loads(stored)
        return Offboarding(
            id=facts["id"],
            tenant=tenant,
            reason=facts["reason"],
            by=facts["by"],
            announced=datetime.fromisoformat(facts["announced"]),
            times=Times(*(datetime.fromisoformat(each) for each in facts["times"])),
            status=Status(facts["status"]),
            steps={Step(name): _done(each) for name, each in facts["steps"].items()},
            version=facts["version"],
            taken_back=(str(back[0]), str(back[1])) if (back := facts.get("taken_back")) else None,
        )
    except (ValueError, KeyError, TypeError):
        raise StoreUnavailable("what is known of a tenant's end cannot be read", hint="restore it from a backup") from None


def _done(facts: Mapping[str, Any]) -> Done:
    ended = datetime.fromisoformat(facts["ended"]) if facts["ended"] else None
    return Done(datetime.fromisoformat(facts["begun"]), ended, tuple(facts["waits"]), facts["facts"])
