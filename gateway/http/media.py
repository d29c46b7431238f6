"""``GET /media/{carrier}``: the carrier's media socket. Nothing is heard until the token of our webhook came with it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Protocol

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from gateway.call.events import LegEvent, LegStarted, LegStopped
from gateway.errors import CarrierProtocolError, SordinoError, Unauthenticated
from gateway.ports import Telemetry
from gateway.values import Pcm

MAX_MESSAGE_BYTES = 64 * 1024
START_WITHIN_S = 10.0
SEND_WITHIN_S = 5.0
"""How long a carrier may leave what we send unread before we take it for gone."""
MAX_FAULTS = 500
"""Broken frames that one stream survives. More is no accident."""

log = logging.getLogger(__name__)


HandOver = Callable[[], Awaitable[bool]]
Messages = str | bytes | tuple[str, ...]
"""What goes out for one thing that is to be sent: a text or binary message, or several texts, or none."""


class MediaCodec(Protocol):
    """A carrier's wire format without its socket (``gateway.adapters.carriers``)."""

    @property
    def rate(self) -> int: ...
    @property
    def frame_ms(self) -> int: ...
    @property
    def started(self) -> bool: ...
    def receive(self, text: str | bytes) -> tuple[LegEvent, ...]: ...
    def audio(self, pcm: Pcm) -> Messages: ...
    def mark(self, name: str) -> Messages: ...
    def clear(self) -> Messages: ...


class SocketLeg:
    """One carrier stream as the runner's Leg (``gateway.runner.leg``). All carriers here return marks themselves."""

    acknowledges = "mark"

    def __init__(self, socket: web.WebSocketResponse, codec: MediaCodec, telemetry: Telemetry) -> None:
        self._socket = socket
        self._codec = codec
        self._telemetry = telemetry
        self._faults = 0
        self._first: list[LegEvent] = []
        self.hand_over: HandOver | None = None
        """Makes the carrier dial a person once this stream has ended; None: it cannot."""
        spoken = socket.get_extra_info("ssl_object") if socket.prepared else None
        cipher = spoken.cipher() if spoken is not None else None
        self.transport: Mapping[str, str] = {"kind": "tls", "version": cipher[1], "cipher": cipher[0]} if cipher else {}
        """For the record: what was agreed with who called our socket; empty where a proxy in front speaks TLS (promise 24)."""

    @property
    def rate(self) -> int:
        return self._codec.rate

    @property
    def frame_ms(self) -> int:
        return self._codec.frame_ms

    async def started(self) -> LegStarted:
        """The carrier's start message.

        Raises:
            CarrierProtocolError: none came in time, or the stream broke before it.
        """
        try:
            async with asyncio.timeout(START_WITHIN_S):
                async for event in self._receive():
                    if isinstance(event, LegStarted):
                        self._first.append(event)
                        return event
        except TimeoutError:
            pass
        raise CarrierProtocolError("no_start", "the media stream did not start")

    async def events(self) -> AsyncIterator[LegEvent]:
        for event in self._first:
            yield event
        async for event in self._receive():
            yield event
            if isinstance(event, LegStopped):
                return

    async def listen(self) -> None:
        """Nothing to do: a carrier sends the caller's audio from the start, and the call's gate drops it until then."""

    async def transfer(self) -> bool:
        """As ``gateway.runner.leg.TransferringLeg``. Raises StoreUnavailable."""
        return self.hand_over is not None and await self.hand_over()

    async def _receive(self) -> AsyncIterator[LegEvent]:
        async for message in self._socket:
            try:
                events = self._read(message)
            except CarrierProtocolError as error:
                self._count(error.kind)
                if self._faults > MAX_FAULTS:
                    await self.close(WSCloseCode.POLICY_VIOLATION)
                    return
                continue
            for event in events:
                yield event

    def _read(self, message: WSMessage) -> tuple[LegEvent, ...]:
        if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            raise CarrierProtocolError("not_data", "a message came that is neither text nor binary")
        return self._codec.receive(bytes(message.data) if message.type is WSMsgType.BINARY else message.data)

    def _count(self, kind: str) -> None:
        self._faults += 1
        self._telemetry.count("sordino_carrier_faults_total", kind=kind)

    async def send_audio(self, pcm: Pcm) -> None:
        await self._send(lambda: self._codec.audio(pcm))

    async def send_mark(self, name: str) -> None:
        await self._send(lambda: self._codec.mark(name))

    async def send_clear(self) -> None:
        await self._send(self._codec.clear)

    async def _send(self, written: Callable[[], Messages]) -> None:
        if self._socket.closed or not self._codec.started:
            return
        try:
            async with asyncio.timeout(SEND_WITHIN_S):
                messages = written()
                for message in messages if isinstance(messages, tuple) else (messages,):
                    await (self._socket.send_str(message) if isinstance(message, str) else self._socket.send_bytes(message))
        except TimeoutError:
            self._count("slow_reader")
            await self.close()
        except ConnectionError:
            # The event stream says that the leg has gone.
            return

    async def close(self, code: WSCloseCode = WSCloseCode.OK) -> None:
        if not self._socket.closed:
            try:
                async with asyncio.timeout(SEND_WITHIN_S):
                    await self._socket.close(code=code)
            except (TimeoutError, ConnectionError):
                return


TakeCall = Callable[[SocketLeg, LegStarted], Awaitable[None]]
"""Runs the call to its end. Raises a SordinoError when it may not begin."""


def media_socket(
    carrier: str, new_codec: Callable[[], MediaCodec], take: TakeCall, telemetry: Telemetry
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The handler of one carrier's media socket."""

    async def handle(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(max_msg_size=MAX_MESSAGE_BYTES, heartbeat=20, compress=False, timeout=2.0)
        await socket.prepare(request)
        leg = SocketLeg(socket, new_codec(), telemetry)
        try:
            await take(leg, await leg.started())
        except SordinoError as error:
            log.warning("a media stream of %s was refused: %s", carrier, error.code)
            refused = isinstance(error, Unauthenticated | CarrierProtocolError)
            await leg.close(WSCloseCode.POLICY_VIOLATION if refused else WSCloseCode.TRY_AGAIN_LATER)
        except Exception:
            await leg.close(WSCloseCode.INTERNAL_ERROR)
            raise
        finally:
            await leg.close()
        return socket

    return handle
