"""What the tagger's training data promises: numbers as people say them, marks where they should be, nothing that is scored."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.detectors.tagger import Tagger
from gateway.redaction.english import ENGLISH
from gateway.redaction.spoken import view
from tools.tagger import check, heard, noise, speech

DATA = Path("tests/data/pii")
CORPUS = Path("tools/tagger/heard.jsonl")


@given(st.text("0123456789", min_size=1, max_size=12), st.randoms())
def test_digits_that_are_read_aloud_are_the_same_digits_again(value: str, random: Random) -> None:
    """Ones, pairs, "double" and "triple": the normaliser of the rules reads back what the generator says."""
    said = speech.digits(random, value)
    assert not any(sign.isdigit() for sign in said)
    # Pairs and hundreds may be read as sums; pauses are heard as such.
    if not {"hundred", *speech.TENS, *speech.TEENS, "uh", "um", "er", "hold", "let"} & set(said.split()):
        read = "".join(sign for sign in view(said.replace("oh", "zero"), ENGLISH).text if sign.isdigit())
        assert read == value


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (7, "seven"),
        (15, "fifteen"),
        (42, "forty two"),
        (90, "ninety"),
        (300, "three hundred"),
        (4510, "four thousand five hundred and ten"),
    ],
)
def test_numbers_are_said_in_words(value: int, said: str) -> None:
    assert speech.number(value) == said


@given(st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=12), st.randoms())
def test_a_misheard_word_is_some_word_at_least(word: str, random: Random) -> None:
    assert all(part for part in noise.misheard(random, word))


MARKS = [
    # A name that became other words, between words that came through.
    (
        "my name is akanmu adeleke and i live here",
        (11, 25),
        "My name is Ack and New Adele, and I live here.",
        "Ack and New Adele",
    ),
    # Figures are the number words that were said.
    ("the code is four two seven thanks", (12, 26), "The code is 427. Thanks.", "427"),
]


@pytest.mark.parametrize(("said", "span", "transcript", "marked"), MARKS)
def test_a_mark_is_carried_over_to_what_was_heard(said: str, span: tuple[int, int], transcript: str, marked: str) -> None:
    carried = heard.carry(said, [[*span, "PERSON"]], transcript)
    assert carried is not None
    assert [transcript[start:end] for start, end, _ in carried] == [marked]


@pytest.mark.parametrize("transcript", ["", "Something else was understood entirely."])
def test_where_the_words_around_a_mark_are_lost_the_row_is_dropped(transcript: str) -> None:
    assert heard.carry("my name is akanmu adeleke and i live here", [[11, 25, "PERSON"]], transcript) is None


def test_five_words_in_a_row_are_compared_without_their_values() -> None:
    text = "please send it to mary today"
    assert check.runs(text, [(18, 22)]) == {("please", "send", "it", "to", "*"), ("send", "it", "to", "*", "today")}
    assert check.runs("it is four one two six today", []) == set()


def test_values_of_a_scored_set_are_kept_out_and_short_numbers_are_everybodys() -> None:
    keep = check.avoiding(DATA)
    scored = sorted(check.values(DATA))
    name = next(value for value in scored if value.replace(" ", "").isalpha() and " " in value)
    assert not keep(name)
    assert keep("four two seven")
    assert keep("nobody of that name")


def test_the_recognised_corpus_holds_nothing_of_the_scored_sets_and_its_marks_have_labels() -> None:
    keep, labels = check.avoiding(DATA), set(Tagger().labels)
    rows = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    assert len(rows) > 1000
    for row in rows:
        for start, end, label in row["spans"]:
            assert label in labels
            assert keep(row["text"][start:end].lower().strip(" .,"))
