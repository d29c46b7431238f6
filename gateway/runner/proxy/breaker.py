"""A circuit breaker for each processor: who has failed often lately is left alone for a while, so that nobody waits for him.

Source of the pattern: M. Nygard, "Release It!", 2007, chapter 5.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field

from gateway.values import ProcessorId

FAILURES = 5
WITHIN_S = 30.0
OPEN_S = 10.0


@dataclass(slots=True)
class _Circuit:
    failed_at: deque[float] = field(default_factory=lambda: deque(maxlen=FAILURES))
    open_until: float = 0.0
    trying: bool = False


class Breakers:
    """``now`` is monotonic time in seconds, everywhere."""

    def __init__(self) -> None:
        self._circuits: defaultdict[ProcessorId, _Circuit] = defaultdict(_Circuit)

    def resting(self, now: float) -> frozenset[ProcessorId]:
        """Who is left alone now. When the rest is over, one request at a time may try, until one succeeds."""
        return frozenset(name for name, circuit in self._circuits.items() if now < circuit.open_until)

    def asked(self, processor: ProcessorId, now: float) -> None:
        """A request goes to that processor. If it is the one that tries whether all is well again, the others wait for it."""
        circuit = self._circuits.get(processor)
        if circuit is not None and circuit.trying:
            circuit.open_until = now + OPEN_S

    def failed(self, processor: ProcessorId, now: float) -> None:
        circuit = self._circuits[processor]
        circuit.failed_at.append(now)
        often = len(circuit.failed_at) == FAILURES and now - circuit.failed_at[0] <= WITHIN_S
        if often or circuit.trying:
            circuit.open_until, circuit.trying = now + OPEN_S, True

    def served(self, processor: ProcessorId) -> None:
        self._circuits.pop(processor, None)

    def opens_again_in(self, now: float) -> float | None:
        """Seconds until the first one who rests may be asked again."""
        waits = [circuit.open_until - now for circuit in self._circuits.values() if circuit.open_until > now]
        return min(waits, default=None)
