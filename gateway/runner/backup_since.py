"""What happened since a backup was made, from newer evidence, and what of it a restored store must be told again.

Deletions, holds, objections of persons and the end of tenants all stand in the evidence. So a store that comes back from a backup
learns from the newest evidence what must not come back with it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

from gateway.adapters.audit.bundle_file import open_bundle
from gateway.adapters.stores import names
from gateway.adapters.stores.holds import RedisHolds
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.subjects import RedisSubjects
from gateway.adapters.stores.suppression import RedisSuppression
from gateway.errors import BackupInvalid, EvidenceInvalid
from gateway.evidence.bundle import CHAIN, verify_bundle
from gateway.evidence.canonical import canonical, parse
from gateway.evidence.certificate import KIND as DELETED
from gateway.evidence.chain import MEMORY, entry_from, record
from gateway.evidence.entries import Entry
from gateway.evidence.lines import LONGEST_LINE, split
from gateway.policy.retention import Hold, HoldScope
from gateway.runner.holdings import Holding, Item
from gateway.values import CallId, DataClass, TenantId

LEFT = "offboarding.key_destroyed"
"""The kind of the entry that ends a tenant: none of its data comes back."""
OF_OFFBOARDING = "offboarding."
RECTIFIED = "transcript.rectified"


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


@dataclass(frozen=True, slots=True)
class Replay:
    """Tells one tenant's restored store what happened since, and looks afterwards whether anything came back."""

    store: Store
    holdings: Sequence[Holding]

    async def run(self, entries: AsyncIterator[Entry], done: Since) -> Since:
        """``entries``: those behind the head of the backup's header. Raises BackupInvalid, StoreUnavailable."""
        async for entry in entries:
            kind, body = entry.draft.kind, entry.draft.body
            if kind == DELETED:
                done.deletions += 1
                done.deleted_again += await self._delete(entry.draft.tenant, body)
            elif kind in ("hold.placed", "hold.lifted"):
                done.holds += 1
                await self._hold(entry.draft.tenant, kind, body)
            elif kind in _OBJECTIONS:
                done.objections += await self._object(entry)
            elif kind == RECTIFIED:
                done.rectified.append(entry.draft.call)
            elif kind.startswith(OF_OFFBOARDING):
                done.left = done.left or kind == LEFT
        return done

    async def prove(self, entries: AsyncIterator[Entry], done: Since) -> Since:
        """Look for everything that was deleted since: whatever is there came back."""
        async for entry in entries:
            if entry.draft.kind == DELETED and (item := await self._there(entry.draft.tenant, entry.draft.body)):
                done.came_back.append(f"{item.holding} {item.id}")
        return done

    async def _delete(self, tenant: TenantId, body: Mapping[str, Any]) -> int:
        item = await self._there(tenant, body)
        if item is None:
            return 0
        await self._holding(str(body["holding"])).delete(item)
        return 1

    async def _there(self, tenant: TenantId, body: Mapping[str, Any]) -> Item | None:
        """What was deleted, if it is here. A person who came back afterwards is another matter; a call never comes back."""
        holding, of = self._holding(str(body["holding"])), str(body["of"])
        if (item := await holding.of_call(tenant, CallId(of))) is not None:
            return item
        item = await holding.of_person(tenant, of)
        return None if item is None or item.since > datetime.fromisoformat(str(body["gone"])) else item

    def _holding(self, name: str) -> Holding:
        for holding in self.holdings:
            if holding.name == name:
                return holding
        raise BackupInvalid(
            f"something was deleted from {name} since, and this version of Sordino has no such place",
            hint="restore with the version that the gateway runs",
        )

    async def _hold(self, tenant: TenantId, kind: str, body: Mapping[str, Any]) -> None:
        holds = RedisHolds(self.store)
        if kind == "hold.lifted":
            await holds.lift(tenant, str(body["hold"]))
            return
        await holds.place(_hold_of(tenant, body))

    async def _object(self, entry: Entry) -> int:
        tenant, kind, body = entry.draft.tenant, entry.draft.kind, entry.draft.body
        subject = body.get("subject")
        if not isinstance(subject, str):
            return 0
        if kind == "outbound.opted_out":
            since = datetime.fromisoformat(str(body["not_to_be_called_since"]))
            await RedisSuppression(self.store).opt_out(tenant, subject, since)
        elif kind == "outbound.lifted":
            await RedisSuppression(self.store).lift(tenant, subject)
        elif kind == "rights.restricted":
            await RedisSubjects(self.store).restrict(tenant, subject, entry.draft.at)
        else:
            await RedisSubjects(self.store).lift(tenant, subject)
        return 1


_OBJECTIONS = ("outbound.opted_out", "outbound.lifted", "rights.restricted", "rights.lifted")


def _hold_of(tenant: TenantId, body: Mapping[str, Any]) -> Hold:
    scope: Mapping[str, str] = body["scope"]
    start, end = (datetime.fromisoformat(scope[name]) if name in scope else None for name in ("from", "to"))
    kept = HoldScope(
        call=CallId(scope["call"]) if "call" in scope else None,
        subject=scope.get("subject"),
        data_class=DataClass(scope["class"]) if "class" in scope else None,
        start=start,
        end=end,
    )
    about = (str(body["reason"]), str(body["approver"]), date.fromisoformat(body["review"]))
    return Hold(str(body["hold"]), tenant, kept, *about, datetime.fromisoformat(body["placed"]), str(body["by"]))
