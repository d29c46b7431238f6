"""One way to delete: holds are asked, it is decided, key and data are destroyed, it is written down and certified.

A deletion is decided in the store before anything is touched, so who dies over it is followed by another gateway (``resume``),
and a hold that comes at the same moment is either before it or after it. It is done when it answers (promises 14, 16 and 17).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol, TypeVar

from gateway.adapters.stores.deletions import Intent
from gateway.errors import SordinoError, StoreUnavailable
from gateway.evidence.certificate import KIND, Certificate, Destroyed, certify, stored_certificate
from gateway.evidence.entries import Entry
from gateway.evidence.signed import Sign
from gateway.policy.retention import OF_PERSONS, Hold, said
from gateway.ports import Clock, Ids, Ledger, Telemetry
from gateway.runner.account import CallAccount
from gateway.runner.holdings import LINKS, Deleted, Holding, Item
from gateway.values import CallId, TenantId

BATCH = 100
"""Things that are decided at once."""
AT_ONCE = 8
"""Things that are destroyed at the same time, of one place."""
WRITTEN_AT_ONCE = 25
"""Entries that wait for one fsync together."""
LOOKS = 20
"""How often holds are read again because one came or went meanwhile."""


class DeletionLog(Protocol):
    """What is decided (``gateway.adapters.stores.deletions``). Every method raises StoreUnavailable."""

    async def claim(
        self, tenant: TenantId, intents: Sequence[Intent], holds_version: str, *, holder: str = ""
    ) -> list[Intent] | None: ...
    async def take(self, tenant: TenantId, most: int) -> list[Intent]: ...
    async def pending(self, tenant: TenantId) -> list[Intent]: ...
    async def finish(self, tenant: TenantId, intent: Intent, certificate: str, document: bytes) -> bytes: ...


class HoldsNow(Protocol):
    """The holds in force (``gateway.adapters.stores.holds``), and their version. Raises StoreUnavailable."""

    async def now(self, tenant: TenantId) -> tuple[str, tuple[Hold, ...]]: ...


_Gone = tuple[Intent, Deleted]
_T = TypeVar("_T")


class ReadEntries(Protocol):
    """The tenant's evidence in order, from behind a place. Raises StoreUnavailable, EvidenceInvalid."""

    def __call__(self, tenant: TenantId, call: CallId | None = None, *, after: int = 0) -> AsyncIterator[Entry]: ...


SubjectOf = Callable[[TenantId, CallId], Awaitable[str | None]]
"""Whose call it is, as the keyed hash of the number; None: not known. Raises StoreUnavailable."""
CallsOf = Callable[[TenantId, str], Awaitable[Sequence[CallId]]]
"""The calls of a person, by that hash. Raises StoreUnavailable."""


@dataclass(frozen=True, slots=True)
class Held:
    """What was not deleted, and the first order that keeps it."""

    item: Item
    hold: Hold


@dataclass(frozen=True, slots=True)
class Deletion:
    """What became of it: a certificate for each thing that is gone, and what a hold keeps."""

    certificates: tuple[Certificate, ...] = ()
    held: tuple[Held, ...] = ()


@dataclass(frozen=True, slots=True)
class DeletionParts:
    """What deletions stand on. ``entries`` reads a thread of the evidence from behind a place; ``purge`` makes the store forget
    what was destroyed in its own file, once for many, and says what came of it.
    """

    log: DeletionLog
    holds: HoldsNow
    holdings: Callable[[], Sequence[Holding]]
    ledger: Ledger
    entries: ReadEntries
    sign: Sign
    public_key: bytes
    clock: Clock
    ids: Ids
    telemetry: Telemetry
    subject_of: SubjectOf
    calls_of: CallsOf
    purge: Callable[[], Awaitable[str]] | None = None


class Deletions:
    """``await deletions.delete(tenant, items, why="request of the caller", by="operator")``."""

    def __init__(self, parts: DeletionParts) -> None:
        self._p = parts

    async def delete(
        self, tenant: TenantId, items: Sequence[Item], *, why: str, by: str, holder: str = "", looked: str = ""
    ) -> Deletion:
        """Everything of ``items`` that no hold keeps is gone, everywhere, when this answers; each with its certificate.

        ``why`` and ``by`` stand in the evidence: no personal data. Deleting what is gone is no error. ``holder``: who must have
        the lease of retention when it is decided, else nothing is. ``looked``: the version of the holds under which the asker
        has looked itself; where one came or went since, nothing is decided.

        Raises:
            InvalidRequest: no reason is given.
            StoreUnavailable, EvidenceUnavailable, NoPermittedRoute, UpstreamFailed: something could not be deleted now, or not
                be written down. It stays decided: ``resume`` goes on with it. All the rest of ``items`` was done.
        """
        why, by = said(why), said(by, "name of who deletes")
        deletion = self._p.ids.new("deletion")
        held: list[Held] = []
        gone: list[_Gone] = []
        failed: list[SordinoError] = []
        for start in range(0, len(items), BATCH):
            decided, kept = await self._decide(tenant, items[start : start + BATCH], deletion, why, by, holder, looked)
            held += kept
            gone += await self._destroy(tenant, decided, failed)
        certificates = await self._certify(tenant, gone, failed, fresh=deletion)
        if held:
            await self._write_held(tenant, CallId(deletion), held, why, by)
        if failed:
            raise failed[0]
        return Deletion(tuple(certificates), tuple(held))

    async def held(self, tenant: TenantId, items: Sequence[Item]) -> tuple[Held, ...]:
        """Those of ``items`` that a hold keeps now. Raises StoreUnavailable."""
        _, holds = await self._p.holds.now(tenant)
        return (await self._sorted_out(tenant, items, holds))[1]

    async def resume(self, tenants: Iterable[TenantId], *, at_once: bool = False) -> tuple[Certificate, ...]:
        """Finish what was decided and left behind by who died, or what failed. Raises the first failure, after all was tried.

        ``at_once``: also what somebody may still be working on; twice is as good as once.
        """
        certificates: list[Certificate] = []
        failed: list[SordinoError] = []
        for tenant in tenants:
            left = await (self._p.log.pending(tenant) if at_once else self._p.log.take(tenant, BATCH))
            while left:
                certificates += await self._certify(tenant, await self._destroy(tenant, left, failed), failed)
                left = [] if at_once else await self._p.log.take(tenant, BATCH)
        if failed:
            raise failed[0]
        return tuple(certificates)

    async def finish(self, tenant: TenantId, *, call: CallId | None = None, subject: str = "") -> tuple[Certificate, ...]:
        """Finish now what was decided, by whomever, of this call, or of this person and their calls: nothing of it waits then.

        What is destroyed and not certified yet is listed nowhere, so who asks what is left asks here, too, and behind the list.
        Whose call it was may be gone by then: a person's may be any that is nobody's. Raises what ``resume`` does.
        """
        failed: list[SordinoError] = []
        left = [each for each in await self._p.log.pending(tenant) if await self._concerns(tenant, each, call, subject)]
        certificates = await self._certify(tenant, await self._destroy(tenant, left, failed), failed)
        if failed:
            raise failed[0]
        return tuple(certificates)

    async def _concerns(self, tenant: TenantId, intent: Intent, call: CallId | None, subject: str) -> bool:
        if call is not None or intent.data_class in OF_PERSONS or intent.id == subject:
            return intent.id == (subject if call is None else call)
        return await self._p.subject_of(tenant, CallId(intent.id)) in (None, subject)

    # --- deciding -----------------------------------------------------------------------------------------------------

    async def _decide(
        self, tenant: TenantId, items: Sequence[Item], deletion: str, why: str, by: str, holder: str, looked: str
    ) -> tuple[list[Intent], tuple[Held, ...]]:
        decided_at = self._p.clock.now()
        for _ in range(LOOKS):
            version, holds = await self._p.holds.now(tenant)
            if looked and version != looked:
                return [], ()
            free, held = await self._sorted_out(tenant, items, holds)
            intents = [
                Intent(
                    deletion=deletion,
                    holding=item.holding,
                    data_class=item.data_class,
                    id=item.id,
                    since=item.since,
                    why=why,
                    by=by,
                    decided=decided_at,
                    key_id=item.key_id,
                    keep=item.keep,
                )
                for item in free
            ]
            if not intents:
                return [], held
            claimed = await self._p.log.claim(tenant, intents, version, holder=holder)
            if claimed is not None:
                return claimed, held
        raise StoreUnavailable("holds are placed faster than a deletion can be decided", hint="try again in a moment")

    async def _sorted_out(
        self, tenant: TenantId, items: Sequence[Item], holds: Sequence[Hold]
    ) -> tuple[list[Item], tuple[Held, ...]]:
        free: list[Item] = []
        held: list[Held] = []
        for item in items:
            hold = await self._keeper(tenant, item, holds)
            if hold is None:
                free.append(item)
            else:
                held.append(Held(item, hold))
        return free, tuple(held)

    async def _keeper(self, tenant: TenantId, item: Item, holds: Sequence[Hold]) -> Hold | None:
        """The first order that keeps it."""
        subject, link = None, item.holding in LINKS
        if item.data_class not in OF_PERSONS and any(hold.scope.subject is not None for hold in holds):
            subject = await self._p.subject_of(tenant, CallId(item.id))
        for hold in holds:
            if hold.scope.covers(item.data_class, item.id, item.since, subject=subject, link=link):
                return hold
        return await self._keeper_of_calls(tenant, item, holds) if link else None

    async def _keeper_of_calls(self, tenant: TenantId, link: Item, holds: Sequence[Hold]) -> Hold | None:
        """The first order that keeps something of the calls that this link is about: it stays as long as they do."""
        others = [hold for hold in holds if hold.scope.subject is None]
        if not others:
            return None
        of_person = link.data_class in OF_PERSONS
        calls = await self._p.calls_of(tenant, link.id) if of_person else [CallId(link.id)]
        places = [holding for holding in self._p.holdings() if holding.name not in LINKS]
        for call in calls:
            for holding in places:
                item = await holding.of_call(tenant, call)
                if item is not None and (hold := await self._keeper(tenant, item, others)) is not None:
                    return hold
        return None

    async def _write_held(self, tenant: TenantId, thread: CallId, held: Sequence[Held], why: str, by: str) -> None:
        """One entry for each hold: how much of what it kept."""
        account = CallAccount(tenant, thread, self._p.ledger, self._p.clock)
        for hold in {each.hold.id: each.hold for each in held}.values():
            kept = [each.item for each in held if each.hold.id == hold.id]
            classes = sorted({item.data_class.value for item in kept})
            await account.write("hold.blocked", {"hold": hold.id, "items": len(kept), "classes": classes, "why": why, "by": by})

    # --- doing --------------------------------------------------------------------------------------------------------

    async def _destroy(self, tenant: TenantId, intents: Sequence[Intent], failed: list[SordinoError]) -> list[_Gone]:
        """Key and data, one after the other. What fails stays decided; its error is added to ``failed``."""
        holdings = {holding.name: holding for holding in self._p.holdings()}
        gone: list[_Gone] = []

        async def destroy(intent: Intent) -> None:
            try:
                gone.append((intent, await _destroyed(holdings, tenant, intent)))
            except SordinoError as error:
                failed.append(error)

        # One place after the other: who knows where the rest is, comes last.
        for _, of_place in groupby(intents, key=lambda intent: intent.holding):
            await _some_at_once(list(of_place), destroy, AT_ONCE)
        return gone

    async def _certify(
        self, tenant: TenantId, gone: Sequence[_Gone], failed: list[SordinoError], *, fresh: str = ""
    ) -> list[Certificate]:
        """Write down what is gone, and certify it. ``fresh``: the deletion of which nothing can be on record yet."""
        certificates: dict[str, Certificate] = {}
        try:
            purged = ""
            if self._p.purge is not None and any(_key(*each) for each in gone):
                purged = await self._p.purge()
            written = await self._written(tenant, [intent for intent, _ in gone if intent.deletion != fresh])
        except SordinoError as error:
            failed.append(error)
            return []

        async def certify_one(each: _Gone) -> None:
            try:
                certificates[each[0].field] = await self._certified(tenant, *each, purged, written)
            except SordinoError as error:
                failed.append(error)

        await _some_at_once(gone, certify_one, WRITTEN_AT_ONCE)
        return [certificates[intent.field] for intent, _ in gone if intent.field in certificates]

    async def _written(self, tenant: TenantId, intents: Sequence[Intent]) -> Mapping[str, Entry]:
        """By its certificate's id, what the evidence says already of deletions that somebody began before."""
        if not intents:
            return {}
        after = min(intent.after for intent in intents)
        found = self._p.entries(tenant, None, after=after)
        return {str(entry.draft.body.get("certificate")): entry async for entry in found if entry.draft.kind == KIND}

    async def _certified(
        self, tenant: TenantId, intent: Intent, deleted: Deleted, purged: str, written: Mapping[str, Entry]
    ) -> Certificate:
        facts = self._facts(tenant, intent, deleted, purged)
        entry = written.get(facts.certificate)
        if entry is None:
            # A thread of its own, so that nobody must know where another one stands.
            account = CallAccount(tenant, CallId(facts.certificate), self._p.ledger, self._p.clock)
            await account.write(KIND, facts.body())
            entry = account.entries[-1]
        certificate = certify(entry, sign=self._p.sign, public_key=self._p.public_key)
        counts = await self._p.log.finish(tenant, intent, certificate.id, certificate.to_json())
        self._p.telemetry.count("sordino_deletions_total", data_class=intent.data_class.value)
        return stored_certificate(counts)

    def _facts(self, tenant: TenantId, intent: Intent, deleted: Deleted, purged: str) -> Destroyed:
        name = hashlib.sha256("\0".join((tenant, intent.deletion, intent.field)).encode()).hexdigest()[:32]
        key_id = _key(intent, deleted)
        return Destroyed(
            certificate=f"certificate_{name}",
            data_class=intent.data_class,
            of=intent.id,
            holding=intent.holding,
            key_id=key_id,
            where=deleted.where,
            why=intent.why,
            by=intent.by,
            decided=intent.decided,
            gone=self._p.clock.now(),
            append_only_file=purged if key_id else "",
        )


async def _destroyed(holdings: Mapping[str, Holding], tenant: TenantId, intent: Intent) -> Deleted:
    holding = holdings.get(intent.holding)
    if holding is None:
        raise StoreUnavailable(
            f"this gateway has no {intent.holding}", hint="another gateway decided to delete of it: ask that one"
        )
    item = Item(
        data_class=intent.data_class,
        tenant=tenant,
        id=intent.id,
        holding=intent.holding,
        since=intent.since,
        keep=intent.keep,
        key_id=intent.key_id,
    )
    return await holding.delete(item)


async def _some_at_once(each: Sequence[_T], act: Callable[[_T], Awaitable[None]], most: int) -> None:
    for start in range(0, len(each), most):
        await asyncio.gather(*(act(one) for one in each[start : start + most]))


def _key(intent: Intent, deleted: Deleted) -> str:
    """The key that died: who deletes a second time no longer finds it."""
    return deleted.key_id or intent.key_id


def held_reasons(held: Sequence[Held]) -> tuple[str, ...]:
    """A sentence for each hold: what it keeps, and until when somebody looks at it again."""
    found: dict[str, list[Held]] = {}
    for each in held:
        found.setdefault(each.hold.id, []).append(each)
    return tuple(
        f"hold {id_} keeps {', '.join(sorted({each.item.holding for each in kept}))}; its review is on {kept[0].hold.review}"
        for id_, kept in found.items()
    )
