"""Wiring of the rights of callers: who is who, the desk for their requests, and what of them is read from where."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiohttp import web

from gateway.adapters.keys.subjects import SubjectHash
from gateway.adapters.keys.values import ValueHash
from gateway.adapters.stores import names
from gateway.adapters.stores.call_index import indexed
from gateway.adapters.stores.cases import RedisCases
from gateway.adapters.stores.consents import RedisConsents
from gateway.adapters.stores.conversations import RedisConversations
from gateway.adapters.stores.lease import RedisLease
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.subjects import RedisSubjects
from gateway.adapters.stores.suppression import RedisSuppression
from gateway.errors import SordinoError
from gateway.evidence.canonical import parse
from gateway.evidence.chain import entry_from
from gateway.evidence.entries import Entry
from gateway.governing import Governing
from gateway.holding import DataDesk
from gateway.http.rights import rights_routes
from gateway.keeping import Keys
from gateway.ports import Clock, Ids
from gateway.runner.cases import CaseBook
from gateway.runner.rights import RightsDesk
from gateway.runner.rights_acts import ActParts, Acts
from gateway.runner.rights_callers import homes
from gateway.runner.rights_correct import CorrectConsents, CorrectTranscripts, CorrectVault, RectifyTranscript
from gateway.runner.rights_handout import Kept
from gateway.runner.rights_spoken import CorrectSpoken
from gateway.values import CallId, Private, TenantId

log = logging.getLogger(__name__)

PAGE = 1_000
TOGETHER = 16
"""Calls whose evidence is read at once."""
SMALLEST_TTL_S = 60
LOOK_EVERY_S = 60.0
LEFT_BEHIND = timedelta(minutes=5)
"""An erasure that was begun so long ago and is not ended has nobody any more who works on it."""


@dataclass(frozen=True, slots=True)
class RightingNeeds:
    """What rights stand on: what is kept and how it goes, whom to tell of requests, and where transcripts are corrected."""

    store: Store
    ledger: RedisLedger
    governing: Governing
    keys: Keys
    data: DataDesk
    transcripts: RectifyTranscript
    clock: Clock
    ids: Ids


@dataclass(frozen=True, slots=True)
class Righting:
    """The desk, and who is who."""

    needs: RightingNeeds
    desk: RightsDesk
    persons: RedisSubjects

    async def keep(self) -> None:
        """Finish erasures whose gateway died over them, until cancelled. A failure waits for the next round."""
        needs = self.needs
        lease = RedisLease(needs.store, needs.ids.new("rights"))
        while True:
            for tenant in await self._everybody():
                try:
                    if await lease.take(tenant, "rights", for_s=2 * LOOK_EVERY_S):
                        await self.desk.resume(tenant, begun_before=needs.clock.now() - LEFT_BEHIND)
                except SordinoError as error:
                    log.warning("an erasure of tenant %s could not be finished now: %s", tenant, error.code)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _everybody(self) -> tuple[TenantId, ...]:
        """Also whose file was taken away: what was begun is finished."""
        tenants = tuple(TenantId(name) for name in self.needs.governing.policies().tenants)
        try:
            return tuple(dict.fromkeys((*tenants, *await self.needs.data.everybody())))
        except SordinoError as error:
            log.warning("tenants without a policy could not be looked for now: %s", error.code)
            return tenants

    def routes(self, operator: Private[str]) -> list[web.RouteDef]:
        """Its paths, behind the operator's key."""
        return rights_routes(operator, self.desk)


def open_righting(needs: RightingNeeds) -> Righting:
    """Everything of it is in the gateway's own store."""
    persons, consents = RedisSubjects(needs.store), RedisConsents(needs.store)
    policies, senders = needs.governing.policies, needs.governing.senders

    def vaults(tenant: TenantId) -> RedisConversations:
        ttl_s = int(policies().tenant(tenant).retention.vault.total_seconds())
        return RedisConversations(needs.store, needs.keys.shelf, ttl_s=max(SMALLEST_TTL_S, ttl_s))

    kept = Kept(
        persons=persons,
        holdings=needs.data.holdings,
        read=ReadCalls(needs.store, needs.ledger),
        head=head_of(needs.store),
        consents=consents,
        suppression=RedisSuppression(needs.store),
    )
    spoken = needs.governing.spoken
    acts = Acts(
        ActParts(
            kept=kept,
            deletions=needs.data.deletions,
            correctors=(
                CorrectVault(vaults),
                CorrectTranscripts(needs.transcripts),
                CorrectConsents(consents),
                CorrectSpoken(spoken, lambda name: policies().tenant(name)),
            ),
            value_hash=ValueHash(needs.keys.identity),
            ledger=needs.ledger,
            clock=needs.clock,
            ids=needs.ids,
        )
    )
    book = CaseBook(RedisCases(needs.store), needs.ledger, policies, senders, needs.clock, needs.ids)
    subject = SubjectHash(needs.keys.identity, homes(lambda: policies().tenants))
    desk = RightsDesk(book, kept, acts, lambda name: policies().tenant(name), subject, needs.clock, spoken)
    return Righting(needs, desk, persons)


class ReadCalls:
    """Implements ``gateway.runner.rights_handout.ReadCalls``: by each call's own index, and in one pass for those without."""

    def __init__(self, store: Store, ledger: RedisLedger) -> None:
        self._store = store
        self._ledger = ledger

    async def __call__(self, tenant: TenantId, calls: Sequence[CallId]) -> AsyncIterator[Entry]:
        left, durable = set[CallId](), await self._ledger.durability() if calls else ""
        for at in range(0, len(calls), TOGETHER):
            some = calls[at : at + TOGETHER]
            found = await asyncio.gather(*(indexed(self._store, tenant, call, durable=durable) for call in some))
            for call, entries in zip(some, found, strict=True):
                if entries is None:
                    left.add(call)
                for entry in entries or ():
                    yield entry
        async for entry in self._one_pass(tenant, left, durable):
            yield entry

    async def _one_pass(self, tenant: TenantId, calls: set[CallId], durable: str) -> AsyncIterator[Entry]:
        """Of a long history only what is of these calls is opened, and its hash checked."""
        stream, after, wanted = names.key(tenant, "evidence"), 0, {call.encode() for call in calls}
        while wanted:
            async with self._store.answers() as client:
                page: Any = await client.xrange(stream, min=f"({after}-0", max="+", count=PAGE)
            for place, fields in page:
                after = int(place.split(b"-")[0])
                if call_in(fields[b"entry"]) in wanted:
                    yield entry_from(parse(fields[b"entry"]), durable=durable)
            if len(page) < PAGE:
                return


def call_in(line: bytes) -> bytes:
    """Whose entry this is, read from its canonical form: ``…,"call":"…","call_previous":"…`` stands behind the body."""
    end = line.rfind(b'","call_previous":"')
    return line[line.rfind(b',"call":"', 0, end) + len(b',"call":"') : end]


def head_of(store: Store) -> Callable[[TenantId], Any]:
    """Place and hash of a tenant's last entry; (0, "") before the first."""

    async def head(tenant: TenantId) -> tuple[int, str]:
        found: Any = await store.ask("XREVRANGE", names.key(tenant, "evidence"), "+", "-", "COUNT", 1)
        if not found:
            return 0, ""
        place, fields = found[0]
        return int(bytes(place).split(b"-")[0]), bytes(fields[1::2][fields[::2].index(b"hash")]).decode()

    return head
