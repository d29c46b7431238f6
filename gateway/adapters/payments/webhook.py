"""Keyed card data to a tenant's payment processor: one signed POST for each piece that a caller has keyed in (promise 33).

The address is the ``base_url`` of the processor's entry, the secret its ``secret`` (``whsec_…``), the signature that of Standard
Webhooks 1.0.0 (https://www.standardwebhooks.com). Sent are the keys as they were pressed before ``#``::

    {"type": "payment.keys", "timestamp": "2026-11-01T12:00:00Z",
     "data": {"tenant": "acme", "call": "call_…", "pause": 1, "part": 1, "field": "number", "keys": "4111111111111111"}}

``webhook-id`` names the piece and is the same in ``Idempotency-Key``: who has seen it answers the same again and takes nothing
twice. It is sent once; no redirect is followed. Answer within 10 s with 200 and ``{"status": "accepted"}``, ``declined`` or
``more``; beside ``more``, ``"field"`` may say what comes next: ``number``, ``expiry``, ``code``. Anything else means that nothing
was taken.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

import aiohttp

from gateway.call.payment import CardField, Keyed, Verdict
from gateway.errors import Misconfigured, PolicyRefused, UpstreamFailed, UpstreamTimeout
from gateway.policy.egress import Grant
from gateway.policy.payment import PAYMENT
from gateway.policy.registry import base_url_problem
from gateway.ports import Secrets
from gateway.values import DataCategory, Hop, Private
from gateway.webhooks import signed, signing_key

DIALECT = "payment-webhook"
ANSWER_WITHIN_S = 10.0
MOST_ANSWER_BYTES = 4096
_STATUS = {"accepted": Verdict.ACCEPTED, "declined": Verdict.DECLINED, "more": Verdict.MORE}
_NEXT = {each.value: each for each in CardField}


class Tls(Protocol):
    """How processors are reached over TLS: ``TlsContexts`` of the room that asks models."""

    def to(self, grant: Grant) -> ssl.SSLContext:
        """What speaks no less than the Grant asks for."""
        ...

    def unreached(self, grant: Grant, error: Exception) -> UpstreamFailed:
        """What to raise where nothing was answered."""
        ...


class PaymentWebhook:
    """Implements ``gateway.runner.payment.PaymentProcessor``."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        secrets: Secrets,
        now: Callable[[], datetime],
        *,
        tls: Tls,
        within_s: float = ANSWER_WITHIN_S,
    ) -> None:
        """``session``: keeps no cookie and takes no proxy from the environment (``outbound_session``)."""
        self._session = session
        self._secrets = secrets
        self._now = now
        self._tls = tls
        self._within_s = within_s

    async def hand_over(self, grant: Grant, keys: Private[bytearray], keyed: Keyed) -> tuple[Verdict, CardField]:
        """Post the keys once.

        Raises:
            PolicyRefused: the Grant is not for keyed card data, or its address may not be used.
            Misconfigured: the processor's secret is missing or none of Standard Webhooks.
            UpstreamTimeout, UpstreamFailed: no answer in time, or none that can be understood.
            UpstreamRefused: it cannot speak the TLS that the Grant asks for; it was sent nothing.
        """
        _require(grant)
        key = signing_key(self._secrets.read(grant.secret or ""))
        name = f"{grant.call}.{keyed.pause}.{keyed.handed}"
        at = self._now()
        body = _body(grant, keys, keyed, at)
        headers = {"Content-Type": "application/json", "Idempotency-Key": name, **signed(key, name, at, body)}
        timeout = aiohttp.ClientTimeout(total=self._within_s)
        try:
            async with self._session.post(
                grant.base_url,
                data=body,
                headers=headers,
                ssl=self._tls.to(grant),
                allow_redirects=False,
                trace_request_ctx=grant,
                timeout=timeout,
            ) as answer:
                said = bytearray()
                async for piece in answer.content.iter_chunked(1024):
                    said += piece
                    if len(said) > MOST_ANSWER_BYTES:
                        break
                return _read(answer.status, bytes(said))
        except TimeoutError:
            raise UpstreamTimeout("the payment processor did not answer in time") from None
        except (aiohttp.ClientError, OSError) as error:
            raise self._tls.unreached(grant, error) from None
        finally:
            body[:] = bytes(len(body))


def _require(grant: Grant) -> None:
    if grant.hop is not Hop.PAYMENT or grant.purpose != PAYMENT or DataCategory.PAYMENT not in grant.categories:
        raise PolicyRefused("this Grant is not for keyed card data")
    if grant.dialect != DIALECT:
        raise PolicyRefused(f"the processor {grant.processor} speaks {grant.dialect}", hint=f"give its entry dialect: {DIALECT}")
    if not grant.base_url or base_url_problem(grant.base_url):
        raise PolicyRefused(f"the address of {grant.processor} may not be used", hint="https, or an address of this machine")
    if not grant.secret:
        raise Misconfigured(
            f"the processor {grant.processor} has no secret to sign with", hint="name one in its entry: secret: …"
        )


def _body(grant: Grant, keys: Private[bytearray], keyed: Keyed, at: datetime) -> bytearray:
    """Built around the keys, so that no text of them is made."""
    stamp = at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    facts = {"tenant": grant.tenant, "call": grant.call, "pause": keyed.pause, "part": keyed.handed, "field": keyed.field.value}
    whole = json.dumps({"type": "payment.keys", "timestamp": stamp, "data": {**facts, "keys": ""}}, separators=(",", ":"))
    body = bytearray(whole.removesuffix('"}}').encode())
    body += keys.reveal()
    body += b'"}}'
    return body


def _read(status: int, said: bytes) -> tuple[Verdict, CardField]:
    if status != 200 or len(said) > MOST_ANSWER_BYTES:
        raise UpstreamFailed("the payment processor did not take what was keyed in")
    try:
        found = json.loads(said)
    except (ValueError, RecursionError):
        found = None
    verdict = _STATUS.get(str(found.get("status"))) if isinstance(found, dict) else None
    if verdict is None or not isinstance(found, dict):
        raise UpstreamFailed("the payment processor's answer is none that is known")
    return verdict, _NEXT.get(str(found.get("field")), CardField.MORE)
