"""The caller's line as livekit-agents wants it: audio in, audio out, over our own ports."""

from __future__ import annotations

import asyncio
import time

from livekit import rtc
from livekit.agents.voice import io

from gateway.adapters.conversation.doubling import Doubler
from gateway.adapters.conversation.said import Said
from gateway.audio import Resampler
from gateway.ports import Playout, Segment
from gateway.tasks import TaskOwner
from gateway.values import Pcm, Private

HEARING_HZ = 16_000
"""What the voice activity detector and the recogniser hear: then livekit resamples nothing (its resampler holds back 103 ms)."""
AT_MS = "sordino.at_ms"
"""Where a frame says when it begins, in ms of what was heard: livekit may leave frames out on their way to the ear."""
FRAME_MS = 20
MAX_WAITING_FRAMES = 500
"""10 s: what may wait for an ear that is stuck; older frames go first."""


class CallerInput(io.AudioInput):
    """The caller's voice, 20 ms at a time."""

    def __init__(self) -> None:
        super().__init__(label="caller")
        self._frames: asyncio.Queue[rtc.AudioFrame | None] = asyncio.Queue()
        self._resampler: Doubler | Resampler | None = None
        self._closed = False
        self._heard_ms = 0.0
        self.dropped = 0

    def hear(self, pcm: Private[Pcm]) -> None:
        """Take in the next frame, at any rate (the same rate throughout)."""
        if self._closed:
            return
        heard = pcm.reveal()
        if heard.rate != HEARING_HZ:
            self._resampler = self._resampler or _to_hearing(heard.rate)
            heard = self._resampler.push(heard)
        if not heard.samples:
            return
        if self._frames.qsize() >= MAX_WAITING_FRAMES:
            self._frames.get_nowait()
            self.dropped += 1
        count = len(heard.samples) // 2
        self._frames.put_nowait(rtc.AudioFrame(heard.samples, HEARING_HZ, 1, count, userdata={AT_MS: self._heard_ms}))
        self._heard_ms += heard.ms

    def fall_silent(self, ms: int) -> None:
        """Forget what waits, and hear so much silence: whoever was speaking has stopped."""
        while not self._frames.empty():
            self._frames.get_nowait()
        samples = HEARING_HZ * FRAME_MS // 1000
        for _ in range(ms // FRAME_MS):
            self._frames.put_nowait(rtc.AudioFrame(bytes(2 * samples), HEARING_HZ, 1, samples))

    def close(self) -> None:
        """The caller has gone: the stream of frames ends."""
        self._closed = True
        self._frames.put_nowait(None)

    async def __anext__(self) -> rtc.AudioFrame:
        frame = await self._frames.get()
        if frame is None:
            raise StopAsyncIteration
        return frame


def _to_hearing(rate: int) -> Doubler | Resampler:
    return Doubler(rate) if 2 * rate == HEARING_HZ else Resampler(rate, HEARING_HZ)


class CallerOutput(io.AudioOutput):
    """The agent's voice on its way to the caller. Every segment reports its end exactly once, or ``say()`` would hang."""

    def __init__(self, playout: Playout, tasks: TaskOwner, said: Said | None = None) -> None:
        """``said``: what the voice spoke and what of it is private; None: nobody keeps it, so nobody asks."""
        super().__init__(label="caller", capabilities=io.AudioOutputCapabilities(pause=False), sample_rate=None)
        self._playout = playout
        self._tasks = tasks
        self._said = said
        self._segment: Segment | None = None
        self._segments = 0

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        if self._segment is None:
            self._segments += 1
            self._segment = self._playout.begin(f"say:{self._segments}")
            self._tasks.start(self._report_end(self._segment), name="played")
            self.on_playback_started(created_at=time.time())
        samples = bytes(frame.data)
        private = self._said is not None and self._said.is_private(samples)
        await self._segment.push(Pcm(samples, frame.sample_rate), private=private)
        # livekit hands over a whole sentence in one go, and measures each frame: others must get their turn in between.
        await asyncio.sleep(0)

    def flush(self) -> None:
        super().flush()
        segment, self._segment = self._segment, None
        if segment is not None:
            segment.end()

    def clear_buffer(self) -> None:
        self._playout.clear()

    async def _report_end(self, segment: Segment) -> None:
        played = await segment.played()
        self.on_playback_finished(playback_position=played.ms / 1000, interrupted=played.how == "cleared")
