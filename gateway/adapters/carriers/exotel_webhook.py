"""Exotel's Voicebot applet asks an https URL of ours where to stream a call to.

https://developer.exotel.com/docs/agentstream/stream-voicebot-applet. Exotel signs nothing. So the URL that is written into the
applet carries a key of ours, ``/voice/exotel?key=…``, and Exotel's addresses belong into the firewall. Whoever holds the key may
ask as often as he likes; what he gets is a token for one call.

A person is dialled by the Connect applet behind it, whose address is ``/voice/exotel/after?key=…``:
https://docs.exotel.com/voice-apis/programmable-connect-working-with-connect-applet-dynamic-url
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus

from gateway.adapters.carriers.webhook import QUERY, TOKEN_PARAMETER, Answer, Asked, Proof, Ringing, with_plus
from gateway.errors import InvalidRequest
from gateway.values import Private

KEY_FIELD = "key"
MAX_PARAMETERS_CHARS = 256
"""Exotel's limit for all parameters of the socket's URL."""
_CALL = re.compile(r"[0-9A-Za-z]{8,64}")
_INDIAN = re.compile(r"0([1-9][0-9]{9})")
"""A number as Exotel writes it in India: the trunk prefix and ten digits."""


class ExotelWebhook:
    """Implements ``gateway.adapters.carriers.webhook.Webhook``. The secret is the key in the URL."""

    carrier = "exotel"
    method = "GET"
    takes = QUERY
    proven_by = "the key in the URL"
    max_token_chars = MAX_PARAMETERS_CHARS - len(TOKEN_PARAMETER) - 1

    def called(self, fields: Mapping[str, str]) -> str:
        return _e164(fields.get("CallTo", ""))

    def proven(self, secret: Private[str], asked: Asked, now: datetime) -> Proof | None:
        given = dict(asked.fields).get(KEY_FIELD, "").encode("utf-8", "surrogatepass")
        right = hmac.compare_digest(secret.reveal().encode(), given)
        return Proof() if right and given else None

    def ringing(self, fields: Mapping[str, str]) -> Ringing:
        call = fields.get("CallSid", "")
        if not _CALL.fullmatch(call):
            raise InvalidRequest("the request has no CallSid as Exotel writes it")
        return Ringing(call, Private(_e164(fields.get("CallFrom", ""))), Private(_e164(fields.get("CallTo", ""))))

    def connect(self, socket: str, ringing: Ringing, token: str) -> Answer:
        return Answer(json.dumps({"url": f"{socket}?{TOKEN_PARAMETER}={token}"}, separators=(",", ":")), "application/json")

    def busy(self) -> Answer:
        # The applet knows no such answer; one that fails lets the call flow go on to what comes next.
        return Answer("{}", "application/json", HTTPStatus.SERVICE_UNAVAILABLE)

    def then(self, answer: Answer, url: str) -> Answer:
        # What comes next stands in the flow, where a Connect applet asks ``/voice/exotel/after?key=…`` whom to dial.
        return answer

    def dial(self, number: Private[str]) -> Answer:
        numbers = [number.reveal()]
        whom = {"fetch_after_attempt": False, "destination": {"numbers": numbers}}
        return Answer(json.dumps(whom, separators=(",", ":")), "application/json")

    def hang_up(self) -> Answer:
        # The flow goes on to what stands behind the applet: nothing.
        return Answer("{}", "application/json", HTTPStatus.NOT_FOUND)


def _e164(number: str) -> str:
    indian = _INDIAN.fullmatch(number)
    return f"+91{indian[1]}" if indian else with_plus(number)
