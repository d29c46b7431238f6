"""Numbers that belong to somebody: cards, phones, accounts, identity numbers, codes. Found in the view, so said in any way.

What a number is, its own check digit says best, then the nearest words, then the question before it, then its length alone.
"""

from __future__ import annotations

import re

from gateway.redaction import checksums, codes
from gateway.redaction.cues import CUES, HARMLESS, QUESTIONS, SHORT_NUMBER, SOME_NUMBER, UNITS, Cue, Cues, Hit, hits
from gateway.redaction.english import ENGLISH, NATO
from gateway.redaction.heard import LONG_NUMBERS, Heard
from gateway.values import Span

_SOME, _SHORT = Cues((SOME_NUMBER,)), Cues((SHORT_NUMBER,))
_BEFORE, _AFTER = 70, 25
_RIGHT_BEFORE, _BEFORE_LOOSELY = 25, 32
_ANSWER_LEAST = 3
"""So many digits answer a question wherever they stand; fewer only behind the words that lead into an answer."""
_BETWEEN = frozenset({"number", "id", "code", "'s", "no", "starts", "begins", "with", "uh", "um", "here", "be", "would", "was"})
_LONGEST_LEAD = 80
_WORD = re.compile(r"[^\s|]+")
_LONG_AMOUNT = 9
"""So many digits are no amount, whatever stands behind them."""
_LEADS = frozenset(
    {
        "and",
        "then",
        "ok",
        "okay",
        "so",
        "well",
        "sure",
        "yes",
        "yeah",
        "right",
        "it",
        "it's",
        "is",
        "that's",
        "next",
        "after",
        "that",
        "i",
        "i'm",
        "am",
        "she",
        "she's",
        "he",
        "he's",
        "my",
        "just",
        "turned",
        "actually",
    }
)
"""What people say before they go on with a number, or answer with one."""
_ELEMENT = rf"(?:(?<![a-z']){codes.LETTER}|[a-z]{{0,6}}\d[a-z\d]*)"
_CODE = re.compile(
    rf"(?<![\w']){_ELEMENT}(?:(?: \|)?(?:[ /-]*|\.(?=\d))(?:(?:dash|hyphen|slash|uh|um|and then|then) )?{_ELEMENT})*(?![\w])"
)
_DIGITS = re.compile(r"\(?\d+(?:(?: \|)?[ ()-]+\d+|\.\d{3,}|(?:\.\d){4,}|(?<=\d{6})\.\d+)*(?![a-z])")
_ITS_NAME = re.compile(r"(?:i d|i b a n|i f s c|s s n|m r n|n i|n h s|o t p|u i d|d l|p i n|d o b)(?: is)? (?=[^|])")
"""Abbreviations that stand before a code and look like its letters."""
_SPELLING = re.compile(r" (?:as in|for|like) [a-z]+")
_FORMATS = re.compile(r"[a-z]{5}\d{4}[a-z]|[a-z]{2}\d{6}[a-d]|[a-z]{2}\d{2}[a-z]{3}|[a-z]{2}\d{1,2}[a-z]{1,3}\d{4}")
"""India's PAN, Britain's national insurance number and plate, India's plate."""
_CURRENCY = re.compile(r"[$£€₹]\s?$|\b(?:rs|inr|usd|eur|gbp) $")
_AMOUNT_BEFORE = re.compile(
    r"(?<![\w'])(?:costs?|paid|price(?: is| of)?|limit of|fee of|worth|spent|since|after|before|opens at|closes at|more than|"
    r"less than|at least|up to|total(?: is| of| comes to)?|comes to|came to|charged(?: me)?|bill(?: is| was)|balance(?: is|"
    r" of| was)?|"
    r"deposit of|refund of|pay|owe|nearly|almost|roughly) $"
)
_SHORT_AMOUNT = 5
_SHORTEST, _ONE_BY_ONE, _LONG_FIGURES = 3, 4, 5
_SINGLE = {*ENGLISH.units, *ENGLISH.zeros, *ENGLISH.soft_zeros, *ENGLISH.repeats, *ENGLISH.pauses, "dash", "hyphen", "space"}
_TIME_BEFORE = re.compile(
    r"(?<![\w'])(?:at|by|until|till|from|around|about|before|after|between|since|to|in|past|opens|closes|open|close|leaves|"
    r"arrives|"
    r"departs|o'clock) $"
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_COUNTS_ON = re.compile(r"0?1?2345?6?7?8?9?0?|1?23|321|543210?|54321|1010|911|999|112|101|111")
"""What people count when they test a line, and the numbers of the emergency services."""
_HOURS = ("oh nine hundred", "oh eight hundred", "oh seven hundred", "oh six hundred", "zero hundred")
_LAST_FEW = re.compile(r"(?<![\w'])(?:last|final) $")
_GIVEN_ALREADY = re.compile(r"[ |]*(?:'s|is|was|it's|that's)?[ |]*<")
_OTHER_QUESTION = re.compile(
    r"(?<![\w'])(?:how (?:many|much|long|far|often|tall|heavy|big)|what (?:time|year|model|size|speed)|which (?:year|model|"
    r"size)|"
    r"when (?:did|do|does|would|will|should|can|is (?:it|that|this|good))|mileage)(?![\w'])"
)
"""A question whose answer is a number of nobody."""
_FOUR_BEFORE = re.compile(r"(?<![\w'])(?P<four>for|four) $")
_EXTENSION = re.compile(r"(?: \|)? (?:extension|ext\.?|x)(?: number)?(?: is)? \d{1,6}(?![\w])")
_DECIMALS = re.compile(r"(?:\.|:|/| point )\d")
_AREA_CODE = re.compile(r"area code(?: is)? $")


def find(heard: Heard) -> list[Span]:
    """Numbers and codes that are somebody's, by check digit, by cue, by question, by length."""
    if not heard.has_figures:
        return []
    spans = [span for match in _CODE.finditer(heard.view.text) if (span := _coded(heard, match.start(), match.end()))]
    codes_found, at = list(spans), 0
    for match in _DIGITS.finditer(heard.view.text):
        # Within a code that was taken whole there is nothing left to say. Both come in their order.
        first, last = heard.view.span(match.start(), match.end())
        while at < len(codes_found) and codes_found[at].end < last:
            at += 1
        if at == len(codes_found) or first < codes_found[at].start:
            found = _digits(heard, match.start(), match.end())
            spans += [found] if found else []
    return spans


def _coded(heard: Heard, start: int, end: int) -> Span | None:
    """A run of letters and digits after a cue that allows letters: "a b one two" of a policy."""
    text = heard.view.text
    while text[start : start + 2] in ("a ", "i "):
        following = text[start + 2 : end]
        if not following or (following[0].isdigit() and len(following) < 4):
            break
        if following[:1].isalpha() and following[1:2] in (" ", "-", ""):
            break
        start += 2
    if named := _ITS_NAME.match(text, start, end):
        start = named.end()
    value = signs(text[start:end])
    if not any(sign.isdigit() for sign in value) or value.isdigit():
        return None
    if checksums.mod97(value):
        return heard.span(start, end, "IBAN_CODE", 1.0, "check digits", "an IBAN: its two check digits are right")
    near = [hit for hit in hits(CUES, text, start, end, before=_BEFORE, after=_AFTER) if hit.cue.letters]
    if hit := _fitting(near, len(value)):
        return _by_cue(heard, start, end, hit, 0.8)
    for cue in reversed(_asked(heard)):
        if cue.letters and cue.least <= len(value) <= cue.most:
            return _by_cue(heard, start, end, Hit(cue, None, _BEFORE), 0.7)
    return _some_code(heard, start, end, value)


def _some_code(heard: Heard, start: int, end: int, value: str) -> Span | None:
    """A code that nobody said more about: "number" stands before it, or its letters and digits have a known order."""
    if hit := _fitting(hits(_SOME, heard.view.text, start, end, before=_RIGHT_BEFORE, after=0), len(value)):
        return _by_cue(heard, start, end, hit, 0.6)
    if _FORMATS.fullmatch(value):
        return heard.span(
            start, end, "ID_NUMBER", 0.6, "format", "letters and digits in the order of an identity number or a plate"
        )
    return None


def _digits(heard: Heard, start: int, end: int) -> Span | None:
    text = heard.view.text
    digits = signs(text[start:end])
    near = hits(CUES, text, start, end, before=_BEFORE, after=_AFTER)
    if sure := _by_check(digits, [hit.cue for hit in near]):
        return heard.span(start, end, sure[0], 1.0, "check digits", sure[1])
    if _is_amount(text, start, end) and len(digits) < _LONG_AMOUNT:
        return None
    if text[max(0, start - 5) : start] == "plus " and 8 <= len(digits) <= 15:
        return heard.span(start - 5, end, "PHONE_NUMBER", 0.9, "cue", "a number after “plus”")
    if hit := _fitting(near, len(digits)):
        if hit.cue.entity == "PHONE_NUMBER" and (spoken := _AREA_CODE.search(text, max(0, start - 16), start)):
            start = spoken.start()
        return _by_cue(heard, start, end, hit, 0.85)
    for hit in hits(_SOME, text, start, end, before=_RIGHT_BEFORE, after=0):
        if hit.cue.least <= len(digits):
            return _by_cue(heard, start, end, hit, 0.6)
    return (
        _unfinished(heard, start, end)
        or _by_dialogue(heard, start, end, digits)
        or _by_length(heard, start, end, digits)
        or _by_manner(heard, start, end, digits)
    )


def _unfinished(heard: Heard, start: int, end: int) -> Span | None:
    """ "My card number is four five": too short for a card, but the turn ends there, so it may go on in the next."""
    text = heard.view.text
    ends = end >= len(text) - 2 and not _LAST_FEW.search(text, max(0, start - 7), start)
    near = hits(CUES, text, start, end, before=_RIGHT_BEFORE, after=0) if ends else []
    if near and near[0].cue.entity in LONG_NUMBERS and set(_WORD.findall(text, near[0].end or 0, start)) <= _LEADS | _BETWEEN:
        return heard.span(start, end, near[0].cue.entity, 0.6, "cue", "the beginning of a number that was announced")
    return None


def _by_dialogue(heard: Heard, start: int, end: int, digits: str) -> Span | None:
    """What the turns before make of it: the answer to a question, or the rest of a number."""
    text = heard.view.text
    small = start <= _LONGEST_LEAD and set(_WORD.findall(text, 0, start)) <= _LEADS
    leads = small and (len(digits) > 1 or end >= len(text) - 2)
    for cue in reversed(_asked(heard)):
        # An answer may come in pieces: "it's nine", "then double two…"
        if (leads or max(cue.least, _ANSWER_LEAST) <= len(digits)) and len(digits) <= cue.most:
            return heard.span(start, end, cue.entity, 0.7, "question", "an answer to the question before")
    if heard.pending and leads:
        return heard.span(start, end, heard.pending, 0.6, "continuation", "digits that go on with the number of the turn before")
    return None


def _fitting(near: list[Hit], size: int) -> Hit | None:
    """The nearest cue that announces so many signs; else one that stands right before: a recogniser may lose or add some."""
    for hit in near:
        if hit.cue.least <= size <= hit.cue.most:
            return hit
    first = near[0] if near else None
    loose = first is not None and first.cue.entity and first.end is not None and first.distance <= _BEFORE_LOOSELY
    return first if first and loose and max(3, first.cue.least - 2) <= size <= first.cue.most + 6 else None


def _by_cue(heard: Heard, start: int, end: int, hit: Hit, score: float) -> Span | None:
    cue = hit.cue
    if cue.entity == HARMLESS:
        return None
    start, end = codes.reach(heard, start, end, hit.end, letters=cue.letters)
    if cue.entity == "PHONE_NUMBER" and (extension := _EXTENSION.match(heard.view.text, end)):
        end = extension.end()
    return heard.span(start, end, cue.entity, score, "cue", f"{cue.least} to {cue.most} signs near words that announce it")


def _asked(heard: Heard) -> list[Cue]:
    """What the turn before asked for; the last question last."""
    if not heard.previous:
        return []
    length = len(heard.previous)
    since = max((other.start() for other in _OTHER_QUESTION.finditer(heard.previous)), default=-1)
    asked = hits(QUESTIONS, heard.previous, length, length, before=160, after=0)
    return [hit.cue for hit in reversed(asked) if since < 0 or not _is_settled(heard.previous, hit.end or 0, since)]


def _is_settled(previous: str, end: int, since: int) -> bool:
    """Whether another question came after, or the value has been given already."""
    return end < since or _GIVEN_ALREADY.match(previous, end) is not None


def _by_check(digits: str, cues: list[Cue]) -> tuple[str, str] | None:
    announced = cues[0].entity if cues else None
    if 13 <= len(digits) <= 19 and checksums.luhn(digits):
        return "CREDIT_CARD", "13 to 19 digits with a right check digit (Luhn)"
    if len(digits) == 12 and checksums.verhoeff(digits) and announced not in ("PHONE_NUMBER", "BANK_ACCOUNT", HARMLESS):
        return "IN_AADHAAR", "12 digits with a right check digit (Verhoeff)"
    if announced == "UK_NHS" and checksums.nhs(digits):
        return "UK_NHS", "10 digits with a right check digit (modulus 11)"
    return None


def _by_length(heard: Heard, start: int, end: int, digits: str) -> Span | None:
    """Nobody said what it is, but nobody counts up to that either: long runs of digits are somebody's."""
    size = len(digits)
    if size >= 13:
        return heard.span(start, end, "CREDIT_CARD" if size <= 19 else "ID_NUMBER", 0.5, "length", f"{size} digits in a row")
    if size >= 10:
        return heard.span(start, end, "PHONE_NUMBER", 0.5, "length", f"{size} digits in a row")
    if size >= 7:
        return heard.span(start, end, "ID_NUMBER", 0.5, "length", f"{size} digits in a row")
    return None


def _by_manner(heard: Heard, start: int, end: int, digits: str) -> Span | None:
    """How it is said: an amount is not said digit by digit, begins with no zero, and stands behind no "the digits are"."""
    text = heard.view.text
    one_by_one = _one_by_one(heard, start, end, digits)
    if _COUNTS_ON.fullmatch(digits) or (_YEAR.fullmatch(digits) and not one_by_one):
        return None
    if len(digits) >= _SHORTEST and hits(_SHORT, text, start, end, before=_RIGHT_BEFORE, after=0):
        if one_by_one or not digits.endswith("00"):
            return heard.span(start, end, "ID_NUMBER", 0.55, "cue", "digits right behind words that announce some")
        return None
    if not one_by_one or _TIME_BEFORE.search(text, max(0, start - 14), start):
        return None
    if four := _FOUR_BEFORE.search(text, max(0, start - 5), start):
        start = four.start("four")
    return heard.span(start, end, "ID_NUMBER", 0.5, "manner", "digits said one by one, which no amount is")


def _one_by_one(heard: Heard, start: int, end: int, digits: str) -> bool:
    """Whether it is read out like the number of something: four digits one by one, or a few with a zero ahead."""
    words = heard.view.words(start, end)
    figures = any(sign.isdigit() for sign in words)
    if digits.startswith("0"):
        return len(digits) >= _SHORTEST and not words.lower().startswith(_HOURS)
    if figures:
        plain = "," not in words and "." not in words and not digits.endswith("00")
        return plain and len(digits) >= _LONG_FIGURES
    return len(digits) >= _ONE_BY_ONE and all(word in _SINGLE for word in re.findall(r"[^\W_]+", words.lower()))


def _is_amount(text: str, start: int, end: int) -> bool:
    if end - start <= _SHORT_AMOUNT and _AMOUNT_BEFORE.search(text, max(0, start - 14), start):
        return True
    return bool(UNITS.match(text, end) or _CURRENCY.search(text, max(0, start - 6), start) or _DECIMALS.match(text, end))


def signs(stretch: str) -> str:
    """The letters and digits alone of a stretch of the view: "b as in bravo 4" is ``b4``."""
    return "".join(
        word[:1] if word in NATO else "".join(sign for sign in word if sign.isalnum())
        for word in _SPELLING.sub("", stretch).split()
        if word not in ("dash", "hyphen", "slash", "uh", "um", "and", "then", "|")
    )
