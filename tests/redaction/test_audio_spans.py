"""Where the private words of a transcript stand in the sound: whoever is not sure hides more."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.redaction.audio_spans import HeardSpeech, numbers_in, private_stretches, taken_out
from gateway.values import MaskedText, Pcm, Private, TimedWord

RATE = 16_000
SPEED_MS = {"digit": 340, "letter": 65}
DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def tone(ms: float) -> bytes:
    samples = 6_000 * np.sin(2 * np.pi * 200 * np.arange(int(ms * RATE / 1000)) / RATE)
    return samples.astype("<i2").tobytes()


def spoken(text: str, *, speed: float = 1.0, pause_ms: float = 60) -> tuple[Pcm, list[tuple[int, int, float, float]]]:
    """A voice that says words at their length, with short pauses; where each word stands in the text and in time."""
    sound, placed = bytearray(bytes(300 * RATE // 1000 * 2)), []
    for word in re.finditer(r"\d|[^\s\d]+", text):
        ms = SPEED_MS["digit"] if word.group().isdigit() else SPEED_MS["letter"] * max(2, len(word.group()))
        start = len(sound) / 2 / RATE * 1000
        sound += tone(ms * speed) + bytes(int(pause_ms * speed * RATE / 1000) * 2)
        placed.append((*word.span(), start, start + ms * speed))
    sound += bytes(300 * RATE // 1000 * 2)
    return Pcm(bytes(sound), RATE), placed


def heard(
    text: str, private: Sequence[tuple[int, int]] | None, pcm: Pcm, words: Sequence[TimedWord] = (), start: float = 0.0
) -> HeardSpeech:
    return HeardSpeech(start, start + pcm.ms, Private(pcm), Private(text), private, words)


def covered(stretches: Sequence[tuple[float, float]], start: float, end: float) -> bool:
    return any(begin <= start and end <= until for begin, until in stretches)


SENTENCES = [
    "My card number is [4532118096612345] and I would like to pay the last bill with it please.",
    "Hello there this is [Jonathan Miller] calling about the delivery that should have come on Monday.",
    "Please send the confirmation to my office at [42 Oak Street] because nobody is at home in the morning.",
    "I have been waiting for more than two weeks now and my phone number is [5552349876].",
    "[5552349876] is the number under which you can call me back this afternoon if that is all right.",
]


@pytest.mark.parametrize("speed", [0.7, 1.0, 1.4])
@pytest.mark.parametrize("sentence", SENTENCES)
def test_without_word_times_the_private_words_are_silent_and_words_far_from_them_stay(sentence: str, speed: float) -> None:
    before, private, behind = re.split(r"[\[\]]", sentence)
    text, span = before + private + behind, (len(before), len(before) + len(private))
    pcm, placed = spoken(text, speed=speed)
    stretches = private_stretches(heard(text, [span], pcm))
    hidden = [word for word in placed if span[0] <= word[0] < span[1]]
    assert all(covered(stretches, start, end) for _, _, start, end in hidden)
    kept = [word for word in placed if not any(begin < word[3] and word[2] < until for begin, until in stretches)]
    assert len(kept) >= 2


def test_word_times_of_the_recogniser_are_taken_where_it_gives_them() -> None:
    text = "Call 555 now or never again"
    pcm, _ = spoken(text)
    begins = (300, 900, 1_500, 1_900, 2_300, 2_700)
    words = [TimedWord(Private(word), at, at + 300) for at, word in zip(begins, text.split(), strict=True)]
    (stretch,) = private_stretches(heard(text, [(5, 8)], pcm, words))
    assert stretch[0] <= 800
    assert 1_300 <= stretch[1] <= 1_800


@pytest.mark.parametrize("words", ["Call now or never", "Call 556 now or never again", "Kall 555 now or never again"])
def test_word_times_that_are_not_the_texts_are_not_trusted(words: str) -> None:
    """All of them then say "at the very end", where the number is not: it is hidden all the same."""
    text = "Call 555 now or never again"
    pcm, placed = spoken(text)
    late = [TimedWord(Private(word), pcm.ms - 10, pcm.ms) for word in words.split()]
    stretches = private_stretches(heard(text, [(5, 8)], pcm, late))
    assert all(covered(stretches, start, end) for begin, _, start, end in placed if 5 <= begin < 8)


@pytest.mark.parametrize(
    ("text", "private"),
    [("", []), ("  ", []), ("Mm", None), ("My name is Ann", None)],
    ids=["nothing", "blank", "unsure", "lost"],
)
def test_what_nobody_understood_is_hidden_as_a_whole(text: str, private: list[tuple[int, int]] | None) -> None:
    pcm, _ = spoken("My name is Ann")
    assert private_stretches(heard(text, private, pcm, start=500)) == [(500, 500 + pcm.ms)]


def test_harmless_speech_stays_whole() -> None:
    pcm, _ = spoken("When do you open")
    assert private_stretches(heard("When do you open", [], pcm)) == []


def test_where_hardly_a_word_would_be_left_nothing_is() -> None:
    pcm, _ = spoken("It is Jonathan Miller")
    assert private_stretches(heard("It is Jonathan Miller", [(6, 21)], pcm, start=100)) == [(100, 100 + pcm.ms)]


@given(
    st.text(alphabet="ab 5.@-", min_size=1, max_size=40),
    st.lists(st.tuples(st.integers(0, 39), st.integers(1, 10)), max_size=3),
    st.binary(max_size=8_000),
)
def test_stretches_are_sorted_apart_and_inside_whatever_was_said(text: str, spans: list[tuple[int, int]], noise: bytes) -> None:
    pcm = Pcm(noise[: len(noise) // 2 * 2], RATE)
    private = [(start, min(len(text), start + length)) for start, length in spans if start < len(text)]
    stretches = private_stretches(heard(text, private, pcm, start=1_000))
    edges = [edge for stretch in stretches for edge in stretch]
    assert edges == sorted(edges)
    assert all(1_000 <= edge <= 1_000 + pcm.ms for edge in edges)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("My card is 4532 1180 and so on", ["4532 1180"]),
        ("it is four five three two", ["four five three two"]),
        ("in 2 weeks at 10", []),
        ("double five nine", ["double five nine"]),
        ("nothing at all", []),
    ],
)
def test_a_part_of_a_number_is_no_harmless_word(text: str, numbers: list[str]) -> None:
    assert [text[start:end] for start, end in numbers_in(Private(text), "en")] == numbers


class TestTakenOut:
    @pytest.mark.parametrize(
        ("text", "masked", "places"),
        [
            ("I am Ann.", "I am <PERSON_1>.", ["Ann"]),
            ("Ann and Bob", "<PERSON_1> and <PERSON_2>", ["Ann", "Bob"]),
            ("Nothing here", "Nothing here", []),
            ("It is 555 123", "It is <PHONE_NUMBER>", ["555 123"]),
            ("pay a card of a bank", "pay a <PERSON_1> a bank", ["card of"]),
        ],
    )
    def test_is_what_the_mask_replaced(self, text: str, masked: str, places: list[str]) -> None:
        found = taken_out(Private(text), MaskedText(masked))
        assert found is not None
        assert [text[start:end] for start, end in found] == places

    def test_takes_all_of_it_where_there_are_several_ways(self) -> None:
        """ "and" stands twice: nobody can say which one is left."""
        found = taken_out(Private("x and y and z"), MaskedText("<PERSON_1> and <PERSON_2>"))
        assert found == [(0, 7), (6, 13)]

    @pytest.mark.parametrize("masked", ["I am (name).", "He is <PERSON_1>.", "I am <PERSON_1>!", "<PERSON_1> I am Ann. ."])
    def test_is_not_known_where_the_rest_is_not_the_same(self, masked: str) -> None:
        assert taken_out(Private("I am Ann."), MaskedText(masked)) is None

    @given(st.lists(st.text(alphabet="ab ", min_size=1, max_size=8), min_size=2, max_size=6))
    def test_whatever_was_replaced_is_taken_out(self, parts: list[str]) -> None:
        """Every other part is private."""
        text, masked, places, at = "".join(parts), "", [], 0
        for number, part in enumerate(parts):
            if number % 2:
                masked += "<PERSON_1>"
                places.append((at, at + len(part)))
            else:
                masked += part
            at += len(part)
        found = taken_out(Private(text), MaskedText(masked))
        if found is not None:
            assert all(any(start <= begin and until <= end for start, end in found) for begin, until in places)
