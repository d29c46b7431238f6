"""The words of a transcript, and how a language counts with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

# A letter and the vowel signs and accents that Unicode writes as marks behind it: Devanagari has no word without them.
_LETTER = r"(?:[^\W\d_][\u0300-\u036f\u0900-\u0903\u093a-\u093c\u093e-\u094f\u0951-\u0957\u0962\u0963\u200c\u200d]*)"
_LEX = re.compile(
    rf"(?P<word>o['’](?=\s)|{_LETTER}+(?:['’](?!s\b){_LETTER}+)*)|(?P<number>\d+(?:(?:st|nd|rd|th)\b)?)|(?P<sign>\S)",
    re.IGNORECASE,
)
_ASCII_LEX = re.compile(
    r"(?P<word>o'(?=\s)|[a-z]+(?:'(?!s\b)[a-z]+)*)|(?P<number>\d+(?:(?:st|nd|rd|th)\b)?)|(?P<sign>\S)", re.ASCII
)
"""The same for small letters without accents."""
JOINERS = frozenset(",;-–—.")
"""Signs that part the digits of a number."""


@dataclass(frozen=True, slots=True)
class SpokenLanguage:
    """How one language says numbers. Words are lower case."""

    code: str
    zeros: frozenset[str]
    soft_zeros: frozenset[str]
    """Words that mean zero only beside another digit: "oh"."""
    units: Mapping[str, int]
    teens: Mapping[str, int]
    tens: Mapping[str, int]
    hundreds: frozenset[str]
    thousands: frozenset[str]
    conjunction: str
    ordinals: Mapping[str, int]
    repeats: Mapping[str, int]
    """"double" and its like."""
    fillers: frozenset[str]
    """Words that may stand inside a number and mean nothing there."""
    pauses: frozenset[str]
    """Sounds that mean nothing anywhere: the view leaves them out."""
    homophones: Mapping[str, int]
    """Words that a recogniser writes for a digit: "for" between digits said one by one is 4."""
    articles: frozenset[str] = frozenset()
    """Homophones that no grammar has between two numbers: "thirty nine, a seven"."""
    moments: frozenset[str] = frozenset()
    """What "one" before it makes a request to wait: "one sec"."""
    read: Callable[[list[Lexeme]], list[Lexeme]] | None = None
    """Puts another language's words and numbers into the words of these tables (``gateway.redaction.vocabulary``)."""
    surely_counting: frozenset[str] = field(init=False, repr=False)
    """Every word that a number may begin with, but homophones: where none of these stands, those are words."""
    counting: frozenset[str] = field(init=False, repr=False)
    """The same with homophones. All other words stay as they are."""

    def __post_init__(self) -> None:
        tables = (self.zeros, self.soft_zeros, self.units, self.teens, self.tens, self.ordinals, self.repeats)
        object.__setattr__(self, "surely_counting", frozenset[str]().union(*tables))
        object.__setattr__(self, "counting", self.surely_counting.union(self.homophones))

    def is_number(self, word: str) -> bool:
        return word in self.units or word in self.zeros or word in self.teens or word in self.tens


class Lexeme(NamedTuple):
    """A word, a written number or a sign of a transcript. ``kind``: ``word``, ``number`` or ``sign``; ``text`` in lower case."""

    kind: str
    text: str
    start: int
    end: int


_lexeme: Callable[[tuple[str, str, int, int]], Lexeme] = partial(tuple.__new__, Lexeme)
"""``Lexeme`` of its four parts, without the call of a function for each word."""


def lexemes(transcript: str, language: SpokenLanguage) -> list[Lexeme]:
    """The words, numbers and signs of a transcript, in the words of our rules."""
    ascii_only = transcript.isascii()
    text, pattern = (transcript.lower(), _ASCII_LEX) if ascii_only else (transcript, _LEX)
    out: list[Lexeme] = []
    at = 0
    for part in text.split(" "):
        end = at + len(part)
        if part.isalpha() and part.isascii():
            out.append(_lexeme(("word", part if ascii_only else part.lower(), at, end)))
        elif part:
            # With the space behind it, which "o'" must see.
            hits = pattern.finditer(text, at, end + 1)
            out += [_lexeme((hit.lastgroup or "", hit.group().lower(), *hit.span())) for hit in hits]
        at = end + 1
    return out if language.read is None else language.read(out)
