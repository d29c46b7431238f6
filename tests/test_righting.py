"""Whose entry a stored line is, is read without opening it; what is read of a long history is what the ledger would give."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import righting
from gateway.adapters.stores.lease import RedisLease
from gateway.adapters.stores.redis import Store
from gateway.errors import StoreUnavailable
from gateway.evidence.chain import genesis, seal_written
from gateway.evidence.entries import Draft
from gateway.righting import call_in
from gateway.tasks import TaskOwner
from gateway.values import CallId, TenantId
from tests.journeys.persons import open_house

ACME = TenantId("acme")
NASTY = st.sampled_from(['"call":"x"', '","call_previous":"', ',"call":"call_9","call_previous":"'])


@given(
    st.from_regex(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,40}[A-Za-z0-9_-])?", fullmatch=True),
    st.dictionaries(st.sampled_from(["call", "call_previous", "case", "x"]), st.text(max_size=20) | NASTY),
)
def test_the_call_of_a_line_is_the_entrys_own(call: str, body: dict[str, str]) -> None:
    """Whatever its body holds: acts of rights have a member of that name too."""
    draft = Draft(ACME, CallId(call), "x", datetime(2026, 11, 1, tzinfo=UTC), body, genesis(ACME))
    _, line = seal_written(draft, 1, genesis(ACME))
    assert call_in(line) == call.encode()


class Failing:
    """A desk whose first round fails; it says when it was asked again."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.again = asyncio.Event()

    async def resume(self, tenant: str, *, begun_before: datetime) -> int:
        self.asked.append(tenant)
        if len(self.asked) == 1:
            raise StoreUnavailable("not now")
        if self.asked.count(self.asked[0]) > 1:
            self.again.set()
        return 0


async def test_what_was_left_behind_is_looked_for_again_and_again_by_one_gateway(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A round that fails ends nothing; and of two gateways only one looks."""
    monkeypatch.setattr(righting, "LOOK_EVERY_S", 0.0)
    tried = Tried(RedisLease.take)
    monkeypatch.setattr(RedisLease, "take", lambda *them, for_s: tried.take(*them))
    async with AsyncExitStack() as running, TaskOwner("test", on_failure=lambda name, error: None) as tasks:
        house = await open_house(store, tmp_path, running)
        first, second = Failing(), Failing()
        tasks.start(replace(house.righting, desk=cast(Any, first)).keep(), name="first")
        async with asyncio.timeout(60):
            await first.again.wait()
            tasks.start(replace(house.righting, desk=cast(Any, second)).keep(), name="second")
            await tried.by_both.wait()
    assert set(first.asked) == {"acme", "beta", "gamma"}
    assert second.asked == []


class Tried:
    """The lease for so long that a slow machine does not lose it; tells when two gateways have asked for it every tenant."""

    def __init__(self, take: Callable[..., Awaitable[bool]]) -> None:
        self._take = take
        self._askers: list[int] = []
        self.by_both = asyncio.Event()

    async def take(self, lease: RedisLease, tenant: str, name: str) -> bool:
        self._askers.append(id(lease))
        had = await self._take(lease, tenant, name, for_s=120.0)
        if self._askers.count(id(lease)) > 3 and len(set(self._askers)) == 2 and not had:
            self.by_both.set()
        return had
