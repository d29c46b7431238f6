"""One call as it is run: what happens on the leg goes into the plot, and its commands are performed in order, come what may."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.adapters.telemetry.null import NullTelemetry
from gateway.call.events import CallerAudio, LegEvent, LegStarted, LegStopped, MarkReturned
from gateway.call.flow import Announcement, CallFlow, Outcome
from gateway.errors import EvidenceUnavailable, PolicyRefused, SordinoError, StoreUnavailable
from gateway.evidence.chain import UNCONFIRMED, seal
from gateway.evidence.entries import Draft, Entry
from gateway.ports import ConversationEvents, Playout, SpanHandle, TurnShown
from gateway.runner import call_runner
from gateway.runner.account import CallAccount
from gateway.runner.call_runner import CallParts, CallRunner
from gateway.tasks import TaskOwner
from gateway.values import CallId, Pcm, Private, TenantId

AI = Announcement("ai", "eu-ai-act", "en", "t" * 64, "a" * 64, total_ms=100)
ENDS = ("call.ended", "sealed")


class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class Phone:
    """A leg that the test speaks into. It plays in real time and returns marks; not ``acknowledging``: none of announcements."""

    rate = 8_000
    acknowledges = "mark"

    def __init__(self, *, acknowledging: bool = True) -> None:
        self.log: list[str] = []
        self.came: asyncio.Queue[LegEvent | None] = asyncio.Queue()
        self.acknowledging = acknowledging
        self.sent_ms = 0.0
        self._played_at = 0.0

    def happen(self, *events: LegEvent | None) -> None:
        for event in events:
            self.came.put_nowait(event)

    async def events(self) -> AsyncIterator[LegEvent]:
        while (event := await self.came.get()) is not None:
            yield event
            if isinstance(event, LegStopped):
                return

    async def listen(self) -> None:
        self.log.append("listen")

    async def send_audio(self, pcm: Pcm) -> None:
        self.sent_ms += pcm.ms
        self._played_at = max(self._played_at, asyncio.get_running_loop().time()) + pcm.ms / 1000

    async def send_mark(self, name: str) -> None:
        self.log.append(f"mark {name}")
        if self.acknowledging or not name.startswith("announcement:"):
            asyncio.get_running_loop().call_at(self._played_at, self.happen, MarkReturned(name))

    async def send_clear(self) -> None:
        self.log.append("clear")

    async def close(self) -> None:
        self.log.append("hang up")
        self.happen(LegStopped())


class Book:
    """A ledger that confirms at once, or as it is told: ``refuses`` kinds, or waits until ``open``."""

    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.refuses: set[str] = set()
        self.open = asyncio.Event()
        self.open.set()
        self._seq = 0
        self._last = ""

    async def append(self, draft: Draft) -> Entry:
        await self.open.wait()
        if draft.kind in self.refuses:
            raise EvidenceUnavailable("not confirmed")
        self._seq += 1
        entry = seal(draft, self._seq, self._last or "0" * 64)
        self._last = entry.hash
        self.log.append(draft.kind)
        return entry


class Talk:
    """A conversation that does as the test says. ``start`` and ``close`` are what it does then."""

    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.heard: list[Pcm] = []
        self.events: ConversationEvents | None = None
        self.playout: Playout | None = None
        self.on_start: Callable[[], Any] = _nothing
        self.on_close: Callable[[], Any] = _nothing
        self.started = asyncio.Event()
        self.cancelled = 0

    async def start(self) -> None:
        self.log.append("start")
        self.started.set()
        try:
            await self.on_start()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    def hear(self, pcm: Private[Pcm]) -> None:
        self.heard.append(pcm.reveal())

    async def aclose(self) -> None:
        self.log.append("close")
        await self.on_close()


async def _nothing() -> None:
    return


def _raising(error: BaseException) -> Callable[[], Any]:
    async def fail() -> None:
        raise error

    return fail


async def _hang() -> None:
    await asyncio.Event().wait()


@dataclass(slots=True)
class Counted(NullTelemetry):
    counts: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    active: int = 0

    def count(self, name: str, value: int = 1, **labels: str) -> None:
        self.counts.append((name, labels))

    def gauge(self, name: str, change: int, **labels: str) -> None:
        self.active += change


class Call:
    """One call and everything around it; ``log`` holds in one order what was written, asked and done."""

    def __init__(self, *, announced: bool = False, acknowledging: bool = True) -> None:
        self.phone = Phone(acknowledging=acknowledging)
        self.log = self.phone.log
        self.book = Book(self.log)
        self.talk = Talk(self.log)
        self.telemetry = Counted()
        self.shown: list[TurnShown] = []
        self.sealing: Callable[[], Any] = _nothing
        self.account = CallAccount(TenantId("acme"), CallId("call_1"), self.book, WallClock())
        sounds = {"ai": tone(100), "apology": tone(60), "refused": tone(60)}
        flow = CallFlow((AI,) if announced else (), started={"carrier": "twilio"})
        self.runner = CallRunner(
            CallParts(
                flow, self.phone, self.account, sounds, self._converse, self._seal, WallClock(), self.telemetry, self.shown.append
            )
        )

    def _converse(self, playout: Playout, events: ConversationEvents, span: SpanHandle) -> Talk:
        self.talk.playout, self.talk.events = playout, events
        return self.talk

    async def _seal(self, outcome: Outcome, code: str | None) -> None:
        self.log.append("sealed" if code is None else f"sealed {code}")
        await self.sealing()

    def entry(self, kind: str) -> Mapping[str, Any]:
        return next(entry.draft.body for entry in self.account.entries if entry.draft.kind == kind)

    def refusals(self) -> list[str]:
        return [labels["reason"] for name, labels in self.telemetry.counts if name == "sordino_refusals_total"]


def tone(ms: int) -> Pcm:
    return Pcm(b"\1\0" * (8 * ms), 8_000)


START = LegStarted("MZ1", "CA1")
VOICE = CallerAudio(Private(tone(20)), at_ms=0)


@asynccontextmanager
async def running(call: Call) -> AsyncIterator[asyncio.Task[Outcome]]:
    """The call goes on beside the test; it must have ended when the block is left."""
    failures: list[BaseException] = []
    async with TaskOwner("test", on_failure=lambda _, error: failures.append(error)) as tasks, asyncio.timeout(10):
        task = tasks.start(call.runner.run(), name="call")
        yield task
        await asyncio.wait({task})
    assert failures == []
    assert call.telemetry.active == 0


async def whole(call: Call, *events: LegEvent | None) -> Outcome:
    call.phone.happen(*events)
    async with running(call) as task:
        pass
    return task.result()


async def until_listening(call: Call) -> None:
    await call.talk.started.wait()
    while "listen" not in call.log:  # noqa: ASYNC110 - the next turn of the loop
        await asyncio.sleep(0)


def told(call: Call) -> list[str]:
    """Which recorded messages were played to the caller."""
    return [line.removeprefix("mark tell:") for line in call.log if line.startswith("mark tell:")]


def without_marks(log: Sequence[str]) -> list[str]:
    return [line for line in log if not line.startswith(("mark", "clear"))]


class TestACallThatGoesWell:
    async def test_performs_everything_in_order(self) -> None:
        """Announced, proven and written down before there is a conversation; heard only after that."""
        call = Call(announced=True)
        call.phone.happen(START, VOICE)
        async with running(call) as task:
            await until_listening(call)
            call.phone.happen(VOICE, VOICE, LegStopped())
        assert task.result() is Outcome.COMPLETED
        assert without_marks(call.log) == [
            "call.started",
            "announcement.played",
            "listening.started",
            "start",
            "listen",
            "close",
            *ENDS,
        ]
        assert call.phone.sent_ms == 100
        assert call.talk.heard == [tone(20)] * 2
        assert call.entry("announcement.played")["frames_dropped"] == 1
        assert "frames_late" not in call.entry("call.ended")

    async def test_ends_when_the_agent_has_said_its_last_word(self) -> None:
        call = Call()
        call.phone.happen(START)
        async with running(call) as task:
            await until_listening(call)
            assert call.talk.events is not None
            call.talk.events.finished()
        assert task.result() is Outcome.COMPLETED
        assert call.log[-4:] == ["close", *ENDS, "hang up"]

    async def test_hears_what_is_said_while_the_conversation_opens(self) -> None:
        """The first words after the announcement are not lost."""
        call, opened = Call(), asyncio.Event()
        call.talk.on_start = opened.wait
        call.phone.happen(START, VOICE, VOICE)
        async with running(call):
            await call.talk.started.wait()
            opened.set()
            await until_listening(call)
            call.phone.happen(LegStopped())
        assert len(call.talk.heard) == 2

    async def test_nothing_that_comes_after_the_end_does_anything(self) -> None:
        call = Call()
        assert await whole(call, START, LegStopped(), START, VOICE, MarkReturned("x")) is Outcome.COMPLETED
        assert without_marks(call.log).count("call.started") == 1
        assert call.log[-2:] == list(ENDS)
        assert call.talk.heard == []

    async def test_a_stream_that_breaks_off_without_a_word_ends_the_call(self) -> None:
        call = Call()
        assert await whole(call, START, None) is Outcome.COMPLETED
        assert call.log[-2:] == list(ENDS)

    async def test_one_that_breaks_off_before_it_began_leaves_a_receipt_too(self) -> None:
        call = Call()
        assert await whole(call, None) is Outcome.NEVER_LISTENED
        assert call.log == list(ENDS)


class TestACallThatMayNotListen:
    async def test_a_mark_that_never_comes_is_told_and_no_conversation_is_made(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("gateway.call.flow.MARK_GRACE_MS", 50)
        call = Call(announced=True, acknowledging=False)
        assert await whole(call, START, VOICE) is Outcome.NEVER_LISTENED
        assert told(call) == ["refused"]
        assert "start" not in call.log
        assert call.log[-3:] == [*ENDS, "hang up"]

    async def test_who_hangs_up_during_the_announcement_was_never_heard(self) -> None:
        call = Call(announced=True, acknowledging=False)
        assert await whole(call, START, VOICE, LegStopped()) is Outcome.NEVER_LISTENED
        assert without_marks(call.log) == ["call.started", "announcement.unproven", *ENDS]


class TestWhenTheLedgerDoesNotConfirm:
    async def test_what_was_to_follow_does_not_happen_and_the_caller_is_told(self) -> None:
        call = Call()
        call.book.refuses = {"listening.started"}
        assert await whole(call, START, VOICE) is Outcome.FAILED
        assert "start" not in call.log
        assert call.talk.heard == []
        assert told(call) == ["apology"]
        assert call.log[-2:] == ["sealed evidence_unavailable", "hang up"]

    async def test_the_receipt_says_so(self) -> None:
        call = Call()
        call.book.refuses = {"listening.started"}
        await whole(call, START)
        assert [entry.draft.kind for entry in call.account.entries] == ["call.started", "call.failed", "call.ended"]
        assert [entry.durable == UNCONFIRMED for entry in call.account.entries] == [False, True, True]
        assert call.entry("call.failed") == {"code": "evidence_unavailable"}

    async def test_a_slow_one_lets_frames_wait_drops_what_is_too_much_and_the_receipt_counts_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(call_runner, "WAITING_FRAMES", 10)
        call = Call()
        call.book.open.clear()
        call.phone.happen(START, *[VOICE] * 40)
        async with running(call):
            while not call.phone.came.empty():  # noqa: ASYNC110 - the next turn of the loop
                await asyncio.sleep(0)
            call.book.open.set()
            await until_listening(call)
            call.phone.happen(LegStopped())
        heard, late = len(call.talk.heard), call.runner.frames_late
        assert 0 < heard <= 12
        assert heard + late == 40
        assert call.entry("call.ended")["frames_late"] == late


class TestWhenTheConversationFails:
    @pytest.mark.parametrize(
        ("error", "code"),
        [(PolicyRefused("no"), "policy_refused"), (StoreUnavailable("gone"), "store_unavailable"), (ValueError("x"), "internal")],
        ids=["refused", "store gone", "a fault of its own"],
    )
    async def test_to_start_the_caller_hears_an_apology(self, error: Exception, code: str) -> None:
        call = Call()
        call.talk.on_start = _raising(error)
        assert await whole(call, START) is Outcome.FAILED
        assert "listen" not in call.log
        assert told(call) == ["apology"]
        assert call.entry("call.failed") == {"code": code}
        assert call.log[-2:] == [f"sealed {code}", "hang up"]

    async def test_in_the_middle_nothing_more_is_heard_and_the_caller_hears_an_apology(self) -> None:
        call = Call()
        call.phone.happen(START)
        async with running(call) as task:
            await until_listening(call)
            assert call.talk.events is not None
            call.talk.events.failed("upstream_failed")
            call.talk.events.failed("upstream_timeout")
            call.phone.happen(VOICE)
        assert task.result() is Outcome.FAILED
        assert call.talk.heard == []
        assert call.entry("call.failed") == {"code": "upstream_failed"}
        assert told(call) == ["apology"]

    async def test_to_close_the_call_still_ends_as_it_should(self) -> None:
        """Its failure is counted; the caller is told and the receipt made all the same."""
        call = Call()
        call.talk.on_close = _raising(RuntimeError("livekit broke"))
        call.phone.happen(START)
        async with running(call) as task:
            await until_listening(call)
            assert call.talk.events is not None
            call.talk.events.failed("upstream_failed")
        assert task.result() is Outcome.FAILED
        assert told(call) == ["apology"]
        assert "internal" in call.refusals()
        assert call.log[-2:] == ["sealed upstream_failed", "hang up"]

    async def test_and_hangs_while_it_closes_the_caller_does_not_wait_for_ever(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(call_runner, "CLOSE_WITHIN_S", 0.05)
        call = Call()
        call.talk.on_close = _hang
        call.phone.happen(START)
        async with running(call) as task:
            await until_listening(call)
            call.phone.happen(LegStopped())
        assert task.result() is Outcome.COMPLETED
        assert "conversation_close_timeout" in call.refusals()

    async def test_who_hangs_up_while_it_opens_does_not_wait_for_it(self) -> None:
        call = Call()
        call.talk.on_start = _hang
        call.phone.happen(START)
        async with running(call) as task:
            await call.talk.started.wait()
            call.phone.happen(LegStopped())
        assert task.result() is Outcome.COMPLETED
        assert call.talk.cancelled == 1
        assert "listen" not in call.log
        assert call.log[-2:] == list(ENDS)


class TestWhenSomethingElseFails:
    @pytest.mark.parametrize("error", [EvidenceUnavailable("disk full"), StoreUnavailable("gone")])
    async def test_a_receipt_that_can_be_kept_nowhere_ends_the_call_too(self, error: SordinoError) -> None:
        call = Call()
        call.sealing = _raising(error)
        call.phone.happen(START)
        async with running(call) as task:
            await until_listening(call)
            assert call.talk.events is not None
            call.talk.events.finished()
        assert task.result() is Outcome.COMPLETED
        assert error.code in call.refusals()
        assert call.log[-1] == "hang up"

    async def test_a_missing_recording_ends_the_call_with_a_receipt(self) -> None:
        call = Call(announced=True)
        call.runner._p.sounds.pop("ai")  # type: ignore[attr-defined]
        assert await whole(call, START) is Outcome.FAILED
        assert told(call) == ["apology"]
        assert call.entry("call.failed") == {"code": "internal"}

    async def test_without_an_apology_to_play_the_call_ends_silently(self) -> None:
        call = Call(announced=True)
        call.runner._p.sounds.clear()  # type: ignore[attr-defined]
        assert await whole(call, START) is Outcome.FAILED
        assert call.log[-2:] == ["sealed internal", "hang up"]

    async def test_a_leg_that_breaks_ends_the_call_with_a_receipt(self) -> None:
        call = Call()
        call.phone.events = _broken_events  # type: ignore[method-assign]
        assert await whole(call) is Outcome.FAILED
        assert call.log[-2:] == ["sealed internal", "hang up"]

    async def test_an_announcer_who_fails_does_not_cut_the_apology_short(self) -> None:
        """While the caller is being told, another part's failure changes nothing."""
        call = Call()
        call.talk.on_close = _raising(RuntimeError("livekit broke"))
        call.talk.on_start = _raising(PolicyRefused("no"))
        assert await whole(call, START) is Outcome.FAILED
        assert call.phone.sent_ms == 60
        assert told(call) == ["apology"]

    async def test_the_observer_sees_the_plot_and_no_private_text(self) -> None:
        call = Call(announced=True)
        call.phone.happen(START)
        async with running(call):
            await until_listening(call)
            call.phone.happen(LegStopped())
        assert [turn.kind for turn in call.shown] == ["announcing", "announcement.played", "listening.started", "call.ended"]
        assert all(turn.text is None for turn in call.shown)
        assert ("sordino_announcement_total", {"outcome": "played"}) in call.telemetry.counts


async def _broken_events() -> AsyncIterator[LegEvent]:
    yield START
    raise RuntimeError("the socket broke")
