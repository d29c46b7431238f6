"""Wiring of recordings: a recorder for a call whose tenant records, and the file that it writes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from gateway.adapters.recordings.folder import Folder, RecordingFile
from gateway.adapters.recordings.format import CIPHER, CLASS, Sound, new_header
from gateway.adapters.recordings.s3 import DIALECT as S3
from gateway.adapters.recordings.s3 import S3Recordings
from gateway.adapters.stores.deletions import RedisDeletions
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.marks import Marks
from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.adapters.stores.recordings import KEPT, WAITING, RecordingFacts, RedisRecordings
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.withdrawn import RedisWithdrawn
from gateway.call.child import BY_CHILD
from gateway.errors import PolicyRefused, SordinoError, StoreUnavailable
from gateway.evidence.entries import Json
from gateway.locks import KeyShelf
from gateway.policy.announcing import RECORDING
from gateway.policy.consent import How
from gateway.policy.egress import Grant
from gateway.policy.model import TenantPolicy
from gateway.ports import Clock, Conversation, Egress, Ids, Secrets, Tape, Telemetry
from gateway.runner.account import CallAccount
from gateway.runner.consents import CallConsents
from gateway.runner.egress import CallEgress
from gateway.runner.notices import NoticesNow
from gateway.runner.places import RecordingsHolding
from gateway.runner.recording import RecordedConversation, Recorder, RecorderParts
from gateway.runner.recordings import FOLDER, RecordingDesk, RecordingParts
from gateway.runner.to_delete import Deleting, Noted
from gateway.values import DataCategory, DataClass, Gap, Hop, Private

log = logging.getLogger(__name__)

LOOK_EVERY_S = 60.0
TELEPHONE_HZ, ROOM_HZ = 8_000, 16_000


@dataclass(frozen=True, slots=True)
class RecordingNeeds:
    """What recordings stand on; it lives longer than calls do. ``finished`` hears of each that waits for its store."""

    folder: Folder
    index: RedisRecordings
    keys: KeyShelf
    clock: Clock
    finished: Callable[[], None]
    deleting: Deleting = field(default_factory=Deleting)


@dataclass(frozen=True, slots=True)
class Recordings:
    """What a gateway has for recordings: what its calls need, and the desk for everything afterwards."""

    needs: RecordingNeeds
    desk: RecordingDesk
    waiting: asyncio.Event

    async def keep(self) -> None:
        """Send, mend and delete what is due, again and again, until cancelled. A failure waits for the next round."""
        while True:
            try:
                await self.desk.round()
            except SordinoError as error:
                log.warning("recordings could not be looked after now: %s", error.code)
            self.waiting.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self.waiting.wait()


@dataclass(frozen=True, slots=True)
class DeskNeeds:
    """What recordings stand on beside their files under ``data``. ``notices``: whom a tenant has objected to."""

    data: Path
    store: Store
    ledger: RedisLedger
    policies: PolicyFolder
    secrets: Secrets
    keys: KeyShelf
    telemetry: Telemetry
    clock: Clock
    ids: Ids
    notices: NoticesNow


def open_recordings(needs: DeskNeeds) -> Recordings:
    """Files of this machine, an index in the store, and stores elsewhere for whom a Grant says so."""
    folder, index, waiting = Folder(needs.data / "recordings"), RedisRecordings(needs.store), asyncio.Event()
    marks = Marks(needs.data / "to-delete" / DataClass.AUDIO.value)
    deleting = Deleting(Noted(RedisWithdrawn(needs.store, DataClass.AUDIO), marks))
    deletions = RedisDeletions(needs.store)

    def egress(tenant: TenantPolicy, account: CallAccount) -> Egress:
        origin = tenant.origins[0] if tenant.origins else ""
        parts = (needs.policies, account, needs.clock, needs.ids, needs.telemetry, lambda turn: None, origin)
        return CallEgress(*parts, notices=needs.notices)

    parts = RecordingParts(
        folder=folder,
        index=index,
        storages={S3: S3Recordings(needs.secrets)},
        keys=needs.keys,
        ledger=needs.ledger,
        entries=needs.ledger.entries,
        egress=egress,
        tenants=lambda: needs.policies.policies.tenants,
        clock=needs.clock,
        deleting=deleting,
        decided=lambda tenant, call: deletions.decided(tenant, RecordingsHolding.name, call),
    )
    kept = RecordingNeeds(folder, index, needs.keys, needs.clock, waiting.set, deleting)
    return Recordings(kept, RecordingDesk(parts), waiting)


class Taping:
    """The recorder of one call, or none for a tenant that does not record."""

    def __init__(
        self,
        needs: RecordingNeeds,
        tenant: TenantPolicy,
        account: CallAccount,
        egress: Egress,
        leg_rate: int,
        refused: Callable[[str], None],
    ) -> None:
        """``refused`` ends a call that may not go on unrecorded, with an error's code."""
        self._needs = needs
        self._tenant = tenant
        self._account = account
        self._egress = egress
        self._consents: CallConsents | None = None
        parts = RecorderParts(tenant.recording, self._may_record, self._open, account.write, refused, needs.clock)
        rate = TELEPHONE_HZ if leg_rate <= TELEPHONE_HZ else ROOM_HZ
        self.recorder = Recorder(parts, rate=rate) if tenant.recording.enabled else None

    @property
    def tape(self) -> Tape | None:
        """Whom the ear tells what was understood."""
        return self.recorder.held if self.recorder is not None else None

    def by(self, consents: CallConsents) -> None:
        """The call's tokens: without them nothing is recorded."""
        self._consents = consents

    def revoked(self, purpose: str, how: How | None) -> None:
        """A token was lost."""
        if self.recorder is not None:
            self.recorder.revoked(purpose, how)

    def child(self) -> None:
        """A child is on the line: nothing more is kept."""
        if self.recorder is not None:
            self.recorder.pause(BY_CHILD)

    def over(self, conversation: Conversation) -> Conversation:
        """The conversation with the recorder at its caller's ear."""
        return RecordedConversation(conversation, self.recorder) if self.recorder is not None else conversation

    def _may_record(self) -> bool:
        return self._consents is not None and self._consents.may_record

    async def _open(self, rate: int) -> FileSink:
        needs, account, tenant = self._needs, self._account, self._tenant
        consent = consent_of(account)
        grant = await self._egress.grant(Hop.STORAGE, frozenset({DataCategory.VOICE}), purpose=RECORDING)
        if grant.dialect not in (FOLDER, S3):
            raise PolicyRefused(f"nothing here stores recordings by {grant.dialect!r}", hint=f"known: {FOLDER}, {S3}")
        started = needs.clock.now().isoformat(timespec="microseconds")
        redacted = tenant.recording.redact.value
        key = await needs.keys.key(account.tenant, account.call, CLASS, create=True)
        if key is None:
            raise StoreUnavailable("a recording has no key", hint="nothing was recorded")
        about = {"started": started, "consent": consent, "rate": rate, "redacted": redacted}
        header = new_header(key, account.tenant, account.call, **about)
        facts = RecordingFacts(
            call=account.call,
            started=started,
            consent=consent,
            redacted=redacted,
            rate=rate,
            processor=str(grant.processor),
            dialect=grant.dialect,
            key_id=header.key_id,
            folder=needs.folder.name,
            on_shelf=True,
            keep_s=int(tenant.retention.audio.total_seconds()),
        )
        file = None
        try:
            file = await needs.folder.create(header, key)
            await needs.index.put(account.tenant, facts)
        except SordinoError:
            if file is not None:
                await file.discard()
            await needs.keys.destroy(account.tenant, account.call, CLASS)
            raise
        return FileSink(needs, account, grant, file, facts)


def consent_of(account: CallAccount) -> str:
    """The entry that a recording rests on: the last yes to it in this call's evidence (promise 11).

    Raises PolicyRefused: nobody said yes on record.
    """
    for entry in reversed(account.entries):
        if entry.draft.kind == "consent.given" and entry.draft.body.get("purpose") == RECORDING:
            return entry.hash
    raise PolicyRefused("no agreement to a recording is on record", hint="nothing was recorded")


class FileSink:
    """Implements ``gateway.runner.recording.Sink``: an encrypted file of this machine, and its line in the index."""

    def __init__(
        self, needs: RecordingNeeds, account: CallAccount, grant: Grant, file: RecordingFile, facts: RecordingFacts
    ) -> None:
        self._needs = needs
        self._account = account
        self._grant = grant
        self._file = file
        self._facts = facts

    @property
    def facts(self) -> Mapping[str, Json]:
        facts = self._facts
        sound: dict[str, Json] = {"cipher": CIPHER, "rate": facts.rate, "channels": ["caller", "agent"]}
        return {"consent": facts.consent, "key_id": facts.key_id, "format": sound, "processor": facts.processor}

    async def sound(self, at: int, samples: Private[bytes]) -> None:
        await self._file.write(Sound(at, samples))

    async def gap(self, gap: Gap) -> None:
        await self._file.write(gap)

    async def finish(self, samples: int) -> Mapping[str, Json]:
        await self._file.finish(samples)
        whole: dict[str, Json] = {"chunks": self._file.chunks, "sha256": self._file.sha256}
        state = KEPT if self._grant.dialect == FOLDER else WAITING
        ms = samples * 1000 // self._facts.rate
        await self._needs.index.change(self._account.tenant, self._account.call, state=state, ms=ms, **whole)
        if state == WAITING:
            self._needs.finished()
        return {**whole, "place": state}

    async def delete(self) -> bool:
        if self._needs.deleting.by is None:
            await self.discard()
            return True
        self._file.release()  # nobody writes it any more; where a hold keeps it, it is mended as one that was cut here
        return await self._needs.deleting.done(self._account.tenant, self._account.call)

    async def discard(self) -> None:
        try:
            await self._needs.keys.destroy(self._account.tenant, self._account.call, CLASS)
        finally:
            await self._file.discard()
        await self._needs.index.forget(self._account.tenant, self._account.call)
