"""The search that the other tests stand on: what it must find it finds, in whatever form, and what is harmless it leaves."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from gateway.redaction.entities import KINDS, LITERAL
from tests.peers.proxy.people import PEOPLE, SHORTEST, SPOKEN, WRITTEN, Secret, leaked, missing

LONG = 9
"""Less is too little to be told from any other word once it is coded."""
FORMS: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "JSON": lambda text: json.dumps({"said": text}).encode(),
    "JSON in JSON": lambda text: json.dumps({"arguments": json.dumps({"said": text})}).encode(),
    "JSON with every sign escaped": lambda text: "".join(f"\\u{ord(sign):04x}" for sign in text).encode(),
    "percent-encoded": lambda text: quote(text, safe="").encode(),
    "in a form": lambda text: quote_plus(text).encode(),
}
CODED: dict[str, Callable[[str], bytes]] = {
    "base64": lambda text: base64.b64encode(text.encode()),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).rstrip(b"="),
    "base64 behind other bytes": lambda text: b'{"data":"x' + base64.b64encode(b"ab" + text.encode() + b"c") + b'"}',
    "hexadecimal": lambda text: text.encode().hex().encode(),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_every_secret_is_found_in_every_form(form: Callable[[str], bytes]) -> None:
    for secret in PEOPLE:
        assert leaked([b"GET / ", form(f"well, {secret.said}")], [secret]), secret


@pytest.mark.parametrize("form", CODED.values(), ids=CODED.keys())
def test_whole_values_are_found_when_they_are_coded(form: Callable[[str], bytes]) -> None:
    for secret in PEOPLE:
        if len(secret.value) >= LONG and min(map(len, secret.needles)) >= SHORTEST:
            assert leaked([form(secret.value)], [secret]), secret


def test_a_part_of_a_secret_is_a_leak() -> None:
    """A family name alone tells who it is, and half a card number too."""
    assert leaked([b'{"content":"Hello Mr. Thistlewood, 8888 1881"}']) == ["PERSON: thistlewood", "CREDIT_CARD: 88881881"]


def test_what_stands_for_a_secret_is_none() -> None:
    harmless = {"content": "I am <PERSON_1>, <AGE_1> years old, at <STREET_ADDRESS_12>.", "max_tokens": 947_000, "seed": 57_000}
    assert leaked([json.dumps(harmless).encode()]) == []


def test_what_did_not_come_back_is_named() -> None:
    ann = Secret("PERSON", "I am Ann Lee", "Ann Lee")
    assert missing(["Dear ann  lee,"], [ann]) == []
    assert missing(["Dear <PERSON_1>,"], [ann]) == ["PERSON: Ann Lee"]


@pytest.mark.parametrize("secrets", [WRITTEN, SPOKEN], ids=["written", "spoken"])
def test_every_kind_is_there(secrets: tuple[Secret, ...]) -> None:
    assert {secret.kind for secret in secrets} == {str(kind) for kind in KINDS if kind != LITERAL}
