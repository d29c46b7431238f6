"""What a transcript says, written down: "four five, double three" becomes ``4533``, with the way back to every character.

``view()`` makes the normalised view that recognizers read. It is pure, and exact in one direction that matters: every stretch of
the view maps to whole words of the transcript, so that what is found in the view is masked in the transcript to the last letter.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

# A letter and the vowel signs and accents that Unicode writes as marks behind it: Devanagari has no word without them.
_LETTER = r"(?:[^\W\d_][\u0300-\u036f\u0900-\u0903\u093a-\u093c\u093e-\u094f\u0951-\u0957\u0962\u0963\u200c\u200d]*)"
_LEX = re.compile(
    rf"(?P<word>o['’](?=\s)|{_LETTER}+(?:['’](?!s\b){_LETTER}+)*)|(?P<number>\d+(?:(?:st|nd|rd|th)\b)?)|(?P<sign>\S)",
    re.IGNORECASE,
)
_SENTENCE_END = frozenset(".?!…।")
_JOINERS = frozenset(",;-–—.")
_LONG_RUN = 5
"""So many digits in a row are no amount: a word like "for" beside them is one of them."""
_PASSED = 6
"""So many pauses and further "oh"s may stand between an "oh" and the digit beside it."""
_DROPPED = frozenset(',;"“”')


@dataclass(frozen=True, slots=True)
class SpokenLanguage:
    """How one language says numbers. Words are lower case."""

    code: str
    zeros: frozenset[str]
    soft_zeros: frozenset[str]
    """Words that mean zero only beside another digit: "oh"."""
    units: Mapping[str, int]
    teens: Mapping[str, int]
    tens: Mapping[str, int]
    hundreds: frozenset[str]
    thousands: frozenset[str]
    conjunction: str
    ordinals: Mapping[str, int]
    repeats: Mapping[str, int]
    """"double" and its like."""
    fillers: frozenset[str]
    """Words that may stand inside a number and mean nothing there."""
    pauses: frozenset[str]
    """Sounds that mean nothing anywhere: the view leaves them out."""
    homophones: Mapping[str, int]
    """Words that a recogniser writes for a digit: "for" between digits said one by one is 4."""
    articles: frozenset[str] = frozenset()
    """Homophones that no grammar has between two numbers: "thirty nine, a seven"."""
    moments: frozenset[str] = frozenset()
    """What "one" before it makes a request to wait: "one sec"."""
    read: Callable[[list[Lexeme]], list[Lexeme]] | None = None
    """Puts another language's words and numbers into the words of these tables (``gateway.redaction.vocabulary``)."""

    def is_number(self, word: str) -> bool:
        return word in self.units or word in self.zeros or word in self.teens or word in self.tens


@dataclass(frozen=True, slots=True)
class Lexeme:
    """A word, a written number or a sign of a transcript. ``kind``: ``word``, ``number`` or ``sign``; ``text`` in lower case."""

    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of the view that stands for whole words of the transcript. ``number``: ``""``, ``cardinal`` or ``ordinal``."""

    text: str
    start: int
    end: int
    number: str = ""
    glued: bool = False
    """Joined to the piece before: digits of one number."""


@dataclass(frozen=True, slots=True)
class View:
    """The normalised text and its map. Sentence ends stand as `` |``; commas are gone; everything is lower case."""

    transcript: str
    text: str
    _starts: tuple[int, ...] = field(repr=False)
    _pieces: tuple[_Piece, ...] = field(repr=False)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Transcript offsets of the whole words behind ``text[start:end]``. The stretch must not be empty."""
        if not self._pieces or not 0 <= start < end <= len(self.text):
            raise ValueError("an empty stretch of the view stands for nothing")
        first = max(bisect_right(self._starts, start) - 1, 0)
        last = max(bisect_right(self._starts, end - 1) - 1, 0)
        return self._pieces[first].start, self._pieces[last].end

    def words(self, start: int, end: int) -> str:
        """What the transcript says there, as it was written."""
        first, last = self.span(start, end)
        return self.transcript[first:last]


def view(transcript: str, language: SpokenLanguage) -> View:
    """The normalised view of a transcript. Never fails, for any text."""
    lexemes = [Lexeme(str(found.lastgroup), found.group().lower(), *found.span()) for found in _LEX.finditer(transcript)]
    if language.read is not None:
        lexemes = language.read(lexemes)
    pieces = _join(_numbers(lexemes, language), language, transcript)
    out: list[str] = []
    starts: list[int] = []
    length = 0
    for index, piece in enumerate(pieces):
        if index and not piece.glued and not (piece.start == pieces[index - 1].end and piece.text != "|"):
            out.append(" ")
            length += 1
        starts.append(length)
        out.append(piece.text)
        length += len(piece.text)
    return View(transcript, "".join(out), tuple(starts), tuple(pieces))


def _numbers(lexemes: list[Lexeme], language: SpokenLanguage) -> list[_Piece]:
    """Turn number words into digits, one piece a spoken number: "forty two" is one, "four five" are two."""
    pieces: list[_Piece] = []
    at = 0
    while at < len(lexemes):
        piece, used = _number_at(lexemes, at, language)
        if piece is None:
            lexeme = lexemes[at]
            piece = _Piece(lexeme.text, lexeme.start, lexeme.end)
        pieces.append(piece)
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
        return _Piece(f"{word} {lexemes[at + 1].text}", first.start, lexemes[at + 1].end), 2
    if word in language.repeats and (repeated := _repeated(lexemes, at, language)):
        return repeated
    if word in language.homophones and _among_digits(lexemes, at, language):
        return _Piece(str(language.homophones[word]), first.start, first.end, "cardinal"), 1
    if word in language.soft_zeros:
        return (_Piece("0", first.start, first.end, "cardinal"), 1) if _beside_number(lexemes, at, language) else (None, 1)
    if word in language.zeros:
        return _Piece("0", first.start, first.end, "cardinal"), 1
    value, used = _small(lexemes, at, language)
    if value is None:
        return None, 1
    if value < 0:
        return _Piece(_ordinal(-value), first.start, lexemes[at + used - 1].end, "ordinal"), used
    value, used = _large(lexemes, at, value, used, language)
    return _Piece(str(value), first.start, lexemes[at + used - 1].end, "cardinal"), used


def _written_number(lexeme: Lexeme) -> _Piece:
    digits = "".join(str(int(sign)) for sign in lexeme.text if sign.isdecimal())
    if len(lexeme.text) > len(digits):
        return _Piece(digits + lexeme.text[len(digits) :], lexeme.start, lexeme.end, "ordinal")
    return _Piece(digits, lexeme.start, lexeme.end, "cardinal")


def _hundreds_and(lexemes: list[Lexeme], at: int, language: SpokenLanguage) -> tuple[_Piece, int] | None:
    """ "800 and 7": hundreds that were written, and the rest after the conjunction."""
    if at + 2 >= len(lexemes) or lexemes[at + 1].text != language.conjunction or not re.fullmatch(r"[1-9]00", lexemes[at].text):
        return None
    rest = lexemes[at + 2]
    value = int(rest.text) if rest.kind == "number" and rest.text.isdecimal() and len(rest.text) <= 2 else None
    if value is None:
        return None
    return _Piece(str(int(lexemes[at].text) + value), lexemes[at].start, rest.end, "cardinal"), 3


def _thousands(lexemes: list[Lexeme], at: int, language: SpokenLanguage) -> tuple[_Piece, int] | None:
    """ "2 thousand and 2"."""
    if at + 1 >= len(lexemes) or lexemes[at + 1].text not in language.thousands or not lexemes[at].text.isdecimal():
        return None
    value, used = _large(lexemes, at, int(lexemes[at].text[:3]), 1, language)
    rest = at + used + 1
    if used == 2 and rest < len(lexemes) and lexemes[rest - 1].text == language.conjunction and lexemes[rest].text.isdecimal():
        value, used = value + int(lexemes[rest].text[:3]), used + 2
    return _Piece(str(value), lexemes[at].start, lexemes[at + used - 1].end, "cardinal"), used


def _ordinal(value: int) -> str:
    suffix = "th" if value in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value}{suffix}"


def _repeated(lexemes: list[Lexeme], at: int, language: SpokenLanguage) -> tuple[_Piece, int] | None:
    """ "double four", "double, four", "double-4"; "double 45" is 445."""
    after = at + 1
    while after < len(lexemes) and lexemes[after].text in _JOINERS:
        after += 1
    digit = _digit(lexemes[after], language) if after < len(lexemes) else None
    if digit is None and after < len(lexemes) and lexemes[after].text in language.homophones and after + 1 < len(lexemes):
        # "double for nine": a homophone, when a digit follows.
        following = _digit(lexemes[after + 1], language)
        digit = None if following is None else str(language.homophones[lexemes[after].text])
    if digit is None:
        return None
    text = digit[0] * (language.repeats[lexemes[at].text] - 1) + digit
    return _Piece(text, lexemes[at].start, lexemes[after].end, "cardinal"), after + 1 - at


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
    return 0 <= at < len(lexemes) and lexemes[at].text in _JOINERS


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
        elif near.text not in _JOINERS and near.text not in language.repeats and near.text not in language.pauses:
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
                lexemes[index].text in _JOINERS
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


def _join(pieces: list[_Piece], language: SpokenLanguage, transcript: str) -> list[_Piece]:
    """Glue the digits of one number over commas, pauses and fillers; turn the signs left over into what the view shows."""
    out: list[_Piece] = []
    at = 0
    while at < len(pieces):
        piece = pieces[at]
        if piece.number == "cardinal":
            out.append(piece)
            at += 1
            while (following := _next_digits(pieces, at, language)) is not None:
                nearby = pieces[following]
                out.append(_Piece(nearby.text, nearby.start, nearby.end, "cardinal", glued=True))
                at = following + 1
            continue
        shown = _shown(piece, transcript)
        if shown and shown not in language.pauses:
            out.append(_Piece(shown, piece.start, piece.end, piece.number))
        at += 1
    return out


def _next_digits(pieces: list[_Piece], at: int, language: SpokenLanguage) -> int | None:
    """The index of the cardinal that goes on with the number before ``at``, over what may stand between."""
    index = at
    while index < len(pieces):
        piece = pieces[index]
        if piece.number == "cardinal":
            return index
        after = pieces[index + 1] if index + 1 < len(pieces) else None
        decimal_point = piece.text == "." and after is not None and after.start == piece.end and after.text not in _JOINERS
        if decimal_point or (
            piece.text not in _JOINERS and piece.text not in language.fillers and piece.text not in language.pauses
        ):
            return None
        index += 1
    return None


def _shown(piece: _Piece, transcript: str) -> str:
    if piece.text in _DROPPED:
        return ""
    ends_here = piece.end >= len(transcript) or transcript[piece.end].isspace()
    if piece.text in _SENTENCE_END and ends_here:
        return "|"
    return "'" if piece.text == "’" else piece.text
