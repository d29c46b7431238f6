"""What a question asks for, and which words of an answer are its value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.redaction import answers
from gateway.redaction.english import ENGLISH
from gateway.redaction.spoken import view
from gateway.values import EntityType

QUESTIONS = [
    ("whose name is the booking under", "PERSON"),
    ("which surname shall i put down", "PERSON"),
    ("who am i talking to", "PERSON"),
    ("and the postcode there", "ZIP_CODE"),
    ("for the account, tell me your birthday", "DATE_OF_BIRTH"),
    ("what street is that on", "STREET_ADDRESS"),
    ("which city are you in", "LOCATION"),
    ("we sent a code. Would you read that out?", "ONE_TIME_CODE"),
    ("could you give me the e-mail you signed up with", "EMAIL_ADDRESS"),
    ("what is the name on the card", "PERSON"),
    ("what is the number on the card", "CREDIT_CARD"),
    ("you are through to card services, how may i help", None),
    ("your card is on its way", None),
    ("lovely weather today", None),
    ("", None),
]


@pytest.mark.parametrize(("said", "kind"), QUESTIONS)
def test_a_question_asks_for_a_kind(said: str, kind: str | None) -> None:
    assert answers.asked(view(said, ENGLISH).text) == kind


ANSWERS = [
    ("PHONE_NUMBER", "sure, it's four one five, one sec", ["four one five"]),
    ("PHONE_NUMBER", "and then double two seven", ["double two seven"]),
    ("PHONE_NUMBER", "the rest is 8 8 1, hold on", ["8 8 1"]),
    ("CREDIT_CARD", "four five no wait four six", ["four five", "four six"]),
    ("CREDIT_CARD", "no, it's nine not five", ["nine", "five"]),
    ("PASSPORT", "x as in xray seven one", ["x as in xray seven one"]),
    ("PASSPORT", "QLW", ["QLW"]),
    ("PERSON", "yes it's rosalind", ["rosalind"]),
    ("PERSON", "uh rosalind okonjo, let me see", ["rosalind okonjo"]),
    ("PERSON", "i s l a", ["i s l a"]),
    ("PERSON", "a n a", ["a n a"]),
    ("STREET_ADDRESS", "seventeen old mill lane", ["seventeen old mill lane"]),
    ("STREET_ADDRESS", "then flat three", ["flat three"]),
    ("EMAIL_ADDRESS", "rosa underscore nine at, hang on", ["rosa underscore nine at"]),
    ("USERNAME", "green otter twelve", ["green otter twelve"]),
    ("DATE_OF_BIRTH", "the ninth of june", ["ninth of june"]),
    # An answer that says what it is: its name is no part of the value.
    ("EMAIL_ADDRESS", "my email address is rosa dot quill at example dot net", ["rosa dot quill at example dot net"]),
    ("EMAIL_ADDRESS", "it's my e-mail address, it's rosa at example dot net", ["rosa at example dot net"]),
    ("USERNAME", "my user name is green otter", ["green otter"]),
    ("PERSON", "my first name is rosalind", ["rosalind"]),
    ("PASSWORD", "the password is marmalade seven", ["marmalade seven"]),
    # What is no answer, or more than one.
    ("PHONE_NUMBER", "i would rather not say", None),
    ("PHONE_NUMBER", "there are two of us on it", None),
    ("PHONE_NUMBER", "one second please", None),
    ("PHONE_NUMBER", "why do you need five digits", None),
    ("PHONE_NUMBER", "it costs 20 dollars", None),
    ("PERSON", "yes", None),
    ("PERSON", "absolutely", None),
    ("PERSON", "i have forgotten, sorry", None),
    ("PERSON", "twenty two", None),
    ("EMAIL_ADDRESS", "i don't have one", None),
    ("EMAIL_ADDRESS", "yes exactly", None),
    ("USERNAME", "what do you mean", None),
    ("STREET_ADDRESS", "can i call you back about that", None),
    ("STREET_ADDRESS", "", None),
]


@pytest.mark.parametrize(("kind", "said", "values"), ANSWERS)
def test_a_bare_answer_is_its_value_without_the_small_words(kind: str, said: str, values: list[str] | None) -> None:
    heard = view(said, ENGLISH)
    told = answers.bare(heard, EntityType(kind))
    assert (told and [heard.words(*stretch) for stretch in told.stretches]) == values


def test_an_answer_that_takes_something_back_says_so() -> None:
    kind = EntityType("CREDIT_CARD")
    corrected, plain = (answers.bare(view(said, ENGLISH), kind) for said in ("four five sorry four six", "four five"))
    assert corrected is not None
    assert plain is not None
    assert (corrected.corrected, plain.corrected) == (True, False)


GOES_ON = [
    ("mm hmm", True),
    ("got it, and then", True),
    ("so that is four five", True),
    ("and the last four digits", True),
    ("could you spell that for me", True),
    ("thanks, that is everything we need", False),
    ("your parcel comes tomorrow", False),
]


@pytest.mark.parametrize(("said", "open_still"), GOES_ON)
def test_small_words_leave_a_question_open_and_a_new_matter_closes_it(said: str, open_still: bool) -> None:
    assert answers.goes_on(view(said, ENGLISH)) is open_still


@given(st.text(max_size=60), st.sampled_from(["PERSON", "PHONE_NUMBER", "EMAIL_ADDRESS", "STREET_ADDRESS", "DATE_OF_BIRTH"]))
def test_any_text_at_all_can_be_an_answer(said: str, kind: str) -> None:
    """Never an error, and every stretch lies within the view."""
    heard = view(said, ENGLISH)
    answers.asked(heard.text)
    answers.goes_on(heard)
    if told := answers.bare(heard, EntityType(kind)):
        assert all(0 <= start < end <= len(heard.text) for start, end in told.stretches)
