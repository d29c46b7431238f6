"""Speech on this machine: moonshine hears, hibari speaks, each in processes of its own. Nothing is downloaded, nothing leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from types import TracebackType

from gateway.adapters.speech import inside
from gateway.adapters.speech.sentences import readable, sentences
from gateway.adapters.speech.worker import Pool
from gateway.errors import PolicyRefused, UpstreamFailed
from gateway.policy.egress import Grant
from gateway.values import Hop, Pcm, Private

LONGEST_SPEECH_S = 60.0
_SLOWEST_HZ, _FASTEST_HZ = 8_000, 96_000
_TRANSCRIBE_LEAST_S, _TRANSCRIBE_TIMES = 5.0, 1.0
_SPEAK_LIMIT_S = 5.0
_READ_OUT_LIMIT_S = 20.0


def _require(grant: Grant, hop: Hop, dialect: str) -> None:
    if grant.hop is not hop or grant.dialect != dialect:
        raise PolicyRefused(f"this Grant is for {grant.hop}/{grant.dialect}, not for {hop}/{dialect}")


def _require_english(language: str, who: str) -> None:
    if language.lower().replace("_", "-").split("-")[0] != "en":
        raise UpstreamFailed(f"{who} knows English only", hint="route this language to another processor")


class Moonshine:
    """Speech to text with moonshine's tiny English model. Implements ``gateway.ports.SpeechToText``."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def transcribe(self, grant: Grant, speech: Private[Pcm], *, language: str) -> Private[str]:
        """One stretch of speech (8 to 96 kHz, up to 60 s) to text; empty when nothing was said.

        Takes at most twice 5 s plus the length of the speech: once to wait for its turn, once to be done.

        Raises:
            PolicyRefused: the Grant is for another hop or dialect.
            UpstreamFailed: another language than English, a rate or length that it does not take, or the worker failed.
            UpstreamTimeout: it took too long.
        """
        _require(grant, Hop.STT, "moonshine")
        _require_english(language, "moonshine")
        pcm = speech.reveal()
        if not _SLOWEST_HZ <= pcm.rate <= _FASTEST_HZ or len(pcm.samples) % 2:
            raise UpstreamFailed(f"moonshine takes whole 16-bit samples at 8 to 96 kHz, not {pcm.rate} Hz")
        length_s = pcm.ms / 1000
        if length_s > LONGEST_SPEECH_S:
            raise UpstreamFailed(
                f"moonshine does not take {length_s:.0f} s of speech at once", hint=f"send at most {LONGEST_SPEECH_S:.0f} s"
            )
        limit_s = _TRANSCRIBE_LEAST_S + _TRANSCRIBE_TIMES * length_s
        return Private(await self._pool.run(inside.transcribe, pcm.samples, pcm.rate, limit_s=limit_s))


class Hibari:
    """Text to speech with hibari's American English voice. Implements ``gateway.ports.TextToSpeech``."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @property
    def rate(self) -> int:
        return inside.HIBARI_HZ

    async def speak(self, grant: Grant, text: Private[str], *, language: str) -> AsyncGenerator[Pcm, None]:
        """One piece of audio a sentence, each made only when it is asked for: who stops listening stops the work.

        Raises:
            PolicyRefused: the Grant is for another hop or dialect.
            UpstreamFailed: another language than English, or the worker failed.
            UpstreamTimeout: a sentence took longer than 5 s, or waited that long for its turn.
        """
        _require(grant, Hop.TTS, "hibari")
        _require_english(language, "hibari")
        for sentence in sentences(text.reveal()):
            samples = await self._pool.run(inside.synthesize, readable(sentence), limit_s=_SPEAK_LIMIT_S)
            if samples:
                yield Pcm(samples, self.rate)

    async def read_out(self, words: str) -> Pcm:
        """An announcement of the policy files, whole. It needs no Grant: it is published text, and of no caller.

        The same words make the same audio. Raises UpstreamFailed or UpstreamTimeout: the worker failed, or a sentence took
        longer than 20 s.
        """
        spoken = [
            await self._pool.run(inside.synthesize, readable(sentence), 0, limit_s=_READ_OUT_LIMIT_S)
            for sentence in sentences(words)
        ]
        return Pcm(b"".join(spoken), self.rate)


class LocalSpeech:
    """The workers of one gateway process, shared by its calls: ``async with LocalSpeech() as speech: speech.stt, speech.tts``."""

    def __init__(self, *, stt_workers: int = 1, tts_workers: int = 1) -> None:
        self._hearing = Pool("moonshine", inside.warm_moonshine, stt_workers)
        self._speaking = Pool("hibari", inside.warm_hibari, tts_workers)
        self.stt = Moonshine(self._hearing)
        self.tts = Hibari(self._speaking)

    async def start(self) -> None:
        """Spawn the workers, load the models and use each once. Takes some seconds; raises UpstreamFailed or UpstreamTimeout."""
        try:
            await asyncio.gather(self._hearing.start(), self._speaking.start())
        except (UpstreamFailed, asyncio.CancelledError):
            await self.aclose()
            raise

    async def aclose(self) -> None:
        """End the workers, whatever they do. Safe to call twice."""
        await asyncio.gather(self._hearing.aclose(), self._speaking.aclose())

    async def __aenter__(self) -> LocalSpeech:
        await self.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()
