"""A gateway whose evidence grows old, with the sweeper that looks after it and a clock that a test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.adapters.stores.chain_lines import ChainLines
from gateway.adapters.stores.lease import RedisLease
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.redis import Store
from gateway.adapters.telemetry.null import NullTelemetry
from gateway.evidence.chain import CallChain, verify_chain
from gateway.evidence.cut import Cut
from gateway.evidence.entries import Json
from gateway.evidence.expiry import MOST
from gateway.holding import DataDesk
from gateway.runner.chain_expiry import ChainExpiry
from gateway.runner.retention import Sweeper, SweeperParts, Swept
from gateway.values import CallId, TenantId
from tests.conftest import PATIENCE_S
from tests.evidence.samples import ENDED, LISTENING, PLAYED, STARTED
from tests.policy.samples import TENANT, loaded
from tests.runner.kept import ACME, START, HandClock, keeping

POLICY = loaded(TENANT + "retention: {evidence: 100d}\n").tenant("acme")
DAY = timedelta(days=1)
OF_CALL = 4
"""Entries of one call."""


@dataclass
class Aged:
    """Evidence is kept for 100 days, counted from ``START``."""

    desk: DataDesk
    ledger: RedisLedger
    store: Store
    clock: HandClock

    async def call(self, name: str, day: float, **started: Json) -> None:
        """A call on that day, of four entries."""
        chain = CallChain(ACME, CallId(name))
        for kind, body in (STARTED, PLAYED, LISTENING, ENDED):
            more = started if kind == "call.started" else {}
            chain.add(await self.ledger.append(chain.draft(kind, START + day * DAY, {**body, **more})))

    async def calls(self, *days: float) -> None:
        """One call on each of these days: ``call_1``…"""
        for number, day in enumerate(days, start=1):
            await self.call(f"call_{number}", day)

    async def places(self) -> list[int]:
        return [entry.seq async for entry in self.ledger.entries(ACME)]

    async def kinds(self) -> list[str]:
        return [entry.draft.kind async for entry in self.ledger.entries(ACME)]

    async def cut(self) -> Cut:
        found = await ChainLines(self.store).beginning(ACME)
        assert found is not None
        return found

    async def verified(self) -> int:
        """Every entry that is there follows the one before it, the first one what was deleted: how many there are."""
        cut = await self.cut()
        entries = [entry async for entry in self.ledger.entries(ACME)]
        return verify_chain(entries, tenant=ACME, seq=cut.last, head=cut.hash).count

    def sweeper(self, *, most: int = MOST) -> Sweeper:
        async def nothing() -> None:
            return None

        async def ended(tenant: TenantId) -> datetime | None:
            return None

        return Sweeper(
            SweeperParts(
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
        )

    async def sweep(self, day: float, *, most: int = MOST) -> Swept:
        """One round of the sweeper on that day."""
        self.clock.at = START + day * DAY
        return await self.sweeper(most=most).sweep()


@asynccontextmanager
async def aged(store: Store) -> AsyncIterator[Aged]:
    clock = HandClock()
    async with RedisLedger(store, timeout_s=PATIENCE_S) as ledger:
        yield Aged(keeping(store, ledger, clock=clock), ledger, store, clock)
