"""Names that the speaker announces ("my name is", "doctor"), answers with, or spells letter by letter."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.redaction.english import COMMON_WORDS, MONTHS, NATO, STREET_WORDS, any_of
from gateway.redaction.heard import Heard
from gateway.values import Span

_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
_TITLES = frozenset({"mr", "mrs", "ms", "mister", "missus", "dr", "doctor", "prof", "professor", "nurse", "madam", "sir"})
_RELATION = (
    "husband|wife|son|daughter|mother|father|mom|dad|brother|sister|spouse|partner|friend|colleague|neighbou?r|boss|"
    "uncle|aunt|landlord"
)
_ANNOUNCED = re.compile(
    r"(?<![\w'])(?:name(?:'s| is| was)|surname(?:'s| is)?|(?:registered|belongs|addressed) to|under (?:the name(?: of)?)?|"
    r"in the name(?: of)?|account holder(?:'s)?(?: name)?(?: is)?|named|on behalf of|(?:you're )?speaking (?:to|with)|i'm called|"
    r"they call me|call me|name on the \w+(?: is)?|(?:leave|left) it with|signed (?:for )?by|"
    r"(?:parcel|package|gift|order|delivery|letter|prescription|appointment)(?: is| was)? for) "
)
_TITLE = re.compile(rf"(?<![\w'])(?:{any_of(_TITLES)})(?: \|)?\.? ")
_FAMILY = re.compile(rf"(?<![\w'])(?:{_RELATION})(?: is| named| called)?(?: \|)? ")
_CAPITALISED = re.compile(
    r"(?<![\w'])(?:this is|i'm|i am|it's|it is|hi|hello|hey|thanks|thank you|perfect|great|alright|all right|"
    r"for|with|from|by|and|so that's) "
)
_GOES_ON = re.compile(r" \||$|'s| (?:is|was|has|had|and|as|who|will|would|needs|wants|can|said|called|lives|at|on)(?![\w'])")
_ASKED = re.compile(r"(?<![\w'])(?:name|who am i speaking|who is (?:this|calling)|who's (?:this|calling)|speaking with)(?![\w'])")
_LEAD = re.compile(
    r"(?:(?:sure|yes|yeah|yep|ok|okay|so|well|it's|it is|this is|that's|of course|i'm|my name is|the name's|hi)(?: \|)? )*"
)
_LETTER = rf"(?:[a-z](?![\w'])(?: (?:as in|for|like) [a-z]+)?|(?:{any_of(NATO)})(?![\w']))"
_SPELLED = re.compile(rf"(?<![\w'@.]){_LETTER}(?:(?: \|)?[ -]{_LETTER}){{2,}}")
_SPELLING_CUE = re.compile(r"spell|spelt|name|that's|letter")
_LETTERS_ALONE = 4
"""So many letters in a row are a spelled name even when nobody said so; "u s a" and "n h s" are shorter."""


def find(heard: Heard) -> list[Span]:
    """Names after their announcement, as an answer, and spelled."""
    return [*_announced(heard), *_answered(heard), *_spelled(heard)]


def _announced(heard: Heard) -> Iterator[Span]:
    text = heard.view.text
    for match in _ANNOUNCED.finditer(text):
        yield from _person(heard, match.end(), _name(heard, match.end(), 4), 0.85, "words after an announcement of a name")
    for match in _TITLE.finditer(text):
        yield from _person(heard, match.end(), _name(heard, match.end(), 3), 0.8, "words after a title")
    for match in _FAMILY.finditer(text):
        end = _name(heard, match.end(), 3)
        if _GOES_ON.match(text, end):
            yield from _person(heard, match.end(), end, 0.6, "words after a relation")
    for match in _CAPITALISED.finditer(text):
        end = _name(heard, match.end(), 3, capital=True)
        yield from _person(heard, match.end(), end, 0.6, "capitalised words where people are named")


def _person(heard: Heard, start: int, end: int, score: float, why: str) -> Iterator[Span]:
    if end > start:
        yield heard.span(start, end, "PERSON", score, "name", why)


def _answered(heard: Heard) -> Iterator[Span]:
    """The beginning of an answer, when the turn before asked for a name."""
    if _ASKED.search(heard.previous):
        lead = _LEAD.match(heard.view.text)
        start = lead.end() if lead else 0
        yield from _person(heard, start, _name(heard, start, 4), 0.7, "an answer to the question for a name")


def _name(heard: Heard, at: int, most: int, *, capital: bool = False) -> int:
    """The end of a name that begins at ``at``: words that no sentence is made of. ``at`` itself when there is none."""
    text, end = heard.view.text, at
    for count, word in enumerate(_WORD.finditer(text, at)):
        said = word.group().removesuffix("'s")
        initial = len(said) == 1 and count > 0
        gap = text[end : word.start()]
        # "Ann B. Lee": the full stop of an initial ends no sentence.
        together = gap in ("", " ") or (gap == " | " and end - text.rfind(" ", 0, end) == 2)
        if count == most or not together or said in MONTHS or said in _TITLES or (said in STREET_WORDS and count > 0):
            break
        if said in COMMON_WORDS and not initial:
            break
        if capital and not heard.view.words(word.start(), word.end())[:1].isupper():
            break
        end = word.end()
    return end


def _spelled(heard: Heard) -> Iterator[Span]:
    text = heard.view.text
    for match in _SPELLED.finditer(text):
        letters = len(re.findall(_LETTER, match.group()))
        announced = _SPELLING_CUE.search(text, max(0, match.start() - 40), match.start()) or _ASKED.search(heard.previous)
        if (letters >= _LETTERS_ALONE or announced) and not match.group().startswith("w w w"):
            yield heard.span(match.start(), match.end(), "PERSON", 0.7, "name", "letters said one by one")
