"""How findings that overlap become spans that do not, with nothing left uncovered."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.redaction.spans import resolve
from gateway.values import EntityType, Span


def span(start: int, end: int, entity: str = "PERSON", score: float = 0.9) -> Span:
    return Span(start, end, EntityType(entity), score, "test")


TEXT = "one two three, four five"

CASES = [
    ("nothing found", [], []),
    ("one finding", [span(0, 3)], [(0, 3, "PERSON")]),
    ("the stronger kind wins, and covers both", [span(0, 7), span(4, 13, "URL", 0.95)], [(0, 13, "URL")]),
    ("of equals the longer wins", [span(0, 3), span(0, 7, "URL")], [(0, 7, "URL")]),
    ("one inside another", [span(0, 13), span(4, 7, "URL", 0.5)], [(0, 13, "PERSON")]),
    ("neighbours of one kind are one value", [span(0, 3), span(4, 7)], [(0, 7, "PERSON")]),
    ("neighbours of two kinds stay two", [span(0, 3), span(4, 7, "URL")], [(0, 3, "PERSON"), (4, 7, "URL")]),
    ("a comma parts names", [span(8, 13), span(15, 19)], [(8, 13, "PERSON"), (15, 19, "PERSON")]),
    ("a comma joins digits", [span(8, 13, "CREDIT_CARD"), span(15, 19, "CREDIT_CARD")], [(8, 19, "CREDIT_CARD")]),
    ("too weak", [span(0, 3, score=0.1)], []),
    ("white space at the ends is not part of it", [span(3, 8)], [(4, 7, "PERSON")]),
    ("white space alone is nothing", [span(3, 4)], []),
    ("outside of the text", [span(-5, 3), span(20, 99)], [(0, 3, "PERSON"), (20, 24, "PERSON")]),
]


@pytest.mark.parametrize(("found", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_findings_become_spans(found: list[Span], expected: list[tuple[int, int, str]]) -> None:
    assert [(each.start, each.end, str(each.entity)) for each in resolve(TEXT, found)] == expected


SPANS = st.builds(
    lambda start, length, entity, score: span(start, start + length, entity, score),
    st.integers(-3, 25),
    st.integers(0, 12),
    st.sampled_from(["PERSON", "URL", "CREDIT_CARD", "NEW_KIND"]),
    st.sampled_from([0.2, 0.5, 0.9]),
)


@given(st.text("ab ,.", max_size=25), st.lists(SPANS, max_size=8))
def test_every_sure_finding_is_covered_and_no_two_spans_overlap(text: str, found: list[Span]) -> None:
    resolved = resolve(text, found)
    covered = {at for each in resolved for at in range(each.start, each.end)}
    sure = {at for each in found if each.score >= 0.5 for at in range(max(0, each.start), min(len(text), each.end))}
    assert {at for at in sure if not text[at].isspace()} <= covered
    assert all(left.end <= right.start for left, right in pairwise(resolved))
    assert all(each.start < each.end for each in resolved)
    assert resolve(text, resolved) == resolved
