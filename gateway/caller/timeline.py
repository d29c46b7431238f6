"""What happened on a call as the caller lived it, in ms since the stream began."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    CONNECTED = "connected"
    ANNOUNCEMENT_STARTED = "announcement_started"
    ANNOUNCEMENT_ENDED = "announcement_ended"
    AGENT_STARTED = "agent_started"
    AGENT_STOPPED = "agent_stopped"
    MARK_RETURNED = "mark_returned"
    TURN_STARTED = "turn_started"
    TURN_ENDED = "turn_ended"
    FIRST_ANSWER = "first_answer"
    KEY_PRESSED = "key_pressed"
    CLEARED = "cleared"
    HUNG_UP = "hung_up"
    CLOSED_BY_GATEWAY = "closed_by_gateway"


@dataclass(frozen=True, slots=True)
class Moment:
    """``name``: of the mark that was returned. ``turn``: number of the caller's turn, from 1; 0 where none is meant."""

    at_ms: float
    kind: Kind
    name: str = ""
    turn: int = 0


class Timeline:
    """The moments of one call in the order of their time."""

    def __init__(self) -> None:
        self._moments: list[Moment] = []

    def add(self, moment: Moment) -> None:
        self._moments.append(moment)

    @property
    def moments(self) -> tuple[Moment, ...]:
        return tuple(sorted(self._moments, key=lambda moment: moment.at_ms))

    def all(self, kind: Kind) -> tuple[Moment, ...]:
        return tuple(moment for moment in self.moments if moment.kind is kind)

    def first(self, kind: Kind, *, after_ms: float = float("-inf")) -> Moment | None:
        return next((moment for moment in self.all(kind) if moment.at_ms >= after_ms), None)

    def answer_delays(self) -> dict[int, float]:
        """By turn: ms from the last sound of the caller's turn to the first sound of the answer."""
        ended = {moment.turn: moment.at_ms for moment in self.all(Kind.TURN_ENDED)}
        return {moment.turn: moment.at_ms - ended[moment.turn] for moment in self.all(Kind.FIRST_ANSWER) if moment.turn in ended}

    def rows(self) -> list[dict[str, str | int | float]]:
        """For ``timeline.json``: one row a moment, without empty fields."""
        return [
            {"at_ms": round(moment.at_ms, 1), "kind": moment.kind.value}
            | ({"name": moment.name} if moment.name else {})
            | ({"turn": moment.turn} if moment.turn else {})
            for moment in self.moments
        ]
