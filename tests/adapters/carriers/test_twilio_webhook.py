"""Only Twilio's own requests are taken for Twilio's, and the answers are TwiML that cannot be bent."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.carriers.twilio_webhook import connect, is_signed, reject, sign, stream_url
from gateway.caller.dialling import read_twiml
from gateway.errors import Forbidden, Misconfigured
from gateway.values import Private

TOKEN = Private("12345")
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
FORM = (
    ("Digits", "1234"),
    ("To", "+18005551212"),
    ("From", "+14158675309"),
    ("Caller", "+14158675309"),
    ("CallSid", "CA1234567890ABCDE"),
)
SIGNATURE = "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_the_example_of_twilios_documentation_has_the_signature_printed_there() -> None:
    assert sign(TOKEN, URL, FORM) == SIGNATURE
    assert is_signed(TOKEN, URL, FORM, SIGNATURE)


@pytest.mark.parametrize(
    ("token", "url", "form", "signature"),
    [
        (Private("12346"), URL, FORM, SIGNATURE),
        (Private(""), URL, FORM, sign(Private(""), URL, FORM)),
        (TOKEN, URL + "3", FORM, SIGNATURE),
        (TOKEN, URL.replace("https", "http"), FORM, SIGNATURE),
        (TOKEN, URL, FORM[1:], SIGNATURE),
        (TOKEN, URL, (*FORM, ("Extra", "")), SIGNATURE),
        (TOKEN, URL, (("Digits", "12345"), *FORM[1:]), SIGNATURE),
        (TOKEN, URL, FORM, ""),
        (TOKEN, URL, FORM, SIGNATURE[:-1]),
        (TOKEN, URL, FORM, "é\udcff"),
    ],
    ids=["token", "empty token", "query", "scheme", "field gone", "field more", "value", "none", "cut", "no text"],
)
def test_any_other_request_is_not_signed(
    token: Private[str], url: str, form: tuple[tuple[str, str], ...], signature: str
) -> None:
    assert not is_signed(token, url, form, signature)


@pytest.mark.parametrize(
    ("ours", "signed"),
    [
        ("https://gw.example/voice", "https://gw.example:443/voice"),
        ("https://gw.example:443/voice", "https://gw.example/voice"),
        ("http://[::1]/voice", "http://[::1]:80/voice"),
        ("https://gw.example:8443/voice", "https://gw.example:8443/voice"),
    ],
)
def test_the_default_port_may_be_written_or_not(ours: str, signed: str) -> None:
    assert is_signed(TOKEN, ours, FORM, sign(TOKEN, signed, FORM))


def test_another_port_is_another_address() -> None:
    assert not is_signed(TOKEN, "https://gw.example/voice", FORM, sign(TOKEN, "https://gw.example:8443/voice", FORM))


@given(st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=5))
def test_the_order_of_the_form_does_not_matter(form: list[tuple[str, str]]) -> None:
    assert sign(TOKEN, URL, form) == sign(TOKEN, URL, list(reversed(form)))


@pytest.mark.parametrize(
    ("public", "expected"),
    [
        ("https://gw.example", "wss://gw.example/media/twilio"),
        ("https://gw.example/sordino/", "wss://gw.example/sordino/media/twilio"),
        ("https://gw.example:8443", "wss://gw.example:8443/media/twilio"),
        ("http://127.0.0.1:8080", "ws://127.0.0.1:8080/media/twilio"),
        ("http://[::1]:8080", "ws://[::1]:8080/media/twilio"),
    ],
)
def test_the_media_socket_stands_at_the_public_address(public: str, expected: str) -> None:
    assert stream_url(public, "/media/twilio") == expected


@pytest.mark.parametrize(
    "public",
    [
        "",
        "gw.example",
        "ftp://gw.example",
        "http://gw.example",
        "https://",
        "https://gw.example?x=1",
        "https://u@gw.example",
        "https://gw:x",
    ],
)
def test_an_address_that_is_none_or_would_carry_calls_in_clear_is_refused_with_the_remedy(public: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        stream_url(public, "/media/twilio")
    assert "SORDINO_PUBLIC_URL" in refused.value.hint


xml_text = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufffe\uffff"), max_size=50)


@given(xml_text, xml_text)
def test_whatever_stands_in_a_parameter_arrives_as_it_was(name: str, value: str) -> None:
    twiml = connect("wss://gw.example/media/twilio", {name: value})
    assert len(list(ET.fromstring(twiml).iter())) == 4  # noqa: S314 - our own text
    assert read_twiml(twiml) == ("wss://gw.example/media/twilio", {name: value})


def test_a_parameter_that_twilio_would_not_take_is_a_mistake_of_the_program() -> None:
    connect("wss://gw.example", {"token": "x" * 494})
    with pytest.raises(ValueError, match="too long"):
        connect("wss://gw.example", {"token": "x" * 495})


@pytest.mark.parametrize(("busy", "reason"), [(True, "busy"), (False, "rejected")])
def test_a_refused_call_is_rejected_without_a_word(busy: bool, reason: str) -> None:
    rejected = ET.fromstring(reject(busy=busy)).find("Reject")  # noqa: S314 - our own text
    assert rejected is not None
    assert rejected.get("reason") == reason
    with pytest.raises(Forbidden):
        read_twiml(reject(busy=busy))
