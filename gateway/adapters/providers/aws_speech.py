"""Amazon Transcribe (streaming) and Amazon Polly, each request under a Grant and signed for the Grant's region.

AWS's own clients take keys, addresses and proxies from files and variables of the machine; this is the same service.

Source: https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html,
https://docs.aws.amazon.com/polly/latest/dg/API_SynthesizeSpeech.html.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import aiohttp
from yarl import URL

from gateway.adapters.providers.aws_events import EventBroken, event, read_event
from gateway.adapters.providers.aws_sign import ALGORITHM, Signer
from gateway.adapters.providers.granted import Outlet
from gateway.adapters.providers.locales import locale
from gateway.audio import resample
from gateway.errors import Misconfigured, PolicyRefused, UpstreamFailed, UpstreamTimeout
from gateway.outgoing import RequestShape
from gateway.policy.egress import Grant
from gateway.ports import Clock
from gateway.values import Hop, Pcm, Private, Transcribed

DIALECT = "aws-speech"
HEARING_HZ = 16_000
SPEAKING_HZ = 16_000
_PIECE_BYTES = HEARING_HZ // 5 * 2
"""200 ms: what Transcribe recommends to send at once."""
_WITHIN_S = 30.0
_PRESIGNED_S = 60
_SIGNATURE = frozenset(
    {
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-SignedHeaders",
        "X-Amz-Signature",
    }
)
_AUDIO = {":content-type": "application/octet-stream", ":event-type": "AudioEvent", ":message-type": "event"}
_ENGINES = ("standard", "neural", "long-form", "generative")


class TranscribeEar:
    """Implements ``gateway.ports.TimedSpeechToText``. The Grant's model is ``general``: there is no choice."""

    def __init__(self, outlet: Outlet, clock: Clock) -> None:
        self._outlet = outlet
        self._clock = clock

    async def transcribe(self, grant: Grant, speech: Private[Pcm], *, language: str) -> Private[str]:
        """Raises as ``transcribe_words``."""
        return (await self.transcribe_words(grant, speech, language=language)).text

    async def transcribe_words(self, grant: Grant, speech: Private[Pcm], *, language: str) -> Transcribed:
        """One stretch. Raises PolicyRefused for another Grant, Misconfigured for a secret that is no key of AWS; else
        UpstreamFailed or UpstreamTimeout, after 30 s at most.
        """
        _require(grant, Hop.STT)
        if grant.model != "general":
            raise PolicyRefused(f"{grant.processor} has no model {grant.model}", hint="write model: general")
        asked = {"language-code": locale(grant, language), "media-encoding": "pcm", "sample-rate": str(HEARING_HZ)}
        shape = RequestShape(
            path="/stream-transcription-websocket", key_header="", signed=True, must=asked, may=_SIGNATURE, socket=True
        )
        line = self._outlet.line(grant, shape)
        signer = Signer.of(grant, line.key(), "transcribe")
        url = signer.presigned(URL(f"{line.base_url}{shape.path}").with_query(asked), self._clock.now(), expires_s=_PRESIGNED_S)
        pcm = resample(speech.reveal(), HEARING_HZ)
        try:
            async with asyncio.timeout(_WITHIN_S):
                socket = await line.ws_connect(url)
                try:
                    return await _heard(grant, socket, pcm)
                finally:
                    await socket.close()
        except TimeoutError:
            raise UpstreamTimeout(f"{grant.processor} did not answer in time") from None
        except (aiohttp.ClientError, OSError, RuntimeError):
            raise UpstreamFailed(f"the answer of {grant.processor} was cut before its end") from None


async def _heard(grant: Grant, socket: aiohttp.ClientWebSocketResponse, pcm: Pcm) -> Transcribed:
    for at in range(0, len(pcm.samples), _PIECE_BYTES):
        await socket.send_bytes(event(_AUDIO, pcm.samples[at : at + _PIECE_BYTES]))
    await socket.send_bytes(event(_AUDIO, b""))  # the end of the audio
    texts: list[str] = []
    words: list[tuple[str, float, float]] = []
    try:
        async for message in socket:
            for best in _final(grant, message.data):
                texts.append(str(best["Transcript"]).strip())
                words += _words(best.get("Items", ()))
    except (EventBroken, KeyError, TypeError, IndexError, AttributeError, ValueError, RecursionError):
        raise UpstreamFailed(f"the answer of {grant.processor} is no transcription") from None
    if socket.close_code != aiohttp.WSCloseCode.OK:
        raise UpstreamFailed(f"the answer of {grant.processor} was cut before its end")
    return Transcribed.of(" ".join(text for text in texts if text), words)


def _final(grant: Grant, message: str | bytes) -> Iterator[dict[str, Any]]:
    """The best of each result that will not change any more."""
    if isinstance(message, str):
        raise EventBroken("it is text")
    headers, payload = read_event(message)
    if headers.get(":message-type") != "event":
        raise UpstreamFailed(f"{grant.processor} broke off with an exception")
    for result in json.loads(payload)["Transcript"]["Results"]:
        if not result["IsPartial"]:
            yield result["Alternatives"][0]


def _words(items: list[dict[str, Any]]) -> Iterator[tuple[str, float, float]]:
    for item in items:
        if item["Type"] == "pronunciation":
            yield str(item["Content"]), float(item["StartTime"]) * 1000, float(item["EndTime"]) * 1000


class PollyVoice:
    """Implements ``gateway.ports.TextToSpeech``. The Grant's model is an engine and a voice: ``neural/Vicki``."""

    def __init__(self, outlet: Outlet, clock: Clock) -> None:
        self._outlet = outlet
        self._clock = clock

    @property
    def rate(self) -> int:
        return SPEAKING_HZ

    async def speak(self, grant: Grant, text: Private[str], *, language: str) -> AsyncGenerator[Pcm, None]:
        """Pieces as they come. Raises as ``TranscribeEar``, and Misconfigured for a route without a voice."""
        _require(grant, Hop.TTS)
        engine, _, voice = grant.model.partition("/")
        if engine not in _ENGINES or not voice.isalnum():
            raise Misconfigured(f"the route to {grant.processor} names no engine and voice", hint="write model: neural/Vicki")
        must = {"Engine": engine, "OutputFormat": "pcm", "SampleRate": str(SPEAKING_HZ), "TextType": "text", "VoiceId": voice}
        shape = RequestShape(
            path="/v1/speech",
            key_header="authorization",
            key_prefix=f"{ALGORITHM} ",
            signed=True,
            must=must,
            may=frozenset({"Text"}),
            headers=frozenset({"x-amz-date"}),
            answers=("audio/pcm",),
        )
        line = self._outlet.line(grant, shape)
        body = {**must, "Text": text.reveal()}
        url = URL(f"{line.base_url}{shape.path}")
        # The very bytes that the line will send: it writes JSON as ``json.dumps`` does.
        headers = Signer.of(grant, line.key(), "polly").headers(url, json.dumps(body).encode(), self._clock.now())
        left, silent = b"", True
        async with line.post(url, json=body, headers=headers) as answer:
            async for piece, _ in answer.iter_chunks():
                whole = left + piece
                even = len(whole) // 2 * 2
                left = whole[even:]
                if even:
                    silent = False
                    yield Pcm(whole[:even], SPEAKING_HZ)
        if left or silent:
            raise UpstreamFailed(f"the speech of {grant.processor} is empty, or ends in half a sample")


def _require(grant: Grant, hop: Hop) -> None:
    if grant.hop is not hop or grant.dialect != DIALECT:
        raise PolicyRefused(f"this Grant is for {grant.hop}/{grant.dialect}, not for {hop}/{DIALECT}")
