"""What both sides said, slot by slot, and when the agent was to be heard."""

from __future__ import annotations

from bisect import bisect_left

from gateway.adapters.carriers import g711
from gateway.audio import level, write_wav_stereo
from gateway.caller.playout import SLOT_BYTES, SLOT_MS
from gateway.caller.timeline import Kind, Moment, Timeline
from gateway.values import Pcm

VOICED_LEVEL = 100.0
"""Root mean square above which a slot counts as sound: about -50 dB of full scale."""
PAUSE_MS = 200
"""A silence of the agent this long ends its stretch of speech."""


def voiced(ulaw: bytes) -> bool:
    return level(g711.decode(ulaw)) > VOICED_LEVEL


class Tape:
    """Both sides, aligned: slot n of either is what was said and what was heard in the same 20 ms."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._caller = bytearray()
        self._agent = bytearray()
        self._sounds: list[int] = []
        """The slots in which the agent was heard, in order."""
        self._speaking_since: int | None = None

    @property
    def slots(self) -> int:
        return len(self._agent) // SLOT_BYTES

    def add(self, said: bytes, heard: bytes, at_ms: float) -> bool:
        """One slot of each side, mu-law. Returns whether the agent began to be heard with it."""
        self._caller += said
        self._agent += heard
        sound = voiced(heard)
        if sound:
            self._sounds.append(self.slots - 1)
        if sound and self._speaking_since is None:
            self._speaking_since = self.slots - 1
            self._timeline.add(Moment(at_ms, Kind.AGENT_STARTED))
            return True
        if self._speaking_since is not None and self.quiet_ms >= PAUSE_MS:
            self.agent_cut(at_ms - self.quiet_ms)
        return False

    def agent_cut(self, at_ms: float) -> None:
        """The agent's stretch of speech is over."""
        if self._speaking_since is not None:
            self._speaking_since = None
            self._timeline.add(Moment(at_ms, Kind.AGENT_STOPPED))

    @property
    def quiet_ms(self) -> int:
        """How long the agent has not been heard."""
        last = self._sounds[-1] if self._sounds else -1
        return (self.slots - 1 - last) * SLOT_MS

    @property
    def speaking_ms(self) -> int:
        """How long the agent has been heard in one stretch; 0 when it is silent."""
        return 0 if self._speaking_since is None else (self.slots - self._speaking_since) * SLOT_MS

    def heard_since(self, slot: int) -> tuple[int, int] | None:
        """First and last voiced slot of the agent from ``slot`` on, or None."""
        first = bisect_left(self._sounds, slot)
        return (self._sounds[first], self._sounds[-1]) if first < len(self._sounds) else None

    def agent(self, first: int, last: int) -> Pcm:
        return g711.decode(bytes(self._agent[first * SLOT_BYTES : (last + 1) * SLOT_BYTES]))

    def wav(self) -> bytes:
        return write_wav_stereo(g711.decode(bytes(self._caller)), g711.decode(bytes(self._agent)))
