"""A second place for the heads of our chains: a folder that somebody else keeps."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

from gateway.errors import UpstreamFailed
from gateway.evidence.anchor import SECOND_PLACE
from gateway.evidence.canonical import canonical
from gateway.evidence.entries import Json


class SecondPlace:
    """A folder that somebody else keeps (another machine's, or one that is written once): a file for each head."""

    name = SECOND_PLACE

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def see(self, head: Mapping[str, Json]) -> str:
        """Writes ``<tenant>/<size>.json``; a file that is there already is never replaced. Raises UpstreamFailed."""
        path = self._folder / str(head["tenant"]) / f"{head['size']:012}.json"
        try:
            await asyncio.to_thread(_write_once, path, canonical(head) + b"\n")
        except OSError as error:
            raise UpstreamFailed(f"the second place of heads cannot be written: {error.strerror}") from None
        return ""


def _write_once(path: Path, text: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o400)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
