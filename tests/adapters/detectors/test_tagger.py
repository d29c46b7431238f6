"""The tagger of private words: it reads any text, long ones whole, and a question before an answer; and what its words become."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.adapters.detectors.bars import SCORE, tagged_spans
from gateway.adapters.detectors.presidio import PresidioDetector
from gateway.adapters.detectors.tagger import MOST_BEFORE, WIDTH, Tagged, Tagger, encode
from gateway.redaction.spans import resolve
from gateway.values import Private

_TAGGER = Tagger()


def kinds(text: str, previous: str = "") -> dict[str, str]:
    return {text[span.start : span.end]: str(span.entity) for span in tagged_spans(text, _TAGGER.words(text, previous))}


@pytest.mark.parametrize("name", ["rosalind okonjo", "Rosalind Okonjo", "José Álvarez"])
def test_a_name_is_known_by_its_place_in_the_sentence_however_it_was_heard(name: str) -> None:
    assert kinds(f"hello my name is {name} and i have a question") == {name: "PERSON"}


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80), st.text(max_size=40))
def test_any_text_can_be_read_and_every_word_lies_in_it(text: str, previous: str) -> None:
    words = _TAGGER.words(text, previous, least=0.0)
    assert [(word.start, word.end) for word in words] == encode(text)[1]
    assert all(0 <= word.start < word.end <= len(text) and -0.001 <= word.score <= 1.001 for word in words)


def test_a_long_text_is_read_to_its_end() -> None:
    text = "we talked about the weather for a while " * 60 + "and then my name is rosalind okonjo"
    assert "PERSON" in kinds(text).values()
    assert len(_TAGGER.words(text, least=0.0)) == len(text.split())


def test_what_was_said_long_before_changes_no_word_of_an_answer() -> None:
    """So only the last words of the turn before are read: the network sees no further."""
    before = "could you tell me who i am speaking to today and then the name that stands on the account please"
    text = "rosalind okonjo i think"
    (near, _, rows), (far, _, more) = encode(text, before, most_before=15), encode(text, before)
    assert more > rows
    assert np.allclose(_TAGGER._read(near)[rows:], _TAGGER._read(far)[more:], atol=1e-5)


@pytest.mark.parametrize("windows", [255, 256, 257, 448, 449, 1000])
def test_what_two_windows_read_is_counted_once(windows: int) -> None:
    text = "word " * windows
    assert [word.start for word in _TAGGER.words(text, least=0.0)] == [5 * at for at in range(windows)]


def test_of_a_long_question_its_end_is_read() -> None:
    pieces, places, before = encode("it is ann", "so " * 200 + "what is your name")
    assert before == MOST_BEFORE + 1
    assert pieces.shape == (before + len(places), WIDTH)
    assert (pieces == encode("it is ann", "so " * 300 + "what is your name")[0]).all()


def tagged(text: str, *words: tuple[str, str, float]) -> list[Tagged]:
    return [Tagged(text.index(word), text.index(word) + len(word), kind, score) for word, kind, score in words]


TEXT = "i am Ann, Lee from Paris"
SPANS = [
    # Neighbours of one kind are one value when one of them is sure; commas may stand between.
    ([("Ann", "PERSON", 0.99), ("Lee", "PERSON", 0.5)], {"Ann, Lee": "PERSON"}),
    # Nobody is sure: nothing is masked.
    ([("Ann", "PERSON", 0.5), ("Lee", "PERSON", 0.5)], {}),
    # A word between ends the value; another kind does too.
    ([("Ann", "PERSON", 0.99), ("Paris", "PERSON", 0.99)], {"Ann": "PERSON", "Paris": "PERSON"}),
    ([("Ann", "PERSON", 0.99), ("Lee", "LOCATION", 0.99)], {"Ann": "PERSON", "Lee": "LOCATION"}),
    # A kind that the tagger is not asked about stays with the rules.
    ([("Paris", "NEWS", 1.0)], {}),
]


@pytest.mark.parametrize(("words", "private"), SPANS)
def test_sure_words_make_spans(words: list[tuple[str, str, float]], private: dict[str, str]) -> None:
    spans = tagged_spans(TEXT, tagged(TEXT, *words))
    assert {TEXT[span.start : span.end]: str(span.entity) for span in spans} == private
    assert all(span.score == SCORE and "%" in span.why for span in spans)


def test_a_placeholder_is_masked_already() -> None:
    text = "thank you <PERSON_1> and Ann"
    spans = tagged_spans(text, tagged(text, ("PERSON", "PERSON", 1.0), ("Ann", "PERSON", 1.0)))
    assert [text[span.start : span.end] for span in spans] == ["Ann"]


SPEECH = [
    # Formatted text, and recogniser output with a name that became other words.
    ("Angela Merkel was in Hamburg yesterday.", {"PERSON": "Angela Merkel", "LOCATION": "Hamburg"}),
    ("Hello, this is Ona Liam Lewis.", {"PERSON": "Ona Liam Lewis"}),
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
