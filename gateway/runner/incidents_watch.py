"""The gateway verifies its own evidence while it runs: a chain that fails opens an incident by itself, once (promise 18).

Two marks go along each tenant's chain. ``tail`` takes what is new; ``walk`` goes through all of it again and again. A look is
bounded work, and of the gateways on one store one at a time does it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Protocol

from gateway.errors import EvidenceInvalid
from gateway.evidence.chain import genesis
from gateway.evidence.lines import read_entry
from gateway.evidence.scope import HASH, Links
from gateway.policy.cases import Case
from gateway.ports import Clock
from gateway.runner.cases import HOUSE, INCIDENT, CaseBook
from gateway.runner.incidents import Incident, Incidents, Report, last_scope
from gateway.values import TenantId

TAIL, WALK = "tail", "walk"
MOST = 5_000
"""Entries of one look, for each mark."""
LEASE_S = 60.0
CHAIN = "chain"
MOST_TOLD = 50
"""Faults that one incident names; behind them it is enough to know that there are more."""
GATEWAY = "gateway"


class ChainTail(Protocol):
    async def after(self, tenant: TenantId, place: int, most: int) -> Sequence[tuple[int, bytes]]: ...
    async def last(self, tenant: TenantId) -> tuple[int, bytes] | None: ...


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
    """Every method raises StoreUnavailable, and EvidenceUnavailable where it finds a fault: the next look finds it again."""

    def __init__(self, chain: ChainTail, marks: Marks, lease: Lease, incidents: Incidents, book: CaseBook, clock: Clock) -> None:
        self._chain = chain
        self._marks = marks
        self._lease = lease
        self._incidents = incidents
        self._book = book
        self._clock = clock

    async def look(self, tenant: TenantId, *, most: int = MOST) -> Looked:
        """Verify what is new, and the next stretch of what is old. Nothing, while another gateway does it."""
        if not await self._lease.take(tenant, CHAIN, for_s=LEASE_S):
            return Looked(0)
        read, faults = 0, list[Fault]()
        for mark in (TAIL, WALK):
            count, found = await self._stretch(tenant, mark, most)
            read, faults = read + count, faults + found
        return Looked(read, tuple(faults), await self._report(tenant, faults))

    async def verify(self, tenant: TenantId) -> Looked:
        """The whole chain, from its first entry to its last, at once."""
        place, hash_, read, faults = 0, genesis(tenant), 0, list[Fault]()
        while True:
            stretch = await self._verified(tenant, place, hash_, MOST)
            read += stretch.count
            faults += stretch.faults
            if not stretch.count:
                return Looked(read, tuple(faults), await self._report(tenant, faults))
            place, hash_ = stretch.place, stretch.hash

    async def _stretch(self, tenant: TenantId, mark: str, most: int) -> tuple[int, list[Fault]]:
        begin = (0, genesis(tenant))
        place, hash_ = await self._marks.get(tenant, mark) or begin
        faults = await self._gone(tenant, place, hash_) if place else []
        if faults:
            # What the mark knew is no more: go on from where the chain is now, so that this is said once.
            last = await self._chain.last(tenant)
            place, hash_ = (last[0], _hash(last[1])) if last else begin
        stretch = await self._verified(tenant, place, hash_, most)
        if stretch.count:
            await self._marks.put(tenant, mark, stretch.place, stretch.hash)
        elif faults or (mark == WALK and place):
            await self._marks.put(tenant, mark, *(begin if mark == WALK else (place, hash_)))
        return stretch.count, [*faults, *stretch.faults]

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
        if open_one is None and new:
            open_one = (await self._open(tenant, new[0])).main
        if open_one is None:
            return None
        if not last_scope(open_one):  # who opened it died before it was done
            open_one = (await self._incidents.scope(open_one.id)).main
        for fault in new[: MOST_TOLD - len(_places(open_one))]:
            for whose in (HOUSE, tenant):
                await self._book.event(whose, open_one.id, "chain.fault", {"entry": fault.place, "fault": fault.what})
        return await self._incidents.get(open_one.id)

    async def _open(self, tenant: TenantId, fault: Fault) -> Incident:
        now = self._clock.now()
        name = sha256(f"{tenant} {fault.place}".encode()).hexdigest()[:26]
        since = min(fault.since or now, now - timedelta(seconds=1))
        what = f"The chain of evidence fails its verification: entry {fault.place} {fault.what}."
        report = Report(since, now, what, tenants=(tenant,), cause=CHAIN)
        return await self._incidents.open(report, by=GATEWAY, incident_id=f"incident_{name}")


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
