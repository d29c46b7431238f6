"""Figures that follow the words of another kind keep that kind, however near a date is told."""

from __future__ import annotations

import pytest

from gateway.redaction.finders import find_all
from gateway.redaction.heard import Heard
from gateway.redaction.spans import resolve


@pytest.mark.parametrize(
    ("said", "kinds"),
    [
        ("The security code is 947. The card expires 09/2031.", ["CVV", "CARD_EXPIRY"]),
        ("my pin is 4410 and i was born on the third of may nineteen eighty", ["PIN", "DATE_OF_BIRTH"]),
        ("passport number is 533380006 and she was born in 1980", ["PASSPORT", "DATE_OF_BIRTH"]),
        ("my member id is 88 31 02 and date of birth is 3 4 1980", ["MEMBER_ID", "DATE_OF_BIRTH"]),
        ("it expires 0927 and the cvv is 123", ["CARD_EXPIRY", "CVV"]),
        ("runs out in november twenty thirty and the code is four one seven", ["CARD_EXPIRY", "CVV"]),
        ("It is good until 04/2032, and the code is 6605.", ["CARD_EXPIRY", "CVV"]),
        ("good through oh nine twenty seven", ["CARD_EXPIRY"]),
    ],
)
def test_a_date_nearby_takes_nothing_of_another_kind(said: str, kinds: list[str]) -> None:
    assert [str(span.entity) for span in resolve(said, find_all(Heard.of(said)))] == kinds
