"""Keys as their operator sees them: which there are, and another one in place of each, while calls go on (promise 25)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from gateway.adapters.keys.change import MasterChange
from gateway.adapters.stores.key_changes import Beat, KeyChanges, TenantKeyFacts
from gateway.adapters.stores.lease import RedisLease
from gateway.errors import InvalidRequest, NotFound, StoreUnavailable
from gateway.evidence.entries import Json
from gateway.locks import KeyShelf, PurgeProof
from gateway.ports import Clock, Ids, Ledger
from gateway.runner.account import CallAccount
from gateway.values import CallId, TenantId

ROTATED = "keys.rotated"
HOUSE, LEASE, LEASE_S = "_gateway", "keys", 60.0
"""Keys are changed by one at a time: two who end each other's change could end a key that is still needed."""


@dataclass(frozen=True, slots=True)
class KeyDeskParts:
    """What the desk stands on. ``adopt`` takes the keys that older recordings carry onto the shelf, and counts those that it
    cannot reach.
    """

    shelf: KeyShelf
    changes: Callable[[Beat | None], KeyChanges]
    lease: RedisLease
    ledger: Ledger
    clock: Clock
    ids: Ids
    adopt: Callable[[], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a change that is done. ``name`` is a word of ours, ``told`` a sentence for the operator, or empty."""

    name: str
    told: str = ""


class KeyDesk:
    """A change is an iteration over its steps: who stops it, or is killed, begins it again and it goes on from there.

    Every method raises StoreUnavailable, EvidenceUnavailable and Misconfigured.
    """

    def __init__(self, parts: KeyDeskParts) -> None:
        self._p = parts
        self._changes = parts.changes(self._hold)

    async def list(self) -> tuple[list[TenantKeyFacts], Mapping[TenantId, Mapping[str, int]]]:
        """Every tenant's key, and how many keys of calls each has, by class of data."""
        changes = self._p.changes(None)
        return await changes.facts(), await changes.count_calls()

    async def rotate_master(self, change: MasterChange) -> AsyncIterator[Step]:
        """Another master key. Gateways that run go on: they know both until everything is locked with the new one."""
        async with self._alone():
            target = await change.begin()
            yield Step("made", f"the new master key is {target.id}")
            changed = await self._changes.lock_tenants_by(target)
            await self._hold()
            yield Step("locked", f"{len(changed)} tenant key(s) are locked with it")
            change.promote()
            yield Step("promoted")
            # A gateway may have made a tenant's first key while the new one took its place.
            changed |= await self._changes.lock_tenants_by(target)
            yield Step("checked")
            for facts in await self._changes.facts():
                await self._write(facts.tenant, {"what": "master", "key_id": facts.key_id, "locked_by": target.id})
            yield Step("written")
            yield Step("purged", _told(await self._p.shelf.purge()))
            await self._hold()
            if left := await self._p.adopt():
                told = f"{left} recording(s) elsewhere carry their own key, locked with the old one: it is still read"
                yield Step("waiting", told)
            else:
                yield Step("ended", change.end())

    async def rotate_tenant(self, tenant: TenantId) -> AsyncIterator[Step]:
        """Another key for one tenant. Raises NotFound: it has none."""
        async with self._alone():
            if tenant not in {facts.tenant for facts in await self._changes.facts()}:
                raise NotFound("this tenant has no key yet", hint="it gets one with its first call; sordino keys list")
            previous = await self._changes.begin_tenant(tenant)
            yield Step("made")
            calls = await self._changes.lock_calls(tenant)
            yield Step("locked", f"{calls} key(s) of calls are locked with the new one")
            now = await self._changes.current(tenant)
            await self._write(tenant, {"what": "tenant", "key_id": now, "previous": previous, "calls": calls})
            yield Step("written")
            await self._changes.end_tenant(tenant, now)
            yield Step("ended", f"the key of {tenant} is {now}")
            yield Step("purged", _told(await self._p.shelf.purge()))

    async def _hold(self) -> None:
        if not await self._p.lease.take(HOUSE, LEASE, for_s=LEASE_S):
            raise InvalidRequest("keys are being changed by somebody else", hint=f"try again in {LEASE_S:.0f} seconds")

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        await self._hold()
        try:
            yield
        finally:
            with suppress(StoreUnavailable):
                await self._p.lease.leave(HOUSE, LEASE)

    async def _write(self, tenant: TenantId, facts: Mapping[str, Json]) -> None:
        account = CallAccount(tenant, CallId(self._p.ids.new("keys")), self._p.ledger, self._p.clock)
        await account.write(ROTATED, facts)


def _told(proof: PurgeProof) -> str:
    return {
        "rewritten": "the append-only file of the store was written anew: nothing of the old keys is in it",
        "none": "the store writes no append-only file",
    }.get(proof.append_only_file, "the store does not let us rewrite its append-only file: ask its operator (BGREWRITEAOF)")
