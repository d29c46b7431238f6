"""From likely words to spans: how sure the tagger must be of each kind before its word masks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gateway.adapters.detectors.tagger import Tagged
from gateway.values import EntityType, Span

SCORE = 0.55
"""Under our own rules: the tagger adds what they do not see, and leaves the kind of what they do to them."""

_BARS: dict[str, float] = {}
_BAR = 0.6
_BESIDE = 0.35
"""A word beside a sure one of its kind belongs to it when it is this likely."""
_APART = re.compile(r"[^\w<>]{0,4}")
_NAMES = {"PERSON": "a name", "LOCATION": "a place", "STREET_ADDRESS": "an address", "EMAIL_ADDRESS": "an e-mail address"}


def tagged_spans(text: str, words: Sequence[Tagged]) -> list[Span]:
    """Neighbouring words of one kind as one span, where at least one of them is sure enough for its kind."""
    out: list[Span] = []
    run: list[Tagged] = []
    for word in words:
        if run and (word.kind != run[-1].kind or not _APART.fullmatch(text, run[-1].end, word.start)):
            out += _span(run)
            run = []
        if word.score >= _BESIDE:
            run.append(word)
        else:
            out += _span(run)
            run = []
    return [*out, *_span(run)]


def _span(run: Sequence[Tagged]) -> list[Span]:
    if not run:
        return []
    kind, likely = run[0].kind, max(word.score for word in run)
    if likely < _BARS.get(kind, _BAR):
        return []
    what = _NAMES.get(kind, "a value of its kind")
    why = f"{'words' if len(run) > 1 else 'a word'} of {what}, {likely:.0%} likely"
    return [Span(run[0].start, run[-1].end, EntityType(kind), SCORE, "tagger", why)]
