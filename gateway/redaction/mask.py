"""The mask of one call: which placeholder stands for which value, and what is done to each kind of data."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from enum import StrEnum

from gateway.redaction.english import ENGLISH
from gateway.redaction.entities import LITERAL, spoken_kind
from gateway.redaction.languages import spoken_language
from gateway.redaction.lexemes import SpokenLanguage
from gateway.redaction.placeholder import placeholder, safe_kind, scanner
from gateway.redaction.spoken import Views, view
from gateway.values import EntityType, MaskedText, Placeholder, Private, Span

_NO_SIGNS, _NO_MAIL_SIGNS = re.compile(r"[\W_]+"), re.compile(r"[^\w@.]+")
_LAST4_NEEDS = 8
"""With fewer digits than this, the last four would be half of the secret."""


class Operator(StrEnum):
    """What happens to a value. Only ``pseudonym`` and ``surrogate`` keep it, in the vault; the others cannot be undone."""

    PSEUDONYM = "pseudonym"
    """``<CREDIT_CARD_1>``: stable in the call, restored when it is spoken."""
    SURROGATE = "surrogate"
    """As ``pseudonym`` here; towards the recipient it is dressed as a plausible value (``gateway.redaction.surrogate``)."""
    DROP = "drop"
    """``<CREDIT_CARD>``: spoken as its kind."""
    CATEGORY = "category"
    """``(card number)``: its kind in words."""
    LAST4 = "last4"
    """``<CREDIT_CARD> ending 2345``."""
    KEEP = "keep"
    """The value stays as it is."""


_REVERSIBLE = frozenset((Operator.PSEUDONYM, Operator.SURROGATE))


@dataclass(frozen=True, slots=True)
class Masked:
    """A text after the mask: what a model may see, what was put away, how many of which kind."""

    text: MaskedText
    new: Mapping[Placeholder, Private[str]]
    counts: Mapping[EntityType, int]


@dataclass(frozen=True, slots=True)
class Replacement:
    """What stands in the masked text for ``text[start:end]`` of the private one."""

    start: int
    end: int
    entity: EntityType
    token: str


@dataclass(frozen=True, slots=True)
class Same:
    """A stretch that belongs to a value of this call. ``value``: what is known of it now, when that is more than before."""

    name: Placeholder
    value: Private[str] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """How a text is going to be masked: sorted replacements without overlap, and the values that are new in this call."""

    replacements: tuple[Replacement, ...]
    new: Mapping[Placeholder, Private[str]]
    counts: Mapping[EntityType, int]

    def apply(self, text: str) -> MaskedText:
        return MaskedText(_fill(text, self.replacements))


def normal_form(text: str, spoken: SpokenLanguage = ENGLISH) -> str:
    """What makes two ways of saying one value the same: case, spaces, punctuation, and digits against their words."""
    return _form(view(text, spoken).text, text)


def _form(heard: str, text: str) -> str:
    heard = heard.replace(" dot ", ".").replace(" at ", "@").replace(" underscore ", "_")
    return (_NO_MAIL_SIGNS if "@" in heard else _NO_SIGNS).sub("", heard) or text


class Pseudonyms:
    """Who is who in one call. The same value, said again in any of its forms, has the same placeholder.

    Pure state of one call: no clock, no randomness, no I/O. A value is restored as it was said first.
    """

    def __init__(self, operators: Mapping[str, str] | None = None, *, default: str = "pseudonym", language: str = "en") -> None:
        """``operators``: kind of data to name of operator. Raises ValueError for an operator or a language that there is not."""
        self.spoken = spoken_language(language)
        self.view = Views(self.spoken)
        """How this call's texts are heard. Whoever has finished a turn lets it ``forget``."""
        self._operators = {kind: Operator(name) for kind, name in (operators or {}).items()}
        self._default = Operator(default)
        self._names: dict[tuple[EntityType, str], Placeholder] = {}
        self._values: dict[Placeholder, Private[str]] = {}
        self._numbers: Counter[EntityType] = Counter()

    def form(self, value: str) -> str:
        """The normal form of a value in this call's language: what makes two ways of saying it the same."""
        return _form(self.view(value).text, value)

    def operator(self, kind: EntityType) -> Operator:
        """What happens to values of this kind."""
        return self._operators.get(kind, self._default)

    def fork(self) -> Pseudonyms:
        """A copy that goes its own way: what is planned on it does not count until it takes the place of this one."""
        twin = copy(self)
        own = {name: kept.copy() for name, kept in vars(self).items() if isinstance(kept, dict | set | list)}
        vars(twin).update(own)
        return twin

    def recall(self, values: Mapping[Placeholder, Private[str]]) -> None:
        """Go on where this call was left: what its vault holds keeps its placeholders; new values are numbered behind them."""
        for name, value in values.items():
            found = scanner().at(name, 0)
            if found is None or found.number is None:
                continue
            private = value.reveal()
            form = private if found.entity == LITERAL else self.form(private)
            self._numbers[found.entity] = max(self._numbers[found.entity], found.number)
            self._values[name] = value
            self._names.setdefault((found.entity, form), name)

    @property
    def values(self) -> dict[Placeholder, Private[str]]:
        """Every value of the call, by its placeholder."""
        return dict(self._values)

    def value(self, name: Placeholder) -> Private[str] | None:
        """The value behind a placeholder that this call gave out, or None."""
        return self._values.get(name)

    def named(self, text: str) -> Placeholder | None:
        """The placeholder of a value that is exactly this text in one of its forms, if it has two letters or digits."""
        form = self.form(text)
        if len(form) < 2:
            return None
        return next((name for (kind, known), name in self._names.items() if known == form and kind != LITERAL), None)

    def apply(self, text: Private[str], spans: Sequence[Span], *, ours: bool = False) -> Masked:
        """The masked text. Same contract as ``plan``."""
        plan = self.plan(text, spans, ours=ours)
        return Masked(plan.apply(text.reveal()), plan.new, plan.counts)

    @staticmethod
    def verbatim(text: Private[str]) -> MaskedText:
        """A text that is known to have come out of this mask, as what it is. The caller has checked that."""
        return MaskedText(text.reveal())

    def plan(
        self, text: Private[str], spans: Sequence[Span], *, ours: bool = False, same: Mapping[int, Same] | None = None
    ) -> Plan:
        """Decide what stands for what. ``spans`` are resolved: sorted, no overlap, within the text.

        ``same``: start of a span to the value that it is a part or a repetition of; it gets that value's placeholder.

        Words of the caller that could be read as a placeholder are put away as LITERAL, so that the way back gives exactly them.
        With ``ours`` the text was written by a model that saw masked text only: the placeholders in it stay.

        Raises:
            ValueError: the spans overlap, are not sorted or reach outside of the text.
        """
        private = text.reveal()
        _check(private, spans)
        known = len(self._values)
        same = {at: each for at, each in (same or {}).items() if each.name in self._values}
        kept = [Replacement(f.start, f.end, f.entity, private[f.start : f.end]) for f in scanner().all(private)] if ours else []
        done = sorted((*kept, *self._tokens(private, spans, kept, same)), key=lambda each: each.start)
        while looks := _look_alikes(private, done):
            literals = [self._literal(private, start, end) for start, end in looks]
            done = sorted((*done, *literals), key=lambda each: each.start)
        kept_places = {each.start for each in kept}
        replacements = tuple(each for each in done if each.start not in kept_places)
        counts = Counter(each.entity for each in replacements if each.entity != LITERAL)
        new = dict(list(self._values.items())[known:])
        new |= {each.name: self._values[each.name] for each in same.values() if each.value is not None}
        return Plan(replacements, new, dict(counts))

    def _tokens(
        self, text: str, spans: Sequence[Span], kept: Sequence[Replacement], same: Mapping[int, Same]
    ) -> list[Replacement]:
        out = []
        for span in spans:
            operator = self.operator(span.entity)
            if operator is Operator.KEEP:
                continue
            for start, end in _around(text, span, kept):
                known = same.get(start) if operator in _REVERSIBLE else None
                token = self._grown(known) if known else self._token(safe_kind(span.entity), text[start:end], operator)
                out.append(Replacement(start, end, span.entity, token))
        return out

    def _token(self, kind: EntityType, value: str, operator: Operator) -> str:
        if operator in _REVERSIBLE:
            return self._name(kind, value, self.form(value))
        if operator is Operator.CATEGORY:
            return f"({spoken_kind(kind).removeprefix('your ').removeprefix('the ')})"
        digits = "".join(sign for sign in self.view(value).text if sign.isdecimal())
        if operator is Operator.LAST4 and len(digits) >= _LAST4_NEEDS:
            return f"<{kind}> ending {digits[-4:]}"
        return f"<{kind}>"

    def _name(self, kind: EntityType, value: str, form: str) -> Placeholder:
        name = self._names.get((kind, form))
        if name is None:
            self._numbers[kind] += 1
            name = placeholder(kind, self._numbers[kind])
            self._names[kind, form] = name
            self._values[name] = Private(value)
        return name

    def _grown(self, known: Same) -> Placeholder:
        """More of a value was said: its placeholder stays, and the whole of it is told by the same name."""
        if known.value is not None:
            whole = known.value.reveal()
            kind = next(kind for (kind, _), name in self._names.items() if name == known.name)
            self._values[known.name] = known.value
            self._names.setdefault((kind, self.form(whole)), known.name)
        return known.name

    def _literal(self, text: str, start: int, end: int) -> Replacement:
        value = text[start:end]
        return Replacement(start, end, LITERAL, self._name(LITERAL, value, value))


def _check(text: str, spans: Sequence[Span]) -> None:
    at = 0
    for span in spans:
        if not at <= span.start < span.end <= len(text):
            raise ValueError("spans must be sorted, must not overlap and must lie within the text")
        at = span.end


def _fill(text: str, replacements: Sequence[Replacement]) -> str:
    out: list[str] = []
    at = 0
    for each in replacements:
        out += [text[at : each.start], each.token]
        at = each.end
    out.append(text[at:])
    return "".join(out)


def _around(text: str, span: Span, kept: Sequence[Replacement]) -> list[tuple[int, int]]:
    """The parts of a span that are not placeholders already, where they hold a letter or digit at all."""
    if not kept:
        return [(span.start, span.end)]
    parts = []
    at = span.start
    for each in (*kept, Replacement(span.end, span.end, span.entity, "")):
        if each.end < at or each.start > span.end:
            continue
        if any(sign.isalnum() for sign in text[at : each.start]):
            parts.append((at, each.start))
        at = max(at, each.end)
    return parts


def _look_alikes(text: str, replacements: Sequence[Replacement]) -> list[tuple[int, int]]:
    """The stretches of the private text that would be read as (part of) a placeholder in the masked one.

    The masked text is read with the very scanner that unmasking uses: when it finds our own tokens and nothing else, the way
    back is exact.
    """
    # Where each stretch that was not replaced comes from: (start in the masked text, end there, start in the private text).
    stretches: list[tuple[int, int, int]] = []
    at = shift = 0
    for each in replacements:
        stretches.append((at + shift, each.start + shift, at))
        shift += len(each.token) - (each.end - each.start)
        at = each.end
    stretches.append((at + shift, len(text) + shift, at))
    looks = []
    current = 0
    for found in scanner().all(_fill(text, replacements)):
        while stretches[current][1] <= found.start and current + 1 < len(stretches):
            current += 1
        for start, end, origin in stretches[current : current + 2]:
            low, high = max(start, found.start), min(end, found.end)
            if low < high:
                looks.append((origin + low - start, origin + high - start))
    return looks
