"""Keyed card data over a real socket: one signed POST a piece, and whatever is not a clear answer takes nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from gateway.adapters.payments.webhook import PaymentWebhook
from gateway.adapters.providers.outbound import tls_contexts
from gateway.adapters.system import Secrets
from gateway.call.payment import CardField, Keyed, Verdict
from gateway.errors import Misconfigured, PolicyRefused, SordinoError, UpstreamFailed, UpstreamTimeout
from gateway.policy.egress import Grant
from gateway.policy.payment import PAYMENT
from gateway.values import DataCategory, Hop, Private
from gateway.webhooks import signing_key, verify
from tests.policy.samples import ask, loaded

SECRET = "whsec_" + "c29yZGluby1wYXltZW50LXdlYmhvb2stdGVzdA=="
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
KEYS = "4111111111111111"
ENTRY = """\
- {{id: pay, name: Pay, purpose: payments, kind: payment, dialect: {dialect}, base_url: "{url}", secret: PAY_SECRET,
   region: local, training: prohibited, receives: [payment], status: active, source: invented, checked_on: 2026-11-01}}
"""
TENANT = "tenant: acme\nregions: [eu]\nroute: {payment: [{processor: pay}]}\npayment: {}\n"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def grant_for(url: str, *, dialect: str = "payment-webhook") -> Grant:
    """As the policy gives it: by the tenant's route, for the purpose that its ``payment`` section allows."""
    about = frozenset({DataCategory.PAYMENT})
    question = ask(hop=Hop.PAYMENT, categories=about, about=about, purpose=PAYMENT)
    grant = loaded(TENANT, registry=ENTRY.format(url=url, dialect=dialect)).decide(question).grant
    assert grant is not None
    return grant


@asynccontextmanager
async def answering(handler: Handler) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_post("/take", handler)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/take"
    finally:
        await runner.cleanup()


async def handed(folder: Path, grant: Grant, *, secret: str = SECRET, within_s: float = 30) -> tuple[Verdict, CardField]:
    secrets = Secrets(folder, {"PAY_SECRET": secret})
    async with aiohttp.ClientSession() as session:
        webhook = PaymentWebhook(session, secrets, lambda: NOW, tls=tls_contexts(), within_s=within_s)
        keys = bytearray(KEYS.encode())
        return await webhook.hand_over(grant, Private(keys), Keyed(pause=2, handed=1, field=CardField.NUMBER))


def saying(answer: object, status: int = 200) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(text=answer if isinstance(answer, str) else json.dumps(answer), status=status)

    return handle


async def test_the_keys_come_as_they_were_pressed_signed_and_named(tmp_path: Path) -> None:
    got: list[tuple[dict[str, str], bytes]] = []

    async def take(request: web.Request) -> web.Response:
        got.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        return web.json_response({"status": "accepted"})

    async with answering(take) as url:
        assert await handed(tmp_path, grant_for(url)) == (Verdict.ACCEPTED, CardField.MORE)
    headers, body = got[0]
    verify(signing_key(Private(SECRET)), headers, body, now=NOW)
    assert json.loads(body) == {
        "type": "payment.keys",
        "timestamp": "2026-11-21T12:00:00Z",
        "data": {"tenant": "acme", "call": "call_1", "pause": 2, "part": 1, "field": "number", "keys": KEYS},
    }
    assert headers["webhook-id"] == headers["idempotency-key"] == "call_1.2.1"


ANSWERS = {
    "accepted": ({"status": "accepted"}, (Verdict.ACCEPTED, CardField.MORE)),
    "declined": ({"status": "declined", "why": "whatever"}, (Verdict.DECLINED, CardField.MORE)),
    "more": ({"status": "more"}, (Verdict.MORE, CardField.MORE)),
    "more, and what": ({"status": "more", "field": "code"}, (Verdict.MORE, CardField.CODE)),
    "more, of something unknown": ({"status": "more", "field": "shoe size"}, (Verdict.MORE, CardField.MORE)),
}


@pytest.mark.parametrize(("answer", "wanted"), ANSWERS.values(), ids=ANSWERS.keys())
async def test_its_answer_decides(tmp_path: Path, answer: object, wanted: tuple[Verdict, CardField]) -> None:
    async with answering(saying(answer)) as url:
        assert await handed(tmp_path, grant_for(url)) == wanted


UNCLEAR = {
    "an error": saying({"status": "accepted"}, status=500),
    "another success": saying({"status": "accepted"}, status=202),
    "no JSON": saying("accepted"),
    "no object": saying(["accepted"]),
    "an unknown status": saying({"status": "perhaps"}),
    "too much": saying(json.dumps({"status": "accepted"}) + " " * 5_000),
    "too deep": saying("[" * 3_000),
}


@pytest.mark.parametrize("handler", UNCLEAR.values(), ids=UNCLEAR.keys())
async def test_what_is_no_clear_answer_took_nothing(tmp_path: Path, handler: Handler) -> None:
    async with answering(handler) as url:
        with pytest.raises(UpstreamFailed) as failure:
            await handed(tmp_path, grant_for(url))
    assert KEYS not in repr(failure.value)


async def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    """The card goes to the address in the registry, or nowhere."""
    elsewhere: list[bytes] = []

    async def other(request: web.Request) -> web.Response:
        elsewhere.append(await request.read())
        return web.json_response({"status": "accepted"})

    async with answering(other) as there:

        async def redirect(request: web.Request) -> web.Response:
            return web.Response(status=307, headers={"Location": there})

        async with answering(redirect) as url:
            with pytest.raises(UpstreamFailed):
                await handed(tmp_path, grant_for(url))
    assert elsewhere == []


async def test_a_processor_that_hangs_is_given_up(tmp_path: Path) -> None:
    over = asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        await over.wait()
        return web.json_response({"status": "accepted"})

    async with answering(hang) as url:
        with pytest.raises(UpstreamTimeout):
            await handed(tmp_path, grant_for(url), within_s=0.2)
        over.set()


async def test_a_processor_that_is_not_there_took_nothing(tmp_path: Path) -> None:
    async with answering(saying({})) as url:
        pass
    with pytest.raises(UpstreamFailed):
        await handed(tmp_path, grant_for(url))


REFUSED = {
    "another dialect": ({"dialect": "stripe"}, SECRET, PolicyRefused),
    "a secret that is none": ({}, "hunter2", Misconfigured),
    "no secret": ({}, "", Misconfigured),
}


@pytest.mark.parametrize(("entry", "secret", "error"), REFUSED.values(), ids=REFUSED.keys())
async def test_nothing_is_sent_by_a_wrong_set_up(
    tmp_path: Path, entry: dict[str, str], secret: str, error: type[SordinoError]
) -> None:
    with pytest.raises(error) as failure:
        await handed(tmp_path, grant_for("http://127.0.0.1:9/take", **entry), secret=secret)
    assert secret == "" or secret not in repr(failure.value)
