"""What each carrier does before there is a stream: how it asks the webhook, proves who it is, and reads the answer."""

from __future__ import annotations

import json
import secrets
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import uuid4

from gateway.adapters.carriers import plivo_webhook, telnyx_webhook, twilio_webhook, vonage_webhook
from gateway.adapters.carriers.exotel_webhook import KEY_FIELD
from gateway.caller.wires import plivo_parameters
from gateway.errors import Forbidden, InvalidRequest
from gateway.values import Private

CARRIERS = ("twilio", "telnyx", "plivo", "vonage", "exotel")
_FORM = "application/x-www-form-urlencoded"


def new_sid(prefix: str) -> str:
    """An id in Twilio's form: ``CA``, ``MZ`` or ``AC`` and 32 hex digits."""
    return prefix + secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Ask:
    """The request to the webhook. ``path`` holds its query."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    call: str
    account: str = ""


@dataclass(frozen=True, slots=True)
class Ends:
    """Who calls whom, the secret that the carrier proves itself with, and the gateway's address as it knows it."""

    to: str
    from_: str
    secret: Private[str]
    public_url: str


def ask_of(carrier: str, ends: Ends) -> Ask:
    """How that carrier asks for this call."""
    asks: dict[str, Callable[[Ends], Ask]] = {
        "twilio": _twilio,
        "telnyx": _telnyx,
        "plivo": _plivo,
        "vonage": _vonage,
        "exotel": _exotel,
    }
    return asks[carrier](ends)


def _twilio(ends: Ends) -> Ask:
    call, account = new_sid("CA"), new_sid("AC")
    form = {
        "AccountSid": account,
        "ApiVersion": "2010-04-01",
        "CallSid": call,
        "CallStatus": "ringing",
        "Called": ends.to,
        "Caller": ends.from_,
        "Direction": "inbound",
        "From": ends.from_,
        "To": ends.to,
    }
    signature = twilio_webhook.sign(ends.secret, ends.public_url + "/voice/twilio", form.items())
    headers = {"Content-Type": _FORM, twilio_webhook.SIGNATURE_HEADER: signature}
    return Ask("POST", "/voice/twilio", headers, urlencode(form).encode(), call, account)


def _telnyx(ends: Ends) -> Ask:
    call, stamp = f"v3:{secrets.token_urlsafe(40)}", str(int(time.time()))
    form = {"AccountSid": str(uuid4()), "CallSid": call, "CallStatus": "ringing", "From": ends.from_, "To": ends.to}
    body = urlencode(form).encode()
    headers = {
        "Content-Type": _FORM,
        telnyx_webhook.TIMESTAMP_HEADER: stamp,
        telnyx_webhook.SIGNATURE_HEADER: telnyx_webhook.sign(ends.secret, stamp, body),
    }
    return Ask("POST", "/voice/telnyx", headers, body, call)


def _plivo(ends: Ends) -> Ask:
    call, nonce = str(uuid4()), secrets.token_hex(10)
    form = {"CallUUID": call, "CallStatus": "ringing", "Direction": "inbound"}
    form |= {"From": ends.from_.removeprefix("+"), "To": ends.to.removeprefix("+")}
    signature = plivo_webhook.sign(ends.secret, ends.public_url + "/voice/plivo", form.items(), nonce)
    headers = {"Content-Type": _FORM, plivo_webhook.NONCE_HEADER: nonce, plivo_webhook.SIGNATURE_HEADER: signature}
    return Ask("POST", "/voice/plivo", headers, urlencode(form).encode(), call)


def _vonage(ends: Ends) -> Ask:
    call = secrets.token_hex(16)
    said = {"from": ends.from_.removeprefix("+"), "to": ends.to.removeprefix("+"), "uuid": call}
    body = json.dumps({**said, "conversation_uuid": f"CON-{uuid4()}"}, separators=(",", ":")).encode()
    token = vonage_webhook.sign(ends.secret, body, issued_at=int(time.time()), jti=str(uuid4()))
    headers = {"Content-Type": "application/json", vonage_webhook.SIGNATURE_HEADER: token}
    return Ask("POST", "/voice/vonage", headers, body, call)


def _exotel(ends: Ends) -> Ask:
    call = secrets.token_hex(16)
    said = {"CallSid": call, "CallFrom": ends.from_.removeprefix("+"), "CallTo": ends.to.removeprefix("+")}
    query = ends.secret.map(lambda key: urlencode({KEY_FIELD: key, **said, "Direction": "incoming"}))
    return Ask("GET", f"/voice/exotel?{query.reveal()}", {}, b"", call)


def read_answer(carrier: str, text: str) -> tuple[str, dict[str, str]]:
    """URL of the socket that this answer connects the call to, and the parameters that go there first.

    Raises:
        Forbidden: it turns the call away.
        InvalidRequest: it is no such answer of this carrier's.
    """
    match carrier:
        case "twilio" | "telnyx":
            return read_twiml(text)
        case "plivo":
            return _read_plivo(text)
        case "vonage":
            return _read_ncco(text)
        case _:
            return _read_exotel(text)


def read_twiml(text: str) -> tuple[str, dict[str, str]]:
    """URL and parameters of the stream that this TwiML or TeXML connects.

    Raises:
        Forbidden: it rejects the call, or hangs up.
        InvalidRequest: it is something else.
    """
    stream = _response(text, "TwiML").find("Connect/Stream")
    url = stream.get("url") if stream is not None else None
    if stream is None or not url:
        raise InvalidRequest("the webhook's answer connects no stream")
    return url, {parameter.get("name", ""): parameter.get("value", "") for parameter in stream.findall("Parameter")}


def _read_plivo(text: str) -> tuple[str, dict[str, str]]:
    stream = _response(text, "Plivo's XML").find("Stream")
    if stream is None or not stream.text or stream.get("bidirectional") != "true":
        raise InvalidRequest("the webhook's answer connects no stream")
    return stream.text, plivo_parameters(stream.get("extraHeaders", ""))


def _read_ncco(text: str) -> tuple[str, dict[str, str]]:
    match _json(text):
        case [{"action": "connect", "endpoint": [{"type": "websocket", "uri": str(url), "headers": dict(headers)}]}, *_]:
            return url, {str(name): str(value) for name, value in headers.items()}
    raise InvalidRequest("the webhook's answer is no NCCO that connects a WebSocket")


def _read_exotel(text: str) -> tuple[str, dict[str, str]]:
    match _json(text):
        case {"url": str(url)}:
            return url, dict(parse_qsl(urlsplit(url).query))
    raise InvalidRequest("the webhook's answer names no socket")


def _response(text: str, kind: str) -> ET.Element:
    root = _xml(text)
    if root is None or root.tag != "Response":
        raise InvalidRequest(f"the webhook's answer is not {kind}")
    if root.find("Reject") is not None or root.find("Hangup") is not None:
        raise Forbidden("the gateway does not take the call now")
    return root


def _xml(text: str) -> ET.Element | None:
    if "<!" in text:
        # No document type and so no entities: these answers have neither.
        return None
    try:
        return ET.fromstring(text)  # noqa: S314 - bounded, and without entities
    except ET.ParseError:
        return None


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
