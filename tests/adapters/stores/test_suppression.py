"""Who is not called: opt-outs, lists with their dates, attempts in 24 hours. Hashes alone stand in the store."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.suppression import RedisSuppression
from gateway.errors import InvalidRequest, StoreUnavailable
from gateway.policy.outbound import ListHit
from gateway.values import TenantId

ACME, OTHER = TenantId("acme"), TenantId("other")
ANNA, BEN = "a" * 64, "b" * 64
NOW = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)


async def test_an_opt_out_holds_from_the_first_time(store: Store) -> None:
    """Said again later it does not move; found to have been said earlier it does."""
    list_ = RedisSuppression(store)
    assert await list_.opted_out(ACME, ANNA) is None
    assert await list_.opt_out(ACME, ANNA, NOW) == NOW
    assert await list_.opt_out(ACME, ANNA, NOW + timedelta(days=1)) == NOW
    assert await list_.opt_out(ACME, ANNA, NOW - timedelta(days=1)) == NOW - timedelta(days=1)
    assert await list_.opted_out(ACME, ANNA) == NOW - timedelta(days=1)
    assert await list_.opted_out(ACME, BEN) is None
    assert await list_.opted_out(OTHER, ANNA) is None


async def test_it_is_lifted_by_their_own_word(store: Store) -> None:
    list_ = RedisSuppression(store)
    await list_.opt_out(ACME, ANNA, NOW)
    assert [await list_.lift(ACME, ANNA), await list_.lift(ACME, ANNA)] == [True, False]
    assert await list_.opted_out(ACME, ANNA) is None


async def test_a_list_is_replaced_as_a_whole(store: Store) -> None:
    """The new content with its date instead of the old; an empty list is one too, and nothing is left behind."""
    list_ = RedisSuppression(store)
    assert await list_.hits(ACME, ANNA) == ()
    imported = await list_.replace_list(ACME, "ftc", [ANNA, ANNA, BEN], as_of=date(2026, 11, 1), imported_at=NOW)
    assert imported.numbers == 2
    assert await list_.hits(ACME, ANNA) == (ListHit("ftc", date(2026, 11, 1), listed=True),)
    await list_.replace_list(ACME, "ftc", [BEN], as_of=date(2026, 11, 20), imported_at=NOW)
    assert await list_.hits(ACME, ANNA) == (ListHit("ftc", date(2026, 11, 20), listed=False),)
    await list_.replace_list(ACME, "ftc", [], as_of=date(2026, 11, 21), imported_at=NOW)
    assert await list_.hits(ACME, BEN) == (ListHit("ftc", date(2026, 11, 21), listed=False),)
    assert [each.numbers for each in await list_.lists(ACME)] == [0]
    async with store.answers() as client:
        assert await client.keys("*draft*") == []
    assert await list_.hits(OTHER, ANNA) == ()


async def test_a_long_list_comes_in_whole(store: Store) -> None:
    """In batches, without waiting for all of it at once; it does not run out."""
    list_ = RedisSuppression(store)
    subjects = (f"{number:064x}" for number in range(2_500))
    imported = await list_.replace_list(ACME, "own", subjects, as_of=date(2026, 11, 1), imported_at=NOW)
    assert imported.numbers == 2_500
    async with store.answers() as client:
        assert await client.ttl("sordino:{acme}:list:own") == -1


async def test_attempts_count_for_24_hours(store: Store) -> None:
    """To the second, per person and tenant."""
    list_ = RedisSuppression(store)
    assert await list_.take_attempt(ACME, ANNA, NOW, most=2)
    assert await list_.take_attempt(ACME, ANNA, NOW + timedelta(hours=1), most=2)
    assert not await list_.take_attempt(ACME, ANNA, NOW + timedelta(hours=2), most=2)
    assert await list_.attempts(ACME, ANNA, NOW + timedelta(hours=2)) == 2
    assert await list_.attempts(ACME, ANNA, NOW + timedelta(hours=24)) == 1
    assert await list_.attempts(ACME, BEN, NOW) == await list_.attempts(OTHER, ANNA, NOW) == 0
    assert await list_.take_attempt(ACME, ANNA, NOW + timedelta(hours=24), most=2)
    assert not await list_.take_attempt(ACME, BEN, NOW, most=0)


async def test_two_diallers_never_take_the_same_attempt(store: Store) -> None:
    list_ = RedisSuppression(store)
    taken = await asyncio.gather(*(list_.take_attempt(ACME, ANNA, NOW, most=3) for _ in range(12)))
    assert sum(taken) == 3


async def test_what_is_no_hash_does_not_get_in(store: Store) -> None:
    """A number in clear has a sign that no key has."""
    list_ = RedisSuppression(store)
    for refused in (list_.opt_out(ACME, "+15125550100", NOW), list_.attempts(ACME, "+15125550100", NOW)):
        with pytest.raises(InvalidRequest):
            await refused


async def test_what_cannot_be_read_is_no_permission(store: Store, own_valkey: EmbeddedValkey) -> None:
    """A damaged time, damaged dates, no store: an error, never "not listed"."""
    list_ = RedisSuppression(store)
    async with store.answers() as client:
        await client.hset("sordino:{acme}:opted-out", ANNA, "yesterday")
        await client.hset("sordino:{acme}:lists", "ftc", "[]")
    for read in (list_.opted_out(ACME, ANNA), list_.hits(ACME, ANNA)):
        with pytest.raises(StoreUnavailable, match="cannot be read"):
            await read
    async with Store(own_valkey.url) as gone:
        await own_valkey.kill()
        with pytest.raises(StoreUnavailable):
            await RedisSuppression(gone).opted_out(ACME, ANNA)
