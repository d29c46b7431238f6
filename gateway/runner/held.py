"""The caller's frames that are held back until they were understood: only harmless words leave here for the recording.

A stretch leaves when the next one was understood too, or none came for a while: what the next turn tells of it still counts.
Times are ms of what the ear has heard since the conversation began; places are samples of the recording.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from gateway.redaction.audio_spans import HeardSpeech, Stretch, private_stretches
from gateway.runner.sides import SAMPLE_BYTES, Side, bleep

HOLD_S = 60.0
"""The longest that a frame waits: the longest stretch of speech, and its recogniser's patience. Then it is silence."""
LINGER_S = 15.0
"""So long the last stretch waits for what the next one tells of it."""


@dataclass(frozen=True, slots=True)
class _Frame:
    start_ms: float
    end_ms: float
    at: int
    samples: bytes


@dataclass(slots=True)
class _Speech:
    """A stretch that was understood: what of it is harmless, and what is private."""

    heard: HeardSpeech
    private: list[Stretch]
    judged: bool = False

    def judge(self) -> None:
        """Once, when its first frame leaves: is its text still what it was?"""
        if not self.judged:
            self.judged = True
            if not self.heard.still():
                self.private = [(self.heard.start_ms, self.heard.end_ms)]

    def holds(self, frame: _Frame) -> bool:
        return self.heard.start_ms <= frame.start_ms and frame.end_ms <= self.heard.end_ms

    def hides(self, frame: _Frame) -> bool:
        return any(start < frame.end_ms and frame.start_ms < end for start, end in self.private)


class Held:
    """Implements ``gateway.ports.Tape``. What lies in no understood stretch is silence, and so is what is private in one."""

    def __init__(self, rate: int, *, bleep: bool) -> None:
        self._rate = rate
        self._bleep = bleep
        self._frames: deque[_Frame] = deque()
        self._speeches: deque[_Speech] = deque()
        self._heard_ms = 0.0
        self._settled_ms = 0.0

    def heard(self, samples: bytes, ms: float, *, at: int | None) -> None:
        """The next frame; ``at`` None: it is not to be recorded, and only its time counts."""
        start, self._heard_ms = self._heard_ms, self._heard_ms + ms
        if at is not None:
            self._frames.append(_Frame(start, self._heard_ms, at, samples))

    def understood(self, speech: HeardSpeech) -> None:
        """A stretch of speech was recognised and masked."""
        self._speeches.append(_Speech(speech, private_stretches(speech)))

    def settled(self, until_ms: float) -> None:
        """Nothing before ``until_ms`` is going to be understood any more."""
        self._settled_ms = max(self._settled_ms, until_ms)

    def release(self, side: Side, *, now: int, all_of_it: bool = False) -> None:
        """Pass on what is known by now; with ``all_of_it`` what is not known is silence."""
        while self._frames and (all_of_it or self._may_leave(self._frames[0], now)):
            frame = self._frames.popleft()
            while self._speeches and self._speeches[0].heard.end_ms <= frame.start_ms:
                self._speeches.popleft()
            speech = next((each for each in self._speeches if each.holds(frame)), None)
            if speech is not None:
                self._pass_on(frame, speech, side)

    def _may_leave(self, frame: _Frame, now: int) -> bool:
        age_s = (now - frame.at) / self._rate
        if age_s > HOLD_S:
            return True
        last = self._speeches[-1].heard.start_ms if self._speeches else self._settled_ms
        return frame.end_ms <= self._settled_ms and (frame.end_ms <= last or age_s > LINGER_S)

    def _pass_on(self, frame: _Frame, speech: _Speech, side: Side) -> None:
        speech.judge()
        if not speech.hides(frame):
            side.put(frame.samples, frame.at)
        elif self._bleep:
            side.put(bleep(len(frame.samples) // SAMPLE_BYTES, self._rate, frame.at), frame.at)

    def waiting_from(self, default: int) -> int:
        """The place of the first frame that still waits."""
        return self._frames[0].at if self._frames else default

    def forget(self) -> None:
        """Let go of every frame."""
        self._frames.clear()
