"""An agent that takes a card at once, for the journeys of payment pauses. Importable by its dotted path."""

from __future__ import annotations

from gateway.adapters.conversation import GuardedAgent
from gateway.call.payment import Ended


class Cashier(GuardedAgent):
    """Asks for a card in its first sentence, and says how that ended."""

    def __init__(self) -> None:
        super().__init__(instructions="Take the caller's card.")

    async def on_enter(self) -> None:
        self.session.say("Hello, and welcome. What card number would you like to use? I will wait for you.")

    async def on_payment(self, ended: Ended) -> None:
        self.session.say(f"The card was {ended.value}. What else can I do for you?")
