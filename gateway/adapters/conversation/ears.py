"""The guarded ear: caller's speech in, masked text out. Clear text never reaches livekit-agents."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import webrtcvad
from livekit import rtc
from livekit.agents import APIConnectOptions, stt
from livekit.agents.language import LanguageCode
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, NotGivenOr
from livekit.agents.utils import AudioBuffer

from gateway.adapters.conversation.phone import AT_MS, HEARING_HZ
from gateway.adapters.conversation.standing import Hearing, Standing
from gateway.adapters.conversation.turns import CallTurns
from gateway.errors import SordinoError
from gateway.policy.egress import Grant
from gateway.ports import SpeechToText
from gateway.redaction.audio_spans import HeardSpeech, numbers_in, taken_out
from gateway.tasks import TaskOwner
from gateway.values import MaskedText, Pcm, Private, Transcribed

Heard = asyncio.Queue["tuple[Stretch, asyncio.Task[Transcribed]] | None"]
"""Whole stretches with the recognition of each, which may still be under way; None: no more will come."""

FRAME_MS = 20
FRAME_BYTES = HEARING_HZ * FRAME_MS // 1000 * 2


@dataclass(frozen=True, slots=True)
class Listening:
    """When a stretch of speech begins and ends. Times in ms."""

    before_ms: int = 300
    """Kept from before the first voiced frame, so that no first consonant is lost."""
    onset_ms: int = 60
    pause_ms: int = 240
    """After so much silence recognition begins, in case nothing more comes."""
    silence_ms: int = 700
    """Digits are read with pauses: shorter, and a card number falls apart."""
    longest_ms: int = 30_000
    aggressiveness: int = 2


@dataclass(frozen=True, slots=True)
class Stretch:
    """Speech up to a pause. ``whole``: the pause was long enough to end it; ``silent_ms`` of silence followed its last sound."""

    pcm: Pcm
    whole: bool
    silent_ms: int
    start_ms: float = 0.0
    """Where it begins and ends in what was heard, its silence included."""
    end_ms: float = 0.0
    sure: bool = True
    """Whether every frame in it said where it belongs, each behind the one before."""


class StretchCutter:
    """Cuts a stream of 16 kHz frames into stretches of speech by voice activity.

    A stretch comes twice: at its first pause (``whole`` false), and, if nothing more was said, the very same audio when it has
    ended (``whole`` true).
    """

    def __init__(self, how: Listening) -> None:
        self._how = how
        self._vad = webrtcvad.Vad(how.aggressiveness)
        self._rest = bytearray()
        self._before: deque[tuple[bytes, bool, float, bool]] = deque(maxlen=how.before_ms // FRAME_MS)
        """Frames, whether each is voiced, where it begins, and whether that is sure."""
        self._speech = bytearray()
        self._silent_ms = 0
        self._at_ms = 0.0
        """Where the first frame that was not cut yet begins."""
        self._start_ms = 0.0
        self._sure = False

    @property
    def speaking(self) -> bool:
        return bool(self._speech)

    @property
    def quiet_until_ms(self) -> float:
        """Nothing before this place can become part of a stretch that has not been cut yet."""
        if self._speech:
            return self._start_ms
        return self._before[0][2] if self._before else self._at_ms

    def push(self, samples: bytes, at_ms: float | None = None) -> list[Stretch]:
        """Take in audio of any length; what has paused or ended comes back. ``at_ms``: where it belongs in what was heard."""
        expected = self._at_ms + len(self._rest) / 2 / HEARING_HZ * 1000
        placed = at_ms is not None and abs(at_ms - expected) <= 1
        self._at_ms += at_ms - expected if at_ms is not None else 0
        self._rest += samples
        cut = []
        while len(self._rest) >= FRAME_BYTES:
            frame = bytes(self._rest[:FRAME_BYTES])
            del self._rest[:FRAME_BYTES]
            cut += self._frame(frame, placed=placed)
            self._at_ms += FRAME_MS
        return cut

    def end(self) -> list[Stretch]:
        """No more audio comes: what was being said is a stretch too."""
        return [self._cut(whole=True)] if self._speech else []

    def _frame(self, frame: bytes, *, placed: bool) -> list[Stretch]:
        voiced = self._vad.is_speech(frame, HEARING_HZ)
        if not self._speech:
            self._before.append((frame, voiced, self._at_ms, placed))
            if self._onset():
                self._start_ms = self._before[0][2]
                self._sure = all(sure for *_, sure in self._before)
                self._speech += b"".join(kept for kept, *_ in self._before)
                self._before.clear()
                self._silent_ms = 0
            return []
        self._speech += frame
        self._sure = self._sure and placed
        self._silent_ms = 0 if voiced else self._silent_ms + FRAME_MS
        spoken_ms = len(self._speech) // FRAME_BYTES * FRAME_MS
        if self._silent_ms >= self._how.silence_ms or spoken_ms >= self._how.longest_ms:
            return [self._cut(whole=True)]
        return [self._cut(whole=False)] if self._silent_ms == self._how.pause_ms else []

    def _onset(self) -> bool:
        needed = self._how.onset_ms // FRAME_MS
        recent = list(self._before)[-needed:]
        return len(recent) == needed and all(voiced for _, voiced, *_ in recent)

    def _cut(self, *, whole: bool) -> Stretch:
        # The same end both times, so that what was recognised at the pause holds for the whole.
        surplus = max(0, self._silent_ms - self._how.pause_ms)
        keep = len(self._speech) - surplus * HEARING_HZ // 1000 * 2
        pcm, until_ms = Pcm(bytes(self._speech[:keep]), HEARING_HZ), self._at_ms + FRAME_MS
        stretch = Stretch(pcm, whole, self._silent_ms, self._start_ms, until_ms, self._sure)
        if whole:
            self._speech.clear()
            self._silent_ms = 0
        return stretch


class GuardedSTT(stt.STT[str]):
    """One call's recogniser: streams final, masked transcripts only. Interim text does not exist outside of it."""

    def __init__(
        self,
        recogniser: SpeechToText,
        grant: Grant,
        turns: CallTurns,
        *,
        language: str,
        how: Listening | None = None,
        others: Mapping[str, SpeechToText] | None = None,
    ) -> None:
        """``others``: who may be asked, by dialect, when the Grant's processor fails; each under a Grant of its own."""
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=False, offline_recognize=False))
        standing = Standing(turns.egress, grant)
        self._hearing = Hearing({**(others or {}), grant.dialect: recogniser}, standing, language=language)
        self._turns = turns
        self._language = language
        self._how = how or Listening()

    @property
    def deaf(self) -> bool:
        """Whether nothing may be heard now, nor kept of what was half heard."""
        return self._turns.taking.blind

    @property
    def model(self) -> str:
        return self._hearing.grant.model

    @property
    def provider(self) -> str:
        return str(self._hearing.grant.processor)

    async def _recognize_impl(
        self, buffer: AudioBuffer, *, language: NotGivenOr[str] = NOT_GIVEN, conn_options: APIConnectOptions
    ) -> stt.SpeechEvent:
        speech = rtc.combine_audio_frames(buffer)
        stretch = Stretch(Pcm(bytes(speech.data), speech.sample_rate), whole=True, silent_ms=0)
        return await self.understood(stretch, self.recognise(stretch))

    def stream(
        self, *, language: NotGivenOr[str] = NOT_GIVEN, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> GuardedRecognition:
        return GuardedRecognition(self, conn_options=conn_options)

    def cutter(self) -> StretchCutter:
        return StretchCutter(self._how)

    async def recognise(self, stretch: Stretch) -> Transcribed:
        """The words of one stretch, unmasked: they do not leave this room. Their times only where a recorder wants them."""
        return await self._hearing.transcribe(Private(stretch.pcm), timed=self._turns.tape is not None)

    async def understood(self, stretch: Stretch, words: Awaitable[Transcribed]) -> stt.SpeechEvent:
        """The caller has said something: a turn begins, and its words are masked."""
        turn = self._turns.next_turn(silent_s=stretch.silent_ms / 1000)
        with turn.stage("listen"):
            heard = await words
        text = await turn.mask(heard.text)
        if not self.deaf:
            self._tell(stretch, heard, text)
        data = stt.SpeechData(language=LanguageCode(self._language), text=text, confidence=1.0)
        return stt.SpeechEvent(type=stt.SpeechEventType.FINAL_TRANSCRIPT, alternatives=[data])

    def _tell(self, stretch: Stretch, heard: Transcribed, masked: MaskedText) -> None:
        if self._turns.tape is not None:
            private = taken_out(heard.text, masked) if stretch.sure else None
            if private is not None:
                private = [*private, *numbers_in(heard.text, self._language)]
            speech, masker = Private(stretch.pcm), self._turns.masker
            self._turns.tape.understood(
                HeardSpeech(
                    start_ms=stretch.start_ms,
                    end_ms=stretch.end_ms,
                    pcm=speech,
                    text=heard.text,
                    private=private,
                    words=heard.words,
                    still=lambda: masker.current(masked) == masked,
                )
            )

    def settled(self, until_ms: float) -> None:
        """Everything before that place was understood, or never will be."""
        if self._turns.tape is not None:
            self._turns.tape.settled(until_ms)

    async def read_ahead(self, words: Awaitable[Transcribed]) -> None:
        """What was heard so far, read by the mask as it grows. A failure here is for ``understood`` to tell."""
        with suppress(SordinoError):
            # Giving up the reading does not give up the words.
            await self._turns.ahead((await asyncio.shield(words)).text)

    def broke(self, error: SordinoError) -> None:
        self._turns.failed(error)


class GuardedRecognition(stt.RecognizeStream):
    """The stream of one ear: cuts, recognises in order, and keeps listening while it recognises.

    Recognition begins at a pause, so at the end of the turn the words are there already, and have been read by the mask. If the
    caller goes on, they are thrown away: what is masked and answered is always a whole stretch.
    """

    def __init__(self, ear: GuardedSTT, *, conn_options: APIConnectOptions) -> None:
        super().__init__(stt=ear, conn_options=conn_options)
        self._ear = ear
        self._early: tuple[bytes, asyncio.Task[Transcribed]] | None = None
        self._open: deque[float] = deque()
        """Where each stretch begins that is being recognised or masked."""
        self._reading: asyncio.Task[None] | None = None

    async def _run(self) -> None:
        whole: Heard = asyncio.Queue(maxsize=16)
        async with TaskOwner("ear", on_failure=lambda name, error: None) as recognising, asyncio.TaskGroup() as both:
            both.create_task(self._cut(whole, recognising), name="ear:cut")
            both.create_task(self._answer(whole), name="ear:answer")

    async def _cut(self, whole: Heard, recognising: TaskOwner) -> None:
        cutter = self._ear.cutter()
        async for frame in self._frames():
            if self._ear.deaf:
                cutter = self._ear.cutter()
                self._forget(whole)
                continue
            was_speaking = cutter.speaking
            for stretch in cutter.push(bytes(frame.data), frame.userdata.get(AT_MS)):
                await self._take(stretch, whole, recognising)
            self._ear.settled(min(self._open[0] if self._open else cutter.quiet_until_ms, cutter.quiet_until_ms))
            if cutter.speaking and not was_speaking:
                self._event_ch.send_nowait(stt.SpeechEvent(type=stt.SpeechEventType.START_OF_SPEECH))
        for stretch in cutter.end():
            await self._take(stretch, whole, recognising)
        await whole.put(None)

    def _forget(self, whole: Heard) -> None:
        """What was said so far and is not understood yet is nobody's business any more."""
        early, self._early = self._early, None
        waiting = [early[1]] if early is not None else []
        while not whole.empty():
            if (said := whole.get_nowait()) is not None:
                waiting.append(said[1])
                self._open.pop()
        for words in waiting:
            words.cancel()

    async def _take(self, stretch: Stretch, whole: Heard, recognising: TaskOwner) -> None:
        early, self._early = self._early, None
        same = early is not None and early[0] == stretch.pcm.samples
        words = early[1] if early and same else recognising.start(self._ear.recognise(stretch), name="stretch")
        if early and not same:
            early[1].cancel()
        if stretch.whole:
            self._open.append(stretch.start_ms)
            await whole.put((stretch, words))
        else:
            self._early = (stretch.pcm.samples, words)
            self._so_far(words, recognising)

    def _so_far(self, words: asyncio.Task[Transcribed], tasks: TaskOwner) -> None:
        """Interim words, from a pause or from a recogniser that streams them: what is read of older ones is given up."""
        if self._reading is not None:
            self._reading.cancel()
        self._reading = tasks.start(self._ear.read_ahead(words), name="interim")

    async def _answer(self, whole: Heard) -> None:
        while (next_one := await whole.get()) is not None:
            try:
                event = await self._ear.understood(*next_one)
            except SordinoError as error:
                # Fail closed: what was said is dropped, and the call learns which part of it cannot answer.
                self._ear.broke(error)
                continue
            finally:
                self._open.popleft()
            if event.alternatives[0].text:
                self._event_ch.send_nowait(event)
            self._event_ch.send_nowait(stt.SpeechEvent(type=stt.SpeechEventType.END_OF_SPEECH))

    async def _frames(self) -> AsyncIterator[rtc.AudioFrame]:
        async for item in self._input_ch:
            if isinstance(item, rtc.AudioFrame):
                yield item
