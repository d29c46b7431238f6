"""The two sides of a recording: what was heard and what was played, each at its place in time, silence in between."""

from __future__ import annotations

import numpy as np

from gateway.audio import Resampler
from gateway.values import Pcm

SAMPLE_BYTES = 2
HOLE_S = 0.25
"""A frame that comes later than this behind the one before it follows a hole; less is the network's doing."""
NEAR_S = 0.03


class Side:
    """One channel: 16-bit samples at ``rate`` from the first that was not taken yet. Places are sample numbers from 0."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._base = 0
        self._data = bytearray()
        self._next = 0
        self._resampler: Resampler | None = None

    @property
    def end(self) -> int:
        """Behind the last frame."""
        return self._next

    def converted(self, pcm: Pcm) -> bytes:
        """A frame's samples at this side's rate. Every frame must come here, in order, for the resampler's sake."""
        if pcm.rate == self._rate:
            return pcm.samples
        if self._resampler is None:
            self._resampler = Resampler(pcm.rate, self._rate)
        return self._resampler.push(pcm).samples

    def place(self, samples: bytes, now: int) -> int:
        """Where a frame that has just been heard begins: behind the one before it, or later where there was a hole."""
        length = len(samples) // SAMPLE_BYTES
        if now - length - self._next > HOLE_S * self._rate:
            self._next = now - length
        at = self._next
        self._next += length
        return at

    def put(self, samples: bytes, at: int) -> None:
        """Samples at a place; what was taken already stays as it was."""
        late = max(0, self._base - at)
        samples, start = samples[late * SAMPLE_BYTES :], (max(at, self._base) - self._base) * SAMPLE_BYTES
        if len(self._data) < start + len(samples):
            self._data.extend(bytes(start + len(samples) - len(self._data)))
        self._data[start : start + len(samples)] = samples

    def play(self, samples: bytes, at: int) -> None:
        """A frame that will be heard at ``at``; one that follows the last closely, follows it without a seam."""
        at = self._next if abs(at - self._next) < NEAR_S * self._rate else at
        self.put(samples, at)
        self._next = at + len(samples) // SAMPLE_BYTES

    def cut(self, at: int) -> None:
        """Nothing from ``at`` on was heard."""
        del self._data[max(0, at - self._base) * SAMPLE_BYTES :]
        self._next = min(self._next, max(at, self._base))

    def take(self, until: int) -> bytes:
        """The samples up to ``until``, silence where there are none; they are gone from here."""
        wanted = max(0, until - self._base) * SAMPLE_BYTES
        taken = bytes(self._data[:wanted]).ljust(wanted, b"\0")
        self.skip(until)
        return taken

    def skip(self, until: int) -> None:
        """Forget everything before ``until``."""
        if until > self._base:
            del self._data[: (until - self._base) * SAMPLE_BYTES]
            self._base = until

    def forget(self) -> None:
        """Forget everything that was not taken."""
        self._data.clear()


def interleaved(left: bytes, right: bytes) -> bytes:
    """Two sides of the same length as one stereo stream."""
    both = np.empty((len(left) // SAMPLE_BYTES, 2), dtype="<i2")
    both[:, 0] = np.frombuffer(left, dtype="<i2")
    both[:, 1] = np.frombuffer(right, dtype="<i2")
    return both.tobytes()


def bleep(samples: int, rate: int, at: int) -> bytes:
    """A quiet tone of 1 kHz; ``at`` keeps its phase from frame to frame."""
    wave = 4_000 * np.sin(2 * np.pi * 1_000 * (np.arange(samples) + at) / rate)
    return wave.astype("<i2").tobytes()
