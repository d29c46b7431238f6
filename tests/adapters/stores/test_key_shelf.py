"""Keys of calls: made once, shared by all gateways, gone everywhere when they are destroyed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.adapters.keys.envelope import MasterKey
from gateway.adapters.keys.master import MasterKeys
from gateway.adapters.stores.key_shelf import KEPT_S, RedisKeyShelf, TenantKeyMoved
from gateway.adapters.stores.redis import Store
from gateway.errors import InvalidRequest, StoreUnavailable
from gateway.locks import CALL, key_id
from gateway.values import CallId, Private, TenantId

ACME, OTHER, ONE, TWO = TenantId("acme"), TenantId("other"), CallId("call_1"), CallId("call_2")
SECRET = bytes(range(32))


def shelf(store: Store, *masters: bytes) -> RedisKeyShelf:
    return RedisKeyShelf(store, MasterKeys.fixed(*(masters or (SECRET,))))


async def key(keys: RedisKeyShelf, call: CallId = ONE, kind: str = "vault", *, tenant: TenantId = ACME) -> Private[bytes]:
    made = await keys.key(tenant, call, kind, create=True, ttl_s=60)
    assert made is not None
    return made


async def everything(store: Store) -> bytes:
    async with store.answers() as client:
        stored: list[Any] = [await client.dump(name) for name in await client.keys("*")]
    return b"".join(stored)


async def test_a_key_is_the_same_for_every_gateway_also_for_those_that_make_it_at_once(store: Store) -> None:
    gateways = [shelf(store) for _ in range(8)]
    made = await asyncio.gather(*(key(each) for each in gateways))
    assert len(set(made)) == 1
    assert await shelf(store).key(ACME, ONE, "vault", create=False) == made[0]


async def test_every_call_class_and_tenant_has_a_key_of_its_own(store: Store) -> None:
    keys = shelf(store)
    made = {await key(keys), await key(keys, TWO), await key(keys, kind="audio"), await key(keys, tenant=OTHER)}
    assert len(made) == 4
    there = await everything(store)
    assert not any(each.reveal() in there for each in made)


async def test_where_there_is_none_and_none_is_to_be_made_there_is_none(store: Store) -> None:
    assert await shelf(store).key(ACME, ONE, "vault", create=False) is None
    async with store.answers() as client:
        assert await client.keys("*") == []


async def test_a_key_lives_as_long_as_it_was_said(store: Store) -> None:
    keys = shelf(store)
    await keys.key(ACME, ONE, "vault", create=True, ttl_s=60)
    await keys.key(ACME, ONE, "audio", create=True)
    async with store.answers() as client:
        assert 0 < await client.ttl("sordino:{acme}:vault:call_1:key") <= 60
        assert await client.ttl("sordino:{acme}:audio:call_1:key") == -1
        assert await client.ttl("sordino:{acme}:key") == -1


async def test_a_destroyed_key_is_named_and_gone_for_everybody(store: Store) -> None:
    keys, elsewhere = shelf(store), shelf(store)
    made = await key(keys)
    await key(elsewhere)
    assert await keys.destroy(ACME, ONE, "vault") == key_id(CALL, made)
    assert await elsewhere.key(ACME, ONE, "vault", create=False) is None
    assert await keys.destroy(ACME, ONE, "vault") == ""


async def test_with_the_tenants_key_go_those_of_all_its_calls_and_nobody_elses(store: Store) -> None:
    keys, elsewhere = shelf(store), shelf(store)
    old = await key(keys)
    await key(elsewhere, TWO, "audio")
    kept = await key(keys, tenant=OTHER)
    assert len(await keys.destroy_tenant(ACME)) == 16
    for each in (keys, elsewhere):
        assert await each.key(ACME, ONE, "vault", create=False) is None
        assert await each.key(ACME, TWO, "audio", create=False) is None
    assert await elsewhere.key(OTHER, ONE, "vault", create=False) == kept
    assert await keys.destroy_tenant(ACME) == ""
    assert await key(elsewhere) != old


async def test_a_gateway_that_has_the_tenants_key_in_memory_uses_it_no_more_once_it_is_destroyed(store: Store) -> None:
    """Even where the keys of calls are still there, as after a gateway that was killed between the two steps."""
    keys = shelf(store)
    await key(keys)
    async with store.answers() as client:
        await client.delete("sordino:{acme}:key")
    with pytest.raises(TenantKeyMoved):
        await keys.key(ACME, ONE, "vault", create=False)
    with pytest.raises(TenantKeyMoved):
        await key(keys)
    assert await key(keys, TWO) == await key(shelf(store), TWO)


async def test_what_the_master_key_locked_by_itself_still_opens(store: Store) -> None:
    older = MasterKey(SECRET).wrap(b"o" * 32, tenant=ACME, call=ONE, kind="vault")
    async with store.answers() as client:
        await client.set("sordino:{acme}:vault:call_1:key", older)
    assert await key(shelf(store)) == Private(b"o" * 32)
    assert await shelf(store).destroy(ACME, ONE, "vault") == key_id(CALL, Private(b"o" * 32))


@pytest.mark.parametrize(
    ("source", "target", "call", "kind"),
    [
        ("{acme}:vault:call_1:key", "{acme}:vault:call_2:key", TWO, "vault"),
        ("{acme}:vault:call_1:key", "{acme}:audio:call_1:key", ONE, "audio"),
        ("{other}:vault:call_1:key", "{acme}:vault:call_1:key", ONE, "vault"),
        ("{other}:key", "{acme}:key", ONE, "vault"),
    ],
    ids=["another call", "another class", "another tenant's call", "another tenant"],
)
async def test_a_key_that_was_moved_does_not_open(store: Store, source: str, target: str, call: CallId, kind: str) -> None:
    await key(shelf(store))
    await key(shelf(store), tenant=OTHER)
    async with store.answers() as client:
        assert await client.copy(f"sordino:{source}", f"sordino:{target}", replace=True)
    with pytest.raises(StoreUnavailable):
        await shelf(store).key(ACME, call, kind, create=False)


async def test_another_master_key_opens_nothing(store: Store) -> None:
    await key(shelf(store))
    with pytest.raises(StoreUnavailable, match="master key"):
        await key(shelf(store, bytes(32)))


async def test_what_was_not_used_for_a_while_is_forgotten_and_read_again(store: Store) -> None:
    now = 0.0
    keys = RedisKeyShelf(store, MasterKeys.fixed(SECRET), now=lambda: now)
    made = await key(keys)
    now = KEPT_S + 1
    await key(keys, tenant=OTHER)
    assert list(keys._opened) == [OTHER]
    assert await key(keys) == made


async def test_an_id_that_could_reach_elsewhere_is_refused(store: Store) -> None:
    for call, kind in ((CallId("a:key"), "vault"), (ONE, "vault:x")):
        with pytest.raises(InvalidRequest):
            await shelf(store).key(ACME, call, kind, create=True)


async def test_everybody_who_has_a_key_is_known(store: Store) -> None:
    keys = shelf(store)
    await key(keys)
    await key(keys, tenant=OTHER)
    assert await keys.tenants() == [ACME, OTHER]
