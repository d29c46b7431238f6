"""Access keys in the store: a digest and no secret, found while they are good, and never good again once revoked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.adapters.stores.api_keys import AccessKeys, Wish
from gateway.adapters.stores.redis import Store
from gateway.errors import InvalidRequest, NotFound, StoreUnavailable
from gateway.policy.roles import Right, Role
from gateway.values import Private

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
WISH = Wish("auditor", ("acme",), timedelta(days=30), "Ms Audit")


async def test_the_store_has_no_secret(store: Store) -> None:
    _, secret = await AccessKeys(store).create(WISH, now=NOW)
    async with store.answers() as client:
        kept = [await client.hgetall(name) for name in await client.keys("*")]
    assert kept
    assert secret.reveal() not in str(kept)
    assert secret.reveal().removeprefix("sak_") not in str(kept)


async def test_a_key_is_who_it_says_for_as_long_as_it_says(store: Store) -> None:
    keys = AccessKeys(store)
    key, secret = await keys.create(
        Wish("service", ("acme",), timedelta(days=1), kind="service", rights=("outbound.check",)), now=NOW
    )
    found = await keys.find(secret, now=NOW)
    assert found == key
    assert found.principal.may(Right.DIAL, "acme")
    assert not found.principal.may(Right.READ_CALLS, "acme")
    assert await keys.find(secret, now=NOW + timedelta(days=1)) is None
    assert await keys.find(secret.map(lambda text: text[:4] + text[:3:-1]), now=NOW) is None


@pytest.mark.parametrize("given", ["", "sak_", "sak_short", "sordino-acme-" + "a" * 43, "sak_" + "ä" * 43, "sak_" + "a" * 44])
async def test_what_is_no_key_is_not_even_looked_for(own: Store, given: str) -> None:
    assert await AccessKeys(own).find(Private(given), now=NOW) is None


@pytest.fixture
def own() -> Store:
    """A store that is not there."""
    return Store("unix:///nowhere/valkey.sock", timeout_s=1)


async def test_a_rotated_key_is_good_for_its_grace_and_the_new_one_for_as_long_as_the_old(store: Store) -> None:
    keys = AccessKeys(store)
    old, old_secret = await keys.create(WISH, now=NOW)
    later = NOW + timedelta(days=10)
    fresh, secret = await keys.rotate(old.id, now=later, grace=timedelta(hours=1))
    assert datetime.fromisoformat(fresh.expires_at) == later + timedelta(days=30)
    assert (fresh.role, fresh.tenants, fresh.name) == (old.role, old.tenants, old.name)
    assert await keys.find(old_secret, now=later) is not None
    assert await keys.find(old_secret, now=later + timedelta(hours=1)) is None
    assert await keys.find(secret, now=later + timedelta(days=29)) is not None


async def test_without_grace_the_old_one_is_gone_at_once(store: Store) -> None:
    keys = AccessKeys(store)
    old, secret = await keys.create(WISH, now=NOW)
    await keys.rotate(old.id, now=NOW)
    assert await keys.find(secret, now=NOW) is None
    with pytest.raises(InvalidRequest):
        await keys.rotate(old.id, now=NOW)


async def test_who_is_overtaken_does_not_bring_a_revoked_key_back(store: Store) -> None:
    """Two have read it, one revokes it: the other's line is not written over that."""
    keys = AccessKeys(store)
    key, secret = await keys.create(WISH, now=NOW)
    digest, read = await keys._find(key.id)
    await keys.revoke(key.id, now=NOW)
    with pytest.raises(StoreUnavailable):
        await keys._write(Private(digest), read, instead_of=read)
    assert await keys.find(secret, now=NOW) is None
    assert (await keys.revoke(key.id, now=NOW + timedelta(days=1))).revoked_at == NOW.isoformat()


@pytest.mark.parametrize(
    "wish",
    [
        Wish("boss", ("*",), timedelta(days=1)),
        Wish("auditor", (), timedelta(days=1)),
        Wish("auditor", ("*", "acme"), timedelta(days=1)),
        Wish("auditor", ("no/tenant",), timedelta(days=1)),
        Wish("auditor", ("*",), timedelta(0)),
        Wish("auditor", ("*",), timedelta(days=367)),
        Wish("auditor", ("*",), timedelta(days=1), "a\nb"),
        Wish("auditor", ("*",), timedelta(days=1), kind="robot"),
        Wish("owner", ("*",), timedelta(days=1), kind="service"),
        Wish("auditor", ("*",), timedelta(days=1), rights=(Right.REVEAL.value,)),
    ],
)
async def test_what_no_key_can_be_is_told(store: Store, wish: Wish) -> None:
    with pytest.raises(InvalidRequest):
        await AccessKeys(store).create(wish, now=NOW)
    assert await AccessKeys(store).all() == []


async def test_a_key_that_there_is_not_is_told(store: Store) -> None:
    with pytest.raises(NotFound):
        await AccessKeys(store).revoke("key_0", now=NOW)
    assert Role(WISH.role) is Role.AUDITOR
