"""What becomes of recordings after their calls: listed, read back with a reason, sent to their store, destroyed.

Whatever is read is written behind the call's own entries, and reading waits for the ledger (promise 26). What is deleted, and
when, is decided in ``runner/deletion.py``.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from gateway.adapters.recordings.folder import Folder
from gateway.adapters.recordings.format import CLASS, FileKey
from gateway.adapters.recordings.reading import Extent, measured, wav_of
from gateway.adapters.stores.recordings import KEPT, WAITING, WRITING, RecordingFacts, RedisRecordings
from gateway.errors import InvalidRequest, NoPermittedRoute, NotFound, RecordingAltered, SordinoError
from gateway.evidence.entries import Entry
from gateway.locks import KeyShelf
from gateway.policy.announcing import RECORDING
from gateway.policy.egress import Grant
from gateway.policy.model import TenantPolicy
from gateway.policy.recording import OnWithdrawal
from gateway.policy.retention import reason_of_a_person
from gateway.policy.rules import STORED
from gateway.ports import Clock, Egress, Ledger
from gateway.runner.account import CallAccount
from gateway.runner.to_delete import Deleting
from gateway.values import CallId, DataCategory, Hop, ProcessorId, TenantId

FOLDER = "folder"
"""The dialect of recordings that stay on this machine."""


class Storage(Protocol):
    """A store elsewhere. It sees encrypted files only, and each use needs a Grant of its own."""

    async def send(self, grant: Grant, tenant: TenantId, call: CallId, file: Path) -> None: ...
    def fetch(self, grant: Grant, tenant: TenantId, call: CallId) -> AsyncIterator[bytes]: ...
    async def delete(self, grant: Grant, tenant: TenantId, call: CallId) -> None: ...


Entries = Callable[[TenantId, CallId], AsyncIterator[Entry]]
"""The entries of one call, in order."""


@dataclass(frozen=True, slots=True)
class RecordingParts:
    """What the desk stands on. ``egress`` is the door of one call; ``tenants`` the policies in force."""

    folder: Folder
    index: RedisRecordings
    storages: Mapping[str, Storage]
    keys: KeyShelf
    ledger: Ledger
    entries: Entries
    egress: Callable[[TenantPolicy, CallAccount], Egress]
    tenants: Callable[[], Mapping[TenantId, TenantPolicy]]
    clock: Clock
    deleting: Deleting
    """What a caller no longer agrees to."""
    decided: Callable[[TenantId, CallId], Awaitable[bool]]
    """Whether a recording is to be deleted: whoever began may have died over it. Raises StoreUnavailable."""


@dataclass(frozen=True, slots=True)
class Export:
    """A recording on its way to who asked for it: 16-bit stereo WAV, caller left and agent right, in pieces."""

    facts: RecordingFacts
    extent: Extent
    wav: AsyncIterator[bytes]


class RecordingDesk:
    """``async with desk.export(…) as found: async for piece in found.wav``. Everybody may ask for a call at the same time."""

    def __init__(self, parts: RecordingParts) -> None:
        self._p = parts

    @property
    def machine(self) -> str:
        """The name of this gateway's disk. Raises StoreUnavailable."""
        return self._p.folder.name

    async def list(self, tenant: TenantId) -> list[RecordingFacts]:
        """Every recording of the tenant, the oldest first. Raises StoreUnavailable."""
        return await self._p.index.list(tenant)

    async def find(self, tenant: TenantId, call: CallId) -> RecordingFacts | None:
        """The recording of that call. Raises StoreUnavailable."""
        return await self._p.index.find(tenant, call)

    @asynccontextmanager
    async def export(self, tenant: TenantId, call: CallId, *, reason: str) -> AsyncIterator[Export]:
        """The recording, once every chunk of it was checked and the evidence says that it is read, and why.

        Raises:
            NotFound: there is no recording of that call, it is being deleted, its key was destroyed, its caller no longer agrees
                to it, or its file is on another machine.
            InvalidRequest: no reason is given.
            RecordingAltered: names the first chunk that is not what was written.
            EvidenceUnavailable, StoreUnavailable, NoPermittedRoute, UpstreamFailed.
        """
        reason = reason_of_a_person(reason)
        facts = await self._find(tenant, call)
        if facts.state == WRITING and await self._p.deleting.awaited(tenant, call):
            raise NotFound("the agreement to that recording was taken back", hint="it is being deleted")
        async with self._opened(tenant, facts) as file:
            key = await self._key(tenant, call)
            extent = await self._measured(facts, tenant, file, key)
            account = await self._account(tenant, call)
            await account.write("recording.read", {"reason": reason, "key_id": facts.key_id, "cut": extent.cut})
            file.seek(0)
            yield Export(facts, extent, _in_thread(wav_of(file, key, extent)))

    async def destroy(self, tenant: TenantId, call: CallId) -> RecordingFacts | None:
        """Destroy the key and the sound, wherever they are; what they were, or None where there is no recording.

        The evidence is for who asks for it: ``gateway.runner.deletion``. Where the sound is on another gateway's disk, its key is
        destroyed and that gateway clears the noise away.

        Raises:
            InvalidRequest: the call is still being recorded.
            NotFound: it is on another gateway's disk, with its key in the file as it once was.
            StoreUnavailable, NoPermittedRoute, UpstreamFailed: it could not be deleted, and stays in the list.
        """
        known = None
        while (facts := await self._p.index.find(tenant, call)) is not None:
            await self._destroy(tenant, facts)
            known = facts
            if await self._p.index.forget(tenant, call, as_it_was=facts):
                break  # else it was sent to its store meanwhile: there, too
        return known

    async def _destroy(self, tenant: TenantId, facts: RecordingFacts) -> None:
        call = facts.call
        with self._p.folder.lock(tenant, call) as free:
            here = self._p.folder.path(tenant, call).exists()
            if here and not free:
                raise InvalidRequest("that call is still being recorded", hint="try again when it has ended")
            elsewhere = facts.folder != self._p.folder.name and (facts.state != KEPT or facts.dialect == FOLDER)
            if elsewhere and not facts.on_shelf:
                raise NotFound("that recording is on another gateway's disk", hint="ask the gateway that took the call")
            await self._p.keys.destroy(tenant, call, CLASS)
            if facts.state == KEPT and facts.dialect != FOLDER:
                account = await self._account(tenant, call)
                grant = await self._grant(tenant, account, facts)
                await self._p.storages[facts.dialect].delete(grant, tenant, call)
            await self._p.folder.delete(tenant, call)

    async def clear_away(self, deleted: Callable[[TenantId, CallId], Awaitable[bool]]) -> tuple[CallId, ...]:
        """Files of this machine whose recording another gateway has deleted: without their key they are noise already.

        ``deleted`` tells whether it is on record that a call's recording was deleted; any other file is left alone, also
        where the index does not know it. Raises StoreUnavailable.
        """
        gone = []
        for tenant in await asyncio.to_thread(self._p.folder.tenants):
            for call in await asyncio.to_thread(self._p.folder.calls, tenant):
                if await self._p.index.find(tenant, call) is None and await deleted(tenant, call):
                    with self._p.folder.lock(tenant, call) as free:
                        if free and await self._p.folder.delete(tenant, call):
                            gone.append(call)
        return tuple(gone)

    async def send_waiting(self) -> tuple[CallId, ...]:
        """Send what waits for its store; what cannot be sent stays here, encrypted, for the next time.

        Raises StoreUnavailable.
        """
        sent = []
        for tenant in await self._here():
            for facts in await self._p.index.list(tenant):
                if facts.state == WAITING and self._p.folder.path(tenant, facts.call).exists():
                    with suppress(SordinoError):
                        if await self._send(tenant, facts):
                            sent.append(facts.call)
        return tuple(sent)

    async def mend(self) -> tuple[CallId, ...]:
        """Files whose gateway was killed while it wrote them: they are readable up to their last second, and told as cut.

        What its caller no longer agrees to is not told as anything: it waits to be deleted, unless a hold keeps it.
        """
        return tuple(
            [
                facts.call
                for tenant in await self._here()
                for facts in await self._p.index.list(tenant)
                if facts.state == WRITING and await self._mended(tenant, facts)
            ]
        )

    async def _here(self) -> tuple[TenantId, ...]:
        """Whose files are on this machine, with a policy or without."""
        return await self._p.index.having(await asyncio.to_thread(self._p.folder.tenants))

    async def round(self) -> None:
        """What is to be done from time to time. Raises StoreUnavailable."""
        await self.mend()
        await self.send_waiting()

    # --- one recording ------------------------------------------------------------------------------------------------

    async def _measured(self, facts: RecordingFacts, tenant: TenantId, file: BinaryIO, key: FileKey) -> Extent:
        """Raises RecordingAltered; NotFound where it was not altered but deleted, or is half deleted by who died over it."""
        try:
            extent = await asyncio.to_thread(measured, file, key)
            _check(facts, extent)
        except RecordingAltered:
            if await self._p.decided(tenant, facts.call):
                raise NotFound("that recording is being deleted") from None
            await self._find(tenant, facts.call)
            raise
        return extent

    async def _key(self, tenant: TenantId, call: CallId) -> FileKey:
        return FileKey(await self._p.keys.key(tenant, call, CLASS, create=False), self._p.keys)

    async def _find(self, tenant: TenantId, call: CallId) -> RecordingFacts:
        facts = await self._p.index.find(tenant, call)
        if facts is None:
            raise NotFound("there is no recording of that call", hint=f"sordino recordings list --tenant {tenant}")
        return facts

    @asynccontextmanager
    async def _opened(self, tenant: TenantId, facts: RecordingFacts) -> AsyncIterator[BinaryIO]:
        """The encrypted file: as it lies here, or fetched into an unnamed one."""
        if facts.state != KEPT or facts.dialect == FOLDER:
            file = await self._p.folder.open(tenant, facts.call)
            try:
                yield file
            finally:
                file.close()
            return
        with tempfile.TemporaryFile() as fetched:
            grant = await self._grant(tenant, await self._account(tenant, facts.call), facts)
            async for piece in self._p.storages[facts.dialect].fetch(grant, tenant, facts.call):
                await asyncio.to_thread(fetched.write, piece)
            fetched.seek(0)
            yield fetched

    async def _send(self, tenant: TenantId, facts: RecordingFacts) -> bool:
        """False: it was deleted while it was on its way, and is deleted there."""
        account = await self._account(tenant, facts.call)
        grant = await self._grant(tenant, account, facts, purpose="recording", category=DataCategory.VOICE)
        await self._p.storages[facts.dialect].send(grant, tenant, facts.call, self._p.folder.path(tenant, facts.call))
        if await self._p.index.find(tenant, facts.call) is not None:
            await account.write("recording.stored", {"processor": facts.processor, "sha256": facts.sha256})
            if await self._p.index.sent(tenant, facts.call):
                await self._p.folder.delete(tenant, facts.call)
                return True
        if await self._p.index.find(tenant, facts.call) is None:
            grant = await self._grant(tenant, account, facts)
            await self._p.storages[facts.dialect].delete(grant, tenant, facts.call)
        return False

    async def _mended(self, tenant: TenantId, facts: RecordingFacts) -> bool:
        with self._p.folder.lock(tenant, facts.call) as free:
            if not free or await self._taken_back(tenant, facts.call):
                return False
            file = await self._p.folder.open(tenant, facts.call)
            try:
                extent = await asyncio.to_thread(measured, file, await self._key(tenant, facts.call))
            except (RecordingAltered, NotFound):
                return False
            finally:
                file.close()
            state = KEPT if facts.dialect == FOLDER else WAITING
            known = {"state": state, "ms": extent.ms, "chunks": extent.chunks, "cut": extent.cut}
            await self._p.index.change(tenant, facts.call, **known)
        return True

    async def _taken_back(self, tenant: TenantId, call: CallId) -> bool:
        """Whether its caller no longer agrees to it: then it goes, also where its gateway died before it could be noted."""
        policy = self._p.tenants().get(tenant)
        if policy is None or policy.recording.on_withdrawal is OnWithdrawal.DELETE:
            async for entry in self._p.entries(tenant, call):
                if entry.draft.kind == "consent.withdrawn" and entry.draft.body.get("purpose") == RECORDING:
                    await self._p.deleting.note(tenant, call)
        return await self._p.deleting.awaited(tenant, call)

    async def _grant(
        self,
        tenant: TenantId,
        account: CallAccount,
        facts: RecordingFacts,
        *,
        purpose: str = STORED,
        category: DataCategory = DataCategory.METADATA,
    ) -> Grant:
        """A Grant for the one who keeps it. Raises NoPermittedRoute and what else ``Egress.grant`` does."""
        policy = self._p.tenants().get(tenant)
        if policy is None:
            raise NoPermittedRoute(
                "no policy of this tenant says any more where its recordings are kept, so none is deleted there",
                hint="put the tenant's file back until its end is over",
            )
        others = {ProcessorId(each.processor) for each in policy.route.storage} - {ProcessorId(facts.processor)}
        egress = self._p.egress(policy, account)
        return await egress.grant(Hop.STORAGE, frozenset({category}), purpose=purpose, excluding=frozenset(others))

    async def _account(self, tenant: TenantId, call: CallId) -> CallAccount:
        """The call's thread, to write behind its last entry."""
        last = ""
        async for entry in self._p.entries(tenant, call):
            last = entry.hash
        return CallAccount(tenant, call, self._p.ledger, self._p.clock, after=last)


def _check(facts: RecordingFacts, extent: Extent) -> None:
    """Somebody who cuts a file off at a chunk's end leaves one that reads like that of a killed gateway: the index knows."""
    if facts.chunks and (extent.chunks != facts.chunks or extent.cut != facts.cut):
        raise RecordingAltered(f"the recording was cut off: it has {extent.chunks} chunks of {facts.chunks}")


async def _in_thread(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    """A blocking iterator, off the event loop."""
    source = iter(pieces)
    while (piece := await asyncio.to_thread(next, source, None)) is not None:
        yield piece
