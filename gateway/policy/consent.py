"""Consent of the people who are called: given for a purpose, proven, and withdrawn at any time (promise 13).

A record names nobody: the person is a keyed hash of their number, made in the rim.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

ANY_PURPOSE = "*"
"""Purpose of a withdrawal that ends every consent: who says "never call me again" means all of it."""


class How(StrEnum):
    """How an answer came. Written and imported ones were given outside; the others on a call of ours."""

    IMPORTED = "imported"
    WRITTEN = "written"
    KEY_PRESS = "key-press"
    SPOKEN = "spoken"
    STAYED = "stayed-on-line"
    REQUEST = "request"


class Answer(StrEnum):
    """What somebody said."""

    GIVEN = "given"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """One line of the consent ledger. ``proof`` names where the answer is kept: a form's id, a receipt, a file and its date.

    ``until``: the consent ends by itself then; None: it lasts until it is withdrawn.
    """

    answer: Answer
    purpose: str
    how: How
    at: datetime
    proof: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ConsentState:
    """Whether consent holds, the record it rests on, and the sentence why not."""

    record: ConsentRecord | None
    why: str

    @property
    def holds(self) -> bool:
        return not self.why


def consent_for(records: Iterable[ConsentRecord], purpose: str, at: datetime) -> ConsentState:
    """Whether the person of these records agrees to ``purpose`` at ``at``: their last word on it counts.

    A record of later than ``at`` says nothing yet. Of two of the same moment the withdrawal counts.
    """
    said = [each for each in records if each.at <= at and _about(each, purpose)]
    if not said:
        return ConsentState(None, f"no consent to {purpose} is on record")
    last = max(said, key=lambda each: (each.at, each.answer is Answer.WITHDRAWN))
    if last.answer is Answer.WITHDRAWN:
        return ConsentState(last, f"consent to {purpose} was withdrawn on {last.at.date()}")
    if last.until is not None and at >= last.until:
        return ConsentState(last, f"consent to {purpose} ended on {last.until.date()}")
    return ConsentState(last, "")


def _about(record: ConsentRecord, purpose: str) -> bool:
    return record.purpose == purpose or (record.answer is Answer.WITHDRAWN and record.purpose == ANY_PURPOSE)
