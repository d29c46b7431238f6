"""Twilio's voice webhook: is it really Twilio that asks, and what do we answer.

Signature: https://www.twilio.com/docs/usage/security#validating-requests. Answer: https://www.twilio.com/docs/voice/twiml/stream.
Twilio goes on with the verb behind ``<Connect>`` when we have closed the stream: https://www.twilio.com/docs/voice/twiml/connect.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from xml.sax.saxutils import quoteattr

from gateway.adapters.carriers.webhook import (
    FORM,
    TOKEN_PARAMETER,
    XML,
    Answer,
    Asked,
    Proof,
    Ringing,
    spellings,
    stream_url,
    xml_dial,
    xml_hang_up,
    xml_then,
)
from gateway.errors import InvalidRequest
from gateway.values import Private

SIGNATURE_HEADER = "X-Twilio-Signature"
MAX_PARAMETER_CHARS = 500
"""Twilio takes a ``<Parameter>`` only when name and value together are shorter than this."""

_CALL_SID = re.compile(r"CA[0-9a-f]{32}")
Form = Iterable[tuple[str, str]]

__all__ = ["MAX_PARAMETER_CHARS", "SIGNATURE_HEADER", "TwilioWebhook", "connect", "is_signed", "reject", "sign", "stream_url"]


def sign(auth_token: Private[str], url: str, form: Form) -> str:
    """The value of ``X-Twilio-Signature``: base64 of HMAC-SHA1 over the URL and the sorted form fields.

    ``url`` is the URL as the carrier called it, with its query; ``form`` the decoded fields of the POST body.
    """
    text = url + "".join(name + value for name, value in sorted(set(form)))
    digest = hmac.new(auth_token.reveal().encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode("ascii")


def is_signed(auth_token: Private[str], url: str, form: Form, signature: str) -> bool:
    """Whether ``signature`` is Twilio's for this request, compared in constant time.

    The default port may stand in the URL that Twilio signed or not, whatever we were configured with: both are tried.
    An empty auth token signs nothing.
    """
    if not auth_token.reveal():
        return False
    fields = tuple(form)
    given = signature.encode("utf-8", "surrogatepass")
    matches = [hmac.compare_digest(sign(auth_token, spelling, fields).encode(), given) for spelling in spellings(url)]
    return any(matches)


def connect(url: str, parameters: Mapping[str, str]) -> str:
    """TwiML that connects the call to our media socket in both directions. The parameters come back in ``start``.

    Raises:
        ValueError: a parameter is longer than Twilio takes.
    """
    for name, value in parameters.items():
        if len(name) + len(value) >= MAX_PARAMETER_CHARS:
            raise ValueError(f"the stream parameter {name!r} is too long for Twilio")
    inner = "".join(f"<Parameter name={quoteattr(name)} value={quoteattr(value)}/>" for name, value in parameters.items())
    return _response(f"<Connect><Stream url={quoteattr(url)}>{inner}</Stream></Connect>")


def reject(*, busy: bool = False) -> str:
    """TwiML that turns the call away before it is answered, without a word and without cost for the caller."""
    return _response(f'<Reject reason="{"busy" if busy else "rejected"}"/>')


def _response(inner: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{inner}</Response>'


class TwilioWebhook:
    """Twilio's webhook. Implements ``gateway.adapters.carriers.webhook.Webhook``.

    The same request has the same signature whenever it is made, so nothing tells a second one from the first: what keeps a
    call apart is the token, which is taken once.
    """

    carrier = "twilio"
    method = "POST"
    takes = FORM
    proven_by = SIGNATURE_HEADER
    max_token_chars = MAX_PARAMETER_CHARS - len(TOKEN_PARAMETER) - 1

    def called(self, fields: Mapping[str, str]) -> str:
        return fields.get("To", "")

    def proven(self, secret: Private[str], asked: Asked, now: datetime) -> Proof | None:
        signature = asked.headers.get(SIGNATURE_HEADER, "")
        return Proof() if is_signed(secret, asked.url, asked.fields, signature) else None

    def ringing(self, fields: Mapping[str, str]) -> Ringing:
        call = fields.get("CallSid", "")
        if not _CALL_SID.fullmatch(call):
            raise InvalidRequest("the form has no CallSid as Twilio writes it")
        country, state = fields.get("FromCountry", ""), fields.get("FromState", "")
        return Ringing(call, Private(fields.get("From", "")), Private(fields.get("To", "")), country, state)

    def connect(self, socket: str, ringing: Ringing, token: str) -> Answer:
        return Answer(connect(socket, {TOKEN_PARAMETER: token}), XML)

    def busy(self) -> Answer:
        return Answer(reject(busy=True), XML)

    def then(self, answer: Answer, url: str) -> Answer:
        return xml_then(answer, url)

    def dial(self, number: Private[str]) -> Answer:
        return xml_dial(number)

    def hang_up(self) -> Answer:
        return xml_hang_up()
