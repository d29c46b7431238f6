"""What an observer in this process is shown of a call."""

from __future__ import annotations

from collections.abc import Callable

from gateway.ports import Observer, TurnShown
from gateway.values import CallId

Shown = Callable[[TurnShown], None]


class Nobody:
    """The observer of every real call: it sees nothing."""

    def saw(self, call: CallId, turn: TurnShown) -> None:
        return


def showing(observer: Observer, call: CallId) -> Shown:
    """A function that shows turns of this call to the observer."""
    return lambda turn: observer.saw(call, turn)
