"""Speech-to-speech models: they hear the caller's own voice, so nothing of it could be masked on the way."""

from __future__ import annotations

from livekit.agents import Agent, llm

from gateway.errors import PolicyRefused
from gateway.ports import Egress
from gateway.values import DataCategory, Hop

HEARD = frozenset({DataCategory.VOICE, DataCategory.TRANSCRIPT})
"""What such a model has: the voice, and the words in it."""


async def refuse_realtime(agent: Agent, egress: Egress) -> None:
    """Refuse an agent that brings a speech-to-speech model, with the policy's reasons; the refusal is written down.

    Raises:
        NoPermittedRoute: the policy grants the caller's voice to no realtime processor, for each reason that is named.
        PolicyRefused: it grants it; but an agent's own object sends over a connection of its own, at which nobody could look.
    """
    if not isinstance(agent.llm, llm.RealtimeModel):
        return
    grant = await egress.grant(Hop.REALTIME, HEARD)
    raise PolicyRefused(
        f"the policy grants the caller's voice to {grant.processor}, but not over a connection that the agent makes by itself",
        hint="this version serves no speech-to-speech model: use route.stt, route.llm and route.tts",
        reasons=("what a model of the agent's own sends cannot be compared with its Grant",),
    )
