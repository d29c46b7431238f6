"""The whole life of calls' data, in any order: nothing that was deleted can be read again, and nothing that is held is lost.

Words are kept, corrected, held, expired, erased, backed up and brought back, with the real engine, keys, files and a real Valkey.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from gateway.adapters.audit.sealed_file import SEALED
from gateway.adapters.keys.master import MasterKeys
from gateway.adapters.stores.deletions import RedisDeletions
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.holds import RedisHolds
from gateway.adapters.stores.key_shelf import RedisKeyShelf
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.snapshot import Snapshot
from gateway.adapters.stores.subjects import RedisSubjects
from gateway.adapters.stores.transcripts import RedisTranscripts, TranscriptFacts, TurnKept
from gateway.adapters.system import RandomIds
from gateway.adapters.telemetry.null import NullTelemetry
from gateway.errors import BackupInvalid
from gateway.policy.retention import Hold, HoldScope
from gateway.runner.account import CallAccount
from gateway.runner.backup import BackupParts, Backups
from gateway.runner.backup_restore import RestoreParts, Restoring
from gateway.runner.deletion import DeletionParts, Deletions
from gateway.runner.holdings import Item
from gateway.runner.key_seal import KeySeal
from gateway.transcribing import open_transcripts
from gateway.values import CallId, MaskedText, Placeholder, Private, TenantId
from tests.evidence.samples import KEY, PUBLIC

T = TypeVar("T")
TENANTS = (TenantId("acme"), TenantId("globex"))
EACH = [(tenant, CallId("call_1")) for tenant in TENANTS]
MOST_CALLS = 4
NAME = Placeholder("<PERSON_1>")
START = datetime(2026, 11, 22, 12, tzinfo=UTC)

some_call = st.sampled_from([*EACH, *((TENANTS[0], CallId(f"call_{n}")) for n in range(2, MOST_CALLS))])


class Clock:
    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at

    def monotonic(self) -> float:
        return 0.0


class Side:
    """One store with everything that stands on it."""

    def __init__(self, store: Store, ledger: RedisLedger, masters: MasterKeys, clock: Clock) -> None:
        self.store, self.ledger = store, ledger
        self.shelf = RedisKeyShelf(store, masters)
        self.transcripts = RedisTranscripts(store, self.shelf)
        kept = open_transcripts(store, self.shelf, ledger, clock)
        self.desk, self.holding = kept.desk, kept.holding
        self.holds = RedisHolds(store)
        self.seal = KeySeal(store, masters, clock, RandomIds())

    async def words(self) -> dict[tuple[TenantId, CallId], str]:
        """What can be read; nothing where a value was taken out."""
        found = {}
        for tenant, call in [*EACH, *((TENANTS[0], CallId(f"call_{n}")) for n in range(2, MOST_CALLS + 1))]:
            read = await self.transcripts.read(tenant, call)
            if read is not None:
                found[tenant, call] = read.values.get(NAME, Private("")).reveal()
        return found


class Life(RuleBasedStateMachine):
    """``said``: what must be readable. ``backups``: each with what was readable when it was made."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp(prefix="sordino-life-"))
        self.clock, self.masters = Clock(), MasterKeys.fixed(bytes(range(32)))
        self.running = AsyncExitStack()
        self.said: dict[tuple[TenantId, CallId], str] = {}
        self.gone: set[tuple[TenantId, CallId]] = set()
        self.held: dict[tuple[TenantId, CallId], str] = {}
        self.backups: list[tuple[Path, dict[tuple[TenantId, CallId], str]]] = []
        self.calls = list(EACH)
        self.number = 0

    def run(self, work: Awaitable[T]) -> T:
        async def inside() -> T:
            return await work

        return self.runner.run(inside())

    @initialize()
    def open(self) -> None:
        self.live, self.other = self.run(self._open(0)), self.run(self._open(1))
        self.deletions = Deletions(
            DeletionParts(
                log=RedisDeletions(self.live.store),
                holds=self.live.holds,
                holdings=lambda: [self.live.holding],
                ledger=self.live.ledger,
                entries=self.live.ledger.entries,
                sign=KEY.sign,
                public_key=PUBLIC,
                clock=self.clock,
                ids=RandomIds(),
                telemetry=NullTelemetry(),
                subject_of=RedisSubjects(self.live.store).of_call,
                calls_of=RedisSubjects(self.live.store).calls,
                purge=self._purge,
            )
        )
        for each in EACH:
            self.said[each] = f"words of {each}"
            self.run(self._say(*each, self.said[each]))

    async def _open(self, database: int) -> Side:
        store = await self.running.enter_async_context(Store(f"{self.url}?db={database}", timeout_s=20))
        await store.ask("FLUSHDB")
        ledger = await self.running.enter_async_context(RedisLedger(store, timeout_s=20))
        return Side(store, ledger, self.masters, self.clock)

    async def _purge(self) -> str:
        await self.live.seal.destroyed()
        return "none"

    # --- what happens to calls ------------------------------------------------------------------------------------------

    @rule()
    def call_again(self) -> None:
        """Calls come in all the time."""
        if len(self.calls) < MOST_CALLS:
            each = (TENANTS[0], CallId(f"call_{len(self.calls) + 1}"))
            self.calls.append(each)
            self.said[each] = f"words of {each}"
            self.run(self._say(*each, self.said[each]))

    async def _say(self, tenant: TenantId, call: CallId, words: str) -> None:
        at = self.clock.now().isoformat()
        kept = await self.live.transcripts.begin(tenant, TranscriptFacts(call, at, "sha256:c", "quality", keep_s=3_600))
        await kept.write({1: TurnKept("caller", at, MaskedText("I am <PERSON_1>"))}, {NAME: Private(words)})
        await kept.finish(1)

    @rule(each=some_call)
    def rectify(self, each: tuple[TenantId, CallId]) -> None:
        if each in self.said:
            self.number += 1
            self.said[each] = f"right words {self.number}"
            self.run(self.live.desk.rectify(*each, NAME, Private(self.said[each]), by="test"))

    @rule(each=some_call)
    def hold(self, each: tuple[TenantId, CallId]) -> None:
        if each not in self.held:
            self.held[each] = RandomIds().new("hold")
            scope = HoldScope(call=each[1])
            about = ("claim", "counsel", date(2126, 1, 1), self.clock.now(), "operator")
            self.run(self.live.holds.place(Hold(self.held[each], each[0], scope, *about)))

    @rule(each=some_call)
    def lift(self, each: tuple[TenantId, CallId]) -> None:
        if each in self.held:
            self.run(self.live.holds.lift(each[0], self.held.pop(each)))

    @rule(each=some_call)
    def erase(self, each: tuple[TenantId, CallId]) -> None:
        self._delete([each])

    @rule(tenant=st.sampled_from(TENANTS))
    def expire(self, tenant: TenantId) -> None:
        self._delete([each for each in self.calls if each[0] == tenant])

    def _delete(self, wanted: Sequence[tuple[TenantId, CallId]]) -> None:
        async def delete() -> int:
            items = [await self.live.holding.of_call(*each) for each in wanted]
            known: list[Item] = [item for item in items if item is not None]
            done = await self.deletions.delete(wanted[0][0], known, why="its time is over", by="test")
            return len(done.certificates)

        free = {each for each in wanted if each in self.said and each not in self.held}
        assert self.run(delete()) == len(free)
        self.gone |= free
        for each in free:
            del self.said[each]

    # --- backups --------------------------------------------------------------------------------------------------------

    @rule()
    def back_up(self) -> None:
        parts = BackupParts(
            store=self.live.store,
            shelf=self.live.shelf,
            masters=self.masters,
            data=self.folder / "data",
            tenants=dict,
            ledger=self.live.ledger,
            clock=self.clock,
            ids=RandomIds(),
        )
        made = self.run(Backups(parts).create(self.folder / "backups", region="local"))
        self.backups.append((made.path, dict(self.said)))

    @precondition(lambda self: self.backups)
    @rule(data=st.data(), newest=st.booleans())
    def restore(self, data: st.DataObject, newest: bool) -> None:
        """From any backup that there ever was, also for who hides what happened since."""
        path, had = data.draw(st.sampled_from(self.backups))
        back = self.run(self._restore(path, newest))
        wanted = {each: words for each, words in had.items() if each not in self.gone}
        if newest:  # what was put right since is not read again as it was before
            wanted = {each: words if words == self.said[each] else "" for each, words in wanted.items()}
        assert back == wanted

    async def _restore(self, path: Path, newest: bool) -> dict[tuple[TenantId, CallId], str]:
        await self.other.store.ask("FLUSHDB")
        async with (
            RedisLedger(self.other.store, timeout_s=20) as ledger,
            Snapshot(self.other.store) as snapshot,
        ):
            side = Side(self.other.store, ledger, self.masters, self.clock)
            parts = RestoreParts(
                store=side.store,
                snapshot=snapshot,
                ledger=ledger,
                data=self.folder / "restored",
                shelf=side.shelf,
                masters=self.masters,
                open_holdings=lambda: _given([side.holding]),
                clock=self.clock,
                ids=RandomIds(),
            )
            await Restoring(parts).run(path, path.with_name(SEALED), [self.live.ledger] if newest else [])
            return await side.words()

    # --- what always holds ----------------------------------------------------------------------------------------------

    @invariant()
    def what_is_kept_can_be_read_and_nothing_else(self) -> None:
        if hasattr(self, "live"):
            assert self.run(self.live.words()) == self.said

    def teardown(self) -> None:
        self.run(self.running.aclose())
        self.runner.close()
        shutil.rmtree(self.folder)


async def _given(value: T) -> T:
    return value


def test_nothing_deleted_can_be_read_and_nothing_held_is_lost_in_any_order(valkey: EmbeddedValkey) -> None:
    class Here(Life):
        url = valkey.url

    # A failure is told as it was found: to shrink it would take minutes.
    run_state_machine_as_test(
        Here, settings=settings(max_examples=8, stateful_step_count=14, deadline=None, phases=[Phase.reuse, Phase.generate])
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
