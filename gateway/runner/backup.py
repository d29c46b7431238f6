"""Backups: everything that is kept, encrypted, in one file; and the keys, apart from it, in one that is always replaced.

What is in a backup is the store's names of every tenant (``adapters/stores/snapshot.py`` says which not) and the files of calls.
First the head of each tenant's chain is read, then the data, last the evidence: so whatever the backup has is proven by the
evidence in it, and what was deleted while it was made stands behind the head that its header names. Everything is read while the
gateway works; nothing is held up.

Keys are never in it. They are in ``keys.sealed`` beside it, which is replaced by every backup and after every deletion that
destroyed one (``KeySeal``): so what is destroyed stays unreadable in every old backup.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.adapters.audit.backup_file import (
    DATA,
    KEPT,
    SUFFIX,
    BackupWriter,
    Header,
    Kind,
    Record,
    Section,
    new_backup,
    read_header,
)
from gateway.adapters.recordings.format import read_header as read_recording
from gateway.adapters.stores.backups import RedisBackups
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.snapshot import Snapshot, place_of
from gateway.errors import BackupInvalid, InvalidRequest, Misconfigured, PolicyRefused, RecordingAltered
from gateway.evidence.chain import genesis, timestamp
from gateway.evidence.entries import Json
from gateway.locks import KeyShelf, MasterLocks
from gateway.policy.model import TenantPolicy
from gateway.policy.regions import LOCAL, is_region, within
from gateway.ports import Clock, Ids, Ledger
from gateway.runner.account import CallAccount
from gateway.runner.backup_keys import keys_of, new_secret, tenant_key
from gateway.runner.backup_pieces import record_of
from gateway.runner.backup_since import HOUSE
from gateway.runner.key_seal import KeySeal
from gateway.values import CallId, DataCategory, Hop, TenantId

RECEIPTS, RECORDINGS, INSTRUCTIONS = "receipts", "recordings", "instructions"
PIECE = 1024 * 1024
AT_ONCE = 500
_STORED = frozenset({DataCategory.VOICE, DataCategory.TRANSCRIPT, DataCategory.CONTACT, DataCategory.METADATA})

Tell = Callable[[str], None]
"""Is told how far it is."""


@dataclass(frozen=True, slots=True)
class BackupParts:
    """What backups stand on. ``data`` is SORDINO_DATA; ``tenants`` the policies in force."""

    store: Store
    shelf: KeyShelf
    masters: MasterLocks
    data: Path
    tenants: Callable[[], Mapping[TenantId, TenantPolicy]]
    ledger: Ledger
    clock: Clock
    ids: Ids


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made."""

    path: Path
    header: Header
    records: int
    sha256: str
    left_out: tuple[str, ...]
    """Sentences about what is not in it and one might miss."""


class Backups:
    """``await Backups(parts).create(folder, region="local")``."""

    def __init__(self, parts: BackupParts) -> None:
        self._p = parts

    async def create(self, folder: Path, *, region: str, tell: Tell = lambda text: None) -> Made:
        """Make a backup in this folder, which lies in ``region``. The file appears whole or not at all.

        Raises:
            InvalidRequest: there is no such region.
            PolicyRefused: a tenant does not permit its data to be there; all of them are named.
            StoreUnavailable, EvidenceUnavailable, Misconfigured. OSError: the folder cannot be written.
        """
        async with Snapshot(self._p.store) as snapshot:
            return await self._create(snapshot, folder, region, tell)

    async def _create(self, snapshot: Snapshot, folder: Path, region: str, tell: Tell) -> Made:
        tenants = await self._tenants(snapshot)
        _check_region(region, tenants, self._p.tenants())
        place = await asyncio.to_thread(_made_folder, folder)
        id_, made = self._p.ids.new("backup"), self._p.clock.now()
        key_id, locked, secret = new_secret(self._p.masters, id_)
        sections: list[Section] = []
        for tenant in tenants:
            seq, head = await snapshot.head(tenant)
            parts = (KEPT,) if tenant == HOUSE else (DATA, KEPT)
            sections += [Section(tenant, part, seq, head or genesis(tenant)) for part in parts]
        header = Header(id_, timestamp(made), region, key_id, locked, tuple(sections))
        keys = keys_of(
            secret, sections, {each: await tenant_key(self._p.shelf, each, create=True) for each in tenants if each != HOUSE}
        )
        path = folder / f"{made:%Y%m%dT%H%M%SZ}-{id_}{SUFFIX}"
        left_out: list[str] = []
        # It is known from now on: a key that is destroyed while the backup is made goes from beside it too.
        await RedisBackups(self._p.store).add(place)
        with new_backup(path, header, keys) as writer:
            await _Copying(snapshot, self._p.data, writer, sections, tell, left_out).all()
            await KeySeal(self._p.store, self._p.masters, self._p.clock, self._p.ids).seal(folder)
        sha256 = await asyncio.to_thread(_sha256, path)
        for tenant in tenants:
            section = sections[_number(sections)[tenant, KEPT]]
            facts: dict[str, Json] = {"backup": id_, "region": region, "sha256": sha256, "seq": section.seq, "head": section.head}
            await CallAccount(tenant, CallId(id_), self._p.ledger, self._p.clock).write("backup.made", facts)
        return Made(path, header, sum(tally.records for tally in writer.tallies), sha256, tuple(left_out))

    async def _tenants(self, snapshot: Snapshot) -> tuple[TenantId, ...]:
        found = {HOUSE, *self._p.tenants()}
        async for batch in snapshot.names():
            found |= {place[0] for name in batch if (place := place_of(name))}
        return tuple(sorted(found))


class _Copying:
    """One backup while it is written."""

    def __init__(
        self,
        snapshot: Snapshot,
        data: Path,
        writer: BackupWriter,
        sections: Sequence[Section],
        tell: Tell,
        left_out: list[str],
    ) -> None:
        self._snapshot = snapshot
        self._data = data
        self._writer = writer
        self._number = _number(sections)
        self._tenants = {section.tenant for section in sections if section.tenant != HOUSE}
        self._tell = tell
        self._left_out = left_out

    async def all(self) -> None:
        """The data, the files, and last the evidence."""
        chains: set[str] = set()
        async for batch in self._snapshot.names():
            chains |= {name for name in batch if name.endswith(":evidence")}
            await self._pieces([name for name in batch if name not in chains])
        await self._files()
        await self._pieces(sorted(chains))
        self._tell(f"{self._records()} records")

    def _records(self) -> int:
        return sum(tally.records for tally in self._writer.tallies)

    async def _pieces(self, names: Sequence[str]) -> None:
        waiting: dict[int, list[Record]] = {}
        async for piece in self._snapshot.read(names):
            place = place_of(piece.name)
            number = None if place is None else self._number.get((place[0], KEPT if place[1] else DATA))
            if number is None:  # a tenant that came while this was made: the next backup has it
                continue
            records = waiting.setdefault(number, [])
            records.append(record_of(piece))
            if len(records) >= AT_ONCE:
                await asyncio.to_thread(self._writer.add, number, waiting.pop(number))
        for number, records in waiting.items():
            await asyncio.to_thread(self._writer.add, number, records)
        self._tell(f"{self._records()} records")

    async def _files(self) -> None:
        for tenant in sorted(self._tenants):
            for kind, part in ((RECEIPTS, DATA), (RECORDINGS, DATA)):
                files = await asyncio.to_thread(_in_folder, self._data / kind / tenant)
                for path in files:
                    await asyncio.to_thread(self._file, path, self._number[tenant, part], kind == RECORDINGS)
        for path in await asyncio.to_thread(_in_folder, self._data / INSTRUCTIONS):
            await asyncio.to_thread(self._file, path, self._number[HOUSE, KEPT], False)

    def _file(self, path: Path, section: int, recording: bool) -> None:
        name = str(path.relative_to(self._data))
        if recording and _carries_its_key(path):
            self._left_out.append(
                f"{name} carries its own key, as older recordings do: a backup of it could not be made unreadable"
            )
            return
        self._writer.add(section, _records_of(path, name))


def _made_folder(folder: Path) -> str:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return str(folder.resolve())


def _number(sections: Sequence[Section]) -> dict[tuple[TenantId, str], int]:
    return {(section.tenant, section.part): number for number, section in enumerate(sections)}


def _records_of(path: Path, name: str) -> Iterator[Record]:
    first = True
    try:
        with path.open("rb") as file:
            while (piece := file.read(PIECE)) or first:
                yield Record(Kind.FILE, name, (piece,), first)
                first = False
    except FileNotFoundError:  # it was deleted meanwhile: its certificate stands behind our head
        return


def _carries_its_key(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return bool(read_recording(file).key)
    except FileNotFoundError:
        return False
    except RecordingAltered:
        return True


def _in_folder(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("[!.]*") if path.is_file()) if folder.is_dir() else []


def _check_region(region: str, tenants: Iterable[TenantId], policies: Mapping[TenantId, TenantPolicy]) -> None:
    if not is_region(region):
        raise InvalidRequest("there is no such region", hint="write local for this machine, or a region as policies do: eu, de…")
    refused = [f"{tenant}: {said}" for tenant in tenants if tenant != HOUSE and (said := _against(region, policies.get(tenant)))]
    if refused:
        raise PolicyRefused(f"a backup may not be kept in {region}", hint="keep it elsewhere", reasons=tuple(refused))


def _against(region: str, policy: TenantPolicy | None) -> str | None:
    if region == LOCAL:
        return None
    if policy is None:
        return "no policy of this tenant says where its data may be"
    for category in sorted(_STORED):
        allowed = policy.regions_for(Hop.STORAGE, category)
        if not within(region, allowed):
            return f"its {category.value} may be kept in {', '.join(allowed) or LOCAL} only"
    return None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def listed(folder: Path) -> Iterator[tuple[Path, Header | BackupInvalid]]:
    """The backups in a folder, the oldest first. Raises Misconfigured, OSError."""
    if not folder.is_dir():
        raise Misconfigured(f"there is no folder {folder}", hint="sordino backup create DIR makes it")
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            yield path, read_header(path)
        except BackupInvalid as error:
            yield path, error


async def in_batches(
    records: Iterator[tuple[Section, Record]], most: int = AT_ONCE
) -> AsyncIterator[list[tuple[Section, Record]]]:
    """What blocks on the disk, off the event loop, some at a time."""

    def some() -> list[tuple[Section, Record]]:
        found: list[tuple[Section, Record]] = []
        size = 0
        for each in records:
            found.append(each)
            size += sum(map(len, each[1].parts))
            if len(found) >= most or size > 8 * PIECE:
                break
        return found

    while batch := await asyncio.to_thread(some):
        yield batch
