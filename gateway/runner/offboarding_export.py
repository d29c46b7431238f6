"""What a tenant takes along: everything that is kept of it, as files that people and machines can read, and its evidence.

One ZIP file (APPNOTE.TXT 6.3.10) in ``SORDINO_DATA/offboarding/<tenant>``, mode 0600: ``data/<holding>/<id>/…`` and
``evidence.zip``, a bundle that ``sordino evidence verify`` checks. It is in clear, so it is removed before the data is, and every
gateway looks from time to time for what somebody left there who was killed or overtaken.
"""

from __future__ import annotations

import asyncio
import os
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gateway.adapters.audit.bundle_file import new_bundle
from gateway.adapters.stores.certificates import RedisCertificates
from gateway.adapters.stores.names import checked, is_id
from gateway.errors import StoreUnavailable
from gateway.evidence.bundle import CHAIN, KEY, PARTS, RECORDS, Span, key_part, manifest
from gateway.evidence.canonical import canonical
from gateway.evidence.chain import genesis, record
from gateway.evidence.signed import Sign
from gateway.policy.offboarding import Offboarding, Step
from gateway.ports import Clock
from gateway.runner.holdings import Copy, Holding
from gateway.runner.offboarding import Facts, Find, ReadEntries
from gateway.values import TenantId

FOLDER = "offboarding"
EVIDENCE = "evidence.zip"
CERTIFICATES = RECORDS[-1]
_BEGUN = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class ExportParts:
    """``data`` is SORDINO_DATA; ``machine`` names the disk that it is on."""

    data: Path
    machine: Callable[[], str]
    holdings: Sequence[Holding]
    certificates: RedisCertificates
    entries: ReadEntries
    sign: Sign
    public_key: bytes
    clock: Clock


class TenantExports:
    """Implements ``gateway.runner.offboarding.Exports``."""

    def __init__(self, parts: ExportParts) -> None:
        self._p = parts

    def path(self, state: Offboarding) -> Path:
        """Where the file is, or would be."""
        return self._p.data / FOLDER / checked(state.tenant) / f"{checked(state.id)}.zip"

    async def write(self, state: Offboarding) -> Facts:
        """Write it whole, in the place of an earlier one. Raises StoreUnavailable, also for a disk that is full."""
        path = self.path(state)
        try:
            draft = await asyncio.to_thread(_draft, path)
            try:
                files = await self._write(draft, state.tenant)
                await asyncio.to_thread(draft.replace, path)
            finally:
                await asyncio.to_thread(_unlink, draft, _bundle_of(draft))
        except OSError as error:
            raise _disk(error) from None
        return {"files": files, "machine": self._p.machine()}

    async def remove(self, state: Offboarding) -> bool:
        """Gone with every draft of it, or never there. False: it lies on another gateway's disk. Raises StoreUnavailable."""
        path, done = self.path(state), state.steps.get(Step.EXPORTED)
        machine = None if done is None else done.facts.get("machine")
        try:
            there = await asyncio.to_thread(path.exists)
            await asyncio.to_thread(_clear, path.parent, lambda name: False)
        except OSError as error:
            raise _disk(error) from None
        return there or machine in (None, self._p.machine())

    async def tidy(self, find: Find) -> None:
        """Remove what may not lie on this disk: all but exports of ends whose data is still there. Raises StoreUnavailable."""
        try:
            for folder in await asyncio.to_thread(_folders, self._p.data / FOLDER):
                state = await find(TenantId(folder.name))
                await asyncio.to_thread(_clear, folder, partial(_may_stay, state))
        except OSError as error:
            raise _disk(error) from None

    async def _write(self, draft: Path, tenant: TenantId) -> int:
        files = 0
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
            for holding in self._p.holdings:
                async for item in holding.items(tenant):
                    async for copy in holding.copies(item):
                        await asyncio.to_thread(_add, archive, f"data/{holding.name}/{item.id}/{copy.name}", copy)
                        files += 1
            bundle = _bundle_of(draft)
            await self._bundle(bundle, tenant)
            await asyncio.to_thread(archive.write, bundle, EVIDENCE)
        return files

    async def _bundle(self, path: Path, tenant: TenantId) -> None:
        """The whole chain and every certificate. Receipts and consents are in the data beside it."""
        count, first, last, before, head = 0, None, None, genesis(tenant), genesis(tenant)
        with new_bundle(path) as bundle:
            for part in PARTS:
                with bundle.part(part) as write:
                    if part == CHAIN:
                        async for entry in self._p.entries(tenant):
                            write(canonical(record(entry)) + b"\n")
                            if first is None:
                                first, before = entry.seq, entry.previous
                            count, last, head = count + 1, entry.seq, entry.hash
                    elif part == CERTIFICATES:
                        found = [certificate async for certificate in self._p.certificates.all(tenant)]
                        for certificate in sorted(found, key=lambda each: each.place):
                            write(certificate.to_json())
                    elif part == KEY:
                        write(key_part(self._p.public_key))
            span = Span(count, first, last, before, head)
            made, signed = self._p.clock.now(), {"sign": self._p.sign, "public_key": self._p.public_key}
            bundle.finish(manifest(tenant, made, (None, None), span, bundle.parts, **signed))  # type: ignore[arg-type]


def _draft(path: Path) -> Path:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    return draft


def _bundle_of(draft: Path) -> Path:
    return draft.with_name(f"{draft.name}.evidence")


def _may_stay(state: Offboarding | None, name: str) -> bool:
    """Whether a file of this name is the export, or a draft of one that was not ended."""
    if state is None or not state.keeps_export:
        return False
    done = state.steps.get(Step.EXPORTED)
    whole = f"{state.id}.zip"
    return name == whole or ((done is None or done.ended is None) and name.lstrip(".").startswith(f"{whole}."))


def _folders(root: Path) -> list[Path]:
    """The folders of tenants."""
    return [each for each in sorted(root.iterdir()) if each.is_dir() and is_id(each.name)] if root.is_dir() else []


def _clear(folder: Path, stays: Callable[[str], bool]) -> None:
    """Remove every file of a folder but those that may stay, hidden ones too."""
    for path in [*folder.iterdir()] if folder.is_dir() else ():
        if not path.is_dir() and not stays(path.name):
            path.unlink(missing_ok=True)


def _add(archive: zipfile.ZipFile, name: str, copy: Copy) -> None:
    info = zipfile.ZipInfo(name, _BEGUN)
    info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
    archive.writestr(info, copy.content.reveal())


def _unlink(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _disk(error: OSError) -> StoreUnavailable:
    why = error.strerror or type(error).__name__
    return StoreUnavailable(f"the export of a tenant could not be kept on the disk: {why}", hint="is it full?")
