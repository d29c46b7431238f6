"""``keys.sealed``: the keys beside backups, in one file that is always replaced, one replacement after the other.

What it had before is overwritten where it lay, and so is every draft: also one that somebody was killed over, by whoever comes
next. A file system that copies on write, or takes snapshots, keeps the old blocks all the same: ``SECURITY.md`` says so.
"""

from __future__ import annotations

import fcntl
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from gateway.adapters.audit.backup_file import BackupWriter, Header, Keys, Record
from gateway.disk import sync_folder

SEALED = "keys.sealed"
_LOCK = ".keys.lock"
_PIECE = 1024 * 1024


@contextmanager
def turn(folder: Path) -> Iterator[bool]:
    """Whether nobody else replaces the keys in this folder, for as long as the block lasts; it goes with the process (flock).

    Raises OSError: the folder cannot be written, or its file system knows no locks.
    """
    file = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(file)


def sealed_bytes(header: Header, keys: Keys, records: Mapping[int, Sequence[Record]]) -> bytes:
    """The whole file, in memory alone. ``records`` by the number of their section."""
    content = io.BytesIO()
    writer = BackupWriter(content, header, keys)
    for number, each in records.items():
        writer.add(number, each)
    writer.finish()
    return content.getvalue()


def replace_sealed(path: Path, content: bytes) -> None:
    """Put ``content`` in the place of the file, mode 0600. Only in one's ``turn``. Raises OSError."""
    _clear_left(path)
    draft, aside = (path.with_name(f".{path.name}.{word}") for word in ("new", "old"))
    old = -1
    try:
        with suppress(FileNotFoundError):
            old = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if old >= 0:
            with suppress(OSError):  # a name, so that after a kill the next one finds it; some file systems have no second names
                os.link(path, aside)
        draft.replace(path)
        sync_folder(path.parent)
        if old >= 0:
            _overwrite(old)
    finally:
        if old >= 0:
            os.close(old)
        _clear_left(path)


def _clear_left(path: Path) -> None:
    """Overwrite and take away everything that stands beside the file under a name of its drafts, of older versions too."""
    left = [*path.parent.glob(f".{path.name}*"), *path.parent.glob(f"..{path.name}*")]
    for each in left:
        if not (path.exists() and each.samefile(path)):  # else it is the file itself, which is still needed
            file = os.open(each, os.O_RDWR | os.O_CLOEXEC)
            try:
                _overwrite(file)
            finally:
                os.close(file)
        each.unlink()
    if left:
        sync_folder(path.parent)


def _overwrite(file: int) -> None:
    size, at = os.fstat(file).st_size, 0
    while at < size:
        at += os.pwrite(file, bytes(min(_PIECE, size - at)), at)
    os.fsync(file)
