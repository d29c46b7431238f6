"""``python -m tests.bench.crowd``: many callers in one process of their own, light enough that the gateway is the slower one.

Each dials the webhook, opens the media socket, streams 20 ms frames in real time and returns marks when they would have been
played. A frame's ``timestamp`` is the machine's clock at its sending, so the other side knows how long it was on its way.
"""

from __future__ import annotations

import asyncio
import base64
import time
from array import array
from collections.abc import Mapping
from itertools import cycle, islice

import aiohttp

from gateway.caller.dialling import Number, StreamTarget, dial, new_sid
from gateway.caller.wire import TwilioWire
from gateway.errors import SordinoError
from gateway.tasks import TaskOwner
from gateway.values import Private
from tests.bench import child
from tests.bench.numbers import Json, spread
from tests.bench.policies import AUTH_TOKEN
from tests.bench.speech import SILENCE, tape
from tests.bench.taps import stamp

FRAME_S = 0.02
STAGGER = 37
"""Frames between the places on the tape at which one caller and the next begin: so they do not all speak at once."""


class Voice:
    """One caller."""

    def __init__(self, session: aiohttp.ClientSession, number: int, *, talks: bool, late_ms: array[float]) -> None:
        self._session = session
        self._late_ms = late_ms
        self.alive = False
        turns = tape(number) if talks else [SILENCE]
        payloads = [base64.b64encode(frame).decode() for frame in turns]
        self._payloads = islice(cycle(payloads), number * STAGGER % len(payloads), None)
        self._heard_until = 0.0

    async def connect(self, target: StreamTarget) -> None:
        self._socket = await self._session.ws_connect(target.url, max_msg_size=64 * 1024)
        self._wire = TwilioWire(target.call_sid, new_sid("MZ"), target.account_sid, target.parameters)
        await self._socket.send_str(self._wire.connected())
        await self._socket.send_str(self._wire.start())
        self.alive = True

    async def speak(self) -> None:
        """20 ms every 20 ms until the socket closes."""
        wire, began, sent = self._wire, time.monotonic(), 0
        try:
            while not self._socket.closed:
                ahead = began + sent * FRAME_S - time.monotonic()
                if ahead > 0:
                    await asyncio.sleep(ahead)
                self._late_ms.append(max(0.0, (time.monotonic() - began - sent * FRAME_S) * 1000))
                sent += 1
                await self._socket.send_str(self._media(wire, next(self._payloads)))
        except ConnectionError:
            pass
        self.alive = False

    def _media(self, wire: TwilioWire, payload: str) -> str:
        wire._sequence += 1
        wire._chunk += 1
        return (
            f'{{"event": "media", "sequenceNumber": "{wire._sequence}", "streamSid": "{wire.stream_sid}", "media": '
            f'{{"track": "inbound", "chunk": "{wire._chunk}", "timestamp": "{stamp()}", "payload": "{payload}"}}}}'
        )

    async def listen(self, tasks: TaskOwner) -> None:
        async for message in self._socket:
            text = message.data
            now = time.monotonic()
            if text.startswith('{"event":"media"'):
                self._heard_until = max(self._heard_until, now) + _payload_s(text)
            elif text.startswith('{"event":"mark"'):
                tasks.start(self._return(text, self._heard_until - now), name="mark")
            elif text.startswith('{"event":"clear"'):
                self._heard_until = now
        self.alive = False

    async def _return(self, text: str, after_s: float) -> None:
        await asyncio.sleep(max(0.0, after_s))
        name = text.split('"name":"', 1)[1].split('"', 1)[0]
        if not self._socket.closed:
            await self._socket.send_str(self._wire.mark(name))

    async def hang_up(self) -> None:
        try:
            if self.alive:
                await self._socket.send_str(self._wire.stop())
            await self._socket.close()
        except ConnectionError:
            self.alive = False


def _payload_s(message: str) -> float:
    payload = message.split('"payload":"', 1)[1].split('"', 1)[0]
    return len(payload) * 3 // 4 / 8000


class Crowd:
    """The handlers."""

    def __init__(self, session: aiohttp.ClientSession, tasks: TaskOwner) -> None:
        self._session = session
        self._tasks = tasks
        self._voices: list[Voice] = []
        self._late_ms: array[float] = array("d")
        self._refused = 0

    async def grow(self, url: str, to: str, n: int, *, talks: bool, every_s: float) -> Json:
        """Callers join, one after the other, until there are ``n``. ``to``: the number to call; empty: the echo at ``url``."""
        while len(self._voices) < n:
            voice = Voice(self._session, len(self._voices), talks=talks, late_ms=self._late_ms)
            self._voices.append(voice)
            try:
                await voice.connect(await self._target(url, to))
            except (SordinoError, aiohttp.ClientError, ConnectionError):
                self._refused += 1
                continue
            self._tasks.start(voice.speak(), name="speak")
            self._tasks.start(voice.listen(self._tasks), name="listen")
            await asyncio.sleep(every_s)
        return {}

    async def _target(self, url: str, to: str) -> StreamTarget:
        if not to:
            return StreamTarget(url=url)
        number = Number(url=url, to=to, from_="+15550199", auth_token=Private(AUTH_TOKEN))
        return await dial(self._session, number)

    async def reset(self) -> Json:
        del self._late_ms[:]
        return {}

    async def read(self) -> Json:
        """``late``: how much later than due this process itself sent its frames."""
        return {
            "callers": len(self._voices),
            "alive": sum(voice.alive for voice in self._voices),
            "refused": self._refused,
            "late": spread(self._late_ms),
        }

    async def hang_up(self) -> Json:
        await asyncio.gather(*(voice.hang_up() for voice in self._voices if voice.alive))
        self._voices.clear()
        self._refused = 0
        return {}

    def handlers(self) -> Mapping[str, child.Handler]:
        return {"grow": self.grow, "reset": self.reset, "read": self.read, "hang_up": self.hang_up}


async def main() -> None:
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
        TaskOwner("crowd", on_failure=lambda name, error: None) as tasks,
    ):
        await child.answer_requests(Crowd(session, tasks).handlers())


if __name__ == "__main__":
    child.run(main)
