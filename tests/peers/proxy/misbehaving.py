"""What a model's server does when it does not do what it should; each is a ``script`` of ``tests.http.proxy.model.Model``."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.http.proxy.model import Model, begin, chunk, event
from tests.http.proxy.test_failure import Script

OWN_WORDS = "the processor's own words"
BEGUN = "Once upon a time"
Ending = Callable[[web.Request, web.StreamResponse, bool], Awaitable[None]]
"""What becomes of an answer that has begun; whether it streams."""


def answers(status: int, **headers: str) -> Script:
    """An error with words of its own."""

    async def script(model: Model, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response({"error": {"message": OWN_WORDS}}, status=status, headers=named)

    return script


def says_raw(text: str, kind: str = "") -> Script:
    """These very characters, as what was asked for or as another media type."""

    async def script(model: Model, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        wanted = "text/event-stream" if body["stream"] else "application/json"
        return web.Response(text=text, content_type=kind or wanted)

    return script


async def hangs(model: Model, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """Takes the request and never says a word."""
    await asyncio.Event().wait()
    raise AssertionError


# --- in the middle of an answer ---------------------------------------------------------------------------------------


def begins(then: Ending, heard: asyncio.Event | None = None) -> Script:
    """Begins its answer, and then does that: where it streams, not before the client has ``heard`` the beginning."""

    async def script(model: Model, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if body["stream"]:
            response = await begin(request)
            await response.write(chunk({"content": BEGUN}))
            if heard is not None:
                await heard.wait()
        else:
            response = web.StreamResponse(headers={"Content-Type": "application/json"})
            await response.prepare(request)
            await response.write(b'{"choices":[{"index":0,"message":{"role":"assistant","content":"' + BEGUN.encode())
        with contextlib.suppress(ConnectionError):
            await then(request, response, body["stream"])
        return response

    return script


async def cuts(request: web.Request, response: web.StreamResponse, streams: bool) -> None:
    """Hangs up."""
    assert request.transport is not None
    request.transport.abort()


async def ends_early(request: web.Request, response: web.StreamResponse, streams: bool) -> None:
    """Ends politely, but before it has said that it has finished."""
    await response.write_eof()


async def stalls(request: web.Request, response: web.StreamResponse, streams: bool) -> None:
    """Goes silent."""
    await asyncio.Event().wait()


async def babbles(request: web.Request, response: web.StreamResponse, streams: bool) -> None:
    """Never stops, and never says anything more."""
    while True:
        await response.write(b": one moment\n\n" if streams else b" ")
        await asyncio.sleep(0.05)


async def floods(request: web.Request, response: web.StreamResponse, streams: bool) -> None:
    """Says far too much."""
    for _ in range(1_000):
        await response.write(chunk({"content": "x" * 10_000}) if streams else b"x" * 10_000)


async def breaks_off(request: web.Request, response: web.StreamResponse, streams: bool) -> None:
    """Reports an error of its own."""
    error = {"error": {"message": OWN_WORDS}}
    await response.write(event(error) if streams else json.dumps(error).encode())
    await response.write_eof()


async def garbles(request: web.Request, response: web.StreamResponse, streams: bool) -> None:
    """Goes on with what is no JSON."""
    await response.write(f"data: {{{OWN_WORDS}\n\n".encode())
    await response.write_eof()


# --- other ways ----------------------------------------------------------------------------------------------------


async def calls_with_no_json(model: Model, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """Calls a tool with arguments that nobody can read."""
    model.calls = [{"name": "look_up", "arguments": '{"notes": ["<PERSON_1>"'}]
    return await model.answer(request, body)


async def drips(model: Model, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """Sends its whole answer byte by byte."""
    whole = [chunk({"content": each}) for each in ("Hello <PER", "SON", "_1", ">", "!")]
    stream = b"".join(whole) + chunk({}, finish="stop") + b"data: [DONE]\n\n"
    message = {"role": "assistant", "content": "Hello <PERSON_1>!"}
    once = json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).encode()
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream" if body["stream"] else "application/json"})
    await response.prepare(request)
    for byte in stream if body["stream"] else once:
        await response.write(bytes([byte]))
        await asyncio.sleep(0)
    return response


def first_then_well(first: Script) -> Script:
    """Misbehaves once, and then does what it should."""

    async def script(model: Model, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return await (first(model, request, body) if len(model.raw) == 1 else model.answer(request, body))

    return script
