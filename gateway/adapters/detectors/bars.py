"""From likely words to spans: of which kinds the tagger is asked, and how sure it must be of each."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gateway.adapters.detectors.tagger import Tagged
from gateway.values import EntityType, Span

SCORE = 0.55
"""Under our own rules: the tagger adds what they do not see, and leaves the kind of what they do to them."""

BARS: dict[str, float] = {
    "PERSON": 0.97,
    "LOCATION": 0.97,
    "STREET_ADDRESS": 0.97,
    "EMAIL_ADDRESS": 0.9,
    "USERNAME": 0.9,
    "PASSWORD": 0.9,
    "URL": 0.95,
    "VEHICLE_PLATE": 0.97,
    "UK_NINO": 0.97,
    "IN_PAN": 0.97,
}
"""How likely one word of a value must be, chosen on the development set. Kinds that do not stand here are left to the rules: they
know numbers by the words around them and by their check digits, while prices and quantities look like numbers of every kind."""

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
    why = f"{words} of {_WHAT.get(kind, 'a number with letters')}, {_likely(run):.0%} likely"
    return Span(run[0].start, run[-1].end, EntityType(kind), SCORE, "tagger", why)
