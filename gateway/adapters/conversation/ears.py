"""The guarded ear: caller's speech in, masked text out. Clear text never reaches livekit-agents."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

import webrtcvad
from livekit import rtc
from livekit.agents import APIConnectOptions, stt
from livekit.agents.language import LanguageCode
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, NotGivenOr
from livekit.agents.utils import AudioBuffer

from gateway.adapters.conversation.phone import HEARING_HZ
from gateway.adapters.conversation.turns import CallTurns
from gateway.errors import SordinoError
from gateway.policy.egress import Grant
from gateway.ports import SpeechToText
from gateway.values import Pcm, Private

FRAME_MS = 20
FRAME_BYTES = HEARING_HZ * FRAME_MS // 1000 * 2


@dataclass(frozen=True, slots=True)
class Listening:
    """When a stretch of speech begins and ends. Times in ms."""

    before_ms: int = 300
    """Kept from before the first voiced frame, so that no first consonant is lost."""
    onset_ms: int = 60
    silence_ms: int = 600
    """Digits are read with pauses: shorter, and a card number falls apart."""
    longest_ms: int = 30_000
    aggressiveness: int = 2


class StretchCutter:
    """Cuts a stream of 16 kHz frames into stretches of speech by voice activity."""

    def __init__(self, how: Listening) -> None:
        self._how = how
        self._vad = webrtcvad.Vad(how.aggressiveness)
        self._rest = bytearray()
        self._before: deque[tuple[bytes, bool]] = deque(maxlen=how.before_ms // FRAME_MS)
        self._speech = bytearray()
        self._silent_ms = 0

    @property
    def speaking(self) -> bool:
        return bool(self._speech)

    def push(self, samples: bytes) -> Pcm | None:
        """Take in audio of any length; a stretch comes back when it has just ended."""
        self._rest += samples
        ended: Pcm | None = None
        while len(self._rest) >= FRAME_BYTES:
            frame = bytes(self._rest[:FRAME_BYTES])
            del self._rest[:FRAME_BYTES]
            ended = self._frame(frame) or ended
        return ended

    def end(self) -> Pcm | None:
        """No more audio comes: what was being said is a stretch too."""
        return self._cut() if self._speech else None

    def _frame(self, frame: bytes) -> Pcm | None:
        voiced = self._vad.is_speech(frame, HEARING_HZ)
        if not self._speech:
            self._before.append((frame, voiced))
            if self._onset():
                self._speech += b"".join(kept for kept, _ in self._before)
                self._before.clear()
                self._silent_ms = 0
            return None
        self._speech += frame
        self._silent_ms = 0 if voiced else self._silent_ms + FRAME_MS
        spoken_ms = len(self._speech) / FRAME_BYTES * FRAME_MS
        if self._silent_ms >= self._how.silence_ms or spoken_ms >= self._how.longest_ms:
            return self._cut()
        return None

    def _onset(self) -> bool:
        needed = self._how.onset_ms // FRAME_MS
        recent = list(self._before)[-needed:]
        return len(recent) == needed and all(voiced for _, voiced in recent)

    def _cut(self) -> Pcm:
        keep = len(self._speech) - max(0, self._silent_ms - 200) * HEARING_HZ // 1000 * 2
        stretch = Pcm(bytes(self._speech[:keep]), HEARING_HZ)
        self._speech.clear()
        self._silent_ms = 0
        return stretch


class GuardedSTT(stt.STT[str]):
    """One call's recogniser: streams final, masked transcripts only. Interim text does not exist outside of it."""

    def __init__(
        self, recogniser: SpeechToText, grant: Grant, turns: CallTurns, *, language: str, how: Listening | None = None
    ) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=False, offline_recognize=False))
        self._recogniser = recogniser
        self._grant = grant
        self._turns = turns
        self._language = language
        self._how = how or Listening()

    @property
    def model(self) -> str:
        return self._grant.model

    @property
    def provider(self) -> str:
        return str(self._grant.processor)

    async def _recognize_impl(
        self, buffer: AudioBuffer, *, language: NotGivenOr[str] = NOT_GIVEN, conn_options: APIConnectOptions
    ) -> stt.SpeechEvent:
        speech = rtc.combine_audio_frames(buffer)
        return await self.understand(Pcm(bytes(speech.data), speech.sample_rate))

    def stream(
        self, *, language: NotGivenOr[str] = NOT_GIVEN, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> GuardedRecognition:
        return GuardedRecognition(self, conn_options=conn_options)

    def cutter(self) -> StretchCutter:
        return StretchCutter(self._how)

    async def understand(self, stretch: Pcm) -> stt.SpeechEvent:
        """Recognise and mask one stretch of speech."""
        turn = self._turns.next_turn()
        with turn.stage("listen"):
            heard = await self._recogniser.transcribe(self._grant, Private(stretch), language=self._language)
        text = await turn.mask(heard)
        data = stt.SpeechData(language=LanguageCode(self._language), text=text, confidence=1.0)
        return stt.SpeechEvent(type=stt.SpeechEventType.FINAL_TRANSCRIPT, alternatives=[data])

    def broke(self, error: SordinoError) -> None:
        self._turns.failed(error)


class GuardedRecognition(stt.RecognizeStream):
    """The stream of one ear: cuts, recognises in order, and keeps listening while it recognises."""

    def __init__(self, ear: GuardedSTT, *, conn_options: APIConnectOptions) -> None:
        super().__init__(stt=ear, conn_options=conn_options)
        self._ear = ear

    async def _run(self) -> None:
        stretches: asyncio.Queue[Pcm | None] = asyncio.Queue(maxsize=16)
        async with asyncio.TaskGroup() as both:
            both.create_task(self._cut(stretches), name="ear:cut")
            both.create_task(self._recognise(stretches), name="ear:recognise")

    async def _cut(self, stretches: asyncio.Queue[Pcm | None]) -> None:
        cutter = self._ear.cutter()
        async for frame in self._frames():
            was_speaking = cutter.speaking
            stretch = cutter.push(bytes(frame.data))
            if cutter.speaking and not was_speaking:
                self._event_ch.send_nowait(stt.SpeechEvent(type=stt.SpeechEventType.START_OF_SPEECH))
            if stretch is not None:
                await stretches.put(stretch)
        last = cutter.end()
        if last is not None:
            await stretches.put(last)
        await stretches.put(None)

    async def _recognise(self, stretches: asyncio.Queue[Pcm | None]) -> None:
        while (stretch := await stretches.get()) is not None:
            try:
                event = await self._ear.understand(stretch)
            except SordinoError as error:
                # Fail closed: what was said is dropped, and the call learns which part of it cannot answer.
                self._ear.broke(error)
                continue
            if event.alternatives[0].text:
                self._event_ch.send_nowait(event)
            self._event_ch.send_nowait(stt.SpeechEvent(type=stt.SpeechEventType.END_OF_SPEECH))

    async def _frames(self) -> AsyncIterator[rtc.AudioFrame]:
        async for item in self._input_ch:
            if isinstance(item, rtc.AudioFrame):
                yield item
