"""An agent that has nothing to say but goodbye, for the test that the gateway hangs up. Importable by its dotted path."""

from __future__ import annotations

from gateway.adapters.conversation import GuardedAgent


class Farewell(GuardedAgent):
    """Says one word and ends the call."""

    def __init__(self) -> None:
        super().__init__(instructions="Say goodbye.")

    async def on_enter(self) -> None:
        await self.session.say("Goodbye.")
        self.session.shutdown()
