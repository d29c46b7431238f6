"""A call in which a child may be heard (promise 32): the plot's table, and one more event in front of it.

Whatever phase the call is in: nobody hears it any more, its agreements are void, and it goes to a person or ends.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.call.child import CHILD, ChildSignalled
from gateway.call.consent import RevokeConsent, TransferCall
from gateway.call.payment import Ended
from gateway.call.payment_flow import PaymentFlow
from gateway.call.plot import Command, Event, Phase, Tell, Write
from gateway.policy.children import Children, Then


@dataclass(slots=True)
class ChildFlow(PaymentFlow):
    """One call's state, as ``CallFlow``."""

    children: Children = Children()  # noqa: RUF009 - unchangeable
    child: bool = False
    """Whether a child was heard."""

    def on(self, event: Event, at_ms: int) -> list[Command]:
        if not isinstance(event, ChildSignalled):
            return PaymentFlow.on(self, event, at_ms)
        if self.child or self.phase is Phase.ENDED or not self.children.minded:
            return []
        self.child = True
        return self._child(event, at_ms)

    def _child(self, event: ChildSignalled, at_ms: int) -> list[Command]:
        then = self.children.then
        facts = Write(
            "child.signalled", {"sign": event.sign.value, "under": self.children.under, "then": then.value}, anyway=True
        )
        if self.phase is Phase.TELLING:
            # The call is being ended already; what is kept of it is deleted all the same.
            return [*self._close(), facts]
        left = self._leave(self.pause, Ended.LEFT, at_ms) if self.pause is not None else []
        ear, closed = self._close_ear(), self._close()
        # A child's agreement was none (16 CFR 312.5; Article 8 GDPR).
        void = [RevokeConsent(purpose) for purpose in self.answers.to_give()]
        self.phase = Phase.TELLING
        return [*ear, *closed, *left, *void, facts, TransferCall(CHILD) if then is Then.TRANSFER else Tell(CHILD)]
