"""Notices by webhook, signed as Standard Webhooks 1.0.0 says: HMAC-SHA256 over id, time and body.

The receiver compares the signature, and refuses what is older than five minutes: so nobody can play an old notice again. No
redirect is followed, because the signature is for the address in the tenant's file.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from datetime import UTC, datetime

import aiohttp

from gateway.errors import Misconfigured
from gateway.policy.contacts import Contacts
from gateway.policy.notice_message import NoticeMessage, Tried
from gateway.policy.registry import base_url_problem
from gateway.ports import Secrets
from gateway.webhooks import signed, signing_key

TIMEOUT_S = 15.0


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
