"""Paces what is said to the caller and knows what was heard: frames in real time, marks, clear.

Frames leave at the speed of speech with a small lead, so a barge-in has little to throw away, and what the caller heard
when the voice stopped is known to within the lead.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

from gateway.audio import Resampler
from gateway.ports import Clock, Played
from gateway.runner.leg import FRAME_MS, Leg, frame_ms_of
from gateway.values import Pcm

__all__ = ["FRAME_MS", "PacedPlayout", "PacedSegment"]

LEAD_S = 0.12
"""How far ahead of the caller's ear frames are sent."""
READY_MS = 10_000
"""How much audio may lie ready before ``push`` waits."""
MARK_PATIENCE_S = 1.0
"""How long after its last frame a segment waits for the carrier's mark before our own clock decides."""


class PacedSegment:
    """One stretch of speech. See ``gateway.ports.Segment``."""

    def __init__(self, name: str, rate: int, changed: asyncio.Event, frame_ms: int = FRAME_MS) -> None:
        self.name = name
        self.sent_ms = 0.0
        self.began: float | None = None
        self.ended = False
        self.over: asyncio.Future[Played] = asyncio.get_running_loop().create_future()
        self.all_sent = asyncio.Event()
        self._rate = rate
        self._frame_bytes = rate * frame_ms // 1000 * 2
        self._bytes = bytearray()
        self._taken = 0
        self._private: deque[tuple[int, int]] = deque()
        self.hides = False
        """Whether the frame that was taken last may hold something private."""
        self._resampler: Resampler | None = None
        self._changed = changed
        self._room = asyncio.Event()
        self._room.set()

    async def push(self, pcm: Pcm, *, private: bool = False) -> None:
        if self.over.done() or self.ended:
            return
        samples, begins = self._at_rate(pcm), self._taken + len(self._bytes)
        if private:
            # The resampler holds a little of it back, and mixes a little of it into what came before.
            self._private.append((begins - self._frame_bytes, begins + len(samples) + self._frame_bytes))
        piece = self._rate * READY_MS // 1000 * 2
        for begin in range(0, len(samples), piece):
            self._bytes += samples[begin : begin + piece]
            self._changed.set()
            if self._ready_ms > READY_MS:
                self._room.clear()
                await self._room.wait()
            if self.over.done():
                return

    def end(self) -> None:
        if self.ended:
            return
        if self._resampler is not None:
            self._bytes += self._resampler.flush().samples
        self.ended = True
        self._changed.set()

    async def played(self) -> Played:
        return await asyncio.shield(self.over)

    def take(self) -> Pcm | None:
        """The next frame to send: whole, or the padded rest of a segment that has ended; None when there is none yet."""
        size = self._frame_bytes
        if len(self._bytes) < size and not (self.ended and self._bytes):
            return None
        frame = bytes(self._bytes[:size])
        del self._bytes[:size]
        self._taken += size
        while self._private and self._private[0][1] <= self._taken - size:
            self._private.popleft()
        self.hides = any(start < self._taken for start, _ in self._private)
        if self._ready_ms <= READY_MS:
            self._room.set()
        return Pcm(frame.ljust(size, b"\0"), self._rate)

    def finish(self, how: str, ms: float) -> None:
        """Nothing more will be played of it."""
        self._bytes.clear()
        self._room.set()
        self.all_sent.set()
        if not self.over.done():
            self.over.set_result(Played(ms=min(ms, self.sent_ms), how=how))

    def _at_rate(self, pcm: Pcm) -> bytes:
        if pcm.rate == self._rate:
            return pcm.samples
        if self._resampler is None:
            self._resampler = Resampler(pcm.rate, self._rate)
        return self._resampler.push(pcm).samples

    @property
    def _ready_ms(self) -> float:
        return len(self._bytes) / 2 / self._rate * 1000


class PlayedTap(Protocol):
    """Who keeps what a caller hears. Nothing here waits or raises."""

    def played(self, pcm: Pcm, at: float, *, private: bool) -> None:
        """A frame that begins to be heard at ``at`` (monotonic). ``private``: it may hold restored words."""
        ...

    def cleared(self, at: float) -> None:
        """What was to be heard after ``at`` is not."""
        ...


class PacedPlayout:
    """The way to the caller's ear over one leg. ``run`` must be running for anything to be heard."""

    def __init__(self, leg: Leg, clock: Clock, tap: PlayedTap | None = None) -> None:
        self._leg = leg
        self._tap = tap
        self._clock = clock
        self._frame_ms = frame_ms_of(leg)
        self._changed = asyncio.Event()
        self._queue: deque[PacedSegment] = deque()
        self._unacknowledged: dict[str, PacedSegment] = {}
        self._heard_until = 0.0
        """Monotonic time at which the caller will have heard everything sent so far."""
        self._clear_wanted = False
        self._closed = False

    def begin(self, name: str) -> PacedSegment:
        """A new segment after those before it. ``name`` is its mark: unique within the call."""
        segment = PacedSegment(name, self._leg.rate, self._changed, self._frame_ms)
        if self._closed:
            segment.finish("cleared", 0)
        else:
            self._queue.append(segment)
        return segment

    def clear(self) -> None:
        """Barge-in: each open segment learns how far it got, the carrier throws away the rest."""
        self._finish_all()
        if self._tap is not None:
            self._tap.cleared(self._clock.monotonic())
        self._heard_until = 0.0
        self._clear_wanted = True
        self._changed.set()

    def mark_returned(self, name: str) -> None:
        """The carrier acknowledged a segment."""
        segment = self._unacknowledged.pop(name, None)
        if segment is not None:
            segment.finish("mark", segment.sent_ms)

    def close(self) -> None:
        """The leg is gone: every open segment ends now, once."""
        self._closed = True
        self._finish_all()

    async def run(self) -> None:
        """Send frames as they fall due, until cancelled."""
        while True:
            self._changed.clear()
            await self._send_clear_if_wanted()
            self._outwait_marks()
            segment = self._queue[0] if self._queue else None
            frame = segment.take() if segment else None
            if segment is not None and frame is not None:
                await self._send(segment, frame)
            elif segment is not None and segment.ended:
                await self._close_segment(segment)
            else:
                await self._wait_for_change()

    async def _send(self, segment: PacedSegment, frame: Pcm) -> None:
        now = self._clock.monotonic()
        self._heard_until = max(self._heard_until, now)
        if self._heard_until - now > LEAD_S:
            await asyncio.sleep(self._heard_until - now - LEAD_S)
        if segment.over.done():
            return
        if segment.began is None:
            segment.began = self._heard_until
        if self._tap is not None:
            self._tap.played(frame, self._heard_until, private=segment.hides)
        self._heard_until += self._frame_ms / 1000
        segment.sent_ms += self._frame_ms
        await self._leg.send_audio(frame)

    async def _close_segment(self, segment: PacedSegment) -> None:
        self._queue.popleft()
        if segment.over.done():
            return
        self._unacknowledged[segment.name] = segment
        await self._leg.send_mark(segment.name)
        segment.all_sent.set()

    async def _send_clear_if_wanted(self) -> None:
        if self._clear_wanted:
            self._clear_wanted = False
            await self._leg.send_clear()

    def _outwait_marks(self) -> None:
        now = self._clock.monotonic()
        for name, segment in list(self._unacknowledged.items()):
            if now > self._end_of(segment) + MARK_PATIENCE_S:
                del self._unacknowledged[name]
                segment.finish("clock", segment.sent_ms)

    async def _wait_for_change(self) -> None:
        patience = None
        if self._unacknowledged:
            first = min(self._end_of(segment) for segment in self._unacknowledged.values())
            patience = max(0.01, first + MARK_PATIENCE_S - self._clock.monotonic() + 0.01)
        try:
            async with asyncio.timeout(patience):
                await self._changed.wait()
        except TimeoutError:
            return

    def _end_of(self, segment: PacedSegment) -> float:
        return (segment.began or 0.0) + segment.sent_ms / 1000

    def _finish_all(self) -> None:
        now = self._clock.monotonic()
        for segment in [*self._unacknowledged.values(), *self._queue]:
            heard = 0.0 if segment.began is None else max(0.0, (now - segment.began) * 1000)
            segment.finish("cleared", heard)
        self._unacknowledged.clear()
        self._queue.clear()
