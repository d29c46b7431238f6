"""The beginning of a chain goes when its time is over, and everything that stays still verifies (promise 14)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytest

from gateway.adapters.stores.chain_lines import ChainLines
from gateway.adapters.stores.lease import RedisLease
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.redis import Store
from gateway.adapters.telemetry.null import NullTelemetry
from gateway.evidence.chain import CallChain, verify_chain
from gateway.evidence.entries import Json
from gateway.holding import DataDesk
from gateway.policy.retention import HoldScope
from gateway.runner.chain_expiry import ChainExpiry
from gateway.runner.retention import Sweeper, SweeperParts, Swept
from gateway.values import CallId, DataClass
from tests.conftest import PATIENCE_S
from tests.evidence.samples import ENDED, LISTENING, PLAYED, STARTED
from tests.policy.samples import TENANT, loaded
from tests.runner.kept import ACME, START, HandClock, keeping

POLICY = loaded(TENANT + "retention: {evidence: 100d}\n").tenant("acme")
DAY = timedelta(days=1)


@dataclass
class House:
    """A gateway with a chain, and the sweeper that looks after it."""

    desk: DataDesk
    ledger: RedisLedger
    store: Store
    clock: HandClock

    async def call(self, name: str, at: datetime, **started: Json) -> None:
        chain = CallChain(ACME, CallId(name))
        for kind, body in (STARTED, PLAYED, LISTENING, ENDED):
            more = started if kind == "call.started" else {}
            chain.add(await self.ledger.append(chain.draft(kind, at, {**body, **more})))

    async def places(self) -> list[int]:
        return [entry.seq async for entry in self.ledger.entries(ACME)]

    async def kinds(self) -> list[str]:
        return [entry.draft.kind async for entry in self.ledger.entries(ACME)]

    async def sweep(self, *, after: timedelta, most: int = 100_000) -> Swept:
        self.clock.at = START + after

        async def nothing() -> None:
            return None

        async def ended(tenant: object) -> None:
            return None

        parts = SweeperParts(
            deletions=self.desk.deletions,
            holdings=lambda: self.desk.holdings,
            holds=self.desk.holds,
            tenants=lambda: {ACME: POLICY},
            lease=RedisLease(self.store, "one"),
            holder="one",
            clock=self.clock,
            telemetry=NullTelemetry(),
            ended=ended,
            pause=nothing,
            evidence=ChainExpiry(self.store, self.clock, most=most),
        )
        return await Sweeper(parts).sweep()


@pytest.fixture
async def house(store: Store) -> AsyncIterator[House]:
    clock = HandClock()
    async with RedisLedger(store, timeout_s=PATIENCE_S) as ledger:
        yield House(keeping(store, ledger, clock=clock), ledger, store, clock)


async def test_what_is_older_than_the_policy_goes_and_what_stays_verifies(house: House) -> None:
    """An entry at the end says what went and stands for it; a signed certificate is kept; calls stay whole."""
    for number in range(3):
        await house.call(f"call_{number}", START + number * 10 * DAY)
    assert (await house.sweep(after=99 * DAY)).deleted == {}
    assert await house.places() == list(range(1, 13))

    swept = await house.sweep(after=111 * DAY)
    assert (swept.deleted, swept.left) == ({DataClass.EVIDENCE: 1}, ())
    assert await house.places() == list(range(9, 15))
    assert (await house.kinds())[-2:] == ["evidence.cut", "deletion.certified"]
    cut = await ChainLines(house.store).beginning(ACME)
    assert cut is not None
    assert (cut.first, cut.last, cut.seq) == (1, 8, 13)
    entries = [entry async for entry in house.ledger.entries(ACME)]
    assert verify_chain(entries, tenant=ACME, seq=8, head=cut.hash).count == 6
    (certificate,) = await house.desk.certificates.of(ACME, "entries_1_8")
    assert (certificate.data_class, certificate.holding) == (DataClass.EVIDENCE, "chain")
