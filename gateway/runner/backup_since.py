"""What happened since a backup was made, from newer evidence, and what of it a restored store must be told again.

Deletions, holds, objections of persons and the end of tenants all stand in the evidence. So a store that comes back from a backup
learns from the newest evidence what must not come back with it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from gateway.adapters.audit.bundle_file import open_bundle
from gateway.adapters.stores import names
from gateway.adapters.stores.redis import Store
from gateway.errors import BackupInvalid, EvidenceInvalid
from gateway.evidence.bundle import CHAIN, verify_bundle
from gateway.evidence.canonical import canonical, parse
from gateway.evidence.chain import MEMORY, entry_from, record
from gateway.evidence.entries import Entry
from gateway.evidence.lines import LONGEST_LINE, split
from gateway.values import TenantId


class Source(Protocol):
    """Where newer evidence is. Raises StoreUnavailable, EvidenceInvalid."""

    def entries(self, tenant: TenantId, *, after: int) -> AsyncIterator[Entry]: ...


class BundleSource:
    """A bundle of ``sordino evidence export``."""

    def __init__(self, path: Path, trusted_key: bytes | None) -> None:
        """Raises EvidenceInvalid: it does not verify, or another key signed it. OSError."""
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
    rectified: list[str] = field(default_factory=list)
    """Calls whose words were put right since: the backup has them as they were before, and nobody else knows the right ones."""
    left: bool = False
    """The tenant's key was destroyed: nothing but its evidence is there."""
    came_back: list[str] = field(default_factory=list)


async def append_newer(store: Store, tenant: TenantId, head: tuple[int, str], sources: Iterable[Source]) -> tuple[int, str]:
    """Put what is newer behind the chain in the store, as it was written. The new head.

    Raises:
        BackupInvalid: the newer evidence does not continue this chain.
    """
    stream = names.key(tenant, "evidence")
    for source in sources:
        async for entry in source.entries(tenant, after=head[0]):
            if (entry.seq, entry.previous) != (head[0] + 1, head[1]):
                raise BackupInvalid(
                    f"entry {entry.seq} of tenant {tenant} in the newer evidence does not follow entry {head[0]} of the backup",
                    hint="take the evidence of the store that the backup was made of, from its beginning or without a gap",
                )
            await store.ask("XADD", stream, f"{entry.seq}-0", "hash", entry.hash, "entry", canonical(record(entry)))
            head = (entry.seq, entry.hash)
    return head


async def verify_links(entries: AsyncIterator[Entry], tenant: TenantId, first: str) -> tuple[int, str]:
    """Walk the whole chain; its end. Each entry's own hash was checked by who read it. Raises EvidenceInvalid."""
    seq, head = 0, first
    async for entry in entries:
        if entry.seq != seq + 1 or entry.previous != head or entry.draft.tenant != tenant:
            raise EvidenceInvalid(f"entry {entry.seq} of tenant {tenant} does not follow entry {seq}")
        seq, head = entry.seq, entry.hash
    return seq, head
