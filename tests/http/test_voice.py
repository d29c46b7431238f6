"""Twilio's webhook: a signed call to a number of ours is connected, everybody else learns nothing."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from gateway.adapters.carriers.stream_token import StreamTokens
from gateway.adapters.carriers.twilio_webhook import SIGNATURE_HEADER, TwilioWebhook, sign
from gateway.caller.dialling import read_twiml
from gateway.errors import Forbidden, Misconfigured
from gateway.http.voice import MAX_BODY_BYTES, Desk, voice_webhook
from gateway.values import Private, TenantId

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
TOKEN = Private("auth-token-of-acme")
OURS = "+493012345"
SILENT = "+493099999"
"""A number of a tenant that has no auth token."""
CALL = "CA" + "a" * 32
FORM = {"CallSid": CALL, "AccountSid": "AC" + "b" * 32, "From": "+4915112345678", "To": OURS, "CallStatus": "ringing"}
TOKENS = StreamTokens(Private(bytes(range(32))))


class FixedClock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0


class CountedIds:
    def __init__(self) -> None:
        self._count = 0

    def new(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}_{self._count}"


def tenant_of(number: Private[str]) -> TenantId | None:
    return {OURS: TenantId("acme"), SILENT: TenantId("silent")}.get(number.reveal())


def secret_of(tenant: TenantId, carrier: str) -> Private[str]:
    if tenant != "acme" or carrier != "twilio":
        raise Misconfigured("the secret TWILIO_AUTH_TOKEN is not set")
    return TOKEN


async def first_time(name: str, within_s: int) -> bool:
    raise AssertionError("nothing in Twilio's request tells it from its repetition")


def desk(url: str, *, admit: bool = True) -> Desk:
    return Desk(
        public_url=url,
        tenant_of=tenant_of,
        secret_of=secret_of,
        tokens=TOKENS,
        clock=FixedClock(),
        ids=CountedIds(),
        first_time=first_time,
        admit=lambda _: admit,
    )


@asynccontextmanager
async def gateway(*, admit: bool = True) -> AsyncIterator[str]:
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    handler = voice_webhook(TwilioWebhook(), desk(url, admit=admit))
    app = web.Application()
    app.router.add_post("/voice/twilio", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        yield url
    finally:
        await runner.cleanup()


async def post(url: str, form: Mapping[str, str] | bytes, headers: Mapping[str, str]) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.post(url, data=form, headers=headers) as answer:
        return answer.status, await answer.text()


async def signed(base: str, form: Mapping[str, str], path: str = "/voice/twilio") -> tuple[int, str]:
    return await post(base + path, form, {SIGNATURE_HEADER: sign(TOKEN, base + path, form.items())})


def error(text: str) -> dict[str, Any]:
    found = json.loads(text)["error"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("path", ["/voice/twilio", "/voice/twilio?line=a%20b&x=%2B"])
async def test_a_signed_call_is_connected_to_the_media_socket_with_a_token_for_this_call(path: str) -> None:
    async with gateway() as base:
        status, twiml = await signed(base, FORM, path)
    assert status == 200
    url, parameters = read_twiml(twiml)
    assert url == base.replace("http", "ws") + "/media/twilio"
    claims = TOKENS.verify(parameters.pop("token"), carrier_call=CALL, now=NOW)
    assert parameters == {}
    assert (claims.tenant, claims.jti) == ("acme", "stream_1")
    assert (claims.from_number, claims.to_number) == (Private("+4915112345678"), Private(OURS))
    assert claims.expires_at == NOW + timedelta(seconds=60)


@pytest.mark.parametrize(
    ("said", "place"),
    [({"FromCountry": "US", "FromState": "TX"}, "us/tx"), ({"FromCountry": "DE"}, "de"), ({"FromState": "TX"}, ""), ({}, "")],
)
async def test_where_the_carrier_says_that_the_caller_is_goes_with_the_call(said: Mapping[str, str], place: str) -> None:
    """For a number that is no proof of place itself."""
    async with gateway() as base:
        _, twiml = await signed(base, {**FORM, **said})
    claims = TOKENS.verify(read_twiml(twiml)[1]["token"], carrier_call=CALL, now=NOW)
    assert claims.caller_place == place


async def test_each_answer_has_a_token_of_its_own() -> None:
    async with gateway() as base:
        answers = [read_twiml((await signed(base, FORM))[1])[1]["token"] for _ in range(2)]
    assert len({TOKENS.verify(token, carrier_call=CALL, now=NOW).jti for token in answers}) == 2


async def test_a_caller_without_a_number_is_connected_too() -> None:
    async with gateway() as base:
        _, twiml = await signed(base, {name: value for name, value in FORM.items() if name != "From"})
    claims = TOKENS.verify(read_twiml(twiml)[1]["token"], carrier_call=CALL, now=NOW)
    assert claims.from_number == Private("")


async def test_a_wrong_or_missing_signature_and_a_number_of_nobody_get_the_same_answer() -> None:
    answers = []
    async with gateway() as base:
        url = base + "/voice/twilio"
        answers.append(await post(url, FORM, {}))
        answers.append(await post(url, FORM, {SIGNATURE_HEADER: "wrong"}))
        answers.append(await post(url, FORM, {SIGNATURE_HEADER: sign(Private("other"), url, FORM.items())}))
        answers.append(await signed(base, FORM | {"To": "+15550000000"}))
        answers.append(await signed(base, FORM | {"To": SILENT}))
        answers.append(await signed(base, {name: value for name, value in FORM.items() if name != "To"}))
    assert len(set(answers)) == 1
    status, text = answers[0]
    assert (status, error(text)["code"]) == (403, "forbidden")
    assert len(error(text)["sordino"]["reasons"]) == 1


async def test_an_operator_reads_in_the_log_that_a_tenant_has_no_auth_token(caplog: pytest.LogCaptureFixture) -> None:
    async with gateway() as base:
        await signed(base, FORM | {"To": SILENT})
    assert "tenant silent: the secret TWILIO_AUTH_TOKEN is not set" in caplog.text


async def test_a_changed_number_breaks_the_signature() -> None:
    async with gateway() as base:
        url = base + "/voice/twilio"
        status, _ = await post(url, FORM | {"From": "+1999"}, {SIGNATURE_HEADER: sign(TOKEN, url, FORM.items())})
    assert status == 403


async def test_a_gateway_that_takes_no_calls_now_sounds_busy() -> None:
    async with gateway(admit=False) as base:
        status, twiml = await signed(base, FORM)
    assert (status, 'reason="busy"' in twiml) == (200, True)
    with pytest.raises(Forbidden):
        read_twiml(twiml)


FORM_TYPE = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"x=" + b"a" * MAX_BODY_BYTES, FORM_TYPE, 413, "payload_too_large"),
        (b"&".join(b"a=%d" % n for n in range(101)), FORM_TYPE, 400, "invalid_request"),
        (b"no form", FORM_TYPE, 400, "invalid_request"),
        (b"To=%ff", FORM_TYPE, 400, "invalid_request"),
        (b"To=\xff", FORM_TYPE, 400, "invalid_request"),
        (b"{}", {"Content-Type": "application/json"}, 400, "invalid_request"),
        (b"", FORM_TYPE, 403, "forbidden"),
    ],
    ids=["too long", "too many fields", "no form", "no UTF-8", "no ASCII", "JSON", "empty"],
)
async def test_what_is_no_form_of_a_call_is_refused(body: bytes, headers: dict[str, str], status: int, code: str) -> None:
    async with gateway() as base:
        answer = await post(base + "/voice/twilio", body, headers)
    assert (answer[0], error(answer[1])["code"]) == (status, code)


@pytest.mark.parametrize(
    "form", [FORM | {"CallSid": "CA1"}, FORM | {"From": "sip:" + "a" * 400}], ids=["no CallSid", "long number"]
)
async def test_a_signed_form_that_names_no_call_as_twilio_does_is_refused(form: dict[str, str]) -> None:
    async with gateway() as base:
        status, text = await signed(base, form)
    assert (status, error(text)["code"]) == (400, "invalid_request")


async def test_a_request_in_proxy_form_is_refused() -> None:
    async with gateway() as base, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(base.rsplit(":", 1)[1]))
        writer.write(b"POST http://elsewhere/voice/twilio HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        answer = await reader.read(4096)
        writer.close()
    assert answer.startswith(b"HTTP/1.1 400")


async def test_no_number_and_no_token_is_written_anywhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with gateway() as base:
        _, twiml = await signed(base, FORM)
        texts = [twiml, (await signed(base, FORM | {"To": "+15550001111"}))[1], (await signed(base, FORM | {"CallSid": "1"}))[1]]
    written = caplog.text.replace(read_twiml(twiml)[1]["token"], "TOKEN") + "".join(texts)
    for secret in ("4915112345678", OURS, "15550001111", TOKEN.reveal(), "TOKEN"):
        assert secret not in written


def test_a_gateway_with_a_plaintext_public_address_does_not_start() -> None:
    with pytest.raises(Misconfigured, match="plaintext"):
        voice_webhook(TwilioWebhook(), desk("http://gw.example"))
