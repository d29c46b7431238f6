"""Every way around the guards that livekit-agents has, tried by an agent in a call. None gets a model or a room of its own.

What an agent does beyond livekit's API (a socket of its own, a private attribute) is for the network's allow-list to stop. The
room itself (text streams, typed text, sound from before the call, remote control) is tried in ``tests/agents``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, ClassVar

import pytest
from aiohttp import web
from livekit import rtc
from livekit.agents import Agent, AgentSession, AgentTask, function_tool, inference, llm, stt, tts

from gateway.errors import Misconfigured, PolicyRefused
from gateway.livekit import GuardedAgent
from gateway.ports import ChatDelta, ToolCall
from tests.adapters.conversation.processors import Processors, Script
from tests.adapters.conversation.test_session import conversation

WITHIN_S = 30


@pytest.fixture(autouse=True)
async def cloud(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[str]]:
    """LiveKit's cloud with its keys in the environment, as on a worker: whatever asks it for anything is noted. Nothing may."""
    asked: list[str] = []

    async def note(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=404)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", note)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    for name, value in {
        "LIVEKIT_URL": url.replace("http", "ws"),
        "LIVEKIT_API_KEY": "k" * 32,
        "LIVEKIT_API_SECRET": "s" * 32,
        "LIVEKIT_INFERENCE_URL": url,
        "OPENAI_API_KEY": "sk-test",
        "OPENAI_BASE_URL": url,
    }.items():
        monkeypatch.setenv(name, value)
    yield asked
    await runner.cleanup()
    assert asked == []


class Never(llm.LLM[str]):
    """A model that nobody may ask."""

    def chat(self, **_: Any) -> Any:
        raise AssertionError("asked")


class NeverRealtime(llm.RealtimeModel):
    """A model that would hear the caller's own voice."""

    def __init__(self) -> None:
        super().__init__(
            capabilities=llm.RealtimeCapabilities(
                message_truncation=False,
                turn_detection=True,
                user_transcription=True,
                auto_tool_reply_generation=True,
                audio_output=True,
                manual_function_calls=False,
            )
        )

    def session(self, *, turn_detection_disabled: bool = False) -> Any:
        raise AssertionError("asked")

    async def aclose(self) -> None:
        return


class NeverDuplex(llm.DuplexModel):
    """A model that would hear and speak at the same time."""

    def __init__(self) -> None:
        super().__init__(capabilities=llm.DuplexCapabilities(user_transcription=True, auto_tool_reply_generation=True))

    def session(self) -> Any:
        raise AssertionError("asked")

    async def aclose(self) -> None:
        return


class Bringing(GuardedAgent):
    """Goes around our own constructor, with a part of its own."""

    def __init__(self, **own: Any) -> None:
        Agent.__init__(self, instructions="x", **own)
        self._turns = None


def fallback() -> llm.FallbackAdapter:
    return llm.FallbackAdapter([Never(), Never()])


BRINGS: dict[str, Callable[[], Agent]] = {
    "a model by name (LiveKit Inference)": lambda: Bringing(llm="openai/gpt-4o"),
    "a recogniser by name": lambda: Bringing(stt="deepgram/nova-3"),
    "a voice by name": lambda: Bringing(tts="cartesia/sonic"),
    "Agent(llm=…)": lambda: Bringing(llm=Never()),
    "a realtime model": lambda: Bringing(llm=NeverRealtime()),
    "a duplex model": lambda: Bringing(llm=NeverDuplex()),
    "a fallback, which tells the failed one the conversation again": lambda: Bringing(llm=fallback()),
    "a fallback of recognisers": lambda: Bringing(stt=_fallback_ears()),
    "a fallback of voices": lambda: Bringing(tts=_fallback_voices()),
    "a detector of turns in LiveKit's cloud": lambda: Bringing(turn_detection=inference.TurnDetector()),
    "a detector of interruptions in LiveKit's cloud": lambda: Bringing(turn_handling={"interruption": {"mode": "adaptive"}}),
    "a plain agent": lambda: Agent(instructions="x"),
    "a plain agent with a model": lambda: Agent(instructions="x", llm="openai/gpt-4o"),
}


def _fallback_ears() -> stt.FallbackAdapter:
    return stt.FallbackAdapter([inference.STT("deepgram/nova-3"), inference.STT("cartesia/ink-whisper")])


def _fallback_voices() -> tts.FallbackAdapter:
    return tts.FallbackAdapter([inference.TTS("cartesia/sonic"), inference.TTS("inworld/inworld-tts-1")])


@pytest.mark.parametrize("agent", BRINGS.values(), ids=BRINGS.keys())
async def test_an_agent_with_a_part_of_its_own_takes_no_call(agent: Callable[[], Any]) -> None:
    async with conversation(agent) as talk:
        with pytest.raises(PolicyRefused):
            await talk.conversation.start()


@pytest.mark.parametrize("what", ["Agent(llm=…)", "a voice by name", "a realtime model", "a plain agent"])
async def test_nor_is_a_call_handed_over_to_one_by_a_tool(what: str) -> None:
    """The call ends as one that may not go on, and the caller is told."""

    class Handing(GuardedAgent):
        def __init__(self) -> None:
            super().__init__(instructions="x")

        @function_tool
        async def hand_over(self) -> Agent:
            """Hand over."""
            return BRINGS[what]()

    model = Processors(first=[ChatDelta(tool_calls=(ToolCall("c1", "hand_over", "{}"),))])
    async with conversation(Handing, ear=Script("somebody else please"), model=model) as talk:
        await talk.conversation.start()
        await talk.say()
        await talk.call.told.until(lambda: bool(talk.call.told.failures), WITHIN_S)
        assert talk.call.told.failures[0] == "policy_refused"


TRIES: dict[str, Callable[[GuardedAgent], Any]] = {
    "Agent.update_options(llm=…)": lambda agent: agent.update_options(llm="openai/gpt-4o"),
    "AgentSession.update_options(turn_detection=…)": lambda agent: agent.session.update_options(turn_detection="stt"),
    "AgentSession.update_agent(…)": lambda agent: agent.session.update_agent(Agent(instructions="x", llm=Never())),
    "AgentSession.start(record=True)": lambda agent: agent.session.start(agent, record=True),
    "AgentSession.start(room=…), which writes what is said into the room": lambda agent: agent.session.start(
        agent, room=rtc.Room()
    ),
    "AgentSession.start(session_host=True), which lets the room drive the session": lambda agent: agent.session.start(
        agent, session_host=True
    ),
    "AgentSession.generate_reply(user_input=…)": lambda agent: agent.session.generate_reply(user_input="I am Ada"),
    "AgentSession.run(user_input=…)": lambda agent: agent.session.run(user_input="I am Ada"),
}


@pytest.mark.parametrize("attempt", TRIES.values(), ids=TRIES.keys())
async def test_a_tool_cannot_change_the_call_it_is_in(attempt: Callable[[GuardedAgent], Any]) -> None:
    """It is refused where it tries, and the session is what it was."""
    refused: asyncio.Queue[PolicyRefused] = asyncio.Queue()

    class Trying(GuardedAgent):
        def __init__(self) -> None:
            super().__init__(instructions="x")

        @function_tool
        async def tries(self) -> None:
            """Try it."""
            try:
                done = attempt(self)
                await done if asyncio.iscoroutine(done) else done
            except PolicyRefused as error:
                refused.put_nowait(error)
                raise

    model = Processors(first=[ChatDelta(tool_calls=(ToolCall("c1", "tries", "{}"),))])
    async with conversation(Trying, ear=Script("do it"), model=model) as talk:
        await talk.conversation.start()
        parts = (talk.session.llm, talk.session.stt, talk.session.tts, talk.session.vad)
        await talk.say()
        async with asyncio.timeout(WITHIN_S):
            assert (await refused.get()).hint
        assert (talk.session.llm, talk.session.stt, talk.session.tts, talk.session.vad) == parts
        assert isinstance(talk.session.current_agent, Trying)


async def test_a_task_in_between_cannot_bring_a_model_either() -> None:
    class Asking(GuardedAgent):
        def __init__(self) -> None:
            super().__init__(instructions="x")

        async def on_enter(self) -> None:
            await AgentTask[None](instructions="plain", llm=Never())

    async with conversation(Asking) as talk:
        await talk.conversation.start()
        await talk.call.told.until(lambda: bool(talk.call.told.failures), WITHIN_S)
        assert talk.call.told.failures[0] == "policy_refused"


async def test_a_call_asks_livekits_cloud_for_nothing_and_keeps_no_record() -> None:
    """Turns and interruptions are found on this machine, with the cloud's keys at hand."""
    model = Processors(first=[ChatDelta("Hello.")])
    async with conversation(ear=Script("hello"), model=model) as talk:
        await talk.conversation.start()
        await talk.say()
        await talk.until_history(lambda kept: len(kept) >= 2)
        activity, session = talk.session._activity, talk.session
        assert activity is not None
        assert (activity._interruption_detector, activity._turn_detection) == (None, "vad")
        assert (session._recorder_io, session._session_host, session._room_io, session._recorded_events) == (None, None, None, [])


class Unguarded(GuardedAgent):
    """In a session that is not the gateway's."""

    entered: ClassVar[list[str]] = []

    def __init__(self) -> None:
        super().__init__(instructions="x")

    async def on_enter(self) -> None:
        try:
            self.session.say("hello")
        except Misconfigured as error:
            self.entered.append(error.hint)


async def test_a_guarded_agent_outside_of_the_gateway_does_not_pretend() -> None:
    """In a session of its own, with a model of its own, it neither says anything nor asks that model."""
    async with AgentSession[None](llm=Never()) as session:
        await session.start(Unguarded(), record=False)
        with pytest.raises(Exception, match="not in a call of the gateway's"):
            await session.run(user_input="hello")
    assert ["a guarded agent is started by the gateway" in hint for hint in Unguarded.entered] == [True]
