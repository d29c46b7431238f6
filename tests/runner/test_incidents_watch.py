"""A gateway verifies its own evidence: whatever is changed in the store opens an incident, one, on whichever gateway."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from gateway.adapters.stores.redis import Store
from gateway.incident import IncidentDesks
from gateway.runner.cases import HOUSE
from gateway.runner.incidents_record import Report
from gateway.runner.incidents_watch import GATEWAY, Looked
from tests.runner.desks import START
from tests.runner.test_incidents import ACME, BANK, HOURS, House, busy, words

STREAM = "sordino:{acme}:evidence"


async def stored(store: Store) -> list[tuple[bytes, dict[bytes, bytes]]]:
    async with store.answers() as client:
        found: Any = await client.xrange(STREAM)
    return list(found)


async def write_again(store: Store, rows: list[tuple[bytes, dict[bytes, bytes]]]) -> None:
    """The whole stream, as somebody with the store's password could."""
    async with store.answers() as client:
        await client.delete(STREAM)
        for place, fields in rows:
            await client.xadd(STREAM, fields, id=place)  # type: ignore[arg-type]


async def altered(store: Store, place: int = 4) -> None:
    rows = await stored(store)
    fields = rows[place - 1][1]
    fields[b"entry"] = fields[b"entry"].replace(b'"eu', b'"us').replace(b'"de"', b'"us"').replace(b'"p1"', b'"p7"')
    await write_again(store, rows)


async def removed(store: Store) -> None:
    rows = await stored(store)
    await write_again(store, [*rows[:3], *rows[4:]])


async def cut_off(store: Store) -> None:
    await write_again(store, (await stored(store))[:-3])


async def emptied(store: Store) -> None:
    async with store.answers() as client:
        await client.delete(STREAM)


async def settled(desks: IncidentDesks, store: Store) -> list[Looked]:
    """Looks, until one has gone over everything."""
    return [await desks.watch.look(ACME, tail=7, walk=4) for _ in range(8)]


async def test_a_whole_chain_opens_nothing(store: Store) -> None:
    """What is new is verified, and what is old again and again, a bounded stretch at a time."""
    async with House(store) as house:
        await busy(house)
        looked = await settled(house.desks, store)
        assert {each.faults for each in looked} == {()}
        assert all(0 < each.entries <= 11 for each in looked[:3])
        assert await house.desks.incidents.list() == []
        assert sum(each.entries for each in looked) > 2 * 12


@pytest.mark.parametrize("tamper", [altered, removed, cut_off, emptied])
@pytest.mark.parametrize("verified_before", [False, True])
async def test_a_chain_that_was_changed_opens_one_incident(
    store: Store, tamper: Callable[[Store], Awaitable[None]], verified_before: bool
) -> None:
    """However often it is looked at; its tenant has a case and a clock. That the end was cut off is seen by the mark."""
    async with House(store) as house:
        await busy(house)
        if verified_before:
            await settled(house.desks, store)
        await tamper(store)
        looked = await settled(house.desks, store)
        found = await house.desks.incidents.list()
        if not verified_before and tamper in (cut_off, emptied):
            assert found == [], "nobody has seen what is gone: an anchor outside would have"
            return
        assert [fault for each in looked for fault in each.faults]
        (incident,) = found
        assert set(incident.parts) == {ACME}
        assert incident.main.facts["by"] == GATEWAY
        assert incident.due == house.clock.now() + 72 * HOURS
        assert incident.main.notes["what"].startswith("The chain of evidence fails its verification: entry ")
        for _ in range(3):
            house.clock.move(days=1)
            await settled(house.desks, store)
        (again,) = await house.desks.incidents.list()
        assert [event.what for event in again.main.events] == [event.what for event in incident.main.events]


async def test_two_gateways_open_one(store: Store) -> None:
    """Also with their leases run out under them."""
    async with House(store) as house:
        await busy(house)
        await altered(store)
        gateways = [house.gateway() for _ in range(4)]
        await asyncio.gather(*(each.watch.look(ACME) for each in gateways))
        await asyncio.gather(*(each.watch.verify(ACME) for each in gateways))
        (incident,) = await house.desks.incidents.list()
        entries = [event.facts["entry"] for event in incident.main.events if event.what == "chain.fault"]
        assert set(entries) == {4}


async def test_only_one_gateway_looks(store: Store) -> None:
    async with House(store) as house:
        await busy(house)
        other = house.gateway()
        assert (await house.desks.watch.look(ACME)).entries > 0
        assert (await other.watch.look(ACME)).entries == 0


async def test_what_is_found_after_the_incident_was_closed_is_no_news(store: Store) -> None:
    """The same fault opens nothing; another one opens another incident."""
    async with House(store) as house:
        await busy(house)
        await altered(store)
        looked = await house.desks.watch.verify(ACME)
        assert looked.incident is not None
        await house.desks.incidents.close(looked.incident.id, "resolved", by="operator", reason="told by telephone")
        assert (await house.desks.watch.verify(ACME)).incident is None
        await altered(store, place=2)
        await house.desks.watch.verify(ACME)
        assert len(await house.desks.incidents.list()) == 2
        assert len(await house.desks.incidents.list(open_only=True)) == 1


async def test_many_faults_are_one_incident_that_names_them(store: Store) -> None:
    """Up to a bound: a whole history that was changed is no flood."""
    async with House(store) as house:
        await house.call(ACME, "call_a", "p1", START - 5 * HOURS, *[words()] * 30)
        rows = await stored(store)
        for _, fields in rows:
            fields[b"entry"] = fields[b"entry"].replace(b'"masked":true', b'"masked":false')
        await write_again(store, rows)
        looked = await house.desks.watch.verify(ACME)
        assert len(looked.faults) == 30
        (incident,) = await house.desks.incidents.list()
        assert len([event for event in incident.main.events if event.what == "chain.fault"]) == 20


async def test_who_died_while_opening_it_is_gone_on_for(store: Store) -> None:
    """The gateway's own case is there, the tenant's not yet: the next look makes it."""
    async with House(store) as house:
        await busy(house)
        await altered(store)
        await house.desks.watch.verify(ACME)
        (incident,) = await house.desks.incidents.list()
        async with store.answers() as client:
            lines = await client.lrange(f"sordino:{{_house}}:case:{incident.id}", 0, 0)
            await client.delete(f"sordino:{{_house}}:case:{incident.id}", f"sordino:{{acme}}:case:{incident.id}")
            await client.rpush(f"sordino:{{_house}}:case:{incident.id}", *lines)
        assert json.loads(lines[0])["what"] == "opened"
        assert (await house.desks.incidents.list())[0].parts == {}
        await house.desks.watch.verify(ACME)
        assert set((await house.desks.incidents.list())[0].parts) == {ACME}


async def test_another_tenant_has_nothing_to_do_with_it(store: Store) -> None:
    async with House(store) as house:
        await busy(house)
        await altered(store)
        await house.desks.watch.verify(ACME)
        assert (await house.desks.watch.verify(BANK)).faults == ()
        assert await house.desks.book.list(BANK) == ()


async def test_the_gateways_own_chain_is_verified_too(store: Store) -> None:
    """It touches no tenant: the incident is the gateway's alone."""
    async with House(store) as house:
        await busy(house)
        await house.desks.incidents.open(between(-5, 0), by="operator")
        async with store.answers() as client:
            rows: Any = await client.xrange("sordino:{_house}:evidence")
            await client.delete("sordino:{_house}:evidence")
            for place, fields in rows:
                fields[b"entry"] = fields[b"entry"].replace(b"operator", b"somebody")
                await client.xadd("sordino:{_house}:evidence", fields, id=place)
        looked = await house.desks.watch.verify(HOUSE)
        assert looked.incident is not None
        assert looked.incident.parts == {}
        assert len(await house.desks.incidents.list()) == 2


async def test_a_window_is_found_by_bisection_in_a_chain_of_any_length(store: Store) -> None:
    """The same lines as a reading of everything would show, and from where it begins."""
    async with House(store) as house:
        for number in range(40):
            await house.call(ACME, f"call_{number}", "", START + number * HOURS, words())
        house.clock.move(hours=50)
        incident = await house.desks.incidents.open(between(10, 12), by="operator")
        scope = await house.desks.incidents.read(incident, ACME)
        assert scope.calls == {"call_10", "call_11"}
        assert scope.first >= 20


def between(start: int, end: int) -> Report:
    return Report(START + start * HOURS - timedelta(seconds=1), START + end * HOURS - timedelta(seconds=1), "x")
