"""Tenants' keys and limits, on a real store."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.tenant_keys import Limits, TenantKeys
from gateway.errors import Forbidden, InvalidRequest, NotFound, RateLimited, StoreUnavailable, Unauthenticated
from gateway.values import Private, TenantId

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def keys(store: Store) -> TenantKeys:
    return TenantKeys(store)


async def test_a_key_lets_its_tenant_in_for_what_it_is_for(keys: TenantKeys) -> None:
    key, secret = await keys.create(ACME, now=NOW, name="the shop", scopes=["chat"])
    admitted = await keys.enter(secret, "chat", now=NOW)
    assert (admitted.tenant, admitted.key) == (ACME, key)
    with pytest.raises(Forbidden):
        await keys.enter(secret, "audio", now=NOW)


async def test_the_store_never_has_the_secret(keys: TenantKeys, store: Store) -> None:
    _, secret = await keys.create(ACME, now=NOW)
    random = secret.reveal().rpartition("-")[2].encode()
    async with store.answers() as client:
        kept = await client.hgetall("sordino:{acme}:keys")
    assert kept
    assert random not in repr(kept).encode()


WRONG = ["", "x", "sordino-acme-", "sordino-acme-" + "A" * 43, "sordino-none-" + "A" * 43, "sordino-a}{b-" + "A" * 43, "\ud800"]


@pytest.mark.parametrize("secret", WRONG)
async def test_what_is_no_key_lets_nobody_in(keys: TenantKeys, secret: str) -> None:
    with pytest.raises(Unauthenticated):
        await keys.enter(Private(secret), "chat", now=NOW)


async def test_a_key_says_nothing_when_it_is_moved_to_another_tenant(keys: TenantKeys) -> None:
    """promise 27: the tenant's name stands in a key, and another name makes it no key."""
    _, secret = await keys.create(ACME, now=NOW)
    with pytest.raises(Unauthenticated):
        await keys.enter(secret.map(lambda each: each.replace("acme", "globex")), "chat", now=NOW)


async def test_a_key_expires(keys: TenantKeys) -> None:
    _, secret = await keys.create(ACME, now=NOW, lives=timedelta(days=1))
    await keys.enter(secret, "chat", now=NOW + timedelta(hours=23))
    with pytest.raises(Unauthenticated):
        await keys.enter(secret, "chat", now=NOW + timedelta(days=1))


async def test_a_revoked_key_lets_nobody_in_at_once_and_stays_in_the_list(keys: TenantKeys) -> None:
    key, secret = await keys.create(ACME, now=NOW)
    await keys.revoke(ACME, key.id, now=NOW)
    with pytest.raises(Unauthenticated):
        await keys.enter(secret, "chat", now=NOW)
    (listed,) = await keys.of(ACME)
    assert listed.revoked_at


async def test_a_rotated_key_hands_over_to_the_new_one_with_or_without_grace(keys: TenantKeys) -> None:
    old, secret = await keys.create(ACME, now=NOW, name="shop", scopes=["chat"])
    fresh, newer = await keys.rotate(ACME, old.id, now=NOW, grace=timedelta(hours=1))
    assert (fresh.name, fresh.scopes) == ("shop", ("chat",))
    await keys.enter(secret, "chat", now=NOW + timedelta(minutes=59))
    with pytest.raises(Unauthenticated):
        await keys.enter(secret, "chat", now=NOW + timedelta(hours=1))
    await keys.rotate(ACME, fresh.id, now=NOW)
    with pytest.raises(Unauthenticated):
        await keys.enter(newer, "chat", now=NOW)


async def test_a_key_of_another_tenant_cannot_be_named(keys: TenantKeys) -> None:
    key, _ = await keys.create(ACME, now=NOW)
    for attempt in (keys.revoke(GLOBEX, key.id, now=NOW), keys.rotate(GLOBEX, key.id, now=NOW)):
        with pytest.raises(NotFound):
            await attempt


@pytest.mark.parametrize("wish", [{"scopes": ["root"]}, {"scopes": []}, {"name": "a\nb"}, {"name": "x" * 65}])
async def test_a_key_that_cannot_be_is_refused(keys: TenantKeys, wish: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest):
        await keys.create(ACME, now=NOW, **wish)  # type: ignore[arg-type]


async def test_more_than_the_burst_must_wait_and_is_told_how_long(keys: TenantKeys) -> None:
    _, secret = await keys.create(ACME, now=NOW)
    await keys.limit(ACME, Limits(per_minute=6, burst=2, concurrent=100))
    for _ in range(2):
        await keys.enter(secret, "chat", now=NOW)
    with pytest.raises(RateLimited) as refused:
        await keys.enter(secret, "chat", now=NOW)
    assert refused.value.retry_after_s is not None
    assert 0 < refused.value.retry_after_s <= 10


async def test_the_limit_is_the_tenants_over_all_of_its_keys(keys: TenantKeys) -> None:
    secrets = [(await keys.create(ACME, now=NOW))[1] for _ in range(2)]
    await keys.limit(ACME, Limits(per_minute=1, burst=1, concurrent=100))
    await keys.enter(secrets[0], "chat", now=NOW)
    with pytest.raises(RateLimited):
        await keys.enter(secrets[1], "chat", now=NOW)
    _, other = await keys.create(GLOBEX, now=NOW)
    await keys.enter(other, "chat", now=NOW)


async def test_no_more_than_so_many_at_once_and_who_leaves_makes_room(keys: TenantKeys) -> None:
    _, secret = await keys.create(ACME, now=NOW)
    await keys.limit(ACME, Limits(concurrent=2))
    got = await asyncio.gather(*(keys.enter(secret, "chat", now=NOW) for _ in range(5)), return_exceptions=True)
    admitted = [each for each in got if not isinstance(each, BaseException)]
    assert len(admitted) == 2
    assert all(isinstance(each, RateLimited) for each in got if isinstance(each, BaseException))
    await keys.leave(admitted[0])
    await keys.enter(secret, "chat", now=NOW)


async def test_who_enters_next_finds_the_places_free_of_those_that_have_ended(keys: TenantKeys) -> None:
    _, secret = await keys.create(ACME, now=NOW)
    await keys.limit(ACME, Limits(concurrent=2))
    first = [await keys.enter(secret, "chat", now=NOW) for _ in range(2)]
    assert [keys.ends(each) for each in first] == [True, False]  # one tells the store for both
    again = [await keys.enter(secret, "chat", now=NOW) for _ in range(2)]
    with pytest.raises(RateLimited):
        await keys.enter(secret, "chat", now=NOW)
    assert {each.lease for each in first}.isdisjoint(each.lease for each in again)


async def test_the_store_is_told_of_who_has_ended_also_where_nobody_enters_any_more(keys: TenantKeys, store: Store) -> None:
    """So that another gateway finds the places free; and at once when this one closes."""
    _, secret = await keys.create(ACME, now=NOW)
    await keys.limit(ACME, Limits(concurrent=2))
    other = TenantKeys(store)
    for closing in (False, True):
        for each in [await keys.enter(secret, "chat", now=NOW) for _ in range(2)]:
            keys.ends(each)
        telling = asyncio.get_running_loop().create_task(keys.tell_ended())
        await asyncio.sleep(0)
        if closing:
            telling.cancel()
        await asyncio.wait({telling})
        for each in [await other.enter(secret, "chat", now=NOW) for _ in range(2)]:
            await other.leave(each)


async def test_who_enters_while_the_store_is_being_told_is_in_nobodys_way(keys: TenantKeys) -> None:
    _, secret = await keys.create(ACME, now=NOW)
    await keys.limit(ACME, Limits(concurrent=1))
    keys.ends(await keys.enter(secret, "chat", now=NOW))
    telling = asyncio.get_running_loop().create_task(keys.tell_ended())
    await asyncio.sleep(0)
    telling.cancel()  # then it tells at once
    told, entered = await asyncio.gather(telling, keys.enter(secret, "chat", now=NOW), return_exceptions=True)
    assert isinstance(told, asyncio.CancelledError)
    assert not isinstance(entered, BaseException)
    assert keys.ends(entered)


async def test_what_the_store_did_not_hear_it_is_told_when_it_is_back(own_valkey: EmbeddedValkey) -> None:
    async with Store(own_valkey.url, timeout_s=20) as store:
        keys = TenantKeys(store)
        _, secret = await keys.create(ACME, now=NOW)
        await keys.limit(ACME, Limits(concurrent=1))
        keys.ends(await keys.enter(secret, "chat", now=NOW))
        await own_valkey.kill()
        with pytest.raises(StoreUnavailable):
            await keys.tell_ended()
        await own_valkey.start()
        await keys.enter(secret, "chat", now=NOW)


async def test_who_is_refused_by_scope_takes_no_place(keys: TenantKeys) -> None:
    _, secret = await keys.create(ACME, now=NOW, scopes=["models"])
    await keys.limit(ACME, Limits(concurrent=1))
    for _ in range(3):
        with pytest.raises(Forbidden):
            await keys.enter(secret, "chat", now=NOW)
    await keys.enter(secret, "models", now=NOW)


async def test_without_a_store_nobody_comes_in() -> None:
    async with Store("redis://127.0.0.1:1", timeout_s=0.5) as gone:
        with pytest.raises(StoreUnavailable):
            await TenantKeys(gone).enter(Private("sordino-acme-" + "A" * 43), "chat", now=NOW)
