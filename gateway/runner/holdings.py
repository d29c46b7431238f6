"""What is kept, as those see it who must delete it, hand it out or bring it back: classes of data, and the places that hold them.

Retention, the rights of callers, the end of a tenant and a restore all go through ``Holding``. So a new place of data is one
more holding, and nobody forgets it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from gateway.errors import StoreUnavailable
from gateway.values import CallId, DataClass, Private, TenantId

CALLERS, SPOKEN, PERSONS = "callers", "spoken", "persons"
LINKS = frozenset({CALLERS, SPOKEN, PERSONS})
"""The holdings that know which calls are whose, of one call and of a person: the last ones to go."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is kept. ``since`` is aware UTC: from then on its time to live counts."""

    data_class: DataClass
    tenant: TenantId
    id: str
    """The call's id; for what is kept of a person (contact, consent) the keyed hash of the number."""
    holding: str
    """The name of the holding that has it."""
    since: datetime
    keep: timedelta | None = None
    """What the policy of its call promised; None: only the policy in force counts."""
    key_id: str = ""
    """The key that dies with it; empty where its place has none of its own."""


@dataclass(frozen=True, slots=True)
class Deleted:
    """What one deletion did: the places (``store``, ``disk``…) that have nothing of it any more, and the key that died."""

    where: tuple[str, ...]
    key_id: str = ""


@dataclass(frozen=True, slots=True)
class Copy:
    """One file of what is kept, for who has the right to it. ``name`` is a relative path without private text."""

    name: str
    content: Private[bytes]


def moment(text: str) -> datetime:
    """A time that a place keeps as text. Raises StoreUnavailable: it is none."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise StoreUnavailable("the store holds a time that cannot be read", hint="restore it from a backup") from None


class Holding(Protocol):
    """One class of data in one kind of place. Every method raises StoreUnavailable when the place does not answer."""

    @property
    def name(self) -> str:
        """``recordings``, ``receipts``, ``consents``…: unlike that of any other holding."""
        ...

    @property
    def data_class(self) -> DataClass: ...

    def items(self, tenant: TenantId) -> AsyncIterator[Item]:
        """Everything of this tenant, the oldest first where the place knows."""
        ...

    async def of_call(self, tenant: TenantId, call: CallId) -> Item | None:
        """What is kept of this call; None also where the holding is of persons."""
        ...

    async def of_person(self, tenant: TenantId, subject: str) -> Item | None:
        """What is kept under this keyed hash; None also where the holding is of calls."""
        ...

    async def delete(self, item: Item) -> Deleted:
        """Destroy its key, then the data, everywhere. Done when it answers; what is gone already is no error."""
        ...

    def copies(self, item: Item) -> AsyncIterator[Copy]:
        """Its content, readable by people or machines, for access, portability and the export at a tenant's end."""
        ...


class OfCalls:
    """For a holding whose things are of calls."""

    async def of_person(self, tenant: TenantId, subject: str) -> Item | None:
        return None


class OfPersons:
    """For a holding whose things are of persons."""

    async def of_call(self, tenant: TenantId, call: CallId) -> Item | None:
        return None


class HandedToNobody:
    """For a holding whose content is for no reader."""

    async def copies(self, item: Item) -> AsyncIterator[Copy]:
        for each in list[Copy]():
            yield each


class Link(OfCalls, HandedToNobody):
    """For a holding of whose call a call is: asked of one call at a time, and listed with the person."""

    async def items(self, tenant: TenantId) -> AsyncIterator[Item]:
        for each in list[Item]():
            yield each
