"""Changing a master key that is a file: the next one is made beside it, takes its place, and the old one gets another name.

At every moment a gateway that reads the files has each key that anything in the store may be locked with. A change that was
broken off goes on where it stopped.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from gateway.adapters.keys.files import read_key, read_or_create_key, sync_folder
from gateway.adapters.keys.master import NEXT, PREVIOUS, MasterKeys
from gateway.errors import Misconfigured
from gateway.locks import MASTER, KeyLock, key_id
from gateway.values import Private

MOUNTS = Path("/proc/self/mounts")


class MasterChange(Protocol):
    """How one master key takes the place of another. Each method may be called again, and raises Misconfigured."""

    def begin(self) -> KeyLock:
        """The key that everything is to be locked with."""
        ...

    def promote(self) -> None:
        """From now on it is the current one; the one before is still found."""
        ...

    def end(self) -> str:
        """The one before is not looked for any more. Where it is now, or what is left to do: a sentence for the operator."""
        ...


class FileChange:
    """Implements ``MasterChange`` for the key in that file. ``mounts`` tells which folders lie in memory only."""

    def __init__(self, path: Path, *, mounts: Path | None = None) -> None:
        self._path = path
        self._in_memory = _in_memory(path.parent, mounts or MOUNTS)
        self._next = path.with_name(path.name + NEXT)
        self._previous = path.with_name(path.name + PREVIOUS)

    def begin(self) -> KeyLock:
        read_key(self._path)
        promoted = self._previous.exists() and not self._next.exists()
        if self._in_memory and not promoted and not self._next.exists():
            raise Misconfigured(
                f"the master key {self._path} is a copy in memory: with a new one all data would be lost",
                hint="put the new key where the old one is kept (as the secret master_key_next), start anew, try again",
            )
        return KeyLock(MASTER, Private(read_key(self._path) if promoted else read_or_create_key(self._next)))

    def promote(self) -> None:
        if not self._next.exists():
            return
        try:
            if not self._previous.exists():
                self._previous.hardlink_to(self._path)
                sync_folder(self._path.parent)
            self._next.replace(self._path)
            sync_folder(self._path.parent)
        except OSError as error:
            raise Misconfigured(
                f"the master key {self._path} cannot be replaced: {error.strerror}",
                hint=f"everything is locked with the key in {self._next} as well: put it in its place yourself, everywhere",
            ) from None

    def end(self) -> str:
        if not self._previous.exists():
            return ""
        old = self._path.with_name(f"{self._path.name}.old-{key_id(MASTER, Private(read_key(self._previous)))}")
        self._previous.replace(old)
        sync_folder(self._path.parent)
        if self._in_memory:
            return "before the next start put the new key in the old one's place where it is kept: here is only a copy of it"
        return f"the old master key is in {old}: backups made before need it; delete it when you need them no more"


class EnvironmentChange:
    """Implements ``MasterChange`` for a key of the environment: who set it replaces it."""

    def __init__(self, masters: MasterKeys) -> None:
        self._masters = masters

    def begin(self) -> KeyLock:
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
