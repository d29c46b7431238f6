"""One call's memory of what was asked and what was answered, so that a value given over several turns stays one value.

Pure: a turn may use earlier turns only. What the detectors find in a turn comes in; what the call adds to it goes out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from enum import Enum

from gateway.redaction import answers
from gateway.redaction.cues import UNITS
from gateway.redaction.english import COMMON_WORDS, MONTHS, NATO
from gateway.redaction.mask import Plan, Pseudonyms, Same
from gateway.redaction.numbers import signs
from gateway.redaction.placeholder import safe_kind, scanner
from gateway.redaction.repeats import repeats
from gateway.redaction.spoken import View
from gateway.values import EntityType, Placeholder, Private, Span

PERSON, ID_NUMBER = EntityType("PERSON"), EntityType("ID_NUMBER")
_WORD = re.compile(r"[^\W\d_]+(?:['’-](?!s\b)[^\W\d_]+)*")
_DIGITS = re.compile(r"(?<![\w.])\d{4,}(?![\w.])")
_FIGURE = re.compile(r"\d")
_LETTERS = re.compile(rf"(?:(?:[a-z]|{'|'.join(NATO)})(?![\w'])(?: (?:as in|for|like) [a-z]+)?[ |-]*)+")
_SPELLED_LEAST, _NAME_LEAST, _REPEATED_LEAST, _CORRECTED_LEAST = 2, 3, 3, 3
_READ_BACK_LEAST = 2
"""One digit alone of an agent is no read-back: "and the last four"."""
_PENDING_LEAST, _BROKEN_OFF_LEAST = 4, 3
_SURE = 0.75


class Side(Enum):
    """Who speaks. The agent asks, the caller answers; the agent may read back."""

    CALLER = "caller"
    AGENT = "agent"
    NOBODY = "nobody"
    """A text that nobody said: a tool's arguments and results, instructions. It answers no question and goes on with nothing."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A value that this call has a placeholder for."""

    kind: EntityType
    form: str
    words: frozenset[str]


@dataclass(slots=True)
class _Whole:
    """A value that is being given, piece by piece."""

    name: Placeholder
    kind: EntityType
    pieces: list[str]


@dataclass(slots=True)
class _Turn:
    """What was made of the turn in work."""

    side: Side = Side.CALLER
    bare: answers.Bare | None = None
    hesitates: bool = False
    same: dict[int, Same] = field(default_factory=dict)
    pieces: list[str] | None = None
    """The pieces of the value in work after a correction."""


class Dialogue:
    """The turns of one call, in their order: ``asked`` once a turn of the agent, ``heard`` and ``plan`` for a text."""

    def __init__(self, names: Pseudonyms) -> None:
        self._names = names
        self._open: EntityType | None = None
        """What the next bare answer is."""
        self.quiet = True
        """Nobody has asked for anything: digits that the caller begins to say are his own matter."""
        self._whole: _Whole | None = None
        self._known: dict[Placeholder, _Known] = {}
        self._turn = _Turn()

    def fork(self, names: Pseudonyms) -> Dialogue:
        """A copy over ``names`` that goes its own way, as ``Pseudonyms.fork``."""
        twin = copy(self)
        whole = replace(self._whole, pieces=list(self._whole.pieces)) if self._whole else None
        vars(twin).update(_names=names, _known=dict(self._known), _turn=_Turn(), _whole=whole)
        return twin

    def preceded(self, name: Placeholder, piece: str) -> None:
        """An earlier turn held the beginning of a value: ``piece``."""
        known = self._known.get(name)
        if known is not None:
            self._known[name] = replace(known, form=self._names.form(piece) + known.form)
        if self._whole and self._whole.name == name:
            self._whole.pieces.insert(0, piece)

    def recall(self, values: Mapping[Placeholder, Private[str]]) -> None:
        """Know again what this call has told: a name or a long number of it, said again, is the same value."""
        for name, value in values.items():
            found = scanner().at(name, 0)
            if found is not None and found.number is not None and self._names.value(name) is not None:
                private = value.reveal()
                self._known[name] = _Known(found.entity, self._names.form(private), frozenset(_names(self._names.view(private))))

    def asked(self, said: str) -> None:
        """The other side's last turn, masked: a question opens a kind of data, small words leave it open, all else closes it."""
        heard = self._names.view(answers.without_placeholders(said))
        kind = answers.asked(heard.text)
        goes_on = self.quiet = answers.goes_on(heard)
        if kind is not None and not (goes_on and self._open in (kind, PERSON)):
            self._open, self._whole = kind, None
        elif not goes_on:
            self._open, self._whole = None, None
        if answers.wants_again(heard.text):
            self._whole = None

    def heard(self, text: str, found: Sequence[Span], *, side: Side = Side.CALLER) -> list[Span]:
        """``found``, and what the turns before make of this one: answers to their question, and values that were said before."""
        said = self._names.view(text)
        self._turn = turn = _Turn(side, hesitates=answers.hesitates(said))
        spans = [*found, *self._repeated(said)]
        if self._open is None and self.quiet and side is Side.CALLER and _pends(said, hesitates=turn.hesitates):
            self._open = ID_NUMBER
        kind = self._open
        if kind is None or side is Side.NOBODY:
            return spans
        told = answers.bare(said, kind)
        if (
            told
            and side is Side.AGENT
            and (kind in answers.LETTERED or told.size < _READ_BACK_LEAST)
            and not answers.reads_back(said)
        ):
            told = None
        if told:
            turn.bare = told
            if told.named and side is Side.CALLER:
                self._whole = None
            why = "the answer to a question" if side is Side.CALLER else "an answer read back"
            for start, end in told.stretches:
                first, last = said.span(start, end)
                spans.append(Span(first, last, kind, _SURE, "SpokenAnswers", why))
        return spans

    def plan(self, text: Private[str], said: str, spans: Sequence[Span], *, ours: bool = False) -> Plan:
        """The plan of the mask for the turn that was ``heard`` last. ``said`` is the text itself, ``spans`` are resolved."""
        turn = self._turn
        turn.same = {}
        for span in spans:
            if same := self._same(span, said[span.start : span.end], alone=len(spans) == 1):
                turn.same[span.start] = same
        plan = self._names.plan(text, spans, ours=ours, same=turn.same)
        self._learn(said, spans, {each.start: Placeholder(each.token) for each in plan.replacements})
        return plan

    def _same(self, span: Span, value: str, *, alone: bool) -> Same | None:
        kind = safe_kind(span.entity)
        turn, whole = self._turn, self._whole
        spelled = _spelling(self._names.view(value)) if kind == PERSON else ""
        form = spelled or self._names.form(value)
        if whole and whole.kind == kind:
            current = self._known[whole.name].form
            if spelled and spelled in current:
                return Same(whole.name)
            if turn.side is Side.CALLER and alone and turn.bare and not turn.bare.corrected and not spelled:
                grown = " ".join([*whole.pieces, value])
                return Same(whole.name, None if current.startswith(self._names.form(grown)) else Private(grown))
            if turn.side is Side.CALLER and turn.bare and turn.bare.corrected and (pieces := self._corrected(form, value)):
                turn.pieces = pieces
                return Same(whole.name, Private(" ".join(pieces)))
            if turn.side is Side.AGENT and len(form) > 1 and form in current:
                return Same(whole.name)
        if kind == PERSON:
            words = {spelled} if spelled else _names(self._names.view(value))
            alike = [name for name, known in self._known.items() if known.kind == PERSON and words and words <= known.words]
        else:
            alike = [name for name, known in self._known.items() if known.kind == kind and _ends_alike(form, known.form)]
        return Same(alike[0]) if len(alike) == 1 else None

    def _corrected(self, form: str, value: str) -> list[str] | None:
        """The pieces of the value in work when ``value`` takes the place of the last, or of all: as long, but not the same."""
        if self._whole is None or self._whole.kind in answers.LETTERED:
            return None
        forms = [self._names.form(piece) for piece in self._whole.pieces]
        alone = self._turn.bare is not None and len(self._turn.bare.stretches) == 1
        if len(form) < _CORRECTED_LEAST - alone or form in (forms[-1], "".join(forms)):
            return None
        if len(form) == len("".join(forms)):
            return [value]
        return [*self._whole.pieces[:-1], value] if len(form) == len(forms[-1]) else None

    def _learn(self, said: str, spans: Sequence[Span], names: Mapping[int, Placeholder]) -> None:
        """Remember what was said, and whether the value at the end of the turn may go on in the next."""
        turn = self._turn
        for span in spans:
            name = names.get(span.start)
            if name is None or self._names.value(name) is None:
                continue
            value, kind = said[span.start : span.end], safe_kind(span.entity)
            same = turn.same.get(span.start)
            if same is None:
                self._known.setdefault(name, _Known(kind, self._names.form(value), frozenset(_names(self._names.view(value)))))
            elif same.value is not None:
                whole = self._whole.pieces if self._whole else []
                grown = " ".join(turn.pieces or [*whole, value])
                self._known[name] = _Known(kind, self._names.form(grown), frozenset(_names(self._names.view(grown))))
        if turn.side is Side.CALLER and spans:
            self._go_on(said, spans[-1], names.get(spans[-1].start))

    def _go_on(self, said: str, last: Span, name: Placeholder | None) -> None:
        turn, kind = self._turn, safe_kind(last.entity)
        value = said[last.start : last.end]
        if turn.pieces and self._whole and self._whole.name == name:
            self._whole.pieces = turn.pieces
        elif name is None or name not in self._known:
            self._whole = None
        elif turn.bare and turn.bare.corrected:
            anew = kind not in answers.LETTERED and len(self._names.form(value)) >= _CORRECTED_LEAST
            self._whole = _Whole(name, kind, [value]) if anew else None
        elif self._whole and self._whole.name == name:
            if turn.bare and not (kind == PERSON and _spelling(self._names.view(value))):
                self._whole.pieces.append(value)
            return
        elif turn.bare or (answers.is_end(said[last.end :]) and (turn.hesitates or kind not in answers.LETTERED)):
            self._whole = _Whole(name, kind, [value])
        if turn.bare is None and self._whole and self._whole.name == name:
            self._open = kind

    def _repeated(self, said: View) -> Iterator[Span]:
        """Words of names, parts of long numbers and whole values of this call, said again."""
        people = frozenset[str]().union(*(known.words for known in self._known.values() if known.kind == PERSON))
        for match in _WORD.finditer(said.text) if people else ():
            if match.group() in people:
                yield self._again(said, match.span(), PERSON)
        for match in _DIGITS.finditer(said.text):
            kinds = [
                known.kind
                for known in self._known.values()
                if known.kind not in answers.LETTERED and _ends_alike(match.group(), known.form)
            ]
            if kinds and not UNITS.match(said.text, match.end()):
                yield self._again(said, match.span(), kinds[0])
        yield from repeats(said, ((known.kind, known.form) for known in self._known.values()))

    @staticmethod
    def _again(said: View, where: tuple[int, int], kind: EntityType) -> Span:
        first, last = said.span(*where)
        return Span(first, last, kind, 0.55, "SpokenAnswers", "a value of this call, said again")


def _pends(said: View, *, hesitates: bool) -> bool:
    """Whether a turn is nothing but the digits of a number that may go on, though nobody has asked for one."""
    least = _BROKEN_OFF_LEAST if hesitates else _PENDING_LEAST
    if len(_FIGURE.findall(said.text)) < least:  # most turns have no such number: no need to look at their words
        return False
    told = answers.bare(said, ID_NUMBER)
    if told is None or told.named or len(told.stretches) != 1:
        return False
    digits = said.text[slice(*told.stretches[0])].replace(" ", "")
    return digits.isdecimal() and len(digits) >= least


def _names(said: View) -> set[str]:
    """The words of a name that are good enough to know somebody by."""
    words = set(_WORD.findall(said.text))
    return {word for word in words if len(word) >= _NAME_LEAST and word not in COMMON_WORDS and word not in MONTHS}


def _spelling(value: View) -> str:
    """The letters of a spelled name, or nothing when the name was said as a word."""
    said = value.text
    letters = signs(said.replace("-", " ")) if _LETTERS.fullmatch(said) else ""
    return letters if len(letters) >= _SPELLED_LEAST else ""


def _ends_alike(form: str, known: str) -> bool:
    """Whether a part is the beginning or the end of a value, and long enough to say so."""
    return (
        form == known
        or (len(form) >= _REPEATED_LEAST and known.startswith(form))
        or (len(form) >= _REPEATED_LEAST and known.endswith(form))
    )
