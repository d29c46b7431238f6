"""What a recognizer gets: one transcript, its normalised view, and what the other side said before."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from gateway.redaction.languages import spoken_language
from gateway.redaction.spoken import View, view
from gateway.values import EntityType, Span

LONG_NUMBERS = (
    "CREDIT_CARD", "PHONE_NUMBER", "BANK_ACCOUNT", "IBAN_CODE", "US_SSN", "IN_AADHAAR", "UK_NHS", "PASSPORT", "DRIVER_LICENSE",
    "MEMBER_ID", "POLICY_NUMBER", "MEDICAL_RECORD", "ONE_TIME_CODE", "ID_NUMBER",
)  # fmt: skip
"""Numbers that people give in pieces, over the end of a turn."""

_ENDS_WITH_NUMBER = re.compile(rf"<(?P<kind>{'|'.join(LONG_NUMBERS)})(?:_\d+)?>[\s.,]*\Z")
_FIGURE = re.compile(r"\d")
_LETTERS = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Heard:
    """``before``: what was said before, already masked; empty at the start of a call."""

    view: View
    before: str = ""
    pending: str = ""
    """The kind of a number that the speaker's own last turn ended with: digits at the beginning of this one may go on with it."""
    language: str = "en"
    """The primary subtag of the language of both."""

    @cached_property
    def has_figures(self) -> bool:
        """False only where there is no digit at all. Most rules for numbers look no further then."""
        return _FIGURE.search(self.view.text) is not None or not self.view.text.isascii()

    @classmethod
    def of(cls, transcript: str, previous: str = "", language: str = "en") -> Heard:
        """Raises ValueError for a language that there is not (``gateway.redaction.languages``)."""
        spoken = spoken_language(language)
        if not previous:
            return cls(view(transcript, spoken), language=spoken.code)
        ends = _ENDS_WITH_NUMBER.search(previous)
        return cls(view(transcript, spoken), previous, ends["kind"] if ends else "", spoken.code)

    @cached_property
    def previous(self) -> str:
        """The view of what was said before. Few texts want it."""
        return view(self.before, spoken_language(self.language)).text if self.before else ""

    @cached_property
    def words(self) -> frozenset[str]:
        """Every stretch of letters of the view."""
        return frozenset(_LETTERS.findall(self.view.text))

    @cached_property
    def has_capitals(self) -> bool:
        """False only where the transcript has small letters throughout."""
        return not self.view.transcript.isascii() or self.view.transcript != self.view.transcript.lower()

    def span(self, start: int, end: int, entity: str, score: float, detector: str, why: str) -> Span:
        """A span of the transcript for a stretch of the view."""
        first, last = self.view.span(start, end)
        return Span(first, last, EntityType(entity), score, detector, why)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A pattern with the words that make it worth a look. A text that has none of them is not read for it."""

    pattern: re.Pattern[str]
    words: frozenset[str]
    """One of them stands in whatever is found by it, as a stretch of letters of its own."""

    @classmethod
    def of(cls, pattern: re.Pattern[str], words: str) -> Phrase:
        """``words``: as one reads them, with spaces between."""
        return cls(pattern, frozenset(words.split()))

    def all(self, heard: Heard) -> Iterable[re.Match[str]]:
        """Where it stands, from left to right."""
        return () if self.words.isdisjoint(heard.words) else self.pattern.finditer(heard.view.text)
