"""Who was named by what was said on a call: noted as a keyed hash, so that a call without a number can be found again.

What is said is a claim: whoever knows an address can say it. So a request that names one finds calls, and proves nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, cast

from gateway.errors import InvalidRequest
from gateway.policy.model import TenantPolicy
from gateway.policy.phone import e164
from gateway.policy.spoken_identity import IDENTIFYING, how_to_mend, why_not
from gateway.ports import Clock, Egress, Masker
from gateway.redaction.identity import PHONE, SHORTEST, form_of
from gateway.redaction.mask import Masked
from gateway.redaction.placeholder import scanner
from gateway.runner.egress import GuardedEgress
from gateway.runner.places import begun
from gateway.runner.rights_callers import home_of, refusal
from gateway.values import CallId, DataClass, Placeholder, Private, TenantId

Hash = Callable[[TenantId, str, Private[str]], str]
"""The keyed hash of a kind and the one form of a value."""
Restore = Callable[[Placeholder], Private[str] | None]


class SpokenIndex(Protocol):
    """``gateway.adapters.stores.subjects``. Raises StoreUnavailable."""

    async def spoken(self, tenant: TenantId, subject: str, call: CallId, at: datetime, *, instead_of: str = "") -> None: ...
    async def spoken_of(self, tenant: TenantId, call: CallId) -> Sequence[str]: ...
    async def restricted(self, tenant: TenantId, subject: str) -> datetime | None: ...
    async def calls(self, tenant: TenantId, subject: str) -> Sequence[CallId]: ...


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a person says that they said: of which kind, and what."""

    kind: str
    value: Private[str]


class SpokenPersons:
    """Knows persons by the hashes of what they said only."""

    def __init__(self, index: SpokenIndex, hashes: Hash, clock: Clock) -> None:
        self.index = index
        self._hashes = hashes
        self.clock = clock

    def hashed(self, tenant: TenantPolicy, kind: str, value: Private[str]) -> str:
        """The keyed hash of a value, heard or typed; empty: it is no whole one, so it stands for nobody."""
        form = value.map(lambda text: form_of(kind, text, tenant.language) or "")
        if not form:
            return ""
        if kind == PHONE:
            with suppress(InvalidRequest):  # not in any country's plan: then its digits stand for themselves
                form = e164(form, home_of(tenant))
        return self._hashes(TenantId(tenant.tenant), kind, form)

    async def subject(self, tenant: TenantPolicy, spoken: Spoken) -> str:
        """Who is meant by a request.

        Raises:
            InvalidRequest: by this kind nobody is found, here or at all, or the value is not a whole one. It is not repeated.
            StoreUnavailable: nobody can tell.
        """
        kind = spoken.kind
        if reason := why_not(kind):
            raise InvalidRequest(reason, hint=how_to_mend(kind))
        subject = self.hashed(tenant, kind, spoken.value)
        if not subject:
            least = "a whole address: name@example.org" if kind == "EMAIL_ADDRESS" else f"{SHORTEST} letters and digits or more"
            raise InvalidRequest(f"that is no {kind} by which somebody could be found", hint=least)
        # What was noted before the policy took the kind back is theirs all the same.
        if kind not in tenant.spoken_identity and not await self.index.calls(TenantId(tenant.tenant), subject):
            listed = ", ".join(tenant.spoken_identity) or "none"
            raise InvalidRequest(
                f"calls of {tenant.tenant} are not noted by {kind}, so none can be found by it",
                hint=f"its policy names under rights: spoken_identity: {listed}",
            )
        return subject

    def on_call(
        self, tenant: TenantPolicy, call: CallId, values: Mapping[Placeholder, Private[str]] | None = None
    ) -> SpokenOnCall:
        """What is said on this call. ``values``: what its vault holds, where it began at another gateway."""
        return SpokenOnCall(self, tenant, call, values or {})


class SpokenOnCall:
    """What is said on one call by which it is to be found. ``note`` and ``check`` raise StoreUnavailable."""

    def __init__(
        self, persons: SpokenPersons, tenant: TenantPolicy, call: CallId, values: Mapping[Placeholder, Private[str]]
    ) -> None:
        self.kinds = frozenset(tenant.spoken_identity)
        self._persons = persons
        self._tenant = tenant
        self._call = call
        self._before = dict(values)
        self._noted: dict[Placeholder, str] = {}
        self._wanted: dict[Placeholder, str] = {}
        self._turn = asyncio.Lock()

    def hear(self, masked: Masked, restore: Restore) -> None:
        """A caller's turn was masked: what of it stands for a person is noted by the next ``note``.

        A value of which a later turn says more takes the place of what it was taken for.
        """
        if not self.kinds:
            return
        for name, kind in _named(masked):
            value = restore(name) if kind in self.kinds else None
            if value is not None:
                subject = self._persons.hashed(self._tenant, kind, value)
                if self._wanted.get(name, self._noted.get(name, "")) != subject:
                    self._wanted[name] = subject

    async def note(self) -> None:
        """Returns when the store has all that was heard. What it does not take now is tried again with the next turn."""
        if not self._wanted:
            return
        async with self._turn:
            await self._remember()
            for name, subject in tuple(self._wanted.items()):
                before = self._noted.get(name, "")
                others = {said for other, said in (self._noted | self._wanted).items() if other != name}
                gone = before if before not in others else ""
                if subject or gone:
                    at, tenant = self._persons.clock.now(), TenantId(self._tenant.tenant)
                    await self._persons.index.spoken(tenant, subject, self._call, at, instead_of=gone)
                self._noted[name] = subject
                if self._wanted[name] == subject:
                    del self._wanted[name]

    async def check(self) -> None:
        """Raises PolicyRefused: somebody who was named on this call has restricted the use of their data."""
        async with self._turn:
            await self._remember()
        for subject in sorted({each for each in self._noted.values() if each}):
            if await self._persons.index.restricted(TenantId(self._tenant.tenant), subject) is not None:
                raise refusal()

    def heeding(self, egress: Egress) -> Egress:
        """The call's door: shut from the turn on in which somebody says who they are and has restricted their data."""
        if not self.kinds:
            return egress

        @asynccontextmanager
        async def guard() -> AsyncIterator[None]:
            await self.check()
            yield

        return GuardedEgress(egress, guard)

    def moved_to(self, call: CallId) -> SpokenOnCall:
        """The conversation goes on in another call: what was said is said there, too."""
        mine = SpokenOnCall(self._persons, self._tenant, call, {})
        mine._wanted = self._noted | self._wanted
        return mine

    async def _remember(self) -> None:
        """Of a call that began elsewhere: which of its values are noted. Those that are not are heard again."""
        if self._before and self.kinds:
            found = set(await self._persons.index.spoken_of(TenantId(self._tenant.tenant), self._call))
            for name, value in self._before.items():
                subject = self._persons.hashed(self._tenant, _kind_of(name), value)
                if subject in found:
                    self._noted.setdefault(name, subject)
        self._before = {}


class CorrectSpoken:
    """By what a call is found: where a person's address is put right, their calls are found by the right one."""

    name = "spoken"
    data_class = DataClass.METADATA

    def __init__(self, persons: SpokenPersons, tenant: Callable[[str], TenantPolicy]) -> None:
        self._persons = persons
        self._tenant = tenant

    async def stands(self, tenant: TenantId, subject: str, calls: Sequence[CallId], old: Private[str]) -> Sequence[str]:
        return [call async for call, _, _ in self._wrong(tenant, calls, old)]

    async def correct(self, tenant: TenantId, subject: str, calls: Sequence[CallId], old: Private[str], new: Private[str]) -> int:
        policy, count = self._tenant(tenant), 0
        async for call, said, kind in self._wrong(tenant, calls, old):
            right, at = self._persons.hashed(policy, kind, new), begun(call) or self._persons.clock.now()
            await self._persons.index.spoken(tenant, right, call, at, instead_of="" if right == said else said)
            count += 1
        return count

    async def _wrong(
        self, tenant: TenantId, calls: Sequence[CallId], old: Private[str]
    ) -> AsyncIterator[tuple[CallId, str, str]]:
        """Under which hash, as which kind, the value finds which of these calls."""
        policy = self._tenant(tenant)
        wrong = {self._persons.hashed(policy, kind, old): kind for kind in IDENTIFYING} if calls else {}
        for call in calls:
            for said in await self._persons.index.spoken_of(tenant, call):
                if kind := wrong.get(said):
                    yield call, said, kind


def noting(masker: Masker, spoken: SpokenOnCall) -> Masker:
    """A call's masker that has noted whom a caller's turn names before anybody gets its masked text."""
    return cast(Masker, _NotingMasker(masker, spoken)) if spoken.kinds else masker


@dataclass(slots=True)
class _NotingMasker:
    """Only ``mask`` is its own: whatever else a masker can do goes to the one behind it."""

    masker: Masker
    spoken: SpokenOnCall

    async def mask(self, text: Private[str], *, previous: str = "", from_model: bool = False, said: bool = True) -> Masked:
        masked = await self.masker.mask(text, previous=previous, from_model=from_model, said=said)
        if said and not from_model:
            self.spoken.hear(masked, self.masker.restore)
            await self.spoken.note()
        return masked

    def __getattr__(self, name: str) -> Any:
        return getattr(self.masker, name)


def _named(masked: Masked) -> Iterable[tuple[Placeholder, str]]:
    """The placeholders of a turn, and those of earlier words of which it tells, with their kinds."""
    found = {each.name: str(each.entity) for each in scanner().all(masked.text) if each.number is not None}
    return (found | {name: _kind_of(name) for name in masked.new}).items()


def _kind_of(name: Placeholder) -> str:
    found = scanner().at(name, 0)
    return "" if found is None else str(found.entity)
