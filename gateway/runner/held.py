"""The caller's frames that are held back until they were understood: only harmless words leave here for the recording.

Times are ms of what the ear has heard since the conversation began; places are samples of the recording.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.redaction.audio_spans import HeardSpeech, Stretch, private_stretches
from gateway.runner.sides import SAMPLE_BYTES, Side, bleep

HOLD_S = 60.0
"""The longest that a frame waits: the longest stretch of speech, and its recogniser's patience. Then it is silence."""


@dataclass(frozen=True, slots=True)
class _Frame:
    start_ms: float
    end_ms: float
    at: int
    samples: bytes


class Held:
    """Implements ``gateway.ports.Tape``. What lies in no understood stretch is silence, and so is what is private in one."""

    def __init__(self, rate: int, *, bleep: bool) -> None:
        self._rate = rate
        self._bleep = bleep
        self._frames: deque[_Frame] = deque()
        self._harmless: deque[Stretch] = deque()
        self._private: deque[Stretch] = deque()
        self._heard_ms = 0.0
        self._settled_ms = 0.0
        self.silenced_ms = 0.0
        """How much speech was hidden."""
        self.kept_ms = 0.0
        """How much speech stayed."""

    def heard(self, samples: bytes, ms: float, *, at: int | None) -> None:
        """The next frame; ``at`` None: it is not to be recorded, and only its time counts."""
        start, self._heard_ms = self._heard_ms, self._heard_ms + ms
        if at is not None:
            self._frames.append(_Frame(start, self._heard_ms, at, samples))

    def understood(self, speech: HeardSpeech) -> None:
        """A stretch of speech was recognised and masked."""
        private = private_stretches(speech)
        self._private.extend(private)
        hidden = sum(end - start for start, end in private)
        self.silenced_ms += hidden
        self.kept_ms += speech.end_ms - speech.start_ms - hidden
        self._harmless.extend(_without((speech.start_ms, speech.end_ms), private))

    def settled(self, until_ms: float) -> None:
        """Nothing before ``until_ms`` is going to be understood any more."""
        self._settled_ms = max(self._settled_ms, until_ms)

    def release(self, side: Side, *, now: int, all_of_it: bool = False) -> None:
        """Pass on what is known by now; with ``all_of_it`` what is not known is silence."""
        oldest = now - int(HOLD_S * self._rate)
        while self._frames and (all_of_it or self._frames[0].end_ms <= self._settled_ms or self._frames[0].at < oldest):
            frame = self._frames.popleft()
            if _inside(frame, self._harmless):
                side.put(frame.samples, frame.at)
            elif self._bleep and _touched(frame, self._private):
                side.put(bleep(len(frame.samples) // SAMPLE_BYTES, self._rate, frame.at), frame.at)
        self._drop_passed()

    def waiting_from(self, default: int) -> int:
        """The place of the first frame that still waits."""
        return self._frames[0].at if self._frames else default

    def forget(self) -> None:
        """Let go of every frame."""
        self._frames.clear()

    def _drop_passed(self) -> None:
        passed = self._frames[0].start_ms if self._frames else self._settled_ms
        for stretches in (self._harmless, self._private):
            while stretches and stretches[0][1] < passed:
                stretches.popleft()


def _without(whole: Stretch, taken: Sequence[Stretch]) -> list[Stretch]:
    """What is left of ``whole``; ``taken`` is sorted, without overlap, and within it."""
    left, at = [], whole[0]
    for start, end in taken:
        left.append((at, start))
        at = end
    return [(start, end) for start, end in (*left, (at, whole[1])) if end > start]


def _inside(frame: _Frame, stretches: Sequence[Stretch]) -> bool:
    return any(start <= frame.start_ms and frame.end_ms <= end for start, end in stretches)


def _touched(frame: _Frame, stretches: Sequence[Stretch]) -> bool:
    return any(start < frame.end_ms and frame.start_ms < end for start, end in stretches)
