"""Where a long stretch of speech is cut before it is recognised: at its quietest places."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Samples: TypeAlias = NDArray[np.float32]
"""Mono audio from -1 to 1."""

SHORTEST_S = 8.0
LONGEST_S = 20.0
"""Moonshine's tiny model hears 27 s without fault, and past some 30 s begins to repeat words that nobody said."""
_WINDOW_S = 0.2
_STEP_S = 0.02


def pieces(samples: Samples, rate: int) -> list[Samples]:
    """The whole of ``samples`` in order, in pieces of at most ``LONGEST_S``; each cut lies in the quietest fifth of a second
    between ``SHORTEST_S`` and ``LONGEST_S`` after the cut before, so that no word is split while there is any pause."""
    found: list[Samples] = []
    rest = samples
    while len(rest) > LONGEST_S * rate:
        cut = _quietest(rest, int(SHORTEST_S * rate), int(LONGEST_S * rate), rate)
        found.append(rest[:cut])
        rest = rest[cut:]
    return [*found, rest] if len(rest) else found


def _quietest(samples: Samples, first: int, last: int, rate: int) -> int:
    window, step = max(1, int(_WINDOW_S * rate)), max(1, int(_STEP_S * rate))
    energy: NDArray[Any] = np.concatenate(([0.0], np.cumsum(np.square(samples[:last], dtype=np.float64))))
    starts = np.arange(first, max(first + 1, last - window), step)
    ends = np.minimum(starts + window, len(energy) - 1)
    quietest = int(np.argmin(energy[ends] - energy[starts]))
    return int(min(starts[quietest] + window // 2, last))
