"""Any language's words on the telephone put into the words that our rules read: "mi tarjeta es cuatro dos" is "my card is 42".

The rules know one set of words, English. A language is a table of its numbers, letters and phrases with what they are in those
words; every word keeps its place in the transcript, so that what is found is masked there. So a rule that is made better is
better in every language, and a caller may mix two of them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from gateway.redaction.devanagari import is_devanagari, romanised
from gateway.redaction.english import COMMON_WORDS, MONTHS, TOP_LEVEL_DOMAINS
from gateway.redaction.lexemes import Lexeme

T = TypeVar("T")
COMMON = "·"
"""What stands in the view for an everyday word that no rule asks for: it ends a name as an everyday word of English does."""

_APART = frozenset("-–—,.;")
_HYPHENS = frozenset("-‐‑–")
_FORMALITIES = frozenset("¿¡«»")
_APOSTROPHES = ("'", "’")
_LEAST_LETTERS = 3
_LEAST_SOFT = 3
_MOST_AHEAD = 24
"""So many words ahead are looked at to know what a word is: a bound on what a hostile text can cost."""
_DOMAINS = frozenset(TOP_LEVEL_DOMAINS)


def folded(word: str) -> str:
    """A word as the tables are searched for it: lower case, without accents, Devanagari in Latin letters."""
    if word.isascii():
        return word.lower()
    if is_devanagari(word):
        return romanised(word)
    return "".join(sign for sign in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(sign))


def words(table: str) -> list[str]:
    """The words of a table, in its order."""
    return table.split()


def phrases(table: str) -> dict[str, str]:
    """Lines of ``said, also said = words of our rules`` to a mapping. Nothing on the right: the words mean nothing."""
    out: dict[str, str] = {}
    for line in filter(str.strip, table.splitlines()):
        said, _, meant = line.partition("=")
        out |= {" ".join(way.split()): " ".join(meant.split()) for way in said.split(",")}
    return out


def listed(words: str, first: int = 0) -> dict[str, int]:
    """Words in the order of their numbers, the first of them ``first``; ``|`` parts ways to say one number, ``_`` is a space."""
    return {way.replace("_", " "): number for number, ways in enumerate(words.split(), start=first) for way in ways.split("|")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """One language, as data. Words are in lower case and in their own spelling.

    ``small``: what says 0 to 99, in one word or several. ``soft``: number words that are everyday words too; they are numbers
    beside another number only. ``hundreds``: "ciento" 100, "doscientos" 200; with ``multiplies`` a number may stand before the
    hundred. ``conjunctions``: what may stand behind a hundred. ``compound``: reads numbers that are written as one word.
    ``phrases``: said to meant. ``common``: everyday words, which no name is made of. ``letters``: names of letters;
    ``soft_letters`` of them are everyday words too. ``like``: what stands between a letter and its word ("s wie Siegfried").
    ``particles``: what may stand inside a name. ``elided``: words that lose their vowel before the next ("l'adresse").
    ``dotted``: ordinals are written with a full stop.
    """

    small: Mapping[str, int]
    soft: Mapping[str, int]
    hundreds: Mapping[str, int]
    multiplies: bool
    thousands: frozenset[str]
    conjunctions: frozenset[str]
    ordinals: Mapping[str, int]
    phrases: Mapping[str, str]
    common: frozenset[str]
    letters: Mapping[str, str]
    soft_letters: frozenset[str]
    like: tuple[str, ...]
    particles: frozenset[str] = frozenset()
    elided: frozenset[str] = frozenset()
    compound: Callable[[str], int | None] | None = None
    dotted: bool = False


class _Ways(Generic[T]):
    """Phrases to what they are, found from their first word on, the longest first. A hyphen is as good as a space."""

    def __init__(self, table: Iterable[tuple[str, T]]) -> None:
        self._first: dict[str, list[tuple[tuple[str, ...], T]]] = {}
        for said, meant in table:
            words = tuple(folded(word) for word in said.replace("-", " ").replace("'", "' ").split())
            self._first.setdefault(words[0], []).append((words, meant))
        for ways in self._first.values():
            ways.sort(key=lambda way: -len(way[0]))

    def at(self, words: Sequence[Lexeme], at: int) -> tuple[T, int] | None:
        """What is said there and where it ends, or None."""
        for said, meant in self._first.get(words[at].text, ()):
            end = _follows(words, at, said)
            if end is not None:
                return meant, end
        return None


def _follows(words: Sequence[Lexeme], at: int, said: tuple[str, ...]) -> int | None:
    for index, word in enumerate(said):
        if index and at < len(words) and words[at].text in _HYPHENS and words[at].start == words[at - 1].end:
            at += 1
        if at >= len(words) or words[at].text != word:
            return None
        at += 1
    return at


class Reader:
    """Reads one language's lexemes into those of the rules. Holds no state between texts."""

    def __init__(self, language: Vocabulary) -> None:
        self._language = language
        self._small = _Ways(language.small.items())
        self._ordinals = _Ways(language.ordinals.items())
        self._phrases = _Ways((said, tuple(meant.split())) for said, meant in language.phrases.items())
        self._like = _Ways((said, True) for said in language.like)
        self._soft = {folded(word): value for word, value in language.soft.items()}
        self._hundreds = {folded(word): value for word, value in language.hundreds.items()}
        self._thousands = {folded(word) for word in language.thousands}
        self._conjunctions = {folded(word) for word in language.conjunctions}
        self._common = {folded(word) for word in language.common}
        self._letters = {folded(word): letter for word, letter in language.letters.items()}
        self._soft_letters = {folded(word) for word in language.soft_letters}
        self._meant = COMMON_WORDS | {word for meant in language.phrases.values() for word in meant.split()}
        self._particles = {folded(word) for word in language.particles}

    def __call__(self, lexemes: list[Lexeme]) -> list[Lexeme]:
        """The same stretch of the transcript in the words of the rules. Never fails, for any text."""
        words = [part for lexeme in lexemes for part in self._parts(lexeme)]
        out: list[Lexeme] = []
        at = 0
        while at < len(words):
            found, end = self._read(words, at, out)
            out += found
            at = end
        return out

    def _parts(self, lexeme: Lexeme) -> list[Lexeme]:
        if lexeme.kind == "sign" and lexeme.text in _FORMALITIES:
            return []
        if lexeme.kind != "word":
            return [lexeme]
        for mark in _APOSTROPHES:
            head, found, tail = lexeme.text.partition(mark)
            if found and head in self._language.elided and len(lexeme.text) == lexeme.end - lexeme.start:
                middle = lexeme.start + len(head) + 1
                rest = Lexeme("word", tail, middle, lexeme.end)
                return [Lexeme("word", folded(head) + "'", lexeme.start, middle - 1), *self._parts(rest)]
        return [lexeme._replace(text=folded(lexeme.text))]

    def _read(self, words: list[Lexeme], at: int, out: list[Lexeme]) -> tuple[list[Lexeme], int]:
        first = words[at]
        if first.kind == "number":
            return self._written(words, at)
        if first.kind != "word":
            return [first], at + 1
        if out and first.text in _DOMAINS and (out[-1].text == "dot" or (out[-1].text == "." and out[-1].end == first.start)):
            return [first], at + 1
        phrase = self._phrases.at(words, at)
        number = self._number(words, at)
        if number and (phrase is None or number[1] >= phrase[1]):
            return [Lexeme("number", number[0], first.start, words[number[1] - 1].end)], number[1]
        if (spelled := self._spelled(words, at, out)) and (phrase is None or spelled[1] > phrase[1]):
            return spelled
        single = phrase is None or phrase[1] == at + 1
        if single and first.text in self._soft and self._beside_number(words, at, out):
            return [Lexeme("number", str(self._soft[first.text]), first.start, first.end)], at + 1
        if phrase:
            if phrase[1] == at + 1 and self._within_name(words, at, out):
                return [first], at + 1
            return [
                Lexeme("number" if word.isdecimal() else "word", word, first.start, words[phrase[1] - 1].end)
                for word in phrase[0]
            ], phrase[1]
        if first.text in self._common and not self._within_name(words, at, out):
            return [Lexeme("sign", COMMON, first.start, first.end)], at + 1
        return [first], at + 1

    def _written(self, words: list[Lexeme], at: int) -> tuple[list[Lexeme], int]:
        """Digits; "3." before a month and "1er" are ordinals."""
        first, end = words[at], at + 1
        if end < len(words) and words[end].start == first.end:
            after = self._phrases.at(words, end + 1) if end + 1 < len(words) else None
            if self._language.dotted and words[end].text == "." and after and after[0][0] in _MONTHS:
                return [first._replace(end=words[end].end)], end + 1
            if words[end].text in ("er", "ero", "o", "a"):
                return [first._replace(end=words[end].end)], end + 1
        return [first], end

    def _number(self, words: list[Lexeme], at: int) -> tuple[str, int] | None:
        if ordinal := self._ordinals.at(words, at):
            return f"{ordinal[0]}th", ordinal[1]
        value, end = self._below_thousand(words, at)
        if end < len(words) and words[end].text in self._thousands and (value or end == at):
            value, end = (value or 1) * 1000, end + 1
            rest, stop = self._below_thousand(words, self._joined(words, end))
            if rest and stop <= len(words):
                value, end = value + rest, stop
        return (str(value), end) if end > at else None

    def _below_thousand(self, words: list[Lexeme], at: int) -> tuple[int, int]:
        """A number and where it ends; ``at`` itself where there is none. Also "nineteen hundred eighty four"."""
        if at >= len(words):
            return 0, at
        value, end = self._small_at(words, at) or (0, at)
        hundred = self._hundreds.get(words[end].text) if end < len(words) else None
        if hundred is None or value > 99:
            return value, end
        if end > at:
            if not (self._language.multiplies and hundred == 100 and value):
                return value, end
            hundred *= value
        behind = self._joined(words, end + 1)
        rest = self._small_at(words, behind)
        if rest is None or not 0 < rest[0] < 100:
            return hundred, end + 1
        if rest[0] < 10 and behind == end + 1 and self._small_at(words, rest[1]):
            # "seiscientos, uno dos tres": digits one by one follow.
            return hundred, end + 1
        return hundred + rest[0], rest[1]

    def _joined(self, words: list[Lexeme], at: int) -> int:
        return at + 1 if at < len(words) and words[at].text in self._conjunctions and self._small_at(words, at + 1) else at

    def _small_at(self, words: list[Lexeme], at: int) -> tuple[int, int] | None:
        if at >= len(words) or words[at].kind != "word":
            return None
        found = self._small.at(words, at)
        if found is None and self._language.compound is not None:
            value = self._language.compound(words[at].text)
            return None if value is None else (value, at + 1)
        return found

    def _beside_number(self, words: list[Lexeme], at: int, out: list[Lexeme]) -> bool:
        before = next((each for each in reversed(out) if each.text not in _APART), None)
        if before is not None and before.kind == "number":
            return True
        after, run = at, 0
        while after < min(len(words), at + _MOST_AHEAD) and (words[after].text in self._soft or words[after].text in _APART):
            run += words[after].text in self._soft
            after += 1
        return run >= _LEAST_SOFT or (
            after < len(words) and (words[after].kind == "number" or self._small_at(words, after) is not None)
        )

    def _spelled(self, words: list[Lexeme], at: int, before: list[Lexeme]) -> tuple[list[Lexeme], int] | None:
        """Letters said one by one, by their sound or by their names, with or without "as in"."""
        out: list[Lexeme] = []
        here, count, sure = at, 0, 0
        while here < min(len(words), at + _MOST_AHEAD):
            word = words[here]
            letter = word.text if len(word.text) == 1 and word.kind == "word" else self._letters.get(word.text)
            if letter is None:
                break
            out.append(Lexeme("word", letter, word.start, word.end))
            sure += word.text not in self._soft_letters
            count += 1
            here += 1
            if (like := self._like_at(words, here)) and (count > 1 or word.text not in self._soft_letters):
                example = words[like]
                out += [Lexeme("word", said, example.start, example.end) for said in ("as", "in", example.text)]
                here, sure = like + 1, sure + 2
            end = here
            while here + 1 < len(words) and words[here].text in _APART and self._is_letter(words[here + 1]):
                out.append(words[here])
                here += 1
            if here == end and (here >= len(words) or not self._is_letter(words[here])):
                break
        after_number = bool(before) and before[-1].kind == "number" and sure == count
        before_number = (
            count > 1 and here < len(words) and (words[here].kind == "number" or self._small_at(words, here) is not None)
        )
        in_code = after_number or before_number
        return (out, here) if sure and (in_code or count >= _LEAST_LETTERS or sure >= _LEAST_LETTERS) else None

    def _is_letter(self, word: Lexeme) -> bool:
        return word.kind == "word" and (len(word.text) == 1 or word.text in self._letters)

    def _like_at(self, words: list[Lexeme], at: int) -> int | None:
        """Where the word for a letter stands, behind "as in"."""
        while at < len(words) and words[at].text in (",", "-"):
            at += 1
        found = self._like.at(words, at) if at < len(words) else None
        if found is None or found[1] >= len(words):
            return None
        example = words[found[1]]
        return found[1] if example.kind == "word" and len(example.text) > 1 else None

    def _within_name(self, words: list[Lexeme], at: int, out: list[Lexeme]) -> bool:
        """Whether a "de" or "von" stands between two words that are no everyday words: then it is a part of a name."""
        if words[at].text not in self._particles or not out or at + 1 >= len(words):
            return False
        before, after = out[-1], at + 1
        while after < min(len(words), at + _MOST_AHEAD) and words[after].text in self._particles:
            after += 1
        return before.kind == "word" and self._is_strange(before) and after < len(words) and self._is_strange(words[after])

    def _is_strange(self, word: Lexeme) -> bool:
        known = word.text in self._common or word.text in self._meant or word.text in self._letters
        if known or word.kind != "word" or len(word.text) == 1:
            return word.text in self._particles
        return self._phrases.at([word], 0) is None and self._small_at([word], 0) is None


_MONTHS = frozenset(MONTHS)
