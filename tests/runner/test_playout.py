"""What is said reaches the caller in order and at the speed of speech, and we know how much of it was heard."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from gateway.call.events import LegEvent
from gateway.runner.leg import frame_ms_of
from gateway.runner.playout import FRAME_MS, LEAD_S, PacedPlayout
from gateway.tasks import TaskOwner
from gateway.values import Pcm


class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class Phone:
    """A leg that keeps what it is sent, and when. It acknowledges nothing by itself."""

    rate = 8_000
    acknowledges = "mark"

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.audio = bytearray()
        self.sent_at: list[float] = []
        self._changed = asyncio.Event()

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    async def events(self) -> AsyncIterator[LegEvent]:
        return
        yield

    async def listen(self) -> None:
        self.sent.append("listen")

    async def send_audio(self, pcm: Pcm) -> None:
        assert pcm.ms == frame_ms_of(self)
        self.audio += pcm.samples
        self.sent_at.append(time.monotonic())
        self._changed.set()

    async def send_mark(self, name: str) -> None:
        self.sent.append(f"mark {name} after {len(self.sent_at)}")

    async def send_clear(self) -> None:
        self.sent.append("clear")
        self._changed.set()

    async def close(self) -> None:
        self.sent.append("close")


class Coarse(Phone):
    frame_ms = 60


@asynccontextmanager
async def playing(phone: Phone | None = None) -> AsyncIterator[tuple[PacedPlayout, Phone]]:
    failures: list[BaseException] = []
    phone = phone or Phone()
    playout = PacedPlayout(phone, WallClock())
    async with TaskOwner("test", on_failure=lambda _, error: failures.append(error)) as tasks:
        tasks.start(playout.run(), name="playout")
        yield playout, phone
    assert failures == []


def tone(ms: int, rate: int = 8_000) -> Pcm:
    return Pcm(b"\x10\x00" * (rate * ms // 1000), rate)


async def test_a_segment_is_sent_whole_then_its_mark_and_the_carriers_acknowledgement_ends_it() -> None:
    async with playing() as (playout, phone):
        segment = playout.begin("say:1")
        await segment.push(tone(210))
        segment.end()
        await segment.all_sent.wait()
        assert phone.sent == ["mark say:1 after 11"]
        assert bytes(phone.audio).startswith(tone(210).samples)
        assert not segment.over.done()
        playout.mark_returned("say:1")
        assert (await segment.played()).how == "mark"


async def test_frames_leave_at_the_speed_of_speech_with_a_small_lead() -> None:
    async with playing() as (playout, phone):
        segment = playout.begin("say:1")
        await segment.push(tone(600))
        segment.end()
        await segment.all_sent.wait()
        ahead = [index * FRAME_MS / 1000 - (at - phone.sent_at[0]) for index, at in enumerate(phone.sent_at)]
        assert max(ahead) <= LEAD_S + FRAME_MS / 1000


async def test_a_leg_that_takes_longer_pieces_gets_them_and_the_last_one_is_filled_up() -> None:
    async with playing(Coarse()) as (playout, phone):
        segment = playout.begin("say:1")
        await segment.push(tone(210))
        segment.end()
        await segment.all_sent.wait()
        assert phone.sent == ["mark say:1 after 4"]
        assert bytes(phone.audio) == tone(210).samples.ljust(4 * 60 * 16, b"\0")
        playout.mark_returned("say:1")
        assert (await segment.played()).ms == 240


async def test_a_barge_in_stops_at_once_and_tells_how_much_was_heard() -> None:
    async with playing() as (playout, phone):
        segment = playout.begin("say:1")
        await segment.push(tone(5_000))
        segment.end()
        await phone.until(lambda: len(phone.sent_at) >= 20)
        playout.clear()
        played = await segment.played()
        frames = len(phone.sent_at)
        assert played.how == "cleared"
        assert 0 < played.ms <= frames * FRAME_MS
        await phone.until(lambda: "clear" in phone.sent)
        assert len(phone.sent_at) <= frames + 1


async def test_after_a_barge_in_the_next_segment_is_heard() -> None:
    async with playing() as (playout, phone):
        first = playout.begin("say:1")
        await first.push(tone(2_000))
        playout.clear()
        second = playout.begin("say:2")
        await second.push(tone(40))
        second.end()
        await second.all_sent.wait()
        assert phone.sent[-1].startswith("mark say:2")
        await first.push(tone(2_000))
        assert (await first.played()).how == "cleared"


async def test_a_carrier_that_never_acknowledges_is_outwaited() -> None:
    async with playing() as (playout, _), asyncio.timeout(10):
        segment = playout.begin("say:1")
        await segment.push(tone(40))
        segment.end()
        played = await segment.played()
        assert (played.how, played.ms) == ("clock", 40)


async def test_when_the_leg_is_gone_every_open_segment_ends_once() -> None:
    async with playing() as (playout, _):
        segments = [playout.begin(f"say:{n}") for n in range(3)]
        await segments[0].push(tone(1_000))
        playout.close()
        assert [(await segment.played()).how for segment in segments] == ["cleared"] * 3
        late = playout.begin("say:9")
        await late.push(tone(1_000))
        assert (await late.played()).ms == 0


async def test_speech_at_another_rate_is_resampled_and_nothing_of_its_end_is_lost() -> None:
    async with playing() as (playout, phone):
        segment = playout.begin("say:1")
        for _ in range(10):
            await segment.push(tone(50, rate=24_000))
        segment.end()
        await segment.all_sent.wait()
        assert abs(len(phone.audio) / 2 / 8 - 500) <= 2 * FRAME_MS


async def test_who_speaks_far_ahead_waits() -> None:
    async with playing() as (playout, _):
        segment = playout.begin("say:1")
        pushing = asyncio.ensure_future(segment.push(tone(30_000)))  # noqa: TID251 - a test's own task, awaited below
        await asyncio.sleep(0.05)
        assert not pushing.done()
        playout.clear()
        await pushing
