"""Small work on audio: other sample rates without delay, and WAV files in and out.

All audio is ``Pcm``: mono, signed 16-bit little-endian. Nothing here reads a clock or keeps audio longer than it must.
"""

from __future__ import annotations

import io
import struct
import wave
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.audio.stream import AudioStream

from gateway.errors import InvalidRequest
from gateway.values import Pcm

_CONVERT = "make one with: ffmpeg -i IN -ac 1 -ar 8000 -c:a pcm_s16le OUT.wav"


class Resampler:
    """Changes the sample rate of a stream, piece by piece.

    It holds back about 2 ms of audio (never more than 20 ms), so that a call feels no delay from it; ``flush`` gives the rest.
    FFmpeg's resampler does the work and filters out what would alias.
    """

    def __init__(self, source_hz: int, target_hz: int) -> None:
        self._source_hz = source_hz
        self._target_hz = target_hz
        self._resampler = self._fresh()

    def _fresh(self) -> av.AudioResampler:
        return av.AudioResampler(format="s16", layout="mono", rate=self._target_hz)

    def push(self, pcm: Pcm) -> Pcm:
        """The next piece at the source rate; returns what is ready at the target rate (possibly nothing).

        Raises:
            InvalidRequest: another rate than the source rate, or half a sample.
        """
        _whole_samples(pcm)
        if pcm.rate != self._source_hz:
            raise InvalidRequest(f"audio at {pcm.rate} Hz was given to a resampler from {self._source_hz} Hz")
        if self._source_hz == self._target_hz or not pcm.samples:
            return Pcm(pcm.samples, self._target_hz)
        samples = np.frombuffer(pcm.samples, dtype="<i2").astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = self._source_hz
        return self._joined(self._resampler.resample(frame))

    def flush(self) -> Pcm:
        """What was held back. Afterwards the resampler is as new."""
        rest = self._joined(self._resampler.resample(None))
        self._resampler = self._fresh()
        return rest

    def _joined(self, frames: list[av.AudioFrame]) -> Pcm:
        return Pcm(b"".join(frame.to_ndarray().astype("<i2").tobytes() for frame in frames), self._target_hz)


def resample(pcm: Pcm, target_hz: int) -> Pcm:
    """A whole piece of audio at another rate."""
    resampler = Resampler(pcm.rate, target_hz)
    return Pcm(resampler.push(pcm).samples + resampler.flush().samples, target_hz)


def read_wav(source: Path | str | bytes) -> Pcm:
    """The audio of a WAV file (a path, or the file's bytes): 16-bit, mono, any rate.

    Raises:
        InvalidRequest: no such file, no WAV, not 16-bit mono, or cut off; the message says which and how to convert it.
    """
    name = "the WAV file" if isinstance(source, bytes) else str(source)
    try:
        with wave.open(io.BytesIO(source) if isinstance(source, bytes) else str(source), "rb") as file:
            channels, width, rate, count = file.getnchannels(), file.getsampwidth(), file.getframerate(), file.getnframes()
            samples = file.readframes(count)
    except OSError as error:
        raise InvalidRequest(
            f"{name} cannot be read: {error.strerror or 'no access'}", hint="give the path of a WAV file"
        ) from None
    except (wave.Error, EOFError, RuntimeError, struct.error):
        # The wave module raises the last two for a header whose sizes contradict each other.
        raise InvalidRequest(f"{name} is not a PCM WAV file", hint=_CONVERT) from None
    if channels != 1 or width != 2:
        raise InvalidRequest(f"{name} has {channels} channel(s) of {width * 8} bit; we take mono of 16 bit", hint=_CONVERT)
    if rate <= 0 or len(samples) != count * 2:
        raise InvalidRequest(f"{name} is cut off: it ends before the length that its header names", hint=_CONVERT)
    return Pcm(samples, rate)


def wav(pcm: Pcm) -> bytes:
    """A 16-bit mono WAV file of it. Raises InvalidRequest for half a sample."""
    _whole_samples(pcm)
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(pcm.rate)
        file.writeframes(pcm.samples)
    return out.getvalue()


PACKED = {"mp3": ("mp3", "libmp3lame"), "opus": ("ogg", "libopus"), "aac": ("adts", "aac"), "flac": ("flac", "flac")}
"""Formats that ``packed`` makes: name to container and encoder of FFmpeg."""


def packed(pcm: Pcm, name: str) -> bytes:
    """A file in one of the formats of ``PACKED``. Takes a while: call it off the event loop. Raises InvalidRequest."""
    _whole_samples(pcm)
    container, encoder = PACKED[name]
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        stream = cast(AudioStream, file.add_stream(encoder, rate=pcm.rate))
        samples = np.frombuffer(pcm.samples, dtype="<i2").astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = pcm.rate
        stream.codec_context.layout = "mono"
        resampler = av.AudioResampler(
            format=stream.codec_context.format, layout="mono", rate=pcm.rate, frame_size=stream.codec_context.frame_size or 1024
        )
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            file.mux(stream.encode(piece))
        file.mux(stream.encode(None))
    return out.getvalue()


def write_wav_stereo(left: Pcm, right: Pcm) -> bytes:
    """A 16-bit stereo WAV file of two sides that began together; the shorter one goes on in silence.

    Raises:
        InvalidRequest: the two sides have different rates.
    """
    _whole_samples(left)
    _whole_samples(right)
    if left.rate != right.rate:
        raise InvalidRequest(f"the sides of a recording need one rate, not {left.rate} Hz and {right.rate} Hz")
    length = max(len(left.samples), len(right.samples)) // 2
    both = np.zeros((length, 2), dtype="<i2")
    for side, pcm in enumerate((left, right)):
        both[: len(pcm.samples) // 2, side] = np.frombuffer(pcm.samples, dtype="<i2")
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(left.rate)
        file.writeframes(both.tobytes())
    return out.getvalue()


def level(pcm: Pcm) -> float:
    """Root mean square of the samples, 0 to 32768. Silence is 0."""
    if not pcm.samples:
        return 0.0
    samples = np.frombuffer(pcm.samples, dtype="<i2").astype(np.float64)
    return float(np.sqrt(np.mean(samples * samples)))


def _whole_samples(pcm: Pcm) -> None:
    if len(pcm.samples) % 2:
        raise InvalidRequest("audio ended in half a sample: 16-bit audio has an even number of bytes")
