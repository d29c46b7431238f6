"""What the normalised view of a transcript says, and that every stretch of it leads back to whole words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.redaction.english import ENGLISH
from gateway.redaction.spoken import view

SAID = [
    ("four five three two", "4532"),
    ("Four, five, three, two. One, one, eight, zero.", "45321180 |"),
    ("four five three two\none one eight zero", "45321180"),
    ("double four triple oh", "44000"),
    ("double, four", "44"),
    ("double 45", "445"),
    ("five oh one", "501"),
    ("oh dear", "oh dear"),
    ("forty-two oak street", "42 oak street"),
    ("forty two", "42"),
    ("one hundred and twenty nine dollars", "129 dollars"),
    ("six hundred fifty two eighty", "65280"),
    ("one eight hundred five five five", "1800555"),
    ("two thousand and four", "2004"),
    ("five thousand three hundred", "5300"),
    ("nineteen eighty four", "1984"),
    ("the third of March", "the 3rd of march"),
    ("twenty first of May", "21st of may"),
    ("two five for nine eight", "25498"),
    ("wait for me", "wait for me"),
    ("8 1 9 for 2 7 7 1 3", "819427713"),
    ("six, to, zero", "620"),
    ("nine, one, too.", "912 |"),
    ("seven two a four one", "72841"),
    ("double for nine", "449"),
    ("wait for two hours or three", "wait for 2 hours or 3"),
    ("from 1000 to 2000", "from 1000 to 2000"),
    ("twenty for thirty", "20 for 30"),
    ("seven oh oh", "700"),
    ("forty 2", "42"),
    ("2 thousand and 9", "2009"),
    ("300 and 7", "307"),
    ("seven.. eight", "78"),
    ("seven uh three, um, one", "731"),
    ("seven dash three", "73"),
    ("555-234-9876", "5552349876"),
    ("10.20.30.40", "10.20.30.40"),
    ("at 10:30", "at 10:30"),
    ("S-M-I-T-H", "s-m-i-t-h"),
    ("John's number", "john's number"),
    ("John’s number", "john's number"),
    ("٤٥٣٢", "4532"),
    ("hundred", "hundred"),
    ("", ""),
    (" … ", ""),
]


@pytest.mark.parametrize(("said", "written"), SAID)
def test_number_words_are_written_as_digits(said: str, written: str) -> None:
    assert view(said, ENGLISH).text.removeprefix("| ").strip("| ") == written.strip("| ")


@pytest.mark.parametrize(
    ("said", "part", "words"),
    [
        ("my card is four, five. Three!", "453", "four, five. Three"),
        ("my card is four, five. Three!", "5", "five"),
        ("live at forty-two Oak Street", "42 oak", "forty-two Oak"),
        ("double four", "4", "double four"),
        ("uh the twenty third of March", "23rd of march", "twenty third of March"),
    ],
)
def test_a_stretch_of_the_view_leads_back_to_the_words_that_were_said(said: str, part: str, words: str) -> None:
    seen = view(said, ENGLISH)
    start = seen.text.index(part)
    assert seen.words(start, start + len(part)) == words


def test_an_empty_stretch_stands_for_nothing() -> None:
    with pytest.raises(ValueError, match="empty stretch"):
        view("four", ENGLISH).span(0, 0)


@given(st.text(max_size=60), st.data())
def test_any_text_has_a_view_whose_stretches_lie_within_the_text(said: str, data: st.DataObject) -> None:
    seen = view(said, ENGLISH)
    if not seen.text:
        return
    start = data.draw(st.integers(0, len(seen.text) - 1))
    end = data.draw(st.integers(start + 1, len(seen.text)))
    first, last = seen.span(start, end)
    assert 0 <= first < last <= len(said)
    assert seen.span(0, len(seen.text))[0] <= first
    assert last <= seen.span(0, len(seen.text))[1]


WORDS = st.sampled_from(
    ["four", "oh", "double", "twenty", "hundred", "and", "thousand", "third", "uh", ",", ".", "-", "for", "12", "7th", "cat", "é"]
)


@given(st.lists(WORDS, max_size=14))
def test_every_digit_that_was_said_or_written_is_in_the_view(words: list[str]) -> None:
    """Nothing that was said is lost on the way into the view, whatever stands around it."""
    said = " ".join(words)
    seen = view(said, ENGLISH).text
    assert ("four" in words) <= ("4" in seen)
    assert ("12" in words) <= ("12" in seen)
    assert ("cat" in words) <= ("cat" in seen)
