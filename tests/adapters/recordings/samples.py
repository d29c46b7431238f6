"""A recording in memory, and the file of one on disk."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from gateway.adapters.keys.envelope import MasterKey
from gateway.adapters.recordings.folder import RecordingFile
from gateway.adapters.recordings.format import End, FileKey, Header, Opened, Piece, Sealer, Sound, new_header, open_recording
from gateway.values import CallId, Gap, Private, TenantId

KEY = Private(bytes(range(32)))
KEYS = FileKey(KEY, MasterKey(bytes(32)))
"""What opens them."""
TENANT, CALL = TenantId("acme"), CallId("call_1")
RATE = 8_000


def header_and_key(tenant: TenantId = TENANT, call: CallId = CALL, key: Private[bytes] = KEY) -> tuple[Header, Private[bytes]]:
    stated = {"started": "2026-11-22T05:00:00.000000+00:00", "consent": "sha256:c", "rate": RATE, "redacted": "silence"}
    return new_header(key, tenant, call, **stated), key


def sound(at: int, samples: int = RATE, value: int = 1) -> Sound:
    """So many samples of both voices, all the same value."""
    return Sound(at, Private(value.to_bytes(2, "little", signed=True) * 2 * samples))


PIECES: tuple[Piece, ...] = (sound(0), Gap(1_000, 1_500, "payment"), sound(12_000, value=-2), sound(20_000, 4_000), End(24_000))


def sealed(pieces: Sequence[Piece] = PIECES, call: CallId = CALL) -> tuple[bytes, list[bytes]]:
    """The header's bytes, and each chunk's."""
    header, key = header_and_key(call=call)
    sealer = Sealer(header, key)
    return header.to_bytes(), [sealer.seal(piece) for piece in pieces]


def opened(data: bytes) -> Opened:
    return open_recording(io.BytesIO(data), KEYS)


async def on_disk(path: Path, pieces: Sequence[Piece] = PIECES[:-1], *, samples: int = 24_000) -> Path:
    """A finished file."""
    file = RecordingFile(path, *header_and_key())
    for piece in pieces:
        await file.write(piece)
    await file.finish(samples)
    return path
