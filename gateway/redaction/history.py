"""What a later turn tells of an earlier one: words that went out unmasked, and were a part of a value.

"Forty two" alone is a number like any other. When the next turn shows that it began a card number, the text that held it is
masked again, so that every later request has it masked. Pure: masked texts and values come in, texts to replace go out.

A turn costs what the turn holds, never what the call holds: its words and digits are looked up in an index of the call's texts.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.redaction import answers
from gateway.redaction.checksums import luhn
from gateway.redaction.cues import UNITS
from gateway.redaction.dialogue import Side
from gateway.redaction.english import COMMON_WORDS, ENGLISH, MONTHS, NATO, SENTENCE_WORDS
from gateway.redaction.heard import LONG_NUMBERS
from gateway.redaction.mask import Pseudonyms, Same
from gateway.redaction.numbers import signs
from gateway.redaction.placeholder import scanner
from gateway.redaction.spoken import View, view
from gateway.values import EntityType, MaskedText, Placeholder, Private, Span

_WORD = re.compile(r"[^\W\d_]+(?:['’-](?!s\b)[^\W\d_]+)*|\d+")
_DIGITS = re.compile(r"(?<![\w.])\d+(?![\w.])")
_SPELLED = re.compile(rf"(?:(?:[a-z]|{'|'.join(NATO)})(?![\w'])(?: (?:as in|for|like) [a-z]+)?[ |-]*){{2,}}")
_LAST4 = re.compile(r" ending \d{4}(?!\w)")
_LEAD = re.compile(
    r"[\s,.…-]*(?:(?:it's|its|it is|that's|and|then|so|uh|um|er|okay|ok|yes|yeah|sure|sorry)(?![\w'])[\s,.…-]*)*\Z"
)
_NAME_LEAST, _PART_LEAST, _PLAIN_LEAST, _LONG = 3, 2, 4, 6
_MOST_DIGITS = 34
"""The longest number that is looked for in parts: an IBAN."""
_CARD_LEAST = 13
_WHOLE = {"PHONE_NUMBER": 10, "US_SSN": 9, "IN_AADHAAR": 12, "UK_NHS": 10}
"""How many digits a number of a kind has at least when it is whole, without a country's code."""
_RECENT = 4
"""How many texts after a fragment may echo it."""


Hear = Callable[[str], View]
"""A text's view in the language of the call."""


def _in_english(text: str) -> View:
    return view(text, ENGLISH)


@dataclass(frozen=True, slots=True)
class Told:
    """A value as a turn told it: what stands for it, all of it that is known, and whether nothing but small words came before."""

    kind: EntityType
    token: str
    whole: Private[str]
    began: bool = False


@dataclass(slots=True)
class Text:
    """A masked text of the call as the index knows it. Made by ``read``, without any state, so that it can be made early."""

    masked: MaskedText
    side: Side
    words: frozenset[str] = frozenset()
    """Rare words, and the digits within codes: ``#12`` of "a b 12" and of "ab12"."""
    runs: tuple[str, ...] = ()
    bare: bool = False
    """It holds a number and the small words around it, nothing else."""
    goes_on: bool = True
    """The other side's turn before it left the question open."""
    at: int = -1


@dataclass(frozen=True, slots=True)
class _Fragment:
    runs: tuple[str, ...]
    kind: EntityType
    token: str
    until: int
    """The last text of the call that may still echo it."""


@dataclass(slots=True, repr=False)
class Late:
    """What is to be masked again: old text to new, the values that grew, and what of them is to be told to the dialogue."""

    texts: dict[MaskedText, MaskedText] = field(default_factory=dict)
    new: dict[Placeholder, Private[str]] = field(default_factory=dict)
    preceded: list[tuple[Placeholder, str]] = field(default_factory=list)


def read(masked: MaskedText, side: Side, *, before: str = "", view: Hear = _in_english, goes_on: bool | None = None) -> Text:
    """The words and digits of a masked text that stand unmasked in it. ``before``: the other side's turn before, masked.

    ``goes_on``: whether that turn leaves its question open, where somebody has read it already (``Dialogue.quiet``).
    """
    open_text = _open(masked)
    said = view(open_text)
    words = frozenset(key for hit in _WORD.finditer(said.text) if (key := _key(hit.group())))
    runs = tuple(dict.fromkeys(hit.group() for hit in _DIGITS.finditer(said.text) if 2 <= len(hit.group()) <= _MOST_DIGITS))
    bare = bool(runs) and answers.bare(said, EntityType("CREDIT_CARD")) is not None
    if goes_on is None:
        goes_on = not before or answers.goes_on(view(answers.without_placeholders(before)))
    return Text(masked, side, words, runs, bare, goes_on)


class History:
    """The masked texts of one call in their order."""

    def __init__(self) -> None:
        self._texts: list[Text] = []
        self._index: dict[str, list[int]] = {}
        """Rare words, parts of codes and runs of digits, to the texts in which they stand unmasked."""
        self._now: dict[str, MaskedText] = {}
        self._fragments: deque[_Fragment] = deque(maxlen=_RECENT)
        self._caller: Text | None = None
        self.looked = 0
        """How many texts were looked into again since the call began."""

    def current(self, text: MaskedText) -> MaskedText:
        """The text as it is to be sent now."""
        while (newer := self._now.get(text)) is not None:
            text = newer
        return text

    def add(self, text: Text, told: Sequence[Told], names: Pseudonyms) -> Late:
        """A turn was masked. What it told of earlier ones comes back, and is ``current`` from now on."""
        late = Late()
        # Its own words come first: a value may stand in the turn once as a value and once as a bare word.
        text.at = len(self._texts)
        self._texts.append(text)
        for word in (*text.words, *text.runs):
            self._index.setdefault(word, []).append(text.at)
        for each in told:
            for index, wanted in self._parts(each, names).items():
                # Read only now: turns of the same words are one text, and the turn before in this row may have changed it.
                masked = self.current(self._texts[index].masked)
                spans = _spans(masked, wanted, each.kind, names.view)
                self._again(self._texts[index], spans, {span.start: each for span in spans}, names, late)
                if self._texts[index].bare:
                    self._echoes(self._texts[index], each, names, late)
            if each.began and (fragment := self._fragment(text, each, names)):
                self._precede(fragment, each, names, late)
        if text.side is Side.CALLER:
            self._caller = text
        else:
            self._echo(text, [each for each in self._fragments if text.at <= each.until], names, late)
        return late

    def _parts(self, told: Told, names: Pseudonyms) -> Mapping[int, list[tuple[str, ...]]]:
        """Where words of a value may stand unmasked: index of a text to the words to look for in it."""
        found: dict[int, list[tuple[str, ...]]] = {}
        for wanted in _wanted(told, names):
            if any(key not in self._index for key in wanted.keys):
                continue
            texts = set.intersection(*(set(self._index[key]) for key in wanted.keys))
            for at in sorted(texts):
                if not wanted.only_bare or self._texts[at].bare:
                    self.looked += 1
                    found.setdefault(at, []).append(wanted.words)
            if wanted.keys == wanted.words and not wanted.only_bare:
                # From now on it is masked wherever it stood, and a value that is told again finds nothing to look at.
                del self._index[wanted.keys[0]]
        return found

    def _fragment(self, text: Text, told: Told, names: Pseudonyms) -> Text | None:
        """The caller's turn before, when it was the beginning of this value: bare digits, and nothing was asked in between."""
        before = self._caller
        if before is None or not before.bare or text.side is not Side.CALLER or not text.goes_on:
            return None
        still = self.current(before.masked) == before.masked
        return before if still and told.kind in LONG_NUMBERS and not _is_whole(told, names) else None

    def _precede(self, fragment: Text, told: Told, names: Pseudonyms, late: Late) -> None:
        spans = _spans(fragment.masked, [(run,) for run in fragment.runs], told.kind, names.view)
        if not spans:
            return
        piece = " ".join(fragment.masked[span.start : span.end] for span in _apart(spans))
        name = Placeholder(told.token)
        grown = Told(told.kind, told.token, Private(""))
        if names.value(name) is not None:
            grown = Told(told.kind, told.token, told.whole.map(lambda rest: f"{piece} {rest}"))
            late.preceded.append((name, piece))
        self._again(fragment, spans, {spans[0].start: grown}, names, late)
        self._echoes(fragment, told, names, late)

    def _echoes(self, fragment: Text, told: Told, names: Pseudonyms, late: Late) -> None:
        """What repeats a bare fragment soon after it, or will."""
        echo = _Fragment(fragment.runs, told.kind, told.token, len(self._texts) - 1 + _RECENT)
        self._fragments.append(echo)
        for later in self._texts[fragment.at + 1 :][:_RECENT]:
            if later.side is not Side.CALLER:
                self._echo(later, [echo], names, late)

    def _echo(self, text: Text, fragments: Iterable[_Fragment], names: Pseudonyms, late: Late) -> None:
        """The agent's read-back of a fragment, and a message that joins it with others."""
        for each in fragments:
            if not set(each.runs).isdisjoint(text.runs):
                self.looked += 1
                spans = _spans(self.current(text.masked), [(run,) for run in each.runs], each.kind, names.view)
                self._again(text, spans, {span.start: Told(each.kind, each.token, Private("")) for span in spans}, names, late)

    def _again(self, text: Text, spans: Sequence[Span], told: Mapping[int, Told], names: Pseudonyms, late: Late) -> None:
        masked = self.current(text.masked)
        apart = list(_apart(spans))
        if not apart:
            return
        same = {}
        for span in apart:
            each = told.get(span.start)
            name = Placeholder(each.token) if each else None
            if each and name and (value := names.value(name)) is not None:
                same[span.start] = Same(name, each.whole if each.whole and each.whole != value else None)
        plan = names.plan(Private(masked), apart, ours=True, same=same)
        newer = plan.apply(masked)
        if newer != masked:
            self._now[masked] = newer
            late.texts[masked] = newer
            late.new |= plan.new


class _Wanted(NamedTuple):
    """What to look for: words in their order, or one run of digits; in bare answers alone or in any text."""

    words: tuple[str, ...]
    keys: tuple[str, ...]
    """The words that must all stand in a text before it is worth a look."""
    only_bare: bool = False


def _wanted(told: Told, names: Pseudonyms) -> Iterator[_Wanted]:
    value = told.whole.reveal()
    form = names.form(value)
    if told.kind == "PERSON":
        yield from (_Wanted((word,), (word,)) for word in sorted(_names(names.view(value))))
    elif form.isdecimal():
        yield from _numbers(form)
    else:
        for words in _phrases(told.kind, names.view(value)):
            if keys := tuple(key for word in words if (key := _key(word))):
                yield _Wanted(words, keys)


def _numbers(form: str) -> Iterator[_Wanted]:
    """The number itself, its beginnings and ends as bare answers, and any longer part of it."""
    if not _NAME_LEAST <= len(form) <= _MOST_DIGITS:
        return
    yield _Wanted((form,), (form,), len(form) < _PLAIN_LEAST)
    if len(form) < _LONG:
        return
    for size in range(_PART_LEAST, len(form)):
        starts = range(len(form) - size + 1) if size >= _PLAIN_LEAST else (0, len(form) - size)
        for part in sorted({form[at : at + size] for at in starts}):
            yield _Wanted((part,), (part,), size < _PLAIN_LEAST)


def _phrases(kind: EntityType, value: View) -> Iterator[tuple[str, ...]]:
    words = tuple(hit.group() for hit in _WORD.finditer(value.text))
    yield words
    if kind == "EMAIL_ADDRESS" and "at" in words[2:]:
        yield words[: words.index("at", 2)]


def _names(value: View) -> set[str]:
    said = value.text
    if _SPELLED.fullmatch(said):
        letters = signs(said.replace("-", " "))
        return {letters} if _is_rare(letters) else set()
    return {word for hit in _WORD.finditer(said) if _is_rare(word := hit.group())}


def _is_rare(word: str) -> bool:
    """Whether a word is good enough to know a value by."""
    known = word in COMMON_WORDS or word in SENTENCE_WORDS or word in MONTHS
    return len(word) >= _NAME_LEAST and not known and not word.isdecimal()


def _key(word: str) -> str:
    """What a word is looked up by, or nothing."""
    if word.isdecimal():
        return f"#{word}" if len(word) >= _PART_LEAST else ""
    return word if _is_rare(word) else ""


def _open(masked: str) -> str:
    """The text with every placeholder, and what one tells on purpose, blanked out as the end of a sentence.

    Nothing is read across it, and no place moves.
    """
    there = list(scanner().all(masked))
    if not there:
        return masked
    out = list(masked)
    for found in there:
        told = _LAST4.match(masked, found.end) if found.number is None else None
        end = told.end() if told else found.end
        out[found.start : end] = "!".ljust(end - found.start)
    return "".join(out)


def _spans(masked: str, wanted: Iterable[tuple[str, ...]], kind: EntityType, view: Hear) -> list[Span]:
    """Where any of the stretches of words, or runs of digits, stands unmasked."""
    said = view(_open(masked))
    hits = list(_WORD.finditer(said.text))
    out = []
    for words in wanted:
        for start, end in _stretches(hits, "".join(words)):
            if not (words[-1].isdecimal() and UNITS.match(said.text, end)):
                out.append(Span(*said.span(start, end), kind, 1.0, "History", "a part of a value that a later turn told"))
    return out


def _stretches(hits: Sequence[re.Match[str]], form: str) -> Iterator[tuple[int, int]]:
    """Where words that follow one another make up the form: "ab12" and "a b 12" are the same."""
    for at, first in enumerate(hits):
        said = ""
        for hit in hits[at:]:
            said += hit.group()
            if said == form:
                yield first.start(), hit.end()
            if len(said) >= len(form) or not form.startswith(said):
                break


def _apart(spans: Iterable[Span]) -> Iterator[Span]:
    """The longest of those that overlap."""
    end = -1
    for span in sorted(spans, key=lambda each: (each.start, -each.end)):
        if span.start >= end:
            yield span
            end = span.end


def _is_whole(told: Told, names: Pseudonyms) -> bool:
    """Whether a number has all its digits: then nothing that was said before began it."""
    form = names.form(told.whole.reveal())
    if told.kind == "CREDIT_CARD":
        return len(form) >= _CARD_LEAST and form.isdecimal() and luhn(form)
    return len(form) >= _WHOLE.get(told.kind, _MOST_DIGITS)


def begins(text: str, start: int) -> bool:
    """Whether nothing but small words stands before a value."""
    return _LEAD.match(text[:start].lower()) is not None
