"""The end of a tenant, step by step: each is written down before and after, so that whoever dies over one is followed by another.

A step may be done twice, and is never called done before it is. What a legal hold keeps is named, stays readable, and keeps the
tenant's key alive: the end waits for it (promises 15 and 16).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from gateway.adapters.stores.tenant_keys import TenantKey
from gateway.errors import NoPermittedRoute, NotFound, PolicyRefused, StoreUnavailable, UpstreamFailed
from gateway.evidence.certificate import KIND as DELETED
from gateway.evidence.chain import timestamp
from gateway.evidence.entries import Entry, Json
from gateway.evidence.leaving import certify_end
from gateway.evidence.signed import Sign
from gateway.locks import KeyShelf
from gateway.policy.offboarding import KEPT, OF_CONTRACT, WAIT, Offboarding, Status, Step, Times
from gateway.policy.retention import Retention, reason_of_a_person
from gateway.ports import Clock, Ids, Ledger
from gateway.runner.account import CallAccount
from gateway.runner.deletion import Deletions, Held, held_reasons
from gateway.runner.holdings import Holding, Item
from gateway.values import CallId, DataClass, TenantId

AT_ONCE = 200
"""Things that are deleted in one go."""
ELSEWHERE = "the export of this tenant lies on another gateway's disk: that gateway removes it"
ROUNDS = 5
"""How often what is left is looked for: calls that went on when the end was announced leave something behind."""
OUTLIVING = frozenset({DataClass.EVIDENCE})
Facts = Mapping[str, str | int]
Find = Callable[[TenantId], Awaitable[Offboarding | None]]
"""Where a tenant's end stands. Raises StoreUnavailable."""


class Log(Protocol):
    """``gateway.adapters.stores.offboarding``."""

    async def find(self, tenant: TenantId) -> Offboarding | None: ...
    async def save(self, state: Offboarding, *, before: int) -> bool: ...


class ApiKeys(Protocol):
    """``gateway.adapters.stores.tenant_keys``."""

    async def of(self, tenant: TenantId) -> list[TenantKey]: ...
    async def revoke(self, tenant: TenantId, key_id: str, *, now: datetime) -> TenantKey: ...


class Exports(Protocol):
    """Where the file lies that the tenant takes along. Every method raises StoreUnavailable."""

    async def write(self, state: Offboarding) -> Facts:
        """Everything that is kept, and the evidence. Twice is as good as once."""
        ...

    async def remove(self, state: Offboarding) -> bool:
        """It is gone when this answers. False: it lies on another gateway's disk, and that one must remove it."""
        ...

    async def tidy(self, find: Find) -> None:
        """Nothing is on this disk but the exports of ends that may have one, and what is being written of those."""
        ...


class ReadEntries(Protocol):
    """The tenant's evidence in order. Raises StoreUnavailable, EvidenceInvalid."""

    def __call__(self, tenant: TenantId, call: CallId | None = None, *, after: int = 0) -> AsyncIterator[Entry]: ...


@dataclass(frozen=True, slots=True)
class OffboardingParts:
    """What a tenant's end stands on. ``retention``: what its policy says, or the defaults where it has none any more.

    ``key_destroyed`` tells whoever else has a copy of keys; ``keep_certificate`` keeps the last one; ``forget``
    takes what is no item of a holding (lists of others, counters). ``known``: whether it is a tenant of the policies.
    """

    log: Log
    api_keys: ApiKeys
    exports: Exports
    holdings: Sequence[Holding]
    deletions: Deletions
    shelf: KeyShelf
    ledger: Ledger
    entries: ReadEntries
    retention: Callable[[TenantId], Retention]
    sign: Sign
    public_key: bytes
    clock: Clock
    ids: Ids
    key_destroyed: Callable[[], Awaitable[None]]
    keep_certificate: Callable[[TenantId, bytes], Awaitable[None]]
    forget: Callable[[TenantId], Awaitable[Facts]]
    known: Callable[[TenantId], bool] = lambda _: True


@dataclass(frozen=True, slots=True)
class Preview:
    """What would go, and what would stay. ``counts`` is by class and holding."""

    times: Times
    counts: Mapping[tuple[str, str], int]
    held: tuple[Held, ...]
    api_keys: int


class OffboardingDesk:
    """Raises StoreUnavailable and EvidenceUnavailable from everything it does; what was begun stays begun."""

    def __init__(self, parts: OffboardingParts) -> None:
        self._p = parts
        self._do: Mapping[Step, Callable[[Offboarding], Awaitable[tuple[Facts, tuple[str, ...]]]]] = {
            Step.ANNOUNCED: self._announce,
            Step.KEYS_REVOKED: self._revoke,
            Step.EXPORTED: self._export,
            Step.DATA_DELETED: self._delete_data,
            Step.KEY_DESTROYED: self._destroy_key,
            Step.CONTACT_DELETED: self._delete_contact,
            Step.CERTIFIED: self._certify,
        }

    async def preview(
        self, tenant: TenantId, *, ends: datetime | None = None, wait: timedelta = WAIT, contract: timedelta = OF_CONTRACT
    ) -> Preview:
        """What ``start`` would come to, without doing anything. Raises InvalidRequest, NotFound."""
        await self._check_known(tenant)
        counts: Counter[tuple[str, str]] = Counter()
        held: list[Held] = []
        async for batch in self._items(tenant, lambda item: True):
            counts.update((item.data_class.value, item.holding) for item in batch)
            held += await self._p.deletions.held(tenant, batch)
        now = self._p.clock.now()
        usable = sum(key.usable(now) for key in await self._p.api_keys.of(tenant))
        return Preview(self._times(tenant, now, ends, wait, contract), counts, tuple(held), usable)

    async def start(
        self,
        tenant: TenantId,
        *,
        reason: str,
        by: str,
        ends: datetime | None = None,
        wait: timedelta = WAIT,
        contract: timedelta = OF_CONTRACT,
    ) -> Offboarding:
        """Announce it and go as far as may be gone now. One that goes on already goes on.

        Raises:
            InvalidRequest: no reason is given, or a time is none.
            NotFound: there is no such tenant; the gateway's own data is nobody's either.
            PolicyRefused: the tenant has left already.
            StoreUnavailable: an earlier end is still being taken back, or the store does not answer.
        """
        await self._check_known(tenant)
        reason, by, now = reason_of_a_person(reason), reason_of_a_person(by, "name of who ends it"), self._p.clock.now()
        times = self._times(tenant, now, ends, wait, contract)
        found = await self._p.log.find(tenant)
        if found is not None and found.status is Status.CANCELLING:
            found = await self._take_back(found)
            if not found.over:
                raise StoreUnavailable("an earlier end of this tenant is still being taken back", hint=ELSEWHERE)
        if found is not None and found.status is Status.DONE:
            raise PolicyRefused(f"tenant {tenant} has left already", hint=f"sordino tenants offboard {tenant} --status")
        if found is None or found.status is Status.CANCELLED:
            before = 0 if found is None else found.version
            state = Offboarding(self._p.ids.new("offboarding"), tenant, reason, by, now, times, version=before)
            await self._save(state.begin(Step.ANNOUNCED, now), before)
        return await self.advance(tenant)

    async def advance(self, tenant: TenantId) -> Offboarding:
        """Do what is due, in order. Raises NotFound: nobody ends this tenant."""
        state = await self.show(tenant)
        if state.status is Status.CANCELLING:
            return await self._take_back(state)
        while (step := state.due(self._p.clock.now())) is not None:
            if step not in state.steps:
                state = await self._save(state.begin(step, self._p.clock.now()), state.version)
            facts, waits = await self._do[step](state)
            if waits:
                changed = waits != state.steps[step].waits
                return await self._save(state.waiting(step, waits), state.version) if changed else state
            await self._prove(state, step, self._body(state, step, facts))
            state = await self._save(state.end(step, self._p.clock.now(), facts), state.version)
        return state

    def now(self) -> datetime:
        """The desk's time, aware UTC."""
        return self._p.clock.now()

    async def show(self, tenant: TenantId) -> Offboarding:
        """Where it stands. Raises NotFound."""
        state = await self._p.log.find(tenant)
        if state is None:
            raise NotFound(f"nobody ends tenant {tenant}", hint=f'sordino tenants offboard {tenant} --reason "…"')
        return state

    async def cancel(self, tenant: TenantId, *, reason: str, by: str) -> Offboarding:
        """The tenant stays: calls begin again. Its API keys stay revoked.

        It answers ``cancelling`` where the export lies on another gateway's disk: that gateway removes it and ends it.

        Raises:
            PolicyRefused: the point of no return was passed.
            NotFound, InvalidRequest.
        """
        reason, by = reason_of_a_person(reason), reason_of_a_person(by, "name of who cancels it")
        state = await self.show(tenant)
        if state.status is not Status.CANCELLING:
            state = await self._save(state.cancel(reason, by), state.version)
        return await self._take_back(state)

    async def _take_back(self, state: Offboarding) -> Offboarding:
        """Remove the export, write it down, and only then call it cancelled. Whoever dies between is followed by a round."""
        if not await self._p.exports.remove(state):
            return state
        reason, by = state.taken_back or ("", "")
        await self._prove(state, "cancelled", {"offboarding": state.id, "reason": reason, "by": by})
        return await self._save(state.cancelled(), state.version)

    def _times(self, tenant: TenantId, now: datetime, ends: datetime | None, wait: timedelta, contract: timedelta) -> Times:
        return Times.of(now, ends=ends or now, contact=self._p.retention(tenant).contact, wait=wait, contract=contract)

    async def _check_known(self, tenant: TenantId) -> None:
        """Who leaves may have lost its file already."""
        if not self._p.known(tenant) and await self._p.log.find(tenant) is None:
            raise NotFound("there is no such tenant in the policies", hint="sordino tenants list")

    async def _save(self, state: Offboarding, before: int) -> Offboarding:
        if not await self._p.log.save(state, before=before):
            raise StoreUnavailable("another gateway works on this tenant's end", hint="look again: --status")
        return state

    async def _prove(self, state: Offboarding, word: str, body: Mapping[str, Json]) -> Entry:
        """Its entry, once: who was killed behind it finds it."""
        thread = CallId(f"{state.id}.{word}")
        async for entry in self._p.entries(state.tenant, thread):
            return entry
        account = CallAccount(state.tenant, thread, self._p.ledger, self._p.clock)
        await account.write(f"offboarding.{word}", body)
        return account.entries[-1]

    def _body(self, state: Offboarding, step: Step, facts: Facts) -> dict[str, Json]:
        body: dict[str, Json] = {"offboarding": state.id, **facts}
        if step is Step.ANNOUNCED:
            times = state.times
            days = {
                "ends": times.ends,
                "data_from": times.data_from,
                "data_by": times.data_by,
                "contact_from": times.contact_from,
                "contact_by": times.contact_by,
            }
            body |= {"reason": state.reason, "by": state.by, **{name: timestamp(at) for name, at in days.items()}}
        return body

    # --- the steps ------------------------------------------------------------------------------------------------------

    async def _announce(self, state: Offboarding) -> tuple[Facts, tuple[str, ...]]:
        return {}, ()  # the state itself says so, and calls and requests look at it

    async def _revoke(self, state: Offboarding) -> tuple[Facts, tuple[str, ...]]:
        now = self._p.clock.now()
        keys = await self._p.api_keys.of(state.tenant)
        for key in keys:
            if not key.revoked_at:
                await self._p.api_keys.revoke(state.tenant, key.id, now=now)
        return {"keys": len(keys)}, ()

    async def _export(self, state: Offboarding) -> tuple[Facts, tuple[str, ...]]:
        try:
            facts = await self._p.exports.write(state)
        except (NoPermittedRoute, UpstreamFailed) as error:
            return {}, (str(error),)
        await self._p.exports.tidy(self._p.log.find)  # it may have been taken back, or gone on, while this was written
        return facts, ()

    async def _delete_data(self, state: Offboarding) -> tuple[Facts, tuple[str, ...]]:
        if not await self._p.exports.remove(state):
            return {}, (ELSEWHERE,)
        return {}, await self._delete(state, lambda item: item.data_class is not DataClass.CONTACT)

    async def _destroy_key(self, state: Offboarding) -> tuple[Facts, tuple[str, ...]]:
        # What came since goes first: while anything is kept under the tenant's key, or held, the key is not destroyed.
        if waits := await self._delete(state, lambda item: item.data_class is not DataClass.CONTACT):
            return {}, waits
        key_id = await self._p.shelf.destroy_tenant(state.tenant)
        await self._p.key_destroyed()
        proof = await self._p.shelf.purge()
        return {"key_id": key_id, "append_only_file": proof.append_only_file}, ()

    async def _delete_contact(self, state: Offboarding) -> tuple[Facts, tuple[str, ...]]:
        if waits := await self._delete(state, lambda item: True):
            return {}, waits
        facts = await self._p.forget(state.tenant)
        proof = await self._p.shelf.purge()
        return {**facts, "append_only_file": proof.append_only_file}, ()

    async def _certify(self, state: Offboarding) -> tuple[Facts, tuple[str, ...]]:
        if waits := await self._delete(state, lambda item: True):
            return {}, waits
        await self._p.forget(state.tenant)  # what somebody imported meanwhile
        entry = await self._certified(state)
        document = certify_end(entry, sign=self._p.sign, public_key=self._p.public_key)
        await self._p.keep_certificate(state.tenant, document)
        return {}, ()

    async def _certified(self, state: Offboarding) -> Entry:
        thread = CallId(f"{state.id}.{Step.CERTIFIED}")
        async for entry in self._p.entries(state.tenant, thread):
            return entry
        account = CallAccount(state.tenant, thread, self._p.ledger, self._p.clock)
        await account.write("offboarding.certified", await self._statement(state))
        return account.entries[-1]

    async def _statement(self, state: Offboarding) -> dict[str, Json]:
        """What was done when, counted from the certificates themselves, and what stays."""
        counts: Counter[str] = Counter()
        begun = [entry.seq async for entry in self._p.entries(state.tenant, CallId(f"{state.id}.{Step.ANNOUNCED}"))]
        async for entry in self._p.entries(state.tenant, after=min(begun, default=0)):
            body = entry.draft.body
            if entry.draft.kind == DELETED and body.get("why") == _why(state):
                counts[f"{body['class']} {body['holding']}"] += 1
        evidence = self._p.clock.now() + self._p.retention(state.tenant).evidence
        until = f"{evidence:%Y-%m-%d}"
        kept: list[Json] = [
            {"what": each.what, "why": each.why, "places": list(each.places), "until": until if each.ends else None}
            for each in KEPT
        ]
        steps: dict[str, Json] = {
            step.value: {"begun": timestamp(done.begun), "ended": timestamp(done.ended) if done.ended else None, **done.facts}
            for step, done in state.steps.items()
            if step is not Step.CERTIFIED
        }
        return {**self._body(state, Step.ANNOUNCED, {}), "steps": steps, "deleted": dict(counts), "kept": kept}

    async def _delete(self, state: Offboarding, wanted: Callable[[Item], bool]) -> tuple[str, ...]:
        """Delete all of it that no hold keeps; why it is not over, in sentences. Who keeps some elsewhere may fail alone."""
        held: list[Held] = []
        for _ in range(ROUNDS):
            held, gone, failed = [], 0, dict[str, None]()
            try:  # what somebody died over is gone and nowhere listed, and has no certificate yet
                await self._p.deletions.resume([state.tenant], at_once=True)
            except (NoPermittedRoute, UpstreamFailed) as error:
                failed[str(error)] = None
            async for batch in self._items(state.tenant, wanted):
                kept = await self._p.deletions.held(state.tenant, batch)
                held += kept
                if free := [item for item in batch if item not in {each.item for each in kept}]:
                    try:
                        done = await self._p.deletions.delete(state.tenant, free, why=_why(state), by=state.by)
                    except (NoPermittedRoute, UpstreamFailed) as error:
                        failed[str(error)] = None
                        continue
                    held += done.held
                    gone += len(done.certificates)
            if not gone:
                return (*held_reasons(held), *failed)
        return (*held_reasons(held), "something new keeps coming: calls of the tenant still go on")

    async def _items(self, tenant: TenantId, wanted: Callable[[Item], bool]) -> AsyncIterator[list[Item]]:
        for holding in self._p.holdings:
            if holding.data_class in OUTLIVING:
                continue
            batch: list[Item] = []
            async for item in holding.items(tenant):
                if wanted(item):
                    batch.append(item)
                if len(batch) >= AT_ONCE:
                    yield batch
                    batch = []
            if batch:
                yield batch


def _why(state: Offboarding) -> str:
    return f"end of the tenant's account, {state.id}"
