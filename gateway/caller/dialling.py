"""What a carrier does before there is a stream: it asks the webhook, and reads the answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import aiohttp

from gateway.caller.vendors import Ends, ask_of, new_sid, read_answer, read_twiml
from gateway.errors import Forbidden, UpstreamFailed
from gateway.values import Private

__all__ = ["Number", "StreamTarget", "dial", "new_sid", "read_twiml"]

MAX_ANSWER_BYTES = 64 * 1024
"""Twilio takes no longer answer (its error 11750)."""
WEBHOOK_TIMEOUT_S = 15
"""How long Twilio waits for a webhook's answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamTarget:
    """Where the webhook's answer connects the call, and the parameters that go there first."""

    url: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    call_sid: str = field(default_factory=lambda: new_sid("CA"))
    account_sid: str = field(default_factory=lambda: new_sid("AC"))
    carrier: str = "twilio"


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A call to a number whose webhook is ``url`` + ``/voice/{carrier}``.

    ``auth_token`` is what the carrier proves itself with. ``public_url`` is what the gateway believes to be its address
    (SORDINO_PUBLIC_URL), when it differs from ``url``: carriers sign that one.
    """

    url: str
    to: str
    from_: str
    auth_token: Private[str]
    public_url: str | None = None
    carrier: str = "twilio"


async def dial(session: aiohttp.ClientSession, number: Number) -> StreamTarget:
    """Ask the webhook what to do with the call.

    Raises:
        Forbidden: the gateway turned the call away; ``reasons`` are the gateway's.
        UpstreamFailed: nobody answers there, or with another error.
        InvalidRequest: the answer connects no stream.
    """
    public_url = (number.public_url or number.url).rstrip("/")
    ask = ask_of(number.carrier, Ends(number.to, number.from_, number.auth_token, public_url))
    try:
        async with session.request(
            ask.method,
            number.url.rstrip("/") + ask.path,
            data=ask.body or None,
            headers=ask.headers,
            timeout=aiohttp.ClientTimeout(total=WEBHOOK_TIMEOUT_S),
        ) as answer:
            status = answer.status
            body = await _bounded(answer.content)
            reasons = _reasons(answer.content_type, body)
    except (aiohttp.ClientError, TimeoutError):
        raise UpstreamFailed(
            f"nobody answers at {number.url}", hint="is the gateway running there? start it with: sordino serve"
        ) from None
    if status == HTTPStatus.FORBIDDEN:
        raise Forbidden("the gateway refused the call", hint="check the called number and its auth token", reasons=reasons)
    if status != HTTPStatus.OK:
        raise UpstreamFailed(f"the gateway answered the call with status {status}", reasons=reasons)
    url, parameters = read_answer(number.carrier, body.decode("utf-8", "replace"))
    return StreamTarget(
        url=url, parameters=parameters, call_sid=ask.call, account_sid=ask.account or new_sid("AC"), carrier=number.carrier
    )


async def _bounded(content: aiohttp.StreamReader) -> bytes:
    body = b""
    while len(body) < MAX_ANSWER_BYTES and (piece := await content.read(MAX_ANSWER_BYTES - len(body))):
        body += piece
    return body


def _reasons(content_type: str, body: bytes) -> tuple[str, ...]:
    if content_type != "application/json":
        return ()
    try:
        said = json.loads(body)
    except ValueError:
        return ()
    match said:
        case {"error": {"sordino": {"reasons": list(reasons)}}}:
            return tuple(str(reason) for reason in reasons)
        case _:
            return ()
