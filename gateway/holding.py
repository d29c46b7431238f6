"""Wiring of what is kept: every place of data as a holding, and the one engine that deletes from them.

A new place of data is a class in ``runner/places.py`` (or beside its store) and a line in ``holdings``.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from aiohttp import web

from gateway.adapters.keys.signing import SigningKey
from gateway.adapters.stores.certificates import RedisCertificates
from gateway.adapters.stores.deletions import RedisDeletions
from gateway.adapters.stores.holds import RedisHolds
from gateway.adapters.stores.lease import RedisLease
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.offboarding import RedisOffboarding
from gateway.adapters.stores.receipts import Receipts
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.subjects import RedisSubjects
from gateway.adapters.stores.tenants import tenants_with_evidence
from gateway.errors import DataHeld, NotFound
from gateway.http.holds import data_routes
from gateway.locks import KeyShelf
from gateway.policy.model import TenantPolicy
from gateway.policy.retention import reason_of_a_person
from gateway.ports import Clock, Ids, Telemetry
from gateway.runner.chain_expiry import ChainExpiry, ChainHolding
from gateway.runner.deletion import Deletion, DeletionParts, Deletions, held_reasons
from gateway.runner.holdings import Holding, Item
from gateway.runner.holds import HoldDesk, Known
from gateway.runner.outbound import Subject
from gateway.runner.places import (
    AttemptsHolding,
    CallersHolding,
    ConsentsHolding,
    PersonsHolding,
    ReceiptsHolding,
    RecordingsHolding,
    SpokenHolding,
    VaultHolding,
)
from gateway.runner.recordings import RecordingDesk
from gateway.runner.retention import PAUSE_S, Sweeper, SweeperParts
from gateway.runner.tenants import is_known
from gateway.runner.to_delete import Deleting
from gateway.values import CallId, DataClass, Private, TenantId


@dataclass(frozen=True, slots=True)
class HoldingNeeds:
    """What the holdings stand on. ``more``: those that are beside their stores."""

    store: Store
    desk: RecordingDesk
    receipts: Receipts
    clock: Clock
    more: Sequence[Holding] = ()


def holdings(needs: HoldingNeeds) -> tuple[Holding, ...]:
    """Every place of data, in the order in which it is best deleted: who knows where the rest is, comes last."""
    subjects = RedisSubjects(needs.store)
    return (
        RecordingsHolding(needs.desk),
        VaultHolding(needs.store, needs.clock),
        *needs.more,
        ReceiptsHolding(needs.receipts, lambda: needs.desk.machine),
        ConsentsHolding(needs.store),
        AttemptsHolding(needs.store),
        CallersHolding(subjects, needs.clock),
        SpokenHolding(subjects, needs.clock),
        PersonsHolding(subjects),
    )


Tenants = Callable[[], Mapping[TenantId, TenantPolicy]]
"""The tenants of the policy in force."""


@dataclass(frozen=True, slots=True)
class DataDeskNeeds:
    """What the desk stands on beside the holdings. ``subject`` hashes numbers; ``shelf`` None: keys are nobody's to purge."""

    store: Store
    ledger: RedisLedger
    signing: SigningKey
    clock: Clock
    ids: Ids
    telemetry: Telemetry
    subject: Subject
    shelf: KeyShelf | None = None
    key_destroyed: Callable[[], Awaitable[None]] | None = None
    """What else forgets a key that was destroyed: the sealed copy beside backups."""
    tenants: Tenants | None = None
    """None: any name is a tenant's."""


Ended = Callable[[TenantId], Awaitable[datetime | None]]


async def _never(tenant: TenantId) -> datetime | None:
    return None


@dataclass(frozen=True, slots=True)
class DataDesk:
    """What is kept, and how it goes: for whoever deletes, exports or restores."""

    needs: DataDeskNeeds
    holdings: tuple[Holding, ...]
    deletions: Deletions
    holds: HoldDesk
    certificates: RedisCertificates
    subject: Subject
    """The keyed hash that stands for a number."""

    def routes(self, operator: Private[str]) -> list[web.RouteDef]:
        """Holds, certificates, and the erasure of one call."""
        return data_routes(operator, self.holds, self.subject, self.erase_call, self.certificates)

    async def keep(self, recordings: RecordingDesk, receipts: Receipts, tenants: Tenants, *, ended: Ended | None = None) -> None:
        """Look after retention, again and again, until cancelled. ``ended``: when a tenant's contract ended."""

        async def clear_away() -> None:
            await receipts.clear_away()
            await recordings.clear_away(self.recording_deleted)

        await self.sweeper(tenants, ended=ended).run(clear_away)

    def sweeper(self, tenants: Tenants, *, ended: Ended | None = None) -> Sweeper:
        """Who looks after retention. ``ended``: when a tenant's contract ended; None: not known of any."""
        holder = f"gateway_{os.urandom(8).hex()}"

        async def paused() -> None:
            await asyncio.sleep(PAUSE_S)

        return Sweeper(
            SweeperParts(
                deletions=self.deletions,
                holdings=lambda: self.holdings,
                holds=self.holds,
                tenants=tenants,
                lease=RedisLease(self.needs.store, holder),
                holder=holder,
                clock=self.needs.clock,
                telemetry=self.needs.telemetry,
                ended=_never if ended is None else ended,
                pause=paused,
                everybody=self.everybody,
                evidence=ChainExpiry(self.needs.store, self.needs.clock),
                departed=RedisOffboarding(self.needs.store).over,
            )
        )

    async def everybody(self) -> tuple[TenantId, ...]:
        """Whoever has a policy, or has or ever had data: also tenants whose file was taken away. Raises StoreUnavailable."""
        known = () if self.needs.tenants is None else tuple(self.needs.tenants())
        return tuple(dict.fromkeys((*known, *await tenants_with_evidence(self.needs.store))))

    async def recording_deleted(self, tenant: TenantId, call: CallId) -> bool:
        """Whether it is certified that the sound of a call was deleted. Raises StoreUnavailable."""
        return any(each.data_class is DataClass.AUDIO for each in await self.certificates.of(tenant, call))

    async def of_call(self, tenant: TenantId, call: CallId) -> list[Item]:
        """Everything that is kept of this call. Raises StoreUnavailable."""
        found = [await holding.of_call(tenant, call) for holding in self.holdings]
        return [item for item in found if item is not None]

    async def of_person(self, tenant: TenantId, subject: str) -> list[Item]:
        """Everything that is kept under this keyed hash, their calls' not among it. Raises StoreUnavailable."""
        found = [await holding.of_person(tenant, subject) for holding in self.holdings]
        return [item for item in found if item is not None]

    async def delete_recording(self, tenant: TenantId, call: CallId, *, why: str, by: str) -> Deletion:
        """The sound of a call is gone when this answers.

        Raises:
            NotFound: there is no recording of it. DataHeld: a hold keeps it. And what ``Deletions.delete`` raises.
        """
        return await self._delete_class(DataClass.AUDIO, "recording", tenant, call, why=why, by=by)

    async def delete_transcript(self, tenant: TenantId, call: CallId, *, why: str, by: str) -> Deletion:
        """The same of what was said on it."""
        return await self._delete_class(DataClass.TRANSCRIPT, "transcript", tenant, call, why=why, by=by)

    def delete_for(self, recordings: Deleting, transcripts: Deleting) -> None:
        """What callers no longer agree to goes through this desk."""
        recordings.by, transcripts.by = self.delete_recording, self.delete_transcript
        recordings.held, transcripts.held = partial(self._keeps, DataClass.AUDIO), partial(self._keeps, DataClass.TRANSCRIPT)

    async def _keeps(self, data_class: DataClass, tenant: TenantId, call: CallId) -> bool:
        """Whether holds keep all that there is of that class."""
        items = [item for item in await self.of_call(tenant, call) if item.data_class is data_class]
        return bool(items) and len(await self.deletions.held(tenant, items)) == len(items)

    async def _delete_class(
        self, data_class: DataClass, named: str, tenant: TenantId, call: CallId, *, why: str, by: str
    ) -> Deletion:
        why = reason_of_a_person(why)
        places = [holding for holding in self.holdings if holding.data_class is data_class]
        items = [item for holding in places if (item := await holding.of_call(tenant, call)) is not None]
        if not items:
            await self.deletions.finish(tenant, call=call)  # who began it may have died: destroyed is not yet certified
            raise NotFound(f"there is no {named} of that call", hint=f"sordino {named}s list --tenant {tenant}")
        done = await self.deletions.delete(tenant, items, why=why, by=by)
        if done.held:
            raise DataHeld(f"a legal hold keeps that {named}", hint="lift the hold first", reasons=held_reasons(done.held))
        return done

    async def erase_call(self, tenant: TenantId, call: CallId, *, why: str, by: str) -> Deletion:
        """All of a call is gone when this answers, but what a hold keeps; asked again, it shows its certificates (promise 17).

        Raises:
            NotFound: nothing is, or ever was, kept of that call.
            DataHeld: holds keep all of it; each is named.
            InvalidRequest: the reason is none, or looks as if it held personal data.
            StoreUnavailable, EvidenceUnavailable, and what else ``Deletions.delete`` does.
        """
        why = reason_of_a_person(why)
        items = await self.of_call(tenant, call)
        done = await self.deletions.delete(tenant, items, why=why, by=by)
        # Behind the look: what somebody decided before and died over is in no list any more.
        gone = (*done.certificates, *await self.deletions.finish(tenant, call=call))
        if done.held and not gone:
            raise DataHeld("a legal hold keeps all of that call", hint="lift the hold first", reasons=held_reasons(done.held))
        if not items and not (gone := tuple(await self.certificates.of(tenant, call))):
            raise NotFound("nothing is kept of that call", hint="its id stands in its receipt, and in the list of calls")
        return Deletion(gone, done.held)


def _known(needs: DataDeskNeeds) -> Known | None:
    """Who is asked whether there is such a tenant."""
    if (tenants := needs.tenants) is None:
        return None

    async def known(tenant: TenantId) -> bool:
        return await is_known(tenant, tenants(), needs.ledger.entries)

    return known


def open_data_desk(needs: DataDeskNeeds, places: Sequence[Holding]) -> DataDesk:
    """The one door through which data goes."""
    chain = ChainHolding(needs.store, needs.ledger, needs.clock)
    holds, kept, shelf = RedisHolds(needs.store), (*places, chain), needs.shelf
    subjects = RedisSubjects(needs.store)

    async def purge() -> str:
        if needs.key_destroyed is not None:
            await needs.key_destroyed()
        return "" if shelf is None else (await shelf.purge()).append_only_file

    parts = DeletionParts(
        log=RedisDeletions(needs.store),
        holds=holds,
        holdings=lambda: kept,
        ledger=needs.ledger,
        entries=needs.ledger.entries,
        sign=needs.signing.sign,
        public_key=needs.signing.public_key,
        clock=needs.clock,
        ids=needs.ids,
        telemetry=needs.telemetry,
        subject_of=subjects.of_call,
        calls_of=subjects.calls,
        purge=None if shelf is None else purge,
    )
    desk = HoldDesk(holds, needs.ledger, needs.clock, needs.ids, subjects.of_call, _known(needs))
    return DataDesk(needs, kept, Deletions(parts), desk, RedisCertificates(needs.store), needs.subject)
