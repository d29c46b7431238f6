"""The webhooks of all carriers over a real socket: their own calls are connected, everybody else gets one and the same answer."""

from __future__ import annotations

import base64
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.adapters.carriers.exotel_webhook import ExotelWebhook
from gateway.adapters.carriers.plivo_webhook import PlivoWebhook
from gateway.adapters.carriers.stream_token import StreamTokens
from gateway.adapters.carriers.telnyx_webhook import TelnyxWebhook
from gateway.adapters.carriers.vonage_webhook import VonageWebhook
from gateway.adapters.carriers.webhook import Webhook
from gateway.adapters.stores.once import OnlyOnce
from gateway.adapters.stores.redis import Store
from gateway.adapters.system import RandomIds, SystemClock
from gateway.caller.vendors import Ask, Ends, ask_of, read_answer
from gateway.errors import Misconfigured, StoreUnavailable
from gateway.http.voice import Desk, voice_webhook
from gateway.values import Private, TenantId

WEBHOOKS: tuple[Webhook, ...] = (TelnyxWebhook(), PlivoWebhook(), VonageWebhook(), ExotelWebhook())
CARRIERS = [webhook.carrier for webhook in WEBHOOKS]
OURS, SILENT, NOBODYS, CALLER = "+15550100", "+15550101", "+15550102", "+15550199"
SEED = bytes(range(32))
PUBLIC = base64.b64encode(Ed25519PrivateKey.from_private_bytes(SEED).public_key().public_bytes_raw()).decode()
CHECKED_WITH = {"telnyx": PUBLIC, "plivo": "plivo-token", "vonage": "vonage-secret", "exotel": "exotel-key"}
PROVES_WITH = CHECKED_WITH | {"telnyx": base64.b64encode(SEED).decode()}
OTHER = dict.fromkeys(CARRIERS, "another-secret") | {"telnyx": base64.b64encode(bytes(32)).decode()}
TOKENS = StreamTokens(Private(bytes(range(32))))


def tenant_of(number: Private[str]) -> TenantId | None:
    return {OURS: TenantId("acme"), SILENT: TenantId("silent")}.get(number.reveal())


def secret_of(tenant: TenantId, carrier: str) -> Private[str]:
    if tenant != "acme":
        raise Misconfigured(f"tenant {tenant} has no account at {carrier}")
    return Private(CHECKED_WITH[carrier])


@dataclass(frozen=True)
class House:
    url: str
    session: aiohttp.ClientSession

    def ask(self, carrier: str, *, to: str = OURS, secret: str = "") -> Ask:
        return ask_of(carrier, Ends(to, CALLER, Private(secret or PROVES_WITH[carrier]), self.url))

    async def answer(self, ask: Ask) -> tuple[int, str]:
        url = self.url + ask.path
        async with self.session.request(ask.method, url, data=ask.body or None, headers=ask.headers) as answer:
            assert answer.headers.get("Cache-Control", "no-store") == "no-store"
            return answer.status, await answer.text()


@asynccontextmanager
async def living(store: Store, *, first_time: Callable[[str, int], object] | None = None) -> AsyncIterator[House]:
    once = OnlyOnce(store)

    async def ask_store(name: str, within_s: int) -> bool:
        return await once.first_time(name, within_s=within_s)

    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    desk = Desk(
        public_url=url,
        tenant_of=tenant_of,
        secret_of=secret_of,
        tokens=TOKENS,
        clock=SystemClock(),
        ids=RandomIds(),
        first_time=first_time or ask_store,  # type: ignore[arg-type]
    )
    app = web.Application()
    for webhook in WEBHOOKS:
        app.router.add_route(webhook.method, f"/voice/{webhook.carrier}", voice_webhook(webhook, desk))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        async with aiohttp.ClientSession() as session:
            yield House(url, session)
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_the_carriers_call_is_connected_with_a_token_for_this_call(carrier: str, store: Store) -> None:
    async with living(store) as house:
        ask = house.ask(carrier)
        status, text = await house.answer(ask)
    assert status == 200
    url, parameters = read_answer(carrier, text)
    assert url.partition("?")[0] == house.url.replace("http", "ws") + f"/media/{carrier}"
    claims = TOKENS.verify(parameters["token"], carrier_call=ask.call, now=datetime.now(UTC))
    assert (claims.tenant, claims.from_number, claims.to_number) == ("acme", Private(CALLER), Private(OURS))


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_wrong_missing_used_and_unknown_get_the_same_answer(carrier: str, store: Store) -> None:
    """So that nobody can try out which numbers are served, or use a request that he has seen."""
    async with living(store) as house:
        right = house.ask(carrier)
        plain = {name: value for name, value in right.headers.items() if name == "Content-Type"}
        answers = {
            await house.answer(house.ask(carrier, secret=OTHER[carrier])),
            await house.answer(house.ask(carrier, to=NOBODYS)),
            await house.answer(house.ask(carrier, to=SILENT)),
            await house.answer(replace(right, headers=plain, path=right.path.replace("key=", "nokey="))),
        }
        if carrier != "exotel":  # whose requests have nothing that tells one from its repetition
            assert (await house.answer(right))[0] == 200
            answers.add(await house.answer(right))
    assert len(answers) == 1
    status, text = answers.pop()
    assert status == 403
    assert '"forbidden"' in text


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_no_number_and_no_secret_is_written_anywhere(carrier: str, store: Store, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with living(store) as house:
        texts = [(await house.answer(house.ask(carrier, to=to)))[1] for to in (OURS, SILENT, NOBODYS)]
    written = caplog.text + "".join(texts)
    assert f"tenant silent has no account at {carrier}" in caplog.text
    for secret in (*(number.removeprefix("+") for number in (OURS, SILENT, NOBODYS, CALLER)), CHECKED_WITH[carrier]):
        assert secret not in written


@pytest.mark.parametrize("carrier", ["telnyx", "plivo", "vonage"])
async def test_without_the_store_nobody_knows_what_was_used_so_no_call_comes_in(carrier: str, store: Store) -> None:
    async def gone(name: str, within_s: int) -> bool:
        raise StoreUnavailable("the store does not answer")

    async with living(store, first_time=gone) as house:
        assert (await house.answer(house.ask(carrier)))[0] == 503


BODIES: list[tuple[str, bytes, str, int]] = [
    ("vonage", b"[]", "application/json", 400),
    ("vonage", b"[" * 10_000, "application/json", 400),
    ("vonage", b"\xff", "application/json", 400),
    ("vonage", b'{"to": 1}', "application/json", 403),
    ("vonage", b"{}", "text/plain", 400),
    ("vonage", b" " * 20_000, "application/json", 413),
    ("telnyx", b"To=\xff", "application/x-www-form-urlencoded", 400),
    ("plivo", b"{}", "application/json", 400),
]


@pytest.mark.parametrize(("carrier", "body", "kind", "status"), BODIES)
async def test_what_no_carrier_writes_is_refused(carrier: str, body: bytes, kind: str, status: int, store: Store) -> None:
    async with living(store) as house:
        ask = replace(house.ask(carrier), body=body, headers={"Content-Type": kind})
        assert (await house.answer(ask))[0] == status
