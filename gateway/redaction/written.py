"""Texts that nobody said (instructions, descriptions of tools, results, JSON, code): what in them may be taken for a person's.

The tagger learnt from what people say on the telephone. In a text that a programmer wrote, its word alone is not enough: there a
name begins with a capital letter or stands where names are written, a street has a number, a secret is announced. What a rule has
found by its own form (a card number, an e-mail address) stays found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from gateway.redaction.english import ADDRESS_WORDS, COMMON_WORDS, SURNAMES_TOO
from gateway.redaction.given import GIVEN
from gateway.redaction.tables import words
from gateway.values import Span

TAGGER = "Tagger"
_NAMES = frozenset({"SpokenNames", "SpokenIntroductions"})
_SURE = 0.8
_IDENTIFIER = re.compile(
    r"""\$?\b[A-Za-z][A-Za-z0-9]*(?:_+[A-Za-z0-9]+)+\b   # snake_case
      | \b[a-z]+[0-9]*(?:[A-Z][a-z0-9]*)+\b              # camelCase
      | \b(?:[A-Z][a-z0-9]+){2,}(?=[(.:])                # a class that is called or derived from
      | \b[A-Za-z]\w*(?:\.[A-Za-z]\w*)*\((?=[^)]*\))     # a call()
      | (?<![\w@./])/(?:[\w{}.-]+/)*[\w{}.-]+            # a path
      | "[A-Za-z_][\w-]*"(?=\s*:)                        # the key of a JSON object
      | \{\{[^{}]{1,64}\}\}                              # a variable of a template
    """,
    re.VERBOSE,
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_ENDS = re.compile(r"[.!?;:|(){}\[\]=<>\"`\n]")
_NAME_HERE = re.compile(
    r"(?i:(?<![a-z])(?:name|names|caller|customer|patient|guest|owner|contact|agent|user|employee|person|client|manager|doctor|dr|mr|mrs|ms"
    r"|miss|sir|called|for|with|from|by|is|are|dear|hello|hi)\b[\s\"'=.:,-]{1,6})$"
)
_TOKEN_GOES_ON = re.compile(r"[\w/]-?$")
_PLACE_HERE = re.compile(
    r"(?i:\b(?:in|at|to|from|near|of|lives|city|town|place|address|location|country|state)\b[\s\"'=:,-]{1,6})$"
)
_SECRET_HERE = re.compile(
    r"(?i:(?<![a-z])(?:pass ?(?:word|phrase|code)|pin|user ?name|log-?in|handle|secret|account)(?![a-z]))[^.!?\n]{0,30}$"
)
_PROGRAM = words(
    """
    ai api app array ascii aws azure bash boolean bot cache celsius chrome class client code css csv csv database dd docker email
    enum excel fahrenheit fastapi float firefox function get git github google gpt graphql hh html http https id ids int integer
    ios iso java javascript json jwt kubernetes latex linux list livekit llm markdown mm mongodb mysql nlu node none null number
    oauth object openai pdf php pii post postgres postgresql put python react redis regex rest ruby rust sdk slack sms sql sqlite
    ssh ssml stt string tcp tts typescript uri url urls usd utc utf uuid webhook windows xml yaml yyyy zip true false
    """
)
"""Words of programs and formats, which are nobody's name whatever their letters look like."""
_NEAR = 80
"""More characters than any of the patterns that look at what stands before can span."""
_LEAST_DIGITS = 4
_SPOKEN_WORDS = 6
_DIGIT_WORDS = words("zero oh one two three four five six seven eight nine double triple")


def written(text: str, found: Iterable[Span]) -> list[Span]:
    """Of what was found in a text that nobody said, what may stay found. ``found``: all findings, weak and overlapping ones too.

    A text in small letters throughout, in the words of speech, is a transcript: all of it stays.
    """
    spans = list(found)
    if not spans or _is_transcript(text):
        return spans
    programs = [match.span() for match in _IDENTIFIER.finditer(text)]
    return [part for span in spans for part in _outside(span, programs) if _stays(text, part)]


def _outside(span: Span, programs: Sequence[tuple[int, int]]) -> list[Span]:
    """The parts of a guess that are no words of a program."""
    if span.detector != TAGGER and span.detector not in _NAMES:
        return [span]
    parts, at = [], span.start
    for start, end in programs:
        if start < span.end and at < end:
            parts += [replace(span, start=at, end=start)] if at < start else []
            at = end
    return [*parts, replace(span, start=at)] if at < span.end else parts


def _stays(text: str, span: Span) -> bool:
    if span.detector != TAGGER and span.detector not in _NAMES:
        return span.entity != "ID_NUMBER" or span.score >= _SURE or _digits(text[span.start : span.end]) >= _LEAST_DIGITS
    said = text[span.start : span.end].strip(" \n\"':,;`{}[]")
    if span.detector in _NAMES:
        return span.entity != "PERSON" or _has_a_name(said)
    return _CHECKS.get(span.entity, _is_number)(text, span, said)


def _stands_before(pattern: re.Pattern[str], text: str, span: Span) -> bool:
    return pattern.search(text, max(0, span.start - _NEAR), span.start) is not None


def _is_person(text: str, span: Span, said: str) -> bool:
    spelt = _WORD.findall(said)
    if not spelt or _ENDS.search(said) or _stands_before(_TOKEN_GOES_ON, text, span) or any(sign.isdigit() for sign in said):
        return False
    if len(spelt) > 1:
        capitals = sum(_capital(word) for word in spelt)
        return capitals >= 2 or (said.islower() and "," not in said and not any(_everyday(word) for word in spelt))
    return _has_a_name(said) and (spelt[0].lower() in GIVEN or _stands_before(_NAME_HERE, text, span))


def _is_place(text: str, span: Span, said: str) -> bool:
    spelt = _WORD.findall(said)
    named = [word for word in spelt if _capital(word) and not _everyday(word)]
    if not named or _ENDS.search(said):
        return False
    return len(named) > 1 or _stands_before(_PLACE_HERE, text, span)


def _is_street(text: str, span: Span, said: str) -> bool:
    spelt = [word.lower() for word in _WORD.findall(said)]
    numbered = any(sign.isdigit() for sign in said) or any(word in _DIGIT_WORDS for word in spelt)
    return numbered and (any(word in ADDRESS_WORDS for word in spelt) or any(map(_capital, _WORD.findall(said))))


def _is_mail(text: str, span: Span, said: str) -> bool:
    return "@" in said or re.search(r"\bat\b.*\bdot\b", said, re.IGNORECASE) is not None


def _is_link(text: str, span: Span, said: str) -> bool:
    return re.search(r"\w dot \w|://|\bwww\b", said, re.IGNORECASE) is not None


def _is_secret(text: str, span: Span, said: str) -> bool:
    return _stands_before(_SECRET_HERE, text, span)


def _is_number(text: str, span: Span, said: str) -> bool:
    """Figures of a value, many enough; a version, a price or a format has fewer, or other signs between."""
    spoken = sum(word.lower() in _DIGIT_WORDS for word in _WORD.findall(said))
    enough = _digits(said) > _LEAST_DIGITS or spoken >= _LEAST_DIGITS
    return enough and re.search(r"[/\"{}=]", said) is None


_CHECKS = {
    "PERSON": _is_person,
    "LOCATION": _is_place,
    "STREET_ADDRESS": _is_street,
    "EMAIL_ADDRESS": _is_mail,
    "URL": _is_link,
    "USERNAME": _is_secret,
    "PASSWORD": _is_secret,
}


def _has_a_name(said: str) -> bool:
    spelt = _WORD.findall(said)
    several = len(spelt) > 1 and not any(_everyday(word) for word in spelt)
    return several or any(_capital(word) and not _everyday(word) for word in spelt)


def _capital(word: str) -> bool:
    """``Miller`` and ``McDonald``; neither ``API`` nor ``miller``."""
    return word[:1].isupper() and any(sign.islower() for sign in word) and word.lower() not in _PROGRAM


def _everyday(word: str) -> bool:
    low = word.lower()
    return low in _PROGRAM or (low in COMMON_WORDS and low not in GIVEN and low not in SURNAMES_TOO)


def _digits(said: str) -> int:
    return sum(sign.isdigit() for sign in said)


def _is_transcript(text: str) -> bool:
    """In small letters throughout, and nothing but the words of speech, as a recogniser writes spelt."""
    return (
        not any(sign.isupper() for sign in text)
        and re.search(r"[_{}()<>=\"`/|#\n]", text) is None
        and len(text.split()) >= _SPOKEN_WORDS
    )
