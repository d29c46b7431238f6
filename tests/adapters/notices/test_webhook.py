"""Notices by webhook: signed as Standard Webhooks says, to a real server; only a 2xx counts as delivered."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.adapters.notices.webhook import WebhookSender, as_json
from gateway.errors import Misconfigured, Unauthenticated
from gateway.policy.contacts import Contacts, Webhook
from gateway.policy.notice import Terms
from gateway.policy.notice_message import announcement
from gateway.values import Private, TenantId
from gateway.webhooks import signed, signing_key, verify
from tests.policy.samples import entry

NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = announcement(entry(name="Ein Modell – größer"), TenantId("acme"), Terms(30), at=NOW, objection_days=18)


class OneSecret:
    def read(self, name: str) -> Private[str]:
        if name != "ACME_HOOK":
            raise Misconfigured(f"the secret {name} is not set")
        return Private(SECRET)


@dataclass
class Receiver:
    """A tenant's own server: keeps what came, answers as the test says."""

    status: int = 202
    got: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((request.headers, await request.read()))
        return web.Response(status=self.status, text="the receiver's own words", headers={"Location": "/elsewhere"})


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.add_routes([web.post("/{path:.*}", receiver.take)])
    async with TestServer(app) as server:
        receiver.url = str(server.make_url("/hooks"))
        yield receiver


def to(url: str, secret: str = "ACME_HOOK") -> Contacts:  # noqa: S107 - the name of a secret
    return Contacts(webhook=Webhook(url=url, secret=secret))


def sender(**how: Any) -> WebhookSender:
    return WebhookSender(OneSecret(), lambda: NOW, **how)


async def test_a_receiver_verifies_what_it_gets(receiver: Receiver) -> None:
    """Type, time and data in JSON; the signature fits these very bytes, and the same notice has the same id each time."""
    async with sender() as webhook:
        tried = [await webhook.deliver(to(receiver.url), MESSAGE) for _ in range(2)]
    assert [(each.delivered, each.proof) for each in tried] == [(True, "HTTP 202")] * 2
    headers, body = receiver.got[0]
    verify(signing_key(Private(SECRET)), headers, body, now=NOW + timedelta(minutes=4))
    told = json.loads(body)
    assert (told["type"], told["timestamp"]) == ("subprocessor.announced", "2026-12-01T09:30:00Z")
    assert told["data"]["takes_effect"] == "2027-01-01"
    assert told["data"]["processor"]["name"] == "Ein Modell – größer"
    assert receiver.got[0][0]["webhook-id"] == receiver.got[1][0]["webhook-id"] == MESSAGE.id


@pytest.mark.parametrize("status", [199 + 101, 301, 302, 400, 410, 429, 500, 503])
async def test_only_2xx_is_delivered(receiver: Receiver, status: int) -> None:
    """A redirect is not followed, and nobody's words are kept as proof."""
    receiver.status = status
    async with sender() as webhook:
        tried = await webhook.deliver(to(receiver.url), MESSAGE)
    assert (tried.delivered, tried.proof) == (False, f"HTTP {status}")
    assert len(receiver.got) == 1


async def test_nobody_there_is_not_delivered(receiver: Receiver) -> None:
    """It is tried again later."""
    async with sender() as webhook:
        tried = await webhook.deliver(to("http://127.0.0.1:9/hooks"), MESSAGE)
    assert not tried.delivered
    assert "no answer" in tried.proof


async def test_what_is_not_set_up_says_how_to_mend_it(receiver: Receiver) -> None:
    """No webhook, no secret: an error before anything is sent."""
    async with sender() as webhook:
        for contacts in (Contacts(), to(receiver.url, "OTHER_HOOK")):
            with pytest.raises(Misconfigured):
                await webhook.deliver(contacts, MESSAGE)
    assert receiver.got == []


def test_the_signature_is_that_of_the_specification() -> None:
    """Computed by hand: HMAC-SHA256 under the bytes behind whsec_ over id, time and body joined by dots."""
    headers = signed(
        signing_key(Private(SECRET)),
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC),
        b'{"test": 2432232314}',
    )
    assert headers["webhook-timestamp"] == "1614265330"
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


CHANGED: list[tuple[str, Mapping[str, str], bytes, timedelta]] = [
    ("another body", {}, b" ", timedelta(0)),
    ("another id", {"webhook-id": "notice_2"}, b"", timedelta(0)),
    ("another time", {"webhook-timestamp": str(int(NOW.timestamp()) + 1)}, b"", timedelta(0)),
    ("no signature", {"webhook-signature": ""}, b"", timedelta(0)),
    ("another version", {"webhook-signature": "v2,abc"}, b"", timedelta(0)),
    ("signs that no header has", {"webhook-signature": "v1,é"}, b"", timedelta(0)),
    ("no time", {"webhook-timestamp": "soon"}, b"", timedelta(0)),
    ("played again later", {}, b"", timedelta(minutes=5, seconds=1)),
    ("from the future", {}, b"", -timedelta(minutes=5, seconds=1)),
]


@pytest.mark.parametrize(("headers", "more", "later"), [row[1:] for row in CHANGED], ids=[row[0] for row in CHANGED])
def test_what_was_changed_or_is_old_is_refused(headers: Mapping[str, str], more: bytes, later: timedelta) -> None:
    """Nobody can play a notice again, or one of their own."""
    key, body = signing_key(Private(SECRET)), as_json(MESSAGE)
    good = signed(key, MESSAGE.id, NOW, body)
    verify(key, {**good, "webhook-signature": f"v1,abc {good['webhook-signature']}"}, body, now=NOW)
    with pytest.raises(Unauthenticated):
        verify(key, {**good, **headers}, body + more, now=NOW + later)


@pytest.mark.parametrize("secret", ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=", "whsec_%%%"])
def test_a_weak_secret_is_refused_and_not_repeated(secret: str) -> None:
    """24 to 64 bytes, as the specification asks."""
    with pytest.raises(Misconfigured) as refused:
        signing_key(Private(secret))
    assert not secret.removeprefix("whsec_") or secret not in str(refused.value)
