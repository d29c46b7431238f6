"""A master key that a key service has locked: ``SORDINO_DATA/keys/master.wrapped``, opened at start and kept in memory alone."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from gateway.adapters.keys.change import FileMoves
from gateway.adapters.keys.master import NEXT, PREVIOUS, MasterKeys
from gateway.adapters.keys.service import KeyService
from gateway.disk import sync_folder
from gateway.errors import Misconfigured, StoreUnavailable
from gateway.locks import MASTER, KeyLock, fresh_key
from gateway.values import Private

LONGEST = 16 * 1024
Connect = Callable[[], AbstractAsyncContextManager[KeyService]]
"""A connection to the key service, for as long as a key is locked or opened."""


class WrappedFiles:
    """The file, and while the master key is changed those beside it. What was opened once is not asked for again."""

    def __init__(self, path: Path, connect: Connect) -> None:
        self.path = path
        self.connect = connect
        self._opened: dict[str, Private[bytes]] = {}

    async def masters(self) -> MasterKeys:
        """The master keys; a first one is made where there is none.

        Raises:
            Misconfigured: the service refuses us, or the file cannot be read or made.
            StoreUnavailable: the service does not answer.
        """
        if not self.path.exists():
            await self.make(self.path)
        await self.look()
        return MasterKeys(self.read, refresh=self.look)

    async def look(self) -> None:
        """Have opened what lies there now. Raises like ``masters``."""
        unknown = [text for text in await asyncio.to_thread(_texts, self.path) if text not in self._opened]
        if unknown:
            async with self.connect() as service:
                for text in unknown:
                    self._opened[text] = await service.open(text)

    def read(self) -> tuple[bytes, ...]:
        """Every key that was opened, the current one first. Raises StoreUnavailable: ``look`` first, there is another one."""
        beside = _texts(self.path)[1:]
        found = [self.key_in(self.path), *(self._opened[text] for text in beside if text in self._opened)]
        return tuple(key.reveal() for key in dict.fromkeys(found))

    def key_in(self, path: Path) -> Private[bytes]:
        """The key in that file, which was opened. Raises StoreUnavailable, Misconfigured."""
        key = self._opened.get(_text(path))
        if key is None:
            raise StoreUnavailable("the master key was changed and is not open yet", hint="try again")
        return key

    async def make(self, path: Path) -> None:
        """A fresh key, locked, in that file, unless another gateway was there first. Raises like ``masters``."""
        async with self.connect() as service:
            text = await service.lock(fresh_key())
        try:
            await asyncio.to_thread(_write, path, text)
        except OSError as error:
            raise Misconfigured(f"the key file {path} cannot be made: {error.strerror}") from None


class WrappedChange(FileMoves):
    """Implements ``gateway.adapters.keys.change.MasterChange`` for a key that a service has locked."""

    def __init__(self, files: WrappedFiles) -> None:
        super().__init__(files.path)
        self._files = files

    async def begin(self) -> KeyLock:
        if not self.promoted and not self.next.exists():
            self.check()
            await self._files.make(self.next)
        await self._files.look()
        return self._lock(self.path if self.promoted else self.next)

    def end(self) -> str:
        return self.retire(self._lock(self.previous).id) if self.previous.exists() else ""

    def _lock(self, path: Path) -> KeyLock:
        return KeyLock(MASTER, self._files.key_in(path))


def _texts(path: Path) -> list[str]:
    """What the files say, the current one first. Read as the keys of plain files are: nobody who reads meanwhile misses one."""
    while True:
        first = _text(path)
        beside = [_text(each) for ending in (NEXT, PREVIOUS) if (each := path.with_name(path.name + ending)).exists()]
        if _text(path) == first:
            return [first, *beside]


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            text = file.read(LONGEST).decode("ascii").strip()
    except OSError as error:
        raise Misconfigured(f"the key file {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        text = ""
    if not text or "\n" in text:
        raise Misconfigured(f"the key file {path} holds no locked master key", hint="restore it: without it nothing opens")
    return text


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode("ascii") + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(draft)  # unlike a rename it never replaces the key that another gateway made first
        except FileExistsError:
            return
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)
