"""The caller's voice as aiortc decodes it, cut into what a call hears: 20 ms, 16 kHz, mono, no faster than time passes."""

from __future__ import annotations

from collections.abc import Iterator

from av import AudioFrame, AudioResampler

from gateway.call.events import CallerAudio
from gateway.values import Pcm, Private

HEARD_HZ = 16_000
FRAME_MS = 20
SAMPLES = HEARD_HZ * FRAME_MS // 1000
LONGEST_GAP_MS = 200
"""Lost packets up to here become silence, so that a word is as long as it was spoken."""
AHEAD_MS = 2_000
"""How much more audio than time may come: a jitter buffer that empties itself, but no caller at twice the speed."""


class Ear:
    """Cuts decoded frames into what a call hears. ``dropped`` counts the frames that came faster than anybody speaks."""

    def __init__(self) -> None:
        self._resampler = AudioResampler(format="s16", layout="mono", rate=HEARD_HZ, frame_size=SAMPLES)
        self._next_pts: int | None = None
        self._began: float | None = None
        self._heard_ms = 0
        self.dropped = 0

    def hear(self, frame: AudioFrame, *, now: float) -> Iterator[CallerAudio]:
        """What is ready after this frame. ``now``: monotonic seconds."""
        if self._began is None:
            self._began = now
        for samples in (*self._gap(frame), *self._resampled(frame)):
            if self._heard_ms > (now - self._began) * 1000 + AHEAD_MS:
                self.dropped += 1
                continue
            yield CallerAudio(Private(Pcm(samples, HEARD_HZ)), at_ms=self._heard_ms)
            self._heard_ms += FRAME_MS

    def _gap(self, frame: AudioFrame) -> list[bytes]:
        pts, expected = frame.pts, self._next_pts
        self._next_pts = None if pts is None else pts + frame.samples
        if pts is None or expected is None:
            return []
        missing_ms = (pts - expected) * 1000 // frame.sample_rate
        return [bytes(SAMPLES * 2)] * (missing_ms // FRAME_MS) if 0 < missing_ms <= LONGEST_GAP_MS else []

    def _resampled(self, frame: AudioFrame) -> list[bytes]:
        frame.pts = None
        return [bytes(each.planes[0])[: each.samples * 2] for each in self._resampler.resample(frame)]
