"""Everything that a store has of its tenants comes out piece by piece, and goes into another store as it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.snapshot import ENTRIES, Piece, Snapshot, place_of
from gateway.values import TenantId

MANY = ENTRIES * 3 + 5


async def fill(store: Store) -> None:
    async with store.answers() as client:
        await client.set("sordino:{acme}:text", b"\0\xff", px=3_600_000)
        await client.set("sordino:{acme}:large", b"x" * 3_000_000)
        await client.hset("sordino:{acme}:receipts", mapping={f"call_{n}": b"r" * n for n in range(MANY)})
        await client.rpush("sordino:{acme}:consents:ab", *[str(n) for n in range(MANY)])
        await client.rpush("sordino:{acme}:exactly", *[str(n) for n in range(ENTRIES)])
        await client.sadd("sordino:{globex}:list:dnc", *[str(n) for n in range(MANY)])
        await client.zadd("sordino:{globex}:due", {f"m{n}": n + 0.25 for n in range(MANY)})
        for n in range(1, MANY):
            await client.xadd("sordino:{globex}:evidence", {"hash": f"h{n}", "entry": "{}"}, id=f"{n}-0")
        await client.set("sordino:{acme}:vault:call_1:key", b"locked")
        await client.set("sordino:{acme}:key", b"locked")
        await client.hset("sordino:{acme}:keys", "digest", "{}")
        await client.set("sordino:{acme}:audio:call_1:key", b"locked")
        await client.rpush("sordino:{acme}:evidence:call_1", "1")
        await client.set("sordino:{_gateway}:identity:key", b"locked")
        await client.set("sordino:once:abc", b"")


async def everything(store: Store) -> list[Piece]:
    async with Snapshot(store) as snapshot:
        return [piece async for batch in snapshot.names() async for piece in snapshot.read(batch)]


READ: dict[bytes, Sequence[str]] = {
    b"string": ("GET",),
    b"hash": ("HGETALL",),
    b"list": ("LRANGE", "0", "-1"),
    b"set": ("SMEMBERS",),
    b"zset": ("ZRANGE", "0", "-1", "WITHSCORES"),
    b"stream": ("XRANGE", "-", "+"),
}


async def content(store: Store) -> dict[str, Any]:
    """Every name with its value, whatever its order, and whether it is to be forgotten."""
    found: dict[str, Any] = {}
    for name in await store.ask("KEYS", "*"):
        kind = await store.ask("TYPE", name)
        command, *more = READ[kind]
        value = await store.ask(command, name, *more)
        if kind == b"hash":
            value = dict(zip(value[::2], value[1::2], strict=True))
        found[name.decode()] = (set(value) if kind == b"set" else value, await store.ask("TTL", name) > 0)
    return found


@pytest.fixture
async def other(own_valkey: EmbeddedValkey) -> Any:
    async with Store(own_valkey.url, timeout_s=20) as store:
        yield store


async def test_another_store_gets_what_the_first_one_had_and_no_key(store: Store, other: Store) -> None:
    await fill(store)
    async with Snapshot(other) as target:
        pieces = await everything(store)
        for number in range(0, len(pieces), 3):
            await target.write(pieces[number : number + 3], now_ms=0)
    had = await content(store)
    expected = {name: value for name, value in had.items() if place_of(name)}
    assert await content(other) == expected
    assert set(had) - set(expected) == {
        "sordino:{acme}:vault:call_1:key",
        "sordino:{acme}:audio:call_1:key",
        "sordino:{acme}:key",
        "sordino:{acme}:keys",
        "sordino:{acme}:evidence:call_1",
        "sordino:{_gateway}:identity:key",
        "sordino:once:abc",
    }


async def test_keys_are_listed_apart_and_those_that_live_for_hours_are_not(store: Store) -> None:
    await fill(store)
    async with Snapshot(store) as snapshot:
        assert {name for batch in [each async for each in snapshot.key_names()] for name in batch} == {
            "sordino:{acme}:audio:call_1:key",
            "sordino:{acme}:key",
            "sordino:{_gateway}:identity:key",
        }


async def test_a_piece_that_comes_twice_counts_once(store: Store, other: Store) -> None:
    """SCAN may give a name twice: a list is then not twice as long."""
    await fill(store)
    pieces = await everything(store)
    async with Snapshot(other) as target:
        await target.write(pieces + pieces, now_ms=0)
    assert await content(other) == {name: value for name, value in (await content(store)).items() if place_of(name)}


async def test_what_was_to_be_forgotten_meanwhile_is_not_written(store: Store, other: Store) -> None:
    await fill(store)
    pieces = await everything(store)
    (until,) = {piece.expires_ms for piece in pieces if piece.expires_ms}
    async with Snapshot(other) as target:
        await target.write(pieces, now_ms=until)
    assert "sordino:{acme}:text" not in await content(other)


async def test_a_tenant_is_taken_out_and_what_outlives_it_stays(store: Store) -> None:
    await fill(store)
    async with Snapshot(store) as snapshot:
        assert await snapshot.anything_of([TenantId("initech")]) is None
        await snapshot.remove(TenantId("globex"), but_what_outlives=True)
        assert {name for name in await content(store) if "globex" in name} == {
            "sordino:{globex}:evidence",
            "sordino:{globex}:list:dnc",
        }
        await snapshot.remove(TenantId("globex"), but_what_outlives=False)
        assert await snapshot.anything_of([TenantId("globex")]) is None
        assert await snapshot.anything_of([TenantId("acme")]) == "acme"


async def test_the_head_of_a_chain_is_its_last_entry(store: Store) -> None:
    await fill(store)
    async with Snapshot(store) as snapshot:
        assert await snapshot.head(TenantId("globex")) == (MANY - 1, f"h{MANY - 1}")
        assert await snapshot.head(TenantId("acme")) == (0, "")
