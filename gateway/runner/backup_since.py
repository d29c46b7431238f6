"""What happened since a backup was made, from newer evidence, and what of it a restored store must be told again.

Deletions, holds, objections of persons and the end of tenants all stand in the evidence. So a store that comes back from a backup
learns from the newest evidence what must not come back with it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from gateway.adapters.audit.bundle_file import open_bundle
from gateway.adapters.stores import names
from gateway.adapters.stores.snapshot import Piece, Snapshot, Type, packed
from gateway.errors import BackupInvalid, EvidenceInvalid
from gateway.evidence.bundle import CHAIN, verify_bundle
from gateway.evidence.canonical import canonical, parse
from gateway.evidence.chain import MEMORY, entry_from, record
from gateway.evidence.entries import Entry
from gateway.evidence.lines import LONGEST_LINE, split
from gateway.values import TenantId

HOUSE = TenantId("_gateway")
"""Whose the evidence and the cases are that concern no tenant alone: nothing is deleted of it."""
AT_ONCE = 1_000
"""Parts that are written at once: half as many entries."""


class Source(Protocol):
    """Where newer evidence is. Raises StoreUnavailable, EvidenceInvalid."""

    def entries(self, tenant: TenantId, *, after: int) -> AsyncIterator[Entry]: ...


class BundleSource:
    """A bundle of ``sordino evidence export``."""

    def __init__(self, path: Path, trusted_key: bytes) -> None:
        """Raises EvidenceInvalid: it does not verify, or another key signed it: who could make one would decide what is deleted.

        OSError.
        """
        with open_bundle(path) as file:
            self.tenant = TenantId(verify_bundle(file.manifest, file.chunks, trusted_key).tenant)
        self._path = path

    async def entries(self, tenant: TenantId, *, after: int) -> AsyncIterator[Entry]:
        if tenant != self.tenant:
            return
        with open_bundle(self._path) as file:
            for line in split(file.chunks(CHAIN), CHAIN, LONGEST_LINE):
                entry = entry_from(parse(line), durable=MEMORY)
                if entry.seq > after:
                    yield entry


@dataclass(slots=True)
class Since:
    """What a restored store did of one tenant. ``came_back`` must be empty, or the restore is none."""

    entries: int = 0
    """Entries of the evidence that were newer than the backup's."""
    deletions: int = 0
    """Certified deletions behind the head of the backup's header."""
    deleted_again: int = 0
    """Things that they had deleted and that the backup still had."""
    holds: int = 0
    objections: int = 0
    consents: int = 0
    """What was agreed to since, and is known again."""
    consents_unknown: int = 0
    """What was agreed to since and is named nowhere one by one: these people must be asked anew."""
    rectified: list[str] = field(default_factory=list)
    """Calls, and persons by their keyed hash, of whom the backup had words that were put right since: these were taken out."""
    left: bool = False
    """The tenant's key was destroyed: nothing but its evidence is there."""
    came_back: list[str] = field(default_factory=list)


async def append_newer(snapshot: Snapshot, tenant: TenantId, head: tuple[int, str], sources: Iterable[Source]) -> tuple[int, str]:
    """Put what is newer behind the chain in the store, as it was written. The new head.

    Raises:
        BackupInvalid: the newer evidence does not continue this chain, or does not reach it: then nobody knows what was deleted.
    """
    waiting: list[bytes] = []
    first = head[1]
    known, covered = head[0], head[0] == 0 or tenant == HOUSE
    for source in sources:
        async for entry in source.entries(tenant, after=max(0, head[0] - 1)):
            if (entry.seq, entry.hash) == head:
                # A store has all that there is; a bundle that ends here was made before the backup, or says nothing of after it.
                covered = covered or not isinstance(source, BundleSource)
                continue
            if entry.seq > head[0] + 1 and head == (known, first) and not isinstance(source, BundleSource):
                raise BackupInvalid(
                    f"entries {head[0] + 1} to {entry.seq - 1} of tenant {tenant}, which follow those of the backup, were "
                    "deleted after their time: nobody knows any more what was deleted of its data meanwhile",
                    hint="take a newer backup",
                )
            if (entry.seq, entry.previous) != (head[0] + 1, head[1]):
                raise BackupInvalid(
                    f"entry {entry.seq} of tenant {tenant} in the newer evidence does not follow entry {head[0]} of the backup",
                    hint="take the evidence of the store that the backup was made of, from its beginning or without a gap",
                )
            written = packed([b"hash", entry.hash.encode(), b"entry", canonical(record(entry))])
            waiting += [f"{entry.seq}-0".encode(), written]
            head, covered = (entry.seq, entry.hash), True
            if len(waiting) >= AT_ONCE:
                await _append(snapshot, tenant, waiting)
                waiting = []
    if not covered:
        raise BackupInvalid(
            f"nothing tells what was deleted of tenant {tenant} since: the newer evidence ends at or before entry {known}",
            hint="name the newest evidence of every tenant that is in the backup",
        )
    await _append(snapshot, tenant, waiting)
    return head


async def _append(snapshot: Snapshot, tenant: TenantId, parts: Sequence[bytes]) -> None:
    if parts:
        await snapshot.write(
            [Piece(names.key(tenant, "evidence"), Type.STREAM, tuple(parts), first=False, expires_ms=0)], now_ms=0
        )


async def verify_links(entries: AsyncIterator[Entry], tenant: TenantId, before: tuple[int, str]) -> tuple[int, str]:
    """Walk the whole chain from behind ``before``; its end. Each entry's own hash was checked by who read it.

    Raises EvidenceInvalid.
    """
    seq, head = before
    async for entry in entries:
        if entry.seq != seq + 1 or entry.previous != head or entry.draft.tenant != tenant:
            raise EvidenceInvalid(f"entry {entry.seq} of tenant {tenant} does not follow entry {seq}")
        seq, head = entry.seq, entry.hash
    return seq, head
