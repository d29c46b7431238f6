"""Who calls, as a keyed hash: noted when a call begins, so that they can ask for it later; refused what they have restricted.

A number that is withheld, or is none, is nobody's: then there is no person to find, and none to refuse.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from gateway.errors import InvalidRequest, PolicyRefused, SordinoError
from gateway.evidence.entries import Json
from gateway.policy.model import TenantPolicy
from gateway.ports import Clock, Egress
from gateway.runner.egress import GuardedEgress
from gateway.runner.outbound import Subject
from gateway.values import CallId, Private, TenantId

RESTRICTED = "restricted"
"""Why a call of theirs is not taken; also the name of what they are told."""


class PersonsNow(Protocol):
    """``gateway.adapters.stores.subjects``. Raises StoreUnavailable."""

    async def arrive(self, tenant: TenantId, subject: str, call: CallId, at: datetime) -> datetime | None: ...
    async def of_call(self, tenant: TenantId, call: CallId) -> str | None: ...
    async def restricted(self, tenant: TenantId, subject: str) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class Arrived:
    """Who is on the line. ``barred``: empty, ``restricted``, or the code of an error: then nothing may be heard."""

    subject: str = ""
    barred: str = ""

    @property
    def facts(self) -> dict[str, Json]:
        """For ``call.started``."""
        return {"subject": self.subject} if self.subject else {}


class Callers:
    """Knows persons by their hashes only."""

    def __init__(self, persons: PersonsNow, subject: Subject, clock: Clock) -> None:
        self._persons = persons
        self._subject = subject
        self._clock = clock

    def subject(self, tenant: TenantPolicy, number: Private[str]) -> str:
        """The keyed hash of a number in any usual form. Raises InvalidRequest, without repeating it."""
        return self._subject(TenantId(tenant.tenant), number)

    async def calling(self, tenant: TenantPolicy, call: CallId, number: Private[str]) -> Arrived:
        """Note whose call it is, before anything of it is kept. Does not raise: where nobody can tell, the call is barred."""
        try:
            subject = self.subject(tenant, number)
        except InvalidRequest:
            return Arrived()
        try:
            since = await self._persons.arrive(TenantId(tenant.tenant), subject, call, self._clock.now())
        except SordinoError as error:
            return Arrived(subject, error.code)
        return Arrived(subject, "" if since is None else RESTRICTED)

    def heeding(self, egress: Egress, tenant: TenantId, subject: str) -> Egress:
        """The door of a call of this person, who may restrict it while it goes on; of nobody that is known: the door as it is."""
        if not subject:
            return egress

        @asynccontextmanager
        async def guard() -> AsyncIterator[None]:
            if await self._persons.restricted(tenant, subject) is not None:
                raise refusal()
            yield

        return GuardedEgress(egress, guard)

    async def of_call(self, tenant: TenantId, call: CallId) -> str:
        """Whose call it is; empty: nobody's that is known. Raises StoreUnavailable."""
        return await self._persons.of_call(tenant, call) or ""

    async def speaking(self, tenant: TenantId, call: CallId, subject: str) -> None:
        """A program speaks for this person.

        Raises:
            PolicyRefused: they have restricted the use of their data.
            StoreUnavailable: nobody can tell.
        """
        if await self._persons.arrive(tenant, subject, call, self._clock.now()) is not None:
            raise refusal()


def refusal() -> PolicyRefused:
    """What a program is told that speaks for somebody whose data may only be stored."""
    reason = "this person has restricted the use of their data: it is only stored (GDPR art. 18)"
    return PolicyRefused(reason, hint="sordino rights lift ends it, when they ask", reasons=(reason,))


def home_of(tenant: TenantPolicy) -> str:
    """The country of numbers in national form: the first that the tenant's callers come from."""
    return next((each for each in tenant.origins if len(each) == 2 and each != "eu"), "")


def homes(tenants: Callable[[], Mapping[TenantId, TenantPolicy]]) -> Callable[[TenantId], str]:
    """The same by the tenant's name, as the policies are when it is asked; empty for who is not among them."""

    def home(tenant: TenantId) -> str:
        policy = tenants().get(tenant)
        return "" if policy is None else home_of(policy)

    return home


def promised(tenant: TenantPolicy) -> dict[str, Json]:
    """For ``call.started``: how long each class of this call's data is kept, in seconds."""
    kept = {name: length for name, length in tenant.retention if isinstance(length, timedelta)}
    return {"retention": {name: int(length.total_seconds()) for name, length in sorted(kept.items())}}
