"""Whatever is said, the rules answer: every finding lies within the text, and the work grows no faster than the text."""

from __future__ import annotations

import sys
from itertools import pairwise
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.redaction.finders import find_all
from gateway.redaction.heard import Heard
from gateway.redaction.spans import resolve
from gateway.redaction.tables import words

WORDS = st.sampled_from(
    sorted(
        words(
            """
    four five oh double for to a i 12 4539 (415) 555-0192 , . - | uh no sorry my card number is security code account email at dot
    com gmail password username plate passport as in b Zebra NHS MM19 street road live 7 apartment born march 1979 years old name
    Rosa spelled driver thank you and the http:// www. @ ' ’ ½ ٣ é \u200d नमस्ते 👋🏽 \x00 ß İ
    """
        )
    )
)


@given(st.text(max_size=80), st.text(max_size=30))
def test_every_finding_in_any_text_lies_within_the_text(said: str, before: str) -> None:
    for span in find_all(Heard.of(said, before)):
        assert 0 <= span.start < span.end <= len(said)


@given(st.lists(WORDS, max_size=24).map(" ".join), st.lists(WORDS, max_size=8).map(" ".join))
def test_every_finding_in_a_heap_of_telling_words_lies_within_the_text(said: str, before: str) -> None:
    found = find_all(Heard.of(said, before))
    assert all(0 <= span.start < span.end <= len(said) for span in found)
    spans = resolve(said, found)
    assert all(left.end <= right.start for left, right in pairwise(spans))


@given(st.lists(WORDS, max_size=16).map(" ".join))
def test_what_is_found_begins_and_ends_with_whole_words(said: str) -> None:
    """A half-masked word would tell the other half."""
    for span in find_all(Heard.of(said)):
        assert not (span.start and said[span.start - 1].isdecimal() and said[span.start].isdecimal())
        assert not (span.end < len(said) and said[span.end - 1].isdecimal() and said[span.end].isdecimal())


def work(said: str) -> int:
    """How many calls the rules make for a text, built-in ones included."""
    count = 0

    def tick(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    heard = Heard.of("warm up")
    find_all(heard)
    before = sys.getprofile()
    sys.setprofile(tick)
    try:
        find_all(Heard.of(said))
    finally:
        sys.setprofile(before)
    return count


HOSTILE = """
    four|a|four for|four uh|double|no sorry four|1 and|hundred|dot com at|john dot|email is a|send to x at|gmail|@ a.com|12 oak
    at 12 larch|live at 12 larch|flat 3|my name is|the driver in x|from x to y|spell a b|as in|a as in b|password is x|policy AB
    card number|s t|january 1|1.|1 dot|a-|x'|http://|((((
"""


@pytest.mark.parametrize("piece", [piece.strip() for piece in HOSTILE.replace("\n", "|").split("|") if piece.strip()])
def test_twice_the_text_is_no_more_than_about_twice_the_work(piece: str) -> None:
    once, twice = work(f"{piece} " * 150), work(f"{piece} " * 300)
    assert twice <= 2.5 * once + 500


@settings(max_examples=15, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=5).map(" ".join))
def test_no_repeated_phrase_makes_the_work_grow_faster_than_the_text(phrase: str) -> None:
    once, twice = work(f"{phrase} " * 40), work(f"{phrase} " * 80)
    assert twice <= 2.6 * once + 500


def test_ten_thousand_digits_are_one_number_to_the_last() -> None:
    said = "my card number is " + "four five " * 5_000
    spans = resolve(said, find_all(Heard.of(said)))
    assert [(span.start, span.end) for span in spans] == [(18, len(said) - 1)]
