"""Azure AI Speech over REST, each request under a Grant. The host decides the region: ``westeurope.stt.speech.microsoft.com``.

Microsoft's own client is a closed library with connections of its own, at which nobody could look; this is the same service.

Source: https://learn.microsoft.com/en-us/azure/ai-services/speech-service/rest-speech-to-text-short,
https://learn.microsoft.com/en-us/azure/ai-services/speech-service/rest-text-to-speech.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterator
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from gateway.adapters.providers.granted import Outlet
from gateway.adapters.providers.locales import locale
from gateway.audio import resample, wav
from gateway.errors import PolicyRefused, UpstreamFailed
from gateway.outgoing import RequestShape
from gateway.policy.egress import Grant
from gateway.values import Hop, Pcm, Private, Transcribed

DIALECT = "azure-speech"
HEARING_HZ = 16_000
SPEAKING_HZ = 24_000
_KEY = "Ocp-Apim-Subscription-Key"
_MODES = ("conversation", "dictation", "interactive")
_NOTHING = frozenset({"NoMatch", "InitialSilenceTimeout", "BabbleTimeout"})
_TICKS_PER_MS = 10_000
_VOICE = re.compile(r"([a-z]{2,3}-[A-Z]{2})-[A-Za-z0-9:-]{1,60}")
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML document may hold, not even escaped (XML 1.0, section 2.2)."""


class AzureEar:
    """Implements ``gateway.ports.TimedSpeechToText``. Its models are modes: ``conversation``, ``dictation``, ``interactive``."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet

    async def transcribe(self, grant: Grant, speech: Private[Pcm], *, language: str) -> Private[str]:
        """Raises as ``transcribe_words``."""
        return (await self.transcribe_words(grant, speech, language=language)).text

    async def transcribe_words(self, grant: Grant, speech: Private[Pcm], *, language: str) -> Transcribed:
        """One stretch of up to 60 s. Raises PolicyRefused for another Grant; else UpstreamFailed or UpstreamTimeout."""
        _require(grant, Hop.STT)
        if grant.model not in _MODES:
            raise PolicyRefused(f"{grant.model} is no mode of {grant.processor}", hint=f"write model: {_MODES[0]}")
        asked = {"language": locale(grant, language), "format": "detailed", "wordLevelTimestamps": "true"}
        shape = RequestShape(
            path=f"/speech/recognition/{grant.model}/cognitiveservices/v1", key_header=_KEY, must=asked, raw=True
        )
        line = self._outlet.line(grant, shape)
        headers = {_KEY: line.key(), "Content-Type": f"audio/wav; codecs=audio/pcm; samplerate={HEARING_HZ}"}
        query = "&".join(f"{name}={value}" for name, value in asked.items())
        audio = wav(resample(speech.reveal(), HEARING_HZ))
        async with line.post(f"{line.base_url}{shape.path}?{query}", data=audio, headers=headers) as answer:
            found = await answer.json()
        try:
            if found["RecognitionStatus"] in _NOTHING:
                return Transcribed(Private(""))
            best = found["NBest"][0]
            return Transcribed.of(str(best["Display"]), list(_words(best.get("Words", ()))))
        except (KeyError, TypeError, IndexError, AttributeError):
            raise UpstreamFailed(f"the answer of {grant.processor} is no transcription") from None


def _words(words: list[dict[str, Any]]) -> Iterator[tuple[str, float, float]]:
    for word in words:
        start = word["Offset"] / _TICKS_PER_MS
        yield str(word["Word"]), start, start + word["Duration"] / _TICKS_PER_MS


class AzureVoice:
    """Implements ``gateway.ports.TextToSpeech``. The Grant's model is a voice: ``de-DE-KatjaNeural``."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet

    @property
    def rate(self) -> int:
        return SPEAKING_HZ

    async def speak(self, grant: Grant, text: Private[str], *, language: str) -> AsyncGenerator[Pcm, None]:
        """Pieces as they come. Raises PolicyRefused for another Grant; else UpstreamFailed or UpstreamTimeout."""
        _require(grant, Hop.TTS)
        if (named := _VOICE.fullmatch(grant.model)) is None:
            raise PolicyRefused(f"the route to {grant.processor} names no voice", hint="write model: de-DE-KatjaNeural")
        shape = RequestShape(
            path="/cognitiveservices/v1",
            key_header=_KEY,
            headers=frozenset({"x-microsoft-outputformat"}),
            raw=True,
            answers=("audio/", "application/octet-stream"),
        )
        line = self._outlet.line(grant, shape)
        headers = {
            _KEY: line.key(),
            "Content-Type": "application/ssml+xml",
            "X-Microsoft-OutputFormat": "raw-24khz-16bit-mono-pcm",
        }
        ssml = text.map(lambda words: _ssml(words, named[1], grant.model)).reveal()
        left, silent = b"", True
        async with line.post(f"{line.base_url}{shape.path}", data=ssml, headers=headers) as answer:
            async for piece, _ in answer.iter_chunks():
                whole = left + piece
                even = len(whole) // 2 * 2
                left = whole[even:]
                if even:
                    silent = False
                    yield Pcm(whole[:even], SPEAKING_HZ)
        if left or silent:
            raise UpstreamFailed(f"the speech of {grant.processor} is empty, or ends in half a sample")


def _ssml(words: str, language: str, voice: str) -> str:
    """The words as text, whatever they hold: a tag in them would be obeyed."""
    said = escape(_NOT_XML.sub(" ", words))
    return f'<speak version="1.0" xml:lang={quoteattr(language)}><voice name={quoteattr(voice)}>{said}</voice></speak>'


def _require(grant: Grant, hop: Hop) -> None:
    if grant.hop is not hop or grant.dialect != DIALECT:
        raise PolicyRefused(f"this Grant is for {grant.hop}/{grant.dialect}, not for {hop}/{DIALECT}")
