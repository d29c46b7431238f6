"""The guarded voice: restores what was masked, at the last moment, and speaks it. livekit-agents sees placeholders only."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from livekit.agents import APIConnectOptions, APIError, tokenize, tts
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS
from livekit.agents.utils import shortuuid

from gateway.adapters.conversation.turns import CallTurns
from gateway.errors import SordinoError
from gateway.policy.egress import Grant
from gateway.ports import TextToSpeech, TurnShown
from gateway.redaction.unmask import Unmasker
from gateway.values import Placeholder, Private


class GuardedTTS(tts.TTS[str]):
    """One call's voice."""

    def __init__(self, speaker: TextToSpeech, grant: Grant, turns: CallTurns, *, language: str) -> None:
        super().__init__(capabilities=tts.TTSCapabilities(streaming=True), sample_rate=speaker.rate, num_channels=1)
        self.speaker = speaker
        self.grant = grant
        self.turns = turns
        self.language = language

    @property
    def model(self) -> str:
        return self.grant.model

    @property
    def provider(self) -> str:
        return str(self.grant.processor)

    def synthesize(self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS) -> tts.ChunkedStream:
        return self._synthesize_with_stream(text, conn_options=APIConnectOptions(max_retry=0))

    def stream(self, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS) -> GuardedSpeech:
        return GuardedSpeech(self)


class GuardedSpeech(tts.SynthesizeStream):
    """One utterance: masked pieces in, sentence by sentence restored and spoken."""

    def __init__(self, voice: GuardedTTS) -> None:
        super().__init__(tts=voice, conn_options=APIConnectOptions(max_retry=0))
        self._voice = voice
        self._unmasker = Unmasker(self._restore)
        self._restored = False
        self._first = True

    def _restore(self, placeholder: Placeholder) -> Private[str] | None:
        value = self._voice.turns.restore(placeholder)
        self._restored = self._restored or value is not None
        return value

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        self._utterance = self._voice.turns.said.begin() if self._voice.turns.said is not None else None
        output_emitter.initialize(
            request_id=shortuuid(),
            sample_rate=self._voice.sample_rate,
            num_channels=1,
            mime_type="audio/pcm",
            frame_size_ms=20,
            stream=True,
        )
        output_emitter.start_segment(segment_id=shortuuid())
        sentences = tokenize.blingfire.SentenceTokenizer(retain_format=True).stream()
        async with asyncio.TaskGroup() as both:
            feeding = both.create_task(self._feed(sentences), name="voice:feed")
            failure = await self._speak(sentences, output_emitter)
            feeding.cancel()
        await sentences.aclose()
        output_emitter.end_segment()
        if failure is not None:
            self._voice.turns.failed(failure)
            raise APIError(failure.code, retryable=False)

    async def _feed(self, sentences: tokenize.SentenceStream) -> None:
        async for piece in self._input_ch:
            if isinstance(piece, str):
                sentences.push_text(piece)
        sentences.end_input()

    async def _speak(self, sentences: tokenize.SentenceStream, output_emitter: tts.AudioEmitter) -> SordinoError | None:
        try:
            self._voice.turns.last_said = ""
            async for sentence in sentences:
                self._voice.turns.last_said += sentence.token
                await self._say(self._unmasker.feed(sentence.token), output_emitter)
            await self._say(self._unmasker.flush(), output_emitter)
        except SordinoError as error:
            return error
        return None

    async def _say(self, text: Private[str], output_emitter: tts.AudioEmitter) -> None:
        if not text.reveal().strip():
            return
        voice, private = self._voice, self._restored
        self._restored = False
        turn = voice.turns.turn
        voice.turns.events.show(TurnShown("answered", text=text, facts={"turn": turn.number}))
        with turn.stage("speak"):
            async with aclosing(voice.speaker.speak(voice.grant, text, language=voice.language)) as pieces:  # type: ignore[type-var]
                async for pcm in pieces:
                    if self._first:
                        self._first = False
                        self._mark_started()
                    if self._utterance is not None:
                        self._utterance.add(pcm.samples, private=private)
                    output_emitter.push(pcm.samples)
