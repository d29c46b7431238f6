"""The mask of one call: stable placeholders, what each operator leaves, and texts that try to look like placeholders."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.redaction.mask import Masked, Pseudonyms, normal_form
from gateway.redaction.unmask import unmask
from gateway.values import EntityType, MaskedText, Placeholder, Private, Span

PERSON, CARD = "PERSON", "CREDIT_CARD"


def mask(names: Pseudonyms, text: str, *private: tuple[str, str], ours: bool = False) -> Masked:
    """Mask the given words of a text, each at its first place."""
    spans = [Span(text.index(words), text.index(words) + len(words), EntityType(kind), 1.0, "test") for words, kind in private]
    return names.apply(Private(text), sorted(spans, key=lambda span: span.start), ours=ours)


def test_a_value_gets_a_placeholder_that_gives_it_back() -> None:
    names = Pseudonyms()
    masked = mask(names, "I am Ann Lee.", ("Ann Lee", PERSON))
    assert masked == Masked(
        MaskedText("I am <PERSON_1>."), {Placeholder("<PERSON_1>"): Private("Ann Lee")}, {EntityType(PERSON): 1}
    )
    assert names.value(Placeholder("<PERSON_1>")) == Private("Ann Lee")
    assert names.value(Placeholder("<PERSON_2>")) is None


SAME = [
    ("Ann Lee", "ann lee"),
    ("Ann Lee", "ANN  LEE"),
    ("four five three two", "4532"),
    ("four, five. Three two", "4532"),
    ("double four", "4 4"),
    ("john dot smith at example dot com", "John.Smith@example.com"),
    ("555-234-9876", "five five five two three four nine eight seven six"),
]


@pytest.mark.parametrize(("first", "again"), SAME)
def test_the_same_value_said_again_has_the_same_placeholder(first: str, again: str) -> None:
    names = Pseudonyms()
    assert mask(names, first, (first, PERSON)).text == "<PERSON_1>"
    masked = mask(names, again, (again, PERSON))
    assert masked.text == "<PERSON_1>"
    assert masked.new == {}
    assert names.value(Placeholder("<PERSON_1>")) == Private(first)


@pytest.mark.parametrize(
    ("language", "first", "again"),
    [
        ("es", "cuatro cinco tres dos", "4532"),
        ("es", "José Pérez", "jose perez"),
        ("fr", "quatre-vingt-dix-huit douze", "98 12"),
        ("de", "zweiundvierzig", "42"),
        ("hi", "बयालीस", "42"),
        ("hi", "do char", "दो चार"),
    ],
)
def test_the_same_value_is_known_again_in_the_language_of_the_call(language: str, first: str, again: str) -> None:
    names = Pseudonyms(language=language)
    assert mask(names, first, (first, PERSON)).text == mask(names, again, (again, PERSON)).text == "<PERSON_1>"


def test_other_values_and_other_kinds_have_their_own_placeholders() -> None:
    names = Pseudonyms()
    masked = mask(names, "Ann and Bob at Ann", ("Ann", PERSON), ("Bob", PERSON), ("at Ann", "LOCATION"))
    assert masked.text == "<PERSON_1> and <PERSON_2> <LOCATION_1>"
    assert masked.counts == {PERSON: 2, "LOCATION": 1}


def test_two_calls_share_nothing() -> None:
    one, other = Pseudonyms(), Pseudonyms()
    mask(one, "Ann", ("Ann", PERSON))
    assert other.value(Placeholder("<PERSON_1>")) is None


OPERATORS = [
    ("pseudonym", "4532 1180 9661 2345", "<CREDIT_CARD_1>", "4532 1180 9661 2345"),
    ("surrogate", "4532 1180 9661 2345", "<CREDIT_CARD_1>", "4532 1180 9661 2345"),
    ("drop", "4532 1180 9661 2345", "<CREDIT_CARD>", "your card number"),
    ("category", "4532 1180 9661 2345", "(card number)", "(card number)"),
    ("last4", "4532 1180 9661 2345", "<CREDIT_CARD> ending 2345", "your card number ending 2345"),
    ("last4", "four five three two one one eight two", "<CREDIT_CARD> ending 1182", "your card number ending 1182"),
    ("last4", "2345", "<CREDIT_CARD>", "your card number"),
    ("keep", "4532", "4532", "4532"),
]


@pytest.mark.parametrize(("operator", "value", "seen", "spoken"), OPERATORS)
def test_each_operator_decides_what_a_model_sees_and_what_is_said(operator: str, value: str, seen: str, spoken: str) -> None:
    names = Pseudonyms({CARD: operator})
    masked = mask(names, f"it is {value}!", (value, CARD))
    assert masked.text == f"it is {seen}!"
    assert unmask(masked.text, names.value).reveal() == f"it is {spoken}!"
    assert bool(masked.new) == (operator in ("pseudonym", "surrogate"))


def test_the_default_operator_serves_kinds_that_are_not_named() -> None:
    assert mask(Pseudonyms({CARD: "keep"}, default="drop"), "Ann 1234", ("Ann", PERSON), ("1234", CARD)).text == "<PERSON> 1234"


def test_an_operator_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="shred"):
        Pseudonyms({CARD: "shred"})


@pytest.mark.parametrize("spans", [[(0, 3), (2, 4)], [(2, 4), (0, 2)], [(0, 99)], [(2, 2)]])
def test_spans_that_were_not_resolved_are_refused(spans: list[tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match="spans must"):
        Pseudonyms().apply(Private("some text"), [Span(start, end, EntityType(PERSON), 1.0, "test") for start, end in spans])


def test_a_kind_that_is_not_in_the_table_still_gets_a_placeholder_that_comes_back() -> None:
    names = Pseudonyms()
    masked = mask(names, "x Ann", ("Ann", "weird kind <1>"))
    assert masked.text == "x <ID_NUMBER_1>"
    assert unmask(masked.text, names.value).reveal() == "x Ann"


LOOK_ALIKES = [
    "<PERSON_1>",
    "say <person 1> now",
    "PERSON_1's",
    "PERSON 1",
    "<PERSON_1",
    "<<PERSON_1>>",
    "<CREDIT_CARD>",
    "<LITERAL_1> <LITERAL_2>",
    "**<PERSON_1>** and \\_ PERSON\\_1",
    "<PERSON_1><PERSON_1>PERSON_1",
]


@pytest.mark.parametrize("said", LOOK_ALIKES)
def test_a_caller_who_says_a_placeholder_reveals_nothing_and_gets_own_words_back(said: str) -> None:
    """Even when the placeholder exists: another caller's name, said before, stays where it is."""
    names = Pseudonyms()
    mask(names, "Ann", ("Ann", PERSON))
    masked = mask(names, said)
    assert "PERSON" not in masked.text.upper()
    assert masked.counts == {}
    assert unmask(masked.text, names.value).reveal() == said


def test_words_that_only_become_a_look_alike_beside_a_placeholder_come_back_too() -> None:
    names = Pseudonyms()
    said = "éPERSON_1"
    masked = mask(names, said, ("é", PERSON))
    assert unmask(masked.text, names.value).reveal() == said


def test_a_models_answer_keeps_its_placeholders_and_the_rest_is_masked() -> None:
    names = Pseudonyms()
    mask(names, "Ann", ("Ann", PERSON))
    text = "Dear <PERSON_1> Miller, is <CREDIT_CARD> right, <PERSON_9>?"
    spans = [Span(5, 22, EntityType(PERSON), 1.0, "test")]
    assert text[5:22] == "<PERSON_1> Miller"
    masked = names.apply(Private(text), spans, ours=True)
    assert masked.text == "Dear <PERSON_1><PERSON_2>, is <CREDIT_CARD> right, <PERSON_9>?"
    assert masked.counts == {PERSON: 1}
    assert unmask(masked.text, names.value).reveal() == "Dear Ann Miller, is your card number right, your name?"


def test_a_thousand_look_alikes_are_masked_in_one_go() -> None:
    names = Pseudonyms()
    said = "<PERSON_1> PERSON_1 " * 1_000
    assert unmask(mask(names, said).text, names.value).reveal() == said


SECRET = st.text("абвгд", min_size=1, max_size=4)
SHARDS = ["<", ">", "PERSON", "_", "1", " ", "**", "<PERSON_1>", "person_1", "\\", "s", "é"]
PIECES = st.lists(
    st.one_of(
        st.tuples(st.just(""), st.sampled_from(SHARDS)),
        st.tuples(st.just(""), st.text(max_size=5)),
        st.tuples(st.sampled_from(["PERSON", "CREDIT_CARD", "LITERAL"]), st.one_of(SECRET, st.text(min_size=1, max_size=6))),
    ),
    max_size=12,
)  # fmt: skip


def utterance(pieces: list[tuple[str, str]]) -> tuple[str, list[Span], list[tuple[str, str]]]:
    text = ""
    spans = []
    for kind, words in pieces:
        if kind:
            spans.append(Span(len(text), len(text) + len(words), EntityType(kind), 1.0, "test"))
        text += words
    return text, spans, [piece for piece in pieces if piece[0]]


@given(st.lists(PIECES, min_size=1, max_size=3))
def test_whatever_is_said_comes_back_and_a_value_as_it_was_said_first(turns: list[list[tuple[str, str]]]) -> None:
    """For any text, any spans and any number of turns: the way back is exact."""
    names = Pseudonyms()
    first: dict[tuple[str, str], str] = {}
    for pieces in turns:
        text, spans, private = utterance(pieces)
        for kind, words in private:
            first.setdefault((kind, normal_form(words)), words)
        expected = "".join(first[kind, normal_form(words)] if kind else words for kind, words in pieces)
        masked = names.apply(Private(text), spans)
        assert unmask(masked.text, names.value).reveal() == expected


@given(
    st.lists(
        st.one_of(SECRET.map(lambda words: ("PERSON", words)), st.text("xyz <>_1", max_size=4).map(lambda words: ("", words)))
    )
)
def test_no_private_word_is_in_the_masked_text(pieces: list[tuple[str, str]]) -> None:
    text, spans, _ = utterance(pieces)
    assert not set(Pseudonyms().apply(Private(text), spans).text) & set("абвгд")
