"""A ZIP file that leaves piece by piece while it is written: nothing of it is laid down in clear anywhere."""

from __future__ import annotations

import asyncio
import hashlib
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from gateway.values import Private

OWNER_ONLY = 0o600 << 16
PIECE = 256 * 1024


class _Pipe:
    """What zipfile writes into. It cannot be wound back, so sizes and checksums follow their files (APPNOTE 4.3.9)."""

    def __init__(self) -> None:
        self.ready = bytearray()

    def write(self, data: bytes) -> int:
        self.ready += data
        return len(data)

    def flush(self) -> None:
        """Nothing waits elsewhere."""

    def close(self) -> None:
        """There is nothing to give back."""

    def take(self) -> bytes:
        piece, self.ready = bytes(self.ready), bytearray()
        return piece


class ZipStream:
    """``async for piece in stream.add(name, content)`` for each file, and at the end ``stream.end()``."""

    def __init__(self, at: datetime) -> None:
        """``at``: the time that all files carry."""
        self._pipe = _Pipe()
        self._zip = zipfile.ZipFile(self._pipe, "w", zipfile.ZIP_DEFLATED)
        self._at = at.astimezone(UTC)
        self._names: set[str] = set()
        self._sha256 = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        """Of everything that has left so far."""
        return self._sha256.hexdigest()

    def free_name(self, name: str) -> str:
        """A relative path that no file here has yet: no part of it climbs out of the folder it is unpacked into."""
        parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
        clean = "/".join("".join(sign if sign.isprintable() and sign != ":" else "_" for sign in part) for part in parts)
        clean = clean or "file"
        stem, dot, suffix = clean.rpartition(".")
        found, number = clean, 1
        while found.casefold() in self._names:
            number += 1
            found = f"{stem}-{number}.{suffix}" if dot and "/" not in suffix else f"{clean}-{number}"
        self._names.add(found.casefold())
        return found

    async def add(self, name: str, content: Private[bytes]) -> AsyncIterator[bytes]:
        """A whole file under a name of ``free_name``, in pieces that can be sent at once."""
        info = zipfile.ZipInfo(name, self._at.timetuple()[:6])
        info.external_attr, info.create_system = OWNER_ONLY, 3
        info.compress_type = zipfile.ZIP_DEFLATED
        data = content.reveal()
        with self._zip.open(info, "w", force_zip64=len(data) > zipfile.ZIP64_LIMIT // 2) as file:
            for at in range(0, len(data), PIECE):
                await asyncio.to_thread(file.write, data[at : at + PIECE])
                if piece := self._leaves():
                    yield piece
        yield self._leaves()

    def end(self) -> bytes:
        """The list of the files, without which nobody can open it."""
        self._zip.close()
        return self._leaves()

    def _leaves(self) -> bytes:
        piece = self._pipe.take()
        self._sha256.update(piece)
        self.size += len(piece)
        return piece
