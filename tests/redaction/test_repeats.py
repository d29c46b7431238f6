"""A value that the call knows is private stays private, whoever writes it again, and however."""

from __future__ import annotations

import pytest

from gateway.redaction.english import ENGLISH
from gateway.redaction.mask import normal_form
from gateway.redaction.repeats import repeats
from gateway.redaction.spoken import view
from gateway.values import EntityType

AGAIN = [
    ("IN_PAN", "BQTPM4821K", '{"again": ["BQTPM4821K", 1]}', "BQTPM4821K"),
    ("IN_PAN", "BQTPM4821K", "it is b q t p m four eight two one k", "b q t p m four eight two one k"),
    ("IN_PAN", "c l d p r seven three one six n", "noted CLDPR7316N.", "CLDPR7316N"),
    ("USERNAME", "bthistle_77", "user=bthistle_77&x=1", "bthistle_77"),
    ("PASSWORD", 'Wal"rus8842x', r'{"password": "Wal\"rus8842x"}', r"Wal\"rus8842x"),
    ("UK_NINO", "JG 10 37 59 A", "ref JG103759A", "JG103759A"),
    ("CVV", "six one eight", "code: 618", "618"),
    ("LOCATION", "Chattanooga", "Weather in CHATTANOOGA: fine", "CHATTANOOGA"),
    ("STREET_ADDRESS", "742 Larchmont Avenue", "ship to 742, Larchmont Avenue", "742, Larchmont Avenue"),
    ("EMAIL_ADDRESS", "b.quill@example.org", "b dot quill at example dot org", "b dot quill at example dot org"),
    ("VEHICLE_PLATE", "KVB 8241", "kvb8241", "kvb8241"),
]


@pytest.mark.parametrize(("kind", "value", "text", "again"), AGAIN)
def test_the_same_signs_are_the_same_value(kind: str, value: str, text: str, again: str) -> None:
    (span,) = repeats(view(text, ENGLISH), [(EntityType(kind), normal_form(value))])
    assert (text[span.start : span.end], span.entity) == (again, kind)


HARMLESS = [
    ("AGE", "57", "57 items"),
    ("CVV", "618", "6180 items and 1618"),
    ("LOCATION", "Reading", "i am reading a book"),
    ("USERNAME", "may", "in may"),
    ("IN_PAN", "BQTPM4821K", "BQTPM4821 and XBQTPM4821K"),
    ("ID_NUMBER", "12", "12"),
]


@pytest.mark.parametrize(("kind", "value", "text"), HARMLESS)
def test_less_than_the_value_and_everyday_words_are_no_value(kind: str, value: str, text: str) -> None:
    assert list(repeats(view(text, ENGLISH), [(EntityType(kind), normal_form(value))])) == []


def test_every_place_of_every_value_is_found() -> None:
    text = "KVB 8241 and BQTPM4821K, again KVB 8241"
    known = [(EntityType("VEHICLE_PLATE"), "kvb8241"), (EntityType("IN_PAN"), "bqtpm4821k")]
    assert [text[each.start : each.end] for each in repeats(view(text, ENGLISH), known)] == ["KVB 8241", "BQTPM4821K", "KVB 8241"]
