"""The telephone's ear: a buffer that is played in real time, with marks between the sounds. No clock, no socket."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from gateway.adapters.carriers import g711

SLOT_MS = 20
SLOT_BYTES = SLOT_MS * g711.BYTES_PER_MS


@dataclass(frozen=True, slots=True)
class Slot:
    """What is heard in the next 20 ms: mu-law, filled up with silence; and the marks whose sounds are over by now."""

    ulaw: bytes
    marks: tuple[str, ...]


class Playout:
    """Audio and marks in the order in which they came. ``play`` is called once every 20 ms."""

    def __init__(self) -> None:
        self._queue: deque[bytes | str] = deque()
        self._over: list[str] = []

    @property
    def empty(self) -> bool:
        """Nothing waits to be played and no mark waits to be returned."""
        return not self._queue and not self._over

    def add(self, ulaw: bytes) -> None:
        if ulaw:
            self._queue.append(ulaw)

    def mark(self, name: str) -> None:
        self._queue.append(name)

    def clear(self) -> tuple[str, ...]:
        """Throw the audio away; the marks that still waited, oldest first."""
        marks = (*self._over, *(item for item in self._queue if isinstance(item, str)))
        self._queue.clear()
        self._over.clear()
        return marks

    def play(self) -> Slot:
        """The next 20 ms. A mark is over once the slot with the last sound before it has been played."""
        over, self._over = self._over, []
        ulaw = b""
        while self._queue:
            item = self._queue[0]
            if isinstance(item, str):
                (self._over if ulaw else over).append(item)
                self._queue.popleft()
                continue
            room = SLOT_BYTES - len(ulaw)
            if not room:
                break
            ulaw += item[:room]
            self._queue.popleft()
            if len(item) > room:
                self._queue.appendleft(item[room:])
        return Slot(ulaw.ljust(SLOT_BYTES, g711.SILENCE), tuple(over))
