"""From what several detectors found to spans that do not overlap. Nothing that any of them was sure about is left uncovered."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from gateway.redaction.entities import above_threshold
from gateway.values import Span

_NUMBERS = frozenset(
    {
        "CREDIT_CARD", "PHONE_NUMBER", "BANK_ACCOUNT", "IBAN_CODE", "US_SSN", "IN_AADHAAR", "UK_NHS", "PASSPORT", "MEMBER_ID",
        "POLICY_NUMBER", "MEDICAL_RECORD", "ID_NUMBER",
    }
)  # fmt: skip
_GAP_IN_NUMBER = re.compile(r"[\s,.\-–]{1,4}")
_GAP_IN_WORDS = re.compile(r"\s{1,3}")


def resolve(text: str, spans: Iterable[Span]) -> tuple[Span, ...]:
    """Sorted spans without overlap, each at least one character long and without white space at its ends.

    Spans that overlap become one that covers them all and has the kind of the strongest: highest score, then longest. Neighbours
    of one kind with only a space between (in numbers also commas and full stops) are one value. Spans under the threshold of
    their kind and spans outside the text are dropped.
    """
    trimmed = (_trim(text, span) for span in above_threshold(spans))
    ordered = sorted((span for span in trimmed if span), key=lambda span: (span.start, span.end))
    merged: list[Span] = []
    for span in ordered:
        if merged and (span.start < merged[-1].end or _one_value(text, merged[-1], span)):
            merged[-1] = _merge(merged[-1], span)
        else:
            merged.append(span)
    # A merge can change the kind, and the neighbours with it.
    out: list[Span] = []
    for span in merged:
        if out and _one_value(text, out[-1], span):
            out[-1] = _merge(out[-1], span)
        else:
            out.append(span)
    return tuple(out)


def _trim(text: str, span: Span) -> Span | None:
    start, end = max(span.start, 0), min(span.end, len(text))
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return replace(span, start=start, end=end) if start < end else None


def _one_value(text: str, left: Span, right: Span) -> bool:
    gap = _GAP_IN_NUMBER if left.entity in _NUMBERS else _GAP_IN_WORDS
    return left.entity == right.entity and (left.end == right.start or gap.fullmatch(text, left.end, right.start) is not None)


def _merge(left: Span, right: Span) -> Span:
    winner = max(left, right, key=lambda span: (span.score, span.end - span.start, -span.start))
    return replace(winner, start=min(left.start, right.start), end=max(left.end, right.end))
