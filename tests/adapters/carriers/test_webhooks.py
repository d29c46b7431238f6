"""Only the carrier's own requests are taken for the carrier's, and the answers are byte for byte what it documents."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.carriers import plivo_webhook, telnyx_webhook, vonage_webhook
from gateway.adapters.carriers.exotel_webhook import ExotelWebhook
from gateway.adapters.carriers.plivo_webhook import PlivoWebhook
from gateway.adapters.carriers.telnyx_webhook import TelnyxWebhook
from gateway.adapters.carriers.twilio_webhook import TwilioWebhook
from gateway.adapters.carriers.vonage_webhook import VonageWebhook
from gateway.adapters.carriers.webhook import Answer, Asked, Ringing, Webhook
from gateway.caller.vendors import read_answer
from gateway.errors import Forbidden, InvalidRequest
from gateway.values import Private

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
URL = "https://gw.example/voice"
SEED = bytes(range(32))
KEY = Ed25519PrivateKey.from_private_bytes(SEED)
SIGNING = Private(base64.b64encode(SEED).decode())
PUBLIC = Private(base64.b64encode(KEY.public_key().public_bytes_raw()).decode())
SHARED = Private("a-shared-secret")
FORM = (("From", "15550199"), ("To", "15550100"), ("CallUUID", "12345678-1234-1234-1234-123456789abc"))
BODY = urlencode(FORM).encode()
SAID = json.dumps({"to": "15550100", "from": "15550199", "uuid": "0" * 32}).encode()
CALLS = {
    "twilio": "CA" + "0" * 32,
    "telnyx": "v3:9X2vxPDFY2RHSJ1EdMS0RHRksMTg7ldNxdjWbVr9zBjbGjGsSe-aiQ",
    "plivo": "12345678-1234-1234-1234-123456789abc",
    "vonage": "0779a56d002f1c7f47f82ef5fe84ab79",
    "exotel": "0779a56d002f1c7f47f82ef5fe84ab79",
}
WEBHOOKS: dict[str, Webhook] = {
    "twilio": TwilioWebhook(),
    "telnyx": TelnyxWebhook(),
    "plivo": PlivoWebhook(),
    "vonage": VonageWebhook(),
    "exotel": ExotelWebhook(),
}


def telnyx(stamp: str = STAMP, body: bytes = BODY) -> Asked:
    signature = telnyx_webhook.sign(SIGNING, stamp, body)
    return Asked(URL, {"telnyx-timestamp": stamp, "telnyx-signature-ed25519": signature}, body, FORM)


def plivo(nonce: str = "12345678901234567890", url: str = URL) -> Asked:
    signature = plivo_webhook.sign(SHARED, url, FORM, nonce)
    return Asked(url, {"X-Plivo-Signature-V3-Nonce": nonce, "X-Plivo-Signature-V3": signature}, BODY, FORM)


def vonage(issued_at: int = int(STAMP), jti: str = "c5ba8f24", body: bytes = SAID) -> Asked:
    return Asked(URL, {"Authorization": vonage_webhook.sign(SHARED, body, issued_at=issued_at, jti=jti)}, body, ())


def exotel(key: str = "a-shared-secret") -> Asked:
    return Asked(URL, {}, b"", (("key", key), ("CallSid", "0" * 32)))


def jwt(header: Mapping[str, object], claims: Mapping[str, object], secret: str = "a-shared-secret") -> Asked:  # noqa: S107
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)]
    mac = hmac.digest(secret.encode(), ".".join(parts).encode(), hashlib.sha256)
    token = ".".join([*parts, base64.urlsafe_b64encode(mac).rstrip(b"=").decode()])
    return Asked(URL, {"Authorization": f"Bearer {token}"}, SAID, ())


HASH = hashlib.sha256(SAID).hexdigest()
CLAIMS: dict[str, object] = {"iat": int(STAMP), "jti": "1", "payload_hash": HASH}
HS256 = {"alg": "HS256", "typ": "JWT"}

RIGHT: list[tuple[str, Private[str], Asked]] = [
    ("telnyx", PUBLIC, telnyx()),
    ("telnyx", PUBLIC, telnyx(str(int(STAMP) - 299))),
    ("plivo", SHARED, plivo()),
    ("plivo", SHARED, plivo(url=URL + "?line=7&a=b%20c")),
    ("plivo", SHARED, replace(plivo(url="https://gw.example:443/voice"), url=URL)),
    ("vonage", SHARED, vonage()),
    ("vonage", SHARED, jwt(HS256, CLAIMS)),
    ("exotel", SHARED, exotel()),
]


@pytest.mark.parametrize(("carrier", "secret", "asked"), RIGHT)
def test_the_carriers_own_request_is_taken(carrier: str, secret: Private[str], asked: Asked) -> None:
    assert WEBHOOKS[carrier].proven(secret, asked, NOW) is not None


def test_one_of_several_signatures_of_plivo_is_enough() -> None:
    """While an auth token is replaced, Plivo signs with both."""
    asked = plivo()
    both = {**asked.headers, "X-Plivo-Signature-V3": f"c29tZXRoaW5n,{asked.headers['X-Plivo-Signature-V3']}"}
    assert PlivoWebhook().proven(SHARED, replace(asked, headers=both), NOW) is not None


def test_the_text_that_plivo_signs_is_url_sorted_query_sorted_fields_and_nonce() -> None:
    text = "https://gw.example/voice?a=1&b=2.CallUUID7From1To2.99"
    right = base64.b64encode(hmac.digest(b"t", text.encode(), hashlib.sha256)).decode()
    fields = (("To", "2"), ("From", "1"), ("CallUUID", "7"))
    assert plivo_webhook.sign(Private("t"), "https://gw.example/voice?b=2&a=1", fields, "99") == right


WRONG: list[tuple[str, str, Private[str], Asked]] = [
    ("another key", "telnyx", Private(base64.b64encode(bytes(31) + b"\1").decode()), telnyx()),
    ("no key", "telnyx", Private("not a key"), telnyx()),
    ("another body", "telnyx", PUBLIC, replace(telnyx(), body=BODY + b"&x=1")),
    ("no headers", "telnyx", PUBLIC, replace(telnyx(), headers={})),
    ("another time stamp", "telnyx", PUBLIC, replace(telnyx(), headers={**telnyx().headers, "telnyx-timestamp": "1"})),
    ("too old", "telnyx", PUBLIC, telnyx(str(int(STAMP) - 301))),
    ("of the future", "telnyx", PUBLIC, telnyx(str(int(STAMP) + 301))),
    ("no number as time", "telnyx", PUBLIC, telnyx("now")),
    ("half a character", "telnyx", PUBLIC, replace(telnyx(), headers={**telnyx().headers, "telnyx-timestamp": "\udcff"})),
    ("another token", "plivo", Private("other"), plivo()),
    ("an empty token", "plivo", Private(""), plivo()),
    ("no headers", "plivo", SHARED, replace(plivo(), headers={})),
    ("another field", "plivo", SHARED, replace(plivo(), fields=(*FORM, ("X", "1")))),
    ("another URL", "plivo", SHARED, replace(plivo(), url=URL + "/other")),
    ("no nonce", "plivo", SHARED, plivo(nonce="")),
    ("another secret", "vonage", Private("other"), vonage()),
    ("an empty secret", "vonage", Private(""), vonage()),
    ("no header", "vonage", SHARED, replace(vonage(), headers={})),
    ("another body", "vonage", SHARED, replace(vonage(), body=SAID + b" ")),
    ("too old", "vonage", SHARED, vonage(issued_at=int(STAMP) - 301)),
    ("no id", "vonage", SHARED, vonage(jti="")),
    ("no algorithm", "vonage", SHARED, jwt({"alg": "none"}, CLAIMS)),
    ("no hash of the body", "vonage", SHARED, jwt(HS256, {"iat": int(STAMP), "jti": "1"})),
    ("no object", "vonage", SHARED, jwt(HS256, [1])),  # type: ignore[arg-type]
    ("another scheme", "vonage", SHARED, replace(vonage(), headers={"Authorization": vonage().headers["Authorization"][7:]})),
    ("no key", "exotel", SHARED, replace(exotel(), fields=())),
    ("another key", "exotel", SHARED, exotel("other")),
    ("an empty key", "exotel", Private(""), exotel("")),
]


@pytest.mark.parametrize(("why", "carrier", "secret", "asked"), WRONG, ids=[f"{row[1]}: {row[0]}" for row in WRONG])
def test_nobody_elses_is(why: str, carrier: str, secret: Private[str], asked: Asked) -> None:
    assert WEBHOOKS[carrier].proven(secret, asked, NOW) is None


def test_a_repetition_has_the_name_of_the_first_request_and_another_request_has_not() -> None:
    def once(carrier: str, secret: Private[str], asked: Asked) -> str:
        proof = WEBHOOKS[carrier].proven(secret, asked, NOW)
        assert proof is not None
        return proof.once

    assert once("telnyx", PUBLIC, telnyx()) == once("telnyx", PUBLIC, telnyx()) != once("telnyx", PUBLIC, telnyx(body=b"x"))
    assert once("plivo", SHARED, plivo()) == once("plivo", SHARED, plivo()) != once("plivo", SHARED, plivo("9"))
    assert once("vonage", SHARED, vonage()) == once("vonage", SHARED, vonage()) != once("vonage", SHARED, vonage(jti="2"))


def test_a_request_with_a_time_stamp_is_remembered_until_it_is_too_old() -> None:
    asked = telnyx(str(int(STAMP) + 300))
    first = TelnyxWebhook().proven(PUBLIC, asked, NOW)
    assert first is not None
    assert TelnyxWebhook().proven(PUBLIC, asked, NOW + timedelta(seconds=first.within_s)) is not None
    assert TelnyxWebhook().proven(PUBLIC, asked, NOW + timedelta(seconds=first.within_s + 1)) is None


@given(
    st.dictionaries(st.sampled_from(["Authorization", "telnyx-timestamp", "telnyx-signature-ed25519"]), st.text()), st.binary()
)
def test_whatever_is_sent_it_is_no_proof_and_nothing_breaks(headers: dict[str, str], body: bytes) -> None:
    asked = Asked(URL, headers, body, ())
    assert [webhook.proven(SHARED, asked, NOW) for webhook in WEBHOOKS.values()] == [None] * len(WEBHOOKS)


ANSWERS: dict[str, str] = {
    "twilio": (
        '<?xml version="1.0" encoding="UTF-8"?><Response><Connect><Stream url="wss://gw.example/media">'
        '<Parameter name="token" value="t0k3n___"/></Stream></Connect></Response>'
    ),
    "telnyx": (
        '<?xml version="1.0" encoding="UTF-8"?><Response><Connect><Stream url="wss://gw.example/media" track="inbound_track" '
        'codec="PCMU" bidirectionalMode="rtp" bidirectionalCodec="PCMU" bidirectionalSamplingRate="8000">'
        '<Parameter name="token" value="t0k3n___"/></Stream></Connect></Response>'
    ),
    "plivo": (
        '<?xml version="1.0" encoding="UTF-8"?><Response><Stream bidirectional="true" keepCallAlive="true" audioTrack="inbound" '
        'contentType="audio/x-mulaw;rate=8000" extraHeaders="token=b749379fffff">wss://gw.example/media</Stream></Response>'
    ),
    "vonage": (
        '[{"action":"connect","endpoint":[{"type":"websocket","uri":"wss://gw.example/media",'
        '"content-type":"audio/l16;rate=16000",'
        '"headers":{"call":"0779a56d002f1c7f47f82ef5fe84ab79","token":"t0k3n___"}}]}]'
    ),
    "exotel": '{"url":"wss://gw.example/media?token=t0k3n___"}',
}


def answer(carrier: str) -> Answer:
    ringing = Ringing(CALLS[carrier], Private("+15550199"), Private("+15550100"))
    return WEBHOOKS[carrier].connect("wss://gw.example/media", ringing, "t0k3n___")


@pytest.mark.parametrize("carrier", list(ANSWERS))
def test_the_answer_connects_the_call_to_our_socket(carrier: str) -> None:
    assert answer(carrier).text == ANSWERS[carrier]
    url, parameters = read_answer(carrier, ANSWERS[carrier])
    assert url.startswith("wss://gw.example/media")
    assert parameters["token"] == "t0k3n___"


@pytest.mark.parametrize("carrier", list(ANSWERS))
def test_a_call_that_is_not_taken_is_told_so(carrier: str) -> None:
    busy = WEBHOOKS[carrier].busy()
    with pytest.raises((Forbidden, InvalidRequest)):
        read_answer(carrier, busy.text)


NUMBERS: list[tuple[str, dict[str, str], str]] = [
    ("telnyx", {"To": "+15550100"}, "+15550100"),
    ("plivo", {"To": "15550100"}, "+15550100"),
    ("vonage", {"to": "15550100"}, "+15550100"),
    ("exotel", {"CallTo": "08047491899"}, "+918047491899"),
    ("exotel", {"CallTo": "918047491899"}, "+918047491899"),
    ("exotel", {"CallTo": "+6531234567"}, "+6531234567"),
    ("exotel", {"CallTo": "0804749"}, "0804749"),
    ("plivo", {"To": "sip:bakery@phone.plivo.com"}, "sip:bakery@phone.plivo.com"),
    ("vonage", {}, ""),
]


@pytest.mark.parametrize(("carrier", "fields", "called"), NUMBERS)
def test_the_called_number_is_read_as_the_carrier_writes_it(carrier: str, fields: dict[str, str], called: str) -> None:
    assert WEBHOOKS[carrier].called(fields) == called


NAMES = {"twilio": "CallSid", "telnyx": "CallSid", "plivo": "CallUUID", "vonage": "uuid", "exotel": "CallSid"}


@pytest.mark.parametrize("carrier", list(WEBHOOKS))
@pytest.mark.parametrize("call", ["", "1", "../../etc", "v3:" + "x" * 1000, "CA" + "A" * 32 + "<"])
def test_a_call_that_is_named_otherwise_is_refused(carrier: str, call: str) -> None:
    assert WEBHOOKS[carrier].ringing({NAMES[carrier]: CALLS[carrier]}).carrier_call == CALLS[carrier]
    with pytest.raises(InvalidRequest):
        WEBHOOKS[carrier].ringing({NAMES[carrier]: call})
