"""A LiveKit agent guarded by one class. In the tenant's file: ``agent: agents.examples.livekit_guarded:Bakery``.

It takes calls from every carrier, and from rooms: ``LIVEKIT_URL=… python -m agents.worker start``. Announcement, masking, policy
and receipt are the gateway's; here stands what the agent says and does.
"""

from __future__ import annotations

from livekit.agents import function_tool

from gateway.livekit import GuardedAgent


class Bakery(GuardedAgent):
    """Takes orders. Its tool gets the name that the caller said; the model sees <PERSON_1>."""

    def __init__(self) -> None:
        super().__init__(
            instructions="You take orders for a bakery, on the phone. Ask for a name, then note the order. Be brief."
        )
        self.orders: list[tuple[str, int]] = []

    async def on_enter(self) -> None:
        self.session.say("Good morning, this is the bakery. Who is calling?")

    @function_tool
    async def note_order(self, name: str, cakes: int) -> str:
        """Write an order down.

        Args:
            name: who orders.
            cakes: how many.
        """
        self.orders.append((name, cakes))
        return f"noted: {cakes} for {name}"
