"""From likely words to spans: of which kinds the tagger is asked, and how sure it must be of each."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gateway.adapters.detectors.tagger import Tagged
from gateway.values import EntityType, Span

SCORE = 0.55
"""Under our own rules: the tagger adds what they do not see, and leaves the kind of what they do to them."""

_IN_WORDS, _CREDENTIALS, _IN_FIGURES = 0.985, 0.97, 0.99
BARS: dict[str, float] = {
    **dict.fromkeys(("PERSON", "LOCATION", "STREET_ADDRESS"), _IN_WORDS),
    **dict.fromkeys(("EMAIL_ADDRESS", "USERNAME", "PASSWORD", "URL"), _CREDENTIALS),
    **dict.fromkeys(
        (
            "AGE", "BANK_ACCOUNT", "CREDIT_CARD", "DATE_OF_BIRTH", "DRIVER_LICENSE", "IN_AADHAAR", "IN_PAN", "MEDICAL_RECORD",
            "MEMBER_ID", "ONE_TIME_CODE", "PASSPORT", "PHONE_NUMBER", "PIN", "POLICY_NUMBER", "UK_NHS", "UK_NINO", "US_SSN",
            "VEHICLE_PLATE", "ZIP_CODE",
        ),
        _IN_FIGURES,
    ),
}  # fmt: skip
"""How likely one word of a value must be, chosen on the development set. The rules know numbers by the words around them and by
their check digits; prices and quantities look like numbers of every kind, so the tagger must be all but certain of those. Kinds
that do not stand here (a security code, an expiry date, a network address) are left to the rules alone."""

_BESIDE = 0.35
"""A word beside a sure one of its kind belongs to it when it is this likely."""
_PLACEHOLDER = re.compile(r"<[A-Z_]+(?:_\d+)?>")
_APART = re.compile(r"[^\w<>]{0,4}")
_WHAT = {
    "PERSON": "a name",
    "LOCATION": "a place",
    "STREET_ADDRESS": "an address",
    "EMAIL_ADDRESS": "an e-mail address",
    "USERNAME": "a user name",
    "PASSWORD": "a password",
    "URL": "a web address",
}


def tagged_spans(text: str, words: Sequence[Tagged]) -> list[Span]:
    """Neighbouring words of one kind as one span, where at least one of them is sure enough for its kind.

    What stands in a placeholder is masked already and makes no span.
    """
    masked = [hit.span() for hit in _PLACEHOLDER.finditer(text)]
    runs: list[list[Tagged]] = []
    for word in words:
        if word.score < _BESIDE or word.kind not in BARS or any(start <= word.start < end for start, end in masked):
            continue
        if runs and runs[-1][-1].kind == word.kind and _APART.fullmatch(text, runs[-1][-1].end, word.start):
            runs[-1].append(word)
        else:
            runs.append([word])
    return [_span(run) for run in runs if _likely(run) >= BARS[run[0].kind]]


def _likely(run: Sequence[Tagged]) -> float:
    return max(word.score for word in run)


def _span(run: Sequence[Tagged]) -> Span:
    kind = run[0].kind
    words = "words" if len(run) > 1 else "a word"
    why = f"{words} of {_WHAT.get(kind, 'a number or code')}, {_likely(run):.0%} likely"
    return Span(run[0].start, run[-1].end, EntityType(kind), SCORE, "tagger", why)
