"""Who reads a chain whose beginning was deleted after its time: the gateway verifying itself, witnesses, incidents, backups."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.audit.second_place import SecondPlace
from gateway.adapters.stores.anchors import RedisAnchors
from gateway.adapters.stores.chain_lines import ChainLines
from gateway.adapters.stores.lease import RedisLease
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.snapshot import Snapshot
from gateway.adapters.system import RandomIds
from gateway.adapters.telemetry.null import NullTelemetry
from gateway.errors import EvidenceInvalid
from gateway.evidence import head as heads
from gateway.evidence.merkle import Growing
from gateway.evidence.scope import Scan, Scope, Window
from gateway.incident import IncidentDesks, open_incidents
from gateway.righting import ReadCalls
from gateway.runner.anchoring import Anchoring, AnchoringParts
from gateway.runner.incidents_watch import ChainWatch
from gateway.values import CallId, TenantId
from tests.policy.samples import loaded
from tests.runner.aged import DAY, OF_CALL, Aged, aged
from tests.runner.kept import ACME, SIGNING, START

STREAM, MARKS = "sordino:{acme}:evidence", "sordino:{acme}:chain-marks"


@pytest.fixture
async def house(store: Store) -> AsyncIterator[Aged]:
    async with aged(store) as found:
        yield found


# --- the gateway verifies itself ----------------------------------------------------------------------------------------


def desks(house: Aged) -> IncidentDesks:
    return open_incidents(house.store, house.ledger, loaded, {}, house.clock, RandomIds())


async def settled(watch: ChainWatch) -> list[object]:
    """The faults of looks, until one has gone over everything."""
    return [fault for _ in range(6) for fault in (await watch.look(ACME, tail=7, walk=5)).faults]


@pytest.mark.parametrize("looks_before", [0, 1, 6])
async def test_its_own_verification_finds_no_fault_in_a_beginning_that_is_gone(house: Aged, looks_before: int) -> None:
    """Wherever it stood: before what went, in the middle of it, behind it."""
    await house.calls(0, 10, 50)
    watch = desks(house).watch
    for _ in range(looks_before):
        assert (await watch.look(ACME, tail=3, walk=2)).faults == ()
    await house.sweep(111)
    assert await settled(watch) == []
    whole = await watch.verify(ACME)
    assert (whole.faults, whole.entries) == ((), OF_CALL + 2)
    assert await desks(house).incidents.list() == []


async def removed_more(store: Store) -> None:
    async with store.answers() as client:
        await client.xtrim(STREAM, minid="10-0", approximate=False)


async def claims_more(store: Store) -> None:
    """Somebody moves the mark: it only leads to the entry, and is none itself."""
    await removed_more(store)
    async with store.answers() as client:
        await client.hset(MARKS, "cut", "12 sha256:x")


async def altered(store: Store) -> None:
    async with store.answers() as client:
        rows: Any = await client.xrange(STREAM)
        await client.delete(STREAM)
        for place, fields in rows:
            fields[b"entry"] = fields[b"entry"].replace(b'"played_ms":6000', b'"played_ms":5999')
            await client.xadd(STREAM, fields, id=place)


@pytest.mark.parametrize("tamper", [removed_more, claims_more, altered])
@pytest.mark.parametrize("verified_before", [False, True])
async def test_what_was_taken_or_changed_behind_it_opens_an_incident_as_ever(
    house: Aged, tamper: Any, verified_before: bool
) -> None:
    await house.calls(0, 10, 50)
    await house.sweep(111)
    watch = desks(house).watch
    if verified_before:
        assert await settled(watch) == []
    await tamper(house.store)
    assert await settled(watch) != []
    (incident,) = await desks(house).incidents.list()
    assert incident.main.facts["by"] == "gateway"


@pytest.mark.parametrize("look", ["look", "verify"])
async def test_a_beginning_that_goes_while_it_is_read_is_no_fault(
    house: Aged, monkeypatch: pytest.MonkeyPatch, look: str
) -> None:
    """Between the question where the chain begins and the answer to what stands there."""
    await house.calls(0, 10, 50)
    after, gone = ChainLines.after, list[bool]()

    async def late(self: ChainLines, *about: Any) -> Any:
        if not gone:
            gone.append(True)
            await house.sweep(111)
        return await after(self, *about)

    monkeypatch.setattr(ChainLines, "after", late)
    looked = await getattr(desks(house).watch, look)(ACME)
    assert gone
    assert looked.faults == ()
    assert looked.entries >= OF_CALL + 2


# --- witnesses outside --------------------------------------------------------------------------------------------------


async def only_acme() -> list[TenantId]:
    return [ACME]


def anchoring(house: Aged, folder: Path) -> Anchoring:
    parts = AnchoringParts(
        witnesses=[SecondPlace(folder)],
        anchors=RedisAnchors(house.store),
        chain=house.ledger,
        lease=RedisLease(house.store, "one"),
        tenants=only_acme,
        sign=SIGNING.sign,
        public_key=SIGNING.public_key,
        clock=house.clock,
        telemetry=NullTelemetry(),
        every=timedelta(hours=1),
    )
    return Anchoring(parts)


async def newest(house: Aged) -> dict[str, Any]:
    (found,) = (await RedisAnchors(house.store).newest(ACME)).values()
    return dict(found["head"])


@pytest.mark.parametrize("fresh", [False, True])
async def test_witnesses_go_on_seeing_heads_of_the_whole_chain(house: Aged, tmp_path: Path, fresh: bool) -> None:
    """Also of a gateway that has just started, or one that has not looked for long: as if nothing had gone."""
    whole = Growing()
    await house.calls(0, 10)
    old = anchoring(house, tmp_path / "seen")
    assert await old.anchor(ACME) == 1
    await house.call("call_3", 50)
    leaves = {entry.seq: entry.hash async for entry in house.ledger.entries(ACME)}
    await house.sweep(151)
    leaves |= {entry.seq: entry.hash async for entry in house.ledger.entries(ACME)}
    for place in sorted(leaves):
        whole.add(heads.leaf(leaves[place]))
    assert (await house.places())[0] > 12, "more went than the old gateway has seen"
    assert await (anchoring(house, tmp_path / "seen") if fresh else old).anchor(ACME) == 1
    head = await newest(house)
    assert (head["size"], head["root"]) == (len(leaves), f"sha256:{whole.root.hex()}")
    assert heads.read_head(head, SIGNING.public_key).trusted


@pytest.mark.parametrize("size", [8, 9])
async def test_a_chain_that_contradicts_what_witnesses_saw_is_told(house: Aged, tmp_path: Path, size: int) -> None:
    """At the place up to which it was deleted, and behind it."""
    await house.calls(0, 10, 50)
    await house.sweep(111)
    key = SIGNING
    forged = heads.head(ACME, size, b"r" * 32, "sha256:" + "0" * 64, START, sign=key.sign, public_key=key.public_key)
    await RedisAnchors(house.store).add(ACME, {"head": forged, "by": "second-place", "stamp": ""})
    with pytest.raises(EvidenceInvalid, match="rewritten"):
        await anchoring(house, tmp_path / "seen").anchor(ACME)


# --- incidents ----------------------------------------------------------------------------------------------------------


async def scope(house: Aged, start: float, end: float) -> Scope:
    scan = Scan(ACME, Window(START + start * DAY, START + end * DAY))
    await ChainLines(house.store).read(scan)
    return scan.scope()


async def test_an_incident_says_what_of_its_time_nobody_can_count_any_more(house: Aged) -> None:
    await house.calls(0, 10, 50)
    await house.sweep(111)
    early = await scope(house, 5, 60)
    assert early.calls == {"call_3"}
    assert (early.facts["deleted_up_to"], early.facts["first_entry"], early.facts["chain"]) == (8, 9, "whole")
    late = await scope(house, 120, 130)
    assert "deleted_up_to" not in late.facts
    await house.call("call_4", 120)
    late = await scope(house, 119, 130)
    assert late.calls == {"call_4"}
    assert "deleted_up_to" not in late.facts


async def test_an_incident_of_a_whole_chain_says_nothing_of_that(house: Aged) -> None:
    await house.calls(0, 10)
    assert "deleted_up_to" not in (await scope(house, 0, 20)).facts
    assert "deleted_up_to" not in (await scope(house, -20, 0.5)).facts


# --- rights of callers --------------------------------------------------------------------------------------------------


async def test_who_asks_what_is_known_of_them_gets_what_stays_and_the_rest_is_known_as_gone(house: Aged) -> None:
    """``rights know`` counts calls without entries as those whose records are no longer kept."""
    await house.calls(0, 10, 50)
    await house.sweep(111)
    calls = [CallId(f"call_{number}") for number in (1, 2, 3)]
    read = [entry async for entry in ReadCalls(house.store, house.ledger)(ACME, calls)]
    assert {entry.draft.call for entry in read} == {"call_3"}
    assert len(read) == OF_CALL


# --- backups ------------------------------------------------------------------------------------------------------------


async def test_a_beginning_that_goes_while_a_backup_reads_it_is_not_half_of_it(
    house: Aged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The backup begins anew with what is there then: a chain with a hole would be refused when it is restored."""
    monkeypatch.setattr("gateway.adapters.stores.snapshot.ENTRIES", 3)
    await house.calls(0, 10, 50)
    places, kept = list[int](), list[int]()
    async with Snapshot(house.store) as snapshot:
        async for piece in snapshot.read([STREAM]):
            if not places:
                await house.sweep(111)
            found = [int(part.partition(b"-")[0]) for part in piece.parts[::2]]
            places += found
            kept = found if piece.first else [*kept, *found]
    assert places[:3] == [1, 2, 3]
    assert kept == list(range(9, 15))
