"""One guarded conversation per call on livekit-agents' AgentSession, without a room and without anything that could leak."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NoReturn

from livekit.agents import Agent, AgentSession, CloseEvent, CloseReason, inference
from livekit.agents.types import NOT_GIVEN
from livekit.agents.voice import TranscriptSynchronizer
from livekit.agents.voice.turn import TurnHandlingOptions

from gateway.adapters.conversation.agent import GuardedAgent
from gateway.adapters.conversation.ears import GuardedSTT
from gateway.adapters.conversation.mind import GuardedLLM
from gateway.adapters.conversation.phone import CallerInput, CallerOutput
from gateway.adapters.conversation.realtime import refuse_realtime
from gateway.adapters.conversation.scribe import Scribe, Uttered, spoken
from gateway.adapters.conversation.standing import of_dialect
from gateway.adapters.conversation.taking import AFTER_PAYMENT, Taking
from gateway.adapters.conversation.turns import CallTurns
from gateway.adapters.conversation.voice import GuardedTTS
from gateway.adapters.conversation.warm import warm_up
from gateway.call.payment import Ended
from gateway.errors import NoPermittedRoute, PolicyRefused, SordinoError
from gateway.policy.egress import Grant
from gateway.policy.regions import LOCAL
from gateway.ports import (
    ChatModel,
    Clock,
    ConversationEvents,
    Egress,
    Masker,
    Playout,
    SpanHandle,
    SpeechToText,
    Tape,
    Telemetry,
    TextToSpeech,
)
from gateway.tasks import TaskOwner
from gateway.values import DataCategory, Hop, Pcm, Private

log = logging.getLogger(__name__)

SILENCE_MS = 1_000
"""What the voice activity detector hears where the caller is not heard any more: long enough to end any speech."""

TURN_HANDLING = TurnHandlingOptions(
    # The defaults ask LiveKit's cloud for end-of-turn and barge-in, with the caller's audio: hidden egress.
    turn_detection="vad",
    endpointing={"mode": "fixed", "min_delay": 0.3, "max_delay": 3.0},
    interruption={
        "enabled": True,
        "mode": "vad",
        "min_duration": 0.1,
        "min_words": 0,
        "resume_false_interruption": False,
        "false_interruption_timeout": None,
    },
    # A speculative request is an egress that nobody needs.
    preemptive_generation={"enabled": False},
)


OWN_PARTS = ("stt", "llm", "tts", "vad", "turn_detection", "interruption_detection", "mcp_servers")
"""What livekit lets an agent bring that hears, thinks, speaks or connects by itself."""


class GuardedSession(AgentSession[None]):
    """AgentSession with the ways around the guards shut."""

    guard: CallTurns

    async def start(self, agent: Agent, **options: Any) -> Any:
        """Without a room, a recording or a remote control: a room would get what is said as text, a recording keeps it in clear.

        Raises:
            PolicyRefused: one of them is asked for, or the agent is not guarded.
        """
        if wished := [name.replace("_", " ") for name, value in options.items() if value is not NOT_GIVEN and value is not False]:
            raise PolicyRefused(
                f"a guarded session is started without {', '.join(wished)}", hint="the gateway joins rooms and records"
            )
        self._admit(agent)
        return await super().start(agent, record=False, session_host=False)

    def say(self, text: str | AsyncIterator[str], **options: Any) -> Any:  # type: ignore[override]
        """Say it; the history keeps the masked form."""
        return super().say(self._masked(text), **options)

    def generate_reply(self, **options: Any) -> Any:
        if options.get("user_input", NOT_GIVEN) is not NOT_GIVEN:
            raise PolicyRefused(
                "typed user input would enter the history unmasked", hint="let the caller speak, or mask it first"
            )
        return super().generate_reply(**options)

    def update_agent(self, agent: Agent) -> None:
        self._admit(agent)
        super().update_agent(agent)

    def update_options(self, **options: Any) -> NoReturn:
        raise PolicyRefused("a session cannot change its parts during a call", hint="put the processor into the tenant's route")

    def emit(self, event: Any, *args: Any) -> None:
        super().emit(event, *args)
        # livekit keeps every event of a call in memory for a report that we never make.
        self._recorded_events.clear()

    async def _update_activity(self, agent: Agent, **options: Any) -> None:
        self._admit(agent)
        await super()._update_activity(agent, **options)

    def _admit(self, agent: Agent) -> None:
        try:
            guard_agent(agent, self.guard)
        except PolicyRefused as error:
            # livekit hands over in a task of its own and would go on with nobody at the line.
            self.guard.failed(error)
            raise

    async def _masked(self, text: str | AsyncIterator[str]) -> AsyncIterator[str]:
        whole = text if isinstance(text, str) else "".join([piece async for piece in text])
        # The agent's own words: a placeholder in them is ours.
        yield await self.guard.masked(whole, ours=True, said=True)


def guard_agent(agent: Agent, turns: CallTurns) -> None:
    """Refuse an agent, also one handed over to, that would bring a model of its own. Raises PolicyRefused."""
    if not isinstance(agent, GuardedAgent):
        raise PolicyRefused("only a GuardedAgent may take a call", hint="derive it from gateway.livekit.GuardedAgent")
    for part in OWN_PARTS:
        if getattr(agent, part) is not NOT_GIVEN:
            named = part.replace("_", " ")
            raise PolicyRefused(f"the agent brings its own {named}", hint="put the processor into the tenant's route")
    agent.bind(turns)


@dataclass(frozen=True, slots=True)
class ConversationParts:
    """What every conversation of a gateway shares. ``stt``, ``tts`` and ``models`` by dialect."""

    stt: Mapping[str, SpeechToText]
    tts: Mapping[str, TextToSpeech]
    models: Mapping[str, ChatModel]
    vad_threads: ThreadPoolExecutor
    telemetry: Telemetry
    clock: Clock

    def __post_init__(self) -> None:
        # Parts are made once, before the first call: what livekit builds on first use is built here.
        warm_up()


class LiveKitConversation:
    """Implements ``gateway.ports.Conversation``."""

    def __init__(
        self,
        parts: ConversationParts,
        *,
        make_agent: Callable[[], GuardedAgent],
        language: str,
        open_masker: Callable[[], Awaitable[Masker]],
        egress: Egress,
        playout: Playout,
        events: ConversationEvents,
        call_span: SpanHandle,
        tape: Tape | None = None,
        prefers_masked_voice: bool = False,
        taking: Taking | None = None,
        scribe: Scribe | None = None,
    ) -> None:
        """``tape``: the recorder to tell what may be kept; None: nothing is recorded, or nothing is hidden in it.

        ``prefers_masked_voice``: the route names a voice that may have masked text only before those that may have more.
        ``scribe``: who writes down what is said, masked; None: nobody.
        """
        self._parts = parts
        self._tape = tape
        self._scribe = scribe
        self._prefers_masked_voice = prefers_masked_voice
        self._make_agent = make_agent
        self._language = language
        self._egress = egress
        self._playout = playout
        self._events = events
        self._open_masker = open_masker
        self._call_span = call_span
        self._taking = taking or Taking()
        self._turns: CallTurns | None = None
        self._tasks = TaskOwner("conversation", on_failure=lambda name, error: self._events.failed("internal"))
        self._input = CallerInput()
        self._session: GuardedSession | None = None
        self._synchronizer: TranscriptSynchronizer | None = None
        self._closing = False
        if self._taking.pauses is not None:
            self._taking.pauses.join(self)

    async def start(self) -> None:
        turns = self._turns = await self._new_turns()
        hear = await self._egress.grant(Hop.STT, frozenset({DataCategory.VOICE}))
        speak = await self._egress.grant(Hop.TTS, frozenset({DataCategory.TRANSCRIPT}))
        masked = await self._masked_voice(speak)
        stt, tts = self._parts.stt, self._parts.tts
        ear = GuardedSTT(of_dialect(stt, hear), hear, turns, language=self._language, others=stt)
        voice = GuardedTTS(of_dialect(tts, speak), speak, turns, language=self._language, others=tts, masked=masked)
        session = self._new_session(ear, voice, turns)
        output = CallerOutput(self._playout, self._tasks, turns.said)
        output.on("playback_started", self._sounds)
        self._synchronizer = TranscriptSynchronizer(next_in_chain_audio=output, next_in_chain_text=None)
        session.input.audio = self._input
        session.output.audio = self._synchronizer.audio_output
        session.output.transcription = self._synchronizer.text_output
        session.on("close", self._closed)
        if (scribe := self._scribe) is not None:
            turns.on_heard = lambda text: scribe.add(Uttered(turns, "caller", text))
            session.on("conversation_item_added", lambda event: spoken(turns, scribe, event))
        self._session = session
        agent = self._make_agent()
        await refuse_realtime(agent, self._egress)
        await session.start(agent, record=False)

    async def _masked_voice(self, speak: Grant) -> Grant | None:
        """The Grant of a voice that may have masked text only, where the tenant prefers it to one on this machine."""
        if not self._prefers_masked_voice or speak.region != LOCAL:
            return None
        try:
            masked = await self._egress.grant(Hop.TTS, frozenset({DataCategory.MASKED_TRANSCRIPT}))
        except NoPermittedRoute:
            return None
        return masked if masked.processor != speak.processor else None

    async def _new_turns(self) -> CallTurns:
        return CallTurns(
            masker=await self._open_masker(),
            egress=self._egress,
            events=self._events,
            telemetry=self._parts.telemetry,
            clock=self._parts.clock,
            call_span=self._call_span,
            on_failure=self._failed,
            tape=self._tape,
            taking=self._taking,
        )

    def _new_session(self, ear: GuardedSTT, voice: GuardedTTS, turns: CallTurns) -> GuardedSession:
        session = GuardedSession(
            stt=ear,
            llm=GuardedLLM(self._parts.models, turns),
            tts=voice,
            vad=inference.VAD(model="silero", min_silence_duration=0.25, executor=self._parts.vad_threads),
            turn_handling=TURN_HANDLING,
            stt_context_options={"forward_chat_context": False},
            tts_text_transforms=None,
            aec_warmup_duration=None,
            user_away_timeout=None,
            session_close_transcript_timeout=0.5,
        )
        session.guard = turns
        return session

    def hear(self, pcm: Private[Pcm]) -> None:
        self._input.hear(pcm)

    def pause(self, *, interrupt: bool) -> None:
        """Card data is expected: forget what was half heard, and begin no new sentence (``gateway.runner.payment``)."""
        self._input.fall_silent(SILENCE_MS)
        if interrupt and self._session is not None and self._session.current_speech is not None:
            self._session.interrupt(force=True)

    def resume(self, ended: Ended) -> None:
        """The line is open again. Whoever waits for it has its answer; else the agent is told."""
        if self._turns is not None:
            self._turns.last_said = ""
        agent = self._session.current_agent if self._session is not None else None
        if isinstance(agent, GuardedAgent) and not self._taking.waiting and ended in AFTER_PAYMENT:
            self._tasks.start(agent.on_payment(ended), name="payment")

    async def aclose(self) -> None:
        self._closing = True
        self._input.close()
        # Open segments end exactly once before the session closes, or its speeches would wait for ever.
        self._playout.clear()
        session, self._session = self._session, None
        if session is not None:
            await session.aclose()
        if self._synchronizer is not None:
            await self._synchronizer.aclose()
        await self._tasks.aclose()
        if self._turns is not None:
            self._turns.end()

    def _sounds(self, _event: object) -> None:
        if self._turns is not None:
            self._turns.turn.first_sound()

    def _failed(self, error: SordinoError) -> None:
        if not self._closing:
            self._events.failed(error.code)

    def _closed(self, event: CloseEvent) -> None:
        if self._closing:
            return
        if event.reason is CloseReason.ERROR:
            self._events.failed("internal")
        else:
            self._events.finished()
