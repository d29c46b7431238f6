"""A text that comes again is read once; what failed is asked again; nothing of the text is kept."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gateway.adapters.detectors.cache import RememberingDetector
from gateway.errors import RedactionUnavailable
from gateway.redaction.mask import Replacement
from gateway.values import EntityType, Private, Span

FOUND = Span(11, 15, EntityType("PERSON"), 0.9, "Test")


class Reader:
    def __init__(self) -> None:
        self.read: list[tuple[str, str, str]] = []
        self.broken = False

    async def detect(self, text: Private[str], *, language: str, previous: str = "") -> Sequence[Span]:
        self.read.append((text.reveal(), language, previous))
        if self.broken:
            raise RedactionUnavailable("the detector did not answer in time")
        return [FOUND]

    async def replace(self, text: Private[str], replacements: Sequence[Replacement]) -> Private[str]:
        return text


async def test_the_same_text_is_read_once_and_anything_else_anew() -> None:
    reader = Reader()
    detector = RememberingDetector(reader)
    asked = [
        ("My name is Anna", "en", ""),
        ("My name is Anna", "en", "Who?"),
        ("My name is Anna", "de", ""),
        ("My name is Ann", "en", "a"),
    ]
    for text, language, previous in asked * 2:
        assert list(await detector.detect(Private(text), language=language, previous=previous)) == [FOUND]
    assert reader.read == asked


async def test_a_failure_is_not_remembered() -> None:
    reader = Reader()
    detector = RememberingDetector(reader)
    reader.broken = True
    with pytest.raises(RedactionUnavailable):
        await detector.detect(Private("Anna"), language="en")
    reader.broken = False
    assert await detector.detect(Private("Anna"), language="en")


async def test_what_was_asked_for_longest_ago_is_forgotten_first_and_no_text_is_kept() -> None:
    reader = Reader()
    detector = RememberingDetector(reader, most=2)
    for text in ("Anna", "Berta", "Anna", "Clara", "Anna", "Berta"):
        await detector.detect(Private(text), language="en")
    assert [text for text, _, _ in reader.read] == ["Anna", "Berta", "Clara", "Berta"]
    assert "Anna" not in repr(vars(detector))
