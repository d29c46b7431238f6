"""Vendors of speech on loopback, speaking their real wires: they write down all that they were sent, and misbehave on request.

Sources of the wires: the vendors' API references, named in ``gateway/adapters/conversation/plugins/vendors.py``.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived. ``fields``: its query, its form (files as bytes) and its JSON, nested ones as they are."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    raw: bytes
    fields: dict[str, Any]


@dataclass(slots=True)
class Vendor:
    """A running server. ``audio``: what came over its WebSockets; ``gone``: a client has left before its answer ended."""

    port: int
    scheme: str = "http"
    host: str = "127.0.0.1"
    received: list[Received] = field(default_factory=list)
    audio: bytearray = field(default_factory=bytearray)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def base_url(self) -> str:
        return f"{self.scheme}://{self.host}" if self.scheme == "https" else f"{self.scheme}://{self.host}:{self.port}"

    @property
    def everything(self) -> bytes:
        """Every byte of every request that could hold words."""
        heads = "\n".join(f"{each.path} {each.query} {each.headers}" for each in self.received)
        return heads.encode() + b"".join(each.raw for each in self.received) + bytes(self.audio)


@contextlib.asynccontextmanager
async def vendor(answer: Handler, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> AsyncIterator[Vendor]:
    """Serves ``answer`` to every request, whatever its path."""

    async def take(request: web.Request) -> web.StreamResponse:
        fields, raw = await _content(request)
        served.received.append(
            Received(
                request.method,
                request.path,
                dict(request.query),
                {name.lower(): value for name, value in request.headers.items()},
                raw,
                fields,
            )
        )
        try:
            return await answer(request)
        except (ConnectionError, asyncio.CancelledError):
            served.gone.set()
            raise

    app = web.Application(client_max_size=16 << 20)
    app.router.add_route("*", "/{path:.*}", take)
    app[AUDIO] = audio = bytearray()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    server = site._server
    assert isinstance(server, asyncio.Server)
    served = Vendor(server.sockets[0].getsockname()[1], "https" if tls else "http", host, audio=audio)
    try:
        yield served
    finally:
        await runner.cleanup()


AUDIO = web.AppKey("audio", bytearray)


async def _content(request: web.Request) -> tuple[dict[str, Any], bytes]:
    if request.headers.get("Upgrade"):
        return {}, b""
    if request.content_type.startswith("multipart/"):
        form = {
            name: value.file.read() if isinstance(value, web.FileField) else value
            for name, value in (await request.post()).items()
        }
        return form, b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in form.values())
    raw = await request.read()
    return dict(json.loads(raw)) if request.content_type == "application/json" else {}, raw


class OneHost(AbstractResolver):
    """Name service of one test: the vendor's own host is on this machine."""

    def __init__(self, host: str, server: Vendor) -> None:
        self._host = host
        self._port = server.port

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        if host != self._host:
            raise OSError(f"{host} is not known here")
        return [
            ResolveResult(hostname=host, host="127.0.0.1", port=self._port, family=socket.AF_INET, proto=0, flags=0),
        ]

    async def close(self) -> None:
        return


def strict_session(resolver: AbstractResolver) -> aiohttp.ClientSession:
    """As ``outbound_session`` makes them, with another name service."""
    connector = aiohttp.TCPConnector(resolver=resolver)
    return aiohttp.ClientSession(connector=connector, trust_env=False, cookie_jar=aiohttp.DummyCookieJar())


# --- what they answer ---------------------------------------------------------------------------------------------------


def says(body: Any, *, status: int = 200) -> Handler:
    """JSON."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status)

    return answer


def sounds(pcm: bytes, *, kind: str = "audio/pcm") -> Handler:
    """Raw audio in uneven pieces, as it comes from a network."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": kind})
        await response.prepare(request)
        for at in range(0, len(pcm), 1001):
            await response.write(pcm[at : at + 1001])
        await response.write_eof()
        return response

    return answer


def deepgram_heard(text: str, words: list[tuple[str, float, float]] | None = None) -> Any:
    timed = [{"word": word, "start": start, "end": end, "confidence": 0.9} for word, start, end in words or []]
    found = {"transcript": text, "confidence": 0.9, "words": timed}
    return {"metadata": {"request_id": "r1"}, "results": {"channels": [{"alternatives": [found]}]}}


def elevenlabs_heard(text: str, words: list[tuple[str, float, float]] | None = None) -> Any:
    timed = [{"text": word, "start": start, "end": end, "type": "word"} for word, start, end in words or []]
    return {"language_code": "en", "text": text, "words": timed}


def sarvam_heard(text: str, words: list[tuple[str, float, float]] | None = None) -> Any:
    return {"request_id": "r1", "transcript": text, "language_code": "en-IN"}


def sarvam_sounds(pcm: bytes) -> Handler:
    half = len(pcm) // 4 * 2
    return says({"request_id": "r1", "audios": [base64.b64encode(part).decode() for part in (pcm[:half], pcm[half:])]})


def cartesia_heard(text: str, words: list[tuple[str, float, float]] | None = None, *, deaf: bool = False) -> Handler:
    """Takes audio until ``close``, then says what it heard, in two pieces. ``deaf``: never says anything."""
    timed = [{"word": word, "start": start, "end": end} for word, start, end in words or []]

    async def answer(request: web.Request) -> web.StreamResponse:
        line = web.WebSocketResponse()
        await line.prepare(request)
        async for message in line:
            if message.type is aiohttp.WSMsgType.BINARY:
                request.app[AUDIO].extend(message.data)
            elif message.data == "close" and not deaf:
                first, _, rest = text.partition(" ")
                for part, part_words in ((first, timed[:1]), (rest, timed[1:])):
                    event = {"type": "transcript", "is_final": True, "request_id": "r1", "text": part, "duration": 1.0}
                    await line.send_json({**event, "words": part_words})
                await line.send_json({"type": "done", "request_id": "r1"})
                break
        await line.close()
        return line

    return answer


# --- and how they misbehave ---------------------------------------------------------------------------------------------


async def cut(request: web.Request) -> web.StreamResponse:
    """Hangs up in the middle of its answer."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "5000"})
    await response.prepare(request)
    await response.write(b'{"text": "I am')
    assert request.transport is not None
    request.transport.close()
    return response


def cut_speech(pcm: bytes) -> Handler:
    """Hangs up in the middle of a sentence."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "audio/pcm", "Content-Length": str(2 * len(pcm))})
        await response.prepare(request)
        await response.write(pcm)
        assert request.transport is not None
        request.transport.close()
        return response

    return answer


async def hangs_up(request: web.Request) -> web.StreamResponse:
    """Hangs up without an answer."""
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def silent(request: web.Request) -> web.StreamResponse:
    """Never answers."""
    await asyncio.Event().wait()
    raise AssertionError


def elsewhere(url: str) -> Handler:
    """Sends the client to another server."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": url})

    return answer


def endless(kind: str) -> Handler:
    """Never stops."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": kind})
        await response.prepare(request)
        while True:
            await response.write(b"\x01\x00" * 8192)

    return answer
