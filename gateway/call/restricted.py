"""A call of somebody whose data may only be stored (GDPR art. 18): they are told so, or a person takes over; nobody hears them.

The same for a call of which nobody can tell whose it is, because the store does not answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.call.child_flow import ChildFlow
from gateway.call.consent import TransferCall
from gateway.call.events import LegStarted
from gateway.call.plot import Command, Event, Failed, Phase, Tell, Write

RESTRICTED = "restricted"
"""The bar of a person's own wish, and the recording that they hear."""


@dataclass(slots=True)
class RestrictedFlow(ChildFlow):
    """One call's state, as ``CallFlow``."""

    barred: str = ""
    """Why nothing of this call may be heard: ``restricted``, or one of our public error codes; empty: it may be."""
    hands_over: bool = False
    """Whether the policy names a person who takes it then."""

    def on(self, event: Event, at_ms: int) -> list[Command]:
        if not self.barred or not isinstance(event, LegStarted) or self.phase is not Phase.CONNECTED:
            return ChildFlow.on(self, event, at_ms)
        begun: list[Command] = [Write("call.started", dict(self.started))]
        if self.barred != RESTRICTED:
            return [*begun, *ChildFlow.on(self, Failed(self.barred), at_ms)]
        self.phase = Phase.TELLING
        then = "transfer" if self.hands_over else "hang-up"
        told = TransferCall(RESTRICTED) if self.hands_over else Tell(RESTRICTED)
        return [*begun, Write("call.restricted", {"then": then}, anyway=True), told]
