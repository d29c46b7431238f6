"""How long each class of data is kept, when it is due to go, and what a legal hold keeps from going (promises 14 and 16).

Everything here is a question to facts: time is an argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from gateway.errors import InvalidRequest
from gateway.values import CallId, DataClass, TenantId

OF_PERSONS = frozenset({DataClass.CONTACT, DataClass.CONSENT})
"""Classes whose items are of a person, by the keyed hash of the number; all others are of calls."""
LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class HoldScope:
    """What a legal hold keeps: what has everything that is named here. Nothing named: everything of the tenant.

    ``subject`` is a keyed hash; ``start`` and ``end`` are aware UTC, [start, end), by when a thing began to be kept.
    """

    call: CallId | None = None
    subject: str | None = None
    data_class: DataClass | None = None
    start: datetime | None = None
    end: datetime | None = None

    def covers(self, data_class: DataClass, id_: str, since: datetime, *, subject: str | None) -> bool:
        """Whether it keeps this item. ``subject``: whose call it is, where that is known; for a person's item its own id."""
        of_person = data_class in OF_PERSONS
        whose = id_ if of_person else subject
        return not (
            (self.call is not None and (of_person or id_ != self.call))
            or (self.subject is not None and whose != self.subject)
            or (self.data_class is not None and data_class is not self.data_class)
            or (self.start is not None and since < self.start)
            or (self.end is not None and since >= self.end)
        )


@dataclass(frozen=True, slots=True)
class Hold:
    """An order to keep, from whom and why, and the day on which somebody must look at it again. It never ends by itself."""

    id: str
    tenant: TenantId
    scope: HoldScope
    reason: str
    approver: str
    review: date
    placed: datetime
    by: str

    def overdue(self, today: date) -> bool:
        """Whether its review is past due."""
        return today > self.review


def said(reason: str, what: str = "reason") -> str:
    """The reason as one line. Raises InvalidRequest where none is given, or a whole story."""
    reason = " ".join(reason.split())
    if not reason or len(reason) > LONGEST_REASON:
        raise InvalidRequest(f"no {what} is given", hint=f"say it in up to {LONGEST_REASON} characters; no personal data in it")
    return reason
