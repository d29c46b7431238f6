"""A caller goes through the webhook of a real gateway to its media socket, as every Twilio call does."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import web

from gateway.adapters.carriers.stream_token import StreamClaims, StreamTokens
from gateway.adapters.carriers.twilio import TwilioMedia
from gateway.adapters.carriers.twilio_webhook import TwilioWebhook
from gateway.call.events import LegStarted
from gateway.caller import Caller
from gateway.errors import Forbidden, UpstreamFailed
from gateway.http.voice import Desk, voice_webhook
from gateway.values import Private, TenantId

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
TOKENS = StreamTokens(Private(bytes(32)))
OURS, TOKEN = "+493012345", Private("auth-token")


class Still:
    """A clock that stands still and an id that nobody needs twice."""

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0

    def new(self, prefix: str) -> str:
        return f"{prefix}_1"


async def never_asked(name: str, within_s: int) -> bool:
    raise AssertionError("nothing in Twilio's request tells it from its repetition")


@asynccontextmanager
async def gateway(joined: list[StreamClaims], public_url: str | None = None) -> AsyncIterator[str]:
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"

    async def media(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        codec = TwilioMedia()
        async for message in ws:
            assert message.type is aiohttp.WSMsgType.TEXT
            for event in codec.receive(message.data):
                if isinstance(event, LegStarted):
                    joined.append(TOKENS.verify(event.parameters["token"], carrier_call=event.carrier_call, now=NOW))
                    await ws.close()
        return ws

    app = web.Application()
    app.router.add_get("/media/twilio", media)
    app.router.add_post(
        "/voice/twilio",
        voice_webhook(
            TwilioWebhook(),
            Desk(
                public_url=public_url or url,
                tenant_of=lambda called: TenantId("acme") if called == Private(OURS) else None,
                secret_of=lambda _, __: TOKEN,
                tokens=TOKENS,
                clock=Still(),
                ids=Still(),
                first_time=never_asked,
            ),
        ),
    )
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        yield url
    finally:
        await runner.cleanup()


async def test_a_call_arrives_at_the_media_socket_with_the_token_of_the_webhook() -> None:
    joined: list[StreamClaims] = []
    async with gateway(joined) as url, Caller.dial(url, to=OURS, from_="+4915112345678", auth_token=TOKEN) as call:
        await call.wait_closed()
    assert [(claims.tenant, claims.carrier_call) for claims in joined] == [("acme", call.call_sid)]
    assert (joined[0].from_number, joined[0].to_number) == (Private("+4915112345678"), Private(OURS))


@pytest.mark.parametrize(
    ("to", "token"), [("+15550000000", TOKEN), (OURS, Private("guessed"))], ids=["unknown number", "wrong token"]
)
async def test_a_call_to_an_unknown_number_or_with_a_wrong_token_does_not_arrive(to: str, token: Private[str]) -> None:
    joined: list[StreamClaims] = []
    async with gateway(joined) as url:
        with pytest.raises(Forbidden, match="called number and its auth token"):
            await Caller.dial(url, to=to, from_="+4915112345678", auth_token=token).__aenter__()
    assert joined == []


async def test_what_is_signed_is_the_address_that_the_gateway_believes_to_have() -> None:
    public = "http://localhost:1"
    async with gateway([], public_url=public) as url:
        with pytest.raises(Forbidden):
            await Caller.dial(url, to=OURS, from_="+1", auth_token=TOKEN).__aenter__()
        with pytest.raises(UpstreamFailed, match="media socket"):
            await Caller.dial(url, to=OURS, from_="+1", auth_token=TOKEN, public_url=public).__aenter__()
