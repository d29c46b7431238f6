"""What Twilio does before there is a stream: the signed webhook, and reading the answer."""

from __future__ import annotations

import json
import secrets
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import aiohttp

from gateway.adapters.carriers.twilio_webhook import SIGNATURE_HEADER, sign
from gateway.errors import Forbidden, InvalidRequest, UpstreamFailed
from gateway.values import Private

MAX_ANSWER_BYTES = 64 * 1024
"""Twilio takes no longer answer (its error 11750)."""
WEBHOOK_TIMEOUT_S = 15
"""How long Twilio waits for a webhook's answer."""


def new_sid(prefix: str) -> str:
    """An id in Twilio's form: ``CA``, ``MZ`` or ``AC`` and 32 hex digits."""
    return prefix + secrets.token_hex(16)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamTarget:
    """Where the webhook's answer connects the call, and the parameters that go there in ``start``."""

    url: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    call_sid: str = field(default_factory=lambda: new_sid("CA"))
    account_sid: str = field(default_factory=lambda: new_sid("AC"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A call to a number whose webhook is ``url`` + ``/voice/twilio``.

    ``public_url`` is what the gateway believes to be its address (SORDINO_PUBLIC_URL), when it differs from ``url``: Twilio
    signs that one.
    """

    url: str
    to: str
    from_: str
    auth_token: Private[str]
    public_url: str | None = None


async def dial(session: aiohttp.ClientSession, number: Number) -> StreamTarget:
    """Ask the webhook what to do with the call.

    Raises:
        Forbidden: the gateway turned the call away; ``reasons`` are the gateway's.
        UpstreamFailed: nobody answers there, or with another error.
        InvalidRequest: the answer is no TwiML that connects a stream.
    """
    path = "/voice/twilio"
    call_sid, account_sid = new_sid("CA"), new_sid("AC")
    form = _form(number, call_sid, account_sid)
    signature = sign(number.auth_token, (number.public_url or number.url).rstrip("/") + path, form.items())
    try:
        async with session.post(
            number.url.rstrip("/") + path,
            data=form,
            headers={SIGNATURE_HEADER: signature},
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
    url, parameters = read_twiml(body.decode("utf-8", "replace"))
    return StreamTarget(url=url, parameters=parameters, call_sid=call_sid, account_sid=account_sid)


def read_twiml(text: str) -> tuple[str, dict[str, str]]:
    """URL and parameters of the stream that this TwiML connects.

    Raises:
        Forbidden: it rejects the call, or hangs up.
        InvalidRequest: it is something else.
    """
    root = _xml(text)
    if root is None or root.tag != "Response":
        raise InvalidRequest("the webhook's answer is not TwiML")
    if root.find("Reject") is not None or root.find("Hangup") is not None:
        raise Forbidden("the gateway does not take the call now")
    stream = root.find("Connect/Stream")
    url = stream.get("url") if stream is not None else None
    if stream is None or not url:
        raise InvalidRequest("the webhook's answer connects no stream")
    return url, {parameter.get("name", ""): parameter.get("value", "") for parameter in stream.findall("Parameter")}


def _xml(text: str) -> ET.Element | None:
    if "<!" in text:
        # No document type and so no entities: TwiML has neither.
        return None
    try:
        return ET.fromstring(text)  # noqa: S314 - bounded, and without entities
    except ET.ParseError:
        return None


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


def _form(number: Number, call_sid: str, account_sid: str) -> dict[str, str]:
    return {
        "AccountSid": account_sid,
        "ApiVersion": "2010-04-01",
        "CallSid": call_sid,
        "CallStatus": "ringing",
        "Called": number.to,
        "Caller": number.from_,
        "Direction": "inbound",
        "From": number.from_,
        "To": number.to,
    }
