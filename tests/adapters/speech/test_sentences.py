"""What a voice is given: sentences that start to sound early, and numbers the way people read them out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.speech.sentences import readable, sentences


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Thank you, Jonathan. What is your card number?", ["Thank you, Jonathan.", "What is your card number?"]),
        ("Yes! No? Well… Fine.", ["Yes!", "No?", "Well…", "Fine."]),
        ("Dr. Williams and Mr. J. Smith are here.", ["Dr. Williams and Mr. J. Smith are here."]),
        ("It costs 3.50 dollars.", ["It costs 3.50 dollars."]),
        ('He said "Stop." Then he left.', ['He said "Stop."', "Then he left."]),
        ("first line\nsecond line", ["first line", "second line"]),
        ("  much   space  ", ["much space"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_text_is_spoken_sentence_by_sentence(text: str, pieces: list[str]) -> None:
    assert sentences(text) == pieces


@given(st.text(st.sampled_from(list('ab Z.!?,;\n"(')), max_size=900))
def test_no_word_is_lost_and_no_piece_is_long(text: str) -> None:
    pieces = sentences(text)
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert all(0 < len(piece) <= 220 for piece in pieces)


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("4532 1180 9661 2345", "four five three two, one one eight zero, nine six six one, two three four five"),
        ("4532118096612345", "four five three two, one one eight zero, nine six six one, two three four five"),
        ("4532-118096612345.", "four five three two, one one eight zero, nine six six one, two three four five."),
        ("+44 7700 900123", "plus four four, seven seven zero zero, nine zero zero, one two three"),
        ("(555) 234-9876", "five five five, two three four, nine eight seven six"),
        ("55523-49876", "five five five, two three, four nine eight, seven six"),
        ("5552349876", "five five five, two three four, nine eight seven six"),
        ("B79241", "B seven nine two four one"),
        ("john.smith@example.com", "john dot smith at example dot com"),
        ("john.smith at example.com.", "john dot smith at example dot com."),
        ("j_doe-99+news@mail.example.org", "j underscore doe dash nine nine plus news at mail dot example dot org"),
    ],
)
def test_long_numbers_codes_and_addresses_are_read_out_as_people_do(text: str, spoken: str) -> None:
    assert readable(text) == spoken


@pytest.mark.parametrize(
    "text",
    [
        "in 2024",
        "from 1984 to 1999",
        "1,250 people",
        "$10000 or 10000 dollars",
        "€12345.67",
        "3.14159",
        "at 9:30",
        "on 2019-10-12 or 10/12/2019",
        "42 Oak Street",
        "five, five, five, two, three",
        "e.g. the U.S. office at 9 a.m.",
        "12.5% of 100000%",
    ],
)
def test_what_a_voice_reads_well_by_itself_stays(text: str) -> None:
    assert readable(text) == text


@given(st.text(max_size=200))
def test_any_text_can_be_made_readable(text: str) -> None:
    assert all(isinstance(readable(piece), str) for piece in sentences(text))
