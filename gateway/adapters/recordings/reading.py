"""Reading a recording back: every chunk is checked before the first one is given out, and no sound is ever written to a disk."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from gateway.adapters.recordings.format import End, FileKey, Header, Sound, open_recording
from gateway.values import Gap

CHANNELS, SAMPLE_BYTES = 2, 2
_STEP = 64 * 1024


@dataclass(frozen=True, slots=True)
class Extent:
    """What is in a file. ``cut``: it has no last chunk, because its gateway was killed or somebody cut it off."""

    header: Header
    samples: int
    chunks: int
    cut: bool
    gaps: tuple[Gap, ...]

    @property
    def ms(self) -> int:
        return self.samples * 1000 // self.header.rate


def measured(file: BinaryIO, keys: FileKey) -> Extent:
    """Decrypt and check all of a file. Blocks: call it off the event loop.

    Raises:
        RecordingAltered: names the first chunk that is not what was written.
        NotFound: its key was destroyed.
        StoreUnavailable: an older file's key does not open.
    """
    opened = open_recording(file, keys)
    samples, gaps = 0, list[Gap]()
    for piece in opened.pieces():
        match piece:
            case Sound(at, sound):
                samples = max(samples, at + len(sound.reveal()) // (CHANNELS * SAMPLE_BYTES))
            case Gap():
                gaps.append(piece)
            case End(length):
                samples = max(samples, length)
    return Extent(opened.header, samples, opened.chunks, opened.cut, tuple(gaps))


def wav_of(file: BinaryIO, keys: FileKey, extent: Extent) -> Iterator[bytes]:
    """The file as a 16-bit stereo WAV, caller left and agent right, piece by piece; a gap is silence. Blocks."""
    yield wav_header(extent.header.rate, extent.samples)
    frame, done = CHANNELS * SAMPLE_BYTES, 0
    for piece in open_recording(file, keys).pieces():
        if isinstance(piece, Sound):
            yield from _silence((piece.at - done) * frame)
            sound = piece.samples.reveal()
            yield sound
            done = max(done, piece.at) + len(sound) // frame
    yield from _silence((extent.samples - done) * frame)


def wav_header(rate: int, samples: int) -> bytes:
    """The 44 bytes before the samples (RIFF, PCM format 1). Longer than 4 GiB: the sizes say as much as they can."""
    size = min(samples * CHANNELS * SAMPLE_BYTES, 0xFFFF_FF00)
    frame = CHANNELS * SAMPLE_BYTES
    about = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, CHANNELS, rate, rate * frame, frame, SAMPLE_BYTES * 8)
    return struct.pack("<4sI4s", b"RIFF", 36 + size, b"WAVE") + about + struct.pack("<4sI", b"data", size)


def _silence(length: int) -> Iterator[bytes]:
    for at in range(0, max(0, length), _STEP):
        yield bytes(min(_STEP, length - at))
