"""Who serves a hop of one call now, and who after him: a processor that fails is followed by the next permitted one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import TypeVar

from gateway.audio import Resampler
from gateway.errors import NoPermittedRoute, PolicyRefused, UpstreamFailed
from gateway.policy.egress import Grant
from gateway.ports import Egress, SpeechToText, TextToSpeech, TimedSpeechToText
from gateway.values import Pcm, Private, ProcessorId, Transcribed

T = TypeVar("T")


class Standing:
    """The Grant of a hop. Each processor gets one of its own, and who failed is not asked again on this call."""

    def __init__(self, egress: Egress, grant: Grant) -> None:
        self._egress = egress
        self.grant = grant
        self._failed: frozenset[ProcessorId] = frozenset()
        self._asking = asyncio.Lock()

    async def after(self, failed: Grant, why: UpstreamFailed) -> Grant:
        """The Grant for the next one. Raises ``why`` when nobody is left, else as ``Egress.grant``."""
        async with self._asking:
            if self.grant.processor != failed.processor:
                return self.grant
            excluding = self._failed | {failed.processor}
            try:
                # With the failed one's own categories: what he could not do, the next one does.
                self.grant = await self._egress.grant(failed.hop, failed.categories, excluding=excluding)
            except NoPermittedRoute:
                raise why from None
            self._failed = excluding
            return self.grant


class Hearing:
    """Speech of one call to text, whoever of the route does it."""

    def __init__(self, recognisers: Mapping[str, SpeechToText], standing: Standing, *, language: str) -> None:
        """``recognisers`` by dialect."""
        self._recognisers = recognisers
        self._standing = standing
        self._language = language

    @property
    def grant(self) -> Grant:
        return self._standing.grant

    async def transcribe(self, speech: Private[Pcm], *, timed: bool) -> Transcribed:
        """One stretch, with the times of its words where they are asked for and known.

        Raises UpstreamFailed or UpstreamTimeout when everybody failed, PolicyRefused for an unknown dialect.
        """
        grant = self._standing.grant
        while True:
            recogniser = of_dialect(self._recognisers, grant)
            try:
                if timed and isinstance(recogniser, TimedSpeechToText):
                    return await recogniser.transcribe_words(grant, speech, language=self._language)
                return Transcribed(await recogniser.transcribe(grant, speech, language=self._language))
            except UpstreamFailed as error:
                grant = await self._standing.after(grant, error)


class Speaking:
    """Sentences of one call to speech at one ``rate``, whoever of the route does it."""

    def __init__(self, speakers: Mapping[str, TextToSpeech], standing: Standing, *, language: str, rate: int) -> None:
        """``speakers`` by dialect; ``rate`` in Hz."""
        self._speakers = speakers
        self._standing = standing
        self._language = language
        self.rate = rate

    @property
    def grant(self) -> Grant:
        return self._standing.grant

    async def speak(self, text: Private[str]) -> AsyncGenerator[Pcm, None]:
        """One sentence. Another processor speaks it only where not a sound of it was given away yet.

        Raises UpstreamFailed or UpstreamTimeout when everybody failed, PolicyRefused for an unknown dialect.
        """
        grant, began = self._standing.grant, False
        while True:
            try:
                async with aclosing(self._spoken(grant, text)) as pieces:
                    async for pcm in pieces:
                        began = True
                        yield pcm
            except UpstreamFailed as error:
                if began:
                    raise
                grant = await self._standing.after(grant, error)
            else:
                return

    async def _spoken(self, grant: Grant, text: Private[str]) -> AsyncGenerator[Pcm, None]:
        speaker = of_dialect(self._speakers, grant)
        resampler = Resampler(speaker.rate, self.rate) if speaker.rate != self.rate else None
        async with aclosing(speaker.speak(grant, text, language=self._language)) as pieces:  # type: ignore[type-var]
            async for pcm in pieces:
                piece = resampler.push(pcm) if resampler else pcm
                if piece.samples:
                    yield piece
        if resampler and (rest := resampler.flush()).samples:
            yield rest

    async def whole(self, text: Private[str]) -> Pcm:
        """All of it at once. Raises as ``speak``."""
        async with aclosing(self.speak(text)) as pieces:
            return Pcm(b"".join([pcm.samples async for pcm in pieces]), self.rate)


def of_dialect(parts: Mapping[str, T], grant: Grant) -> T:
    """The adapter for a Grant. Raises PolicyRefused when there is none."""
    if grant.dialect not in parts:
        raise PolicyRefused(f"no adapter here speaks {grant.dialect!r}", hint=f"known: {', '.join(sorted(parts))}")
    return parts[grant.dialect]
