"""The caller's line: frames in at the ear's rate, and each segment of speech out with one report of its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from livekit import rtc
from livekit.agents.voice.io import PlaybackFinishedEvent

from gateway.adapters.conversation.phone import HEARING_HZ, MAX_WAITING_FRAMES, CallerInput, CallerOutput
from gateway.audio import level
from gateway.ports import Played
from gateway.tasks import TaskOwner
from gateway.values import Pcm, Private


def frame(rate: int = HEARING_HZ, value: int = 1, ms: int = 20) -> Pcm:
    return Pcm(value.to_bytes(2, "little") * (rate * ms // 1000), rate)


async def heard(line: CallerInput) -> list[rtc.AudioFrame]:
    line.close()
    async with asyncio.timeout(5):
        return [each async for each in line]


class TestTheWayIn:
    async def test_a_frame_at_the_ears_rate_comes_as_it_was(self) -> None:
        line = CallerInput()
        line.hear(Private(frame(value=7)))
        [only] = await heard(line)
        assert (bytes(only.data), only.sample_rate, only.num_channels) == (frame(value=7).samples, HEARING_HZ, 1)

    @pytest.mark.parametrize("rate", [8_000, 24_000, 48_000])
    async def test_other_rates_are_brought_to_it_without_loss_of_time_or_level(self, rate: int) -> None:
        line = CallerInput()
        for _ in range(50):
            line.hear(Private(frame(rate, value=1_000)))
        frames = await heard(line)
        whole = Pcm(b"".join(bytes(each.data) for each in frames), HEARING_HZ)
        assert {each.sample_rate for each in frames} == {HEARING_HZ}
        assert whole.ms == pytest.approx(1_000, abs=20)
        assert level(whole) == pytest.approx(1_000, rel=0.03)

    async def test_an_ear_that_is_stuck_keeps_the_newest_10_seconds(self) -> None:
        """Memory is bounded, and what was lost is counted."""
        line = CallerInput()
        for number in range(MAX_WAITING_FRAMES + 30):
            line.hear(Private(frame(value=number)))
        assert line.dropped == 30
        frames = await heard(line)
        assert bytes(frames[0].data) == frame(value=30).samples
        assert len(frames) == MAX_WAITING_FRAMES

    async def test_after_the_caller_has_gone_nothing_comes(self) -> None:
        line = CallerInput()
        line.close()
        line.hear(Private(frame()))
        assert await heard(line) == []

    async def test_an_empty_frame_is_none(self) -> None:
        line = CallerInput()
        line.hear(Private(Pcm(b"", HEARING_HZ)))
        assert await heard(line) == []


class Held:
    """A segment that ends when the test says so."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.samples = b""
        self.ends = 0
        self.over: asyncio.Future[Played] = asyncio.get_running_loop().create_future()

    async def push(self, pcm: Pcm, *, private: bool = False) -> None:
        self.samples += pcm.samples

    def end(self) -> None:
        self.ends += 1

    async def played(self) -> Played:
        return await asyncio.shield(self.over)


class Player:
    """A playout whose segments the test ends. ``closed``: the leg is gone, so every new segment is over at once."""

    def __init__(self) -> None:
        self.segments: list[Held] = []
        self.closed = False

    def begin(self, name: str) -> Held:
        self.segments.append(Held(name))
        if self.closed:
            self.segments[-1].over.set_result(Played(0, "cleared"))
        return self.segments[-1]

    def clear(self) -> None:
        for segment in self.segments:
            if not segment.over.done():
                segment.over.set_result(Played(120, "cleared"))


class Line:
    def __init__(self, out: CallerOutput, player: Player) -> None:
        self.out = out
        self.player = player
        self.started = 0
        self.finished: list[PlaybackFinishedEvent] = []
        self.changed = asyncio.Event()
        out.on("playback_started", self._starts)
        out.on("playback_finished", self._ends)

    def _starts(self, _: object) -> None:
        self.started += 1

    def _ends(self, event: PlaybackFinishedEvent) -> None:
        self.finished.append(event)

    @property
    def ends(self) -> list[tuple[float, bool]]:
        return [(event.playback_position, event.interrupted) for event in self.finished]

    async def say(self, frames: int = 2) -> None:
        for _ in range(frames):
            await self.out.capture_frame(rtc.AudioFrame(frame(24_000).samples, 24_000, 1, 480))
        self.out.flush()

    async def settle(self) -> None:
        """Every segment that is over has been reported."""
        async with asyncio.timeout(5):
            await self.out.wait_for_playout()
            await asyncio.sleep(0)


@asynccontextmanager
async def speaking() -> AsyncIterator[Line]:
    failures: list[BaseException] = []
    player = Player()
    async with TaskOwner("test", on_failure=lambda _, error: failures.append(error)) as tasks:
        yield Line(CallerOutput(player, tasks), player)
    assert failures == []


class TestTheWayOut:
    async def test_a_segment_is_passed_on_whole_and_its_end_reported_once(self) -> None:
        async with speaking() as line:
            await line.say(frames=3)
            [segment] = line.player.segments
            assert (len(segment.samples), segment.ends, line.started, line.ends) == (3 * 960, 1, 1, [])
            segment.over.set_result(Played(60, "mark"))
            await line.settle()
            line.out.flush()
            assert line.ends == [(0.06, False)]

    async def test_each_segment_has_a_name_of_its_own(self) -> None:
        """Marks are told apart by it."""
        async with speaking() as line:
            for _ in range(3):
                await line.say()
            assert [segment.name for segment in line.player.segments] == ["say:1", "say:2", "say:3"]

    async def test_a_barge_in_reports_how_much_was_heard_once(self) -> None:
        async with speaking() as line:
            await line.say()
            line.out.clear_buffer()
            line.out.clear_buffer()
            await line.settle()
            assert line.ends == [(0.12, True)]

    async def test_a_barge_in_before_the_end_was_said_reports_once_too(self) -> None:
        async with speaking() as line:
            await line.out.capture_frame(rtc.AudioFrame(frame(24_000).samples, 24_000, 1, 480))
            line.out.clear_buffer()
            line.out.flush()
            await line.settle()
            assert line.ends == [(0.12, True)]

    async def test_several_segments_under_way_are_each_reported(self) -> None:
        async with speaking() as line:
            await line.say()
            await line.say()
            line.player.segments[0].over.set_result(Played(40, "mark"))
            line.out.clear_buffer()
            await line.settle()
            assert sorted(line.ends) == [(0.04, False), (0.12, True)]

    async def test_when_the_leg_is_gone_whoever_speaks_is_told_so_and_does_not_wait(self) -> None:
        async with speaking() as line:
            line.player.closed = True
            await line.say()
            await line.settle()
            assert line.ends == [(0.0, True)]

    async def test_an_acknowledgement_by_our_own_clock_is_no_interruption(self) -> None:
        async with speaking() as line:
            await line.say()
            line.player.segments[0].over.set_result(Played(40, "clock"))
            await line.settle()
            assert line.ends == [(0.04, False)]

    async def test_a_flush_without_speech_reports_nothing(self) -> None:
        async with speaking() as line:
            line.out.flush()
            line.out.clear_buffer()
            await line.settle()
            assert (line.started, line.ends, line.player.segments) == (0, [], [])
