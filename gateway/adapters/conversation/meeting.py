"""Who in a room may be heard: nobody before the announcement was played to them, and nobody by another's consent.

Whoever is in a room beside the caller is announced to in rounds: a round begins with ``ParticipantJoined`` and is over when the
plot admits those in it (``gateway.runner.leg.MeetingLeg``). Who comes during a round waits for the next one, so that nobody is
let in who heard half of it. Where consent is asked, a round has one person in it: then whose answer it is, is certain.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

MOST_AHEAD = 5
"""How many frames of one voice wait for another's: 100 ms. Then that one has stopped, and its part is silence."""


class Meeting:
    """The people of one room, by identity. Pure: it knows no room and no sound."""

    def __init__(self, caller: str, *, each_asked: bool) -> None:
        """``each_asked``: something is asked of everybody, so that everybody has a round alone."""
        self._each_asked = each_asked
        self._round = [caller]
        self._waiting: list[str] = []
        self._heard: list[str] = []
        self._answering = False
        self._over = False
        self.rounds = 0
        """How many rounds have begun after the caller's own."""

    def present(self, who: str) -> None:
        """Somebody is there before the first announcement: it is theirs too, unless each is asked."""
        (self._waiting if self._each_asked else self._round).append(who)

    def came(self, who: str) -> None:
        """Somebody joined and can hear us."""
        if who not in self.people and who not in self._waiting:
            self._waiting.append(who)

    def left(self, who: str) -> None:
        for group in (self._round, self._waiting, self._heard):
            if who in group:
                group.remove(who)

    def next_round(self) -> bool:
        """Begin a round for those who wait. False: nobody waits, or the one before is not over."""
        if not self._over or not self._waiting:
            return False
        until = 1 if self._each_asked else len(self._waiting)
        self._round, self._waiting = self._waiting[:until], self._waiting[until:]
        self._over = self._answering = False
        self.rounds += 1
        return True

    def answer(self, rounds: int) -> None:
        """The announcement of the ``rounds``-th round was played to its end: those in it may be heard for their answer."""
        self._answering = not self._over and rounds == self.rounds

    def over(self, rounds: int) -> None:
        """Everything was played and answered in the ``rounds``-th round: those in it may be heard from now on."""
        if rounds == self.rounds and not self._over:
            self._heard += self._round
            self._round = []
            self._over, self._answering = True, False

    @property
    def people(self) -> Sequence[str]:
        """Those whose keys count: who was announced to, or just is."""
        return [*self._heard, *self._round]

    @property
    def audible(self) -> Sequence[str]:
        """Those who may be heard now: while an answer is waited for, those whose answer it is."""
        return self._round if self._answering and self._round else self._heard

    def is_asked(self, who: str) -> bool:
        """Whether a yes of ``who`` would be the one that is waited for."""
        return self._over or not self._round or who in self._round


class Mixer:
    """Several voices as one, 20 ms at a time. The first is the clock while it runs, so that the sum is as long as they were."""

    def __init__(self) -> None:
        self._ahead: dict[str, deque[bytes]] = {}

    def push(self, who: str, samples: bytes, audible: Sequence[str]) -> bytes | None:
        """The next frame of a voice (signed 16 bit); the sum of all ``audible`` ones when it is time for one, else None."""
        if who not in audible:
            self._ahead.pop(who, None)
            return None
        waiting = self._ahead.setdefault(who, deque())
        waiting.append(samples)
        if who != audible[0] and len(waiting) <= MOST_AHEAD:
            return None
        return _sum([voice.popleft() for each in audible if (voice := self._ahead.get(each))])


def _sum(voices: Sequence[bytes]) -> bytes:
    if len(voices) == 1:
        return voices[0]
    loud = sum(np.frombuffer(voice, "<i2").astype(np.int32) for voice in voices)
    return bytes(np.clip(loud, -32_768, 32_767).astype("<i2").tobytes())
