"""The policies and registries that calls were handled by, for as long as somebody may ask: ``SORDINO_DATA/instructions``.

A tenant's policy is its documented instruction (promise 2). The receipt of each call names it by its digest, and so does this
folder: ``<digest>.json.gz`` is its canonical text, whose SHA-256 is that digest. A file is written once, before the first entry
of the first call that names it, and never again. No personal data of callers is in a policy.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gateway.errors import EvidenceUnavailable
from gateway.policy.canonical import canonical
from gateway.policy.model import TenantPolicy
from gateway.policy.registry import Registry

_DIGEST = re.compile(r"[0-9a-f]{64}")
MAX_BYTES = 64 * 1024 * 1024


class PolicyArchive:
    """``await archive.keep(policy, registry)`` before a call begins; ``archive.load(digest)`` years later."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: set[str] = set()

    async def keep(self, policy: TenantPolicy, registry: Registry) -> None:
        """Returns when both are on the disk. What was kept before costs nothing.

        Raises:
            EvidenceUnavailable: they cannot be written; a call whose instructions nobody could show must not begin.
        """
        if policy.digest in self._kept and registry.digest in self._kept:
            return
        documents = {policy.digest: policy.document(), registry.digest: registry.document()}
        try:
            await asyncio.to_thread(self._write, {digest: each for digest, each in documents.items() if digest not in self._kept})
        except OSError as error:
            raise EvidenceUnavailable(
                f"the policy of this call cannot be kept: {error.strerror}", hint="is the disk under SORDINO_DATA full?"
            ) from None
        self._kept.update(documents)

    def load(self, digest: str) -> Any:
        """The document of that digest, as plain values; None where it was never kept, or its file was altered. Blocks."""
        if not _DIGEST.fullmatch(digest):
            return None
        try:
            with gzip.open(self._path(digest), "rb") as file:
                text = file.read(MAX_BYTES)
        except (OSError, EOFError, zlib.error):
            return None
        return json.loads(text) if hashlib.sha256(text).hexdigest() == digest else None

    def digests(self) -> Iterator[str]:
        """Every digest that has a file, sorted. Blocks."""
        yield from sorted(path.name.removesuffix(".json.gz") for path in self._folder.glob("*.json.gz"))

    def _path(self, digest: str) -> Path:
        return self._folder / f"{digest}.json.gz"

    def _write(self, documents: dict[str, object]) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for digest, document in documents.items():
            path = self._path(digest)
            if self.load(digest) is not None:
                continue
            draft = path.with_name(f".{digest}.{os.getpid()}.{os.urandom(4).hex()}")
            try:
                descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(gzip.compress(canonical(document), mtime=0))
                    file.flush()
                    os.fsync(file.fileno())
                draft.replace(path)
            finally:
                draft.unlink(missing_ok=True)
