"""Keys change while calls go on: nothing is lost, whenever the change is broken off, and nothing of the old keys is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.keys.change import EnvironmentChange, FileChange, MasterChange
from gateway.adapters.keys.envelope import MasterKey
from gateway.adapters.keys.files import read_key
from gateway.adapters.keys.master import MasterKeys
from gateway.adapters.stores.identity import identity_key
from gateway.adapters.stores.key_changes import REPLACE, Beat, KeyChanges
from gateway.adapters.stores.key_shelf import RedisKeyShelf
from gateway.adapters.stores.lease import RedisLease
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.line import Part, Script
from gateway.adapters.stores.redis import Store
from gateway.adapters.system import RandomIds, SystemClock
from gateway.errors import InvalidRequest, Misconfigured, NotFound, StoreUnavailable
from gateway.evidence.chain import verify_chain
from gateway.runner.key_desk import KeyDesk, KeyDeskParts, Step
from gateway.values import CallId, Private, TenantId
from tests.conftest import PATIENCE_S

ACME, OTHER = TenantId("acme"), TenantId("other")
NO_TABLE = Path("no table of mounts")
"""Tests may run on a disk that is in memory."""
CALLS = [CallId(f"call_{number}") for number in range(3)]
Made = dict[tuple[TenantId, CallId], Private[bytes]]


class Dying(Store):
    """A store whose gateway is killed: after so many commands nothing of it reaches the server any more."""

    left = 10**9
    meanwhile: Callable[[Script], Awaitable[object]] | None = None
    """What somebody else does just before a script runs."""

    async def ask(self, *command: Part) -> Any:
        self._count()
        return await super().ask(*command)

    async def run(self, script: Script, keys: Any, *arguments: Part) -> Any:
        self._count()
        if self.meanwhile is not None:
            await self.meanwhile(script)
        return await super().run(script, keys, *arguments)

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise StoreUnavailable("killed")


@dataclass
class House:
    url: str
    path: Path
    store: Dying
    ledger: RedisLedger

    def masters(self) -> MasterKeys:
        return MasterKeys.from_file(self.path)

    def shelf(self) -> RedisKeyShelf:
        """That of a gateway that has just begun."""
        return RedisKeyShelf(self.store, self.masters())

    def desk(self, masters: MasterKeys | None = None, elsewhere: int = 0, holder: str = "me") -> KeyDesk:
        masters = masters or self.masters()
        shelf = RedisKeyShelf(self.store, masters)

        async def adopt() -> int:
            return elsewhere

        def changes(beat: Beat | None) -> KeyChanges:
            return KeyChanges(self.store, shelf, masters, beat)

        lease = RedisLease(self.store, holder)
        return KeyDesk(KeyDeskParts(shelf, changes, lease, self.ledger, SystemClock(), RandomIds(), adopt))

    def change(self) -> FileChange:
        return FileChange(self.path, mounts=NO_TABLE)

    async def rotate(self, what: str) -> list[str]:
        steps = (
            self.desk().rotate_tenant(ACME)
            if what == "tenant"
            else self.desk().rotate_master(FileChange(self.path, mounts=NO_TABLE))
        )
        return [step.name async for step in steps]

    async def made(self) -> Made:
        """The keys of some calls of both tenants."""
        shelf, found = self.shelf(), Made()
        for tenant in (ACME, OTHER):
            for call in CALLS:
                key = await shelf.key(tenant, call, "vault", create=True)
                assert key is not None
                found[tenant, call] = key
        return found

    async def locked(self) -> list[bytes]:
        """What the store has of locked keys."""
        async with self.store.answers() as client:
            found: list[Any] = []
            for name in await client.keys("sordino:*:key"):
                there = await client.type(name)
                found += [await client.get(name)] if there == b"string" else list((await client.hgetall(name)).values())
        return [bytes(each) for each in found if len(bytes(each)) > 40]


@pytest.fixture
async def house(tmp_path: Path, store: Store) -> AsyncIterator[House]:
    path = tmp_path / "keys" / "master.key"
    MasterKeys.from_file(path, create=True)
    where = store.client.connection_pool.connection_kwargs["path"]
    mine = Dying(f"unix://{where}", timeout_s=PATIENCE_S)
    async with mine, RedisLedger(store, timeout_s=PATIENCE_S) as ledger:
        yield House(f"unix://{where}", path, mine, ledger)


async def took(steps: AsyncIterator[Step], many: int) -> None:
    """So many steps of it, and no more."""
    for _ in range(many):
        await anext(steps)


class TestRotating:
    @pytest.mark.parametrize("what", ["master", "tenant"])
    async def test_every_key_of_a_call_stays_what_it_was_and_no_locked_key_does(self, house: House, what: str) -> None:
        before, locked, identity = await house.made(), await house.locked(), await identity_key(house.store, house.masters())
        old = house.masters().ids
        steps = await house.rotate(what)
        assert "ended" in steps
        assert await house.made() == before
        assert await identity_key(house.store, house.masters()) == identity
        now = set(await house.locked())
        if what == "tenant":
            assert house.masters().ids == old
            assert len(now & set(locked)) == len(CALLS) + 1  # the other tenant's
        else:
            (new,) = house.masters().ids
            assert new not in old
            facts, _ = await house.desk().list()
            assert {each.locked_by for each in facts} == {new}

    async def test_the_evidence_of_each_tenant_names_the_keys(self, house: House) -> None:
        await house.made()
        await house.rotate("master")
        await house.rotate("tenant")
        entries = [entry async for entry in house.ledger.entries(ACME)]
        assert [(each.draft.kind, each.draft.body["what"]) for each in entries] == [
            ("keys.rotated", "master"),
            ("keys.rotated", "tenant"),
        ]
        facts, counts = await house.desk().list()
        assert entries[1].draft.body["key_id"] == facts[0].key_id
        assert entries[1].draft.body["previous"] == entries[0].draft.body["key_id"]
        assert entries[0].draft.body["locked_by"] == house.masters().ids[0]
        assert counts == {ACME: {"vault": 3}, OTHER: {"vault": 3}}
        assert verify_chain(entries, tenant=ACME).count == 2

    async def test_the_old_master_key_opens_nothing_afterwards(self, house: House) -> None:
        await house.made()
        stolen = read_key(house.path)
        await house.rotate("master")
        with pytest.raises(StoreUnavailable):
            await RedisKeyShelf(house.store, MasterKeys.fixed(stolen)).key(ACME, CALLS[0], "vault", create=False)
        (kept,) = [each for each in house.path.parent.iterdir() if ".old-" in each.name]
        assert read_key(kept) == stolen
        assert kept.stat().st_mode & 0o077 == 0

    async def test_what_older_gateways_locked_with_the_master_key_alone_is_locked_by_the_tenants_now(self, house: House) -> None:
        older = MasterKey(read_key(house.path)).wrap(b"o" * 32, tenant=ACME, call=CALLS[0], kind="vault")
        async with house.store.answers() as client:
            await client.set("sordino:{acme}:vault:call_0:key", older, ex=60)
        await house.rotate("master")
        assert await house.shelf().key(ACME, CALLS[0], "vault", create=False) == Private(b"o" * 32)
        async with house.store.answers() as client:
            assert 0 < await client.ttl("sordino:{acme}:vault:call_0:key") <= 60

    async def test_while_recordings_elsewhere_carry_a_key_that_it_locked_the_old_one_is_still_read(self, house: House) -> None:
        steps = [step.name async for step in house.desk(elsewhere=2).rotate_master(FileChange(house.path, mounts=NO_TABLE))]
        assert steps[-1] == "waiting"
        assert len(house.masters().ids) == 2
        assert (await house.rotate("master"))[-1] == "ended"
        assert len(house.masters().ids) == 1

    async def test_a_tenant_without_a_key_is_told_as_that(self, house: House) -> None:
        with pytest.raises(NotFound, match="no key yet"):
            await house.rotate("tenant")

    async def test_a_key_of_the_environment_is_changed_by_who_set_it(self, house: House) -> None:
        before = await house.made()
        old, new = read_key(house.path), b"n" * 32
        with pytest.raises(Misconfigured, match="SORDINO_MASTER_KEY_NEXT is not set"):
            await EnvironmentChange(MasterKeys.fixed(old)).begin()
        both = MasterKeys.fixed(old, new)
        change: MasterChange = EnvironmentChange(both)
        told = [step.told async for step in house.desk(both).rotate_master(change)]
        assert "set SORDINO_MASTER_KEY to the value" in told[-1]
        after = RedisKeyShelf(house.store, MasterKeys.fixed(new))
        for (tenant, call), key in before.items():
            assert await after.key(tenant, call, "vault", create=False) == key


class TestMeanwhile:
    @pytest.mark.parametrize("what", ["master", "tenant"])
    async def test_nobody_else_changes_keys_until_it_is_over(self, house: House, what: str) -> None:
        """Two who end each other's change could end a key that is still needed."""
        await house.made()
        steps = house.desk().rotate_tenant(ACME) if what == "tenant" else house.desk().rotate_master(house.change())
        await anext(steps)
        for other in ("master", "tenant"):
            another = house.desk(holder="another")
            with pytest.raises(InvalidRequest, match="by somebody else"):
                await anext(another.rotate_tenant(ACME) if other == "tenant" else another.rotate_master(house.change()))
        assert "ended" in [step.name async for step in steps]
        another = house.desk(holder="another")
        assert "ended" in [step.name async for step in another.rotate_tenant(ACME)]

    async def test_a_gateway_that_had_the_old_tenants_key_in_memory_locks_no_new_key_with_it(self, house: House) -> None:
        await house.made()
        warm, call = house.shelf(), CallId("call_new")
        await warm.key(ACME, CALLS[0], "vault", create=False)
        await house.rotate("tenant")
        key = await warm.key(ACME, call, "vault", create=True)
        assert key is not None
        assert await house.shelf().key(ACME, call, "vault", create=False) == key

    @pytest.mark.parametrize("what", ["master", "tenant"])
    async def test_what_is_destroyed_while_keys_are_locked_anew_stays_destroyed(self, house: House, what: str) -> None:
        """At the worst moment: it was read, and is about to be written."""
        await house.made()
        async with house.store.answers() as client:
            older = MasterKey(read_key(house.path)).wrap(b"o" * 32, tenant=ACME, call=CALLS[0], kind="vault")
            await client.set("sordino:{acme}:vault:call_0:key", older)
        gone = 0
        async with Store(house.url, timeout_s=PATIENCE_S) as another:

            async def destroy(script: Script) -> None:
                if script is not REPLACE:
                    return
                async with another.answers() as client:
                    nonlocal gone
                    gone += await client.delete(*(f"sordino:{{acme}}:vault:{call}:key" for call in CALLS))

            house.store.meanwhile = destroy
            await house.rotate(what)
            house.store.meanwhile = None
        assert gone == len(CALLS)
        for call in CALLS:
            assert await house.shelf().key(ACME, call, "vault", create=False) is None

    async def test_a_tenant_that_is_destroyed_meanwhile_stays_destroyed(self, house: House) -> None:
        await house.made()
        async with Store(house.url, timeout_s=PATIENCE_S) as another:

            async def destroy(_: Script) -> None:
                async with another.answers() as client:
                    await client.delete("sordino:{acme}:key")

            house.store.meanwhile = destroy
            await house.rotate("master")
            house.store.meanwhile = None
        with pytest.raises(StoreUnavailable):
            await house.shelf().key(ACME, CALLS[0], "vault", create=False)


class TestBrokenOff:
    @pytest.mark.parametrize("what", ["master", "tenant"])
    async def test_between_any_two_steps_it_goes_on_where_it_stopped(self, house: House, what: str) -> None:
        many = len(await self._whole(house, what))
        for steps in range(1, many + 1):
            before = await house.made()
            desk = house.desk()
            await took(
                desk.rotate_tenant(ACME) if what == "tenant" else desk.rotate_master(FileChange(house.path, mounts=NO_TABLE)),
                steps,
            )
            assert await house.made() == before
            await house.rotate(what)
            await self._whole_again(house, before)

    @pytest.mark.parametrize("what", ["master", "tenant"])
    async def test_in_the_middle_of_a_step_as_well(self, house: House, what: str) -> None:
        """Killed after the first, the second, the third… command to the store, until a change comes through."""
        await house.made()
        for commands in range(1, 200):
            before = await house.made()
            house.store.left = commands
            try:
                await house.rotate(what)
                done = True
            except StoreUnavailable:
                done = False
            house.store.left = 10**9
            assert await house.made() == before
            if not done:
                await house.rotate(what)
            await self._whole_again(house, before)
            if done:
                return
        pytest.fail("no change came through")

    async def _whole(self, house: House, what: str) -> list[str]:
        await house.made()
        return await house.rotate(what)

    async def _whole_again(self, house: House, before: Made) -> None:
        assert await house.made() == before
        assert len(house.masters().ids) == 1
        facts, _ = await house.desk().list()
        assert {each.locked_by for each in facts} == set(house.masters().ids)
        assert all(each.older == () for each in facts)
        await identity_key(house.store, house.masters())


async def test_gateways_that_write_meanwhile_never_notice(house: House) -> None:
    """Two gateways make and read keys of calls of old and new tenants while the master key and a tenant's key change."""
    before = await house.made()
    over = asyncio.Event()

    async def gateway(name: str) -> Made:
        made: Made = {}
        async with Store(house.url, timeout_s=PATIENCE_S) as store:
            shelf, number = RedisKeyShelf(store, house.masters()), 0
            while not over.is_set() or number < 20:
                tenant = (ACME, OTHER, TenantId(f"{name}-{number}"))[number % 3]
                call = CallId(f"{name}_{number}")
                key = await shelf.key(tenant, call, "audio", create=True)
                assert key is not None
                made[tenant, call] = key
                known = CALLS[number % 3]
                assert await shelf.key(ACME, known, "vault", create=True) == before[ACME, known]
                number += 1
        return made

    async with asyncio.timeout(120):
        async with asyncio.TaskGroup() as tasks:
            writers = [tasks.create_task(gateway(name)) for name in ("one", "two")]
            for what in ("master", "tenant", "master"):
                await house.rotate(what)
            over.set()
    shelf = house.shelf()
    for (tenant, call), key in [pair for writer in writers for pair in writer.result().items()]:
        assert await shelf.key(tenant, call, "audio", create=False) == key
    assert await house.made() == before
