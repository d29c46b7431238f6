"""Numbered messages: which are in order, which came twice, which came late, and how many never came."""

from __future__ import annotations

from enum import Enum

MAX_JUMP = 10_000
"""Messages that may be missing at once: 200 s of audio. A larger jump is a fault, not a gap."""
REMEMBERED = 1024
"""How many missing numbers are remembered, to tell a late message from a second one."""


class Arrival(Enum):
    IN_ORDER = "in_order"
    DUPLICATE = "duplicate"
    LATE = "late"
    IMPOSSIBLE = "impossible"


class Sequence:
    """The numbers of one stream. Memory stays bounded whatever comes."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._missing: dict[int, None] = {}

    def place(self, number: int) -> tuple[Arrival, int]:
        """How this number stands to those before, and how many numbers it shows to be missing.

        The first number may be any; ``IMPOSSIBLE`` changes nothing.
        """
        if self._last is None:
            self._last = number
            return Arrival.IN_ORDER, 0
        if number > self._last + 1 + MAX_JUMP:
            return Arrival.IMPOSSIBLE, 0
        if number > self._last:
            missing = number - self._last - 1
            self._remember(self._last + 1, number)
            self._last = number
            return Arrival.IN_ORDER, missing
        if number in self._missing:
            del self._missing[number]
            return Arrival.LATE, 0
        return Arrival.DUPLICATE, 0

    def _remember(self, first: int, end: int) -> None:
        for number in range(max(first, end - REMEMBERED), end):
            self._missing[number] = None
        while len(self._missing) > REMEMBERED:
            del self._missing[next(iter(self._missing))]
