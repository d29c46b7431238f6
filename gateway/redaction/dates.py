"""Dates of birth, expiry dates and ages. Opening hours, appointments and deadlines are nobody's secret."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.redaction.cues import CUES, UNITS, Cues, nearest
from gateway.redaction.english import MONTHS, any_of
from gateway.redaction.heard import Heard
from gateway.values import Span

_MONTH = rf"(?:{any_of(MONTHS)})(?![\w])\.?"
_YEAR = r"(?:19|20)\d\d"
_DATE = re.compile(
    rf"(?:the )?\d{{1,2}}(?:st|nd|rd|th)?(?: day)?(?: of)?(?: \||(?: the month of)?)? {_MONTH}(?: of| in| \|)?(?: {_YEAR}|"
    rf" \d\d(?!\d))?"
    # "april twelve seventy one" runs together into one number
    rf"|{_MONTH}(?: \|)?(?: the)? (?:\d{{1,2}}(?:st|nd|rd|th)(?: \d\d(?:\d\d)?(?!\d))?|\d{{1,6}}(?!\d))"
    rf"|{_YEAR}[/.-]\d\d?[/.-]\d\d?|\d{{1,2}}[/.]\d{{1,2}}[/.](?:\d{{4}}|\d\d)(?!\d)"
    rf"|(?:the )?\d{{1,2}}(?:(?:st|nd|rd|th) (?:of )?|(?:st|nd|rd|th)? of )(?:the )?\d{{1,2}}(?:st|nd|rd|th)?(?: \||,|"
    rf" of| to)? (?:{_YEAR}|\d\d(?!\d))"
    rf"|\d{{1,2}}(?:st|nd|rd|th)? ?(?:[/:]|slash|of)? ?(?:{_YEAR}|\d\d)(?![\d/:])"
)
_CARD_FOLLOWS = re.compile(
    r",?(?: \|)? and (?:the|my) (?:security |c v [vc]|cvv|three |3 )?(?:code|digits|number)?(?: on the back)? (?:is|are) "
    r"(?P<code>\d{3,4})(?!\d)"
)
_LONG_AGO = re.compile(rf"{_MONTH}.*(?:19\d\d|200\d)$|\d[/.-]\d\d?[/.-](?:19\d\d|200\d)$|^(?:19\d\d|200\d)[/.-]")
_FIGURES_AFTER = re.compile(
    r"(?<![\w'])(?:birth ?(?:day|date)?(?:'s)?|born(?: on| in)?|d ?o ?b)(?: \|)?(?:(?: (?:is|was|it's|that's|on|the|uh|um))|"
    r":)*(?: \|)? "
    r"(?P<figures>\d[\d .,/-]{1,12}\d)(?![\w])"
)
"""A date of figures that a recogniser garbled: "999.55"."""
_DATES = ("DATE_OF_BIRTH", "CARD_EXPIRY")
_KINDS = Cues(cue for cue in CUES if cue.entity in _DATES)
_ALL = Cues(CUES)
_FIGURES_ALONE = re.compile(r"\d+")

_RELATIVE = (
    "mother|father|mom|mum|dad|wife|husband|son|daughter|brother|sister|partner|boy|girl|baby|kid|child|nan|gran|"
    "grandma|grandad|"
    "granddad|grandson|granddaughter|nephew|niece|uncle|aunt|patient|twin|youngest|eldest|oldest"
)
_THING = re.compile(
    r"(?<![\w'])(?:it's|it is|it was|which is|(?:car|van|boiler|house|laptop|phone|computer|machine|roof|fridge|oven|building|"
    r"router|"
    r"bike|sofa|flat|account|policy|carpet|washer|dryer|system|printer|tyres|battery|model)(?:'s| is| was| are))"
    r"(?: (?:about|only|nearly|over|almost|just|already))? \Z"
)
"""What is old and nobody."""
_AGE = re.compile(
    r"(?P<old>\d{1,3})(?= ?-?(?:years?|yrs?|months?)[ -]olds?\b| years of age)"
    r"|(?:\baged?|\bage(?:'s| is| of)|turn(?:s|ed|ing)|(?:pushing|just gone)(?= \d+(?: \||$| and| but| so))) (?P<said>\d{1,3})"
    r"(?![\d.])"
    r"|(?:i|he|she|they)(?:'ll| will| would)(?: be| turn) (?P<soon>\d{1,3})(?= (?:next|this|in (?!a |an |\d)|on (?!the)|"
    r"soon)|$| \|)"
    r"|(?<![\w'])(?:(?:i|he|she) was (?P<then>\d{1,2})(?= when)|(?:passed away|died) at (?P<last>\d{1,3})(?= |$))"
    rf"|(?:(?<![\w'])(?:i'm|i am|he's|she's|he is|she is|who's|who is)|(?:{_RELATIVE})(?:(?: [a-z]+)? is|'s))"
    r"(?: (?:over|under|nearly|almost|about|only|just|already|now))? (?P<bare>\d{1,3})"
    r"(?= \||$| (?:and|but|now|so|as|or|next)\b)"
)
_CHILDREN = re.compile(
    r"(?<![\w'])(?:kids|children|boys|girls|twins|sons|daughters|grandchildren|grandkids) are(?: both| only| now)? "
    r"(?P<first>\d{1,2})(?:(?: \d{1,2})? and (?P<last>\d{1,2}))?(?= \||$| and| so| but)"
)
_OLDEST, _FEWEST_FIGURES = 120, 3


def find(heard: Heard) -> list[Span]:
    """Dates of birth, expiry dates, ages."""
    if not heard.has_figures:
        return []
    return [*_dates(heard), *_figures(heard), *_ages(heard)]


def _dates(heard: Heard) -> Iterator[Span]:
    """A date that was announced, in this turn or by the question before; or a whole date long ago."""
    text = heard.view.text
    codes: set[int] = set()
    for match in _DATE.finditer(text):
        if match.start() in codes or (_FIGURES_ALONE.fullmatch(match.group()) and _is_announced_as_another(text, match)):
            continue
        announced = [str(cue.entity) for cue in nearest(_KINDS, text, *match.span(), before=60, after=30)]
        if not announced and heard.previous:
            size = len(heard.previous)
            asked = nearest(_KINDS, heard.previous, size, size, before=120, after=0)
            announced = [str(cue.entity) for cue in asked]
        follows = _CARD_FOLLOWS.match(text, match.end()) if announced[:1] in ([], ["CARD_EXPIRY"]) else None
        if follows:
            codes.add(follows.start("code"))
            yield heard.span(*follows.span("code"), "CVV", 0.9, "phrase", "a code after a card's month and year")
        if announced:
            yield heard.span(match.start(), match.end(), announced[0], 0.9, "phrase", "a date that was announced")
        elif follows:
            yield heard.span(match.start(), match.end(), "CARD_EXPIRY", 0.6, "phrase", "a month and a year before a card's code")
        elif _LONG_AGO.search(match.group()):
            yield heard.span(match.start(), match.end(), "DATE_OF_BIRTH", 0.5, "phrase", "a whole date long ago")


def _is_announced_as_another(text: str, figures: re.Match[str]) -> bool:
    """Whether figures without any sign of a date follow the words of another kind: "my pin is 4410 and I was born…"."""
    ahead = nearest(_ALL, text, *figures.span(), before=60, after=0)
    return bool(ahead) and ahead[0].entity not in _DATES


def _figures(heard: Heard) -> Iterator[Span]:
    text = heard.view.text
    for match in _FIGURES_AFTER.finditer(text):
        if sum(sign.isdigit() for sign in match["figures"]) >= _FEWEST_FIGURES and not UNITS.match(text, match.end()):
            yield heard.span(*match.span("figures"), "DATE_OF_BIRTH", 0.7, "phrase", "figures after words of birth")


def _ages(heard: Heard) -> Iterator[Span]:
    for match in _AGE.finditer(heard.view.text):
        group = str(match.lastgroup)
        thing = group == "old" and _THING.search(heard.view.text, max(0, match.start() - 30), match.start())
        if 0 < int(match[group]) <= _OLDEST and not thing:
            yield _age(heard, match, group)
    for match in _CHILDREN.finditer(heard.view.text):
        yield from (_age(heard, match, group) for group in ("first", "last") if match[group])


def _age(heard: Heard, match: re.Match[str], group: str) -> Span:
    return heard.span(match.start(group), match.end(group), "AGE", 0.8, "phrase", "a number of years that somebody is old")
