"""Google's speech endpoints over REST, each request under a Grant. The host decides the region: ``eu-speech.googleapis.com``.

Google's own client speaks gRPC over a connection of its own, at which nobody could look; this is the same service.

Source: https://cloud.google.com/speech-to-text/docs/reference/rest/v1/speech/recognize,
https://cloud.google.com/text-to-speech/docs/reference/rest/v1/text/synthesize.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import AsyncGenerator, Iterator
from typing import Any

from gateway.adapters.providers.granted import Outlet
from gateway.adapters.providers.locales import locale
from gateway.audio import read_wav, resample
from gateway.errors import InvalidRequest, PolicyRefused, UpstreamFailed
from gateway.outgoing import RequestShape
from gateway.policy.egress import Grant
from gateway.values import Hop, Pcm, Private, Transcribed

DIALECT = "google-speech"
HEARING_HZ = 16_000
SPEAKING_HZ = 24_000
_KEY = "X-Goog-Api-Key"
_SECONDS = re.compile(r"(\d{1,5}(?:\.\d{1,9})?)s")
_VOICE = re.compile(r"([a-z]{2,3}-[A-Z]{2})-[A-Za-z0-9-]{1,60}")


class GoogleEar:
    """Implements ``gateway.ports.TimedSpeechToText``. Its models: ``latest_short``, ``telephony``…"""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet

    async def transcribe(self, grant: Grant, speech: Private[Pcm], *, language: str) -> Private[str]:
        """Raises as ``transcribe_words``."""
        return (await self.transcribe_words(grant, speech, language=language)).text

    async def transcribe_words(self, grant: Grant, speech: Private[Pcm], *, language: str) -> Transcribed:
        """One stretch of up to 60 s. Raises PolicyRefused for another Grant; else UpstreamFailed or UpstreamTimeout."""
        _require(grant, Hop.STT)
        must = {
            "encoding": "LINEAR16",
            "sampleRateHertz": HEARING_HZ,
            "languageCode": locale(grant, language),
            "model": grant.model,
            "enableWordTimeOffsets": True,
        }
        shape = RequestShape(
            path="/v1/speech:recognize",
            key_header=_KEY,
            must={f"config.{name}": str(value).lower() if value is True else str(value) for name, value in must.items()},
            may=frozenset({"config.enableAutomaticPunctuation", "audio.content"}),
        )
        pcm = resample(speech.reveal(), HEARING_HZ)
        audio = {"content": base64.b64encode(pcm.samples).decode("ascii")}
        body = {"config": {**must, "enableAutomaticPunctuation": True}, "audio": audio}
        found = await _asked(self._outlet, grant, shape, body)
        try:
            best = [result["alternatives"][0] for result in found.get("results", ())]
            return Transcribed.of(" ".join(str(each["transcript"]).strip() for each in best), list(_words(best)))
        except (KeyError, TypeError, IndexError, AttributeError):
            raise UpstreamFailed(f"the answer of {grant.processor} is no transcription") from None


def _words(best: list[dict[str, Any]]) -> Iterator[tuple[str, float, float]]:
    for each in best:
        for word in each.get("words", ()):
            yield str(word["word"]), _ms(word.get("startTime", "0s")), _ms(word["endTime"])


def _ms(seconds: Any) -> float:
    """``1.300s``; -1, which no word has, for anything else."""
    found = _SECONDS.fullmatch(seconds) if isinstance(seconds, str) else None
    return float(found[1]) * 1000 if found else -1.0


class GoogleVoice:
    """Implements ``gateway.ports.TextToSpeech``. The Grant's model is a voice: ``de-DE-Chirp3-HD-Charon``."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet

    @property
    def rate(self) -> int:
        return SPEAKING_HZ

    async def speak(self, grant: Grant, text: Private[str], *, language: str) -> AsyncGenerator[Pcm, None]:
        """A sentence in one piece. Raises PolicyRefused for another Grant; else UpstreamFailed or UpstreamTimeout."""
        _require(grant, Hop.TTS)
        named = _VOICE.fullmatch(grant.model)
        if named is None:
            raise PolicyRefused(f"the route to {grant.processor} names no voice", hint="write model: de-DE-Chirp3-HD-Charon")
        voice = {"languageCode": named[1], "name": grant.model}
        sound = {"audioEncoding": "LINEAR16", "sampleRateHertz": SPEAKING_HZ}
        shape = RequestShape(
            path="/v1/text:synthesize",
            key_header=_KEY,
            must={
                **{f"voice.{name}": value for name, value in voice.items()},
                **{f"audioConfig.{name}": str(value) for name, value in sound.items()},
            },
            may=frozenset({"input.text"}),
        )
        body = {"input": {"text": text.reveal()}, "voice": voice, "audioConfig": sound}
        found = await _asked(self._outlet, grant, shape, body)
        try:
            pcm = read_wav(base64.b64decode(found["audioContent"], validate=True))
        except (KeyError, TypeError, ValueError, binascii.Error, InvalidRequest):
            raise UpstreamFailed(f"the answer of {grant.processor} is no speech") from None
        if pcm.rate != SPEAKING_HZ or not pcm.samples:
            raise UpstreamFailed(f"{grant.processor} spoke in another format than it was asked for")
        yield pcm


async def _asked(outlet: Outlet, grant: Grant, shape: RequestShape, body: dict[str, Any]) -> dict[str, Any]:
    line = outlet.line(grant, shape)
    async with line.post(f"{line.base_url}{shape.path}", json=body, headers={_KEY: line.key()}) as answer:
        found = await answer.json()
    if not isinstance(found, dict):
        raise UpstreamFailed(f"the answer of {grant.processor} is not what it was asked for")
    return found


def _require(grant: Grant, hop: Hop) -> None:
    if grant.hop is not hop or grant.dialect != DIALECT:
        raise PolicyRefused(f"this Grant is for {grant.hop}/{grant.dialect}, not for {hop}/{DIALECT}")
    if grant.model in ("", "*"):
        raise PolicyRefused(f"this Grant for {grant.processor} names no model")
