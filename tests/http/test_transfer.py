"""What a carrier is told when our stream has ended: dial the person of a call that was handed over, once; else hang up."""

from __future__ import annotations

import base64
import json
import re
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from html import unescape
from urllib.parse import urlencode, urlsplit

import aiohttp
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.adapters.carriers import plivo_webhook, telnyx_webhook, twilio_webhook, vonage_webhook
from gateway.adapters.carriers.exotel_webhook import ExotelWebhook
from gateway.adapters.carriers.plivo_webhook import PlivoWebhook
from gateway.adapters.carriers.stream_token import StreamTokens
from gateway.adapters.carriers.telnyx_webhook import TelnyxWebhook
from gateway.adapters.carriers.twilio_webhook import TwilioWebhook
from gateway.adapters.carriers.vonage_webhook import VonageWebhook
from gateway.adapters.carriers.webhook import Webhook
from gateway.adapters.stores.handovers import Handovers
from gateway.adapters.stores.once import OnlyOnce
from gateway.adapters.stores.redis import Store
from gateway.adapters.system import RandomIds, SystemClock
from gateway.caller.vendors import Ends, ask_of
from gateway.http.transfer import Handing, after_webhook
from gateway.http.voice import Desk, voice_webhook
from gateway.values import Private, TenantId

WEBHOOKS: tuple[Webhook, ...] = (TwilioWebhook(), TelnyxWebhook(), PlivoWebhook(), VonageWebhook(), ExotelWebhook())
BY_NAME = {webhook.carrier: webhook for webhook in WEBHOOKS}
ASKED = ["twilio", "telnyx", "plivo", "vonage"]
"""Those whom our answer tells where to ask; Exotel's flow knows it by itself."""
ACME, OURS, CALLER, PERSON = TenantId("acme"), "+15550100", "+15550199", "+12025550123"
SEED = bytes(range(32))
PUBLIC = base64.b64encode(Ed25519PrivateKey.from_private_bytes(SEED).public_key().public_bytes_raw()).decode()
SECRETS = dict.fromkeys(BY_NAME, "secret-of-a-carrier-secret-of-a1")
PROVES = SECRETS | {"telnyx": base64.b64encode(SEED).decode()}
CHECKS = SECRETS | {"telnyx": PUBLIC}
DIALS = {
    **dict.fromkeys(("twilio", "telnyx", "plivo"), f"<Dial><Number>{PERSON}</Number></Dial>"),
    "vonage": '{"type":"phone","number":"12025550123"}',
    "exotel": f'"destination":{{"numbers":["{PERSON}"]}}',
}
HANGS_UP = {**dict.fromkeys(("twilio", "telnyx", "plivo"), "<Hangup/>"), "vonage": "[]", "exotel": "{}"}


@dataclass(frozen=True)
class Line:
    """One call at one carrier, until its stream has ended."""

    carrier: str
    url: str
    call: str
    after: str
    session: aiohttp.ClientSession
    handing: Handing

    async def ask(self, url: str = "", *, secret: str = "") -> tuple[int, str]:
        """What the carrier is told when it asks there what next."""
        url, secret = url or self.after, secret or PROVES[self.carrier]
        method, headers, body = asking(self.carrier, url, self.call, Private(secret))
        async with self.session.request(method, url, headers=headers, data=body or None) as answer:
            return answer.status, await answer.text()

    async def hand_over(self) -> bool:
        return await self.handing.hand_over(ACME, self.carrier, self.call)


def asking(carrier: str, url: str, call: str, secret: Private[str]) -> tuple[str, dict[str, str], bytes]:
    form = {"CallSid": call, "CallUUID": call, "From": CALLER, "To": OURS}
    body, headers = urlencode(form).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    match carrier:
        case "twilio":
            return "POST", headers | {twilio_webhook.SIGNATURE_HEADER: twilio_webhook.sign(secret, url, form.items())}, body
        case "telnyx":
            stamp = str(int(time.time()))
            signature = telnyx_webhook.sign(secret, stamp, body)
            return "POST", headers | {telnyx_webhook.TIMESTAMP_HEADER: stamp, telnyx_webhook.SIGNATURE_HEADER: signature}, body
        case "plivo":
            nonce = str(time.time_ns())
            signature = plivo_webhook.sign(secret, url, form.items(), nonce)
            return "POST", headers | {plivo_webhook.NONCE_HEADER: nonce, plivo_webhook.SIGNATURE_HEADER: signature}, body
        case "vonage":
            body = json.dumps({"payload": {"stream": "ended"}, "conversation_uuid": "CON-1"}).encode()
            token = vonage_webhook.sign(secret, body, issued_at=int(time.time()), jti=str(time.time_ns()))
            return "POST", {"Content-Type": "application/json", vonage_webhook.SIGNATURE_HEADER: token}, body
        case _:
            return "GET", {}, b""


@asynccontextmanager
async def calling(store: Store, carrier: str, *, person: str | None = PERSON) -> AsyncIterator[Line]:
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    once, webhook = OnlyOnce(store), BY_NAME[carrier]

    async def first_time(name: str, within_s: int) -> bool:
        return await once.first_time(name, within_s=within_s)

    tokens = StreamTokens(Private(bytes(range(32))))
    handing = Handing(StreamTokens(Private(bytes(range(1, 33)))), Handovers(store), lambda _: Private(person) if person else None)
    desk = Desk(
        public_url=url,
        tenant_of=lambda number: ACME if number.reveal() == OURS else None,
        secret_of=lambda tenant, name: Private(CHECKS[name]),
        tokens=tokens,
        clock=SystemClock(),
        ids=RandomIds(),
        first_time=first_time,
    )
    desk = replace(desk, after=lambda webhook, tenant, ringing: handing.after(desk, webhook, tenant, ringing))
    app = web.Application()
    app.router.add_route(webhook.method, f"/voice/{carrier}", voice_webhook(webhook, desk))
    app.router.add_route(webhook.method, f"/voice/{carrier}/after", after_webhook(webhook, desk, handing))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        async with aiohttp.ClientSession() as session:
            rings = ask_of(carrier, Ends(OURS, CALLER, Private(PROVES[carrier]), url))
            async with session.request(rings.method, url + rings.path, headers=rings.headers, data=rings.body or None) as answer:
                after = next_of(carrier, await answer.text(), url, rings.path)
            yield Line(carrier, url, rings.call, after, session, handing)
    finally:
        await runner.cleanup()


def next_of(carrier: str, text: str, url: str, path: str) -> str:
    """Where the answer tells the carrier to ask next; empty: nowhere."""
    if carrier == "exotel":
        return f"{url}/voice/exotel/after?{urlsplit(path).query}"
    if carrier == "vonage":
        notices = [action for action in json.loads(text) if action["action"] == "notify"]
        return str(notices[0]["eventUrl"][0]) if notices else ""
    found = re.search(r'</?(?:Connect|Stream)>\s*<Redirect method="POST">(.+)</Redirect></Response>$', text)
    return unescape(found[1]) if found else ""


@pytest.mark.parametrize("carrier", BY_NAME)
async def test_a_call_that_was_handed_over_is_connected_with_the_person(carrier: str, store: Store) -> None:
    async with calling(store, carrier) as line:
        assert await line.hand_over()
        status, text = await line.ask()
    assert status == 200
    assert DIALS[carrier] in text


@pytest.mark.parametrize("carrier", BY_NAME)
async def test_any_other_call_ends_with_our_stream(carrier: str, store: Store) -> None:
    async with calling(store, carrier) as line:
        _, text = await line.ask()
    assert HANGS_UP[carrier] in text
    assert "2025550123" not in text


@pytest.mark.parametrize("carrier", ASKED)
async def test_the_address_works_once_and_for_the_carrier_alone(carrier: str, store: Store) -> None:
    async with calling(store, carrier) as line:
        await line.hand_over()
        stranger = base64.b64encode(bytes(32)).decode() if carrier == "telnyx" else "a-stranger-a-stranger-a-stranger"
        refused = {
            await line.ask(secret=stranger),
            await line.ask(line.after[:-6] + "AAAAAA"),
            await line.ask(line.after.partition("?")[0]),
        }
        first, second = await line.ask(), await line.ask()
    assert first[0] == 200
    refused.add(second)
    assert len(refused) == 1
    assert refused.pop()[0] == 403


@pytest.mark.parametrize("carrier", BY_NAME)
async def test_a_mark_is_taken_once(carrier: str, store: Store) -> None:
    async with calling(store, carrier) as line:
        await line.hand_over()
        assert await line.handing.marks.take(ACME, carrier, line.call)
        assert HANGS_UP[carrier] in (await line.ask())[1]


@pytest.mark.parametrize("carrier", BY_NAME)
async def test_without_a_person_nothing_is_asked_and_nobody_is_dialled(carrier: str, store: Store) -> None:
    async with calling(store, carrier, person=None) as line:
        assert not await line.hand_over()
        assert carrier == "exotel" or line.after == ""


async def test_the_address_opens_no_media_stream(store: Store) -> None:
    """Its token is sealed with another key than those of streams, and holds no number."""
    async with calling(store, "twilio") as line:
        token = line.after.partition("token=")[2]
        claims = line.handing.tokens.verify(token, carrier_call=line.call, now=SystemClock().now())
        assert (claims.tenant, claims.from_number, claims.to_number) == (ACME, Private(""), Private(""))
