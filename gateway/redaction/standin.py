"""Stand-ins in a text: found in all the ways in which a model writes them, while it is still writing.

A stand-in is what a model sees in the place of a placeholder ("Robin Halstead" for ``<PERSON_1>``). ``StandIns`` knows the
stand-ins of one request and puts the placeholders back; what becomes of those, ``gateway.redaction.unmask`` knows.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gateway.values import Placeholder

_BLANKS = frozenset(" \t\n\u00a0,")
_MOST_BLANKS = 3
_SEPARATORS = frozenset(" -.()/\u00a0\u2010\u2011\u2012\u2013")
_MOST_SEPARATORS = 2
_TELLING = 3
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


@dataclass(frozen=True, slots=True)
class StandIn:
    """``text`` is what a model sees. ``forms``: the other ways to write it. Digits of a number may be parted in any way."""

    name: Placeholder
    text: str
    forms: tuple[str, ...] = ()
    number: bool = False

    @property
    def ways(self) -> tuple[str, ...]:
        return (self.text, *self.forms)


@dataclass(frozen=True, slots=True)
class _Form:
    signs: str
    number: bool
    name: Placeholder


@dataclass(frozen=True, slots=True)
class Hit:
    """A stand-in in a text, at ``text[start:end]``."""

    start: int
    end: int
    name: Placeholder


def _in_word(sign: str) -> bool:
    return sign.isalnum() or sign == "_" or unicodedata.category(sign).startswith("M")


class StandIns:
    """The stand-ins of one request. Unchangeable; any number of answers may be read with it."""

    def __init__(self, stand_ins: Iterable[StandIn] = ()) -> None:
        self._forms: dict[str, list[_Form]] = {}
        for each in stand_ins:
            for way in each.ways:
                digits = each.number and way == each.text
                signs = "".join(sign for sign in way if sign not in _SEPARATORS) if digits else way
                form = _Form(signs.casefold(), digits, each.name)
                self._forms.setdefault(form.signs[0], []).append(form)
        for forms in self._forms.values():
            forms.sort(key=lambda form: -len(form.signs))
        # What the pattern finds too much, ``at`` refuses.
        begins = sorted({begin for forms in self._forms.values() for form in forms for begin in _begins(form)})
        self._start = re.compile(rf"(?<!\w)(?:{'|'.join(begins)})", re.IGNORECASE) if begins else None

    def __bool__(self) -> bool:
        return bool(self._forms)

    def starts(self, text: str, at: int) -> int:
        """The next place from ``at`` on where a stand-in could begin, or the text's length."""
        while self._start is not None and (found := self._start.search(text, at)):
            at = found.start()
            if not (at and _in_word(text[at - 1])):
                return at
            at += 1
        return len(text)

    def at(self, text: str, place: int, *, complete: bool = True) -> Hit | bool | None:
        """The stand-in that begins exactly there, or None. True when more text decides it, unless the text is complete."""
        for form in self._forms.get(text[place].casefold()[:1], ()):
            end, seen = _matches(form, text, place)
            if end is not None and (complete or seen < len(text)):
                return Hit(place, end, form.name)
            if seen >= len(text) and not complete:
                return True
        return None

    def all(self, text: str) -> Iterator[Hit]:
        """Every stand-in in a complete text, from left to right."""
        at = 0
        while (at := self.starts(text, at)) < len(text):
            hit = self.at(text, at)
            if isinstance(hit, Hit):
                yield hit
            at = hit.end if isinstance(hit, Hit) else at + 1

    def undress(self, text: str) -> str:
        """A complete text with the placeholders back in their places."""
        undressing = Undressing(self)
        return undressing.feed(text) + undressing.flush()

    def undress_json(self, arguments: str) -> str:
        """Tool arguments with the placeholders back inside their JSON strings. What is no JSON stays as it is."""

        def undressed(literal: re.Match[str]) -> str:
            try:
                text: str = json.loads(literal.group(), strict=False)
            except ValueError:
                return literal.group()
            back = self.undress(text)
            return literal.group() if back == text else json.dumps(back, ensure_ascii=False)

        return _JSON_STRING.sub(undressed, arguments) if self._forms else arguments


def _begins(form: _Form) -> Iterator[str]:
    """Patterns for the first letters of a form, whole or cut off by the end of the text: few words of a text begin like that."""
    first = form.signs[:1] if form.number else form.signs[:_TELLING].split(" ")[0]
    yield re.escape(first)
    for length in range(1, len(first)):
        yield rf"{re.escape(first[:length])}\Z"


def _matches(form: _Form, text: str, place: int) -> tuple[int | None, int]:
    """Where a form that begins there ends, or None; and the place of the sign that decided it: the text's end if none did."""
    at = place
    for index, sign in enumerate(form.signs):
        skipped = 0
        if form.number and index:
            while at < len(text) and text[at] in _SEPARATORS and skipped < _MOST_SEPARATORS:
                at, skipped = at + 1, skipped + 1
        elif sign == " ":
            while at < len(text) and text[at] in _BLANKS and skipped < _MOST_BLANKS:
                at, skipped = at + 1, skipped + 1
            if at < len(text) and not skipped:
                return None, at
            continue
        if at >= len(text) or text[at].casefold() != sign:
            return None, at
        at += 1
    plural = at + 1 if text[at : at + 1] == "s" and not form.number else at
    # "Halstead", and "s": the sign behind says whether this is a plural or another word.
    return (None if plural < len(text) and _in_word(text[plural]) else at), plural


class Undressing:
    """One answer's way back to placeholders. ``feed`` every chunk, then ``flush`` once.

    Text passes at once but for what may still become a stand-in: no more than the longest of them, with its blanks.
    """

    def __init__(self, stand_ins: StandIns) -> None:
        self._stand_ins = stand_ins
        self._before = ""
        self._held = ""

    @property
    def held(self) -> int:
        """How many characters wait for more text."""
        return len(self._held)

    def feed(self, chunk: str) -> str:
        return self._read(chunk, complete=False)

    def flush(self) -> str:
        return self._read("", complete=True)

    def _read(self, chunk: str, *, complete: bool) -> str:
        if not self._stand_ins:
            return chunk
        text = self._before + self._held + chunk
        at = done = len(self._before)
        out: list[str] = []
        while (at := self._stand_ins.starts(text, at)) < len(text):
            hit = self._stand_ins.at(text, at, complete=complete)
            if hit is True:
                break
            if not isinstance(hit, Hit):
                at += 1
                continue
            out += [text[done:at], hit.name]
            at = done = hit.end
        out.append(text[done:at])
        self._before, self._held = text[at - 1 : at] or self._before, text[at:]
        return "".join(out)
