"""OpenAI's speech endpoints at a processor: ``/audio/transcriptions`` and ``/audio/speech``, each under a Grant.

Source: https://platform.openai.com/docs/api-reference/audio.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from gateway.adapters.providers.exchange import Limits, Patience, check_kind, check_status, secret_key
from gateway.adapters.providers.outbound import TlsContexts, endpoint, require_safe_session, require_safe_tls, tls_contexts
from gateway.audio import wav
from gateway.errors import PolicyRefused, UpstreamFailed
from gateway.policy.egress import Grant
from gateway.ports import Secrets
from gateway.values import Hop, Pcm, Private

DIALECT = "openai"
SPEECH_HZ = 24_000
"""What ``response_format: pcm`` is sampled at."""
_MOST_TEXT = 1 << 20
_MOST_AUDIO = 64 << 20
_AUDIO_KINDS = frozenset({"audio/pcm", "audio/l16", "audio/raw", "application/octet-stream", "audio/x-pcm"})
_VOICE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_OURS = {
    Hop.STT: frozenset({"file", "model", "language", "response_format", "stream"}),
    Hop.TTS: frozenset({"input", "model", "response_format", "stream_format"}),
}


@dataclass(frozen=True, slots=True)
class _Line:
    """How a processor is reached."""

    session: aiohttp.ClientSession
    secrets: Secrets
    limits: Limits
    tls: TlsContexts

    @staticmethod
    def of(session: aiohttp.ClientSession, secrets: Secrets, limits: Limits | None, tls: TlsContexts | None = None) -> _Line:
        """Raises Misconfigured when the session is less strict than ours."""
        require_safe_session(session)
        tls = tls or tls_contexts()
        require_safe_tls(tls)
        return _Line(session, secrets, limits or Limits(), tls)

    @asynccontextmanager
    async def post(self, grant: Grant, path: str, **body: Any) -> AsyncGenerator[tuple[aiohttp.ClientResponse, Patience], None]:
        """One request, never repeated. Raises UpstreamFailed, UpstreamTimeout, UpstreamBusy, UpstreamRefused."""
        url, limits = endpoint(grant, path), self.limits
        patience = Patience(grant.processor, limits.whole_s)
        headers = {"Accept-Encoding": "identity", "User-Agent": "sordino"}
        if grant.secret is not None:
            headers["Authorization"] = f"Bearer {secret_key(self.secrets, grant.secret)}"
        timeout = aiohttp.ClientTimeout(total=None, connect=limits.connect_s, sock_connect=limits.connect_s)
        sending = self.session.post(
            url, headers=headers, timeout=timeout, ssl=self.tls.to(grant), allow_redirects=False, trace_request_ctx=grant, **body
        )
        try:
            response = await patience.wait(sending, limits.whole_s, "did not answer")
        except (aiohttp.ClientError, OSError, RuntimeError, ValueError) as error:
            raise self.tls.unreached(grant, error) from None
        try:
            check_status(response, grant.processor)
            yield response, patience
        finally:
            response.release() if response.content.at_eof() else response.close()

    async def pieces(
        self, response: aiohttp.ClientResponse, patience: Patience, grant: Grant, most: int
    ) -> AsyncGenerator[bytes, None]:
        taken = 0
        try:
            while piece := await patience.wait(response.content.readany(), self.limits.first_byte_s, "did not go on"):
                taken += len(piece)
                if taken > most:
                    raise UpstreamFailed(f"{grant.processor} sent more than {most} bytes")
                yield piece
        except (aiohttp.ClientError, OSError, ValueError):
            raise UpstreamFailed(f"the answer of {grant.processor} was cut before its end") from None


@dataclass(frozen=True, slots=True)
class OpenAISpeech:
    """Ears and voices over one session."""

    line: _Line

    @staticmethod
    def over(
        session: aiohttp.ClientSession, secrets: Secrets, *, limits: Limits | None = None, tls: TlsContexts | None = None
    ) -> OpenAISpeech:
        """``session`` must come from ``outbound_session``, ``tls`` from ``tls_contexts``. Raises Misconfigured otherwise."""
        return OpenAISpeech(_Line.of(session, secrets, limits, tls))

    def ear(self) -> OpenAIEar:
        return OpenAIEar(self.line)

    def voice(self, name: str) -> OpenAIVoice:
        """``name``: the voice to ask for where the processor's flags name none."""
        return OpenAIVoice(self.line, name)


class OpenAIEar:
    """Implements ``gateway.ports.SpeechToText``: a WAV file out, its text back."""

    def __init__(self, line: _Line) -> None:
        self._line = line

    async def transcribe(self, grant: Grant, speech: Private[Pcm], *, language: str) -> Private[str]:
        """The whole of it to text. Raises PolicyRefused for another Grant; else as an exchange."""
        flags = _checked(grant, Hop.STT)
        form = aiohttp.FormData()
        form.add_field("model", grant.model)
        form.add_field("language", language.split("-")[0])
        form.add_field("response_format", "json")
        for name, value in flags.items():
            form.add_field(name, value if isinstance(value, str) else json.dumps(value))
        # A name of ours: the client's may tell of somebody.
        form.add_field("file", speech.map(wav).reveal(), filename="speech.wav", content_type="audio/wav")
        async with self._line.post(grant, "/audio/transcriptions", data=form) as (response, patience):
            check_kind(response, grant.processor, "application/json")
            body = b"".join([piece async for piece in self._line.pieces(response, patience, grant, _MOST_TEXT)])
        try:
            text = json.loads(body)["text"]
        except (ValueError, KeyError, TypeError, RecursionError):
            text = None
        if not isinstance(text, str):
            raise UpstreamFailed(f"the answer of {grant.processor} is no transcription")
        return Private(text)


class OpenAIVoice:
    """Implements ``gateway.ports.TextToSpeech``, in one voice; ``rate`` is 24 kHz."""

    def __init__(self, line: _Line, voice: str) -> None:
        self._line = line
        self._voice = voice

    @property
    def rate(self) -> int:
        return SPEECH_HZ

    async def speak(self, grant: Grant, text: Private[str], *, language: str) -> AsyncGenerator[Pcm, None]:
        """Pieces as they come, whole samples each. Raises PolicyRefused for another Grant; else as an exchange."""
        flags = _checked(grant, Hop.TTS)
        voice = {"voice": self._voice} if _VOICE.fullmatch(self._voice) else {}
        body = {**voice, **flags, "model": grant.model, "input": text.reveal(), "response_format": "pcm"}
        async with self._line.post(grant, "/audio/speech", json=body) as (response, patience):
            if response.content_type not in _AUDIO_KINDS or response.headers.get("Content-Encoding", "identity") != "identity":
                raise UpstreamFailed(
                    f"{grant.processor} did not answer with raw audio", hint="it may not know response_format pcm"
                )
            left = b""
            async for piece in self._line.pieces(response, patience, grant, _MOST_AUDIO):
                whole = left + piece
                even = len(whole) // 2 * 2
                left = whole[even:]
                if even:
                    yield Pcm(whole[:even], SPEECH_HZ)
            if left:
                raise UpstreamFailed(f"the speech of {grant.processor} ends in half a sample")


def _checked(grant: Grant, hop: Hop) -> Mapping[str, object]:
    """The Grant's flags. Raises PolicyRefused when it is for something else, or they touch the words."""
    if grant.hop is not hop or grant.dialect != DIALECT:
        raise PolicyRefused(f"this Grant is for {grant.hop}/{grant.dialect}, not for {hop}/{DIALECT}")
    if grant.model in ("", "*"):
        raise PolicyRefused(f"this Grant for {grant.processor} names no model")
    if touched := sorted(_OURS[hop] & grant.send.keys()):
        raise PolicyRefused(f"the flags of {grant.processor} may not set {', '.join(touched)}")
    return grant.send
