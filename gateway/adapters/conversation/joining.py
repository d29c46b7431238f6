"""Two voices in one sentence: without the silence around each piece, at one loudness, and without a click between them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gateway.values import Pcm

BREATH_MS = 50
"""Silence that stays on either side of a piece: a word needs it to begin and to fade."""
_FADE_MS = 5
_WINDOW_MS = 10
_QUIET = 0.02
"""Of the loudest window: what is below is silence. A voice's weakest consonants are well above."""
_MOST_GAIN = 4.0
_LOUDEST = 30_000.0


def fitted(pcm: Pcm, loudness: float = 0.0) -> Pcm:
    """The spoken part of ``pcm``, faded in and out; with ``loudness`` (as ``loudness_of`` tells it) as loud as that."""
    samples = np.frombuffer(pcm.samples, dtype="<i2").astype(np.float64)
    levels = _levels(samples, pcm.rate)
    spoken = np.flatnonzero(levels > _QUIET * levels.max(initial=0.0))
    if not spoken.size:
        return Pcm(b"", pcm.rate)
    window, breath = _count(_WINDOW_MS, pcm.rate), _count(BREATH_MS, pcm.rate)
    kept = samples[max(0, spoken[0] * window - breath) : (spoken[-1] + 1) * window + breath]
    kept = kept * _gain(pcm, loudness, np.abs(kept).max())
    fade = min(_count(_FADE_MS, pcm.rate), len(kept) // 2)
    slope = np.linspace(0.0, 1.0, fade)
    kept[:fade] *= slope
    kept[len(kept) - fade :] *= slope[::-1]
    return Pcm(np.rint(kept).astype("<i2").tobytes(), pcm.rate)


def loudness_of(pcm: Pcm) -> float:
    """Root mean square of the windows in which somebody speaks, 0 to 32768; 0 for silence."""
    levels = _levels(np.frombuffer(pcm.samples, dtype="<i2").astype(np.float64), pcm.rate)
    loud = levels[levels > 0.2 * levels.max(initial=0.0)]
    return float(np.sqrt(np.mean(loud * loud))) if loud.size else 0.0


def _gain(pcm: Pcm, loudness: float, peak: float) -> float:
    own = loudness_of(pcm)
    if not loudness or not own:
        return 1.0
    return min(max(loudness / own, 1 / _MOST_GAIN), _MOST_GAIN, max(1.0, _LOUDEST / peak))


def _levels(samples: npt.NDArray[np.float64], rate: int) -> npt.NDArray[np.float64]:
    window = _count(_WINDOW_MS, rate)
    whole = samples[: len(samples) // window * window].reshape(-1, window)
    return np.asarray(np.sqrt((whole * whole).mean(axis=1)))


def _count(ms: int, rate: int) -> int:
    return max(1, rate * ms // 1000)
