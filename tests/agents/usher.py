"""An agent that hands every caller over to a person, for the journeys of transfers. Importable by its dotted path."""

from __future__ import annotations

from gateway.adapters.conversation import GuardedAgent


class Usher(GuardedAgent):
    """Says where the caller goes, and lets go of them."""

    def __init__(self) -> None:
        super().__init__(instructions="Hand the caller over.")

    async def on_enter(self) -> None:
        await self.session.say("A moment, please.")
        self.transfer_to_human()
