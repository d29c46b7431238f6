"""``POST /v1/audio/transcriptions`` and ``POST /v1/audio/speech``: OpenAI's wire format for speech.

Source: https://platform.openai.com/docs/api-reference/audio. What cannot be made honestly (subtitles, times of words) is refused
with a sentence. Field names of people's making, file names and hints to the recogniser go nowhere.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web

from gateway.audio import PACKED, packed, read_wav, wav
from gateway.errors import InvalidRequest, PayloadTooLarge, SordinoError, UpstreamFailed
from gateway.http.proxy.chat import openai_error
from gateway.http.proxy.door import Door, Request, facts_of
from gateway.http.proxy.fields import Fields
from gateway.runner.proxy.speech import Speaking, Speech, Transcript
from gateway.values import Pcm, Private

MASK = "X-Sordino-Mask"
MOST_FILE = 25 << 20
"""OpenAI's own bound."""
MOST_FIELD = 4_096
MOST_FIELDS = 32
MOST_INPUT = 4_096
MOST_SPEECH_S = 600
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z]{2,4})?")
_VOICE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_MEDIA = {
    "wav": "audio/wav",
    "pcm": "audio/pcm",
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
}
_EVENTS = {"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
_NO_TIMES = ("srt", "vtt", "diarized_json")


def audio_routes(door: Door, speech: Speech) -> list[web.RouteDef]:
    async def transcribe(request: Request) -> web.StreamResponse:
        return await answer_transcription(request, speech)

    async def speak(request: Request) -> web.StreamResponse:
        return await answer_speech(request, speech)

    return [
        web.post("/v1/audio/transcriptions", door.path("audio", transcribe, openai_error)),
        web.post("/v1/audio/speech", door.path("audio", speak, openai_error)),
    ]


# --- a recording in, its words out --------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Form:
    """A multipart form as it was read: one file, and short texts."""

    file: Private[bytes] | None = None
    texts: dict[str, list[str]] = field(default_factory=dict)

    def one(self, name: str) -> str:
        """The text of that name, or nothing. Raises InvalidRequest when there are two."""
        found = self.texts.get(name, [])
        if len(found) > 1:
            raise InvalidRequest(f"{name} stands twice in the form")
        return found[0].strip() if found else ""


async def answer_transcription(request: Request, speech: Speech) -> web.Response:
    form = await _form(request.http)
    kind = _transcript_format(form)
    language = form.one("language")
    if language and not _LANGUAGE.fullmatch(language):
        raise InvalidRequest("language in the request is not the code of a language", hint="write en, es, hi…")
    if form.file is None:
        raise InvalidRequest("the form has no file", hint="send a WAV file as `file`")
    pcm = form.file.map(_recording)
    model = Fields({"model": form.one("model")}).model()
    with request.while_connected():
        done = await speech.transcribe(
            request.tenant,
            request.conversation,
            pcm,
            language=language or request.tenant.language,
            model=model,
            masked=_wants_mask(request.http),
            subject=request.subject,
        )
    dropped = form.texts.keys() - {"model", "language", "response_format"}
    headers = facts_of(done.call, done.grant, done.masked, dropped)
    if kind == "text":
        return web.Response(text=done.text.reveal() + "\n", headers=headers)
    return web.json_response(_transcript(done, kind, pcm.reveal().ms, language or request.tenant.language), headers=headers)


def _transcript(done: Transcript, kind: str, length_ms: float, language: str) -> dict[str, Any]:
    body: dict[str, Any] = {"text": done.text.reveal()}
    if kind == "verbose_json":
        body |= {"task": "transcribe", "language": language, "duration": round(length_ms / 1000, 3)}
    return body


def _transcript_format(form: _Form) -> str:
    kind = form.one("response_format") or "json"
    if kind in _NO_TIMES or "timestamp_granularities[]" in form.texts:
        raise InvalidRequest("the times of words and speakers are not known here", hint="ask for json, text or verbose_json")
    if kind not in ("json", "text", "verbose_json"):
        raise InvalidRequest("response_format in the request is not one of json, text, verbose_json")
    if form.one("stream").lower() in ("true", "1"):
        raise InvalidRequest("transcriptions do not stream", hint="leave stream out")
    return kind


def _wants_mask(request: web.Request) -> bool:
    wish = request.headers.get(MASK, "").strip().lower()
    if wish not in ("", "true", "false"):
        raise InvalidRequest(f"{MASK} is neither true nor false")
    return wish == "true"


def _recording(file: bytes) -> Pcm:
    """Raises InvalidRequest for what is no WAV file, by its first bytes and not by its name; PayloadTooLarge."""
    if file[:4] != b"RIFF" or file[8:12] != b"WAVE":
        raise InvalidRequest(
            "the file is not a WAV file", hint="make one with: ffmpeg -i IN -ac 1 -ar 16000 -c:a pcm_s16le OUT.wav"
        )
    pcm = read_wav(file)
    if not pcm.samples:
        raise InvalidRequest("the file holds no sound")
    if pcm.ms > MOST_SPEECH_S * 1000:
        raise PayloadTooLarge(f"the recording is longer than {MOST_SPEECH_S} s", hint="send it in parts")
    return pcm


async def _form(request: web.Request) -> _Form:
    """Raises InvalidRequest, PayloadTooLarge."""
    form, count = _Form(), 0
    if request.content_type != "multipart/form-data":
        raise InvalidRequest("the body is not multipart/form-data")
    try:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            count += 1
            if not isinstance(part, BodyPartReader) or not part.name or count > MOST_FIELDS:
                raise InvalidRequest("the form has a part that is no field, or too many of them")
            if part.name == "file":
                if form.file is not None:
                    raise InvalidRequest("file stands twice in the form")
                form.file = Private(await _bytes(part, MOST_FILE))
            else:
                text = await _bytes(part, MOST_FIELD)
                form.texts.setdefault(part.name, []).append(text.decode("utf-8"))
    except (ValueError, RuntimeError, AssertionError):
        # The reader's own words may quote the body.
        raise InvalidRequest("the body is not multipart/form-data") from None
    return form


async def _bytes(part: BodyPartReader, most: int) -> bytes:
    out = bytearray()
    while piece := await part.read_chunk(64 << 10):
        out += piece
        if len(out) > most:
            raise PayloadTooLarge(f"a part of the form is larger than {most} bytes")
    return bytes(out)


# --- a text in, a voice out ---------------------------------------------------------------------------------------------------


async def answer_speech(request: Request, speech: Speech) -> web.StreamResponse:
    fields = Fields((await request.json()).reveal())
    kind = fields.word("response_format", *_MEDIA) or "mp3"
    said = fields.text("input")
    if not said or len(said) > MOST_INPUT:
        raise fields.wrong("input", f"text of 1 to {MOST_INPUT} characters")
    speed = fields.number("speed", 0.25, 4.0)
    if speed not in (None, 1):
        raise InvalidRequest("the voices here speak at one speed", hint="leave speed out")
    as_events = fields.word("stream_format", "audio", "sse") == "sse"
    with request.while_connected():
        speaking = await speech.speak(
            request.tenant,
            request.conversation,
            Private(said),
            language=request.tenant.language,
            model=fields.model(),
            voice=_voice(fields),
            subject=request.subject,
        )
        async with aclosing(speaking.pieces):
            headers = facts_of(speaking.call, speaking.grant, speaking.masked, fields.left) | {"Content-Type": _MEDIA[kind]}
            if kind == "pcm":
                headers["X-Sordino-Rate"] = str(speaking.rate)
                pieces = _bounded(speaking)
            else:
                whole = Pcm(b"".join([piece async for piece in _bounded(speaking)]), speaking.rate)
                make: Callable[[], bytes] = (lambda: packed(whole, kind)) if kind in PACKED else (lambda: wav(whole))
                file = await asyncio.to_thread(make)
                if not as_events:
                    return web.Response(body=file, headers=headers)
                pieces = _at_once(file)
            return await _stream(request, _events(pieces) if as_events else pieces, headers | (_EVENTS if as_events else {}))


async def _stream(request: Request, pieces: AsyncIterator[bytes], headers: dict[str, str]) -> web.StreamResponse:
    """What is said as it is made. A voice that fails on the way cuts the connection: nobody takes half for the whole."""
    response = web.StreamResponse(headers=headers)
    await response.prepare(request.http)
    try:
        async for piece in pieces:
            await response.write(piece)
    except SordinoError:
        if request.http.transport is not None:
            request.http.transport.abort()
        return response
    await response.write_eof()
    return response


async def _events(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """``stream_format: sse``. Nobody here counts a voice's tokens."""
    async for piece in pieces:
        yield _event({"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()})
    yield _event({"type": "speech.audio.done", "usage": {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}})


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(data, separators=(",", ":")).encode() + b"\n\n"


async def _at_once(file: bytes) -> AsyncIterator[bytes]:
    yield file


async def _bounded(speaking: Speaking) -> AsyncIterator[bytes]:
    spoken_ms = 0.0
    async for piece in speaking.pieces:
        spoken_ms += piece.ms
        if spoken_ms > MOST_SPEECH_S * 1000:
            raise UpstreamFailed(f"{speaking.grant.processor} spoke for longer than {MOST_SPEECH_S} s")
        yield piece.samples


def _voice(fields: Fields) -> str:
    """The voice's name, also as ``{"id": …}``. Raises InvalidRequest for what does not look like one."""
    voice = fields.raw("voice")
    name = voice.get("id") if isinstance(voice, dict) else voice
    if name is None:
        return ""
    if not isinstance(name, str) or not _VOICE.fullmatch(name):
        raise fields.wrong("voice", "the name of a voice")
    return name
