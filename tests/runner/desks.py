"""A gateway's desks on a real store, with a clock that a test moves and channels that do as it says."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.adapters.keys.subjects import SubjectHash
from gateway.adapters.stores.consents import RedisConsents
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.notices import RedisNoticeLog
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.suppression import RedisSuppression
from gateway.adapters.system import RandomIds
from gateway.evidence.entries import Entry
from gateway.governing import permitted_route
from gateway.policy.contacts import Contacts
from gateway.policy.load import PolicySet
from gateway.policy.notice_message import NoticeMessage, Tried
from gateway.ports import Ledger
from gateway.runner.notices import NoticeDesk, NoticeWatch
from gateway.runner.outbound import DialDesk
from gateway.runner.rights_callers import homes
from gateway.values import Private, TenantId
from tests.policy.samples import REGISTRY, loaded

ACME = TenantId("acme")
START = datetime(2026, 12, 1, 18, 0, tzinfo=UTC)
PENDING = REGISTRY.replace("status: active", "status: pending", 1)
TENANT = """\
tenant: acme
regions: [eu]
notice_days: 30
notice_business_days: 10
holidays: [de]
contacts: {webhook: {url: "http://127.0.0.1:9/hooks", secret: ACME_HOOK}, mail: [privacy@acme.example]}
outbound:
  countries: [us]
  calling_hours: [{between: "09:00-18:00"}]
  do_not_call: [ftc]
  attempts_per_day: 2
route:
  llm: [{processor: eu-llm, model: small}, {processor: home-llm, model: "*"}]
"""


@dataclass
class MovedClock:
    """Stands still until the test moves it."""

    at: datetime = START

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class Channel:
    """Takes what it is given, or not, as the test says."""

    delivers: bool = True
    got: list[NoticeMessage] = field(default_factory=list)

    async def deliver(self, contacts: Contacts, message: NoticeMessage) -> Tried:
        self.got.append(message)
        return Tried(self.delivers, "taken" if self.delivers else "HTTP 503")


class Desks:
    """``async with`` it."""

    def __init__(self, store: Store, *, tenant: str = TENANT, registry: str = PENDING, ledger: Ledger | None = None) -> None:
        self.policies: PolicySet = loaded(tenant, registry=registry)
        self.clock = MovedClock()
        self.webhook, self.mail = Channel(), Channel()
        self.real = RedisLedger(store, timeout_s=20)
        written = ledger or self.real
        log = RedisNoticeLog(store)
        senders: dict[str, Any] = {"webhook": self.webhook, "mail": self.mail}
        self.notices = NoticeDesk(log, written, lambda: self.policies, senders, self.clock, RandomIds(), permitted_route)
        self.watch = NoticeWatch(log, lambda: self.policies)
        subject = SubjectHash(Private(b"k" * 32), homes(lambda: self.policies.tenants))
        suppression, consents = RedisSuppression(store), RedisConsents(store)
        find = lambda name: self.policies.tenant(name)  # noqa: E731 - the policies change under it
        self.dial = DialDesk(suppression, consents, written, find, subject, self.clock, RandomIds())

    async def evidence(self, kind: str = "") -> list[Entry]:
        """What is on record, oldest first."""
        return [entry async for entry in self.real.entries(ACME) if entry.draft.kind.startswith(kind)]

    async def __aenter__(self) -> Desks:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.real.aclose()
