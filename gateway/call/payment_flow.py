"""A call that may be paused for card data (promise 33): the plot's table, and one more in front of it while a pause lasts.

Whatever goes wrong in a pause, nothing is heard before its second marker is on record: a call that cannot write it ends blind.
"""

# ruff: noqa: SLF001 - the table at the end names the steps of its own class

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.call.consent import TransferAsked
from gateway.call.events import CallerAudio, KeyPressed, LegStopped, ParticipantJoined
from gateway.call.payment import (
    AGAIN,
    MOST_KEYS,
    OVERDUE,
    SUBMIT,
    AskForKeys,
    AwaitPayment,
    Ended,
    ForgetKeys,
    GoBlind,
    HandOver,
    Pause,
    PaymentAnswered,
    PaymentExpected,
    PaymentOverdue,
    PaymentResumed,
    SeeAgain,
    TakeKey,
    Verdict,
)
from gateway.call.plot import AgentFinished, Command, Event, Failed, Phase, Tell, Write
from gateway.call.transfer import TransferFlow
from gateway.policy.payment import Payment, Resume
from gateway.values import Private

_ENDS = {Verdict.ACCEPTED: Ended.ACCEPTED, Verdict.DECLINED: Ended.DECLINED, Verdict.FAILED: Ended.FAILED}


@dataclass(slots=True)
class PaymentFlow(TransferFlow):
    """One call's state, as ``CallFlow``; while ``pause`` is set, nobody hears the caller."""

    terms: Payment | None = None
    """What the policy says of card data; None: there is no pause on this call."""
    pause: Pause | None = None
    _pauses: int = 0

    def on(self, event: Event, at_ms: int) -> list[Command]:
        if self.pause is None:
            return self._expected(event, at_ms) if isinstance(event, PaymentExpected) else TransferFlow.on(self, event, at_ms)
        step = PAUSED.get(type(event))
        return step(self, self.pause, event, at_ms) if step else TransferFlow.on(self, event, at_ms)

    def _expected(self, event: PaymentExpected, at_ms: int) -> list[Command]:
        if self.terms is None or self.phase is not Phase.LISTENING:
            return [SeeAgain(Ended.UNAVAILABLE)]
        self._pauses += 1
        self.pause = Pause(self._pauses, event.why, event.field, at_ms)
        marker = Write("payment.paused", {"pause": self._pauses, "reason": event.why.value, "field": event.field.value})
        within_ms = int(self.terms.within.total_seconds() * 1000)
        return [GoBlind(event.why), marker, AskForKeys(event.field), AwaitPayment(self._pauses, within_ms)]

    def _unheard(self, pause: Pause, event: CallerAudio, at_ms: int) -> list[Command]:
        pause.frames += 1
        return []

    def _card_key(self, pause: Pause, event: KeyPressed, at_ms: int) -> list[Command]:
        pause.pressed += 1
        if event.key == Private(SUBMIT):
            return self._submit(pause)
        if event.key == Private(AGAIN):
            pause.held, pause.submitted = 0, False
            return [ForgetKeys()]
        if pause.held >= MOST_KEYS or pause.submitted:
            return []
        pause.held += 1
        return [TakeKey(event.key)]

    def _submit(self, pause: Pause) -> list[Command]:
        if not pause.held:
            return []
        if pause.waiting:
            pause.submitted = True
            return []
        pause.held, pause.waiting, pause.submitted = 0, True, False
        pause.handed += 1
        return [HandOver(pause.number, pause.handed, pause.field)]

    def _answered(self, pause: Pause, event: PaymentAnswered, at_ms: int) -> list[Command]:
        if (event.pause, event.handed) != (pause.number, pause.handed) or not pause.waiting:
            return []
        pause.waiting = False
        answer = Write("payment.answered", {"pause": pause.number, "field": pause.field.value, "verdict": event.verdict.value})
        if event.verdict is not Verdict.MORE:
            return [answer, *self._see(pause, _ENDS[event.verdict], at_ms)]
        pause.field = event.field
        return [answer, *(self._submit(pause) if pause.submitted else [AskForKeys(event.field)])]

    def _overdue(self, pause: Pause, event: PaymentOverdue, at_ms: int) -> list[Command]:
        if event.pause != pause.number:
            return []
        if self.terms is not None and self.terms.resume is Resume.TIMED:
            return self._see(pause, Ended.TIMED, at_ms)
        gone = self._leave(pause, Ended.OVERDUE, at_ms)
        self.phase = Phase.TELLING
        return [*gone, *self._close(), Tell(OVERDUE)]

    def _resumed(self, pause: Pause, event: PaymentResumed, at_ms: int) -> list[Command]:
        return self._see(pause, Ended.AGENT, at_ms)

    def _see(self, pause: Pause, ended: Ended, at_ms: int) -> list[Command]:
        self.pause = None
        return [ForgetKeys(), Write("payment.resumed", pause.marker(ended, at_ms)), SeeAgain(ended)]

    def _leave(self, pause: Pause, ended: Ended, at_ms: int) -> list[Command]:
        self.pause = None
        return [ForgetKeys(), Write("payment.abandoned", pause.marker(ended, at_ms), anyway=True)]

    def _over(self, pause: Pause, event: Event, at_ms: int) -> list[Command]:
        """What ends the call ends the pause with it."""
        return [*self._leave(pause, Ended.LEFT, at_ms), *TransferFlow.on(self, event, at_ms)]

    def _joined_in(self, pause: Pause, event: ParticipantJoined, at_ms: int) -> list[Command]:
        """Whoever joins must hear everything first: the pause ends, and nobody listens before that is done."""
        over = self._leave(pause, Ended.LEFT, at_ms)
        return [*over, *TransferFlow.on(self, event, at_ms), SeeAgain(Ended.LEFT)]


Step = Callable[[PaymentFlow, Pause, Any, int], list[Command]]

PAUSED: Mapping[type[Event], Step] = {
    CallerAudio: PaymentFlow._unheard,
    KeyPressed: PaymentFlow._card_key,
    PaymentAnswered: PaymentFlow._answered,
    PaymentOverdue: PaymentFlow._overdue,
    PaymentResumed: PaymentFlow._resumed,
    ParticipantJoined: PaymentFlow._joined_in,
    LegStopped: PaymentFlow._over,
    Failed: PaymentFlow._over,
    AgentFinished: PaymentFlow._over,
    TransferAsked: PaymentFlow._over,
}
"""Everything that a pause takes to itself. Whatever else happens in it is the plot's."""
