"""What livekit-agents builds on first use: built before the first call, it holds up nobody's audio."""

from __future__ import annotations

import numpy.fft  # numpy loads it on first use, which the transcript's speaking rate would do in the middle of a call
from livekit.agents import tokenize


def warm_up() -> None:
    """Takes about 50 ms (150 ms on a busy machine) of the calling thread. Harmless when repeated.

    The transcript synchronizer would build its hyphenator, and the voice its sentence splitter, when the first answer of the
    first call is about to be heard (measured with ``make bench``).
    """
    tokenize.basic.hyphenate_word("mute")
    tokenize.blingfire.SentenceTokenizer(retain_format=True).tokenize("One sentence. And another one.")
    numpy.fft.rfft(numpy.zeros(512))
