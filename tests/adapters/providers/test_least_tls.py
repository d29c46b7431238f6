"""A Grant may ask for a least version of TLS: who cannot speak it is told apart, and is sent nothing of the call (promise 24)."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import web

from gateway.adapters.conversation.plugins import plugin_ears
from gateway.adapters.payments.webhook import PaymentWebhook
from gateway.adapters.providers.aws_speech import TranscribeEar
from gateway.adapters.providers.google_speech import GoogleVoice
from gateway.adapters.providers.granted import Outlet
from gateway.adapters.providers.openai import OpenAIChat
from gateway.adapters.providers.openai_speech import OpenAISpeech
from gateway.adapters.providers.outbound import TlsContexts, outbound_session, tls_contexts
from gateway.call.payment import CardField, Keyed
from gateway.errors import UpstreamFailed, UpstreamRefused
from gateway.policy.egress import Grant
from gateway.policy.fields import Tls
from gateway.ports import TextToSpeech
from gateway.values import Hop, Private
from tests.adapters.conversation.plugins.speech import PATIENT, SPEECH, Kept, speech_grant
from tests.adapters.payments.test_webhook import SECRET, grant_for
from tests.adapters.providers.certificates import authority_and_server
from tests.adapters.providers.grants import llm_grant
from tests.adapters.providers.test_aws_speech import StoppedClock, aws_grant
from tests.adapters.providers.test_cloud_speech import cloud_grant
from tests.adapters.providers.test_openai import HELLO, Keys
from tests.adapters.providers.tls_server import listening

SENTENCE = "Thank you, Jonathan Miller."
Way = Callable[[aiohttp.ClientSession, TlsContexts, str, Tls], Awaitable[object]]


def outlet(session: aiohttp.ClientSession, contexts: TlsContexts) -> Outlet:
    return Outlet.over(session, Kept(VENDOR_KEY="AKIDEXAMPLE:secret"), limits=PATIENT, tls=contexts)


async def spoken_by(voice: TextToSpeech, grant: object) -> object:
    return [piece async for piece in voice.speak(grant, Private(SENTENCE), language="en")]  # type: ignore[arg-type]


async def asks_a_model(session: aiohttp.ClientSession, contexts: TlsContexts, url: str, least: Tls) -> object:
    chat = OpenAIChat(session, Keys(), limits=PATIENT, tls=contexts)
    return [delta async for delta in chat.stream(llm_grant(url, tls=least), HELLO)]


async def is_heard(session: aiohttp.ClientSession, contexts: TlsContexts, url: str, least: Tls) -> object:
    grant = speech_grant(Hop.STT, "deepgram", url, dialect="openai", model="m", send={}, tls=least)
    ear = OpenAISpeech.over(session, Kept(), limits=PATIENT, tls=contexts).ear()
    return await ear.transcribe(grant, SPEECH, language="en")


async def is_spoken(session: aiohttp.ClientSession, contexts: TlsContexts, url: str, least: Tls) -> object:
    grant = speech_grant(Hop.TTS, "deepgram", url, dialect="openai", model="m", send={}, tls=least)
    return await spoken_by(OpenAISpeech.over(session, Kept(), limits=PATIENT, tls=contexts).voice("alloy"), grant)


async def is_spoken_by_a_cloud(session: aiohttp.ClientSession, contexts: TlsContexts, url: str, least: Tls) -> object:
    return await spoken_by(GoogleVoice(outlet(session, contexts)), cloud_grant(Hop.TTS, "google-speech", url, tls=least))


async def is_heard_over_a_websocket(session: aiohttp.ClientSession, contexts: TlsContexts, url: str, least: Tls) -> object:
    ear = TranscribeEar(outlet(session, contexts), StoppedClock())
    return await ear.transcribe(aws_grant(Hop.STT, url, tls=least), SPEECH, language="de")


async def is_heard_by_a_vendors_client(session: aiohttp.ClientSession, contexts: TlsContexts, url: str, least: Tls) -> object:
    ear = plugin_ears(outlet(session, contexts).line)["deepgram"]
    return await ear.transcribe(speech_grant(Hop.STT, "deepgram", url, tls=least), SPEECH, language="en")


async def pays(session: aiohttp.ClientSession, contexts: TlsContexts, url: str, least: Tls) -> object:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    webhook = PaymentWebhook(session, Kept(PAY_SECRET=SECRET), lambda: now, tls=contexts, within_s=30)
    keyed = Keyed(pause=1, handed=1, field=CardField.NUMBER)
    return await webhook.hand_over(replace(grant_for(url), tls=least), Private(bytearray(b"4111111111111111")), keyed)


WAYS: dict[str, Way] = {
    "a model": asks_a_model,
    "an ear": is_heard,
    "a voice": is_spoken,
    "a cloud's voice": is_spoken_by_a_cloud,
    "an ear over a WebSocket": is_heard_over_a_websocket,
    "an ear of a vendor's client": is_heard_by_a_vendors_client,
    "a payment processor": pays,
}
every_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())


@every_way
async def test_who_speaks_no_tls_1_3_is_refused_where_it_is_asked_for_and_is_sent_nothing(way: Way) -> None:
    """Neither words nor a key: no more than that somebody wished to speak."""
    authority, server = authority_and_server("127.0.0.1")
    server.maximum_version = ssl.TLSVersion.TLSv1_2
    async with asyncio.timeout(60), listening(server) as there, outbound_session() as session:
        with pytest.raises(UpstreamRefused, match=r"does not speak TLS 1\.3 or better, and nothing was sent to it"):
            await way(session, tls_contexts(authority), f"https://127.0.0.1:{there.port}", Tls.V1_3)
    assert there.raw
    assert (there.spoken, bytes(there.received)) == ([], b"")


@every_way
@pytest.mark.parametrize(
    ("most", "least", "spoken"),
    [
        (ssl.TLSVersion.TLSv1_3, Tls.V1_3, "TLSv1.3"),
        (ssl.TLSVersion.TLSv1_3, Tls.V1_2, "TLSv1.3"),
        (ssl.TLSVersion.TLSv1_2, Tls.V1_2, "TLSv1.2"),
    ],
)
async def test_who_speaks_what_is_asked_for_is_asked(way: Way, most: ssl.TLSVersion, least: Tls, spoken: str) -> None:
    """The best that both can speak. This server hangs up without an answer."""
    authority, server = authority_and_server("127.0.0.1")
    server.maximum_version = most
    async with asyncio.timeout(60), listening(server) as there, outbound_session() as session:
        with pytest.raises(UpstreamFailed) as failed:
            await way(session, tls_contexts(authority), f"https://127.0.0.1:{there.port}", least)
    assert not isinstance(failed.value, UpstreamRefused)
    assert set(there.spoken) == {spoken}
    assert b" HTTP/1.1\r\n" in there.received


# --- connections that are kept -------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def hearing(context: ssl.SSLContext) -> AsyncIterator[tuple[str, list[int]]]:
    """A processor that keeps its connections: its address, and the number of the connection that each request came on."""
    connections: list[object] = []
    came: list[int] = []

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        if request.transport not in connections:
            connections.append(request.transport)
        came.append(connections.index(request.transport))
        return web.json_response({"text": "hello"})

    application = web.Application()
    application.router.add_post("/audio/transcriptions", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        yield f"https://127.0.0.1:{runner.addresses[0][1]}", came
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("most", [ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2])
async def test_a_connection_that_was_made_for_less_serves_nobody_who_asks_for_more(most: ssl.TLSVersion) -> None:
    """Connections are kept and used again, and still each Grant gets what it asks for."""
    authority, server = authority_and_server("127.0.0.1")
    server.maximum_version = most
    contexts = tls_contexts(authority)
    async with asyncio.timeout(60), hearing(server) as (url, came), outbound_session() as session:
        for _ in range(2):
            assert await is_heard(session, contexts, url, Tls.V1_2) == Private("hello")
        if most is ssl.TLSVersion.TLSv1_3:
            assert await is_heard(session, contexts, url, Tls.V1_3) == Private("hello")
        else:
            with pytest.raises(UpstreamFailed, match=r"TLS 1\.3 or better"):
                await is_heard(session, contexts, url, Tls.V1_3)
        assert await is_heard(session, contexts, url, Tls.V1_2) == Private("hello")
    assert came == ([0, 0, 1, 0] if most is ssl.TLSVersion.TLSv1_3 else [0, 0, 0])


async def test_an_answer_that_is_whole_at_once_tells_what_was_spoken_too() -> None:
    """Its connection is free again before anybody could ask it."""
    authority, server = authority_and_server("127.0.0.1")
    told: list[tuple[str, str]] = []

    def saw(grant: Grant, version: str, cipher: str) -> None:
        told.append((grant.processor, version))

    async with asyncio.timeout(60), hearing(server) as (url, _came), outbound_session(saw) as session:
        for _ in range(3):
            await is_heard(session, tls_contexts(authority), url, Tls.V1_3)
        with pytest.raises(UpstreamFailed, match="did not take what was keyed in"):
            await pays(session, tls_contexts(authority), url, Tls.V1_3)
    assert told == [("deepgram-eu", "TLSv1.3")] * 3 + [("pay", "TLSv1.3")]


# --- what is told of a failure -------------------------------------------------------------------------------------------

PROTOCOL_VERSION, HANDSHAKE_FAILURE, INTERNAL_ERROR = (
    bytes.fromhex(f"1503030002{level_and_kind}") for level_and_kind in ("0246", "0228", "0250")
)


@pytest.mark.parametrize(
    ("reply", "never"),
    [
        (PROTOCOL_VERSION, True),
        (HANDSHAKE_FAILURE, True),
        (INTERNAL_ERROR, False),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", False),
        (b"", False),
    ],
    ids=["no such version", "nothing to agree on", "its own fault", "no TLS", "nothing"],
)
@pytest.mark.parametrize("least", list(Tls))
async def test_only_who_says_that_it_cannot_is_never_asked_again(reply: bytes, never: bool, least: Tls) -> None:
    """Whoever just fails may be asked again; a version that is asked for is named."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1 << 16)
        writer.write(reply)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with asyncio.timeout(60), outbound_session() as session:
        with pytest.raises(UpstreamFailed) as failed:
            await asks_a_model(session, tls_contexts(), url, least)
    server.close()
    assert isinstance(failed.value, UpstreamRefused) is never
    assert failed.value.retryable is not never
    assert (f"TLS {least} or better" in failed.value.message) is (never or least is Tls.V1_3)
