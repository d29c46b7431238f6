"""Our voice on its way to the browser: frames handed out in real time by our own clock, silence between them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from fractions import Fraction

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame

from gateway.values import Pcm

VOICE_HZ = 48_000
"""What Opus works at: nothing is resampled behind us."""
FRAME_MS = 20
SAMPLES = VOICE_HZ * FRAME_MS // 1000
LATEST_S = 0.5
"""How late the clock may be before it begins anew: after a stall the browser is not to get seconds of audio at once."""
MOST_WAITING_FRAMES = 500

_SILENCE = bytes(SAMPLES * 2)


class Voice(MediaStreamTrack):
    """An audio track of 20 ms frames that never ends by itself. ``passed`` is told of each mark that the clock has come to."""

    kind = "audio"

    def __init__(self, passed: Callable[[str], None]) -> None:
        super().__init__()
        self._passed = passed
        self._ready: deque[bytes | str] = deque()
        self._due: float | None = None
        self._samples = 0

    def push(self, pcm: Pcm) -> None:
        """One frame at ``VOICE_HZ``. A caller that is too far ahead of the clock loses it."""
        if len(self._ready) < MOST_WAITING_FRAMES:
            self._ready.append(pcm.samples)

    def mark(self, name: str) -> None:
        """``passed(name)`` once everything pushed so far was handed out."""
        self._ready.append(name)
        self._pass_marks()

    def clear(self) -> None:
        """Forget what was not handed out, marks included."""
        self._ready.clear()

    async def recv(self) -> AudioFrame:
        """The next frame, when it is due."""
        if self.readyState != "live":
            raise MediaStreamError
        await self._until_due()
        frame = self._frame(self._next())
        self._pass_marks()
        return frame

    async def _until_due(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._due is None or now > self._due + LATEST_S:
            self._due = now
        elif now < self._due:
            await asyncio.sleep(self._due - now)
        self._due += FRAME_MS / 1000

    def _next(self) -> bytes:
        if not self._ready:
            return _SILENCE
        item = self._ready.popleft()
        # A mark never stands first: those are passed at once.
        return item if isinstance(item, bytes) else _SILENCE

    def _pass_marks(self) -> None:
        while self._ready and isinstance(self._ready[0], str):
            self._passed(str(self._ready.popleft()))

    def _frame(self, samples: bytes) -> AudioFrame:
        frame = AudioFrame(format="s16", layout="mono", samples=SAMPLES)
        frame.planes[0].update(samples.ljust(len(_SILENCE), b"\0")[: len(_SILENCE)])
        frame.sample_rate = VOICE_HZ
        frame.pts = self._samples
        frame.time_base = Fraction(1, VOICE_HZ)
        self._samples += SAMPLES
        return frame
