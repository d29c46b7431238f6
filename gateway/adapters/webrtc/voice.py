"""Our voice on its way to the browser: Opus packets handed out in real time by our own clock, silence between them.

Silence is most of what a call sends, and an encoder spends more on it than on speech: behind the last words it is one constant
packet (RFC 6716 section 3.1: a TOC byte for 20 ms of full-band CELT, mono, and a frame that codes nothing).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from fractions import Fraction

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import AudioCodecContext, AudioFrame, CodecContext, Packet
from av.stream import Stream

from gateway.values import Pcm

VOICE_HZ = 48_000
"""What Opus works at: nothing is resampled behind us."""
FRAME_MS = 20
SAMPLES = VOICE_HZ * FRAME_MS // 1000
LATEST_S = 0.5
"""How late the clock may be before it begins anew: after a stall the browser is not to get seconds of audio at once."""
MOST_WAITING_FRAMES = 500

BIT_RATE = 32_000
FADING_FRAMES = 5
"""How much silence is still encoded behind speech, so that it ends as it should."""
SILENT_PACKET = b"\xf8\xff\xfe"

_SILENCE = bytes(SAMPLES * 2)
_TICK = Fraction(1, VOICE_HZ)


class Voice(MediaStreamTrack):
    """An audio track of 20 ms packets that never ends by itself. ``passed`` is told of each mark that the clock has come to."""

    kind = "audio"

    def __init__(self, passed: Callable[[str], None]) -> None:
        super().__init__()
        self._passed = passed
        self._ready: deque[bytes | str] = deque()
        self._due: float | None = None
        self._samples = 0
        self._silent = FADING_FRAMES
        """How many frames of silence were sent since the last speech."""
        self._encoder = _encoder()

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

    async def recv(self) -> Packet[Stream]:
        """The next packet, when it is due."""
        if self.readyState != "live":
            raise MediaStreamError
        await self._until_due()
        packet = self._packet(self._next())
        self._pass_marks()
        return packet

    async def _until_due(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._due is None or now > self._due + LATEST_S:
            self._due = now
        elif now < self._due:
            await asyncio.sleep(self._due - now)
        self._due += FRAME_MS / 1000

    def _next(self) -> bytes | None:
        """None: nobody speaks. A mark never stands first: those are passed at once."""
        item = self._ready.popleft() if self._ready else None
        return item if isinstance(item, bytes) else None

    def _pass_marks(self) -> None:
        while self._ready and isinstance(self._ready[0], str):
            self._passed(str(self._ready.popleft()))

    def _packet(self, samples: bytes | None) -> Packet[Stream]:
        self._silent = 0 if samples is not None else self._silent + 1
        packet = Packet(SILENT_PACKET if self._silent > FADING_FRAMES else self._encoded(samples or _SILENCE))
        packet.pts, packet.time_base = self._samples, _TICK
        self._samples += SAMPLES
        return packet

    def _encoded(self, samples: bytes) -> bytes:
        frame = AudioFrame(format="s16", layout="mono", samples=SAMPLES)
        frame.planes[0].update(samples.ljust(len(_SILENCE), b"\0")[: len(_SILENCE)])
        frame.sample_rate, frame.pts, frame.time_base = VOICE_HZ, self._samples, _TICK
        return b"".join(bytes(each) for each in self._encoder.encode(frame)) or SILENT_PACKET


def _encoder() -> AudioCodecContext:
    encoder = CodecContext.create("libopus", "w")
    assert isinstance(encoder, AudioCodecContext)  # noqa: S101 - it is a codec of audio
    encoder.bit_rate, encoder.format, encoder.layout = BIT_RATE, "s16", "mono"
    encoder.sample_rate, encoder.time_base = VOICE_HZ, _TICK
    encoder.options = {"application": "voip", "compression_level": "0", "frame_duration": str(FRAME_MS)}
    return encoder
