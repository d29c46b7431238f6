"""What other languages say in another order than English: the street before its number, the place before the living there.

The view has their words in English (``gateway.redaction.vocabulary``); these are the patterns that English has no use for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from gateway.redaction.english import COMMON_WORDS
from gateway.redaction.heard import Heard
from gateway.values import Span

_WORD = r"(?:[^\W\d_]+|·)"
_STREET = r"(?:street|avenue|boulevard|plaza|walk|path|road|lane|square|place)"
_HOUSE = (
    r"(?: number)? \d{1,4}(?: ?(?:[a-d]|bis|ter)(?!\w))?(?: (?:floor|flat|apartment|house|unit)(?: number)? \d{1,3}[a-z]?"
    r"| \d{1,2}(?:st|nd|rd|th) (?:floor|[a-d](?!\w)))*"
)
_NAME = r"(?: (?!dollars|euros|minutes|hours|number\b)[^\W\d_]+| ·){1,5}?"

_NUMBER_LAST = re.compile(
    rf"(?<!\w){_STREET}{_NAME}{_HOUSE}(?!\w)(?! (?:euros|dollars|minutes|hours|percent|years|days|months)\b)"
)
_NUMBER_FIRST = re.compile(
    rf"(?<!\w)(?:number )?\d{{1,4}}(?: (?:bis|ter))? {_STREET}(?: (?:of|the|·))*(?: [^\W\d_]{{2,}}){{1,3}}"
)
_GERMAN = re.compile(
    r"(?<!\w)(?:(?:an der|am|in der|zum|zur|[^\W\d_]+er|alte[rn]?|neue[rn]?|obere|untere) )?"
    r"(?:[^\W\d_]{2,}(?:strasse|str|weg|platz|gasse|allee|ring|damm|ufer|chaussee|steig|markt|graben|berg)"
    r"|[^\W\d_]+ (?:street|lane|square))"
    r"(?: \|)?(?: house number| number)? \d{1,4}(?: ?[a-h](?!\w))?"
)
_LIVING_HERE = re.compile(r"(?P<place>[^\W\d_]{2,}(?: [^\W\d_]{2,})?) (?:· )?living here(?!\w)")
_SPEAKING_HERE = re.compile(r"(?<!\w)(?:i |this is |\| |^)(?P<name>[^\W\d_]{2,}(?: [^\W\d_]+){0,2}) speaking here(?!\w)")
_POSTCODE = re.compile(r"(?<!\w)\d{4,6}(?!\w)")
_POSTCODE_WITHIN = 40
_TOWN = re.compile(r"(?: \||,| in| at)*(?: \d{4,6})?(?: in)? (?P<town>[^\W\d_]{3,})")
_AGE = re.compile(r"(?<!\w)(?:have|has) (?P<age>\d{1,3}) years(?! \d)(?! old)(?= \||$| and| but| ·)")
_AGE_IS = re.compile(r"(?<!\w)age is (?P<age>\d{1,3})(?!\d)")

_STREETS: Mapping[str, tuple[re.Pattern[str], ...]] = {
    "es": (_NUMBER_LAST,),
    "fr": (_NUMBER_FIRST,),
    "de": (_GERMAN,),
    "hi": (),
}


def find(heard: Heard) -> list[Span]:
    """Streets, places, names and ages in the order of the language that is spoken. Nothing in English."""
    if heard.language == "en":
        return []
    return [*_streets(heard), *_places(heard), *_names(heard), *_ages(heard)]


def _streets(heard: Heard) -> Iterator[Span]:
    text = heard.view.text
    for pattern in _STREETS.get(heard.language, ()):
        for match in pattern.finditer(text):
            yield heard.span(match.start(), match.end(), "STREET_ADDRESS", 0.85, "phrase", "a street and its house number")
            near = min(len(text), match.end() + _POSTCODE_WITHIN)
            if code := _POSTCODE.search(text, match.end(), near):
                yield heard.span(code.start(), code.end(), "ZIP_CODE", 0.6, "phrase", "a postcode after a street")
            town = _TOWN.match(text, match.end())
            if town and town["town"] not in COMMON_WORDS:
                yield heard.span(town.start("town"), town.end("town"), "LOCATION", 0.6, "phrase", "a place after a street")


def _places(heard: Heard) -> Iterator[Span]:
    for match in _LIVING_HERE.finditer(heard.view.text):
        words = match["place"].split()
        start = match.start("place") + (len(words[0]) + 1 if words[0] in COMMON_WORDS and len(words) > 1 else 0)
        if words[-1] not in COMMON_WORDS:
            yield heard.span(start, match.end("place"), "LOCATION", 0.6, "phrase", "a place before “live there”")


def _names(heard: Heard) -> Iterator[Span]:
    for match in _SPEAKING_HERE.finditer(heard.view.text):
        if not set(match["name"].split()) & COMMON_WORDS:
            yield heard.span(*match.span("name"), "PERSON", 0.7, "name", "a name before “is speaking”")


def _ages(heard: Heard) -> Iterator[Span]:
    for pattern in (_AGE, _AGE_IS):
        for match in pattern.finditer(heard.view.text):
            yield heard.span(*match.span("age"), "AGE", 0.6, "phrase", "years that somebody has")
