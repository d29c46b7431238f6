"""The values of a call come back to that call alone; the store never holds them in clear; destroyed is destroyed everywhere."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.adapters.keys.master import MasterKeys
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.key_shelf import RedisKeyShelf
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.vault import RedisVault
from gateway.errors import InvalidRequest, StoreUnavailable
from gateway.values import CallId, Placeholder, Private, TenantId

ACME, CALL = TenantId("acme"), CallId("call_1")
PERSON, CARD = Placeholder("<PERSON_1>"), Placeholder("<CREDIT_CARD_1>")
VALUES = {PERSON: Private("Ada Lovelace"), CARD: Private("4532 1180 9661 2345")}
MASTER = MasterKeys.fixed(bytes(range(32)))


def vault(store: Store, *, master: MasterKeys = MASTER, ttl_s: int = 60) -> RedisVault:
    return RedisVault(store, RedisKeyShelf(store, master), ttl_s=ttl_s)


async def test_what_was_remembered_is_recalled_also_after_a_restart_of_the_gateway(store: Store) -> None:
    call = await vault(store).open(ACME, CALL)
    await call.remember(VALUES)
    await call.remember({Placeholder("<PERSON_2>"): Private("Charles")})
    again = await vault(store).open(ACME, CALL)
    assert await call.recall() == await again.recall() == {**VALUES, Placeholder("<PERSON_2>"): Private("Charles")}


async def test_a_call_without_values_recalls_none(store: Store) -> None:
    call = await vault(store).open(ACME, CALL)
    await call.remember({})
    assert await call.recall() == {}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters()))
def test_any_text_comes_back_as_it_was(valkey: EmbeddedValkey, text: str) -> None:
    async def there_and_back() -> None:
        async with Store(valkey.url) as store:
            call = await vault(store).open(ACME, CallId("any"))
            await call.remember({PERSON: Private(text)})
            assert await call.recall() == {PERSON: Private(text)}

    asyncio.run(there_and_back())


async def test_no_value_is_on_the_servers_disk_or_in_its_dump(own_valkey: EmbeddedValkey) -> None:
    """The placeholder, which is no secret, is found in both: so the search would find a value."""
    async with Store(own_valkey.url) as store:
        await (await vault(store).open(ACME, CALL)).remember(VALUES)
        async with store.answers() as client:
            dumps: list[Any] = [await client.dump(name) for name in await client.keys("*")]
    everywhere = b"".join(dumps) + b"".join(_files(own_valkey.log.parent))
    assert b"<PERSON_1>" in b"".join(dumps)
    assert b"<PERSON_1>" in b"".join(_files(own_valkey.log.parent))
    for secret in (b"Ada Lovelace", b"Lovelace", b"4532 1180", b"4532118096612345"):
        assert secret not in everywhere


def _files(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]


async def test_every_name_carries_the_tenant_and_everything_ends_by_itself(store: Store) -> None:
    await (await vault(store, ttl_s=60).open(ACME, CALL)).remember(VALUES)
    async with store.answers() as client:
        names: Any = sorted(await client.keys("*"))
        assert names == [b"sordino:{acme}:key", b"sordino:{acme}:vault:call_1:key", b"sordino:{acme}:vault:call_1:values"]
        for name in names[1:]:
            assert 0 < await client.ttl(name) <= 60


async def test_another_tenant_or_call_finds_nothing(store: Store) -> None:
    await (await vault(store).open(ACME, CALL)).remember(VALUES)
    assert await (await vault(store).open(TenantId("other"), CALL)).recall() == {}
    assert await (await vault(store).open(ACME, CallId("call_2"))).recall() == {}


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("sordino:{acme}:vault:call_1:values", "sordino:{other}:vault:call_1:values"),
        ("sordino:{acme}:vault:call_1:values", "sordino:{acme}:vault:call_2:values"),
    ],
    ids=["another tenant", "another call"],
)
async def test_values_copied_to_another_owner_do_not_open_even_with_the_key_copied_too(
    store: Store, source: str, target: str
) -> None:
    await (await vault(store).open(ACME, CALL)).remember(VALUES)
    async with store.answers() as client:
        await client.copy(source, target)
        await client.copy(source.replace("values", "key"), target.replace("values", "key"))
    tenant = TenantId(target.split("{")[1].split("}")[0])
    with pytest.raises(StoreUnavailable):
        await vault(store).open(tenant, CallId(target.split(":")[3]))


async def test_a_value_put_under_another_placeholder_does_not_open(store: Store) -> None:
    call = await vault(store).open(ACME, CALL)
    await call.remember(VALUES)
    async with store.answers() as client:
        name = "sordino:{acme}:vault:call_1:values"
        card: Any = await client.hget(name, CARD)
        await client.hset(name, PERSON, card)
    with pytest.raises(StoreUnavailable, match="it was altered or moved"):
        await call.recall()


@pytest.mark.parametrize("spoilt", [b"", b"short", bytes(64)])
async def test_a_spoilt_value_is_an_error_and_never_a_guess(store: Store, spoilt: bytes) -> None:
    call = await vault(store).open(ACME, CALL)
    await call.remember(VALUES)
    async with store.answers() as client:
        await client.hset("sordino:{acme}:vault:call_1:values", PERSON, spoilt)
    with pytest.raises(StoreUnavailable, match="does not open"):
        await call.recall()


async def test_another_master_key_opens_nothing(store: Store) -> None:
    await (await vault(store).open(ACME, CALL)).remember(VALUES)
    with pytest.raises(StoreUnavailable, match="SORDINO_MASTER_KEY_FILE"):
        await vault(store, master=MasterKeys.fixed(bytes(32))).open(ACME, CALL)


async def test_destroyed_is_destroyed_here_in_the_store_and_in_every_other_gateway(store: Store) -> None:
    call = await vault(store).open(ACME, CALL)
    await call.remember(VALUES)
    elsewhere = await vault(store).open(ACME, CALL)
    await call.destroy()
    async with store.answers() as client:
        assert await client.keys("*") == [b"sordino:{acme}:key"]
    for use in (call.recall(), call.remember(VALUES), elsewhere.remember(VALUES), elsewhere.recall()):
        with pytest.raises(StoreUnavailable, match="was destroyed"):
            await use
    async with store.answers() as client:
        assert await client.keys("*") == [b"sordino:{acme}:key"]
    await call.destroy()


async def test_a_call_that_comes_again_after_destruction_has_a_new_key_and_no_values(store: Store) -> None:
    call = await vault(store).open(ACME, CALL)
    await call.remember(VALUES)
    async with store.answers() as client:
        kept: Any = await client.dump("sordino:{acme}:vault:call_1:values")
    await call.destroy()
    again = await vault(store).open(ACME, CALL)
    async with store.answers() as client:
        await client.restore("sordino:{acme}:vault:call_1:values", 0, kept)
    with pytest.raises(StoreUnavailable, match="does not open"):
        await again.recall()


async def test_gateways_that_open_a_call_at_the_same_time_share_its_key(store: Store) -> None:
    calls = await asyncio.gather(*(vault(store).open(ACME, CALL) for _ in range(8)))
    await calls[0].remember(VALUES)
    for call in calls:
        assert await call.recall() == VALUES


async def test_without_a_store_nothing_is_remembered_opened_or_said_to_be_destroyed(own_valkey: EmbeddedValkey) -> None:
    async with Store(own_valkey.url) as store:
        call = await vault(store).open(ACME, CALL)
        await own_valkey.kill()
        for use in (call.remember(VALUES), call.recall(), vault(store).open(ACME, CALL), call.destroy()):
            with pytest.raises(StoreUnavailable) as refused:
                await use
            assert "Lovelace" not in str(refused.value)
        with pytest.raises(StoreUnavailable, match="was destroyed"):
            await call.recall()


async def test_a_call_whose_name_could_reach_elsewhere_is_refused(store: Store) -> None:
    with pytest.raises(InvalidRequest):
        await vault(store).open(ACME, CallId("call_1:key"))
