"""The shipped caller audio as the bench needs it: words, frames, and a tape of turns with pauses for the answers."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources

from gateway.adapters.carriers import g711
from gateway.audio import read_wav, resample
from gateway.values import Pcm

FRAME_BYTES = 20 * g711.BYTES_PER_MS
SILENCE = g711.SILENCE * FRAME_BYTES
TAPE = ("name-and-address", "opening-hours", "card-number", "yes-correct", "phone-number", "cancel")
PAUSE_FRAMES = 250
"""5 s, in which the answer is spoken."""


def speech(name: str) -> Pcm:
    return read_wav((resources.files("gateway.demo") / "audio" / f"{name}.wav").read_bytes())


def sentences() -> list[str]:
    """What the shipped callers say."""
    rows = json.loads((resources.files("gateway.demo") / "audio" / "index.json").read_bytes())
    return [str(row["text"]) for row in rows]


@cache
def frames(name: str) -> tuple[bytes, ...]:
    """The turn as 20 ms frames of mu-law."""
    ulaw = g711.encode(resample(speech(name), g711.RATE))
    cuts = (ulaw[at : at + FRAME_BYTES] for at in range(0, len(ulaw), FRAME_BYTES))
    return tuple(cut.ljust(FRAME_BYTES, g711.SILENCE) for cut in cuts)


def tape(first: int) -> list[bytes]:
    """Turns with pauses, beginning with the turn of that number: about half of it is speech."""
    names = TAPE[first % len(TAPE) :] + TAPE[: first % len(TAPE)]
    return [frame for name in names for frame in (*frames(name), *(SILENCE,) * PAUSE_FRAMES)]
