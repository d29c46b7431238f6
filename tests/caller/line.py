"""A small gateway at the other end of the caller's line, driven by the script of one test."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import numpy as np
from aiohttp import web

from gateway.adapters.carriers.twilio import TwilioMedia
from gateway.call.events import CallerAudio, LegEvent, LegStarted
from gateway.caller import Behaviour, Caller, StreamTarget
from gateway.errors import CarrierProtocolError
from gateway.values import Pcm


def tone(ms: int, hz: float = 440, rate: int = 8000) -> Pcm:
    at = np.arange(rate * ms // 1000) / rate
    return Pcm((np.sin(2 * np.pi * hz * at) * 8000).astype("<i2").tobytes(), rate)


def quiet(ms: int) -> Pcm:
    return Pcm(bytes(16 * ms), 8000)


class Line:
    """One caller's socket as a gateway sees it."""

    def __init__(self, ws: web.WebSocketResponse, request: web.Request) -> None:
        self.ws = ws
        self.request = request
        self.media = TwilioMedia()
        self.events: list[LegEvent] = []

    async def next(self) -> LegEvent | None:
        """The next event; None when the socket has closed."""
        async for message in self.ws:
            if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                continue
            try:
                events = self.media.receive(message.data)
            except CarrierProtocolError:
                continue
            if events:
                self.events += events
                return events[0]
        return None

    async def until(self, kind: type[LegEvent]) -> Any:
        """The next event of this kind; None when the socket has closed before."""
        while (event := await self.next()) is not None:
            if isinstance(event, kind):
                return event
        return None

    async def speak(self, pcm: Pcm, mark: str = "") -> None:
        await self.ws.send_str(self.media.audio(pcm))
        if mark:
            await self.ws.send_str(self.media.mark(mark))

    async def voice(self) -> bool:
        """Wait for the first frame in which the caller is to be heard."""
        while (heard := await self.until(CallerAudio)) is not None:
            if max(np.abs(np.frombuffer(heard.pcm.reveal().samples, dtype="<i2"))) > 1000:
                return True
        return False

    async def silence(self, ms: int) -> bool:
        """Wait until the caller has been silent for so long."""
        run = 0
        while run < ms:
            heard = await self.until(CallerAudio)
            if heard is None:
                return False
            run = 0 if max(np.abs(np.frombuffer(heard.pcm.reveal().samples, dtype="<i2"))) > 1000 else run + 20
        return True

    async def rest(self) -> None:
        """Take what still comes until the call is over."""
        while await self.next() is not None:
            pass


Script = Callable[[Line], Awaitable[None]]


class Gateway:
    """``line`` is the one call; ``over`` is set when its script has ended."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.line: Line | None = None
        self.over = asyncio.Event()
        self.failure: BaseException | None = None

    def caller(self, behaviour: Behaviour | None = None) -> Caller:
        return Caller(StreamTarget(url=self.url.replace("http", "ws") + "/media/twilio", parameters={"token": "t"}), behaviour)

    async def ended(self) -> Line:
        """The line after its script has ended; fails as the script failed."""
        async with asyncio.timeout(20):
            await self.over.wait()
        if self.failure is not None:
            raise self.failure
        assert self.line is not None
        return self.line


@asynccontextmanager
async def gateway(script: Script) -> AsyncIterator[Gateway]:
    """A gateway whose media socket runs ``script`` once the stream has started."""
    listening = socket.create_server(("127.0.0.1", 0))
    made = Gateway(f"http://127.0.0.1:{listening.getsockname()[1]}")

    async def media(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        made.line = Line(ws, request)
        try:
            await made.line.until(LegStarted)
            await script(made.line)
        except AssertionError as failure:
            made.failure = failure
        finally:
            made.over.set()
        await ws.close()
        return ws

    app = web.Application()
    app.router.add_get("/media/twilio", media)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        yield made
    finally:
        await runner.cleanup()
