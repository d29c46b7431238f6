"""The guarded voice: restores what was masked, at the last moment, and speaks it. livekit-agents sees placeholders only."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from itertools import groupby

from livekit.agents import APIConnectOptions, APIError, tokenize, tts
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS
from livekit.agents.utils import shortuuid

from gateway.adapters.conversation.joining import fitted, loudness_of
from gateway.adapters.conversation.standing import Speaking, Standing
from gateway.adapters.conversation.turns import CallTurns
from gateway.errors import SordinoError
from gateway.policy.egress import Grant
from gateway.ports import TextToSpeech, TurnShown
from gateway.redaction.unmask import Part, Unmasker, joined
from gateway.values import Pcm, Private

_LEFT_OVER = " ,;:.!?…)"
"""What stands behind a restored word belongs to it, and begins no sentence."""
SILENT_MS = 40


class GuardedTTS(tts.TTS[str]):
    """One call's voice; or two, where the better one may have masked text only: then the other says the caller's own words."""

    def __init__(
        self,
        speaker: TextToSpeech,
        grant: Grant,
        turns: CallTurns,
        *,
        language: str,
        others: Mapping[str, TextToSpeech] | None = None,
        masked: Grant | None = None,
    ) -> None:
        """``others``: who may be asked, by dialect, when a Grant's processor fails; each under a Grant of its own.

        ``masked``: the Grant of a voice among ``others`` that says everything but the words that were restored.
        """
        super().__init__(capabilities=tts.TTSCapabilities(streaming=True), sample_rate=speaker.rate, num_channels=1)
        speakers = {**(others or {}), grant.dialect: speaker}
        self.turns = turns
        self.whole = Speaking(speakers, Standing(turns.egress, grant), language=language, rate=speaker.rate)
        self.masked: Speaking | None = None
        if masked is not None:
            self.masked = Speaking(speakers, Standing(turns.egress, masked), language=language, rate=speaker.rate)
        self.loudness = 0.0
        """Of the masked voice, so that the other one is as loud."""

    @property
    def model(self) -> str:
        return (self.masked or self.whole).grant.model

    @property
    def provider(self) -> str:
        return str((self.masked or self.whole).grant.processor)

    def synthesize(self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS) -> tts.ChunkedStream:
        return self._synthesize_with_stream(text, conn_options=APIConnectOptions(max_retry=0))

    def stream(self, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS) -> GuardedSpeech:
        return GuardedSpeech(self)


class GuardedSpeech(tts.SynthesizeStream):
    """One utterance: masked pieces in, sentence by sentence restored and spoken."""

    def __init__(self, voice: GuardedTTS) -> None:
        super().__init__(tts=voice, conn_options=APIConnectOptions(max_retry=0))
        self._voice = voice
        self._unmasker = Unmasker(voice.turns.restore)
        self._first = True

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
                if self._stops_at(sentence.token):
                    self._nothing(output_emitter)
                    return None
                self._voice.turns.last_said += sentence.token
                await self._say(self._unmasker.feed_parts(sentence.token), output_emitter)
            await self._say(self._unmasker.flush_parts(), output_emitter)
        except SordinoError as error:
            return error
        return None

    def _stops_at(self, sentence: str) -> bool:
        """Whether nothing more is said of this utterance: the call is blind, or goes blind because this asks for card data.

        The caller hears a recorded message in its place, so that nobody begins to say a card while somebody still listens.
        """
        taking = self._voice.turns.taking
        return taking.blind or (taking.pauses is not None and taking.pauses.asks(sentence))

    def _nothing(self, output_emitter: tts.AudioEmitter) -> None:
        """livekit takes an utterance without any sound for a failure of the voice."""
        if self._first:
            self._first = False
            output_emitter.push(bytes(2 * self._voice.sample_rate * SILENT_MS // 1000))

    async def _say(self, parts: list[Part], output_emitter: tts.AudioEmitter) -> None:
        text, voice = joined(parts), self._voice
        if not text.reveal().strip():
            return
        turn, private = voice.turns.turn, any(part.private for part in parts)
        voice.turns.events.show(TurnShown("answered", text=text, facts={"turn": turn.number}))
        with turn.stage("speak"):
            if voice.masked is not None and private:
                await self._say_apart(voice.masked, parts, output_emitter)
                return
            async with aclosing((voice.masked or voice.whole).speak(text)) as pieces:
                async for pcm in pieces:
                    self._push(pcm, output_emitter, private=private)

    async def _say_apart(self, masked: Speaking, parts: list[Part], output_emitter: tts.AudioEmitter) -> None:
        """The masked voice gets the words that were masked all along, and the other one those that were restored."""
        voice = self._voice
        for private, stretch in stretches(parts):
            spoken = await (voice.whole if private else masked).whole(stretch)
            if not private:
                voice.loudness = loudness_of(spoken) or voice.loudness
            self._push(fitted(spoken, voice.loudness if private else 0.0), output_emitter, private=private)

    def _push(self, pcm: Pcm, output_emitter: tts.AudioEmitter, *, private: bool) -> None:
        if self._first:
            self._first = False
            self._mark_started()
        if self._utterance is not None:
            self._utterance.add(pcm.samples, private=private)
        output_emitter.push(pcm.samples)


def stretches(parts: list[Part]) -> list[tuple[bool, Private[str]]]:
    """Whether private, and the text; neighbours of a kind are one. What has no word in it is said by nobody."""
    worded = [part for part in parts if any(map(str.isalnum, part.text.reveal()))]
    groups = groupby(worded, key=lambda part: part.private)
    return [
        (private, Private(" ".join(part.text.reveal().strip() for part in group).lstrip(_LEFT_OVER))) for private, group in groups
    ]
