"""Notices by webhook, signed as Standard Webhooks 1.0.0 says: HMAC-SHA256 over id, time and body.

The receiver compares the signature, and refuses what is older than five minutes: so nobody can play an old notice again. No
redirect is followed, because the signature is for the address in the tenant's file.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import aiohttp

from gateway.errors import Misconfigured, Unauthenticated
from gateway.policy.contacts import Contacts
from gateway.policy.notice_message import NoticeMessage, Tried
from gateway.policy.registry import base_url_problem
from gateway.ports import Secrets
from gateway.values import Private

TIMEOUT_S = 15.0
TOLERANCE = timedelta(minutes=5)
SECRET_PREFIX = "whsec_"  # noqa: S105 - what every such secret begins with
SECRET_BYTES = range(24, 65)


class WebhookSender:
    """Delivers to ``contacts.webhook``. Use it inside ``async with``."""

    def __init__(self, secrets: Secrets, now: Callable[[], datetime], *, timeout_s: float = TIMEOUT_S) -> None:
        self._secrets = secrets
        self._now = now
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context),
            timeout=aiohttp.ClientTimeout(total=timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )

    async def deliver(self, contacts: Contacts, message: NoticeMessage) -> Tried:
        """Post it once. Delivered is what was answered with 2xx; the answer's body is not read.

        Raises:
            Misconfigured: there is no webhook, it is plaintext to another machine, or its secret is missing or none.
        """
        webhook = contacts.webhook
        if webhook is None or base_url_problem(webhook.url):
            raise Misconfigured(
                "this tenant has no webhook for notices", hint="add contacts: {webhook: {url, secret}} to its file"
            )
        key = signing_key(self._secrets.read(webhook.secret))
        body = as_json(message)
        headers = {"Content-Type": "application/json", **signed(key, message.id, self._now(), body)}
        try:
            async with self._session.post(webhook.url, data=body, headers=headers, allow_redirects=False) as answer:
                return Tried(200 <= answer.status < 300, f"HTTP {answer.status}")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Tried(delivered=False, proof=f"no answer ({type(error).__name__})")

    async def __aenter__(self) -> WebhookSender:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()


def as_json(message: NoticeMessage) -> bytes:
    """``{"type", "timestamp", "data"}`` in UTF-8, as the specification recommends."""
    at = message.at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    body = {"type": message.kind, "timestamp": at, "data": message.data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def signing_key(secret: Private[str]) -> Private[bytes]:
    """The bytes behind ``whsec_…``. Raises Misconfigured, without the secret."""
    text = secret.reveal()
    try:
        key = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True) if text.startswith(SECRET_PREFIX) else b""
    except binascii.Error:
        key = b""
    if len(key) not in SECRET_BYTES:
        raise Misconfigured(
            "the secret of this webhook is none of Standard Webhooks",
            hint='make one: echo "whsec_$(head -c 32 /dev/urandom | base64)"',
        )
    return Private(key)


def signed(key: Private[bytes], id_: str, at: datetime, body: bytes) -> Mapping[str, str]:
    """The three headers: ``webhook-id``, ``webhook-timestamp`` (whole seconds), ``webhook-signature`` (``v1,…``)."""
    seconds = str(int(at.timestamp()))
    return {"webhook-id": id_, "webhook-timestamp": seconds, "webhook-signature": f"v1,{_signature(key, id_, seconds, body)}"}


def verify(key: Private[bytes], headers: Mapping[str, str], body: bytes, *, now: datetime) -> None:
    """What a receiver does.

    Raises:
        Unauthenticated: a header is missing, no signature fits, or the time is more than five minutes away from ``now``.
    """
    id_, seconds = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    fresh = seconds.isascii() and seconds.isdecimal() and abs(now.timestamp() - int(seconds)) <= TOLERANCE.total_seconds()
    wanted = f"v1,{_signature(key, id_, seconds, body)}".encode()
    given = headers.get("webhook-signature", "").split(" ")
    if not (id_ and fresh and any(hmac.compare_digest(each.encode(), wanted) for each in given)):
        raise Unauthenticated("this webhook is not signed with our secret, or is too old")


def _signature(key: Private[bytes], id_: str, seconds: str, body: bytes) -> str:
    content = b".".join((id_.encode(), seconds.encode(), body))
    return base64.b64encode(hmac.new(key.reveal(), content, hashlib.sha256).digest()).decode("ascii")
