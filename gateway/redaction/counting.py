"""Number words as digits: "forty two" is ``42``, "double four" is ``44``, and "for" among digits is a 4."""

from __future__ import annotations

import re
from operator import itemgetter

from gateway.redaction.lexemes import JOINERS, Lexeme, SpokenLanguage

_SENTENCE_END = frozenset(".?!…।")
_LONG_RUN = 5
"""So many digits in a row are no amount: a word like "for" beside them is one of them."""
_PASSED = 6
"""So many pauses and further "oh"s may stand between an "oh" and the digit beside it."""
_kind, _text = itemgetter(0), itemgetter(1)
_Piece = Lexeme
"""As a lexeme; numbers are of the kind ``cardinal`` or ``ordinal``."""


def numbers(lexemes: list[Lexeme], language: SpokenLanguage) -> list[_Piece]:
    """Turn number words into digits, one lexeme a spoken number: "forty two" is one, "four five" are two.

    Their kind is ``cardinal`` or ``ordinal``; all others stay as they are.
    """
    counting = language.counting
    if language.surely_counting.isdisjoint(map(_text, lexemes)) and "number" not in map(_kind, lexemes):
        return lexemes
    pieces: list[_Piece] = []
    at, end = 0, len(lexemes)
    while at < end:
        lexeme = lexemes[at]
        used = 1
        if lexeme.kind == "number" or lexeme.text in counting:
            number, used = _number_at(lexemes, at, language)
            lexeme = number or lexeme
        pieces.append(lexeme)
        at += used
    return pieces


def _number_at(lexemes: list[Lexeme], at: int, language: SpokenLanguage) -> tuple[_Piece | None, int]:
    first = lexemes[at]
    if first.kind == "number":
        return _hundreds_and(lexemes, at, language) or _thousands(lexemes, at, language) or (_written_number(first), 1)
    if first.kind != "word":
        return None, 1
    word = first.text
    if language.units.get(word) == 1 and at + 1 < len(lexemes) and lexemes[at + 1].text in language.moments:
        return _Piece("word", f"{word} {lexemes[at + 1].text}", first.start, lexemes[at + 1].end), 2
    if word in language.repeats and (repeated := _repeated(lexemes, at, language)):
        return repeated
    if word in language.homophones and _among_digits(lexemes, at, language):
        return _Piece("cardinal", str(language.homophones[word]), first.start, first.end), 1
    if word in language.soft_zeros:
        return (_Piece("cardinal", "0", first.start, first.end), 1) if _beside_number(lexemes, at, language) else (None, 1)
    if word in language.zeros:
        return _Piece("cardinal", "0", first.start, first.end), 1
    value, used = _small(lexemes, at, language)
    if value is None:
        return None, 1
    if value < 0:
        return _Piece("ordinal", _ordinal(-value), first.start, lexemes[at + used - 1].end), used
    value, used = _large(lexemes, at, value, used, language)
    return _Piece("cardinal", str(value), first.start, lexemes[at + used - 1].end), used


def _written_number(lexeme: Lexeme) -> _Piece:
    digits = "".join(str(int(sign)) for sign in lexeme.text if sign.isdecimal())
    if len(lexeme.text) > len(digits):
        return _Piece("ordinal", digits + lexeme.text[len(digits) :], lexeme.start, lexeme.end)
    return _Piece("cardinal", digits, lexeme.start, lexeme.end)


def _hundreds_and(lexemes: list[Lexeme], at: int, language: SpokenLanguage) -> tuple[_Piece, int] | None:
    """ "800 and 7": hundreds that were written, and the rest after the conjunction."""
    if at + 2 >= len(lexemes) or lexemes[at + 1].text != language.conjunction or not re.fullmatch(r"[1-9]00", lexemes[at].text):
        return None
    rest = lexemes[at + 2]
    value = int(rest.text) if rest.kind == "number" and rest.text.isdecimal() and len(rest.text) <= 2 else None
    if value is None:
        return None
    return _Piece("cardinal", str(int(lexemes[at].text) + value), lexemes[at].start, rest.end), 3


def _thousands(lexemes: list[Lexeme], at: int, language: SpokenLanguage) -> tuple[_Piece, int] | None:
    """ "2 thousand and 2"."""
    if at + 1 >= len(lexemes) or lexemes[at + 1].text not in language.thousands or not lexemes[at].text.isdecimal():
        return None
    value, used = _large(lexemes, at, int(lexemes[at].text[:3]), 1, language)
    rest = at + used + 1
    if used == 2 and rest < len(lexemes) and lexemes[rest - 1].text == language.conjunction and lexemes[rest].text.isdecimal():
        value, used = value + int(lexemes[rest].text[:3]), used + 2
    return _Piece("cardinal", str(value), lexemes[at].start, lexemes[at + used - 1].end), used


def _ordinal(value: int) -> str:
    suffix = "th" if value in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value}{suffix}"


def _repeated(lexemes: list[Lexeme], at: int, language: SpokenLanguage) -> tuple[_Piece, int] | None:
    """ "double four", "double, four", "double-4"; "double 45" is 445."""
    after = at + 1
    while after < len(lexemes) and lexemes[after].text in JOINERS:
        after += 1
    digit = _digit(lexemes[after], language) if after < len(lexemes) else None
    if digit is None and after < len(lexemes) and lexemes[after].text in language.homophones and after + 1 < len(lexemes):
        # "double for nine": a homophone, when a digit follows.
        following = _digit(lexemes[after + 1], language)
        digit = None if following is None else str(language.homophones[lexemes[after].text])
    if digit is None:
        return None
    text = digit[0] * (language.repeats[lexemes[at].text] - 1) + digit
    return _Piece("cardinal", text, lexemes[at].start, lexemes[after].end), after + 1 - at


def _among_digits(lexemes: list[Lexeme], at: int, language: SpokenLanguage) -> bool:
    """Whether a homophone stands for a digit.

    So it is when two digits said one by one stand on either side, or on one side a run that is too long for an amount; among
    digits with commas between, also as the last of them.
    """
    (before, loose), (after, loose_too) = _digits_near(lexemes, at, -1, language), _digits_near(lexemes, at, 1, language)
    if before == 0:
        return False
    article = lexemes[at].text in language.articles
    if article and before >= 2 and after >= 2:
        return True
    comma_before, comma_after = _is_joiner(lexemes, at - 1), _is_joiner(lexemes, at + 1)
    if after == 0:
        ends = at + 1 == len(lexemes) or lexemes[at + 1].text in _SENTENCE_END
        return before >= 2 and loose and not article and comma_before and ends
    if comma_before and comma_after:
        return True
    if not (loose and loose_too):
        return False
    words = all(_is_joiner(lexemes, near) or lexemes[near].kind == "word" for near in (at - 1, at + 1))
    return (words and before >= 2 and after >= 2) or max(before, after) >= _LONG_RUN


def _is_joiner(lexemes: list[Lexeme], at: int) -> bool:
    return 0 <= at < len(lexemes) and lexemes[at].text in JOINERS


def _digits_near(lexemes: list[Lexeme], at: int, step: int, language: SpokenLanguage) -> tuple[int, bool]:
    """How many digits stand beside, up to a long run; and whether they are no round amount or one of tens."""
    count, loose, index = 0, True, at + step
    while 0 <= index < len(lexemes) and count < _LONG_RUN:
        near = lexemes[index]
        if near.kind == "number":
            loose = loose and (len(near.text) < _LONG_RUN or not near.text.endswith("00"))
            count += len(near.text) if near.text.isdecimal() else 0
        elif near.text in language.teens or near.text in language.tens:
            loose, count = False, count + 2
        elif near.text in language.units or near.text in language.zeros or near.text in language.soft_zeros:
            count += 1
        elif near.text not in JOINERS and near.text not in language.repeats and near.text not in language.pauses:
            break
        index += step
    return count, loose


def _digit(lexeme: Lexeme, language: SpokenLanguage) -> str | None:
    if lexeme.kind == "number" and lexeme.text.isdecimal():
        return "".join(str(int(sign)) for sign in lexeme.text)
    if lexeme.text in language.zeros or lexeme.text in language.soft_zeros:
        return "0"
    return str(language.units[lexeme.text]) if lexeme.text in language.units else None


def _beside_number(lexemes: list[Lexeme], at: int, language: SpokenLanguage) -> bool:
    def numeric(index: int, step: int) -> bool:
        passed = 0
        while (
            0 <= index < len(lexemes)
            and passed < _PASSED
            and (
                lexemes[index].text in JOINERS
                or lexemes[index].text in language.soft_zeros
                or lexemes[index].text in language.pauses
            )
        ):
            index, passed = index + step, passed + 1
        if not 0 <= index < len(lexemes):
            return False
        near = lexemes[index]
        return near.kind == "number" or language.is_number(near.text) or near.text in language.repeats

    return numeric(at - 1, -1) or numeric(at + 1, 1)


def _small(lexemes: list[Lexeme], at: int, language: SpokenLanguage) -> tuple[int | None, int]:
    """A number below 100 and how many lexemes say it; ordinals come back negative."""
    word = lexemes[at].text
    if word in language.units:
        return language.units[word], 1
    if word in language.teens:
        return language.teens[word], 1
    if word in language.ordinals:
        return -language.ordinals[word], 1
    if word not in language.tens:
        return None, 1
    after = at + 1
    if after < len(lexemes) and lexemes[after].text in ("-", "–") and lexemes[after].start == lexemes[at].end:
        after += 1
    if after < len(lexemes):
        unit = lexemes[after].text
        if unit in language.units:
            return language.tens[word] + language.units[unit], after + 1 - at
        if len(unit) == 1 and unit in "123456789" and lexemes[after].start - lexemes[at].end <= 1:
            return language.tens[word] + int(unit), after + 1 - at
        if 0 < language.ordinals.get(unit, 0) < 10:
            return -(language.tens[word] + language.ordinals[unit]), after + 1 - at
    return language.tens[word], 1


def _large(lexemes: list[Lexeme], at: int, value: int, used: int, language: SpokenLanguage) -> tuple[int, int]:
    """Follow "hundred" and "thousand": "one hundred and twenty nine", but "eight hundred | five five five"."""
    for scale, words in ((100, language.hundreds), (1000, language.thousands)):
        if at + used >= len(lexemes) or lexemes[at + used].text not in words:
            continue
        value, used = value * scale, used + 1
        after = at + used
        joined = after < len(lexemes) and lexemes[after].text == language.conjunction
        after += joined
        if after >= len(lexemes) or lexemes[after].kind != "word":
            continue
        rest, more = _small(lexemes, after, language)
        if rest is None or rest < 0:
            continue
        following = lexemes[after + more].text if after + more < len(lexemes) else ""
        if not joined and scale == 100 and rest < 10 and (language.is_number(following) or following in language.soft_zeros):
            continue
        if following in language.hundreds and scale == 1000:
            rest, more = _large(lexemes, after, rest, more, language)
        value, used = value + rest, after + more - at
    return value, used
