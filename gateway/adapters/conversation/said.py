"""What the voice has spoken, to tell of each frame on its way to the caller whether it may hold restored words.

Between the voice and the line livekit cuts audio into frames of its own, and after a barge-in leaves the rest out. So frames are
known by what they hold: a frame that is not the next of an utterance, nor the first of a later one, is taken for private.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


@dataclass(slots=True)
class Utterance:
    """One utterance as it is being spoken."""

    samples: bytearray = field(default_factory=bytearray)
    private: list[tuple[int, int]] = field(default_factory=list)
    at: int = 0

    def add(self, samples: bytes, *, private: bool) -> None:
        """The next piece of it."""
        if private:
            self.private.append((len(self.samples), len(self.samples) + len(samples)))
        self.samples += samples

    def follows(self, frame: bytes) -> bool:
        """Whether the frame is the next of it; its last frame may be filled up with silence."""
        rest = self.samples[self.at : self.at + len(frame)]
        return bool(rest) and bytes(rest).ljust(len(frame), b"\0") == frame

    def take(self, frame: bytes) -> bool:
        """Go on by a frame, and say whether anything in it is private."""
        start, self.at = self.at, self.at + len(frame)
        return any(start < end and begin < self.at for begin, end in self.private)


class Said:
    """The utterances of one call, in their order."""

    def __init__(self) -> None:
        self._utterances: deque[Utterance] = deque()

    def begin(self) -> Utterance:
        """A new one."""
        self._utterances.append(Utterance())
        return self._utterances[-1]

    def is_private(self, frame: bytes) -> bool:
        """Whether the next frame to the caller may hold something private."""
        for place, utterance in enumerate(self._utterances):
            if utterance.follows(frame):
                for _ in range(place):
                    self._utterances.popleft()
                return utterance.take(frame)
        return True
