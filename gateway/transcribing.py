"""Wiring of transcripts: the scribe of a call whose tenant keeps them, the desk afterwards, their place among the holdings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.marks import Marks
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.transcripts import CallTranscript, RedisTranscripts, TranscriptFacts, TurnKept
from gateway.adapters.stores.withdrawn import RedisWithdrawn
from gateway.call.child import BY_CHILD
from gateway.errors import PolicyRefused
from gateway.evidence.entries import Json
from gateway.locks import KeyShelf
from gateway.policy.announcing import RECORDING
from gateway.policy.consent import How
from gateway.policy.model import TenantPolicy
from gateway.policy.transcripts import TRANSCRIPT
from gateway.ports import Clock, Conversation
from gateway.runner.account import CallAccount
from gateway.runner.consents import CallConsents
from gateway.runner.to_delete import Deleting, Noted
from gateway.runner.transcribing import ScribeParts, TranscribedConversation, Transcriber
from gateway.runner.transcripts import TranscriptDesk, TranscriptsHolding
from gateway.values import DataClass, Placeholder, Private


@dataclass(frozen=True, slots=True)
class TranscriptNeeds:
    """What transcripts stand on; it lives longer than calls do."""

    store: RedisTranscripts
    clock: Clock
    deleting: Deleting = field(default_factory=Deleting)


@dataclass(frozen=True, slots=True)
class TranscriptsKept:
    """What a gateway has for transcripts: what its calls need, the desk, and their holding."""

    needs: TranscriptNeeds
    desk: TranscriptDesk
    holding: TranscriptsHolding


def open_transcripts(
    store: Store, keys: KeyShelf, ledger: RedisLedger, clock: Clock, *, data: Path | None = None
) -> TranscriptsKept:
    """Transcripts in the gateway's own store, under keys of its shelf. ``data``: where it is noted what is to be deleted while
    the store does not answer; None: there is no call that could ask for it.
    """
    withdrawn = RedisWithdrawn(store, DataClass.TRANSCRIPT)
    marks = None if data is None else Marks(data / "to-delete" / DataClass.TRANSCRIPT.value)
    deleting = Deleting(withdrawn if marks is None else Noted(withdrawn, marks))
    kept = RedisTranscripts(store, keys)
    desk = TranscriptDesk(kept, ledger, ledger.entries, clock, deleting)
    return TranscriptsKept(TranscriptNeeds(kept, clock, deleting), desk, TranscriptsHolding(desk))


def purpose_of(tenant: TenantPolicy) -> str:
    """What callers must have agreed to: transcripts where they are asked for them, else recordings."""
    asked = any(each.purpose == TRANSCRIPT for each in tenant.announcements)
    return TRANSCRIPT if asked else RECORDING


class Scribing:
    """The scribe of one call, or none for a tenant that keeps no transcripts."""

    def __init__(self, needs: TranscriptNeeds, tenant: TenantPolicy, account: CallAccount, blind: Callable[[], bool]) -> None:
        """``blind``: whether card data is being given now."""
        self._needs = needs
        self._tenant = tenant
        self._account = account
        self._purpose = purpose_of(tenant)
        self._consents: CallConsents | None = None
        parts = ScribeParts(tenant.transcripts, self._may_keep, blind, self._open, account.write, needs.clock)
        self.scribe = Transcriber(parts) if tenant.transcripts.enabled else None

    def by(self, consents: CallConsents) -> None:
        """The call's tokens: without them nothing is kept."""
        self._consents = consents

    def revoked(self, purpose: str, how: How | None) -> None:
        """A token was lost."""
        if self.scribe is not None:
            self.scribe.revoked(purpose, how)

    def child(self) -> None:
        """A child is on the line: nothing more is kept."""
        if self.scribe is not None:
            self.scribe.stop(BY_CHILD)

    def over(self, conversation: Conversation) -> Conversation:
        """The conversation that is written down."""
        return TranscribedConversation(conversation, self.scribe) if self.scribe is not None else conversation

    def _may_keep(self) -> bool:
        return self._consents is not None and self._consents.holds(self._purpose)

    async def _open(self) -> StoredSheet:
        account = self._account
        facts = TranscriptFacts(
            call=account.call,
            started=self._needs.clock.now().isoformat(timespec="microseconds"),
            consent=consent_to(self._purpose, account),
            purpose=self._purpose,
            keep_s=int(self._tenant.retention.transcript.total_seconds()),
        )
        return StoredSheet(self._needs.store, account, await self._needs.store.begin(account.tenant, facts), self._needs.deleting)


def consent_to(purpose: str, account: CallAccount) -> str:
    """The entry that a transcript rests on: the last yes in this call's evidence (promise 11).

    Raises PolicyRefused: nobody said yes on record.
    """
    for entry in reversed(account.entries):
        if entry.draft.kind == "consent.given" and entry.draft.body.get("purpose") == purpose:
            return entry.hash
    raise PolicyRefused("no agreement to a transcript is on record", hint="nothing was kept")


@dataclass(frozen=True, slots=True)
class StoredSheet:
    """Implements ``gateway.runner.transcribing.Sheet``: a transcript in the store."""

    store: RedisTranscripts
    account: CallAccount
    opened: CallTranscript
    deleting: Deleting

    @property
    def evidence(self) -> Mapping[str, Json]:
        facts = self.opened.facts
        return {"consent": facts.consent, "purpose": facts.purpose, "key_id": facts.key_id}

    async def write(self, turns: Mapping[int, TurnKept], values: Mapping[Placeholder, Private[str]]) -> None:
        await self.opened.write(turns, values)

    async def finish(self, turns: int) -> None:
        await self.opened.finish(turns)

    async def discard(self) -> None:
        await self.store.delete(self.account.tenant, self.account.call)

    async def delete(self, why: str) -> bool:
        if self.deleting.by is None:
            await self.discard()
            return True
        return await self.deleting.done(self.account.tenant, self.account.call, why=why)
