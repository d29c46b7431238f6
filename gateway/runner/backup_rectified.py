"""Words that were put right since a backup was made: the wrong ones in it must not be read again (promise 22).

The evidence has keyed hashes of them and not the right words, so what came back wrong is taken out, and nobody is told it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from gateway.adapters.stores.consents import RedisConsents
from gateway.adapters.stores.transcripts import RedisTranscripts
from gateway.errors import NotFound
from gateway.evidence.entries import Entry
from gateway.values import CallId, Placeholder, TenantId

IN_TRANSCRIPT, OF_PERSON = "transcript.rectified", "rights.rectified"
KINDS = frozenset({IN_TRANSCRIPT, OF_PERSON})
CONSENT = "consent"


@dataclass(slots=True)
class Rectified:
    """Hears of corrections in their order (``tell``), takes out what is wrong (``remove``), and looks again (``wrong``)."""

    tenant: TenantId
    transcripts: RedisTranscripts
    consents: RedisConsents
    right: dict[CallId, dict[Placeholder, str]] = field(default_factory=dict)
    """Of each call the digests of the right values, the newest of each placeholder."""
    proofs: dict[str, tuple[datetime, CallId]] = field(default_factory=dict)
    """Of each person when what proves their consents was last put right, and where that stands."""

    def tell(self, entry: Entry) -> None:
        """Raises KeyError, TypeError, ValueError: the entry does not say what it must."""
        body: Mapping[str, Any] = entry.draft.body
        if entry.draft.kind == IN_TRANSCRIPT:
            self.right.setdefault(entry.draft.call, {})[Placeholder(body["placeholder"])] = str(body["after"])
        elif CONSENT in body["places"] or not body["places"]:  # none: proven only at the second try, which knew no places
            self.proofs[str(body["subject"])] = (entry.draft.at, entry.draft.call)

    async def remove(self) -> list[str]:
        """Take out what is not the right value: of which calls and persons something was. Raises StoreUnavailable."""
        found = list[str]()
        for call in self.right:
            if wrong := await self._wrong_in(call):
                await (await self.transcripts.opened(self.tenant, call)).forget(wrong)
                found.append(call)
        for subject, (at, where) in self.proofs.items():
            if await self._seal(subject, at, where):
                found.append(subject)
        return found

    async def wrong(self) -> list[str]:
        """The calls in whose words something still stands that was put right. Raises StoreUnavailable."""
        return [call for call in self.right if await self._wrong_in(call)]

    async def _wrong_in(self, call: CallId) -> list[Placeholder]:
        try:
            opened = await self.transcripts.opened(self.tenant, call)
        except NotFound:
            return []
        _, values = await opened.all()
        right = self.right[call].items()
        return [name for name, digest in right if name in values and opened.digest(values[name]) != digest]

    async def _seal(self, subject: str, at: datetime, where: CallId) -> int:
        """What proves a consent is free text, of which no part is known by its hash: all of it gives way."""
        said = f"put right since the backup: {where}"
        return await self.consents.reword(self.tenant, subject, lambda each: replace(each, proof=said) if each.at <= at else each)
