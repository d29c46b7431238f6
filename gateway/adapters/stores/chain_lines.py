"""A tenant's evidence as the lines that were stored, for who reads much of it: a window of time, or a stretch to verify.

Who reads a window has a connection of its own, so nobody's call waits behind its pages.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from gateway.adapters.stores import names
from gateway.adapters.stores.call_index import index_key
from gateway.adapters.stores.line import Line
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.tenants import tenants_with_evidence
from gateway.errors import EvidenceInvalid
from gateway.evidence.chain import timestamp
from gateway.evidence.cut import KIND, Cut, cut_of
from gateway.evidence.lines import read_entry
from gateway.evidence.scope import SKEW, Scan
from gateway.values import TenantId

PAGE, SMALL_PAGE = 1_000, 250
"""Entries of one answer: on a connection of their own, and on the one that calls use too."""
LOOK_BACK = 50
"""Pages before a window that are read for the beginnings of calls which no index has any more."""

CUT = "cut"
"""The name of the mark (``chain_marks``) at the entry that says what was deleted of the beginning."""
_IS_CUT = f'"kind":"{KIND}"'.encode()

Lines = Sequence[tuple[int, bytes]]
"""Places and lines, in their order."""


class ChainLines:
    """Every method raises StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def after(self, tenant: TenantId, place: int, most: int) -> Lines:
        """The lines behind ``place``, ``most`` at most."""
        found: list[tuple[int, bytes]] = []
        while len(found) < most:
            page = await _page(self._store, tenant, found[-1][0] if found else place, min(SMALL_PAGE, most - len(found)))
            found += page
            if len(page) < SMALL_PAGE:
                break
        return found

    async def tenants(self) -> tuple[TenantId, ...]:
        """Whoever has evidence, with a policy or without."""
        return await tenants_with_evidence(self._store)

    async def pages(self, tenant: TenantId, after: int) -> AsyncIterator[Lines]:
        """All lines behind ``after``, a page at a time, over a connection of their own."""
        async with self._own_line() as line:
            while page := await _page(line, tenant, after, PAGE):
                yield page
                after = page[-1][0]

    async def beginning(self, tenant: TenantId) -> Cut | None:
        """What was deleted of the chain's beginning after its time; None: the chain begins with its very first entry.

        Raises:
            EvidenceInvalid: it does not, and nothing in it says why.
        """
        first = _first(await self._store.ask("XRANGE", names.key(tenant, "evidence"), "-", "+", "COUNT", "1"))
        if first is None or first[0] == 1:
            return None
        marked: Any = await self._store.ask("HGET", names.key(tenant, "chain-marks"), CUT)
        place = bytes(marked or b"").partition(b" ")[0]
        told = await self.after(tenant, int(place) - 1, 1) if place.isdigit() and int(place) else ()
        cut = _cut(told[0][1]) if told else None
        if cut is None or cut.last != first[0] - 1:
            cut = await self.told(tenant, first[0] - 1)
        if cut is None or read_entry(first[1])["previous"] != cut.hash:
            raise EvidenceInvalid(
                f"the evidence of {tenant} begins with entry {first[0]}, and nothing in it says what became of those before",
                hint="bring the store back from a backup: sordino backup restore",
            )
        return cut

    async def told(self, tenant: TenantId, last: int) -> Cut | None:
        """The entry that says that what is up to ``last`` is deleted, wherever it stands; None: there is none."""
        async for page in self.pages(tenant, last):
            for _, stored in page:
                if _IS_CUT in stored and (cut := _cut(stored)) is not None and cut.last == last:
                    return cut
        return None

    async def last(self, tenant: TenantId) -> tuple[int, bytes] | None:
        """The chain's last line; None: it has none."""
        return _first(await self._store.ask("XREVRANGE", names.key(tenant, "evidence"), "+", "-", "COUNT", "1"))

    async def read(self, scan: Scan) -> None:
        """Show ``scan`` its window, with what lies ``SKEW`` around it, and then the beginnings of the calls that it asks for."""
        async with self._own_line() as line:
            place = begin = await self._before(line, scan.tenant, scan.window.start - SKEW)
            page = await _page(line, scan.tenant, place, PAGE)
            if page and not begin:
                scan.deleted = page[0][0] - 1  # older entries are not there, so nobody knows how many were of the window
            while page and not scan.over:
                place = page[-1][0]
                # While a thread reads this page, the next one comes.
                _, page = await asyncio.gather(
                    asyncio.to_thread(scan.page, [stored for _, stored in page]), _page(line, scan.tenant, place, PAGE)
                )
            await self._beginnings(line, scan, begin)

    async def _before(self, line: Line, tenant: TenantId, at: datetime) -> int:
        """The last place whose entry is older than ``at``, by bisection: places are numbers, and times stand in their order."""
        newest = _first(await line.ask("XREVRANGE", names.key(tenant, "evidence"), "+", "-", "COUNT", "1"))
        low, high, wanted = 0, newest[0] if newest else 0, timestamp(at).encode()
        while low < high:
            middle = (low + high + 1) // 2
            found = await _page(line, tenant, middle - 1, 1)
            if found and found[0][1][7:34] < wanted:
                low = max(middle, min(found[0][0], high))
            else:
                high = middle - 1
        return low

    async def _beginnings(self, line: Line, scan: Scan, begin: int) -> None:
        calls = scan.unknown()
        for start in range(0, len(calls), PAGE):
            places = await asyncio.gather(
                *(line.ask("LINDEX", index_key(scan.tenant, call), "0") for call in calls[start : start + PAGE])
            )
            known = [int(place) for place in places if place is not None]
            for _, stored in await _at(line, scan.tenant, known):
                scan.began(stored)
        high = begin
        for _ in range(LOOK_BACK):
            if not high or not scan.unknown():
                return
            low = max(0, high - PAGE)
            for _, stored in await _page(line, scan.tenant, low, high - low):
                scan.began(stored)
            high = low

    @asynccontextmanager
    async def _own_line(self) -> AsyncIterator[Line]:
        line = self._store.line()
        try:
            yield line
        finally:
            await line.aclose()


async def _page(line: Line | Store, tenant: TenantId, after: int, most: int) -> Lines:
    found: Any = await line.ask("XRANGE", names.key(tenant, "evidence"), f"({after}-0", "+", "COUNT", str(most))
    return [_stored(each) for each in found]


async def _at(line: Line, tenant: TenantId, places: Sequence[int]) -> Lines:
    key = names.key(tenant, "evidence")
    found: Any = await asyncio.gather(*(line.ask("XRANGE", key, f"{place}-0", f"{place}-0") for place in places))
    return [_stored(each[0]) for each in found if each]


def _first(found: Any) -> tuple[int, bytes] | None:
    return _stored(found[0]) if found else None


def _cut(line: bytes) -> Cut | None:
    try:
        return cut_of(read_entry(line))
    except EvidenceInvalid:
        return None


def _stored(item: Any) -> tuple[int, bytes]:
    place, fields = item
    number = int(place.partition(b"-")[0])
    line: bytes = (
        fields[3]
        if len(fields) == 4 and fields[2] == b"entry"
        else dict(zip(fields[::2], fields[1::2], strict=True)).get(b"entry", b"")
    )
    return number, line
