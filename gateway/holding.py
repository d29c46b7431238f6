"""Wiring of what is kept: every place of data as a holding, and the one engine that deletes from them.

A new place of data is a class in ``runner/places.py`` (or beside its store) and a line in ``holdings``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from gateway.adapters.keys.signing import SigningKey
from gateway.adapters.stores.certificates import RedisCertificates
from gateway.adapters.stores.deletions import RedisDeletions
from gateway.adapters.stores.holds import RedisHolds
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.receipts import Receipts
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.subjects import RedisSubjects
from gateway.ports import Clock, Ids, Telemetry
from gateway.runner.deletion import DeletionParts, Deletions
from gateway.runner.holdings import Holding, Item
from gateway.runner.places import (
    AttemptsHolding,
    ConsentsHolding,
    PersonsHolding,
    ReceiptsHolding,
    RecordingsHolding,
    VaultHolding,
)
from gateway.runner.recordings import RecordingDesk
from gateway.values import CallId, TenantId


@dataclass(frozen=True, slots=True)
class HoldingNeeds:
    """What the holdings stand on. ``more``: those that are beside their stores."""

    store: Store
    desk: RecordingDesk
    receipts: Receipts
    clock: Clock
    more: Sequence[Holding] = ()


def holdings(needs: HoldingNeeds) -> tuple[Holding, ...]:
    """Every place of data, in the order in which a person's data is best deleted: who knows where the rest is, comes last."""
    return (
        RecordingsHolding(needs.desk),
        VaultHolding(needs.store, needs.clock),
        *needs.more,
        ReceiptsHolding(needs.receipts),
        ConsentsHolding(needs.store),
        AttemptsHolding(needs.store),
        PersonsHolding(RedisSubjects(needs.store)),
    )


@dataclass(frozen=True, slots=True)
class DataDesk:
    """What is kept, and how it goes: for whoever deletes, exports or restores."""

    holdings: tuple[Holding, ...]
    deletions: Deletions
    holds: RedisHolds
    certificates: RedisCertificates

    async def of_call(self, tenant: TenantId, call: CallId) -> list[Item]:
        """Everything that is kept of this call. Raises StoreUnavailable."""
        found = [await holding.of_call(tenant, call) for holding in self.holdings]
        return [item for item in found if item is not None]

    async def of_person(self, tenant: TenantId, subject: str) -> list[Item]:
        """Everything that is kept under this keyed hash, their calls' not among it. Raises StoreUnavailable."""
        found = [await holding.of_person(tenant, subject) for holding in self.holdings]
        return [item for item in found if item is not None]


@dataclass(frozen=True, slots=True)
class DataDeskNeeds:
    """What deletions stand on beside the holdings. ``purge``: see ``DeletionParts``."""

    store: Store
    ledger: RedisLedger
    signing: SigningKey
    clock: Clock
    ids: Ids
    telemetry: Telemetry
    purge: Callable[[], Awaitable[str]] | None = None


def open_data_desk(needs: DataDeskNeeds, places: Sequence[Holding]) -> DataDesk:
    """The one door through which data goes."""
    holds, kept = RedisHolds(needs.store), tuple(places)
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
        subject_of=RedisSubjects(needs.store).of_call,
        purge=needs.purge,
    )
    return DataDesk(kept, Deletions(parts), holds, RedisCertificates(needs.store))
