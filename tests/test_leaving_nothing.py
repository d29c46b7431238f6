"""What is left of a tenant after its end, byte by byte and name by name: no more than its certificate says."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.notices import RedisNoticeLog
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.subjects import RedisSubjects
from gateway.adapters.stores.suppression import RedisSuppression
from gateway.adapters.stores.tenant_keys import TenantKeys
from gateway.locks import Locked
from gateway.policy.notice import Event, Happened
from gateway.values import ProcessorId, TenantId
from tests.runner.lived import ACME, BEGAN, CALLS, GLOBEX, WHO
from tests.test_leaving import AUTH, PATH, House, opened

DAY = timedelta(days=1)
"""Keyed hashes look like this: no run in them that a server could compress."""
LISTED = {ACME: "0b7c1f93e5d28a46", GLOBEX: "f4e19d07b36c82a5"}


@pytest.fixture
async def house(tmp_path: Path, own_valkey: EmbeddedValkey) -> AsyncIterator[House]:
    """Two tenants in use, each with do-not-call lists, restrictions, keys and limits of programs, and notices."""
    async with opened(tmp_path, own_valkey) as found:
        for tenant in (ACME, GLOBEX):
            await use(found.gateway.store, tenant)
        yield found


async def use(store: Store, tenant: TenantId) -> None:
    suppression, keys = RedisSuppression(store), TenantKeys(store)
    for name in ("federal", "state"):
        await suppression.replace_list(tenant, name, [LISTED[tenant]], as_of=date(2026, 11, 1), imported_at=BEGAN)
    await store.ask("SADD", f"sordino:{{{tenant}}}:draft:federal:0123456789abcdef", LISTED[tenant])  # its import was killed
    await suppression.take_attempt(tenant, WHO, BEGAN, most=3)
    await RedisSubjects(store).restrict(tenant, WHO, BEGAN)
    await keys.create(tenant, now=BEGAN)
    for part in ("limits", "rate", "in-progress"):
        await store.ask("HSET", f"sordino:{{{tenant}}}:{part}", "x", "1")
    await RedisNoticeLog(store).add(tenant, 0, [Event(Happened.ANNOUNCED, BEGAN, ProcessorId("openai"))])


def raw(folder: Path) -> bytes:
    """Every byte of the gateway's files and the store's."""
    return b"\0".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


async def names(store: Store, tenant: TenantId) -> list[str]:
    """What follows ``sordino:{tenant}:`` in every name of the tenant's that the store has."""
    async with store.answers() as client:
        found = [each.decode() async for each in client.scan_iter(match=f"*{{{tenant}}}*", count=1_000)]
    return sorted(each.removeprefix(f"sordino:{{{tenant}}}:") for each in found)


async def values(store: Store, tenant: TenantId, pattern: str) -> list[bytes]:
    """What the store keeps under these names of the tenant, where it is as long as something locked or encrypted."""
    found: list[bytes] = []
    async with store.answers() as client:
        for name in await client.keys(f"sordino:{{{tenant}}}:{pattern}"):
            kind: Any = await client.type(name)
            stored: Any = await client.hgetall(name) if kind == b"hash" else await client.get(name)
            found += [bytes(each) for each in (stored.values() if kind == b"hash" else [stored])]
    return [each for each in found if len(each) > 40]


async def secrets(store: Store, tenant: TenantId) -> dict[str, list[bytes]]:
    """What must not be found any more when the key is destroyed: locked keys, and words under them."""
    locked = [*await values(store, tenant, "key"), *await values(store, tenant, "*:key")]
    words = [*await values(store, tenant, "transcript:*:turns"), *await values(store, tenant, "transcript:*:values")]
    assert all(Locked.of(each) for each in locked)
    return {"keys": locked, "words": words}


async def leave(house: House, days: int) -> dict[str, Any]:
    """Go on with the end of acme, so many days later."""
    house.clock.at += days * DAY
    await house.leaving.round()
    found: dict[str, Any] = await house.asked("GET")
    return found


async def certificate(house: House) -> dict[str, Any]:
    async with house.http.get(PATH + "/certificate", headers=AUTH) as answer:
        stated: dict[str, Any] = json.loads(await answer.read())["statement"]
        return stated


async def test_of_keys_and_words_no_byte_is_left_in_any_file_when_the_key_is_said_to_be_destroyed(house: House) -> None:
    """The files of the store, read raw: before they have all of it, after that nothing of this tenant and all of the other's."""
    store = house.gateway.store
    mine, theirs = await secrets(store, ACME), await secrets(store, GLOBEX)
    assert len(mine["keys"]) == 1 + 2 * len(CALLS)
    assert mine["words"]
    before = raw(house.folder)
    assert [each for each in (*mine["keys"], *mine["words"], *theirs["keys"], *theirs["words"]) if each not in before] == []

    await house.asked("POST", status=202, json={"reason": "contract ended"})
    state = await leave(house, 8)
    assert state["next"] == "contact_deleted"
    after = raw(house.folder)
    assert [each for each in (*mine["keys"], *mine["words"]) if each in after] == []
    assert [each for each in (*theirs["keys"], *theirs["words"]) if each not in after] == []
    assert LISTED[ACME].encode() in after

    await leave(house, 13)
    after = raw(house.folder)
    assert LISTED[ACME].encode() not in after
    assert LISTED[GLOBEX].encode() in after
    steps = (await certificate(house))["steps"]
    assert [steps[name]["append_only_file"] for name in ("key_destroyed", "contact_deleted")] == ["rewritten", "rewritten"]


async def test_a_certificate_says_what_the_server_did_and_no_more(house: House) -> None:
    """A server that writes no such file has rewritten none."""
    async with house.gateway.store.answers() as client:
        await client.config_set("appendonly", "no")
    await house.asked("POST", status=202, json={"reason": "contract ended"})
    await leave(house, 21)
    steps = (await certificate(house))["steps"]
    assert [steps[name]["append_only_file"] for name in ("key_destroyed", "contact_deleted")] == ["none", "none"]


async def test_all_that_the_store_still_has_of_a_tenant_is_named_in_its_certificate(house: House) -> None:
    """Every name, whatever made it. Who asked not to be called stays known as that; lists of others and restrictions do not."""
    store, others = house.gateway.store, await names(house.gateway.store, GLOBEX)
    before = {each.split(":")[0] for each in await names(store, ACME)}
    assert before >= {"draft", "list", "lists", "restricted", "limits", "rate", "in-progress", "keys", "notices", "attempts"}

    await house.asked("POST", status=202, json={"reason": "contract ended"})
    await leave(house, 8)
    assert {"list", "lists", "restricted"} <= {each.split(":")[0] for each in await names(store, ACME)}
    assert (await leave(house, 13))["status"] == "done"
    stated = await certificate(house)
    left = {each.split(":")[0] for each in await names(store, ACME)}
    assert left - {place for each in stated["kept"] for place in each["places"]} == set()
    assert {"evidence", "certificates", "opted-out", "offboarding", "keys", "notices"} <= left
    assert "restricted" in stated["steps"]["contact_deleted"]["forgotten"]
    assert await RedisSuppression(store).opted_out(ACME, "b" * 64) is not None
    assert await names(store, GLOBEX) == others
