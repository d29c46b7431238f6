"""A bundle of evidence as one ZIP file, written and read piece by piece (APPNOTE.TXT 6.3.10, with ZIP64).

Whoever reads one trusts nothing in it: neither what it says of its own size, nor how far it unfolds.
"""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from gateway.errors import BundleInvalid
from gateway.evidence.bundle import MANIFEST, MAX_MANIFEST, PARTS, Part, Tally

PIECE = 256 * 1024
MOST_UNFOLDED = 100
"""How many times larger than in the file a part may be: what we write unfolds by less than 20."""
_FREE = 1024 * 1024
"""Bytes that a part may have whatever its size in the file."""
_MOST_DIRECTORY = 64 * 1024
_END, _END64_AT = struct.Struct("<4s4H2LH"), struct.Struct("<4sLQL")
_BEGUN = (1980, 1, 1, 0, 0, 0)

Write = Callable[[bytes], object]


def is_bundle(path: Path) -> bool:
    """Whether the file begins as a ZIP file does. Raises OSError."""
    with path.open("rb") as file:
        return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


@contextmanager
def new_bundle(path: Path) -> Iterator[BundleWriter]:
    """Where a bundle's parts are written. The file appears whole or not at all, mode 0600. Raises OSError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w+b") as file:
            with zipfile.ZipFile(file, "w") as archive:
                yield BundleWriter(archive)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


class BundleWriter:
    """Takes the parts of a bundle one after the other, in the order of ``PARTS``, and then its manifest."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.parts: list[Part] = []

    @contextmanager
    def part(self, name: str) -> Iterator[Write]:
        """A function that takes the part's bytes, piece by piece."""
        tally, info = Tally(name), zipfile.ZipInfo(name, _BEGUN)
        info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
        with self._archive.open(info, "w", force_zip64=True) as file:
            yield lambda piece: file.write(tally.add(piece))
        self.parts.append(tally.part)

    def finish(self, manifest: bytes) -> None:
        with self.part(MANIFEST) as write:
            write(manifest)


class BundleFile:
    """An open bundle: its manifest, and its parts piece by piece."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._members = {info.filename: info for info in archive.infolist()}

    @property
    def manifest(self) -> bytes:
        return b"".join(self.chunks(MANIFEST))

    def chunks(self, name: str) -> Iterator[bytes]:
        """Raises BundleInvalid: the part is damaged."""
        try:
            with self._archive.open(self._members[name]) as file:
                while piece := file.read(PIECE):
                    yield piece
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, struct.error, ValueError):
            raise BundleInvalid(name, "this part of the ZIP file is damaged") from None


@contextmanager
def open_bundle(path: Path) -> Iterator[BundleFile]:
    """The bundle in this file, after its shape was checked: exactly our parts, none that unfolds beyond measure.

    Raises:
        BundleInvalid: it is no bundle, or not one that we would unfold. OSError: it cannot be read.
    """
    with path.open("rb") as file:
        _check_directory(file)
        try:
            archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, NotImplementedError, struct.error, ValueError, OverflowError):
            raise _no_bundle("its directory is damaged, or the file was cut off") from None
        with archive:
            _check_members(archive.infolist())
            yield BundleFile(archive)


def _check_directory(file: BinaryIO) -> None:
    """The directory is read whole by whoever opens a ZIP file, so its own length is looked at first."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _END.size))
    end = file.read(_END.size)
    if len(end) < _END.size or end[:4] != b"PK\x05\x06" or end[-2:] != b"\0\0":
        raise _no_bundle("it has no end of a ZIP file: it was cut off, or something stands behind it")
    if size >= _END.size + _END64_AT.size:
        file.seek(size - _END.size - _END64_AT.size)
        marker, _, at, _ = _END64_AT.unpack(file.read(_END64_AT.size))
        if marker == b"PK\x06\x07" and not size - _MOST_DIRECTORY <= at < size:
            raise _no_bundle("its directory does not stand at its end")
        if marker == b"PK\x06\x07":
            file.seek(at + 40)
            length = int.from_bytes(file.read(8), "little")
            if length > _MOST_DIRECTORY:
                raise _no_bundle("its directory is larger than that of any bundle")
    if _END.unpack(end)[5] > _MOST_DIRECTORY and _END.unpack(end)[5] != 0xFFFFFFFF:
        raise _no_bundle("its directory is larger than that of any bundle")
    file.seek(0)


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    if [info.filename for info in members] != [*PARTS, MANIFEST]:
        raise _no_bundle("it does not have exactly the parts of a bundle, each once and in order")
    last = -1
    for info in members:
        if info.compress_type != zipfile.ZIP_DEFLATED or info.flag_bits & 1:
            raise BundleInvalid(info.filename, "this part is encrypted, or packed in another way than ours")
        if info.file_size > max(_FREE, info.compress_size * MOST_UNFOLDED):
            raise BundleInvalid(info.filename, f"this part would unfold to more than {MOST_UNFOLDED} times its size")
        if info.header_offset <= last:
            raise BundleInvalid(info.filename, "this part lies in the file where another one is")
        last = info.header_offset + info.compress_size
    if members[-1].file_size > MAX_MANIFEST:
        raise BundleInvalid(MANIFEST, f"it is larger than {MAX_MANIFEST} bytes")


def _no_bundle(what: str) -> BundleInvalid:
    return BundleInvalid("the file", f"this is no bundle of evidence: {what}")
