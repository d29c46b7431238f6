"""Reads all that is kept of one person and hands it out as one ZIP file: a page for people, data for programs, every file.

It leaves piece by piece and lies nowhere in clear meanwhile. Its last piece makes it readable: one that broke off opens nowhere.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from gateway.evidence.chain import timestamp
from gateway.evidence.entries import Entry, Json
from gateway.policy.consent import ConsentRecord
from gateway.policy.model import TenantPolicy
from gateway.reports.rights_dossier import Dossier, FileOf, as_data
from gateway.reports.rights_facts import Reading
from gateway.reports.rights_page import page
from gateway.reports.rights_schema import DATA_SCHEMA
from gateway.runner.holdings import Holding, Item
from gateway.runner.rights_zip import ZipStream
from gateway.values import CallId, DataClass, Private, TenantId

TOGETHER = 32
"""Calls that are asked for at once."""
PAGE_NAME, DATA_NAME, SCHEMA_NAME = "index.html", "data.json", "data.schema.json"
SAID_IN_EVIDENCE = frozenset({DataClass.EVIDENCE, DataClass.TRACES})
"""Classes without files of their own: the evidence is what the page is written from, traces hold no person."""


class Persons(Protocol):
    """``gateway.adapters.stores.subjects``."""

    async def calls(self, tenant: TenantId, subject: str) -> Sequence[CallId]: ...
    async def theirs(self, tenant: TenantId, subject: str, call: CallId) -> bool: ...
    async def of_call(self, tenant: TenantId, call: CallId) -> str | None: ...
    async def forget(self, tenant: TenantId, subject: str, calls: Sequence[CallId] | None = None) -> int: ...
    async def restrict(self, tenant: TenantId, subject: str, at: datetime) -> datetime: ...
    async def lift(self, tenant: TenantId, subject: str) -> bool: ...
    async def restricted(self, tenant: TenantId, subject: str) -> datetime | None: ...


class ConsentsOf(Protocol):
    async def of(self, tenant: TenantId, subject: str) -> Sequence[ConsentRecord]: ...


class OptedOut(Protocol):
    async def opted_out(self, tenant: TenantId, subject: str) -> datetime | None: ...


class ReadCalls(Protocol):
    """The entries of these calls, each call's in order. Raises StoreUnavailable, EvidenceInvalid, EvidenceUnavailable."""

    def __call__(self, tenant: TenantId, calls: Sequence[CallId]) -> AsyncIterator[Entry]: ...


Head = Callable[[TenantId], Awaitable[tuple[int, str]]]
"""Place and hash of the tenant's last entry."""
Done = Callable[[Mapping[str, Json]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a person's data is."""

    persons: Persons
    holdings: Sequence[Holding]
    read: ReadCalls
    head: Head
    consents: ConsentsOf
    suppression: OptedOut


@dataclass(frozen=True, slots=True)
class Handout:
    """What is handed out: a ZIP file in pieces. ``facts`` say how much."""

    name: str
    facts: Mapping[str, Json]
    pieces: AsyncIterator[bytes]


async def facts_of(kept: Kept, policy: TenantPolicy, dossier: Dossier, calls: Sequence[CallId]) -> Dossier:
    """The dossier with everything that stands in evidence and stores, without files."""
    tenant, reading, seen = TenantId(policy.tenant), Reading(), set[CallId]()
    async for entry in kept.read(tenant, calls):
        reading.add(entry)
        seen.add(entry.draft.call)
    opted_out = await kept.suppression.opted_out(tenant, dossier.subject)
    restricted = await kept.persons.restricted(tenant, dossier.subject)
    return replace(
        dossier,
        calls=reading.calls,
        recipients=reading.recipients,
        head=await kept.head(tenant),
        unread=[call for call in calls if call not in seen],
        consents=[_consent(each) for each in await kept.consents.of(tenant, dossier.subject)],
        opted_out=timestamp(opted_out) if opted_out else "",
        restricted=timestamp(restricted) if restricted else "",
        retention_s={name: int(length.total_seconds()) for name, length in policy.retention if isinstance(length, timedelta)},
    )


async def items_of(
    kept: Kept, tenant: TenantId, subject: str, calls: Sequence[CallId], *, whole: bool
) -> list[tuple[Holding, Item]]:
    """Everything that is kept of these calls, and with ``whole`` of the person beside them."""
    found: list[tuple[Holding, Item]] = []
    for at in range(0, len(calls), TOGETHER):
        asked = [(holding, call) for call in calls[at : at + TOGETHER] for holding in kept.holdings]
        items = await asyncio.gather(*(holding.of_call(tenant, call) for holding, call in asked))
        found += [(holding, item) for (holding, _), item in zip(asked, items, strict=True) if item is not None]
    for holding in kept.holdings if whole else ():
        if (item := await holding.of_person(tenant, subject)) is not None:
            found.append((holding, item))
    return found


async def zipped(dossier: Dossier, items: Sequence[tuple[Holding, Item]], done: Done) -> AsyncIterator[bytes]:
    """The pieces of the file. ``done`` hears its digest and size behind the last one."""
    stream, files = ZipStream(dossier.made), list[FileOf]()
    for holding, item in items:
        if item.data_class in SAID_IN_EVIDENCE:
            continue
        of = "person" if item.id == dossier.subject else item.id
        async for copy in holding.copies(item):
            folder = of if of == "person" else f"calls/{of}"
            name, size, sha256 = stream.free_name(f"{folder}/{copy.name}"), *_measured(copy.content)
            files.append(FileOf(name, item.data_class.value, of, size, sha256))
            async for piece in stream.add(name, copy.content):
                yield piece
    dossier = replace(dossier, files=files)
    data = json.dumps(as_data(dossier), ensure_ascii=False, indent=1).encode()
    schema = json.dumps(DATA_SCHEMA, ensure_ascii=False, indent=1).encode()
    own = ((SCHEMA_NAME, schema), (DATA_NAME, data), (PAGE_NAME, page(dossier).encode()))
    for name, content in own:
        async for piece in stream.add(stream.free_name(name), Private(content)):
            yield piece
    yield stream.end()
    await done({"files": len(files) + len(own), "bytes": stream.size, "sha256": stream.sha256})


def _measured(content: Private[bytes]) -> tuple[int, str]:
    data = content.reveal()
    return len(data), hashlib.sha256(data).hexdigest()


def _consent(record: ConsentRecord) -> dict[str, str]:
    until = {"until": timestamp(record.until)} if record.until else {}
    said = {"at": timestamp(record.at), "answer": record.answer.value, "purpose": record.purpose, "how": record.how.value}
    return {**said, "proof": record.proof, **until}
