"""A gateway killed over a deletion, at every step, and again over resuming it: it is finished, and never reported before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.redis import Store
from gateway.errors import EvidenceUnavailable
from gateway.evidence.certificate import KIND
from gateway.evidence.chain import verify_chain
from gateway.runner.deletion import Deletions
from gateway.runner.holdings import Item
from tests.conftest import PATIENCE_S
from tests.runner.kept import ACME, Shelf, keeping

CALLS = ("call_1", "call_2")


class Killed(BaseException):
    """The process is gone: nothing of it runs any more, no handler either."""


class Fate:
    """Counts what a gateway does to the world, and ends it at one of these moments."""

    def __init__(self, steps: int) -> None:
        self.left = steps
        self.dead = False

    def step(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.dead = True
        if self.dead:
            raise Killed

    def over(self, inner: Any) -> Any:
        """``inner``, each of whose acts may be the last: before it was done, or after and before anybody was told."""
        return _Mortal(inner, self)

    def doing(self, act: Callable[..., Any]) -> Callable[..., Any]:
        async def done(*given: Any, **named: Any) -> Any:
            self.step()
            answer = await act(*given, **named)
            self.step()
            return answer

        return done


class _Mortal:
    def __init__(self, inner: Any, fate: Fate) -> None:
        self._inner = inner
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._fate.doing(found) if callable(found) and name not in ("items", "copies") else found


class House:
    def __init__(self, store: Store, ledger: RedisLedger) -> None:
        self.ledger = ledger
        self.shelf = Shelf()
        self.desk = keeping(store, ledger, self.shelf)
        self.purges = 0

    def gateway(self, fate: Fate) -> Deletions:
        async def purge() -> str:
            self.purges += 1
            return "rewritten"

        parts = self.desk.deletions._p
        return Deletions(
            replace(
                parts,
                log=fate.over(parts.log),
                holds=fate.over(parts.holds),
                holdings=lambda: [fate.over(self.shelf)],
                ledger=fate.over(parts.ledger),
                purge=fate.doing(purge),
            )
        )

    async def check(self) -> None:
        """Whoever reads the evidence or the certificates now is not lied to."""
        entries = [entry async for entry in self.ledger.entries(ACME)]
        for entry in entries:
            if entry.draft.kind == KIND:
                assert (ACME, entry.draft.body["of"]) not in self.shelf.has
        async for certificate in self.desk.certificates.all(ACME):
            assert (ACME, certificate.of) not in self.shelf.has
            assert certificate.place in [(entry.seq, entry.hash) for entry in entries]

    async def is_done(self) -> None:
        """Each thing is gone, with one entry and one certificate, and nothing is left to do."""
        await self.check()
        entries = [entry async for entry in self.ledger.entries(ACME)]
        verify_chain(entries, tenant=ACME)
        assert sorted(str(entry.draft.body["of"]) for entry in entries if entry.draft.kind == KIND) == list(CALLS)
        found = [each async for each in self.desk.certificates.all(ACME)]
        assert sorted(each.of for each in found) == list(CALLS)
        assert {(each.key_id, each.document["append_only_file"]) for each in found} == {
            (f"key-of-{call}", "rewritten") for call in CALLS
        }
        assert not self.shelf.has
        assert await self.desk.deletions.resume([ACME], at_once=True) == ()


@pytest.fixture
async def fresh(store: Store) -> AsyncIterator[Callable[[], Any]]:
    ledgers: list[RedisLedger] = []

    async def house() -> House:
        async with store.answers() as client:
            await client.flushall()
        ledgers.append(RedisLedger(store, timeout_s=PATIENCE_S))
        return House(store, ledgers[-1])

    yield house
    for ledger in ledgers:
        await ledger.aclose()


async def lived(work: Awaitable[object]) -> bool:
    """Whether the gateway lived to the end of it. What it had under way when it died comes to its end first."""
    others = asyncio.all_tasks()
    try:
        await work
    except Killed:
        if orphans := asyncio.all_tasks() - others:
            await asyncio.wait(orphans, timeout=PATIENCE_S)
        return False
    return True


async def delete(house: House, fate: Fate) -> bool:
    items: list[Item] = [house.shelf.put(call) for call in CALLS]
    return await lived(house.gateway(fate).delete(ACME, items, why="request of the caller", by="operator"))


async def resume(house: House, fate: Fate) -> bool:
    return await lived(house.gateway(fate).resume([ACME], at_once=True))


@pytest.mark.timeout(300)
async def test_a_gateway_killed_at_any_step_is_followed_by_another_killed_at_any_step(fresh: Callable[[], Any]) -> None:
    deaths = 0
    for first in range(1, 100):
        house = await fresh()
        if await delete(house, Fate(first)):
            break
        begin = 1 + first % 4  # every fourth step of the second gateway, each time others: all of them in all
        for second in (*range(begin, 100, 4), 10_000):
            if second > begin:
                house = await fresh()
                assert not await delete(house, Fate(first))
            await house.check()
            if not await house.desk.deletions._p.log.pending(ACME):
                break
            survived = await resume(house, Fate(second))
            await house.check()
            deaths += not survived
            assert await resume(house, Fate(10_000))
            await house.is_done()
            if survived:
                break
        if len(house.shelf.has) == len(CALLS):
            # It died before anything was decided: nothing is owed to anybody, and whoever asks again is served.
            assert await delete(house, Fate(10_000))
            await house.is_done()
    else:
        pytest.fail("it never came to an end")
    await house.is_done()
    assert deaths > 30, "the second gateway was killed at many steps, too"


async def test_an_entry_that_the_ledger_could_not_confirm_is_written_once(fresh: Callable[[], Any]) -> None:
    """It may be in the chain or not: whoever goes on looks first."""
    house = await fresh()
    parts = house.desk.deletions._p
    append = parts.ledger.append

    class Slow:
        async def append(self, draft: Any) -> Any:
            await append(draft)
            raise EvidenceUnavailable("the ledger did not confirm an entry in time")

    items = [house.shelf.put(call) for call in CALLS]
    for each in items:
        with pytest.raises(EvidenceUnavailable):
            await Deletions(replace(parts, ledger=Slow())).delete(ACME, [each], why="expired", by="retention")
    await house.check()
    assert await resume(house, Fate(10_000))
    entries = [entry async for entry in house.ledger.entries(ACME)]
    assert [entry.draft.kind for entry in entries] == [KIND, KIND]
    assert not house.shelf.has
