"""Legal holds: placed and lifted with a reason and an approver, each on record (promise 16).

A hold is in force before it is written down, and is written down as lifted before it is: on doubt the data stays. It never ends
by itself; past its review it is told again and again (``overdue``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from gateway.adapters.stores.deletions import Intent
from gateway.errors import InvalidRequest, NotFound
from gateway.evidence.chain import timestamp
from gateway.evidence.entries import Json
from gateway.policy.retention import OF_PERSONS, Hold, HoldScope, reason_of_a_person
from gateway.ports import Clock, Ids, Ledger
from gateway.runner.account import CallAccount
from gateway.runner.deletion import SubjectOf
from gateway.runner.holdings import LINKS
from gateway.runner.tenants import no_such_tenant
from gateway.values import CallId, DataClass, TenantId


class HoldStore(Protocol):
    """``gateway.adapters.stores.holds``. Every method raises StoreUnavailable."""

    async def place(self, hold: Hold) -> list[Intent]: ...
    async def lift(self, tenant: TenantId, id_: str) -> bool: ...
    async def now(self, tenant: TenantId) -> tuple[str, tuple[Hold, ...]]: ...


Known = Callable[[TenantId], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Placed:
    """A hold in force, and what of its scope had been decided to be deleted before it: that goes, as it was decided."""

    hold: Hold
    too_late: tuple[Intent, ...] = ()


class HoldDesk:
    """Raises StoreUnavailable and EvidenceUnavailable from everything it does."""

    def __init__(
        self, store: HoldStore, ledger: Ledger, clock: Clock, ids: Ids, subject_of: SubjectOf, known: Known | None = None
    ) -> None:
        """``known``: whether there is, or ever was, such a tenant; None: all are."""
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._ids = ids
        self._subject_of = subject_of
        self._known = known

    async def place(self, tenant: TenantId, scope: HoldScope, *, reason: str, approver: str, review: date, by: str) -> Placed:
        """From when this answers on nothing of the scope is deleted.

        Raises:
            InvalidRequest: no reason or approver is given, the review is not in the future, or the times are in disorder.
            NotFound: nobody knows that tenant: a hold on a name that was misspelt would keep nothing.
            EvidenceUnavailable: it could not be written down. It is in force nevertheless.
        """
        if self._known is not None and not await self._known(tenant):
            raise no_such_tenant()
        now = self._clock.now()
        if review <= now.date():
            raise InvalidRequest("the review of a hold lies in the past", hint="name a day to come: --review 2027-01-31")
        if scope.start is not None and scope.end is not None and scope.start >= scope.end:
            raise InvalidRequest("the time of the hold ends before it begins")
        about = (
            reason_of_a_person(reason),
            reason_of_a_person(approver, "approver"),
            review,
            now,
            reason_of_a_person(by, "name of who places it"),
        )
        hold = Hold(self._ids.new("hold"), tenant, scope, *about)
        decided = await self._store.place(hold)
        too_late = tuple([intent for intent in decided if await self._covers(hold, intent)])
        account = CallAccount(tenant, CallId(hold.id), self._ledger, self._clock)
        await account.write("hold.placed", {**_body(hold), "too_late": len(too_late)})
        return Placed(hold, too_late)

    async def lift(self, tenant: TenantId, id_: str, *, reason: str, by: str) -> Hold:
        """What it kept may be deleted again, and is where its time is over. Raises NotFound, InvalidRequest."""
        reason, by = reason_of_a_person(reason), reason_of_a_person(by, "name of who lifts it")
        hold = next((each for each in await self.holds(tenant) if each.id == id_), None)
        if hold is None:
            raise NotFound("there is no such hold", hint=f"sordino holds list --tenant {tenant}")
        # A thread of its own: that of the hold may be older than anybody would look for.
        account = CallAccount(tenant, CallId(f"{hold.id}.lifted"), self._ledger, self._clock)
        await account.write("hold.lifted", {"hold": hold.id, "reason": reason, "by": by})
        await self._store.lift(tenant, hold.id)
        return hold

    async def holds(self, tenant: TenantId) -> tuple[Hold, ...]:
        """Those in force, the oldest first."""
        return (await self._store.now(tenant))[1]

    async def overdue(self, tenants: Iterable[TenantId]) -> Mapping[TenantId, Sequence[Hold]]:
        """Holds whose review is past due, of each tenant that has some."""
        today = self._clock.now().date()
        found = {tenant: [hold for hold in await self.holds(tenant) if hold.overdue(today)] for tenant in tenants}
        return {tenant: holds for tenant, holds in found.items() if holds}

    async def _covers(self, hold: Hold, intent: Intent) -> bool:
        if intent.data_class is DataClass.EVIDENCE:
            # A whole beginning of the chain, with entries of whomever: it may have been of them.
            return hold.scope.data_class in (None, DataClass.EVIDENCE)
        subject = None
        if hold.scope.subject is not None and intent.data_class not in OF_PERSONS:
            subject = await self._subject_of(hold.tenant, CallId(intent.id))
        link = intent.holding in LINKS
        return hold.scope.covers(intent.data_class, intent.id, intent.since, subject=subject, link=link)


def shown(hold: Hold) -> dict[str, Json]:
    """A hold as its readers see it: names, a keyed hash, times in RFC 3339."""
    return {"id": hold.id, "tenant": hold.tenant, **{name: value for name, value in _body(hold).items() if name != "hold"}}


def _body(hold: Hold) -> dict[str, Json]:
    scope = hold.scope
    named: dict[str, Json] = {
        "call": scope.call,
        "subject": scope.subject,
        "class": scope.data_class.value if scope.data_class else None,
        "from": timestamp(scope.start) if scope.start else None,
        "to": timestamp(scope.end) if scope.end else None,
    }
    return {
        "hold": hold.id,
        "scope": {name: value for name, value in named.items() if value is not None},
        "reason": hold.reason,
        "approver": hold.approver,
        "review": hold.review.isoformat(),
        "placed": timestamp(hold.placed),
        "by": hold.by,
    }
