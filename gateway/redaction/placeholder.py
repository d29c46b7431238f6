"""The grammar of placeholders, shared by the mask and the unmask, so that neither can see what the other does not.

We write ``<PERSON_1>``. Models write it back as ``<person 1>``, ``PERSON_1``, ``<PERSON\\_1``, ``**<PERSON_1>**``…
``Scanner.at`` says of one place in a text: a placeholder, not one, or cannot know before more text comes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gateway.redaction.entities import KINDS
from gateway.values import EntityType, Placeholder

MOST_DIGITS = 4
_NUMBER = (("[0-9]", 1, MOST_DIGITS),)
_CLOSE = (("[ *`]", 0, 3), (">", 1, 1))
_SEPARATOR_LOOSE = ((r"[\\]", 0, 1), ("[_ -]", 1, 1))
_SEPARATOR_TIGHT = ((r"[\\]", 0, 1), ("_", 1, 1))
_SEPARATOR_PLAIN = (("[ -]", 1, 1),)
_LETTERS_SEEN = 4
"""How many of a word's letters say whether it could begin a kind."""
_SHAPE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z][A-Z0-9]*)*\Z")

Element = tuple[str, int, int]
"""A character class and how often it may stand, at least and at most."""


def placeholder(entity: EntityType, number: int) -> Placeholder:
    """The placeholder that we write: ``<PERSON_1>``."""
    return Placeholder(f"<{entity}_{number}>")


def safe_kind(entity: str) -> EntityType:
    """The kind as a placeholder may carry it: letters and underscores of the table; any other is ``ID_NUMBER``."""
    return EntityType(entity) if EntityType(entity) in KINDS else EntityType("ID_NUMBER")


@dataclass(frozen=True, slots=True)
class Found:
    """A placeholder in a text. ``name`` is as we write it; ``number`` is None where the kind stands alone: ``<CREDIT_CARD>``."""

    start: int
    end: int
    entity: EntityType
    number: int | None

    @property
    def name(self) -> Placeholder:
        return Placeholder(f"<{self.entity}>") if self.number is None else placeholder(self.entity, self.number)


class Scanner:
    """Finds placeholders of the kinds in the table. Holds no state; texts may be read from any place in them.

    Forms, tried in this order at each place: in angle brackets with any case and separators; an angle bracket that was not
    closed; without brackets but with underscores (``person_1``); without brackets in capitals (``PERSON 1``). The forms without
    brackets stand alone as words, with an ``s`` at most behind them.
    """

    def __init__(self, kinds: Iterable[str]) -> None:
        trie = _trie(kinds)
        angled = (("<", 1, 1), ("[ *`]", 0, 3))
        # Each form is a whole pattern and, made from the same parts, the pattern of everything that could still become it.
        self._whole = [
            re.compile("".join(_whole(e) for e in angled) + _kinds(trie, _SEPARATOR_LOOSE, fold=True) + _tail_angled()),
            re.compile("".join(_whole(e) for e in angled) + _kinds(trie, _SEPARATOR_LOOSE, fold=True) + _tail_open()),
            re.compile(r"(?<!\w)" + _kinds(trie, _SEPARATOR_TIGHT, fold=True) + _tail_bare(_SEPARATOR_TIGHT)),
            re.compile(r"(?<!\w)" + _kinds(trie, _SEPARATOR_PLAIN, fold=False) + _tail_bare(_SEPARATOR_PLAIN)),
        ]
        growing = (
            _prefix(angled, _growing(trie, _SEPARATOR_LOOSE, _grow_angled(), fold=True)),
            r"(?<!\w)" + _growing(trie, _SEPARATOR_TIGHT, _grow_bare(_SEPARATOR_TIGHT), fold=True),
            r"(?<!\w)" + _growing(trie, _SEPARATOR_PLAIN, _grow_bare(_SEPARATOR_PLAIN), fold=False),
        )
        self._growing = re.compile("|".join(growing))
        self._start = re.compile(r"<|(?<!\w)(?=[A-Za-z])" + _beginning(trie, _LETTERS_SEEN))
        self._likely = re.compile(r"<|(?<!\w)(?=" + _kinds(trie, _SEPARATOR_LOOSE, fold=True) + ")")
        self._closed = re.compile("[<0-9]")

    def starts(self, text: str, at: int) -> int:
        """The next place from ``at`` on where a placeholder could begin, or the text's length.

        Every place where ``at`` or ``undecided`` says yes is one. Most words are none, whose first letters no kind begins with.
        """
        found = self._start.search(text, at)
        return found.start() if found else len(text)

    def at(self, text: str, place: int) -> Found | None:
        """The placeholder that begins exactly there, reading the text as complete."""
        for pattern in self._whole:
            if found := pattern.match(text, place):
                number = found["number"]
                entity = re.sub(r"[^A-Z]+", "_", found["kind"].upper())
                return Found(place, found.end(), EntityType(entity), int(number) if number else None)
        return None

    def undecided(self, text: str, place: int) -> bool:
        """Whether more text could make, end or lengthen a placeholder that begins there."""
        return self._growing.match(text, place) is not None

    def all(self, text: str) -> Iterator[Found]:
        """Every placeholder in a complete text, from left to right."""
        # None is without a bracket and without a number, and a complete one begins with a whole kind.
        possible = self._closed.search(text)
        place = self._likely.search(text) if possible else None
        while place:
            found = self.at(text, place.start())
            if found:
                yield found
            place = self._likely.search(text, found.end if found else place.start() + 1)


Trie = dict[str, "Trie"]


def _trie(kinds: Iterable[str]) -> Trie:
    root: Trie = {}
    for kind in kinds:
        if not _SHAPE.match(kind):
            raise ValueError("a kind of data is named in capitals and underscores")
        node = root
        for letter in kind:
            node = node.setdefault(letter, {})
        node[""] = {}
    return root


def _letter(letter: str, fold: bool) -> str:
    return f"[{letter}{letter.lower()}]" if fold else letter


def _whole(element: Element) -> str:
    sign, least, most = element
    return f"{sign}{{{least},{most}}}"


def _kinds(trie: Trie, separator: tuple[Element, ...], *, fold: bool) -> str:
    def node(here: Trie) -> str:
        ways = []
        for letter, following in here.items():
            if letter:
                step = "".join(_whole(e) for e in separator) if letter == "_" else _letter(letter, fold)
                ways.append(step + node(following))
        # Longest kind first: the end of a kind is tried last.
        return "(?:" + "|".join([*ways, ""] if "" in here else ways) + ")"

    return f"(?P<kind>{node(trie)})"


def _tail_angled() -> str:
    numbered = "".join(_whole(e) for e in ((r"[\\]", 0, 1), ("[_ -]", 0, 1))) + "(?P<number>[0-9]{1,4})"
    return f"(?:{numbered})?" + "".join(_whole(e) for e in _CLOSE)


def _tail_open() -> str:
    return "".join(_whole(e) for e in _SEPARATOR_LOOSE) + r"(?P<number>[0-9]{1,4})(?![0-9])"


def _tail_bare(separator: tuple[Element, ...]) -> str:
    return "".join(_whole(e) for e in separator) + r"(?P<number>[0-9]{1,4})(?:>|(?=s?(?!\w)))"


def _prefix(elements: tuple[Element, ...], then: str) -> str:
    """A pattern for every beginning of ``elements`` followed by ``then``, up to the end of the text."""
    pattern = then
    for sign, least, most in reversed(elements):
        pattern = rf"(?:{sign}{{{least},{most}}}{pattern}|{sign}{{0,{most}}}\Z)"
    return pattern


def _grow_angled() -> str:
    return _prefix(((r"[\\]", 0, 1), ("[_ -]", 0, 1), ("[0-9]", 0, MOST_DIGITS), ("[ *`]", 0, 3)), r"\Z")


def _grow_bare(separator: tuple[Element, ...]) -> str:
    return _prefix((*separator, *_NUMBER, ("s", 0, 1)), r"\Z")


def _growing(trie: Trie, separator: tuple[Element, ...], tail: str, *, fold: bool) -> str:
    def node(here: Trie) -> str:
        ways = [r"\Z"]
        for letter, following in here.items():
            if letter == "_":
                ways.append(_prefix(separator, node(following)))
            elif letter:
                ways.append(_letter(letter, fold) + node(following))
            else:
                ways.append(tail)
        return "(?:" + "|".join(ways) + ")"

    return node(trie)


def _beginning(trie: Trie, letters: int) -> str:
    """A pattern for the first letters of every kind, and for a text that ends within them."""

    def node(here: Trie, left: int) -> str:
        if not left:
            return ""
        # Behind a whole kind, and where a kind has a separator, anything may follow.
        if "" in here or "_" in here:
            return ""
        return "(?:" + "|".join([r"\Z", *(_letter(letter, True) + node(below, left - 1) for letter, below in here.items())]) + ")"

    return node(trie, letters)


# Made when the module is read: its patterns take a tenth of a second, which no call should wait for.
_EVERY_KIND = Scanner(KINDS)


def scanner() -> Scanner:
    """The scanner of every kind in the table."""
    return _EVERY_KIND
