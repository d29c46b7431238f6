"""Mu-law, the codec of the telephone (ITU-T G.711): 8000 Hz, one byte a sample."""

from __future__ import annotations

import warnings

from gateway.values import Pcm

with warnings.catch_warnings():
    # The standard library's audioop is deprecated until 3.12 and gone from 3.13, where audioop-lts carries it on.
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

RATE = 8000
BYTES_PER_MS = RATE // 1000
SILENCE = b"\xff"
"""One sample of silence as mu-law."""


def decode(ulaw: bytes) -> Pcm:
    """Mu-law bytes to PCM at 8000 Hz. Every byte is valid, so this never fails."""
    return Pcm(audioop.ulaw2lin(ulaw, 2), RATE)


def encode(pcm: Pcm) -> bytes:
    """PCM at 8000 Hz to mu-law bytes.

    Raises:
        TypeError: another rate, or half a sample. What reaches a codec was resampled before.
    """
    if pcm.rate != RATE:
        raise TypeError(f"mu-law on the telephone is {RATE} Hz, not {pcm.rate} Hz: resample first")
    if len(pcm.samples) % 2:
        raise TypeError("audio ended in half a sample")
    return audioop.lin2ulaw(pcm.samples, 2)
