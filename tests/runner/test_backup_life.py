"""The whole life of calls' data, in any order: nothing that was deleted can be read again, and nothing that is held is lost.

Words are kept, corrected, held, expired, erased, backed up and brought back, with the real engine, keys, files and a real Valkey.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Awaitable, Iterable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from gateway.adapters.audit.sealed_file import SEALED
from gateway.adapters.keys.master import MasterKeys
from gateway.adapters.recordings.format import CLASS
from gateway.adapters.stores import names
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.key_shelf import RedisKeyShelf
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.snapshot import Snapshot
from gateway.adapters.stores.transcripts import KIND, RedisTranscripts
from gateway.adapters.system import RandomIds
from gateway.errors import BackupInvalid
from gateway.policy.retention import HoldScope
from gateway.runner.account import CallAccount
from gateway.runner.backup import BackupParts, Backups
from gateway.runner.backup_restore import RestoreParts, Restoring
from gateway.runner.deletion import Deletions
from gateway.runner.key_seal import KeySeal
from gateway.runner.rights import Correction
from gateway.runner.rights_acts import Acted
from gateway.runner.rights_case import Right
from gateway.values import CallId, DataClass, Private, TenantId
from tests.conftest import PATIENCE_S
from tests.journeys.persons import ACME, ANNE, BETA, POLICY, House, open_house
from tests.runner.test_deletion_faults import Fate, lived

T = TypeVar("T")
TENANTS = (ACME, BETA)
Each = tuple[TenantId, CallId]
EACH: list[Each] = [(tenant, CallId("call_1")) for tenant in TENANTS]
MOST_CALLS = 7
EVERY: list[Each] = [*EACH, *((ACME, CallId(f"call_{n}")) for n in range(2, MOST_CALLS + 1))]
START = datetime(2026, 11, 22, 12, tzinfo=UTC)
WORDS_DAYS, SOUND_DAYS = 9, 3
KEEPING = POLICY + f"retention: {{{{audio: {SOUND_DAYS}d, transcript: {WORDS_DAYS}d}}}}\n"
OF_CLASS = {DataClass.TRANSCRIPT: timedelta(days=WORDS_DAYS), DataClass.AUDIO: timedelta(days=SOUND_DAYS)}

some_tenant = st.sampled_from(TENANTS)


class Clock:
    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at

    def monotonic(self) -> float:
        return 0.0


@dataclass(frozen=True, slots=True)
class Had:
    """A backup, and what was there when it was made."""

    path: Path
    said: dict[Each, str]
    sounds: dict[Each, datetime]
    restricted: set[TenantId]


class Life(RuleBasedStateMachine):
    """``said``: words that must be readable. ``sounds``: recordings that must be, with when they began.

    ``lived``: how often something changed that a restore must know of; ``restored_at``: up to where one was tried.
    """

    url, files = "", Path()

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp(prefix="sordino-life-"))
        self.running = AsyncExitStack()
        self.began: dict[Each, datetime] = {}
        self.said: dict[Each, str] = {}
        self.sounds: dict[Each, datetime] = {}
        self.gone: set[tuple[DataClass, Each]] = set()
        self.keys: dict[tuple[DataClass, Each], bytes] = {}
        self.held: dict[Each, str] = {}
        self.restricted: set[TenantId] = set()
        self.backups: list[Had] = []
        self.number = 0
        self.lived, self.restored_at = 0, 0

    def run(self, work: Awaitable[T]) -> T:
        async def inside() -> T:
            return await work

        if hasattr(self, "live"):
            self.live.clock.move(seconds=1)
        return self.runner.run(inside())

    @initialize()
    def open(self) -> None:
        self.live = self.run(self._open(0, self.folder / "live", key_destroyed=self._key_destroyed))
        self.masters = MasterKeys.from_file(self.folder / "live" / "master.key", create=False)
        self.seal = KeySeal(self.live.store, self.masters, self.live.clock, RandomIds())
        for each in EACH:
            self._call(each)
        self.back_up()

    async def _open(self, database: int, folder: Path, **more: Any) -> House:
        store = await self.running.enter_async_context(Store(f"{self.url}?db={database}", timeout_s=PATIENCE_S))
        await store.ask("FLUSHDB")
        await store.ask("CONFIG", "SET", "rdbcompression", "no")  # what is compressed could not be searched
        return await open_house(store, folder, self.running, purging=True, policy=KEEPING, **more)

    async def _key_destroyed(self) -> None:
        await self.seal.destroyed()

    # --- what happens to calls ------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.began) < len(EVERY))
    @rule()
    def call_again(self) -> None:
        """Calls come in all the time."""
        self._call(EVERY[len(self.began)])

    def _call(self, each: Each) -> None:
        async def said() -> None:
            at, (tenant, call) = self.live.clock.now(), each
            await self.live.righting.persons.note(tenant, self.live.anne(tenant), call, at)
            await self.live.write_down(tenant, call, "I am <PERSON_1>", {"person": self.said[each]}, at)
            await self.live.record(tenant, call, at, keep_s=10**7)
            self.began[each] = self.sounds[each] = at
            for of, kind in ((DataClass.TRANSCRIPT, KIND), (DataClass.AUDIO, CLASS)):
                self.keys[of, each] = bytes(await self.live.store.ask("GET", names.key(tenant, kind, call, "key")))

        self.said[each] = f"my words of {each[1]} at {each[0]}"
        self.run(said())

    @precondition(lambda self: self.said)
    @rule(data=st.data())
    def rectify(self, data: st.DataObject) -> None:
        """As the person asks for it: of one call, in every place, unless a hold keeps it as it is."""
        each = data.draw(st.sampled_from(list(self.said)))
        self.number += 1
        right = f"my words put right {self.number}"
        done = self.run(self._asked(Right.RECTIFY, each[0], each[1], Correction(Private(self.said[each]), Private(right))))
        assert done.finished == (each not in self.held)
        if each not in self.held:
            assert done.facts["places"] == {"transcript": 1}
            self.said[each] = right
            self.lived += 1

    @rule(tenant=some_tenant)
    def restrict(self, tenant: TenantId) -> None:
        self.restricted.add(tenant)
        self.lived += 1
        assert self.run(self._asked(Right.RESTRICT, tenant)).finished

    @precondition(lambda self: self.restricted)
    @rule()
    def lift_the_restriction(self) -> None:
        assert self.run(self._asked(Right.LIFT, self.restricted.pop())).finished
        self.lived += 1

    async def _asked(self, right: Right, tenant: TenantId, call: CallId | None = None, put: Correction | None = None) -> Acted:
        desk = self.live.righting.desk
        case = await desk.open(tenant, right, Private(ANNE), by="Kim", call=call)
        await desk.identify(tenant, case.id, method="called back", by="Kim")
        return await desk.do(tenant, case.id, by="Kim", correction=put)

    @precondition(lambda self: len(self.held) < len(self.began))
    @rule(data=st.data())
    def hold(self, data: st.DataObject) -> None:
        each = data.draw(st.sampled_from([each for each in self.began if each not in self.held]))
        scope, about = HoldScope(call=each[1]), {"reason": "claim", "approver": "counsel", "by": "operator"}
        placed = self.run(self.live.data.holds.place(each[0], scope, review=date(2126, 1, 1), **about))
        self.held[each] = placed.hold.id

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def lift(self, data: st.DataObject) -> None:
        each = data.draw(st.sampled_from(list(self.held)))
        self.run(self.live.data.holds.lift(each[0], self.held.pop(each), reason="settled", by="operator"))

    @precondition(lambda self: self._there())
    @rule(data=st.data(), dies_at=st.none() | st.integers(1, 20))
    def erase(self, data: st.DataObject, dies_at: int | None) -> None:
        """By a gateway that may be killed over it; another one goes on, and the same is asked again."""
        each = data.draw(st.sampled_from(sorted({each for _, each in self._there()})))
        wanted = {item for item in self._there() if item[1] == each}
        if dies_at is not None:
            fate, parts = Fate(dies_at), self.live.data.deletions._p
            assert parts.purge is not None
            mortal = replace(
                parts,
                log=fate.over(parts.log),
                ledger=fate.over(parts.ledger),
                holdings=lambda: [fate.over(holding) for holding in self.live.data.holdings],
                purge=fate.doing(parts.purge),
            )
            self.run(lived(self._delete(Deletions(mortal), each)))
            self.run(self.live.data.deletions.resume([each[0]], at_once=True))
        self.run(self._delete(self.live.data.deletions, each))
        if each not in self.held:
            self._is_gone(wanted)

    async def _delete(self, deletions: Deletions, each: Each) -> None:
        found = [await holding.of_call(*each) for holding in self.live.data.holdings if holding.data_class in OF_CLASS]
        items = [item for item in found if item is not None]
        done = await deletions.delete(each[0], items, why="request of the caller", by="test")
        assert len(done.certificates) == (0 if each in self.held else len(items))

    @rule(days=st.sampled_from([0, 1, 4, 10]))
    def time_goes_by_and_the_sweeper_looks(self, days: int) -> None:
        self.live.clock.move(days=days)
        due = {
            (of, each)
            for of, each in self._there()
            if each not in self.held and self.began[each] + OF_CLASS[of] <= self.live.clock.now()
        }
        swept = self.run(self.live.data.sweeper(lambda: self.live.policies.policies.tenants).sweep())
        assert swept.left == ()
        assert {of: swept.deleted[of] for of in OF_CLASS if swept.deleted.get(of)} == Counter(of for of, _ in due)
        self._is_gone(due)

    def _there(self) -> set[tuple[DataClass, Each]]:
        return {(DataClass.TRANSCRIPT, each) for each in self.said} | {(DataClass.AUDIO, each) for each in self.sounds}

    def _is_gone(self, what: Iterable[tuple[DataClass, Each]]) -> None:
        for of, each in what:
            self.lived += 1
            (self.said if of is DataClass.TRANSCRIPT else self.sounds).pop(each)
            self.gone.add((of, each))

    # --- backups --------------------------------------------------------------------------------------------------------

    @rule()
    def back_up(self) -> None:
        live = self.live
        parts = BackupParts(live.store, live.shelf, self.masters, live.folder, dict, live.ledger, live.clock, RandomIds())
        made = self.run(Backups(parts).create(self.folder / "backups", region="local"))
        self.backups.append(Had(made.path, dict(self.said), dict(self.sounds), set(self.restricted)))

    @precondition(lambda self: self.lived > self.restored_at)
    @rule(data=st.data(), newest=st.booleans())
    def restore(self, data: st.DataObject, newest: bool) -> None:
        """From any backup that there ever was, also for who hides what happened since."""
        self.restored_at = self.lived
        had = data.draw(st.sampled_from(self.backups))
        said, sounds, restricted = self.run(self._restore(had.path, newest))
        wanted = {each: words for each, words in had.said.items() if (DataClass.TRANSCRIPT, each) not in self.gone}
        if newest:  # what was put right since is not read again as it was before
            wanted = {each: words if words == self.said[each] else "" for each, words in wanted.items()}
        assert said == wanted
        assert sounds == {each for each in had.sounds if (DataClass.AUDIO, each) not in self.gone}
        assert restricted == (self.restricted if newest else had.restricted)

    async def _restore(self, path: Path, newest: bool) -> tuple[dict[Each, str], set[Each], set[TenantId]]:
        folder = self.folder / "restored"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        shutil.copy(self.folder / "live" / "master.key", folder)
        side = await self._open(1, folder)
        async with Snapshot(side.store) as snapshot:
            parts = RestoreParts(
                store=side.store,
                snapshot=snapshot,
                ledger=side.ledger,
                data=folder,
                shelf=side.shelf,
                masters=self.masters,
                open_holdings=lambda: _given(side.data.holdings),
                clock=self.live.clock,
                ids=RandomIds(),
            )
            await Restoring(parts).run(path, path.with_name(SEALED), [self.live.ledger] if newest else [])
        found = await words(side), await heard(side), await barred(side)
        await side.store.ask("FLUSHDB")
        return found

    # --- what always holds ----------------------------------------------------------------------------------------------

    @invariant()
    def what_is_kept_can_be_read_and_nothing_else(self) -> None:
        if hasattr(self, "live"):
            assert self.run(words(self.live)) == self.said
            assert self.run(heard(self.live)) == set(self.sounds)

    @invariant()
    def who_is_restricted_gets_no_grant(self) -> None:
        if hasattr(self, "live"):
            assert self.run(barred(self.live)) == self.restricted

    @invariant()
    def no_file_holds_a_word_or_the_key_of_what_was_deleted(self) -> None:
        """The keys as the store has them: locked. Of what is there they are found, so the search would see the others."""
        if hasattr(self, "live"):
            files = [path for folder in (self.files, self.folder) for path in folder.rglob("*") if path.is_file()]
            raw = b"".join(path.read_bytes() for path in files)
            assert {what for what, key in self.keys.items() if key in raw} == self._there()
            assert b"my words" not in raw

    def teardown(self) -> None:
        self.run(self.running.aclose())
        self.runner.close()
        shutil.rmtree(self.folder)


async def words(house: House) -> dict[Each, str]:
    """What can be read; nothing where a value was taken out."""
    found = {}
    for tenant, call in EVERY:
        if await RedisTranscripts(house.store, house.shelf).read(tenant, call) is not None:
            found[tenant, call] = (await house.written_down(tenant, call)).get("<PERSON_1>", "")
    return found


async def heard(house: House) -> set[Each]:
    """The calls whose sound can be opened and heard to its end."""
    found = set()
    for holding in [each for each in house.data.holdings if each.data_class is DataClass.AUDIO]:
        for tenant, call in EVERY:
            if (item := await holding.of_call(tenant, call)) is not None:
                found |= {(tenant, call) async for copy in holding.copies(item) if copy.content.reveal().startswith(b"RIFF")}
    return found


async def barred(house: House) -> set[TenantId]:
    """Where no Grant is given for a call of hers."""
    return {tenant for tenant in TENANTS if not await house.may_leave(tenant, house.anne(tenant))}


async def _given(value: T) -> T:
    return value


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A Valkey whose files hold nothing of other tests."""
    server = EmbeddedValkey(tmp_path / "valkey")
    asyncio.run(server.start())
    yield server
    asyncio.run(server.stop())


@pytest.mark.timeout(300)
def test_nothing_deleted_can_be_read_and_nothing_held_is_lost_in_any_order(alone: EmbeddedValkey, tmp_path: Path) -> None:
    class Here(Life):
        url, files = alone.url, tmp_path

    # A failure is told as it was found: to shrink it would take minutes.
    run_state_machine_as_test(
        Here, settings=settings(max_examples=15, stateful_step_count=20, deadline=None, phases=[Phase.reuse, Phase.generate])
    )


async def test_newer_evidence_of_another_store_is_refused(store: Store, tmp_path: Path, valkey: EmbeddedValkey) -> None:
    """It does not continue the backup's chain: what it says was deleted since is not about this data."""
    clock, masters = Clock(), MasterKeys.fixed(bytes(range(32)))
    async with RedisLedger(store, timeout_s=20) as ledger, Store(f"{valkey.url}?db=2", timeout_s=20) as empty:
        await empty.ask("FLUSHDB")
        await _entry(ledger, clock, "one")
        parts = BackupParts(store, RedisKeyShelf(store, masters), masters, tmp_path, dict, ledger, clock, RandomIds())
        made = await Backups(parts).create(tmp_path / "backups", region="local")
        await store.ask("DEL", "sordino:{acme}:evidence")
        async with RedisLedger(store, timeout_s=20) as other, RedisLedger(empty, timeout_s=20) as target:
            for word in ("two", "three", "four"):
                await _entry(other, clock, word)
            async with Snapshot(empty) as snapshot:
                shelf, new = RedisKeyShelf(empty, masters), tmp_path / "new"
                into = RestoreParts(empty, snapshot, target, new, shelf, masters, lambda: _given([]), clock, RandomIds())
                with pytest.raises(BackupInvalid, match="does not follow entry"):
                    await Restoring(into).run(made.path, made.path.with_name(SEALED), [other])


async def _entry(ledger: RedisLedger, clock: Clock, word: str) -> None:
    await CallAccount(TENANTS[0], CallId(f"call_{word}"), ledger, clock).write("note", {"word": word})
