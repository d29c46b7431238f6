"""What a transcript says, written down: "four five, double three" becomes ``4533``, with the way back to every character.

``view()`` makes the normalised view that recognizers read. It is pure, and exact in one direction that matters: every stretch of
the view maps to whole words of the transcript, so that what is found in the view is masked in the transcript to the last letter.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

from gateway.redaction.counting import numbers
from gateway.redaction.lexemes import JOINERS, Lexeme, SpokenLanguage, lexemes

_SENTENCE_END = frozenset(".?!…।")
_MOST_VIEWS = 64
_DROPPED = frozenset(',;"“”')
_Piece = Lexeme
"""A part of the view that stands for whole words of the transcript. ``kind``: also ``cardinal``, ``ordinal``, and ``glued`` for
digits that belong to the number before."""


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
    pieces = _join(numbers(lexemes(transcript, language), language), language, transcript)
    out: list[str] = []
    starts: list[int] = []
    length = before = 0
    for kind, text, start, end in pieces:
        if length and kind != "glued" and not (start == before and text != "|"):
            out.append(" ")
            length += 1
        starts.append(length)
        out.append(text)
        length += len(text)
        before = end
    return View(transcript, "".join(out), tuple(starts), tuple(pieces))


class Views:
    """The views of the texts that a turn is about, in one language: several readers look at each, and it is made once.

    They are kept until they are forgotten, and a few dozen at most.
    """

    def __init__(self, language: SpokenLanguage) -> None:
        self._language = language
        self._made: dict[str, View] = {}

    def __call__(self, transcript: str) -> View:
        """Same contract as ``view``."""
        made = self._made.get(transcript)
        if made is None:
            if len(self._made) >= _MOST_VIEWS:
                self._made.clear()
            made = self._made[transcript] = view(transcript, self._language)
        return made

    def forget(self) -> None:
        """The turn is over: nothing of its texts stays here."""
        self._made.clear()


def _join(pieces: list[_Piece], language: SpokenLanguage, transcript: str) -> list[_Piece]:
    """Glue the digits of one number over commas, pauses and fillers; turn the signs left over into what the view shows."""
    out: list[_Piece] = []
    at, end = 0, len(pieces)
    while at < end:
        piece = pieces[at]
        at += 1
        if piece.kind == "cardinal":
            out.append(piece)
            while (following := _next_digits(pieces, at, language)) is not None:
                nearby = pieces[following]
                out.append(_Piece("glued", nearby.text, nearby.start, nearby.end))
                at = following + 1
        elif piece.kind == "sign":
            shown = _shown(piece, transcript)
            if shown and shown not in language.pauses:
                out.append(piece if shown == piece.text else piece._replace(text=shown))
        elif piece.text not in language.pauses:
            out.append(piece)
    return out


def _next_digits(pieces: list[_Piece], at: int, language: SpokenLanguage) -> int | None:
    """The index of the cardinal that goes on with the number before ``at``, over what may stand between."""
    index = at
    while index < len(pieces):
        piece = pieces[index]
        if piece.kind == "cardinal":
            return index
        after = pieces[index + 1] if index + 1 < len(pieces) else None
        decimal_point = piece.text == "." and after is not None and after.start == piece.end and after.text not in JOINERS
        if decimal_point or (
            piece.text not in JOINERS and piece.text not in language.fillers and piece.text not in language.pauses
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
