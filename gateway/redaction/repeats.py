"""Values of a call that stand in a text again, wherever and however they are written: what is known to be private stays so.

A tool echoes what it was called with, a program cuts the assistant's words and sends them back: nothing around such a value
tells what it is, and nothing needs to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gateway.redaction.english import COMMON_WORDS, MONTHS, SENTENCE_WORDS
from gateway.redaction.entities import LITERAL
from gateway.redaction.spoken import View
from gateway.values import EntityType, Span

SCORE = 0.55
_PIECE = re.compile(r"[^\W_]+")
_SIGNS = re.compile(r"[\W_]+")
_LEAST, _SECRET_LEAST = 4, 3
_JOINTS = frozenset(("at", "dot", "underscore"))
"""How signs between letters are said, where a value is written without them in its normal form."""
_SECRETS = frozenset(("CVV", "PIN", "ONE_TIME_CODE", "PASSWORD"))
_NO_VALUES = frozenset((str(LITERAL), "AGE"))
"""An age is a number like any other: that somebody is 57 does not make 57 his."""


def repeats(said: View, known: Iterable[tuple[EntityType, str]]) -> Iterator[Span]:
    """Where any of the values stands in the text. ``known``: kind and normal form (``redaction.mask.normal_form``)."""
    wanted = {form: kind for kind, value in known if _tells(kind, form := _SIGNS.sub("", value))}
    if not wanted:
        return
    longest = max(map(len, wanted))
    starts = {form[:2] for form in wanted}
    pieces = list(_PIECE.finditer(said.text))
    for at, first in enumerate(pieces):
        if len(first.group()) > 1 and first.group()[:2] not in starts:
            continue
        text = ""
        for piece in pieces[at:]:
            if piece.group() in _JOINTS and text:
                continue
            text += piece.group()
            if len(text) > longest:
                break
            if (kind := wanted.get(text)) is not None:
                start, end = said.span(first.start(), piece.end())
                yield Span(start, end, kind, SCORE, "SpokenAnswers", "a value of this call, said again")


def _tells(kind: EntityType, form: str) -> bool:
    """Whether so much is known of a value that the same signs are the same value."""
    if str(kind) in _NO_VALUES or form in COMMON_WORDS or form in MONTHS or form in SENTENCE_WORDS:
        return False
    return len(form) >= (_SECRET_LEAST if str(kind) in _SECRETS else _LEAST)
