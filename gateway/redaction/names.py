"""Names that the speaker announces ("my name is", "doctor"), answers with, or spells letter by letter."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.redaction.english import COMMON_WORDS, MONTHS, NATO, STREET_WORDS
from gateway.redaction.heard import Heard
from gateway.values import Span

_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
_STRONG = re.compile(
    r"(?<![\w'])(?:(?:my|his|her|their|the|your|full|first|last|middle|family|maiden|given|patient|customer) name(?:'s| is| was)|surname(?:'s| is)|"
    r"name's|(?:registered|belongs|addressed) to|under (?:the name(?: of)?)|in the name(?: of)?|account holder(?:'s)?(?: name)?(?: is)?|named|"
    r"on behalf of|the name is|you're speaking (?:to|with)|speaking (?:to|with)|i'm called|they call me|call me|name on the \w+(?: is)?)"
    r"(?: uh| um)? "
)
_TITLES = frozenset({"mr", "mrs", "ms", "mister", "missus", "dr", "doctor", "prof", "professor", "nurse", "madam", "sir"})
_TITLE = re.compile(rf"(?<![\w'])(?:{'|'.join(sorted(_TITLES, key=len, reverse=True))})(?: \|)?\.? ")
_WEAK = re.compile(
    r"(?<![\w'])(?:this is|i'm|i am|it's|it is|hi|hello|hey|thanks|thank you|for|with|from|by|and|"
    r"(?:my )?(?:husband|wife|son|daughter|mother|father|mom|dad|brother|sister|spouse|partner|friend|colleague|boss)(?:'s)?(?: is)?) "
)
_ASKED = re.compile(r"(?<![\w'])(?:name|who am i speaking|who is (?:this|calling)|who's (?:this|calling)|speaking with)(?![\w'])")
_LEAD = re.compile(
    r"(?:(?:sure|yes|yeah|yep|ok|okay|so|well|uh|um|it's|it is|this is|that's|of course|i'm|my name is|the name's|hi)(?: \|)? )*"
)
_SPELLED = re.compile(
    rf"(?<![\w'])(?:[a-z](?: (?:as in|for|like) [a-z]+)?|{'|'.join(NATO)})(?:(?: \|)?[ -](?:[a-z](?![\w'])(?: (?:as in|for|like) [a-z]+)?|{'|'.join(NATO)}(?![\w']))){{2,}}(?![\w'])"
)
_SPELLING_CUE = re.compile(r"spell|name|that's|spelt|letter")


def find(heard: Heard) -> list[Span]:
    """Names after their announcement, as an answer, and spelled."""
    return [*_announced(heard), *_answered(heard), *_spelled(heard)]


def _announced(heard: Heard) -> Iterator[Span]:
    text = heard.view.text
    for pattern, score, most in ((_STRONG, 0.85, 4), (_TITLE, 0.8, 3)):
        for match in pattern.finditer(text):
            if (end := _name(heard, match.end(), most)) > match.end():
                yield heard.span(match.end(), end, "PERSON", score, "name", "words after an announcement of a name")
    for match in _WEAK.finditer(text):
        end = _name(heard, match.end(), 3, capital=True)
        if end > match.end():
            yield heard.span(match.end(), end, "PERSON", 0.6, "name", "capitalised words where people are named")


def _answered(heard: Heard) -> Iterator[Span]:
    """The whole of a short answer, when the turn before asked for a name."""
    if not _ASKED.search(heard.previous):
        return
    text = heard.view.text
    lead = _LEAD.match(text)
    start = lead.end() if lead else 0
    if (end := _name(heard, start, 4)) > start:
        yield heard.span(start, end, "PERSON", 0.7, "name", "an answer to the question for a name")


def _name(heard: Heard, at: int, most: int, *, capital: bool = False) -> int:
    """The end of a name that begins at ``at``: words that no sentence is made of. ``at`` itself when there is none."""
    text, end = heard.view.text, at
    for count, word in enumerate(_WORD.finditer(text, at)):
        gap = text[end : word.start()]
        initial = len(word.group()) == 1 and count > 0
        between = (
            gap in ("", " ")
            or (gap == " | " and end - at == 1)
            or (count > 0 and gap == " | " and text[end - 2 : end - 1] == " ")
        )
        if count == most or not between or (not initial and word.group() in COMMON_WORDS):
            break
        if (
            word.group() in MONTHS
            or word.group() in _TITLES
            or (capital and not heard.view.words(word.start(), word.end())[:1].isupper())
        ):
            break
        if word.group() in STREET_WORDS and count > 0:
            break
        end = word.end()
    return end


def _spelled(heard: Heard) -> Iterator[Span]:
    text = heard.view.text
    for match in _SPELLED.finditer(text):
        letters = len(re.findall(r"(?<![\w'])(?:[a-z]|" + "|".join(NATO) + r")(?![\w'])", match.group()))
        announced = _SPELLING_CUE.search(text, max(0, match.start() - 40), match.start()) or _ASKED.search(heard.previous)
        if match.start() and text[match.start() - 1] in "@." or match.group().startswith("w w w"):
            continue
        if letters >= 4 or announced:
            yield heard.span(match.start(), match.end(), "PERSON", 0.7, "name", "letters said one by one")
