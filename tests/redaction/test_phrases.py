"""What lets a rule pass over a text unread: it must never pass over one in which the rule would have found something."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.redaction import internet, introductions, names
from gateway.redaction.english import ENGLISH, any_of
from gateway.redaction.finders import find_all
from gateway.redaction.heard import Heard, Phrase
from gateway.redaction.lexemes import _LEX, lexemes
from gateway.redaction.spoken import Views, view

DATA = Path(__file__).parents[1] / "data" / "pii"
TEXTS = [
    turn["text"]
    for file in sorted(DATA.glob("dev.*.jsonl"))
    for line in file.read_text(encoding="utf-8").splitlines()
    for turn in json.loads(line).get("turns", [json.loads(line)])
]
HEARD = [Heard.of(text, before if at % 4 else "") for at, (before, text) in enumerate(pairwise(TEXTS))][::3]
PHRASES = [
    pytest.param(phrase, id=f"{module.__name__.rpartition('.')[2]}{name}")
    for module in (names, introductions)
    for name, phrase in vars(module).items()
    if isinstance(phrase, Phrase)
]


class _EverythingStandsHere(frozenset[str]):
    def isdisjoint(self, other: object) -> bool:
        return False


def test_a_rule_that_passes_over_a_text_would_have_found_nothing_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [find_all(heard) for heard in HEARD]
    monkeypatch.setattr(Phrase, "all", lambda phrase, heard: phrase.pattern.finditer(heard.view.text))
    monkeypatch.setattr(Heard, "has_figures", True)
    monkeypatch.setattr(Heard, "has_capitals", True)
    monkeypatch.setattr(introductions, "_INTRODUCES", _EverythingStandsHere())
    monkeypatch.setattr(internet, "_DOTTED", re.compile(""))
    assert [find_all(Heard.of(heard.view.transcript, heard.before)) for heard in HEARD] == found


@pytest.mark.parametrize("phrase", PHRASES)
def test_every_word_of_a_phrase_is_one_that_a_text_can_have(phrase: Phrase) -> None:
    assert [word for word in phrase.words if Heard.of(word).words != {word}] == []


@pytest.mark.parametrize(
    ("said", "figures", "capitals"),
    [
        ("my name is ann", False, False),
        ("my pin is four", True, False),
        ("my pin is 4", True, False),
        ("I am Ann", False, True),
        ("é is no figure, and may be a capital", True, True),
    ],
)
def test_a_text_has_figures_and_capitals_where_it_may_have_some(said: str, figures: bool, capitals: bool) -> None:
    heard = Heard.of(said)
    assert (heard.has_figures, heard.has_capitals) == (figures, capitals)


@given(st.lists(st.text("ab -", min_size=1, max_size=4), min_size=1, max_size=8), st.text("ab -", max_size=6))
def test_any_of_some_words_matches_the_longest_of_them_that_fits(words: list[str], text: str) -> None:
    found = re.match(any_of(words), text)
    assert (found.group() if found else "") == max((word for word in words if text.startswith(word)), key=len, default="")


@given(st.text(st.sampled_from("ab o'’s1th-., \n\tÉé\u0301"), max_size=24))
def test_a_text_read_word_by_word_has_the_words_of_the_whole(said: str) -> None:
    whole = [(hit.lastgroup, hit.group().lower(), *hit.span()) for hit in _LEX.finditer(said)]
    assert [tuple(each) for each in lexemes(said, ENGLISH)] == whole


def test_a_text_is_made_into_a_view_once_until_the_turn_is_over() -> None:
    views = Views(ENGLISH)
    first = views("my pin is four four")
    assert views("my pin is four four") is first
    assert first == view("my pin is four four", ENGLISH)
    views.forget()
    assert views("my pin is four four") is not first


def test_no_more_than_some_dozen_views_are_kept_in_a_turn() -> None:
    views = Views(ENGLISH)
    first = views("one")
    for number in range(100):
        views(f"text {number}")
    assert views("one") is not first
