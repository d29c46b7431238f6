"""A tenant's end: whoever is killed over it is followed by another, and it is never called done before it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from gateway.adapters.stores.certificates import RedisCertificates
from gateway.adapters.stores.deletions import RedisDeletions
from gateway.adapters.stores.holds import RedisHolds
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.offboarding import RedisOffboarding
from gateway.adapters.stores.redis import Store
from gateway.adapters.system import RandomIds
from gateway.adapters.telemetry.null import NullTelemetry
from gateway.errors import PolicyRefused, SordinoError, TenantLeaving
from gateway.evidence.leaving import verify_end
from gateway.locks import PurgeProof
from gateway.policy.offboarding import ORDER, POINT_OF_NO_RETURN, Offboarding, Status, Step
from gateway.policy.retention import Hold, HoldScope, Retention
from gateway.runner.deletion import DeletionParts, Deletions
from gateway.runner.holdings import Copy, Deleted, Item
from gateway.runner.offboarding import Facts, OffboardingDesk, OffboardingParts
from gateway.values import CallId, DataClass, TenantId
from tests.evidence.samples import KEY, PUBLIC

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)


class Killed(BaseException):
    """``kill -9``: nothing of the program runs any more."""


@dataclass
class Fuse:
    """Kills the program at one of the moments before or after it does something to the world."""

    at: int = 0
    count: int = 0

    def burn(self) -> None:
        self.count += 1
        if self.count == self.at:
            raise Killed

    def around(self, act: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def acted(*given: Any, **named: Any) -> Any:
            self.burn()
            found = await act(*given, **named)
            self.burn()
            return found

        return acted


@dataclass
class World:
    """What there is of a tenant outside of the program: it stays when the program dies."""

    tenant: TenantId
    kept: dict[str, dict[str, DataClass]] = field(default_factory=dict)
    key: str = "key_of_the_tenant"
    api_keys: set[str] = field(default_factory=lambda: {"key_1"})
    export: bool = False
    lists: bool = True
    sealed_again: int = 0
    now: datetime = START

    def fill(self) -> None:
        self.kept = {
            "recordings": {"call_1": DataClass.AUDIO, "call_2": DataClass.AUDIO},
            "persons": {"a" * 64: DataClass.CONTACT},
        }

    @property
    def left(self) -> set[str]:
        return {f"{holding}/{id_}" for holding, items in self.kept.items() for id_ in items}


@dataclass
class Place:
    """A holding of the world."""

    world: World
    name: str
    data_class: DataClass
    fuse: Fuse

    async def items(self, tenant: TenantId) -> AsyncIterator[Item]:
        for id_ in list(self.world.kept[self.name]):
            yield self._item(id_)

    async def of_call(self, tenant: TenantId, call: CallId) -> Item | None:
        return self._item(call) if call in self.world.kept[self.name] else None

    async def of_person(self, tenant: TenantId, subject: str) -> Item | None:
        return await self.of_call(tenant, CallId(subject))

    async def delete(self, item: Item) -> Deleted:
        assert self.world.key or item.data_class is DataClass.CONTACT, "its key died before it, so nobody could have held it"
        self.fuse.burn()
        self.world.kept[self.name].pop(item.id, None)
        self.fuse.burn()
        return Deleted(("store",), item.key_id)

    async def copies(self, item: Item) -> AsyncIterator[Copy]:
        nothing: tuple[Copy, ...] = ()
        for each in nothing:
            yield each

    def _item(self, id_: str) -> Item:
        return Item(self.data_class, self.world.tenant, id_, self.name, START - DAY)


@dataclass(frozen=True)
class ApiKey:
    id: str
    revoked_at: str = ""

    def usable(self, now: datetime) -> bool:
        return not self.revoked_at


class Program:
    """One gateway, from its start until it is killed."""

    def __init__(self, world: World, store: Store, ledger: RedisLedger, fuse: Fuse) -> None:
        self.world, self.fuse, self._store = world, fuse, store
        self.log = RedisOffboarding(store)
        self.holds = RedisHolds(store)
        places = [Place(world, name, _CLASSES[name], fuse) for name in world.kept]
        self._ledger = ledger
        deletions = Deletions(
            DeletionParts(
                log=RedisDeletions(store),
                holds=self.holds,
                holdings=lambda: places,
                ledger=self,
                entries=ledger.entries,
                sign=KEY.sign,
                public_key=PUBLIC,
                clock=self,
                ids=RandomIds(),
                telemetry=NullTelemetry(),
                subject_of=_nobody,
                calls_of=_none,
            )
        )
        self.desk = OffboardingDesk(
            OffboardingParts(
                log=self,
                api_keys=self,  # type: ignore[arg-type]
                exports=self,
                holdings=places,
                deletions=deletions,
                shelf=self,  # type: ignore[arg-type]
                ledger=self,
                entries=ledger.entries,
                retention=lambda tenant: Retention(),
                sign=KEY.sign,
                public_key=PUBLIC,
                clock=self,
                ids=RandomIds(),
                key_destroyed=fuse.around(self._seal),
                keep_certificate=fuse.around(self.log.keep_certificate),
                forget=fuse.around(self._forget),
            )
        )

    def now(self) -> datetime:
        return self.world.now

    def monotonic(self) -> float:
        return 0.0

    async def append(self, draft: Any) -> Any:
        return await self.fuse.around(self._ledger.append)(draft)

    async def find(self, tenant: TenantId) -> Offboarding | None:
        return await self.log.find(tenant)

    async def save(self, state: Offboarding, *, before: int) -> bool:
        done: bool = await self.fuse.around(self.log.save)(state, before=before)
        return done

    async def of(self, tenant: TenantId) -> list[ApiKey]:
        return [ApiKey(id_) for id_ in sorted(self.world.api_keys)]

    async def revoke(self, tenant: TenantId, key_id: str, *, now: datetime) -> None:
        self.fuse.burn()
        self.world.api_keys.discard(key_id)

    async def write(self, state: Offboarding) -> Facts:
        self.fuse.burn()
        self.world.export = True
        self.fuse.burn()
        return {"files": len(self.world.left)}

    async def remove(self, state: Offboarding) -> bool:
        self.fuse.burn()
        self.world.export = False
        self.fuse.burn()
        return True

    async def tidy(self, find: Callable[[TenantId], Awaitable[Offboarding | None]]) -> None:
        state = await find(self.world.tenant)
        self.world.export = self.world.export and state is not None and state.keeps_export

    async def destroy_tenant(self, tenant: TenantId) -> str:
        self.fuse.burn()
        assert self.world.left <= {f"persons/{'a' * 64}"}, "the key died before what it keeps"
        gone, self.world.key = self.world.key, ""
        self.fuse.burn()
        return gone

    async def purge(self) -> PurgeProof:
        return PurgeProof("rewritten")

    async def _forget(self, tenant: TenantId) -> Facts:
        assert self.world.left == set(), "a restriction went before the data that it is about"
        self.world.lists = False
        return {"forgotten": "lists"}

    async def _seal(self) -> None:
        self.world.sealed_again += 1


_CLASSES: Mapping[str, DataClass] = {
    "recordings": DataClass.AUDIO,
    "persons": DataClass.CONTACT,
}


async def _nobody(tenant: TenantId, call: CallId) -> str | None:
    return None


async def _none(tenant: TenantId, subject: str) -> list[CallId]:
    return []


def check(world: World, state: Offboarding) -> None:
    """What holds at every moment: what is called done is done."""
    done = {step for step, each in state.steps.items() if each.ended is not None}
    assert done == set(ORDER[: len(done)]), "steps end in their order"
    if Step.KEYS_REVOKED in done:
        assert world.api_keys == set()
    if Step.DATA_DELETED in done:
        assert (world.kept["recordings"], world.export) == ({}, False)
    if Step.KEY_DESTROYED in done:
        assert world.key == ""
        assert world.sealed_again
    if Step.CONTACT_DELETED in done or state.status is Status.DONE:
        assert world.left == set()
        assert not world.lists
    if world.now < state.times.contact_from:
        assert world.kept["persons"], "number data is kept for its time"
    if POINT_OF_NO_RETURN not in state.steps:
        assert world.kept["recordings"], "until the point of no return everything can be had back"


async def go_on(program: Program) -> None:
    """What a gateway does with it: begin it if nobody has, and do what is due."""
    if await program.log.find(program.world.tenant) is None:
        await program.desk.start(program.world.tenant, reason="contract ended", by="operator", wait=timedelta(0))
    else:
        await program.desk.advance(program.world.tenant)


def batched(kills: Sequence[tuple[int, int]], many: int) -> Iterator[Sequence[tuple[int, int]]]:
    for at in range(0, len(kills), many):
        yield kills[at : at + many]


async def lived_through(store: Store, name: str, kills: tuple[int, ...]) -> int:
    """A tenant's whole end with a kill at each of these moments, one program after the other. How many moments there were."""
    world, moments = World(TenantId(name)), 0
    world.fill()
    async with RedisLedger(store, timeout_s=20) as ledger:
        for kill in (*kills, 0):
            for days in (0, 19, 21):
                world.now = max(world.now, START + days * DAY)
                program = Program(world, store, ledger, Fuse(kill - moments if kill else 0))
                try:
                    await go_on(program)
                except Killed:
                    break
                finally:
                    moments += program.fuse.count
                    if (state := await program.log.find(world.tenant)) is not None:
                        check(world, state)
            else:
                break
            moments = 0
        state = await RedisOffboarding(store).find(world.tenant)
        assert state is not None
        assert state.status is Status.DONE
        check(world, state)
        kinds = [entry.draft.kind async for entry in ledger.entries(world.tenant)]
        assert {kind: kinds.count(kind) for kind in kinds if kind.startswith("offboarding.")} == {
            f"offboarding.{step}": 1 for step in ORDER
        }
        document = await RedisOffboarding(store).certificate(world.tenant)
        told = verify_end(document or b"", PUBLIC).document["statement"]
        assert isinstance(told, Mapping)
        assert told["deleted"] == {"audio recordings": 2, "contact persons": 1}
        assert len([each async for each in RedisCertificates(store).all(world.tenant)]) == 3
    return moments


async def test_a_gateway_killed_at_any_moment_twice_is_followed_to_the_end(store: Store) -> None:
    """Every moment before and after something is done to the world; the second kill is somewhere else each time."""
    moments = await lived_through(store, "undisturbed", ())
    assert moments > 40, "the fuse is where things are done"
    kills = [(first, first * 7 % moments + 1) for first in range(1, moments + 1)]
    for some in batched(kills, 8):
        await asyncio.gather(*(lived_through(store, f"killed-{each[0]}", each) for each in some))


async def taken_back_through(store: Store, name: str, kills: tuple[int, ...]) -> int:
    """A tenant's end begun and taken back with a kill at each of these moments. How many moments there were."""
    world, moments = World(TenantId(name)), 0
    world.fill()
    state: Offboarding | None = None
    async with RedisLedger(store, timeout_s=20) as ledger:
        for kill in (*kills, 0):
            program = Program(world, store, ledger, Fuse(kill))
            try:
                state = await program.log.find(world.tenant)
                if state is None or not state.steps.keys() >= {Step.EXPORTED}:
                    state = await program.desk.start(world.tenant, reason="contract ended", by="operator")
                if state.status is Status.ACTIVE:
                    await program.desk.cancel(world.tenant, reason="they stay", by="operator")
                else:  # nobody asks a second time: a round ends it
                    await program.desk.advance(world.tenant)
            except Killed:
                pass
            moments = program.fuse.count
            if (state := await program.log.find(world.tenant)) is not None and state.status is Status.CANCELLED:
                assert not world.export, "what is called cancelled has no export that lies about"
        assert state is not None
        assert state.status is Status.CANCELLED
        await RedisOffboarding(store).check(world.tenant)
        told = [entry.draft.body async for entry in ledger.entries(world.tenant) if entry.draft.kind == "offboarding.cancelled"]
        assert [(body["reason"], body["by"]) for body in told] == [("they stay", "operator")]
        assert world.kept["recordings"], "all of it is still there"
    return moments


async def test_an_end_that_is_taken_back_by_a_gateway_killed_at_any_moment_is_ended_by_a_round(store: Store) -> None:
    """Removed, then written down, then called cancelled: in this order, whoever dies between, twice."""
    moments = await taken_back_through(store, "undisturbed", ())
    assert moments > 14, "the fuse is where things are done"
    kills = [(first, first * 7 % moments + 1) for first in range(1, moments + 1)]
    for some in batched(kills, 8):
        await asyncio.gather(*(taken_back_through(store, f"killed-{each[0]}", each) for each in some))


async def test_an_export_that_ends_behind_its_cancellation_leaves_nothing(store: Store) -> None:
    """One gateway still writes what the tenant was to take along when another one takes the end back."""
    world = World(TenantId("acme"))
    world.fill()
    async with RedisLedger(store, timeout_s=20) as ledger:
        slow, other = (Program(world, store, ledger, Fuse()) for _ in range(2))
        write = slow.write

        async def slowly(state: Offboarding) -> Facts:
            await other.desk.cancel(world.tenant, reason="they stay", by="operator")
            return await write(state)

        slow.write = slowly  # type: ignore[method-assign]
        with pytest.raises(SordinoError, match="another gateway works"):
            await slow.desk.start(world.tenant, reason="contract ended", by="operator")
        assert not world.export


async def test_calls_and_requests_are_refused_from_the_moment_it_is_announced(store: Store) -> None:
    world = World(TenantId("acme"))
    world.fill()
    async with RedisLedger(store, timeout_s=20) as ledger:
        program = Program(world, store, ledger, Fuse(2))  # killed right after it was written down
        with pytest.raises(Killed):
            await go_on(program)
        with pytest.raises(TenantLeaving, match="account is ending"):
            await program.log.check(world.tenant)
        await program.log.check(TenantId("globex"))


async def test_an_end_can_be_taken_back_until_data_is_deleted_and_not_after(store: Store) -> None:
    world = World(TenantId("acme"))
    world.fill()
    async with RedisLedger(store, timeout_s=20) as ledger:
        program = Program(world, store, ledger, Fuse())
        await program.desk.start(world.tenant, reason="contract ended", by="operator")
        state = await program.desk.cancel(world.tenant, reason="they stay", by="operator")
        assert (state.status, world.export, world.left) == (Status.CANCELLED, False, {*world.left})
        await program.log.check(world.tenant)
        assert (await program.desk.advance(world.tenant)).status is Status.CANCELLED
        await program.desk.start(world.tenant, reason="they leave after all", by="operator")
        world.now += 8 * DAY
        assert Step.KEY_DESTROYED in (await program.desk.advance(world.tenant)).steps
        with pytest.raises(PolicyRefused, match="cannot be taken back"):
            await program.desk.cancel(world.tenant, reason="they stay", by="operator")


async def test_what_a_hold_keeps_stays_readable_and_the_end_waits_for_it_by_name(store: Store) -> None:
    """The tenant's key lives as long as what is held; when the hold is lifted the end goes on."""
    world = World(TenantId("acme"))
    world.fill()
    hold = Hold(
        "hold_1", world.tenant, HoldScope(call=CallId("call_2")), "claim", "counsel", date(2027, 1, 31), START, "operator"
    )
    async with RedisLedger(store, timeout_s=20) as ledger:
        program = Program(world, store, ledger, Fuse())
        await program.holds.place(hold)
        await go_on(program)
        world.now += 16 * DAY
        state = await program.desk.advance(world.tenant)
        assert world.left == {"recordings/call_2", f"persons/{'a' * 64}"}
        assert world.key
        assert state.next() is Step.DATA_DELETED
        assert state.overdue(world.now) is Step.DATA_DELETED
        assert "hold_1" in state.steps[Step.DATA_DELETED].waits[0]
        await program.holds.lift(world.tenant, hold.id)
        assert Step.KEY_DESTROYED in (await program.desk.advance(world.tenant)).steps
        assert world.key == ""


@pytest.mark.parametrize(("contract", "days"), [(30, 15), (7, 7), (90, 15)])
async def test_the_stricter_of_the_deadlines_counts(store: Store, contract: int, days: int) -> None:
    world = World(TenantId("acme"))
    world.fill()
    async with RedisLedger(store, timeout_s=20) as ledger:
        desk = Program(world, store, ledger, Fuse()).desk
        found = await desk.preview(world.tenant, contract=contract * DAY)
        assert found.times.data_by == START + days * DAY
        assert (found.times.contact_from, found.times.contact_by) == (START + 20 * DAY, START + 21 * DAY)
        assert found.counts == {("audio", "recordings"): 2, ("contact", "persons"): 1}
        assert found.api_keys == 1
        assert await RedisOffboarding(store).find(world.tenant) is None


async def test_two_gateways_that_go_on_at_once_do_it_once(store: Store) -> None:
    """One of them is told that another works on it; what was done is whole."""
    world = World(TenantId("acme"))
    world.fill()
    async with RedisLedger(store, timeout_s=20) as ledger:
        await Program(world, store, ledger, Fuse()).desk.start(world.tenant, reason="r", by="o", wait=timedelta(0))
        first = await RedisOffboarding(store).find(world.tenant)
        assert first is not None
        stale = replace(first, version=first.version + 1)
        assert await RedisOffboarding(store).save(stale, before=first.version)
        assert not await RedisOffboarding(store).save(stale, before=first.version)
        with pytest.raises(SordinoError, match="another gateway works"):
            await Program(world, store, ledger, Fuse()).desk._save(first.begin(Step.CERTIFIED, START), first.version)
