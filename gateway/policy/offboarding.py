"""How a tenant leaves: which step comes when, by when it must be done, and what may still be taken back (promise 15).

The steps are a table. Time is an argument, and nothing here does anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.errors import InvalidRequest, PolicyRefused
from gateway.values import TenantId


class Step(StrEnum):
    """What is done, in this order. Each is also the end of the name of its entry in the evidence."""

    ANNOUNCED = "announced"
    """From now on no call and no request of the tenant begins."""
    KEYS_REVOKED = "keys_revoked"
    EXPORTED = "exported"
    """Everything that is kept, as files, and the evidence, for the tenant to fetch."""
    DATA_DELETED = "data_deleted"
    """Beginning it is the point of no return."""
    KEY_DESTROYED = "key_destroyed"
    """Every copy of the tenant's data, in backups and files of the store too, is unreadable from then on."""
    CONTACT_DELETED = "contact_deleted"
    CERTIFIED = "certified"


ORDER = tuple(Step)
POINT_OF_NO_RETURN = Step.DATA_DELETED
OF_ACCOUNT, OF_CONTRACT = timedelta(days=15), timedelta(days=30)
"""Within what time data is gone after the account's end, and by contract: the shorter one counts."""
WAIT = timedelta(days=7)
"""How long after the end data stays for second thoughts, unless somebody says otherwise."""
CONTACT_GONE_WITHIN = timedelta(days=1)
"""Number data is kept for its time, and gone within a day after it."""


class Status(StrEnum):
    """Where it stands as a whole."""

    ACTIVE = "active"
    CANCELLING = "cancelling"
    """Taken back for good: its export still lies somewhere, or the evidence does not say so yet."""
    CANCELLED = "cancelled"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Times:
    """From when on and by when. All are aware UTC."""

    ends: datetime
    """The end of the account."""
    data_from: datetime
    data_by: datetime
    contact_from: datetime
    contact_by: datetime

    @staticmethod
    def of(
        announced: datetime, *, ends: datetime, contact: timedelta, wait: timedelta = WAIT, contract: timedelta = OF_CONTRACT
    ) -> Times:
        """``contact``: how long the policy keeps number data after the end; ``wait``: how long data may still be had back.

        Raises:
            InvalidRequest: a time is negative, or the end was long ago.
        """
        if min(contact, wait, contract) < timedelta(0):
            raise InvalidRequest("a time of the end is negative")
        if ends < announced - OF_ACCOUNT:
            raise InvalidRequest(
                "the account's end is longer ago than its data may be kept", hint="leave out --ends: it ends now"
            )
        by = ends + min(OF_ACCOUNT, OF_CONTRACT, contract)
        contact_from = ends + contact
        return Times(ends, max(announced, min(ends + wait, by)), by, contact_from, contact_from + CONTACT_GONE_WITHIN)

    def begins(self, step: Step) -> datetime | None:
        """From when on a step may be done; None: at once."""
        if step in (Step.DATA_DELETED, Step.KEY_DESTROYED):
            return self.data_from
        return self.contact_from if step in (Step.CONTACT_DELETED, Step.CERTIFIED) else None

    def by(self, step: Step) -> datetime | None:
        """By when it must be done; None: at once."""
        if step in (Step.DATA_DELETED, Step.KEY_DESTROYED):
            return self.data_by
        return self.contact_by if step in (Step.CONTACT_DELETED, Step.CERTIFIED) else None


@dataclass(frozen=True, slots=True)
class Kept:
    """Something that stays of a tenant that has left, as its certificate names it.

    ``places``: the first parts of its names in the store. ``ends``: it goes with the evidence; else no day is set.
    """

    what: str
    why: str
    places: tuple[str, ...]
    ends: bool = False


KEPT = (
    Kept(
        "evidence, certificates of deletions, and who has read it",
        "proof of what was done",
        (
            "evidence",
            "anchors",
            "anchored",
            "chain-marks",
            "certificates",
            "deletions",
            "holds",
            "children",
            "withdrawn",
            "access-log",
        ),
        ends=True,
    ),
    Kept("keyed hashes of who asked not to be called", "so that nobody calls them again", ("opted-out",)),
    Kept(
        "requests of persons and incidents, which name persons by keyed hashes",
        "proof that they were answered",
        ("case", "cases"),
    ),
    Kept("notices of sub-processors and of changed policies, and objections", "proof that they were given", ("notices",)),
    Kept("where this end stands, with this certificate", "proof of the end, and nothing begins again", ("offboarding",)),
    Kept("digests of API keys, all of them revoked", "so that programs are told why they are refused", ("keys",)),
)
"""All that stays: whatever else is in the store of such a tenant should not be there."""


@dataclass(frozen=True, slots=True)
class Done:
    """One step. ``ended`` None: it was begun, and it is not known what of it was done. ``waits``: for what, in sentences."""

    begun: datetime
    ended: datetime | None = None
    waits: tuple[str, ...] = ()
    facts: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Offboarding:
    """One tenant's end, as it stands. ``version`` grows with each change."""

    id: str
    tenant: TenantId
    reason: str
    by: str
    announced: datetime
    times: Times
    status: Status = Status.ACTIVE
    steps: Mapping[Step, Done] = field(default_factory=dict)
    version: int = 0
    taken_back: tuple[str, str] | None = None
    """Why it was cancelled, and by whom."""

    @property
    def stays(self) -> bool:
        """Whether the tenant stays after all."""
        return self.status in (Status.CANCELLING, Status.CANCELLED)

    @property
    def over(self) -> bool:
        """Whether nothing is to be done for it any more."""
        return self.status in (Status.CANCELLED, Status.DONE)

    @property
    def keeps_export(self) -> bool:
        """Whether what the tenant takes along may lie on a disk."""
        return self.status is Status.ACTIVE and POINT_OF_NO_RETURN not in self.steps

    def next(self) -> Step | None:
        """The first step that has not ended; None: there is none left, or it was cancelled."""
        if self.status is not Status.ACTIVE:
            return None
        return next((step for step in ORDER if step not in self.steps or self.steps[step].ended is None), None)

    def due(self, now: datetime) -> Step | None:
        """The step that may be done now; None: nothing is to be done yet, or any more."""
        step = self.next()
        begins = None if step is None else self.times.begins(step)
        return None if begins is not None and now < begins else step

    def overdue(self, now: datetime) -> Step | None:
        """The step that should have ended by now, if it is a day that says so."""
        step = self.next()
        by = None if step is None else self.times.by(step)
        return step if by is not None and now > by else None

    @property
    def left(self) -> bool:
        """Whether the tenant is gone: its key was destroyed, and what is left of it proves that."""
        destroyed = self.steps.get(Step.KEY_DESTROYED)
        return self.status is not Status.CANCELLED and destroyed is not None and destroyed.ended is not None

    def begin(self, step: Step, now: datetime) -> Offboarding:
        """It is begun; what was begun before stays as it was."""
        return self._with(step, self.steps.get(step) or Done(now))

    def waiting(self, step: Step, why: tuple[str, ...]) -> Offboarding:
        """It cannot end yet."""
        return self._with(step, replace(self.steps[step], waits=why))

    def end(self, step: Step, now: datetime, facts: Mapping[str, str | int]) -> Offboarding:
        """It has ended; with the last one all has."""
        ended = self._with(step, replace(self.steps[step], ended=now, waits=(), facts=facts))
        return replace(ended, status=Status.DONE) if step is ORDER[-1] else ended

    def cancel(self, reason: str, by: str) -> Offboarding:
        """The tenant stays, from now on. Raises PolicyRefused: it is over, or data was deleted."""
        if self.status is not Status.ACTIVE:
            raise PolicyRefused(f"the end of tenant {self.tenant} is {self.status.value} already")
        if POINT_OF_NO_RETURN in self.steps:
            begun = self.steps[POINT_OF_NO_RETURN].begun
            raise PolicyRefused(
                "it cannot be taken back any more", reasons=(f"the deletion of the data began at {begun:%Y-%m-%d %H:%M} UTC",)
            )
        return replace(self, status=Status.CANCELLING, taken_back=(reason, by), version=self.version + 1)

    def cancelled(self) -> Offboarding:
        """It was taken back, its export is gone, and the evidence says so."""
        return replace(self, status=Status.CANCELLED, version=self.version + 1)

    def _with(self, step: Step, done: Done) -> Offboarding:
        return replace(self, steps={**self.steps, step: done}, version=self.version + 1)
