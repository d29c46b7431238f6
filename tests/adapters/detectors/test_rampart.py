"""The classifier of names and places: what it says of words, that it reads long texts whole, and where its words stand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.adapters.detectors.presidio import PresidioDetector
from gateway.adapters.detectors.rampart import Rampart
from gateway.redaction.spans import resolve
from gateway.values import Private


@pytest.fixture(scope="module")
def rampart() -> Rampart:
    return Rampart()


def named(rampart: Rampart, text: str) -> set[tuple[str, str]]:
    return {(text[word.start : word.end], word.kind) for word in rampart.words(text) if word.score > 0.4}


def test_names_and_places_are_found_in_lower_case_and_with_accents(rampart: Rampart) -> None:
    assert named(rampart, "this is about rosalind okonjo who moved to lisbon") == {
        ("rosalind", "PERSON"),
        ("okonjo", "PERSON"),
        ("lisbon", "LOCATION"),
    }
    assert ("José", "PERSON") in named(rampart, "my colleague José Álvarez called")


def test_a_long_text_is_read_to_its_end(rampart: Rampart) -> None:
    text = "we talked about the weather for a while " * 60 + "and then rosalind okonjo came in"
    assert ("okonjo", "PERSON") in named(rampart, text)


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=80))
def test_any_text_can_be_read_and_every_word_lies_in_it(text: str) -> None:
    read = _RAMPART.words(text)
    assert all(0 <= word.start < word.end <= len(text) and 0 <= word.score <= 1.001 for word in read)


_RAMPART = Rampart()

SPEECH = [
    ("the parcel is for my neighbour rosalind okonjo", {"PERSON": "rosalind okonjo"}),
    ("we are moving to leeds in the autumn", {"LOCATION": "leeds"}),
    # Ordinary words, prices and quantities are nobody's name and no place.
    ("please bill me and be frank about the price", {}),
    ("i need three rooms from july for ten nights", {}),
    ("will you grant me a refund", {}),
    ("the summer price is nine ninety nine", {}),
]


@pytest.mark.parametrize(("said", "private"), SPEECH)
async def test_a_transcript_shows_its_names_and_nothing_else(
    detector: PresidioDetector, said: str, private: dict[str, str]
) -> None:
    spans = resolve(said, await detector.detect(Private(said), language="en"))
    assert {str(span.entity): said[span.start : span.end] for span in spans} == private
