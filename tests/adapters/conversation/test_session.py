"""A whole guarded conversation without a room: what is heard, thought, spoken and kept, and every way around a guard shut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import pytest
from livekit.agents import Agent, AgentTask, RunContext, function_tool, llm

from gateway.adapters.conversation import ConversationParts, GuardedAgent, LiveKitConversation, PlainAgent
from gateway.adapters.conversation.phone import HEARING_HZ
from gateway.adapters.conversation.scribe import Scribe
from gateway.adapters.conversation.session import GuardedSession
from gateway.adapters.conversation.taking import Taking
from gateway.errors import NoPermittedRoute, PolicyRefused, StoreUnavailable, UpstreamFailed
from gateway.ports import ChatDelta, Masker, ToolCall
from gateway.runner.playout import PacedPlayout
from gateway.tasks import TaskOwner
from gateway.values import DataCategory, Hop, Pcm, Private
from tests.adapters.conversation.call import NAME, Call
from tests.adapters.conversation.processors import Mouth, Processors, Script
from tests.adapters.conversation.test_ears import said, silence

TURN = silence(300) + said("yes-correct.wav") + silence(900)
LONG = "Thank you, <PERSON_1>. " + "I am going to read you the whole list of our opening hours now. " * 6


class Phone:
    """A leg that plays what it is sent and returns every mark."""

    rate = 8_000
    acknowledges = "mark"

    def __init__(self) -> None:
        self.sent_ms = 0.0
        self.cleared = 0
        self.changed = asyncio.Event()
        self.playout: PacedPlayout | None = None

    async def send_audio(self, pcm: Pcm) -> None:
        self.sent_ms += pcm.ms
        self.changed.set()

    async def send_mark(self, name: str) -> None:
        assert self.playout is not None
        self.playout.mark_returned(name)

    async def send_clear(self) -> None:
        self.cleared += 1
        self.changed.set()

    async def events(self) -> AsyncIterator[Any]:
        return
        yield

    async def listen(self) -> None:
        return

    async def close(self) -> None:
        return

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not true():
                self.changed.clear()
                await self.changed.wait()


class Talk:
    """One conversation and everything around it."""

    def __init__(self, conversation: LiveKitConversation, call: Call, phone: Phone) -> None:
        self.conversation = conversation
        self.call = call
        self.phone = phone

    @property
    def session(self) -> GuardedSession:
        assert self.conversation._session is not None
        return self.conversation._session

    async def say(self, samples: bytes = TURN) -> None:
        for at in range(0, len(samples), 640):
            self.conversation.hear(Private(Pcm(samples[at : at + 640], HEARING_HZ)))
            if at % 6400 == 0:
                await asyncio.sleep(0)

    def history(self) -> list[tuple[str, str]]:
        return [(item.role, item.text_content or "") for item in self.session.history.items if isinstance(item, llm.ChatMessage)]

    async def until_history(self, true: Callable[[list[tuple[str, str]]], bool]) -> None:
        changed = asyncio.Event()
        self.session.on("conversation_item_added", lambda _: changed.set())
        async with asyncio.timeout(10):
            while not true(self.history()):
                changed.clear()
                await changed.wait()


@asynccontextmanager
async def conversation(
    agent: Callable[[], GuardedAgent] = lambda: PlainAgent("Be brief."),
    *,
    ear: Script | None = None,
    model: Processors | None = None,
    mouth: Mouth | None = None,
    call: Call | None = None,
    taking: Taking | None = None,
    scribe: Scribe | None = None,
) -> AsyncIterator[Talk]:
    call, phone, threads = call or Call(), Phone(), ThreadPoolExecutor(1)
    phone.playout = playout = PacedPlayout(phone, call.turns.clock)

    async def masker() -> Masker:
        return call.masker

    parts = ConversationParts(
        stt={"test": ear or Script()},
        tts={"test": mouth or Mouth()},
        models={"test": model or Processors()},
        vad_threads=threads,
        telemetry=call.telemetry,
        clock=call.turns.clock,
    )
    talk = LiveKitConversation(
        parts,
        make_agent=agent,
        language="en",
        open_masker=masker,
        egress=call.door,
        playout=playout,
        events=call.told,
        call_span=call.turns.call_span,
        taking=taking,
        scribe=scribe,
    )
    async with TaskOwner("test", on_failure=lambda name, error: call.told.failures.append(name)) as tasks:
        tasks.start(playout.run(), name="playout")
        try:
            yield Talk(talk, call, phone)
        finally:
            async with asyncio.timeout(10):
                await talk.aclose()
                await talk.aclose()
            threads.shutdown()


class TestATurn:
    async def test_goes_from_the_callers_words_to_the_callers_ear_and_only_masked_text_is_kept(self) -> None:
        model = Processors(first=[ChatDelta("Hello "), ChatDelta("<PERSON_1>, how can I help?")])
        ear, mouth = Script(f"my name is {NAME}"), Mouth()
        async with conversation(ear=ear, model=model, mouth=mouth) as talk:
            await talk.conversation.start()
            await talk.say()
            await talk.until_history(lambda kept: len(kept) >= 2)
            assert talk.history()[-2:] == [
                ("user", "my name is <PERSON_1>"),
                ("assistant", "Hello <PERSON_1>, how can I help?"),
            ]
            assert talk.call.told.failures == []
        assert mouth.words == f"Hello {NAME}, how can I help?"
        [(_, request)] = model.asked
        assert [(message.role, message.text) for message in request.messages] == [
            ("system", "Be brief."),
            ("user", "my name is <PERSON_1>"),
        ]

    async def test_asks_for_a_grant_before_each_part_exists(self) -> None:
        async with conversation() as talk:
            await talk.conversation.start()
            assert [(hop, categories) for hop, categories, _ in talk.call.door.asked] == [
                (Hop.STT, frozenset({DataCategory.VOICE})),
                (Hop.TTS, frozenset({DataCategory.TRANSCRIPT})),
            ]

    async def test_a_greeting_is_masked_in_the_history_and_spoken_whole(self) -> None:
        mouth = Mouth()
        async with conversation(lambda: PlainAgent("", f"Hello, this is {NAME} speaking."), mouth=mouth) as talk:
            await talk.conversation.start()
            await talk.until_history(lambda kept: bool(kept))
            assert talk.history() == [("assistant", "Hello, this is <PERSON_1> speaking.")]
        assert mouth.words == f"Hello, this is {NAME} speaking."

    async def test_a_tool_gets_the_name_and_the_model_does_not(self) -> None:
        seen = []

        class Bakery(GuardedAgent):
            def __init__(self) -> None:
                super().__init__(instructions="Take orders.")

            @function_tool
            async def note_order(self, context: RunContext[None], name: str) -> str:
                """Write an order down."""
                seen.append(name)
                return f"noted for {name}"

        class Model(Processors):
            def answer(self) -> None:
                self.answers["first"] = [ChatDelta("It is noted, <PERSON_1>.")]

        model = Model(first=[ChatDelta(tool_calls=(ToolCall("c1", "note_order", '{"name": "<PERSON_1>"}'),))])
        async with conversation(Bakery, ear=Script(f"it is for {NAME}"), model=model) as talk:
            await talk.conversation.start()
            talk.session.on("function_tools_executed", lambda _: model.answer())
            await talk.say()
            await talk.until_history(lambda kept: kept[-1:] == [("assistant", "It is noted, <PERSON_1>.")])
            assert NAME not in str([item.model_dump() for item in talk.session.history.items])
        assert seen == [NAME]
        assert NAME not in str([request for _, request in model.asked])

    async def test_no_event_is_kept_for_a_report(self) -> None:
        model = Processors(first=[ChatDelta("Hello.")])
        async with conversation(ear=Script("hello"), model=model) as talk:
            await talk.conversation.start()
            await talk.say()
            await talk.until_history(lambda kept: len(kept) >= 2)
            assert talk.session._recorded_events == []


class TestABargeIn:
    async def test_stops_the_voice_and_only_what_was_heard_is_kept_and_told_to_the_model(self) -> None:
        """Masked, and cut where the caller's ear was: not what the model wrote."""
        model = Processors(first=[ChatDelta(LONG)])
        ear, mouth = Script(f"I am {NAME}", "stop please"), Mouth(ms=1_000)
        async with conversation(ear=ear, model=model, mouth=mouth) as talk:
            await talk.conversation.start()
            await talk.say()
            await talk.phone.until(lambda: talk.phone.sent_ms > 1_500)
            model.answers["first"] = [ChatDelta("Good bye.")]
            await talk.say()
            await talk.phone.until(lambda: talk.phone.cleared > 0)
            sent_ms = talk.phone.sent_ms
            await talk.until_history(lambda kept: ("assistant", "Good bye.") in kept)
            [heard, _] = [text for role, text in talk.history() if role == "assistant"]
            assert talk.call.told.failures == []
        assert sent_ms < 3_000
        assert heard.startswith("Thank you, <PERSON_1>.")
        assert LONG.startswith(heard)
        assert len(heard) < len(LONG) / 2
        _, (_, request) = model.asked
        assert [message.text for message in request.messages if message.role == "assistant"] == [heard]


class TestFailsClosed:
    @pytest.mark.parametrize(
        ("parts", "code"),
        [
            ({"ear": Script(UpstreamFailed("broken"))}, "upstream_failed"),
            ({"ear": Script("hello"), "model": Processors(first=[UpstreamFailed("broken")])}, "upstream_failed"),
            (
                {"ear": Script("hello"), "model": Processors(first=[ChatDelta("Hello.")]), "mouth": Mouth(breaks_at=1)},
                "upstream_failed",
            ),
        ],
        ids=["ear", "mind", "voice"],
    )
    async def test_the_call_is_told_which_part_cannot_answer(self, parts: dict[str, Any], code: str) -> None:
        async with conversation(**parts) as talk:
            await talk.conversation.start()
            await talk.say()
            await talk.call.told.until(lambda: bool(talk.call.told.failures))
            assert talk.call.told.failures[0] == code

    @pytest.mark.parametrize("hop", [Hop.STT, Hop.TTS])
    async def test_it_does_not_start_without_a_grant(self, hop: Hop) -> None:
        route = {each: ("one",) for each in (Hop.STT, Hop.LLM, Hop.TTS) if each is not hop}
        ear = Script("never")
        async with conversation(ear=ear, call=Call(route=route)) as talk:
            with pytest.raises(NoPermittedRoute):
                await talk.conversation.start()
            await talk.say()
            assert talk.conversation._session is None
        assert ear.asked == []

    async def test_it_does_not_start_with_a_dialect_that_nobody_here_speaks(self) -> None:
        async with conversation(call=Call(dialect="klingon")) as talk:
            with pytest.raises(PolicyRefused, match="klingon"):
                await talk.conversation.start()

    async def test_it_does_not_start_without_its_mask(self) -> None:
        async def broken() -> Masker:
            raise StoreUnavailable("gone")

        async with conversation() as talk:
            talk.conversation._open_masker = broken
            with pytest.raises(StoreUnavailable):
                await talk.conversation.start()
            assert talk.call.door.asked == []

    async def test_after_it_was_closed_nothing_is_heard_and_no_failure_is_told(self) -> None:
        ear = Script("never")
        async with conversation(ear=ear) as talk:
            await talk.conversation.start()
            await talk.conversation.aclose()
            await talk.say()
        assert ear.asked == []
        assert talk.call.told.failures == []
        assert talk.call.told.ended == 0


class TestWaysAroundAGuard:
    @pytest.mark.parametrize(
        "agent", [lambda: Agent(instructions="x"), lambda: _Bringing()], ids=["a plain agent", "with its own model"]
    )
    async def test_an_agent_that_is_not_guarded_does_not_start(self, agent: Callable[[], Any]) -> None:
        async with conversation(agent) as talk:
            with pytest.raises(PolicyRefused):
                await talk.conversation.start()
            assert talk.call.told.failures[:1] in ([], ["policy_refused"])

    async def test_a_call_is_not_handed_over_to_a_plain_agent(self) -> None:
        """The call ends as one that may not go on: the caller is told."""
        async with conversation() as talk:
            await talk.conversation.start()
            with pytest.raises(PolicyRefused):
                talk.session.update_agent(Agent(instructions="x"))
            assert talk.call.told.failures == ["policy_refused"]
            assert isinstance(talk.session.current_agent, PlainAgent)

    async def test_nor_by_a_tool_that_returns_one(self) -> None:
        class Handing(GuardedAgent):
            def __init__(self) -> None:
                super().__init__(instructions="x")

            @function_tool
            async def human(self) -> Agent:
                """Hand over."""
                return Agent(instructions="plain")

        model = Processors(first=[ChatDelta(tool_calls=(ToolCall("c1", "human", "{}"),))])
        async with conversation(Handing, ear=Script("a human please"), model=model) as talk:
            await talk.conversation.start()
            await talk.say()
            await talk.call.told.until(lambda: bool(talk.call.told.failures))
            assert talk.call.told.failures == ["policy_refused"]

    async def test_nor_to_a_task_in_between(self) -> None:
        class Asking(GuardedAgent):
            def __init__(self) -> None:
                super().__init__(instructions="x")

            async def on_enter(self) -> None:
                await AgentTask[None](instructions="plain")

        async with conversation(Asking) as talk:
            await talk.conversation.start()
            await talk.call.told.until(lambda: bool(talk.call.told.failures))
            assert talk.call.told.failures[0] == "policy_refused"

    async def test_a_call_may_be_handed_over_to_a_guarded_agent(self) -> None:
        mouth = Mouth()
        async with conversation(mouth=mouth) as talk:
            await talk.conversation.start()
            talk.session.update_agent(PlainAgent("You are the second.", f"I am the second, {NAME}."))
            await talk.until_history(lambda kept: bool(kept))
            assert talk.history() == [("assistant", "I am the second, <PERSON_1>.")]
        assert mouth.words == f"I am the second, {NAME}."

    async def test_what_a_tool_tells_the_next_agent_is_masked_too(self) -> None:
        """A tool knows the caller's name and may put it into the instructions of the agent that takes over."""

        class First(GuardedAgent):
            def __init__(self) -> None:
                super().__init__(instructions="x")

            @function_tool
            async def hand_over(self, name: str) -> Agent:
                """Hand over."""
                return PlainAgent(f"You are now talking to {name}.", "This is the second.")

        model = Processors(first=[ChatDelta(tool_calls=(ToolCall("c1", "hand_over", '{"name": "<PERSON_1>"}'),))])
        async with conversation(First, ear=Script(f"I am {NAME}", "hello?"), model=model) as talk:
            await talk.conversation.start()
            await talk.say()
            await talk.until_history(lambda kept: ("assistant", "This is the second.") in kept)
            model.answers["first"] = [ChatDelta("Here I am.")]
            await talk.say()
            await talk.until_history(lambda kept: kept[-1:] == [("assistant", "Here I am.")])
        _, request = model.asked[-1]
        assert request.messages[0].text == "You are now talking to <PERSON_1>."
        assert NAME not in str(request)

    async def test_typed_words_of_a_user_are_refused(self) -> None:
        async with conversation() as talk:
            await talk.conversation.start()
            with pytest.raises(PolicyRefused, match="unmasked"):
                talk.session.generate_reply(user_input=f"I am {NAME}")
            with pytest.raises(PolicyRefused, match="unmasked"):
                talk.session.run(user_input=f"I am {NAME}")
            assert NAME not in str(talk.history())

    async def test_an_agent_cannot_bring_another_detector_of_turns(self) -> None:
        """LiveKit's would get the caller's audio."""
        async with conversation() as talk:
            await talk.conversation.start()
            with pytest.raises(PolicyRefused):
                talk.session.update_options(turn_detection="stt")
            with pytest.raises(PolicyRefused):
                talk.session.current_agent.update_options(llm="openai/gpt-4o")

    async def test_nothing_is_asked_of_livekits_cloud(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Even where its keys stand in the environment: barge-in and turns are found on this machine."""
        for name, value in {
            "LIVEKIT_URL": "ws://127.0.0.1:9",
            "LIVEKIT_API_KEY": "k" * 32,
            "LIVEKIT_API_SECRET": "s" * 32,
        }.items():
            monkeypatch.setenv(name, value)
        async with conversation() as talk:
            await talk.conversation.start()
            activity = talk.session._activity
            assert activity is not None
            assert activity._interruption_detector is None
            assert activity._turn_detection == "vad"


class _Bringing(GuardedAgent):
    def __init__(self) -> None:
        Agent.__init__(self, instructions="x", llm=None)


async def test_a_call_leaves_nothing_behind() -> None:
    """No task of it lives on."""
    async with conversation(ear=Script("hello"), model=Processors(first=[ChatDelta("Hello.")])) as talk:
        await talk.conversation.start()
        await talk.say()
        await talk.until_history(lambda kept: len(kept) >= 2)
    own = asyncio.current_task()
    left = [task.get_name() for task in asyncio.all_tasks() if task is not own and not task.done()]
    assert left == []
