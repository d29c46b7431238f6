"""A backup comes back: into an empty store, without anything that was deleted since, and with a record of it.

In this order: the file is read to its end before anything is written; keys come from the newest ``keys.sealed``; data and files
are written; newer evidence is put behind the chain; what it says was deleted, held, objected to or ended since is done again; the
new store is searched for everything that was deleted, and the chains are walked. One thing that came back, and it is none.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from gateway.adapters.audit.backup_file import DATA, BackupReader, Header, Kind, Record, open_backup, read_header
from gateway.adapters.recordings.folder import Folder
from gateway.adapters.stores import names
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.recordings import RedisRecordings
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.snapshot import Piece, Snapshot
from gateway.errors import BackupInvalid, InvalidRequest
from gateway.evidence.chain import genesis
from gateway.evidence.entries import Entry, Json
from gateway.locks import KeyShelf, MasterLocks
from gateway.ports import Clock, Ids
from gateway.runner.account import CallAccount
from gateway.runner.backup import INSTRUCTIONS, RECEIPTS, RECORDINGS, Tell, in_batches
from gateway.runner.backup_keys import keys_of, secret_of, tenant_key
from gateway.runner.backup_pieces import TYPES
from gateway.runner.backup_replay import Replay
from gateway.runner.backup_since import Since, Source, append_newer, verify_links
from gateway.runner.holdings import Holding
from gateway.values import CallId, TenantId

RESTORED, DRILLED = "backup.restored", "drill.passed"


@dataclass(frozen=True, slots=True)
class RestoreParts:
    """Where a backup is restored to. ``data`` is the SORDINO_DATA of what it becomes.

    ``open_holdings`` opens every place of data there; it is asked once the keys are there.
    """

    store: Store
    snapshot: Snapshot
    ledger: RedisLedger
    data: Path
    shelf: KeyShelf
    masters: MasterLocks
    open_holdings: Callable[[], Awaitable[Sequence[Holding]]]
    clock: Clock
    ids: Ids


@dataclass(slots=True)
class OfTenant:
    """What a restore did of one tenant."""

    records: int = 0
    files: int = 0
    unreadable: bool = False
    """The tenant's key was destroyed: its data in this backup is as good as random bytes."""
    entries: int = 0
    head: str = ""
    since: Since = field(default_factory=Since)


@dataclass(frozen=True, slots=True)
class Restored:
    """A restore that is one: nothing that was deleted came back, and every chain is whole."""

    header: Header
    keys_made: str
    """When ``keys.sealed`` was made, RFC 3339."""
    tenants: Mapping[TenantId, OfTenant]

    def document(self) -> dict[str, Json]:
        """As JSON values, for the record."""
        header = self.header
        told: dict[str, Json] = {str(tenant): asdict(each) for tenant, each in self.tenants.items()}
        return {"backup": header.id, "made": header.made, "region": header.region, "keys_made": self.keys_made, "tenants": told}


class Restoring:
    """``await Restoring(parts).run(file, sealed, sources)``, once."""

    def __init__(self, parts: RestoreParts, *, tell: Tell = lambda text: None) -> None:
        self._p = parts
        self._tell = tell
        self._files = _Files(parts.data)

    async def run(self, file: Path, sealed: Path, sources: Sequence[Source]) -> Restored:
        """Bring the backup back. ``sources``: newer evidence, the newest last; none: what was deleted since comes back.

        Raises:
            BackupInvalid: the file or its keys are not what was written, newer evidence does not continue its chains, or
                something that was deleted came back. What was written by then is to be thrown away.
            InvalidRequest: the store, or the data folder, is not empty.
            StoreUnavailable, EvidenceInvalid, OSError.
        """
        header = await asyncio.to_thread(read_header, file)
        found = {tenant: OfTenant() for tenant in header.tenants}
        await self._check_empty(header)
        keys_made = await self._keys(sealed)
        of_tenant = {tenant: await tenant_key(self._p.shelf, tenant, create=False) for tenant in _of_data(header)}
        keys = keys_of(secret_of(header, self._p.masters), header.sections, of_tenant)
        with open_backup(file, lambda _: keys) as backup:
            for section in backup.erased:
                found[section.tenant].unreadable = True
            self._tell("reading it to its end")
            await asyncio.to_thread(_exhaust, backup)
            self._tell("writing")
            await self._write(backup, found)
        holdings = await self._p.open_holdings()
        await self._own_recordings(header.tenants)
        for tenant in header.tenants:
            self._tell(f"what happened since, of {tenant}")
            await self._since(header, tenant, sources, holdings, found[tenant])
        lost = [f"{tenant}: {each}" for tenant, of in found.items() for each in of.since.came_back]
        if lost:
            raise BackupInvalid(
                f"{len(lost)} things that were deleted came back: {', '.join(lost[:3])}",
                hint="throw this store away, and tell us",
            )
        return Restored(header, keys_made, found)

    async def _check_empty(self, header: Header) -> None:
        if (tenant := await self._p.snapshot.anything_of(header.tenants)) is not None:
            raise InvalidRequest(f"there is data of tenant {tenant} in that store already", hint="restore into an empty one")
        if await asyncio.to_thread(self._files.anything_of, header.tenants):
            raise InvalidRequest(f"there are files of calls under {self._p.data} already", hint="restore into an empty folder")

    async def _keys(self, sealed: Path) -> str:
        """Put the keys in their places."""
        header = await asyncio.to_thread(read_header, sealed)
        keys = keys_of(secret_of(header, self._p.masters), header.sections, {})
        with open_backup(sealed, lambda _: keys) as backup:
            await asyncio.to_thread(_exhaust, backup)
            async for batch in in_batches(backup.records()):
                await self._p.snapshot.write([_piece(record) for _, record in batch], now_ms=self._now_ms())
        return header.made

    async def _write(self, backup: BackupReader, found: Mapping[TenantId, OfTenant]) -> None:
        written = 0
        async for batch in in_batches(backup.records()):
            pieces = [_piece(record) for _, record in batch if record.kind is not Kind.FILE]
            await self._p.snapshot.write(pieces, now_ms=self._now_ms())
            files = [record for _, record in batch if record.kind is Kind.FILE]
            await asyncio.to_thread(self._files.write, files)
            for section, record in batch:
                if (of := found.get(section.tenant)) is not None:
                    of.records += 1
                    of.files += record.kind is Kind.FILE and record.first
            written += len(batch)
            self._tell(f"{written} records")

    async def _own_recordings(self, tenants: Sequence[TenantId]) -> None:
        """The files that came back lie on this gateway's disk now."""
        folder, index = Folder(self._p.data / RECORDINGS), RedisRecordings(self._p.store)
        for tenant in tenants:
            for facts in await index.list(tenant):
                if await asyncio.to_thread(folder.path(tenant, facts.call).exists):
                    await index.change(tenant, facts.call, folder=folder.name)

    async def _since(
        self, header: Header, tenant: TenantId, sources: Sequence[Source], holdings: Sequence[Holding], of: OfTenant
    ) -> None:
        parts, first = self._p, genesis(tenant)
        seq, head = await parts.snapshot.head(tenant)
        of.entries, of.head = seq, head or first
        if sources:
            of.entries, of.head = await append_newer(parts.snapshot, tenant, (seq, of.head), sources)
        of.since.entries = of.entries - seq
        cut = await parts.ledger.beginning(tenant)
        before = (0, first) if cut is None else (cut.last, cut.hash)
        if await verify_links(self._entries(tenant, 0), tenant, before) != (of.entries, of.head):
            raise BackupInvalid(f"the evidence of tenant {tenant} does not end where it should", hint="restore it again")
        at = next(section.seq for section in header.sections if section.tenant == tenant)
        replay = Replay(parts.store, holdings, parts.shelf)
        await replay.run(self._entries(tenant, at), of.since)
        if of.since.left:
            await parts.snapshot.remove(tenant, but_what_outlives=True)
            await asyncio.to_thread(self._files.remove, tenant)
        await replay.prove(self._entries(tenant, at), of.since)

    def _entries(self, tenant: TenantId, after: int) -> AsyncIterator[Entry]:
        return self._p.ledger.entries(tenant, after=after)

    def _now_ms(self) -> int:
        return int(self._p.clock.now().timestamp() * 1000)

    async def record(self, done: Restored, kind: str, ledger: RedisLedger) -> None:
        """Write into each tenant's evidence that it was restored, or that a drill was passed. Raises EvidenceUnavailable."""
        thread = CallId(self._p.ids.new("restore"))
        for tenant, of in done.tenants.items():
            since = of.since
            facts: dict[str, Json] = {
                "backup": done.header.id,
                "made": done.header.made,
                "records": of.records,
                "files": of.files,
                "deletions_since": since.deletions,
                "deleted_again": since.deleted_again,
                "came_back": len(since.came_back),
                "objections_since": since.objections,
                "consents_since": since.consents,
                "consents_unknown": since.consents_unknown,
                "rectified_removed": list(since.rectified),
                "seq": of.entries,
                "head": of.head,
            }
            await CallAccount(tenant, thread, ledger, self._p.clock).write(kind, facts)


class _Files:
    """The files of calls under one data folder."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def write(self, records: Sequence[Record]) -> None:
        """Write pieces of files in their order. Raises BackupInvalid, OSError."""
        for record in records:
            path = self._path(record.name)
            if record.first:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                path.touch(mode=0o600)
            with path.open("wb" if record.first else "ab") as file:
                file.write(b"".join(record.parts))

    def anything_of(self, tenants: Sequence[TenantId]) -> bool:
        folders = [self._data / kind / tenant for kind in (RECEIPTS, RECORDINGS) for tenant in tenants]
        return any(next(folder.iterdir(), None) is not None for folder in folders if folder.is_dir())

    def remove(self, tenant: TenantId) -> None:
        for kind in (RECEIPTS, RECORDINGS):
            for path in (self._data / kind / tenant).glob("*"):
                path.unlink()

    def _path(self, name: str) -> Path:
        kind, *parts = name.split("/")
        whole = {RECEIPTS: 2, RECORDINGS: 2, INSTRUCTIONS: 1}.get(kind)
        if whole != len(parts):
            raise BackupInvalid("the backup has a file that no gateway keeps", hint="restore with the version that made it")
        return self._data.joinpath(kind, *(names.checked(part) for part in parts))


def _of_data(header: Header) -> list[TenantId]:
    return [section.tenant for section in header.sections if section.part == DATA]


def _piece(record: Record) -> Piece:
    if record.kind is Kind.FILE:
        raise BackupInvalid("there is a file where a key should be")
    return Piece(record.name, TYPES[record.kind], record.parts, record.first, record.expires_ms)


def _exhaust(backup: BackupReader) -> None:
    records: Iterator[object] = backup.records()
    for _ in records:
        pass
