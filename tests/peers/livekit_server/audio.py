"""Sound at both ends of the fake room: what a caller says into it, and what was heard from a participant."""

from __future__ import annotations

import asyncio
import fractions
import wave
from collections import deque
from pathlib import Path

import av
import numpy as np
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from gateway.values import Pcm

RATE = 48_000
"""Opus runs at 48 kHz in WebRTC (RFC 7587)."""
FRAME_MS = 20
FRAME_BYTES = RATE * FRAME_MS // 1000 * 2
SILENCE = bytes(FRAME_BYTES)


def tone(hz: float, seconds: float, *, rate: int = RATE, level: float = 0.4) -> Pcm:
    """A pure sine: something that a codec may change and that is still recognised by its pitch."""
    at = np.arange(round(rate * seconds)) / rate
    return Pcm((np.sin(2 * np.pi * hz * at) * level * 32767).astype("<i2").tobytes(), rate)


def read_wav(path: Path) -> Pcm:
    """A mono 16-bit WAV file of any rate."""
    with wave.open(str(path), "rb") as file:
        if file.getnchannels() != 1 or file.getsampwidth() != 2:
            raise ValueError(f"{path} must be mono and 16-bit")
        return Pcm(file.readframes(file.getnframes()), file.getframerate())


def pitch(sound: Pcm) -> float:
    """The strongest frequency in Hz; 0.0 for silence."""
    samples = np.frombuffer(sound.samples, "<i2").astype(float)
    if not samples.size or not samples.any():
        return 0.0
    strength = np.abs(np.fft.rfft(samples * np.hanning(samples.size)))
    return float(np.fft.rfftfreq(samples.size, 1 / sound.rate)[int(strength.argmax())])


def loud_ms(sound: Pcm, *, level: int = 1000) -> float:
    """How long the sound is louder than ``level`` (root mean square of 20 ms), in milliseconds."""
    samples = np.frombuffer(sound.samples, "<i2").astype(float)
    window = sound.rate * FRAME_MS // 1000
    windows = samples[: samples.size // window * window].reshape(-1, window)
    return float((np.sqrt((windows**2).mean(axis=1)) > level).sum() * FRAME_MS)


def at_48k(sound: Pcm) -> bytes:
    """The same sound as mono 16-bit samples at 48 kHz, filled up with silence to whole frames."""
    resampler = AudioResampler(format="s16", layout="mono", rate=RATE)
    source = AudioFrame.from_ndarray(np.frombuffer(sound.samples, "<i2").reshape(1, -1), format="s16", layout="mono")
    source.sample_rate = sound.rate
    out = b"".join(_bytes(frame) for frame in [*resampler.resample(source), *resampler.resample(None)])
    return out + bytes(-len(out) % FRAME_BYTES)


def _bytes(frame: AudioFrame) -> bytes:
    return bytes(frame.to_ndarray().astype("<i2").tobytes())


class SpokenTrack(MediaStreamTrack):
    """A microphone: silence in real time, and the speech that somebody puts into it."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._frames: deque[bytes] = deque()
        self._spoken = asyncio.Event()
        self._spoken.set()
        self._sent = 0
        self._started: float | None = None

    async def speak(self, sound: Pcm) -> None:
        """Returns when the last frame of ``sound`` went out. What is spoken meanwhile is queued behind it."""
        samples = at_48k(sound)
        self._spoken.clear()
        self._frames.extend(samples[at : at + FRAME_BYTES] for at in range(0, len(samples), FRAME_BYTES))
        async with asyncio.timeout(sound.ms / 1000 + 20):
            await self._spoken.wait()

    async def recv(self) -> AudioFrame:
        if self.readyState != "live":
            raise MediaStreamError
        loop = asyncio.get_running_loop()
        if self._started is None:
            self._started = loop.time()
        await asyncio.sleep(max(0.0, self._started + self._sent * FRAME_MS / 1000 - loop.time()))
        samples = self._frames.popleft() if self._frames else SILENCE
        frame = AudioFrame(format="s16", layout="mono", samples=FRAME_BYTES // 2)
        frame.planes[0].update(samples)
        frame.sample_rate = RATE
        frame.pts = self._sent * FRAME_BYTES // 2
        frame.time_base = fractions.Fraction(1, RATE)
        self._sent += 1
        if not self._frames:
            self._spoken.set()
        return frame


class Heard:
    """What came out of one participant's track at the server, decoded: mono, 48 kHz, from its first packet on."""

    def __init__(self) -> None:
        self._samples = bytearray()
        self._mono = AudioResampler(format="s16", layout="mono", rate=RATE)
        self._grew = asyncio.Event()
        self.ended = asyncio.Event()

    @property
    def pcm(self) -> Pcm:
        return Pcm(bytes(self._samples), RATE)

    def since(self, ms: float) -> Pcm:
        """Only what was heard after the first ``ms``: take ``heard.pcm.ms`` as a mark, and ask later what came after it."""
        return Pcm(bytes(self._samples[round(ms * RATE / 1000) * 2 :]), RATE)

    async def consume(self, track: MediaStreamTrack) -> None:
        """Read the track until it ends."""
        try:
            while True:
                frame = await track.recv()
                if not isinstance(frame, AudioFrame):
                    raise TypeError(f"an audio track gave {type(frame).__name__}")
                for mono in self._mono.resample(frame):
                    self._samples += _bytes(mono)
                self._grew.set()
        except (MediaStreamError, av.error.EOFError):
            return
        finally:
            self.ended.set()

    async def until(self, ms: float, *, loud: bool = True, within: float = 20.0) -> Pcm:
        """Everything heard so far, once ``ms`` of it are there: of sound, or with ``loud=False`` of anything.

        Raises:
            TimeoutError: not heard within ``within`` seconds.
        """
        async with asyncio.timeout(within):
            while (loud_ms(self.pcm) if loud else self.pcm.ms) < ms:
                self._grew.clear()
                await self._grew.wait()
        return self.pcm
