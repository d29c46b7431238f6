"""A call that its agent may hand over to a person: the plot's table, and the one thing that it lacks (``gateway.call.flow``)."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.call.consent import TransferAsked
from gateway.call.flow import CallFlow
from gateway.call.plot import Command, Event, Phase, Write
from gateway.policy.announcing import OnDecline


@dataclass(slots=True)
class TransferFlow(CallFlow):
    """One call's state, as ``CallFlow``."""

    def on(self, event: Event, at_ms: int) -> list[Command]:
        if not isinstance(event, TransferAsked):
            return CallFlow.on(self, event, at_ms)
        if self.phase is not Phase.LISTENING:
            return []
        return [Write("transfer.asked", {"reason": "agent"}, anyway=True), *self._part(OnDecline.HUMAN)]
