"""What an agent's call can do beside talking: be paused while card data is keyed in, and be handed over to a person."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from livekit.agents import RunContext, StopResponse, function_tool, llm

from gateway.call.payment import CardField, Ended, Why

PAUSE_TOOL, TRANSFER_TOOL, CHILD_TOOL = "pause_for_payment", "transfer_to_human", "child_signal"
AFTER_PAYMENT: dict[Ended, str] = {
    Ended.ACCEPTED: "The caller keyed in card details, and the payment processor accepted them.",
    Ended.DECLINED: "The caller keyed in card details, and the payment processor declined them.",
    Ended.FAILED: "The caller's card details could not be taken at the moment.",
    Ended.TIMED: "The caller did not key in card details in time.",
    Ended.AGENT: "Card details are not waited for any more.",
}
"""What an agent is told when the line is open again. It never holds a digit."""


class Talker(Protocol):
    """A conversation as a pause sees it (``gateway.runner.payment.Talker``)."""

    def pause(self, *, interrupt: bool) -> None: ...
    def resume(self, ended: Ended) -> None: ...


class Pauses(Protocol):
    """A call's payment pause (``gateway.runner.payment.PaymentPause``)."""

    @property
    def blind(self) -> bool:
        """Whether nobody may hear, read or keep anything now."""
        ...

    def join(self, talker: Talker) -> None:
        """Who is to fall silent with the call."""
        ...

    def expect(self, why: Why, field: CardField = CardField.NUMBER) -> None: ...
    def asks(self, said: str) -> bool: ...
    def resume(self) -> None: ...
    async def over(self) -> Ended: ...


class ChildWatch(Protocol):
    """Whether a child was heard on this call (``gateway.runner.children.Childhood``)."""

    @property
    def signalled(self) -> bool:
        """Whether nobody may hear, think or keep anything any more."""
        ...

    def told_by_agent(self) -> None: ...
    async def remembered(self) -> None: ...


Transfer = Callable[[], None]
"""Hand the caller over; the call with this agent ends."""


class Taking:
    """What one call's agent may ask for. ``pauses`` None: the policy takes no cards; ``transfer`` None: it names nobody."""

    def __init__(
        self,
        pauses: Pauses | None = None,
        transfer: Transfer | None = None,
        *,
        child: ChildWatch | None = None,
        child_tool: bool = False,
    ) -> None:
        """``child``: who is told of a child on the line; ``child_tool``: the model may tell it too."""
        self.pauses = pauses
        self.transfer = transfer
        self.child = child
        self.child_tool = child_tool
        self.waiting = 0
        """How many of the agent's own calls wait for the end of a pause: those are told by their result."""

    @property
    def blind(self) -> bool:
        return (self.pauses is not None and self.pauses.blind) or (self.child is not None and self.child.signalled)

    async def pause(self, field: CardField = CardField.NUMBER) -> Ended:
        """Pause, and wait for the end."""
        if self.pauses is None:
            return Ended.UNAVAILABLE
        self.waiting += 1
        try:
            self.pauses.expect(Why.AGENT, field)
            return await self.pauses.over()
        finally:
            self.waiting -= 1

    def tools(self) -> list[llm.Tool | llm.Toolset]:
        """What the model may call on this call."""
        own = [*([_pause_tool(self)] if self.pauses else []), *([_transfer_tool(self)] if self.transfer else [])]
        return [*own, *([_child_tool(self.child)] if self.child and self.child_tool else [])]


def _pause_tool(taking: Taking) -> llm.Tool:
    async def pause(context: RunContext[None]) -> str:
        with suppress(RuntimeError):  # interrupted already
            # A sound from before the pause would break off the turn that waits here.
            context.disallow_interruptions()
        await context.wait_for_playout()
        return (await taking.pause()).value

    description = (
        "Have the caller key in card details on the telephone. You neither hear nor see them. "
        "Returns accepted, declined, failed or timed. Call it instead of asking for a card number, expiry date or security code."
    )
    return function_tool(pause, name=PAUSE_TOOL, description=description)


def _transfer_tool(taking: Taking) -> llm.Tool:
    async def transfer(context: RunContext[None]) -> None:
        await context.wait_for_playout()
        if taking.transfer is not None:
            taking.transfer()
        raise StopResponse

    return function_tool(transfer, name=TRANSFER_TOOL, description="Hand the caller over to a person. The call with you ends.")


def _child_tool(child: ChildWatch) -> llm.Tool:
    async def tell(context: RunContext[None]) -> None:
        child.told_by_agent()
        await child.remembered()
        raise StopResponse

    description = (
        "Tell that the caller is, or seems to be, a child. The call with you ends at once. "
        "Call it instead of asking a child anything more."
    )
    return function_tool(tell, name=CHILD_TOOL, description=description)
