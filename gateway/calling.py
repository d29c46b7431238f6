"""Wiring of one call: from its leg and its tenant to its receipt, with everything that a call stands on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from gateway.adapters.conversation import ConversationParts, LiveKitConversation, make_agent
from gateway.adapters.conversation.answer_ear import LocalAnswerEar
from gateway.adapters.detectors.presidio import PresidioDetector
from gateway.adapters.keys.signing import SigningKey
from gateway.adapters.sounds import Sounds, Spoken
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.offboarding import RedisOffboarding
from gateway.adapters.stores.policy_archive import PolicyArchive
from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.adapters.stores.receipts import Receipts
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.vault import RedisVault
from gateway.call.consent import ConsentWithdrawn
from gateway.call.flow import Outcome
from gateway.call.plot import Failed
from gateway.errors import SordinoError, StoreUnavailable
from gateway.evidence import receipt as receipts
from gateway.evidence.entries import Entry, Json
from gateway.evidence.receipt import Receipt
from gateway.governing import NO_NUMBERS, Ends, Governing, answers_on_call, law_of_call, opt_out_on_call, origins_of
from gateway.locks import KeyShelf
from gateway.paying import Extras
from gateway.policy.consent import How
from gateway.policy.model import TenantPolicy
from gateway.policy.voices import prefers_masked_voice
from gateway.ports import (
    Clock,
    Conversation,
    ConversationEvents,
    Egress,
    Ids,
    Masker,
    Observer,
    Playout,
    SpanHandle,
    Telemetry,
    TurnShown,
)
from gateway.recording import RecordingNeeds, Taping
from gateway.runner.account import CallAccount
from gateway.runner.call_runner import CallParts, CallRunner
from gateway.runner.children import ChildCalls
from gateway.runner.consents import CallConsents, KeepAnswer, Withdraw, minding
from gateway.runner.egress import CallEgress, Negotiated
from gateway.runner.gate import all_sounds, opt_out_watch, to_play
from gateway.runner.leg import EncryptedLeg, Leg
from gateway.runner.opt_out import HeardOnce, ListeningLeg, listening
from gateway.runner.payment import PaymentProcessor
from gateway.runner.rights_callers import promised
from gateway.runner.showing import Shown, showing
from gateway.serving import masker_of
from gateway.transcribing import Scribing, TranscriptNeeds
from gateway.values import CallId, TenantId

log = logging.getLogger(__name__)

SHORTEST_VAULT_S = 60


@dataclass(frozen=True, slots=True)
class CallNeeds:
    """What calls stand on; it lives longer than they do. ``warmed`` returns when speech and detector can be asked."""

    policies: PolicyFolder
    instructions: PolicyArchive
    store: Store
    ledger: RedisLedger
    keys: KeyShelf
    signing: SigningKey
    receipts: Receipts
    governing: Governing
    payments: PaymentProcessor
    recordings: RecordingNeeds
    transcripts: TranscriptNeeds
    children: ChildCalls
    detector: PresidioDetector
    parts: ConversationParts
    spoken: Spoken
    sounds: Sounds
    telemetry: Telemetry
    clock: Clock
    ids: Ids
    observer: Observer
    warmed: Callable[[], Awaitable[None]]
    negotiated: Negotiated


class Calls:
    """Runs calls, and knows which go on."""

    def __init__(self, needs: CallNeeds) -> None:
        self.needs = needs
        self._legs: dict[CallId, Leg] = {}
        self._idle = asyncio.Event()
        self._idle.set()

    async def run(self, leg: Leg, tenant: TenantPolicy, *, carrier: str, ends: Ends = NO_NUMBERS) -> Outcome:
        """Run one call of that tenant on that leg, to its receipt. ``ends``: whose law holds follows from the numbers.

        Raises:
            Misconfigured, PolicyUnavailable, TenantLeaving, EvidenceUnavailable: it cannot even begin; nothing was heard and
                nothing is on record.
        """
        needs = self.needs
        call = CallId(needs.ids.new("call"))
        shown = showing(needs.observer, call)
        account = CallAccount(TenantId(tenant.tenant), call, needs.ledger, needs.clock)
        law, first = law_of_call(needs.policies.policies, tenant, ends)
        await needs.spoken.prepare(first.announcements)
        extras = Extras.of(tenant, needs.governing.spoken.on_call(tenant, call))
        sounds = all_sounds(first.announcements, needs.sounds, tenant.language, more=extras.messages)
        started = await self._started(tenant, carrier, leg) | {"jurisdiction": first.record(law)}
        arrived = await needs.governing.callers.calling(tenant, call, ends.caller)
        spoken = to_play(first.announcements, needs.sounds)
        flow = extras.flow(spoken, started | arrived.facts, leg.acknowledges, barred=arrived.barred)
        agent = make_agent(tenant.agent if isinstance(tenant.agent, str) else None, *_plain(tenant))
        egress = self._egress(extras, account, shown, origins_of(tenant, law), arrived.subject)
        opting = opt_out_on_call(needs.governing.dial, account, ends.caller)

        taping = Taping(needs.recordings, tenant, account, egress, leg.rate, lambda code: runner.post(Failed(code)))
        scribing = Scribing(needs.transcripts, tenant, account, extras.keys_are_card_data)
        consents = _joined(answers_on_call(needs.governing.dial, account, ends.caller, needs.clock), taping, scribing)

        def conversation(playout: Playout, events: ConversationEvents, span: SpanHandle) -> Conversation:
            talk = LiveKitConversation(
                needs.parts,
                make_agent=agent,
                language=tenant.language,
                open_masker=lambda: self._masker(extras, call, opting, lambda how: runner.post(ConsentWithdrawn(how))),
                egress=extras.seeing(egress),
                playout=playout,
                events=events,
                call_span=span,
                taking=extras.taking(lambda event: runner.post(event)),
                prefers_masked_voice=prefers_masked_voice(tenant, needs.policies.policies.registry),
                tape=taping.tape,
                scribe=scribing.scribe,
            )
            return scribing.over(taping.over(talk))

        async def seal(outcome: Outcome, code: str | None) -> None:
            await self._seal(account, shown)

        heard = ListeningLeg(leg, opting, needs.clock, opt_out_watch(flow.announcements), extras.keys_are_card_data)
        parts = CallParts(flow, heard, account, sounds, conversation, seal, needs.clock, needs.telemetry, shown)
        ear = partial(LocalAnswerEar, needs.parts.stt, egress, needs.warmed)
        paying = extras.payment(egress, needs.payments, taping.recorder)
        parts = replace(parts, payment=paying, transfers=extras.transfers, child=extras.childhood.signal)
        runner = CallRunner(replace(parts, consents=consents, make_answer_ear=ear, tap=taping.recorder))
        extras.childhood.bind(runner.post, (taping.child, scribing.child), partial(needs.children.begin, account.tenant, call))
        self._legs[call] = leg
        self._idle.clear()
        try:
            return await runner.run()
        finally:
            await self._over(extras, call)

    async def _over(self, extras: Extras, call: CallId) -> None:
        if extras.childhood.signalled:
            await self.needs.children.over(TenantId(extras.tenant.tenant), call)
        await self._forget(extras.tenant, call)
        del self._legs[call]
        if not self._legs:
            self._idle.set()

    async def idle(self) -> None:
        """Wait until no call goes on: every one has its receipt."""
        await self._idle.wait()

    async def hang_up(self) -> None:
        """Close the leg of every call. ``idle`` waits until each has its receipt."""
        for leg in tuple(self._legs.values()):
            await leg.close()

    async def seal_entries(self, entries: Sequence[Entry]) -> Receipt:
        """The receipt of these entries, signed and kept. Raises StoreUnavailable."""
        receipt = receipts.build(entries, sign=self.needs.signing.sign, public_key=self.needs.signing.public_key)
        await self.needs.receipts.save(receipt)
        return receipt

    def vault(self, tenant: TenantPolicy) -> RedisVault:
        """Where the private values of the tenant's calls are."""
        ttl_s = max(SHORTEST_VAULT_S, int(tenant.retention.vault.total_seconds()))
        return RedisVault(self.needs.store, self.needs.keys, ttl_s=ttl_s)

    # --- one call -----------------------------------------------------------------------------------------------------

    def _egress(self, extras: Extras, account: CallAccount, shown: Shown, origins: frozenset[str], subject: str) -> Egress:
        needs = self.needs
        parts = (needs.policies, account, needs.clock, needs.ids, needs.telemetry, shown, _origin(extras.tenant))
        egress = CallEgress(*parts, origins=origins, notices=needs.governing.watch, negotiated=needs.negotiated)
        return extras.spoken.heeding(needs.governing.callers.heeding(egress, account.tenant, subject))

    async def _masker(self, extras: Extras, call: CallId, opting: HeardOnce, withdraw: Withdraw) -> Masker:
        await self.needs.warmed()
        tenant = extras.tenant
        vault = await self.vault(tenant).open(TenantId(tenant.tenant), call)
        return minding(listening(extras.masker(masker_of(tenant, self.needs.detector, vault)), opting), withdraw)

    async def _seal(self, account: CallAccount, shown: Shown) -> None:
        receipt = receipts.build(account.entries, sign=self.needs.signing.sign, public_key=self.needs.signing.public_key)
        kept = await self.needs.receipts.save(receipt)
        shown(TurnShown("sealed", facts={"receipt": str(kept.file or ""), "entries": len(receipt.entries)}))

    async def _forget(self, tenant: TenantPolicy, call: CallId) -> None:
        """The call's key goes with the call; if the store is gone, its time to live ends it."""
        try:
            await (await self.vault(tenant).open(TenantId(tenant.tenant), call)).destroy()
        except SordinoError as error:
            log.warning("the vault of a call is left to its time to live: %s", error.code)

    async def _started(self, tenant: TenantPolicy, carrier: str, leg: Leg) -> dict[str, Json]:
        """The body of ``call.started``. What it names by digest is kept first. Raises TenantLeaving."""
        with suppress(StoreUnavailable):  # without the store nothing is heard either, and the caller is told so
            await RedisOffboarding(self.needs.store).check(TenantId(tenant.tenant))
        registry = self.needs.policies.policies.registry
        await self.needs.instructions.keep(tenant, registry)
        spoken = leg.transport if isinstance(leg, EncryptedLeg) else {}
        transport: dict[str, Json] = {"transport": dict(spoken)} if spoken else {}
        return transport | {
            "carrier": carrier,
            "direction": "inbound",
            "language": tenant.language,
            "policy_digest": tenant.digest,
            "registry_digest": registry.digest,
            **promised(tenant),
        }


def _joined(keep: KeepAnswer | None, taping: Taping, scribing: Scribing) -> CallConsents:
    """The tokens of a call, joined to whoever keeps something by them."""

    def lost(purpose: str, how: How | None) -> None:
        taping.revoked(purpose, how)
        scribing.revoked(purpose, how)

    consents = CallConsents(keep, lost)
    taping.by(consents)
    scribing.by(consents)
    return consents


def _origin(tenant: TenantPolicy) -> str:
    return tenant.origins[0] if tenant.origins else ""


def _plain(tenant: TenantPolicy) -> tuple[str, str]:
    if tenant.agent is None or isinstance(tenant.agent, str):
        return ("You answer the phone. Be brief and kind.", "Hello. How can I help you?")
    return (tenant.agent.instructions, tenant.agent.greeting or "")
