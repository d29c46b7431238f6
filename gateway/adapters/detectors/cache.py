"""What the detector said of a text is remembered for a while: instructions and tools come again with every conversation.

Kept are places and kinds, never words: a text is known by a digest under a key that this process has drawn for itself.
"""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

from gateway.ports import Detector
from gateway.redaction.mask import Replacement
from gateway.values import Private, Span

MOST = 4_000


class Inner(Detector, Protocol):
    """The detector behind the memory."""

    async def replace(self, text: Private[str], replacements: Sequence[Replacement]) -> Private[str]: ...


class RememberingDetector:
    """The ``Detector`` port. The same text after the same question gets the same answer, and is read once."""

    def __init__(self, inner: Inner, *, most: int = MOST) -> None:
        self._inner = inner
        self._most = most
        self._key = os.urandom(32)
        self._known: OrderedDict[bytes, Sequence[Span]] = OrderedDict()

    async def detect(self, text: Private[str], *, language: str, previous: str = "") -> Sequence[Span]:
        """Raises RedactionUnavailable, which is never remembered."""
        digest = text.map(lambda plain: self._digest(language, previous, plain)).reveal()
        known = self._known.get(digest)
        if known is None:
            known = tuple(await self._inner.detect(text, language=language, previous=previous))
            self._known[digest] = known
            if len(self._known) > self._most:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(digest)
        return known

    async def replace(self, text: Private[str], replacements: Sequence[Replacement]) -> Private[str]:
        return await self._inner.replace(text, replacements)

    def _digest(self, *parts: str) -> bytes:
        """BLAKE2b with a key (RFC 7693), each part with its length before it."""
        state = hashlib.blake2b(key=self._key, digest_size=24)
        for part in parts:
            data = part.encode("utf-8", "surrogatepass")
            state.update(len(data).to_bytes(8, "big") + data)
        return state.digest()
