"""What may be used only once is used only once, by however many gateways at the same time."""

from __future__ import annotations

import asyncio

import pytest

from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.once import OnlyOnce
from gateway.adapters.stores.redis import Store
from gateway.errors import StoreUnavailable


async def test_the_first_time_is_the_only_one(store: Store) -> None:
    once = OnlyOnce(store)
    assert [await once.first_time("stream_1", within_s=60) for _ in range(3)] == [True, False, False]
    assert await once.first_time("stream_2", within_s=60)


async def test_of_two_gateways_that_ask_at_once_one_is_first(valkey: EmbeddedValkey, store: Store) -> None:
    async with Store(valkey.url) as other:
        gateways = [OnlyOnce(store), OnlyOnce(other)]
        answers = await asyncio.gather(*(gateways[n % 2].first_time("stream_1", within_s=60) for n in range(20)))
    assert sorted(answers) == [False] * 19 + [True]


async def test_it_is_forgotten_when_it_cannot_be_used_again_anyway(store: Store) -> None:
    await OnlyOnce(store).first_time("stream_1", within_s=60)
    async with store.answers() as client:
        [key] = await client.keys("*")
        assert 50 < await client.ttl(key) <= 60


async def test_without_the_store_nobody_is_told_that_it_is_the_first_time(own_valkey: EmbeddedValkey) -> None:
    async with Store(own_valkey.url) as store:
        await own_valkey.kill()
        with pytest.raises(StoreUnavailable):
            await OnlyOnce(store).first_time("stream_1", within_s=60)
