"""What a recognizer gets: one transcript, its normalised view, and what the other side said before."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.redaction.english import ENGLISH
from gateway.redaction.spoken import View, view
from gateway.values import EntityType, Span


@dataclass(frozen=True, slots=True)
class Heard:
    """``previous`` is the view of the other side's last turn, already masked; empty at the start of a call."""

    view: View
    previous: str = ""

    @classmethod
    def of(cls, transcript: str, previous: str = "") -> Heard:
        return cls(view(transcript, ENGLISH), view(previous, ENGLISH).text if previous else "")

    def span(self, start: int, end: int, entity: str, score: float, detector: str, why: str) -> Span:
        """A span of the transcript for a stretch of the view."""
        first, last = self.view.span(start, end)
        return Span(first, last, EntityType(entity), score, detector, why)
