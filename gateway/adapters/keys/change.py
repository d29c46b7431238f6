"""Changing a master key that is a file: the next one is made beside it, takes its place, and the old one gets another name.

At every moment a gateway that reads the files has each key that anything in the store may be locked with. A change that was
broken off goes on where it stopped.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from gateway.adapters.keys.files import read_key, read_or_create_key
from gateway.adapters.keys.master import NEXT, PREVIOUS, MasterKeys
from gateway.disk import sync_folder
from gateway.errors import Misconfigured
from gateway.locks import MASTER, KeyLock, key_id
from gateway.values import Private

MOUNTS = Path("/proc/self/mounts")


class MasterChange(Protocol):
    """How one master key takes the place of another. Each method may be called again, and raises Misconfigured."""

    async def begin(self) -> KeyLock:
        """The key that everything is to be locked with. Raises StoreUnavailable too: a key service does not answer."""
        ...

    def promote(self) -> None:
        """From now on it is the current one; the one before is still found."""
        ...

    def end(self) -> str:
        """The one before is not looked for any more. Where it is now, or what is left to do: a sentence for the operator."""
        ...


class FileMoves:
    """The files of a change: the next key takes the present one's place, and that one gets another name."""

    def __init__(self, path: Path, *, mounts: Path | None = None) -> None:
        """``mounts`` tells which folders lie in memory only."""
        self.path = path
        self.next = path.with_name(path.name + NEXT)
        self.previous = path.with_name(path.name + PREVIOUS)
        self._in_memory = _in_memory(path.parent, mounts or MOUNTS)

    @property
    def promoted(self) -> bool:
        """Whether the next key is in its place, and the change has not ended."""
        return self.previous.exists() and not self.next.exists()

    def check(self) -> None:
        """Raises Misconfigured: a key that is made here would be lost."""
        if self._in_memory:
            raise Misconfigured(
                f"the master key {self.path} is a copy in memory: with a new one all data would be lost",
                hint="put the new key where the old one is kept (as the secret master_key_next), start anew, try again",
            )

    def promote(self) -> None:
        """See ``MasterChange``."""
        if not self.next.exists():
            return
        try:
            if not self.previous.exists():
                self.previous.hardlink_to(self.path)
                sync_folder(self.path.parent)
            self.next.replace(self.path)
            sync_folder(self.path.parent)
        except OSError as error:
            raise Misconfigured(
                f"the master key {self.path} cannot be replaced: {error.strerror}",
                hint=f"everything is locked with the key in {self.next} as well: put it in its place yourself, everywhere",
            ) from None

    def retire(self, old_id: str) -> str:
        """The old key is not read any more; what the operator is told."""
        old = self.path.with_name(f"{self.path.name}.old-{old_id}")
        self.previous.replace(old)
        sync_folder(self.path.parent)
        if self._in_memory:
            return "before the next start put the new key in the old one's place where it is kept: here is only a copy of it"
        return f"the old master key is in {old}: backups made before need it; delete it when you need them no more"


class FileChange(FileMoves):
    """Implements ``MasterChange`` for the key in that file."""

    async def begin(self) -> KeyLock:
        read_key(self.path)
        if not self.promoted and not self.next.exists():
            self.check()
        return KeyLock(MASTER, Private(read_key(self.path) if self.promoted else read_or_create_key(self.next)))

    def end(self) -> str:
        return self.retire(key_id(MASTER, Private(read_key(self.previous)))) if self.previous.exists() else ""


class EnvironmentChange:
    """Implements ``MasterChange`` for a key of the environment: who set it replaces it."""

    def __init__(self, masters: MasterKeys) -> None:
        self._masters = masters

    async def begin(self) -> KeyLock:
        named = self._masters.ids
        if len(named) < 2:
            raise Misconfigured(
                "SORDINO_MASTER_KEY_NEXT is not set",
                hint="set it to a new key on every gateway, restart them, and try again: head -c 32 /dev/urandom | base64",
            )
        return self._masters.of(named[1])

    def promote(self) -> None:
        return

    def end(self) -> str:
        return "set SORDINO_MASTER_KEY to the value of SORDINO_MASTER_KEY_NEXT on every gateway, and unset the latter"


def _in_memory(folder: Path, mounts: Path) -> bool:
    """Whether the folder's files are gone when the machine is (proc(5): what is mounted, the last one on a path counts)."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:  # no Linux
        return False
    found, kind = -1, ""
    for line in lines:
        at, filesystem = Path(line.split()[1].replace("\\040", " ")), line.split()[2]
        if folder.resolve().is_relative_to(at) and len(at.parts) >= found:
            found, kind = len(at.parts), filesystem
    return kind in ("tmpfs", "ramfs")
