"""What a tenant takes along: everything that is kept of it, as files that people and machines can read, and its evidence.

One ZIP file (APPNOTE.TXT 6.3.10) in ``SORDINO_DATA/offboarding/<tenant>``, mode 0600: ``data/<holding>/<id>/…`` and
``evidence.zip``, a bundle that ``sordino evidence verify`` checks. It is removed when the data is.
"""

from __future__ import annotations

import asyncio
import os
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.adapters.audit.bundle_file import new_bundle
from gateway.adapters.stores.certificates import RedisCertificates
from gateway.adapters.stores.names import checked
from gateway.errors import StoreUnavailable
from gateway.evidence.bundle import CHAIN, KEY, PARTS, RECORDS, Span, key_part, manifest
from gateway.evidence.canonical import canonical
from gateway.evidence.chain import genesis, record
from gateway.evidence.signed import Sign
from gateway.policy.offboarding import Offboarding, Step
from gateway.ports import Clock
from gateway.runner.holdings import Copy, Holding
from gateway.runner.offboarding import Facts, ReadEntries
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
                await asyncio.to_thread(_unlink, draft, path.with_name(EVIDENCE))
        except OSError as error:
            raise _disk(error) from None
        return {"files": files, "machine": self._p.machine()}

    async def remove(self, state: Offboarding) -> None:
        """Gone, or never there. Raises StoreUnavailable: it lies on another gateway's disk."""
        path, done = self.path(state), state.steps.get(Step.EXPORTED)
        try:
            there = await asyncio.to_thread(_unlink, path)
        except OSError as error:
            raise _disk(error) from None
        machine = None if done is None else done.facts.get("machine")
        if not there and machine not in (None, self._p.machine()):
            raise StoreUnavailable("the export of this tenant lies on another gateway's disk", hint="that gateway removes it")

    async def _write(self, draft: Path, tenant: TenantId) -> int:
        files = 0
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
            for holding in self._p.holdings:
                async for item in holding.items(tenant):
                    async for copy in holding.copies(item):
                        await asyncio.to_thread(_add, archive, f"data/{holding.name}/{item.id}/{copy.name}", copy)
                        files += 1
            bundle = draft.with_name(EVIDENCE)
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
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600))
    return draft


def _add(archive: zipfile.ZipFile, name: str, copy: Copy) -> None:
    info = zipfile.ZipInfo(name, _BEGUN)
    info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
    archive.writestr(info, copy.content.reveal())


def _unlink(*paths: Path) -> bool:
    """Whether one of them was there."""
    there = [path for path in paths if path.exists()]
    for path in there:
        path.unlink()
    return bool(there)


def _disk(error: OSError) -> StoreUnavailable:
    why = error.strerror or type(error).__name__
    return StoreUnavailable(f"the export of a tenant could not be kept on the disk: {why}", hint="is it full?")
