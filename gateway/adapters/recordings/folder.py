"""Recordings as files of this machine: ``SORDINO_DATA/recordings/<tenant>/<call>.srec``, mode 0600, encrypted as they grow.

A file that is being written, or waits to be sent to a store elsewhere, is here too: this folder is the spool. Whoever writes a
file holds its lock (flock), so that nobody sends or deletes half a call; the lock goes with the process.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from gateway.adapters.recordings.format import End, Header, Piece, Sealer
from gateway.disk import sync_folder
from gateway.errors import InvalidRequest, NotFound, StoreUnavailable
from gateway.values import CallId, Private, TenantId

SUFFIX = ".srec"
READ_BYTES = 256 * 1024
_ID = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,126}[A-Za-z0-9_-])?")


class RecordingFile:
    """One recording while it is written: each piece is encrypted, written and on the disk when ``write`` returns."""

    def __init__(self, path: Path, header: Header, key: Private[bytes]) -> None:
        """Make the file, with its header on the disk. Blocks; raises StoreUnavailable."""
        self.path = path
        self.header = header
        self._sealer = Sealer(header, key)
        self._digest = hashlib.sha256()
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._append(header.to_bytes())
            sync_folder(path.parent)
        except OSError as error:
            raise _disk(error) from None

    @property
    def chunks(self) -> int:
        """How many chunks the file has."""
        return self._sealer.chunks

    @property
    def sha256(self) -> str:
        """Of the whole file as it is now."""
        return self._digest.hexdigest()

    async def write(self, piece: Piece) -> None:
        """Raises StoreUnavailable: the disk is full, or gone."""
        chunk = self._sealer.seal(piece)
        try:
            await asyncio.to_thread(self._append, chunk)
        except OSError as error:
            raise _disk(error) from None

    async def finish(self, samples: int) -> None:
        """Write the last chunk and let go of the file. Raises StoreUnavailable."""
        await self.write(End(samples))
        self.release()

    async def discard(self) -> None:
        """Delete the file. Raises StoreUnavailable."""
        try:
            await asyncio.to_thread(shred, self.path)
        except OSError as error:
            raise _disk(error) from None
        finally:
            self.release()

    def release(self) -> None:
        """Close the file as it is. Safe to call twice."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def _append(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]
        os.fsync(self._file)
        self._digest.update(data)


class Folder:
    """The folder of one gateway's recordings. Every method that touches the disk does so off the event loop."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._name = ""

    @property
    def name(self) -> str:
        """A name of this folder that no other one has: several gateways with folders of their own share one index.

        Raises StoreUnavailable.
        """
        if not self._name:
            try:
                self._name = _name_in(self._root / ".name")
            except OSError as error:
                raise _disk(error) from None
        return self._name

    def path(self, tenant: TenantId, call: CallId) -> Path:
        """Raises InvalidRequest for an id that cannot stand in a file's name."""
        if not (_ID.fullmatch(tenant) and _ID.fullmatch(call)):
            raise InvalidRequest("a tenant's or call's id has characters that it cannot have")
        return self._root / tenant / f"{call}{SUFFIX}"

    async def create(self, header: Header, key: Private[bytes]) -> RecordingFile:
        """Raises StoreUnavailable, InvalidRequest."""
        path = self.path(header.tenant, header.call)
        return await asyncio.to_thread(RecordingFile, path, header, key)

    async def read(self, tenant: TenantId, call: CallId) -> AsyncIterator[bytes]:
        """The file's bytes. Raises NotFound, StoreUnavailable."""
        file = await self.open(tenant, call)
        try:
            while piece := await asyncio.to_thread(file.read, READ_BYTES):
                yield piece
        finally:
            file.close()

    async def open(self, tenant: TenantId, call: CallId) -> BinaryIO:
        """Raises NotFound, StoreUnavailable."""
        path = self.path(tenant, call)
        try:
            return await asyncio.to_thread(path.open, "rb")
        except FileNotFoundError:
            raise NotFound(
                "the file of that recording is not on this machine", hint="ask the gateway that took the call"
            ) from None
        except OSError as error:
            raise _disk(error) from None

    async def delete(self, tenant: TenantId, call: CallId) -> bool:
        """Overwrite what the file begins with, then delete it. False: there was none. Raises StoreUnavailable."""
        try:
            await asyncio.to_thread(shred, self.path(tenant, call))
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _disk(error) from None
        return True

    def tenants(self) -> list[TenantId]:
        """Everybody who has a file here, sorted."""
        return sorted({TenantId(path.parent.name) for path in self._root.glob(f"*/*{SUFFIX}") if _ID.fullmatch(path.parent.name)})

    def calls(self, tenant: TenantId) -> list[CallId]:
        """The calls of this tenant that have a file here, sorted."""
        folder = self.path(tenant, CallId("x")).parent
        return sorted(CallId(path.name.removesuffix(SUFFIX)) for path in folder.glob(f"*{SUFFIX}"))

    @contextmanager
    def lock(self, tenant: TenantId, call: CallId) -> Iterator[bool]:
        """Whether nobody writes the file, for as long as the block lasts."""
        try:
            file = os.open(self.path(tenant, call), os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            yield False
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield True
        except BlockingIOError:
            yield False
        finally:
            os.close(file)


def _name_in(path: Path) -> str:
    """The name in that file, or a fresh one: of two that begin at once both take the first one's."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".name.{os.urandom(4).hex()}")
        try:
            draft.write_text(os.urandom(8).hex(), encoding="ascii")
            with suppress(FileExistsError):
                path.hardlink_to(draft)
        finally:
            draft.unlink(missing_ok=True)
    return path.read_text(encoding="ascii")


def shred(path: Path) -> None:
    """Overwrite the header, then unlink. An older file's key is in it: whatever still holds the file's blocks cannot open it."""
    file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        length = min(os.fstat(file).st_size, 4096)
        os.pwrite(file, b"\0" * length, 0)
        os.fsync(file)
    finally:
        os.close(file)
    path.unlink()
    sync_folder(path.parent)


def _disk(error: OSError) -> StoreUnavailable:
    why = error.strerror or type(error).__name__
    return StoreUnavailable(f"a recording could not be kept on the disk: {why}", hint="is the disk under SORDINO_DATA full?")
