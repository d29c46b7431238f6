"""How long each class of data is kept, when it is due to go, and what a legal hold keeps from going (promises 14 and 16).

Everything here is a question to facts: time is an argument.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from gateway.errors import InvalidRequest
from gateway.policy.fields import Duration, Model
from gateway.policy.free_text import looks_personal
from gateway.values import CallId, DataClass, TenantId

OF_PERSONS = frozenset({DataClass.CONTACT, DataClass.CONSENT})
"""Classes whose items are of a person, by the keyed hash of the number; all others are of calls."""
LONGEST_REASON = 500


class RetentionStated(Model):
    """How long each class of data is kept, as far as a file says (promise 14)."""

    audio: Duration | None = None
    """How long the sound of calls is kept."""
    transcript: Duration | None = None
    """How long what was said is kept."""
    vault: Duration | None = None
    """How long what stands behind placeholders is kept, at the longest."""
    metadata: Duration | None = None
    """How long receipts and records are kept."""
    contact: Duration | None = None
    """How long number data is kept after the tenant's contract has ended: until then, and then no longer (promise 15)."""
    consent: Duration | None = None
    """How long what somebody agreed to, or took back, is kept after their last word on it."""
    evidence: Duration | None = None
    """How long the chain of evidence is kept; what a call was promised for longer is kept for longer."""
    traces: Duration | None = None
    """How long traces are kept, at most, by who receives them: none is kept here."""


class Retention(Model):
    """How long each class of data is kept. ``vault`` is the longest life of a call's placeholders.

    ``contact``: 20 days after termination, as calling services promise. ``consent``: four years, for as long as a call without
    it could be sued over (TCPA: 28 U.S.C. 1658). ``evidence``: six years, as long as contracts are sued over in most places.
    """

    audio: Duration = timedelta(0)
    transcript: Duration = timedelta(0)
    vault: Duration = timedelta(hours=4)
    metadata: Duration = timedelta(days=30)
    contact: Duration = timedelta(days=20)
    consent: Duration = timedelta(days=1_461)
    evidence: Duration = timedelta(days=2_192)
    traces: Duration = timedelta(days=7)

    def of(self, data_class: DataClass) -> timedelta:
        """How long this class is kept."""
        found: timedelta = getattr(self, data_class.value)
        return found


def joined(stated: Iterable[RetentionStated | None]) -> Retention:
    """Of every class the shortest time that somebody states."""
    shortest: dict[str, timedelta] = {}
    for each in stated:
        for kind in Retention.model_fields:
            said_ = getattr(each, kind, None)
            if said_ is not None:
                shortest[kind] = min(said_, shortest.get(kind, said_))
    return Retention(**shortest)


def laxer(mine: RetentionStated | None, asked: RetentionStated | None) -> Iterator[tuple[str, str]]:
    """Each class that one file keeps longer than another asks for, and what that one asks for."""
    for key in RetentionStated.model_fields:
        kept, limit = getattr(mine, key, None), getattr(asked, key, None)
        if kept is not None and limit is not None and kept > limit:
            yield f"retention.{key}", asked.model_dump(mode="json")[key] if asked is not None else ""


KEPT_ELSEWHERE = frozenset({DataClass.VAULT, DataClass.EVIDENCE, DataClass.TRACES})
"""Classes of which no single thing is ever due: the store forgets the vault by itself, evidence goes only as a whole beginning of
its chain (``gateway.evidence.expiry``), and traces are not kept here (``gateway.policy.tracing``).
"""


def due(
    data_class: DataClass, since: datetime, keep: timedelta | None, retention: Retention, *, ended: datetime | None = None
) -> datetime | None:
    """When a thing is to be gone: by what the policy of its call promised (``keep``), or by today's if that keeps shorter.

    ``ended``: when the tenant's contract ended; number data is kept until so long after that, and is gone then. None: its time
    does not run, or somebody else's clock ends it (``KEPT_ELSEWHERE``).
    """
    if data_class in KEPT_ELSEWHERE:
        return None
    limit = retention.of(data_class)
    if data_class is DataClass.CONTACT:
        return None if ended is None else ended + limit
    return since + (limit if keep is None else min(limit, keep))


def due_without_policy(
    data_class: DataClass, since: datetime, keep: timedelta | None, *, ended: datetime | None = None
) -> datetime | None:
    """The same for a tenant whose file is gone: by what the policy of its call promised, else by what is usual."""
    usual = Retention()
    return due(data_class, since, None, usual if keep is None else usual.model_copy(update={data_class.value: keep}), ended=ended)


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

    def covers(self, data_class: DataClass, id_: str, since: datetime, *, subject: str | None, link: bool = False) -> bool:
        """Whether it keeps this item. ``subject``: whose call it is, where that is known; for a person's item its own id.

        ``link``: the item tells which calls are whose. An order about a person keeps it whatever class or time the order names:
        without it nobody would know what else the order keeps.
        """
        of_person = data_class in OF_PERSONS
        whose = id_ if of_person else subject
        if link and self.subject is not None:
            return whose == self.subject
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


def reason_of_a_person(reason: str, what: str = "reason") -> str:
    """The same for what somebody wrote freely: the evidence that it stands in is never rewritten.

    Raises InvalidRequest, also where it looks as if it held a telephone number or an address.
    """
    reason = said(reason, what)
    if looks_personal(reason):
        raise InvalidRequest(
            f"the {what} looks as if it held a number or an address", hint="it stands in the evidence: no personal data"
        )
    return reason
