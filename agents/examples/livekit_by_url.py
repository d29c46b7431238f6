"""A LiveKit agent with a session of its own, guarded by base URL alone. What it asks of models goes through the gateway, masked.

    pip install "livekit-agents==1.8.9" "livekit-plugins-openai==1.8.9"
    SORDINO_URL=http://127.0.0.1:8080 SORDINO_KEY=… LIVEKIT_URL=… python -m agents.examples.livekit_by_url start

Room, ear and voice stay the team's own: the gateway cannot announce anything there, and what hears and speaks asks no policy. Who
wants that too takes ``livekit_guarded``.
"""

from __future__ import annotations

import os

from livekit.agents import Agent, AgentServer, AgentSession, JobContext, cli, function_tool
from livekit.agents.voice.room_io import RoomOptions
from livekit.plugins import openai


class Clerk(Agent):
    """A plain livekit agent: it knows nothing of the gateway. Its tool gets real values, also with a masked model behind it."""

    def __init__(self) -> None:
        super().__init__(instructions="You book appointments, on the phone. Ask for a name, then book. Be brief.")
        self.booked: list[str] = []

    @function_tool
    async def book(self, name: str) -> str:
        """Book an appointment.

        Args:
            name: for whom.
        """
        self.booked.append(name)
        return f"booked for {name}"


def model(url: str, key: str, call: str) -> openai.LLM:
    """The one line that is different. ``call``: one name a call, so that its placeholders stay the same from turn to turn."""
    return openai.LLM(model="default", base_url=f"{url}/v1", api_key=key, extra_headers={"X-Sordino-Call": call})


async def answer(job: JobContext) -> None:
    await job.connect()
    talk = AgentSession[None](
        llm=model(os.environ["SORDINO_URL"], os.environ["SORDINO_KEY"], job.room.name),
        # By default LiveKit's cloud is asked, with the caller's voice, when a turn is over.
        turn_handling={"turn_detection": "vad", "interruption": {"mode": "vad"}},
        # and here stt=… and tts=…, the plugins of your choice
    )
    # LiveKit would send what is said as text to everybody in the room, and keep a recording.
    options = RoomOptions(text_output=False, text_input=False)
    await talk.start(Clerk(), room=job.room, room_options=options, session_host=False, record=False)


def main() -> None:
    server = AgentServer()
    server.rtc_session(answer)
    cli.run_app(server)


if __name__ == "__main__":
    main()
