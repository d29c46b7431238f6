"""The beginning of a tenant's evidence goes when its time is over, and everything that stays still verifies (promise 14).

``ChainExpiry`` finds how much may go; ``ChainHolding`` deletes it, through the one engine of deletions, so it is decided in the
store, followed up by another gateway where one dies over it, and certified. In this order: an entry at the end of the chain says
what goes and stands for it (``evidence.cut``), then the beginning is trimmed, in one step, then the certificate is made.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import orjson

from gateway.adapters.stores.cases import RedisCases
from gateway.adapters.stores.chain_cut import ChainTrim
from gateway.adapters.stores.chain_lines import ChainLines
from gateway.adapters.stores.chain_marks import ChainMarks
from gateway.adapters.stores.deletions import RedisDeletions
from gateway.adapters.stores.holds import RedisHolds
from gateway.adapters.stores.offboarding import RedisOffboarding
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.subjects import RedisSubjects
from gateway.errors import EvidenceInvalid, InvalidRequest, StoreUnavailable
from gateway.evidence.certificate import KIND as CERTIFIED
from gateway.evidence.chain import genesis, timestamp
from gateway.evidence.cut import HOLDING, KIND, Cut, cut_body, cut_of
from gateway.evidence.expiry import MOST, Expired, Expiry, Kept
from gateway.evidence.head import leaf
from gateway.evidence.merkle import Growing
from gateway.evidence.scope import HASH, SKEW, Links
from gateway.policy.cases import fold
from gateway.policy.offboarding import Status
from gateway.policy.retention import Hold
from gateway.ports import Clock, Ledger
from gateway.runner.account import CallAccount
from gateway.runner.cases import INCIDENT
from gateway.runner.holdings import Copy, Deleted, Item
from gateway.values import CallId, DataClass, TenantId

WHY, BY = "its time is over", "retention"
LOOKED = "looked"
"""The name of the mark (``chain_marks``) that says when it was looked last, in Unix seconds."""
EVERY = timedelta(days=1)
"""To know that no call is cut in two, the whole chain is read: once a day is enough for what is kept for years."""
_NAME = re.compile(r"entries_([1-9]\d{0,17})_([1-9]\d{0,17})")
_PLACES = "store"


class Due(Protocol):
    """The beginning of a chain that may go now (``ChainExpiry``)."""

    async def due(self, tenant: TenantId, keep: timedelta) -> Beginning | None: ...


@dataclass(frozen=True, slots=True)
class Beginning:
    """What may go, and the version of the holds under which that was found."""

    item: Item
    holds: str


class ChainExpiry:
    """Raises StoreUnavailable."""

    def __init__(self, store: Store, clock: Clock, *, most: int = MOST) -> None:
        self._lines = ChainLines(store)
        self._marks = ChainMarks(store)
        self._holds = RedisHolds(store)
        self._cases = RedisCases(store)
        self._deletions = RedisDeletions(store)
        self._offboarding = RedisOffboarding(store)
        self._persons = RedisSubjects(store)
        self._clock = clock
        self._most = most

    async def due(self, tenant: TenantId, keep: timedelta) -> Beginning | None:
        """The beginning of this tenant's chain whose time is over; None: nothing, or it was looked at not long ago.

        ``keep``: how long evidence is kept by the policy of today. What a hold, an open case or incident needs stays, and all
        that stands behind it; while a tenant's end or a deletion is not over, all of it.

        Raises:
            EvidenceInvalid: the chain is not whole in what would go. Then none of it goes.
        """
        now = self._clock.now()
        first = await self._lines.after(tenant, 0, 1)
        if not first or not _is_over(first[0][1], now, keep) or await self._was_looked_at(tenant, now):
            return None
        state = await self._offboarding.find(tenant)
        if (state is not None and state.status is Status.ACTIVE) or await self._deletions.pending(tenant):
            return None
        version, holds = await self._holds.now(tenant)
        kept = await self._kept(tenant, holds)
        cut = await self._lines.beginning(tenant)
        begin = (0, genesis(tenant)) if cut is None else (cut.last, cut.hash)
        most, found = self._most, None
        while True:
            expiry = Expiry(tenant, *begin, now, keep, kept, most)
            found = await self._read(expiry)
            if found is not None or not expiry.full:
                break
            most *= 10  # a thread of entries is longer than that
        if not expiry.full:
            await self._marks.put(tenant, LOOKED, int(now.timestamp()), "")
        if found is None:
            return None
        name = f"entries_{found.first}_{found.last}"
        return Beginning(Item(DataClass.EVIDENCE, tenant, name, HOLDING, found.began), version)

    async def _read(self, expiry: Expiry) -> Expired | None:
        goes = True

        def take(page: Sequence[tuple[int, bytes]]) -> bool:
            nonlocal goes
            for place, line in page:
                goes = goes and expiry.begin(line)
                if not goes:
                    expiry.rest(place, line)
            return expiry.nothing and not goes

        async for page in self._lines.pages(expiry.tenant, expiry.place):
            if await asyncio.to_thread(take, page):
                return None
        return expiry.found()

    async def _was_looked_at(self, tenant: TenantId, now: datetime) -> bool:
        looked = await self._marks.get(tenant, LOOKED)
        return looked is not None and abs(now.timestamp() - looked[0]) < EVERY.total_seconds()

    async def _kept(self, tenant: TenantId, holds: Sequence[Hold]) -> Kept:
        names, times = set[str](), list[tuple[datetime | None, datetime | None]]()
        for scope in (hold.scope for hold in holds if hold.scope.data_class in (None, DataClass.EVIDENCE)):
            if scope.call is not None:
                names.add(scope.call)
            elif scope.subject is not None:
                names |= {scope.subject, *await self._persons.calls(tenant, scope.subject)}
            else:
                times.append((scope.start, scope.end))
        ids = sorted({*await self._cases.ids(tenant, live_only=True), *await self._cases.unproven(tenant)})
        for id_, events in zip(ids, await self._cases.many(tenant, ids), strict=True):
            names.add(id_)
            if not events:
                continue
            case = fold(id_, tenant, events)
            names.add(case.about)
            if case.kind == INCIDENT:
                times.append(_window(case.facts))
            else:
                with suppress(InvalidRequest):  # it is about something else than a person
                    names |= set(await self._persons.calls(tenant, case.about))
        return Kept(names, times)


@dataclass(slots=True)
class _Reading:
    """What goes, read to its end: its links, its tree, and what leads to it."""

    links: Links
    tree: Growing
    began: str = ""
    ended: str = ""
    calls: set[str] = field(default_factory=set)
    certificates: list[tuple[str, str]] = field(default_factory=list)

    def page(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            start = line.rfind(HASH)
            self.links.follow(line, start)
            if self.links.fault:
                raise EvidenceInvalid(f"entry {self.links.fault_at} {self.links.fault}", hint="nothing of that chain is deleted")
            self.tree.add(leaf(self.links.head.decode("ascii")))
            entry: Any = orjson.loads(line)
            self.began, self.ended = self.began or entry["at"], max(self.ended, entry["at"])
            self.calls.add(entry["call"])
            if entry["kind"] == CERTIFIED:
                self.certificates.append((entry["body"]["certificate"], entry["body"]["of"]))


class ChainHolding:
    """Implements ``gateway.runner.holdings.Holding`` for the beginning of a chain: its one item is made when its time is over."""

    name = HOLDING
    data_class = DataClass.EVIDENCE

    def __init__(self, store: Store, ledger: Ledger, clock: Clock) -> None:
        self._lines = ChainLines(store)
        self._trim = ChainTrim(store)
        self._ledger = ledger
        self._clock = clock

    async def items(self, tenant: TenantId) -> AsyncIterator[Item]:
        """None: what may go of a chain is no thing before somebody looked for it (``ChainExpiry``)."""
        nothing: tuple[Item, ...] = ()
        for item in nothing:
            yield item

    async def of_call(self, tenant: TenantId, call: CallId) -> Item | None:
        """The beginning of that name (``entries_1_500``), while it is there; of a call nothing: evidence goes in no other way."""
        match = _NAME.fullmatch(call)
        first = await self._lines.after(tenant, 0, 1) if match else ()
        if match is None or not first or first[0][0] > int(match[2]):
            return None
        return Item(DataClass.EVIDENCE, tenant, call, self.name, _time(first[0][1]))

    async def of_person(self, tenant: TenantId, subject: str) -> Item | None:
        return None

    async def copies(self, item: Item) -> AsyncIterator[Copy]:
        """None: evidence is handed out as a bundle."""
        nothing: tuple[Copy, ...] = ()
        for copy in nothing:
            yield copy

    async def delete(self, item: Item) -> Deleted:
        """Say so at the end of the chain, once, then let it go.

        Raises:
            StoreUnavailable, EvidenceUnavailable.
            EvidenceInvalid: the chain is not whole there, or not the one that its entry speaks of. Nothing was deleted.
        """
        match = _NAME.fullmatch(item.id)
        if match is None:
            raise StoreUnavailable("a deletion of evidence that was decided cannot be read", hint="restore it from a backup")
        tenant, last = item.tenant, int(match[2])
        before = await self._lines.beginning(tenant)
        if before is not None and before.last >= last:
            return Deleted((_PLACES,))
        told = await self._lines.told(tenant, last)
        reading = await self._reading(tenant, before, last)
        cut = told or await self._tell(tenant, reading, 1 if before is None else before.last + 1)
        if (cut.hash, cut.full) != (reading.links.head.decode("ascii"), reading.tree.full):
            raise EvidenceInvalid(f"entry {cut.seq} of tenant {tenant} speaks of another chain", hint="nothing of it was deleted")
        await self._trim.forget(tenant, map(CallId, sorted(reading.calls)), reading.certificates)
        await self._trim.trim(tenant, cut)
        return Deleted((_PLACES,))

    async def _reading(self, tenant: TenantId, before: Cut | None, last: int) -> _Reading:
        place, head = (0, genesis(tenant)) if before is None else (before.last, before.hash)
        tree = Growing() if before is None else before.tree()
        reading = _Reading(Links(tenant, head.encode(), place), tree)
        async for page in self._lines.pages(tenant, place):
            await asyncio.to_thread(reading.page, [line for at, line in page if at <= last])
            if page[-1][0] >= last:
                break
        if tree.size != last:
            raise EvidenceInvalid(f"the evidence of {tenant} ends before entry {last}", hint="nothing of it was deleted")
        return reading

    async def _tell(self, tenant: TenantId, reading: _Reading, first: int) -> Cut:
        account = CallAccount(tenant, CallId(f"cut_{first}_{reading.tree.size}"), self._ledger, self._clock)
        head = reading.links.head.decode("ascii")
        body = cut_body(first, head, reading.tree, began=reading.began, ended=reading.ended, why=WHY, by=BY)
        await account.write(KIND, body)
        entry = account.entries[-1]
        return cut_of({"seq": entry.seq, "at": timestamp(entry.draft.at), "kind": KIND, "body": body, "hash": entry.hash})


def _is_over(line: bytes, now: datetime, keep: timedelta) -> bool:
    try:
        return _time(line) <= now - keep
    except (OverflowError, ValueError):
        return False


def _time(line: bytes) -> datetime:
    return datetime.fromisoformat(line[7:34].decode("ascii", "replace"))


def _window(facts: Any) -> tuple[datetime | None, datetime | None]:
    """The time of an incident, and a little more; all time where it is not told rightly."""
    try:
        return datetime.fromisoformat(facts["from"]) - SKEW, datetime.fromisoformat(facts["to"]) + SKEW
    except (KeyError, TypeError, ValueError, OverflowError):
        return None, None
