"""Streets with their numbers, postcodes behind them, and places where somebody lives."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.redaction.cities import CITIES
from gateway.redaction.cues import UNITS
from gateway.redaction.english import ADDRESS_WORDS, COMMON_WORDS, MONTHS, NATO, REGIONS, SENTENCE_WORDS, STREET_WORDS, any_of
from gateway.redaction.heard import Heard
from gateway.redaction.tables import words
from gateway.values import Span

_FLAT = r"(?:apartment|appartment|apt|department|flat|unit|suite|sweet|number|house|door|plot|block|floor|building|tower|room)"
_NO_STREET = (
    "minutes?|hours?|miles?|days?|weeks?|months?|years?|percent|"
    "and|for|is|at|in|to|minutes|dollars|the|a|my|on|or|from|that|this|it's|i|you|we|by|with|no"
)
_UNIT = rf"(?:(?: \|)?(?: a)? (?:{_FLAT}|#)(?: number)? (?:[a-z](?![\w]) ?)?\d*(?: ?[a-z](?![\w]))?)?"
_STREET = re.compile(
    rf"(?<![\w'])(?:{_FLAT} (?:[a-z]\b ?)?\d*[a-z]? ){{0,3}}(?:\d{{1,4}} (?:to|for|too) (?=\d))?"
    rf"(?:\d{{1,6}}(?:st|nd|rd|th)?(?: ?[a-hj-z](?![\w]))?(?: \|)?[ -](?:of |or )?)?"
    rf"(?:(?:north|south|east|west|n|s|e|w) )?(?:(?!(?:{_NO_STREET}|still|never|just)\b)[a-z'\d-]+ ){{0,3}}?"
    rf"(?:{any_of(STREET_WORDS)})(?![\w'])(?: (?:north|south|east|west)(?![\w]))?{_UNIT}"
)
_SUFFIXED = r"[a-z]{3,}(?:stra(?:ss|ß)e|strasse|platz|gasse|allee|weg|straat|laan|gatan|vägen|gata|gade|vej|katu|street|way|road)"
_NUMBER_FIRST = re.compile(rf"(?<![\w'])\d{{1,6}}[ -]{_SUFFIXED}(?![\w']){_UNIT}")
"""Long streets that a recogniser runs together with their kind."""
_TYPE_FIRST = (
    r"(?:avenida|avenue|calle|carrera|carrer|paseo|plaza|piazza|via|viale|corso|rue|place d[eu](?: la)?|boulevard|rua|ulica|"
    r"praça|jalan|jl|chemin|quai|camino|travessa|largo)"
)
_NUMBER_LAST = re.compile(
    rf"(?<![\w'])(?:{_TYPE_FIRST} (?:to )?(?:(?!(?:{_NO_STREET})\b)[a-z'-]+ ){{1,4}}?|{_SUFFIXED} )"
    rf"(?:number |a )?\d{{1,5}}(?: ?[a-z](?![\w']))?(?![\w]){_UNIT}"
)
_NO_NAME = re.compile(r"\d+(?:st|nd|rd|th)? (?:way|place|close|drive|walk|path|square|hill|row|court|circle|loop|pl|park|view)\b")
_NEXT_PLACE = re.compile(r"(?: \|)? (?:in )?(?=[a-z])")
_LETTER = rf"(?:[a-z]|{any_of(NATO)})"
_POSTCODE = re.compile(
    rf"(?<![\w'])(?:\d{{5,6}}(?:-\d{{4}})?|"
    rf"{_LETTER} ?(?:{_LETTER} ?)?\d{{1,2}} ?(?:{_LETTER} ?)?\d ?{_LETTER} ?{_LETTER})(?![\w])"
    rf"|(?<![\w']){_LETTER} (?:{_LETTER} )?\d{{2,3}} {_LETTER} {_LETTER}(?![\w])"
)
_POSTCODE_WITHIN = 45
_DELIVERED = re.compile(
    r"(?<![\w'])(?:(?:live|lives|living|lived|stay|stays|staying|reside|resides|located|based|parked|delivered?|ship\w*|moved|"
    r"moving|mov(?:e|ing) out|sent?|sends?|come|coming|came|go|going|get|bring|drop\w*|pick\w* up|collected|address(?:ed)?|house|"
    r"home|property|belongs|is|i'm|im|we're|near|registered)(?: (?:[a-z']+ ){0,3}?(?:at|to|of|as|is|from|near|it to|on))|"
    r"near|at(?= \d{3,5} [a-z']{4,})) (?=[a-z\d])"
)
_STRONG = re.compile(r"live|stay|resid|located|deliver|ship|mov|address|house|home|propert|belongs")
_FLATS = frozenset({"flat", "apartment", "unit", "suite", "plot", "house", "block", "tower", "number"})
_TOKEN = re.compile(r"(?: \|)?[ -]*(?P<word>[^\s|-]+)")
_WORDS_BEFORE = re.compile(r"(?:[a-z']+ )+(?=\d)")
_NUMBER = re.compile(r"\d+")
_MOST_WORDS = 8
_STOPS = words(
    """and the my i is at by before after tomorrow today tonight please for with on but because that it we you he she they your
    in from now when if so as if since was will has had this there | thanks thank zip postcode post code yes no"""
)  # fmt: skip
_NO_PLACES = words(
    """gate terminal platform room level sharp floor exit junction line lane desk counter table seat row channel option step page
    version stop bus train flight chapter section part phase stage grade class aisle bay dock zone route highway motorway
    interstate window windows door around about until till past least most only another over under between up extension"""
)  # fmt: skip
_LIVES = re.compile(
    r"(?:(?:live|living|lives|lived|based|born|located|house|home|apartment|flat|moved|moving|relocat\w+|address)"
    r"(?: \w+){0,2}? (?:in|to)|"
    r"(?:i'm|we're|calling) from|(?:city|town|state)(?: is| of)) (?=[a-z])"
)
_REGION = re.compile(rf"(?<![\w'])(?:{any_of(REGIONS)})(?![\w'])")
_CITY = re.compile(
    rf"(?<![\w'])(?:(?:{any_of(CITIES)})(?:[ -](?:upon|on|in|under)[ -](?:tyne|trent|avon|sea|thames|tees|the sea))?"
    r"|(?!once )[a-z]+[ -]upon[ -][a-z]+)(?![\w'])"
)
_BEFORE_REGION = re.compile(r"(?:in|from|to|near|at|for|of|street|road|avenue|lane|drive) (?P<town>(?:[a-z'-]+ ){1,2})\Z")
_NO_TOWN = SENTENCE_WORDS | words(
    """the a an of in to from near at for on with by this that all visit visiting leave leaving travel travelling fly flying and
    or go going most parts part across both north south east west northern southern eastern western central flights flight
    ship shipping deliver delivery calls customers made bound northeast southeast"""
)  # fmt: skip
_NAME = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
_LONGEST_PLACE = 3


def find(heard: Heard) -> list[Span]:
    """Street addresses, postcodes behind them, places."""
    return [*(_streets(heard) if heard.has_figures else ()), *_places(heard)]


def _streets(heard: Heard) -> Iterator[Span]:
    text = heard.view.text
    for pattern in (_STREET, _NUMBER_FIRST, _NUMBER_LAST):
        for match in pattern.finditer(text):
            if any(sign.isdigit() for sign in match.group()) and not _NO_NAME.match(match.group()):
                start = match.start() + _leads(match.group())
                yield from _street(heard, start, match.end(), 0.85, "a house number and a street")
    for match in _DELIVERED.finditer(text):
        if where := _after_a_way_there(text, match.end(), strong=_STRONG.search(match.group()) is not None):
            yield from _street(heard, *where, 0.6, "a number and a name where somebody lives or something goes")


def _leads(street: str) -> int:
    """How much of it is everyday words before the number: "near 12 oak road"."""
    words = _WORDS_BEFORE.match(street)
    if words is None or any(word in ADDRESS_WORDS or word not in COMMON_WORDS for word in words.group().split()):
        return 0
    return words.end()


def _street(heard: Heard, start: int, end: int, score: float, why: str) -> Iterator[Span]:
    text = heard.view.text
    yield heard.span(start, end, "STREET_ADDRESS", score, "phrase", why)
    if following := _NEXT_PLACE.match(text, end):
        yield from _place(heard, following.end(), "a place after a street")
    if code := _POSTCODE.search(text, end, min(len(text), end + _POSTCODE_WITHIN)):
        yield heard.span(code.start(), code.end(), "ZIP_CODE", 0.6, "phrase", "a postcode after a street")


def _after_a_way_there(text: str, at: int, *, strong: bool) -> tuple[int, int] | None:
    """ "Deliver it to" and a number with a name, or a name with a number: a street whose kind was not said or not understood."""
    start, end, words = at, at, list[str]()
    for token in _TOKEN.finditer(text, at):
        word = token["word"]
        if "|" in text[token.start() : token.start("word")] or word in _NO_PLACES or len(words) == _MOST_WORDS:
            break
        if word in _STOPS and not (strong and word in ("to", "or", "of", "a") and words):
            break
        words.append(word)
        end = token.end()
        start = token.start("word") if len(words) == 1 else start
    while words and (words[-1] in COMMON_WORDS or words[-1] in ("of", "to", "or")) and not words[-1].isdigit():
        end -= len(words.pop()) + 1
    names = [word for word in words if len(word) > 2 and word.isalpha() and word not in COMMON_WORDS and word not in MONTHS]
    numbers = [index for index, word in enumerate(words) if word.isdigit()]
    if not names or not numbers or any(UNITS.match(text, hit.end()) for hit in _NUMBER.finditer(text, start, end)):
        return None
    first, number = numbers[0], words[numbers[0]]
    leads = first == 0 or words[0] in _FLATS
    if (
        leads
        and (strong or len(number) > 1)
        and len(number) <= 6
        and all(word in names or word in _FLATS or not word.isalpha() for word in words[:3])
    ):
        return start, end
    last = first > 0 and first <= 3 and len(number) <= 5 and all(word not in COMMON_WORDS for word in words[:first])
    if last and (strong or first > 1 or len(number) > 1):
        return start, start + sum(len(word) + 1 for word in words[: first + 1]) - 1
    return None


def _places(heard: Heard) -> Iterator[Span]:
    text = heard.view.text
    for match in _LIVES.finditer(text):
        yield from _place(heard, match.end(), "a place after “live in” and its like")
    for match in _REGION.finditer(text):
        start = match.start()
        if (town := _BEFORE_REGION.search(text, max(0, start - 40), start)) and not _NO_TOWN & set(town["town"].split()):
            start = town.start("town")
        yield heard.span(start, match.end(), "LOCATION", 0.6, "phrase", "a country, state or large city")
    for match in _CITY.finditer(text):
        yield heard.span(match.start(), match.end(), "LOCATION", 0.5, "phrase", "a town")


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
