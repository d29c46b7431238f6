"""A store with one thing of every kind in it, and everything that looks after it: for tests of deletion, holds and retention."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from gateway.adapters.keys.signing import SigningKey
from gateway.adapters.keys.subjects import SubjectHash
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.redis import Store
from gateway.adapters.system import RandomIds
from gateway.adapters.telemetry.null import NullTelemetry
from gateway.errors import StoreUnavailable
from gateway.holding import DataDesk, DataDeskNeeds, open_data_desk
from gateway.runner.holdings import Copy, Deleted, Holding, Item
from gateway.values import CallId, DataClass, Private, TenantId

ACME = TenantId("acme")
START = datetime(2026, 11, 1, 12, tzinfo=UTC)
SIGNING = SigningKey(b"s" * 32)


@dataclass
class HandClock:
    """A clock that a test moves."""

    at: datetime = START

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return (self.at - START).total_seconds()


@dataclass
class Shelf:
    """A holding in memory: what it has, what it was asked to delete, and a fault that a test plants."""

    name: str = "shelf"
    data_class: DataClass = DataClass.AUDIO
    has: dict[tuple[TenantId, str], Item] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    broken: bool = False

    def put(self, id_: str, *, tenant: TenantId = ACME, since: datetime = START, keep: timedelta | None = None) -> Item:
        item = Item(self.data_class, tenant, id_, self.name, since, keep, key_id=f"key-of-{id_}")
        self.has[tenant, id_] = item
        return item

    async def items(self, tenant: TenantId) -> AsyncIterator[Item]:
        for item in [each for (whose, _), each in self.has.items() if whose == tenant]:
            yield item

    async def of_call(self, tenant: TenantId, call: CallId) -> Item | None:
        return self.has.get((tenant, call))

    async def of_person(self, tenant: TenantId, subject: str) -> Item | None:
        return self.has.get((tenant, subject))

    async def delete(self, item: Item) -> Deleted:
        if self.broken:
            raise StoreUnavailable("the shelf is locked")
        self.deleted.append(item.id)
        gone = self.has.pop((item.tenant, item.id), None)
        return Deleted(("shelf",), "" if gone is None else gone.key_id)

    async def copies(self, item: Item) -> AsyncIterator[Copy]:
        yield Copy(item.id, Private(b"content"))


def keeping(
    store: Store, ledger: RedisLedger, *places: Holding, clock: HandClock | None = None, more: Sequence[Holding] = ()
) -> DataDesk:
    """The engine on a real store, over these holdings."""
    needs = DataDeskNeeds(
        store=store,
        ledger=ledger,
        signing=SIGNING,
        clock=clock or HandClock(),
        ids=RandomIds(),
        telemetry=NullTelemetry(),
        subject=SubjectHash(Private(b"i" * 32)),
    )
    return open_data_desk(needs, (*places, *more))
