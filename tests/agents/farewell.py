"""An agent that has nothing to say but goodbye, for the test that the gateway hangs up. Importable by its dotted path."""

from __future__ import annotations

from typing import ClassVar

from livekit.agents import JobContext, get_job_context

from gateway.adapters.conversation import GuardedAgent


class Farewell(GuardedAgent):
    """Says one word and ends the call."""

    jobs_seen: ClassVar[list[JobContext | None]] = []
    """What livekit's session knew of the job around it, call by call."""

    def __init__(self) -> None:
        super().__init__(instructions="Say goodbye.")

    async def on_enter(self) -> None:
        self.jobs_seen.append(get_job_context(required=False))
        await self.session.say("Goodbye.")
        self.session.shutdown()
