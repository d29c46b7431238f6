"""Heads of a chain are shown to witnesses when it has grown, by one gateway of many; a rewritten chain is told, never shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.adapters.audit.bundle_file import new_bundle, open_bundle
from gateway.adapters.audit.second_place import SecondPlace
from gateway.adapters.stores.anchors import RedisAnchors
from gateway.adapters.stores.chains import LOOK_AGAIN_S, RedisChains
from gateway.adapters.stores.lease import RedisLease
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.redis import Store
from gateway.adapters.telemetry.null import NullTelemetry
from gateway.errors import BundleInvalid, EvidenceInvalid, UpstreamFailed
from gateway.evidence.anchor import read_anchor
from gateway.evidence.bundle import ANCHORS, CHAIN, KEY, PARTS, Bundle, Span, key_part, manifest, verify_bundle
from gateway.evidence.canonical import canonical
from gateway.evidence.chain import CallChain, genesis, record
from gateway.evidence.entries import Json
from gateway.runner.anchoring import Anchoring, AnchoringParts, Witness
from gateway.values import CallId, TenantId
from tests.evidence.samples import ACME, ENDED, NOON, PUBLIC, STARTED
from tests.evidence.samples import KEY as SIGNER
from tests.runner.kept import HandClock

HOUR = timedelta(hours=1)


class Absent:
    """A witness who does not answer until it is back."""

    name = "tsa.example"
    back = False

    async def see(self, head: Mapping[str, Json]) -> str:
        if self.back:
            return ""
        raise UpstreamFailed("the time stamping authority cannot be reached")


class House:
    """A gateway's anchoring on the test's own store, and its chain."""

    def __init__(self, store: Store, ledger: RedisLedger, folder: Path) -> None:
        self.store = store
        self.ledger = ledger
        self.anchors = RedisAnchors(store)
        self.clock = HandClock()
        self.folder = folder

    def anchoring(self, *witnesses: Witness, holder: str = "one") -> Anchoring:
        parts = AnchoringParts(
            witnesses=witnesses or [SecondPlace(self.folder)],
            anchors=self.anchors,
            chain=self.ledger,
            lease=RedisLease(self.store, holder),
            tenants=RedisChains(self.store, lambda: [ACME], self.clock),
            sign=SIGNER.sign,
            public_key=PUBLIC,
            clock=self.clock,
            telemetry=NullTelemetry(),
            every=HOUR,
        )
        return Anchoring(parts)

    async def call(self, *names: str, tenant: TenantId = ACME) -> None:
        for name in names:
            chain = CallChain(tenant, CallId(name))
            for kind, body in (STARTED, ENDED):
                chain.add(await self.ledger.append(chain.draft(kind, NOON, body)))

    async def rewrite(self, *names: str) -> None:
        async with self.store.answers() as client:
            await client.delete("sordino:{acme}:evidence")
        async with RedisLedger(self.store, timeout_s=20) as fresh:
            self.ledger = fresh
            await self.call(*names)
        self.ledger = RedisLedger(self.store, timeout_s=20)

    async def bundle(self, path: Path) -> Bundle:
        """The whole chain and its anchors as an auditor gets them."""
        entries = [entry async for entry in self.ledger.entries(ACME)]
        lines = {
            CHAIN: [canonical(record(entry)) + b"\n" for entry in entries],
            ANCHORS: [canonical(each) + b"\n" for each in await self.anchors.all(ACME)],
            KEY: [key_part(PUBLIC)],
        }
        with new_bundle(path) as bundle:
            for name in PARTS:
                with bundle.part(name) as write:
                    for line in lines.get(name, []):
                        write(line)
            span = Span(len(entries), 1, entries[-1].seq, genesis(ACME), entries[-1].hash)
            bundle.finish(manifest(ACME, NOON, (None, None), span, bundle.parts, sign=SIGNER.sign, public_key=PUBLIC))
        with open_bundle(path) as file:
            return verify_bundle(file.manifest, file.chunks, PUBLIC)


@pytest.fixture
async def house(store: Store, tmp_path: Path) -> House:
    return House(store, RedisLedger(store, timeout_s=20), tmp_path / "elsewhere")


async def test_every_chain_of_the_store_is_shown_and_not_those_of_tenants_alone(house: House) -> None:
    """The gateway's own, where every access and incident stands, and that of a tenant who has left."""
    await house.call("one")
    await house.call("access", tenant=TenantId("_house"))
    await house.call("their-last", tenant=TenantId("left"))
    anchoring = house.anchoring()
    assert await anchoring.round() == 3
    assert sorted(each.name for each in house.folder.iterdir()) == ["_house", "acme", "left"]
    await house.call("new", tenant=TenantId("new"))
    assert await anchoring.round() == 0
    house.clock.at += timedelta(seconds=LOOK_AGAIN_S)
    assert await anchoring.round() == 1


async def test_a_chain_that_grew_is_shown_when_it_is_due_and_not_before(house: House) -> None:
    """Once an hour here; nothing new is nothing to show."""
    anchoring = house.anchoring()
    assert await anchoring.round() == 0
    await house.call("a")
    assert await anchoring.round() == 1
    await house.call("b")
    assert await anchoring.round() == 0
    house.clock.at += HOUR
    assert await anchoring.round() == 1
    house.clock.at += HOUR
    assert await anchoring.round() == 0
    assert [read_anchor(each).head.size for each in await house.anchors.all(ACME)] == [2, 4]
    assert sorted(path.name for path in (house.folder / "acme").iterdir()) == ["000000000002.json", "000000000004.json"]


async def test_of_two_gateways_one_shows_it(house: House) -> None:
    await house.call("a")
    assert await house.anchoring(holder="one").round() == 1
    house.clock.at += HOUR
    await house.call("b")
    assert await house.anchoring(holder="two").round() == 0
    assert await house.anchoring(holder="one").round() == 1


async def test_a_witness_who_does_not_answer_is_asked_again_and_keeps_nobody_else_from_seeing(house: House) -> None:
    await house.call("a")
    absent = Absent()
    anchoring = house.anchoring(absent, SecondPlace(house.folder))
    with pytest.raises(UpstreamFailed):
        await anchoring.anchor(ACME)
    assert [each["by"] for each in await house.anchors.all(ACME)] == ["second-place"]
    absent.back = True
    assert await anchoring.round() == 1
    assert [each["by"] for each in await house.anchors.all(ACME)] == ["second-place", "tsa.example"]


async def test_an_auditor_is_told_who_saw_the_chain_and_how_much_of_it(house: House, tmp_path: Path) -> None:
    await house.call("a", "b")
    await house.anchoring().round()
    await house.call("c")
    found = await house.bundle(tmp_path / "bundle.zip")
    assert [(each.by, each.head.size) for each in found.anchors] == [("second-place", 4)]
    assert found.entries == 6


async def test_a_rewritten_chain_is_told_by_its_anchors(house: House, tmp_path: Path) -> None:
    """By the gateway, before it would show it; and by the bundle, whose chain alone is without a fault."""
    await house.call("a", "b")
    await house.anchoring().round()
    await house.rewrite("a", "x", "c")
    with pytest.raises(EvidenceInvalid, match="was rewritten: entry 4"):
        await house.anchoring().anchor(ACME)
    with pytest.raises(BundleInvalid, match=r"entry 4 is not the one that second-place saw at .*: history was rewritten"):
        await house.bundle(tmp_path / "bundle.zip")


async def test_a_chain_that_was_rewritten_with_all_that_the_store_knows_of_it_is_told_by_the_second_place(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """Who has the store can forget its anchors; the place that somebody else keeps remembers."""
    await house.call("a", "b")
    await house.anchoring().round()
    await house.rewrite("a", "x")
    for name in await house.store.ask("KEYS", "sordino:{acme}:anchor*"):
        await house.store.ask("DEL", name)
    assert await house.anchoring().round() == 0
    assert "was rewritten: entry 4" in caplog.text
    assert await house.anchors.all(ACME) == []


async def test_a_chain_that_lost_its_end_is_told_too(house: House, tmp_path: Path) -> None:
    await house.call("a", "b")
    await house.anchoring().round()
    await house.rewrite("a")
    with pytest.raises(EvidenceInvalid, match="was rewritten"):
        await house.anchoring().anchor(ACME)
    with pytest.raises(BundleInvalid, match=r"saw 4 entries at .*: some were removed"):
        await house.bundle(tmp_path / "bundle.zip")


async def test_an_anchor_that_was_changed_is_no_anchor(house: House, tmp_path: Path) -> None:
    await house.call("a")
    await house.anchoring().round()
    changed = json.loads(canonical((await house.anchors.all(ACME))[0]))
    changed["head"]["size"] = 1
    async with house.store.answers() as client:
        await client.delete("sordino:{acme}:anchors")
    await house.anchors.add(ACME, changed)
    with pytest.raises(BundleInvalid, match=r"anchors\.jsonl.*this anchor is not valid: the signature does not fit"):
        await house.bundle(tmp_path / "bundle.zip")
