"""A second place for the heads of our chains: a folder that somebody else keeps."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from gateway.disk import sync_folder
from gateway.errors import EvidenceInvalid, UpstreamFailed
from gateway.evidence.anchor import SECOND_PLACE
from gateway.evidence.canonical import canonical, parse
from gateway.evidence.entries import Json
from gateway.evidence.head import rewritten
from gateway.values import TenantId


class SecondPlace:
    """A folder that somebody else keeps (another machine's, or one that is written once): a file for each head."""

    name = SECOND_PLACE

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def see(self, head: Mapping[str, Json]) -> str:
        """Writes ``<tenant>/<size>.json``; a file that is there already is never replaced, but held against this head.

        Raises:
            EvidenceInvalid: another head of that size was seen before: the chain was rewritten.
            UpstreamFailed: nothing can be written there, or what is there is no head.
        """
        path = self._folder / str(head["tenant"]) / f"{head['size']:012}.json"
        try:
            there = await asyncio.to_thread(_written_once, path, canonical(head) + b"\n")
        except OSError as error:
            raise UpstreamFailed(f"the second place of heads cannot be written: {error.strerror}") from None
        if there is not None:
            _check(head, there, path)
        return ""


def _check(head: Mapping[str, Json], there: bytes, path: Path) -> None:
    try:
        seen = parse(there)
    except EvidenceInvalid:
        seen = None
    if not isinstance(seen, Mapping) or "root" not in seen or "last" not in seen:
        raise UpstreamFailed(
            "the second place has a file for this head in which there is none",
            hint=f"somebody was killed over it, or altered it: look at {path.parent.name}/{path.name} there",
        )
    if (seen["root"], seen["last"]) != (head["root"], head["last"]):
        raise rewritten(TenantId(str(head["tenant"])), int(str(head["size"])))


def _written_once(path: Path, text: bytes) -> bytes | None:
    """What was there before; None: nothing, and now the whole text is."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    try:
        _write(draft, text)
        try:
            os.link(draft, path)
        except FileExistsError:
            return path.read_bytes()
        except OSError:  # a file system without second names: whole or not is then a matter of luck, and seen by the next look
            return _tried(path, text)
        sync_folder(path.parent)
        return None
    finally:
        with suppress(OSError):  # where nothing can be taken away, a draft stays: there is nothing in it that the head has not
            draft.unlink()


def _tried(path: Path, text: bytes) -> bytes | None:
    try:
        _write(path, text)
    except FileExistsError:
        return path.read_bytes()
    return None


def _write(path: Path, text: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o400)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
