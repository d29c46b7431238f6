"""The gateway verifies its own evidence while it runs: a chain that fails opens an incident by itself, once (promise 18).

Two marks go along each tenant's chain. ``tail`` takes what is new; ``walk`` goes through all of it again and again. A look is
bounded work, and of the gateways on one store one at a time does it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Protocol

from gateway.errors import EvidenceInvalid, EvidenceUnavailable
from gateway.evidence.chain import genesis
from gateway.evidence.cut import Cut
from gateway.evidence.lines import read_entry
from gateway.evidence.scope import HASH, Links
from gateway.policy.cases import Case
from gateway.ports import Clock
from gateway.runner.cases import HOUSE, INCIDENT, CaseBook
from gateway.runner.incidents import Incidents
from gateway.runner.incidents_record import Incident, Report, last_scope
from gateway.values import TenantId

TAIL, WALK = "tail", "walk"
MOST = 500
"""Entries that are verified in one go: some milliseconds of a thread, so that no call waits for it."""
TAIL_A_LOOK = 100_000
"""New entries of one look; it goes on in the next one."""
LEASE_S = 90.0
"""Longer than from one look to the next: so it stays with one gateway while that lives."""
CHAIN = "chain"
MOST_TOLD = 20
"""Faults that one incident names; behind them it is enough to know that there are more."""
GATEWAY = "gateway"


class ChainTail(Protocol):
    async def after(self, tenant: TenantId, place: int, most: int) -> Sequence[tuple[int, bytes]]: ...
    async def last(self, tenant: TenantId) -> tuple[int, bytes] | None: ...
    async def beginning(self, tenant: TenantId) -> Cut | None: ...


class Marks(Protocol):
    async def get(self, tenant: TenantId, name: str) -> tuple[int, str] | None: ...
    async def put(self, tenant: TenantId, name: str, place: int, hash_: str) -> None: ...


class Lease(Protocol):
    async def take(self, tenant: str, name: str, *, for_s: float) -> bool: ...


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a chain, where, and the time of the last entry before it that is good."""

    place: int
    what: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look did: how many entries, the faults, and the incident that has them (None: there was none)."""

    entries: int
    faults: tuple[Fault, ...] = ()
    incident: Incident | None = None


class ChainWatch:
    """Every method raises StoreUnavailable. Where the ledger takes nothing, an incident is opened all the same."""

    def __init__(self, chain: ChainTail, marks: Marks, lease: Lease, incidents: Incidents, book: CaseBook, clock: Clock) -> None:
        self._chain = chain
        self._marks = marks
        self._lease = lease
        self._incidents = incidents
        self._book = book
        self._clock = clock

    async def look(self, tenant: TenantId, *, tail: int = TAIL_A_LOOK, walk: int = MOST) -> Looked:
        """Verify the next ``tail`` entries of what is new, and the next ``walk`` of what is old.

        Nothing, while another gateway does it.
        """
        if not await self._lease.take(tenant, CHAIN, for_s=LEASE_S):
            return Looked(0)
        read, faults = 0, list[Fault]()
        incident: Incident | None = None
        for mark, left in ((TAIL, tail), (WALK, walk)):
            while left > 0:
                bound = min(MOST, left)
                count, found, then = await self._stretch(tenant, mark, bound)
                read, faults = read + count, faults + found
                incident = await self._report(tenant, found) or incident
                # Only now: who dies before this finds the same faults again.
                await self._marks.put(tenant, mark, *then)
                left = left - count if count == bound else 0
        return Looked(read, tuple(faults), incident)

    async def verify(self, tenant: TenantId) -> Looked:
        """The whole chain, from its first entry that is there to its last, at once."""
        (place, hash_), read, faults = await self._begin(tenant), 0, list[Fault]()
        while True:
            stretch = await self._verified(tenant, place, hash_, MOST)
            if stretch.faults and (begin := await self._begin(tenant))[0] > place:
                (place, hash_), read = begin, 0  # its beginning was deleted meanwhile
                continue
            read += stretch.count
            faults += stretch.faults
            if not stretch.count:
                return Looked(read, tuple(faults), await self._report(tenant, faults))
            place, hash_ = stretch.place, stretch.hash

    async def _stretch(self, tenant: TenantId, mark: str, most: int) -> tuple[int, list[Fault], tuple[int, str]]:
        """How many entries, what is wrong with them, and where the mark is to stand then."""
        begin = await self._begin(tenant)
        place, hash_ = max(await self._marks.get(tenant, mark) or begin, begin, key=lambda each: each[0])
        faults = await self._gone(tenant, place, hash_) if (place, hash_) != begin else []
        if faults:
            # What the mark knew is no more: go on from where the chain is now, so that this is said once.
            last = await self._chain.last(tenant)
            place, hash_ = (last[0], _hash(last[1])) if last else begin
        stretch = await self._verified(tenant, place, hash_, most)
        if (faults or stretch.faults) and (await self._begin(tenant))[0] > begin[0]:
            return await self._stretch(tenant, mark, most)  # its beginning was deleted meanwhile
        then = (stretch.place, stretch.hash) if stretch.count else begin if mark == WALK else (place, hash_)
        return stretch.count, [*faults, *stretch.faults], then

    async def _begin(self, tenant: TenantId) -> tuple[int, str]:
        """What the first entry that is there follows: the genesis, or the last of those that were deleted after their time.

        Where neither is so the first entry is the fault.
        """
        try:
            cut = await self._chain.beginning(tenant)
        except EvidenceInvalid:
            cut = None
        return (0, genesis(tenant)) if cut is None else (cut.last, cut.hash)

    async def _gone(self, tenant: TenantId, place: int, hash_: str) -> list[Fault]:
        """Whether the last entry that was verified still stands there."""
        found = await self._chain.after(tenant, place - 1, 1)
        if found and found[0][0] == place:
            if _hash(found[0][1]) == hash_:
                return []
            return [Fault(place, "is not the one that was verified there", _time(found[0][1]))]
        last = await self._chain.last(tenant)
        return [Fault(place, "was verified, and is no longer there", _time(last[1]) if last else None)]

    async def _verified(self, tenant: TenantId, place: int, hash_: str, most: int) -> _Stretch:
        lines = await self._chain.after(tenant, place, most)
        return await asyncio.to_thread(_verify, tenant, place, hash_, lines)

    async def _report(self, tenant: TenantId, faults: Sequence[Fault]) -> Incident | None:
        """Into the incident that is open for this chain, or a new one."""
        if not faults:
            return None
        faults = list({fault.place: fault for fault in faults}.values())
        cases = await self._book.list(HOUSE, kind=INCIDENT)
        mine = [case for case in cases if case.about == CHAIN and case.facts.get("tenants") == [tenant]]
        known = {place for case in mine for place in _places(case)}
        new = [fault for fault in faults if fault.place not in known]
        open_one = next((case for case in mine if case.open), None)
        if open_one is None and not new:
            return None
        name = open_one.id if open_one is not None else _name(tenant, new[0])
        with suppress(EvidenceUnavailable):
            if open_one is None:
                await self._open(tenant, new[0], name)
            elif not last_scope(open_one):  # who opened it died before it was done
                await self._incidents.scope(name)
        told = len(_places(open_one)) if open_one is not None else 0
        for fault in new[: max(0, MOST_TOLD - told)]:
            for whose in {HOUSE: None, tenant: None}:
                with suppress(EvidenceUnavailable):
                    await self._book.event(whose, name, "chain.fault", {"entry": fault.place, "fault": fault.what})
        return await self._incidents.get(name)

    async def _open(self, tenant: TenantId, fault: Fault, name: str) -> None:
        now = self._clock.now()
        since = min(fault.since or now, now - timedelta(seconds=1))
        what = f"The chain of evidence fails its verification: entry {fault.place} {fault.what}."
        report = Report(since, now, what, tenants=(tenant,), cause=CHAIN)
        await self._incidents.open(report, by=GATEWAY, incident_id=name)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """``place`` and ``hash``: the last entry of it."""

    count: int
    place: int
    hash: str
    faults: tuple[Fault, ...]


def _verify(tenant: TenantId, place: int, hash_: str, lines: Sequence[tuple[int, bytes]]) -> _Stretch:
    faults: list[Fault] = []
    links, since = Links(tenant, hash_.encode(), place), b""
    for _, line in lines:
        links.follow(line, line.rfind(HASH))
        if links.fault:
            faults.append(Fault(links.fault_at, links.fault, _at(since)))
            links.fault = ""
        else:
            since = line[7:34]
    return _Stretch(len(lines), links.seq, links.head.decode("utf-8", "replace"), tuple(faults))


def _name(tenant: TenantId, fault: Fault) -> str:
    """The same on every gateway."""
    return f"incident_{sha256(f'{tenant} {fault.place}'.encode()).hexdigest()[:26]}"


def _places(case: Case) -> set[object]:
    return {event.facts.get("entry") for event in case.events if event.what == "chain.fault"}


def _hash(line: bytes) -> str:
    """The hash of an entry, as it is; empty for one that has not the hash that it says."""
    try:
        return str(read_entry(line)["hash"])
    except EvidenceInvalid:
        return ""


def _time(line: bytes) -> datetime | None:
    return _at(line[7:34])


def _at(text: bytes) -> datetime | None:
    try:
        return datetime.fromisoformat(text.decode("ascii")) if text else None
    except ValueError:
        return None
