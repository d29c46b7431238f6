"""Where a wrong value is corrected at once: in the vaults of calls, in transcripts, in what is kept of consents (promise 22)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from gateway.errors import ConversationMoved, NotFound
from gateway.values import CallId, DataClass, Placeholder, Private, TenantId

ATTEMPTS = 5


class OpenVault(Protocol):
    """The vault of a call or a conversation as it is now."""

    @property
    def values(self) -> Mapping[Placeholder, Private[str]]: ...
    async def remember(self, values: Mapping[Placeholder, Private[str]]) -> None:
        """Raises ConversationMoved: somebody else has written meanwhile."""
        ...


class Vaults(Protocol):
    async def open(self, tenant: TenantId, call: CallId, *, create: bool) -> OpenVault | None: ...


class CorrectVault:
    """What stands behind placeholders: the next answer of a conversation is restored with the right value."""

    name = "vault"
    data_class = DataClass.VAULT

    def __init__(self, vaults: Callable[[TenantId], Vaults]) -> None:
        self._vaults = vaults

    async def stands(self, tenant: TenantId, subject: str, calls: Sequence[CallId], old: Private[str]) -> Sequence[CallId]:
        vaults, found = self._vaults(tenant), list[CallId]()
        for call in calls:
            vault = await vaults.open(tenant, call, create=False)
            if vault is not None and old in vault.values.values():
                found.append(call)
        return found

    async def correct(self, tenant: TenantId, subject: str, calls: Sequence[CallId], old: Private[str], new: Private[str]) -> int:
        vaults, count = self._vaults(tenant), 0
        for call in calls:
            count += await self._one(vaults, tenant, call, old, new)
        return count

    async def _one(self, vaults: Vaults, tenant: TenantId, call: CallId, old: Private[str], new: Private[str]) -> int:
        for attempt in range(1, ATTEMPTS + 1):
            vault = await vaults.open(tenant, call, create=False)
            found = {name: new for name, value in vault.values.items() if value == old} if vault is not None else {}
            if vault is None or not found:
                return 0
            try:
                await vault.remember(found)
            except ConversationMoved:
                if attempt == ATTEMPTS:
                    raise
                continue
            return len(found)
        return 0


class RectifyTranscript(Protocol):
    """``gateway.runner.transcripts.TranscriptDesk``. Raises NotFound where there is nothing to put right."""

    async def rectify(
        self, tenant: TenantId, call: CallId, wrong: Placeholder | Private[str], right: Private[str], *, by: str
    ) -> Sequence[object]: ...
    async def stands(self, tenant: TenantId, call: CallId, wrong: Placeholder | Private[str]) -> bool: ...


class CorrectTranscripts:
    """What was said, where it is kept: each transcript has its own entry of the change too."""

    name = "transcript"
    data_class = DataClass.TRANSCRIPT
    by = "rights"

    def __init__(self, desk: RectifyTranscript) -> None:
        self._desk = desk

    async def stands(self, tenant: TenantId, subject: str, calls: Sequence[CallId], old: Private[str]) -> Sequence[CallId]:
        return [call for call in calls if await self._desk.stands(tenant, call, old)]

    async def correct(self, tenant: TenantId, subject: str, calls: Sequence[CallId], old: Private[str], new: Private[str]) -> int:
        count = 0
        for call in calls:
            try:
                count += len(await self._desk.rectify(tenant, call, old, new, by=self.by))
            except NotFound:
                continue  # no transcript of that call, or the value does not stand in it
        return count


class ConsentProofs(Protocol):
    async def correct(self, tenant: TenantId, subject: str, old: Private[str], new: Private[str]) -> int: ...
    async def stands(self, tenant: TenantId, subject: str, old: Private[str]) -> bool: ...


class CorrectConsents:
    """Where a consent is proven, as it was written down."""

    name = "consent"
    data_class = DataClass.CONSENT

    def __init__(self, consents: ConsentProofs) -> None:
        self._consents = consents

    async def stands(self, tenant: TenantId, subject: str, calls: Sequence[CallId], old: Private[str]) -> Sequence[str]:
        return [subject] if await self._consents.stands(tenant, subject, old) else []

    async def correct(self, tenant: TenantId, subject: str, calls: Sequence[CallId], old: Private[str], new: Private[str]) -> int:
        return await self._consents.correct(tenant, subject, old, new)
