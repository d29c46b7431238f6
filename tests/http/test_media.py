"""The media socket: nothing is heard before our webhook's token came with it, and no carrier's mistake brings it down."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp import WSCloseCode, WSMsgType, web

from gateway.adapters.carriers.stream_token import StreamClaims, StreamTokens
from gateway.adapters.carriers.twilio import TwilioMedia
from gateway.adapters.stores.once import OnlyOnce
from gateway.adapters.stores.redis import Store
from gateway.adapters.telemetry.null import NullTelemetry
from gateway.call.events import CallerAudio, LegEvent, LegStarted, LegStopped, MarkReturned
from gateway.caller.wire import TwilioWire
from gateway.errors import PolicyUnavailable, StoreUnavailable, Unauthenticated
from gateway.http import media
from gateway.http.media import SocketLeg, media_socket
from gateway.values import Pcm, Private, TenantId
from tests.http.listening import serving

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
CALL = "CA" + "a" * 32
TOKENS = StreamTokens(Private(bytes(range(32))))
STRANGERS = StreamTokens(Private(bytes(range(1, 33))))
FRAME = Pcm(bytes(320), 8_000)


def token(*, by: StreamTokens = TOKENS, call: str = CALL, life_s: int = 60, jti: str = "stream_1") -> str:
    number = Private("+4915112345678")
    return by.mint(
        StreamClaims(
            tenant=TenantId("acme"),
            carrier_call=call,
            from_number=number,
            to_number=number,
            expires_at=NOW + timedelta(seconds=life_s),
            jti=jti,
        )
    )


class Counted(NullTelemetry):
    def __init__(self) -> None:
        self.faults: Counter[str] = Counter()

    def count(self, name: str, value: int = 1, **labels: str) -> None:
        assert name == "sordino_carrier_faults_total"
        self.faults[labels["kind"]] += value


class House:
    """Calls as the gateway takes them: token first. ``run`` is what a call does."""

    def __init__(self, store: Store | None = None) -> None:
        self.taken: list[TenantId] = []
        self.events: list[LegEvent] = []
        self.telemetry = Counted()
        self.over = asyncio.Event()
        self.run: Callable[[SocketLeg], Awaitable[None]] = self._follow
        self._once = OnlyOnce(store) if store else None

    async def take(self, leg: SocketLeg, started: LegStarted) -> None:
        claims = TOKENS.verify(started.parameters.get("token", ""), carrier_call=started.carrier_call, now=NOW)
        if self._once and not await self._once.first_time(claims.jti, within_s=120):
            raise Unauthenticated("this media stream was opened before")
        self.taken.append(claims.tenant)
        try:
            await self.run(leg)
        finally:
            self.over.set()

    async def _follow(self, leg: SocketLeg) -> None:
        async for event in leg.events():
            self.events.append(event)

    @asynccontextmanager
    async def dialled(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        routes = [web.get("/media/twilio", media_socket("twilio", TwilioMedia, self.take, self.telemetry))]
        async with serving(routes) as client, asyncio.timeout(10), client.ws_connect("/media/twilio") as socket:
            yield socket


def wire(**parameters: str) -> TwilioWire:
    return TwilioWire(CALL, "MZ" + "b" * 32, "AC" + "c" * 32, parameters)


async def begin(socket: aiohttp.ClientWebSocketResponse, **parameters: str) -> TwilioWire:
    speaking = wire(**parameters)
    await socket.send_str(speaking.connected())
    await socket.send_str(speaking.start())
    return speaking


async def close_code(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    while (await socket.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.ERROR):
        pass
    return socket.close_code


TURNED_AWAY: list[tuple[str, Callable[[], dict[str, str]]]] = [
    ("no token", dict),
    ("an empty one", lambda: {"token": ""}),
    ("nonsense", lambda: {"token": "x" * 200}),
    ("another gateway's", lambda: {"token": token(by=STRANGERS)}),
    ("another call's", lambda: {"token": token(call="CA" + "f" * 32)}),
    ("an old one", lambda: {"token": token(life_s=0)}),
    ("a changed one", lambda: {"token": token()[:-4] + "AAAA"}),
]


class TestWhoIsLetIn:
    async def test_the_call_that_our_webhook_allowed(self) -> None:
        house = House()
        async with house.dialled() as socket:
            speaking = await begin(socket, token=token())
            await socket.send_str(speaking.media(bytes(160)))
            await socket.send_str(speaking.stop())
            assert await close_code(socket) == WSCloseCode.OK
        assert house.taken == ["acme"]
        assert [type(event) for event in house.events] == [LegStarted, CallerAudio, LegStopped]

    async def test_what_the_caller_says_before_the_conversation_is_there_is_whole(self) -> None:
        """The call's gate decides what is heard: who speaks while the conversation opens is not cut off."""
        house = House()
        async with house.dialled() as socket:
            speaking = await begin(socket, token=token())
            for _ in range(2):
                await socket.send_str(speaking.media(b"\x10" * 160))
            await socket.send_str(speaking.stop())
            assert await close_code(socket) == WSCloseCode.OK
        heard = [event.pcm.reveal().samples for event in house.events if isinstance(event, CallerAudio)]
        assert [len(samples) for samples in heard] == [320, 320]

    @pytest.mark.parametrize(("what", "parameters"), TURNED_AWAY, ids=[what for what, _ in TURNED_AWAY])
    async def test_nobody_else(self, what: str, parameters: Callable[[], dict[str, str]]) -> None:
        """The stream is closed as against the rules, and no call begins."""
        house = House()
        async with house.dialled() as socket:
            await begin(socket, **parameters())
            assert await close_code(socket) == WSCloseCode.POLICY_VIOLATION
        assert house.taken == []

    async def test_nobody_twice_with_one_token(self, store: Store) -> None:
        house, once = House(store), token()
        async with house.dialled() as socket:
            speaking = await begin(socket, token=once)
            await socket.send_str(speaking.stop())
            await close_code(socket)
        async with house.dialled() as socket:
            await begin(socket, token=once)
            assert await close_code(socket) == WSCloseCode.POLICY_VIOLATION
        assert house.taken == ["acme"]

    async def test_nobody_who_does_not_say_in_time_who_calls(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(media, "START_WITHIN_S", 0.05)
        house = House()
        async with house.dialled() as socket:
            await socket.send_str(wire().connected())
            assert await close_code(socket) == WSCloseCode.POLICY_VIOLATION
        assert house.taken == []

    async def test_five_hundred_who_say_nothing_keep_nobody_out_and_are_closed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(media, "START_WITHIN_S", 3)
        house = House()
        routes = [web.get("/media/twilio", media_socket("twilio", TwilioMedia, house.take, house.telemetry))]
        async with serving(routes, most=0) as client, asyncio.timeout(90):
            idle = [await client.ws_connect("/media/twilio") for _ in range(500)]
            async with client.ws_connect("/media/twilio") as socket:
                speaking = await begin(socket, token=token())
                await socket.send_str(speaking.stop())
                assert await close_code(socket) == WSCloseCode.OK
            assert house.taken == ["acme"]
            assert {await close_code(each) for each in idle} == {WSCloseCode.POLICY_VIOLATION}

    async def test_nobody_who_talks_before_saying_who_calls(self) -> None:
        house = House()
        async with house.dialled() as socket:
            speaking = wire(token=token())
            await socket.send_str(speaking.connected())
            await socket.send_str(speaking.media(bytes(160)))
            await socket.send_str(speaking.stop())
            await socket.close()
        assert house.taken == []
        assert house.telemetry.faults == {"out_of_order": 2}

    @pytest.mark.parametrize("error", [PolicyUnavailable("no policy"), StoreUnavailable("no store")])
    async def test_a_call_that_cannot_begin_for_a_reason_of_ours_is_told_to_try_again(self, error: Exception) -> None:
        async def fail(leg: SocketLeg) -> None:
            raise error

        house = House()
        house.run = fail
        async with house.dialled() as socket:
            await begin(socket, token=token())
            assert await close_code(socket) == WSCloseCode.TRY_AGAIN_LATER

    async def test_a_call_that_breaks_closes_its_socket_as_broken_and_says_nothing_on_it(self) -> None:
        async def fail(leg: SocketLeg) -> None:
            raise ValueError("4532118096612345")

        house = House()
        house.run = fail
        async with house.dialled() as socket:
            await begin(socket, token=token())
            message = await socket.receive()
            assert (message.type, message.data, message.extra) == (WSMsgType.CLOSE, WSCloseCode.INTERNAL_ERROR, "")


JUNK: list[tuple[str, str | bytes, str]] = [
    ("binary", b"\x00\x01", "binary"),
    ("no JSON", "{", "malformed"),
    ("a list", "[]", "malformed"),
    ("an unknown event", '{"event": "dance"}', "unknown_event"),
]


class TestBrokenFrames:
    @pytest.mark.parametrize(("what", "frame", "kind"), JUNK, ids=[what for what, _, _ in JUNK])
    async def test_are_counted_and_the_call_goes_on(self, what: str, frame: str | bytes, kind: str) -> None:
        house = House()
        async with house.dialled() as socket:
            speaking = await begin(socket, token=token())
            for _ in range(3):
                await (socket.send_str(frame) if isinstance(frame, str) else socket.send_bytes(frame))
            await socket.send_str(speaking.media(bytes(160)))
            await socket.send_str(speaking.stop())
            assert await close_code(socket) == WSCloseCode.OK
        assert house.telemetry.faults == {kind: 3}
        assert [type(event) for event in house.events] == [LegStarted, CallerAudio, LegStopped]

    @pytest.mark.parametrize("frame", ["{", b"\x00"], ids=["text", "binary"])
    async def test_too_many_of_them_end_the_stream(self, frame: str | bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(media, "MAX_FAULTS", 20)
        house = House()
        async with house.dialled() as socket:
            await begin(socket, token=token())
            for _ in range(21):
                await (socket.send_str(frame) if isinstance(frame, str) else socket.send_bytes(frame))
            assert await close_code(socket) == WSCloseCode.POLICY_VIOLATION
            await house.over.wait()
        assert house.telemetry.faults.total() == 21

    async def test_too_many_of_them_before_the_call_end_it_before_it_began(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(media, "MAX_FAULTS", 20)
        house = House()
        async with house.dialled() as socket:
            for _ in range(21):
                await socket.send_bytes(b"\x00")
            assert await close_code(socket) == WSCloseCode.POLICY_VIOLATION
        assert house.taken == []

    async def test_one_that_is_too_large_ends_the_stream(self) -> None:
        house = House()
        async with house.dialled() as socket:
            await begin(socket, token=token())
            await socket.send_str("x" * (media.MAX_MESSAGE_BYTES + 1))
            assert await close_code(socket) == WSCloseCode.MESSAGE_TOO_BIG
            await house.over.wait()
        assert [type(event) for event in house.events] == [LegStarted]


class TestWhatIsSent:
    async def test_audio_marks_and_clears_go_out_as_the_carrier_writes_them(self) -> None:
        async def talk(leg: SocketLeg) -> None:
            await leg.send_audio(FRAME)
            await leg.send_mark("say:1")
            await leg.send_clear()
            await house._follow(leg)

        house = House()
        house.run = talk
        async with house.dialled() as socket:
            speaking = await begin(socket, token=token())
            sent = [json.loads((await socket.receive()).data) for _ in range(3)]
            await socket.send_str(speaking.mark("say:1"))
            await socket.send_str(speaking.stop())
            await close_code(socket)
        assert [message["event"] for message in sent] == ["media", "mark", "clear"]
        assert MarkReturned("say:1") in house.events

    async def test_to_a_caller_who_has_gone_goes_nowhere_and_raises_nothing(self) -> None:
        done = asyncio.Event()

        async def talk_on(leg: SocketLeg) -> None:
            await house._follow(leg)
            await leg.send_audio(FRAME)
            await leg.send_mark("say:1")
            await leg.send_clear()
            await leg.close()
            done.set()

        house = House()
        house.run = talk_on
        async with house.dialled() as socket:
            speaking = await begin(socket, token=token())
            await socket.send_str(speaking.stop())
            await done.wait()

    async def test_a_carrier_that_does_not_read_is_taken_for_gone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A call must not wait for ever on a socket that is full."""
        monkeypatch.setattr(media, "SEND_WITHIN_S", 0.2)
        second = Pcm(bytes(16_000), 8_000)

        async def shout(leg: SocketLeg) -> None:
            for _ in range(5_000):
                await leg.send_audio(second)
                if house.telemetry.faults:
                    return

        house = House()
        house.run = shout
        async with house.dialled() as socket:
            assert socket._conn is not None
            await begin(socket, token=token())
            transport = socket._conn.transport
            assert isinstance(transport, asyncio.Transport)
            transport.pause_reading()
            await house.over.wait()
            transport.resume_reading()
            await close_code(socket)
        assert house.telemetry.faults == {"slow_reader": 1}

    async def test_our_hanging_up_closes_the_socket_in_good_order(self) -> None:
        async def hang_up(leg: SocketLeg) -> None:
            await leg.close()
            await leg.close()
            await house._follow(leg)

        house = House()
        house.run = hang_up
        async with house.dialled() as socket:
            await begin(socket, token=token())
            assert await close_code(socket) == WSCloseCode.OK

    async def test_a_connection_that_breaks_ends_the_stream_of_events(self) -> None:
        house = House()
        async with house.dialled() as socket:
            await begin(socket, token=token())
            assert socket._conn is not None
            transport = socket._conn.transport
            assert transport is not None
            transport.abort()
            await house.over.wait()
        assert [type(event) for event in house.events] == [LegStarted]
