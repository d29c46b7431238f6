"""Streets with their numbers, postcodes behind them, and places where somebody lives."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.redaction.english import COMMON_WORDS, MONTHS, REGIONS, STREET_WORDS, any_of
from gateway.redaction.heard import Heard
from gateway.values import Span

_FLAT = r"(?:apartment|apt|flat|unit|suite|number|house|door|plot|block|floor|building|tower)"
_NO_STREET = "and|for|is|at|in|to|of|minutes|dollars|the|a|my|on|or|from|that|this|it's|i|you|we|by|with|no"
_STREET = re.compile(
    rf"(?<![\w'])(?:{_FLAT} (?:[a-z]\b ?)?\d*[a-z]? )*(?:\d{{1,6}}(?:st|nd|rd|th)?(?: ?[a-z](?![\w]))? )?"
    rf"(?:(?:north|south|east|west|n|s|e|w) )?(?:(?!(?:{_NO_STREET})\b)[a-z'\d]+ ){{0,3}}?"
    rf"(?:{any_of(STREET_WORDS)})(?![\w'])(?: (?:north|south|east|west)(?![\w]))?"
    rf"(?:(?: \|)? (?:{_FLAT}|#) (?:[a-z](?![\w]) ?)?\d*(?: ?[a-z](?![\w]))?)?"
)
_NO_NAME = re.compile(r"\d+(?:st|nd|rd|th)? (?:way|place|close|drive|walk|path|square|hill|row|court|circle|loop|pl)\b")
_NEXT_PLACE = re.compile(r"(?: \|)? (?:in )?(?=[a-z])")
_POSTCODE = re.compile(r"(?<![\w'])(?:\d{5,6}(?:-\d{4})?|[a-z] ?[a-z]? ?\d{1,2} ?[a-z]? ?\d ?[a-z] ?[a-z])(?![\w])")
_POSTCODE_WITHIN = 45
_LIVES = re.compile(
    r"(?:(?:live|living|lives|lived|based|born|located|house|home|apartment|flat|moved|moving|relocat\w+|address)"
    r"(?: \w+){0,2}? (?:in|to)|"
    r"(?:i'm|we're|calling) from|(?:city|town|state)(?: is| of)) (?=[a-z])"
)
_REGION = re.compile(rf"(?<![\w'])(?:{any_of(REGIONS)})(?![\w'])")
_NAME = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
_LONGEST_PLACE = 3


def find(heard: Heard) -> list[Span]:
    """Street addresses, postcodes behind them, places."""
    return [*_streets(heard), *_places(heard)]


def _streets(heard: Heard) -> Iterator[Span]:
    text = heard.view.text
    for match in _STREET.finditer(text):
        if not any(sign.isdigit() for sign in match.group()) or _NO_NAME.match(match.group()):
            continue
        yield heard.span(match.start(), match.end(), "STREET_ADDRESS", 0.85, "phrase", "a house number and a street")
        if following := _NEXT_PLACE.match(text, match.end()):
            yield from _place(heard, following.end(), "a place after a street")
        if code := _POSTCODE.search(text, match.end(), min(len(text), match.end() + _POSTCODE_WITHIN)):
            yield heard.span(code.start(), code.end(), "ZIP_CODE", 0.6, "phrase", "a postcode after a street")


def _places(heard: Heard) -> Iterator[Span]:
    text = heard.view.text
    for match in _LIVES.finditer(text):
        yield from _place(heard, match.end(), "a place after “live in” and its like")
    for match in _REGION.finditer(text):
        yield heard.span(match.start(), match.end(), "LOCATION", 0.6, "phrase", "a country, state or large city")


def _place(heard: Heard, at: int, why: str) -> Iterator[Span]:
    """Up to three words that no sentence is made of: the name of a place."""
    end = at
    for count, word in enumerate(_NAME.finditer(heard.view.text, at)):
        apart = heard.view.text[end : word.start()].strip()
        if count == _LONGEST_PLACE or apart or word.group() in COMMON_WORDS or word.group() in MONTHS:
            break
        end = word.end()
    if end > at:
        yield heard.span(at, end, "LOCATION", 0.6, "phrase", why)
