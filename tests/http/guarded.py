"""A control interface with its guard, on a real store: who asks, and what is on record afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.accessing import AccessNeeds, access_desk
from gateway.adapters.stores.api_keys import HOUSE, Wish
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.offboarding import RedisOffboarding
from gateway.adapters.stores.redis import Store
from gateway.adapters.system import RandomIds
from gateway.evidence.entries import Entry
from gateway.http.accesses import access_routes
from gateway.http.answers import typed_errors
from gateway.http.guard import Guard, Sessions
from gateway.policy.contacts import Contacts
from gateway.policy.load import PolicySet
from gateway.policy.notice_message import NoticeMessage, Tried
from gateway.ports import Telemetry
from gateway.runner.access import ON_THE_HOST, AccessDesk
from gateway.runner.tenants import is_known
from gateway.values import Private, TenantId

KEY = "the-operator's-own-key"
IDENTITY = Private(b"i" * 32)
TENANTS = ("acme", "beta")
Client = TestClient[web.Request, web.Application]
ALL = ("*",)


def policies() -> PolicySet:
    """``acme`` has a mail address, ``beta`` has none."""
    mail = Contacts(mail=("privacy@acme.example",))
    tenants = {"acme": SimpleNamespace(contacts=mail), "beta": SimpleNamespace(contacts=Contacts())}
    return cast(PolicySet, SimpleNamespace(tenants=tenants))


class Watch:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


@dataclass
class Counted:
    """What telemetry was told to count."""

    counts: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def count(self, name: str, value: int = 1, **labels: str) -> None:
        self.counts.append((name, labels))


@dataclass
class Letters:
    """Whom a sender was told to tell."""

    sent: list[NoticeMessage] = field(default_factory=list)

    async def deliver(self, contacts: Contacts, message: NoticeMessage) -> Tried:
        self.sent.append(message)
        return Tried(delivered=True, proof="<1@mail>")


@dataclass
class Door:
    """What a test has at hand."""

    client: Client
    desk: AccessDesk
    ledger: RedisLedger
    clock: Watch
    counted: Counted
    letters: Letters

    async def key(self, role: str, tenants: Iterable[str] = ALL, rights: tuple[str, ...] = (), days: int = 30) -> str:
        """A new access key's secret."""
        kind = "service" if role == "service" else "person"
        wish = Wish(role, tuple(tenants), timedelta(days=days), f"{role} in a test", kind, rights)
        return (await self.desk.create_key(wish, by=ON_THE_HOST))[1].reveal()

    async def ask(
        self, method: str, path: str, key: str | None = KEY, body: object = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        told = {**({"Authorization": f"Bearer {key}"} if key is not None else {}), **(headers or {})}
        async with self.client.request(method, path, headers=told, json=body) as answer:
            return answer.status, await answer.json() if answer.content_type == "application/json" else await answer.read()

    async def entries(self, chain: str = HOUSE, kind: str = "access.") -> list[Entry]:
        found = [entry async for entry in self.ledger.entries(TenantId(chain))]
        return [entry for entry in found if entry.draft.kind.startswith(kind)]


@asynccontextmanager
async def guarded(store: Store, routes: Sequence[web.RouteDef] = (), sessions: Sessions | None = None) -> AsyncIterator[Door]:
    """Those routes and ``/api/v1/access`` behind a guard, for the tenants of ``policies``."""
    clock, counted, letters = Watch(), Counted(), Letters()
    async with RedisLedger(store, timeout_s=store.timeout_s) as ledger:
        needs = AccessNeeds(store, ledger, policies, {"mail": letters}, clock, RandomIds())
        desk = access_desk(needs)
        key = Private(KEY)
        left = RedisOffboarding(store).left

        async def known(tenant: TenantId) -> bool:
            return await is_known(tenant, TENANTS, ledger.entries)

        guard = Guard(key, desk, lambda: frozenset(TENANTS), cast(Telemetry, counted), clock, sessions, left, known)
        app = web.Application(middlewares=[typed_errors, guard.middleware])
        app.add_routes([*access_routes(key, desk), *routes])
        async with TestClient(TestServer(app)) as client:
            yield Door(client, desk, ledger, clock, counted, letters)
