"""Private data that is phrases: e-mail and web addresses, network addresses, dates, ages, streets and places, secrets in words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.redaction.cues import CUES, UNITS, nearest
from gateway.redaction.english import COMMON_WORDS, MAIL_HOSTS, MONTHS, REGIONS, STREET_WORDS, TOP_LEVEL_DOMAINS
from gateway.redaction.heard import Heard
from gateway.values import Span

_LAST_EMAIL_YEAR = 2009
_TLD = rf"(?:{'|'.join(TOP_LEVEL_DOMAINS)}|[a-z] [a-z])(?![\w])"
_DOT = r"(?: ?\| ?| )?(?:dot|\.)(?: ?\| ?| )?"
_HOST_WORD = r"(?:[a-z]+\d*|\d+)(?:(?: |-| dash | hyphen )(?:[a-z]+|\d+)){0,4}?"
_HOST = rf"{_HOST_WORD}(?:{_DOT}{_HOST_WORD}){{0,2}}?{_DOT}{_TLD}(?:{_DOT}{_TLD})?"
_MAIL = re.compile(rf"(?: at |\s?@\s?)(?:{_HOST}|(?:{'|'.join(MAIL_HOSTS)})(?:{_DOT}{_TLD})?(?![\w]))")
_LOCAL_WORD = re.compile(r"(?P<word>[a-z\d]+(?:['-][a-z\d]+)*)$")
_LOCAL_JOIN = re.compile(r"(?:(?: ?\|)? (?:dot|underscore|dash|hyphen|plus|period) |\s?[._+-]\s?)$")
_URL = re.compile(
    rf"(?:w ?w ?w{_DOT}|https?\s?:?\s?/\s?/\s?){_HOST}(?: ?/ ?\S+| slash \S+)*|\b[a-z\d-]+\.(?:{'|'.join(TOP_LEVEL_DOMAINS)})(?![\w.@])"
)
_SPOKEN_URL = re.compile(
    rf"(?:site|page|website|url|domain|link|blog|portfolio|shop)(?: \w+){{0,2}}? (?:is|at|on|to) (?P<url>{_HOST})"
)
_IP = re.compile(r"\d{1,3}(?:(?:\.| dot | point )\d{1,3}){3}(?![\d])")
_AGE = re.compile(
    r"(?P<age>\d{1,3})(?= ?-?(?:years?|yrs?|months?)[ -]olds?\b)|(?:\baged?|\bage is|turn(?:s|ed|ing)|years old is) (?P<said>\d{1,3})(?![\d.])"
)


def find(heard: Heard) -> list[Span]:
    """E-mail, web and network addresses, dates of birth, expiry dates, ages, streets and places, passwords and user names."""
    return [
        *_mails(heard),
        *_web(heard),
        *_dates(heard),
        *_ages(heard),
        *_streets(heard),
        *_places(heard),
        *_secrets(heard),
    ]


def _mails(heard: Heard) -> Iterator[Span]:
    text = heard.view.text
    for match in _MAIL.finditer(text):
        start = _local_part(text, match.start())
        if start < match.start():
            yield heard.span(start, match.end(), "EMAIL_ADDRESS", 0.95, "phrase", "words, “at”, and a domain")


def _local_part(text: str, end: int) -> int:
    """Where the part before the "at" begins: words held together by dots and underscores, letters and digits one by one."""
    at, taken, joined = end, 0, True
    while at > 0:
        word = _LOCAL_WORD.search(text, 0, at)
        if word is None:
            break
        said = word["word"]
        loose = not joined and len(said) > 1 and not said.isdigit()
        if (
            (not joined and said in COMMON_WORDS and len(said) > 1)
            or (loose and taken >= 3)
            or said in ("is", "it's", "to", "as", "my")
        ):
            break
        at, taken = word.start(), taken + loose
        joint = _LOCAL_JOIN.search(text, 0, at)
        joined = joint is not None
        if joint:
            at = joint.start()
        elif text[at - 1 : at] == " ":
            at -= 1
        else:
            break
    while at < end and not text[at].isalnum():
        at += 1
    # A join word that begins the part belongs to the sentence.
    return at


def _web(heard: Heard) -> Iterator[Span]:
    text = heard.view.text
    for match in _URL.finditer(text):
        yield heard.span(match.start(), match.end(), "URL", 0.8, "phrase", "a web address")
    for match in _SPOKEN_URL.finditer(text):
        yield heard.span(match.start("url"), match.end("url"), "URL", 0.8, "phrase", "a web address after its announcement")
    for match in _IP.finditer(text):
        yield heard.span(match.start(), match.end(), "IP_ADDRESS", 0.9, "phrase", "four numbers with dots between")


_MONTH = rf"(?:{'|'.join(MONTHS)})(?![\w])\.?"
_YEAR = r"(?:19|20)\d\d"
_DATE = re.compile(
    rf"(?:the )?\d{{1,2}}(?:st|nd|rd|th)?(?: day)?(?: of)?(?: the month of)? {_MONTH}(?: of| in)?(?: {_YEAR}| \d\d(?!\d))?"
    rf"|{_MONTH}(?: the)? (?:\d{{1,2}}?(?:st|nd|rd|th)?(?:,? ?{_YEAR}| \d\d(?![\d]))|\d{{1,2}}(?:st|nd|rd|th)?(?![\d])|{_YEAR})"
    rf"|(?:19|20)\d\d-\d\d-\d\d|\d{{1,2}}[/.]\d{{1,2}}[/.](?:\d{{4}}|\d\d)(?!\d)|\d{{1,2}} ?(?:/| slash ) ?(?:\d{{4}}|\d\d)(?![\d/])"
)
_BIRTH_YEAR = re.compile(r"(?:19\d\d|200[0-9])(?!\d)")


def _dates(heard: Heard) -> Iterator[Span]:
    """Dates of birth and of expiry. Another date is nobody's secret unless it lies far enough back to be a birthday."""
    text = heard.view.text
    for match in _DATE.finditer(text):
        announced = [
            cue.entity
            for cue in nearest(CUES, text, *match.span(), before=60, after=30)
            if cue.entity in ("DATE_OF_BIRTH", "CARD_EXPIRY")
        ]
        if not announced and heard.previous:
            size = len(heard.previous)
            asked = nearest(CUES, heard.previous, size, size, before=120, after=0)
            announced = [cue.entity for cue in asked if cue.entity in ("DATE_OF_BIRTH", "CARD_EXPIRY")]
        if announced:
            yield heard.span(match.start(), match.end(), announced[0], 0.9, "phrase", "a date that was announced")
        elif _BIRTH_YEAR.search(match.group()) and len(match.group()) > 8:
            yield heard.span(match.start(), match.end(), "DATE_OF_BIRTH", 0.5, "phrase", "a whole date long ago")


def _ages(heard: Heard) -> Iterator[Span]:
    for match in _AGE.finditer(heard.view.text):
        group = "age" if match["age"] else "said"
        if 0 < int(match[group]) <= 120:
            yield heard.span(match.start(group), match.end(group), "AGE", 0.8, "phrase", "a number of years that somebody is old")


_FLAT = r"(?:apartment|apt|flat|unit|suite|number|house|door|plot|block|floor|building|tower)"
_STREET = re.compile(
    rf"(?:{_FLAT} (?:[a-z]\b ?)?\d*[a-z]?,? ){{0,2}}"
    rf"(?<![\w'])\d{{1,5}}(?: ?[a-z](?![\w]))?(?: (?:uh|um|on))? (?:(?:north|south|east|west|n|s|e|w) )?"
    rf"(?:(?!(?:{'|'.join(('and', 'for', 'is', 'at', 'in', 'to', 'of', 'minutes', 'dollars', 'the', 'a', 'my', 'on'))})\b)[a-z'\d]+ ){{1,3}}?"
    rf"(?:{'|'.join(STREET_WORDS)})(?![\w'])(?: (?:north|south|east|west)(?![\w]))?"
    rf"(?:(?: \|)? (?:{_FLAT}|#) (?:[a-z](?![\w]) ?)?\d*(?: ?[a-z](?![\w]))?)?"
)
_PLACE_CUE = re.compile(
    r"(?:(?:live|living|lives|lived|based|born|located|house|home|apartment|flat|moved|moving|relocat\w+|address)(?: \w+){0,2}? (?:in|to)|"
    r"(?:i'm|we're|calling) from|"
    r"city(?: is| of)|town(?: is| of)|state(?: is| of)) (?P<place>.*)"
)
_REGION = re.compile(rf"(?<![\w'])(?:{'|'.join(sorted((re.escape(name) for name in REGIONS), key=len, reverse=True))})(?![\w'])")


def _streets(heard: Heard) -> Iterator[Span]:
    text = heard.view.text
    for match in _STREET.finditer(text):
        number = re.search(r"\d+", match.group())
        if number and UNITS.match(text, match.start() + number.end()):
            continue
        yield heard.span(match.start(), match.end(), "STREET_ADDRESS", 0.85, "phrase", "a house number and a street")
        place = re.compile(r"(?: \|)? in (?P<place>.*)").match(text, match.end())
        if place:
            yield from _place(heard, place.start("place"), "a place after a street")


def _places(heard: Heard) -> Iterator[Span]:
    text = heard.view.text
    for match in _PLACE_CUE.finditer(text):
        yield from _place(heard, match.start("place"), "a place after “live in” and its like")
    for match in _REGION.finditer(text):
        yield heard.span(match.start(), match.end(), "LOCATION", 0.6, "phrase", "a country, state or large city")


def _place(heard: Heard, at: int, why: str) -> Iterator[Span]:
    """Up to three words that are no common words: the name of a place."""
    end = at
    for count, word in enumerate(re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*").finditer(heard.view.text, at)):
        if count == 3 or heard.view.text[end : word.start()].strip() or word.group() in COMMON_WORDS or word.group() in MONTHS:
            break
        end = word.end()
    if end > at:
        yield heard.span(at, end, "LOCATION", 0.6, "phrase", why)


_SECRET = re.compile(
    r"(?:(?P<password>password|pass ?phrase|pass ?word)|(?P<user>user ?name|user id|user i d|log ?in(?: name| id)?|logged in|log in|handle))"
    r"(?: \S+){0,5}? (?:is|as|was|it's|to) (?P<value>[^|]+)"
)
_SECRET_END = re.compile(r" (?:and|but|with|for|on|please|it|that|so|because|doesn't|isn't|or|my|the|from)(?![\w'])")


def _secrets(heard: Heard) -> Iterator[Span]:
    """What follows "my password is", up to the next word that goes on with the sentence."""
    text = heard.view.text
    for match in _SECRET.finditer(text):
        stop = _SECRET_END.search(text, match.start("value"), match.end("value"))
        end = stop.start() if stop else match.end("value")
        value = text[match.start("value") : end].strip()
        if value and not all(word in COMMON_WORDS for word in value.split()):
            entity = "PASSWORD" if match["password"] else "USERNAME"
            yield heard.span(
                match.start("value"), match.start("value") + len(value), entity, 0.7, "phrase", "what follows its announcement"
            )
