"""Wiring of cases and incidents: their book, whom an incident touches, the gateway's own verification of its evidence."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

from aiohttp import web
from pydantic import ValidationError

from gateway.adapters.stores.cases import RedisCases
from gateway.adapters.stores.chain_lines import ChainLines
from gateway.adapters.stores.chain_marks import ChainMarks
from gateway.adapters.stores.lease import RedisLease
from gateway.adapters.stores.redis import Store
from gateway.errors import Misconfigured, SordinoError
from gateway.http.cases import case_routes
from gateway.http.incidents import incident_routes
from gateway.policy.cases import Case
from gateway.policy.contacts import Contacts
from gateway.policy.load import PolicySet
from gateway.ports import Clock, Ids, Ledger, Telemetry
from gateway.runner.cases import HOUSE, INCIDENT, CaseBook
from gateway.runner.incidents import Incidents
from gateway.runner.incidents_record import last_scope
from gateway.runner.incidents_watch import TAIL_A_LOOK, ChainWatch
from gateway.runner.notices import NoticeSender
from gateway.values import Private, TenantId

log = logging.getLogger(__name__)

ROUND_EVERY_S = 10.0
LEFT_AFTER = timedelta(minutes=5)
"""An incident whose evidence nobody has read by then was left by a gateway that died over it."""
VERIFY_EVERY = 6
"""Rounds from one look at the evidence to the next: a minute."""
WALK_A_LOOK, LEAST_WALK = 10_000, 20
"""Old entries that are verified anew in one look at all tenants together, and at least of each: less than 1 % of a core."""
LEAST_TAIL = 2_000
"""New entries of each tenant at least: to verify one costs far less than it took to write it."""
ALERT_MAIL, ALERT_WEBHOOK, ALERT_SECRET = "SORDINO_ALERT_MAIL", "SORDINO_ALERT_WEBHOOK", "SORDINO_ALERT_WEBHOOK_SECRET"
OPEN, OVERDUE = "sordino_cases_open", "sordino_cases_overdue"


@dataclass(frozen=True, slots=True)
class IncidentDesks:
    """The desks of one gateway."""

    book: CaseBook
    incidents: Incidents
    watch: ChainWatch
    clock: Clock

    def routes(self, operator: Private[str]) -> list[web.RouteDef]:
        """Their paths, behind the operator's key."""
        return [*case_routes(operator, self.book), *incident_routes(operator, self.incidents)]

    async def keep(self, telemetry: Telemetry, *, every_s: float = ROUND_EVERY_S) -> None:
        """Tell of deadlines, deliver notices, verify the evidence, again and again, until cancelled. What fails waits a round."""
        shown: Counter[tuple[str, str]] = Counter()
        for number in count():
            now: Counter[tuple[str, str]] = Counter()
            tenants = self.book.tenants()
            share = len(tenants) if number % VERIFY_EVERY == 0 else 0
            for tenant in tenants:
                try:
                    now += self._counted(await self.round(tenant, telemetry, share=share))
                except SordinoError as error:
                    log.warning("cases of tenant %s could not be looked after now: %s", tenant, error.code)
            for metric, kind in {*shown, *now}:
                telemetry.gauge(metric, now[metric, kind] - shown[metric, kind], kind=kind)
            shown = now
            await asyncio.sleep(every_s)

    async def round(self, tenant: TenantId, telemetry: Telemetry, *, share: int = 1) -> tuple[Case, ...]:
        """Once, for one tenant. Gives its open cases.

        ``share``: how many tenants share the entries that one round verifies; 0: none are verified this time.

        Raises StoreUnavailable, EvidenceUnavailable.
        """
        cases = await self.book.keep(tenant)
        if unproven := await self.book.unproven(tenant):
            log.warning("the ledger does not take what happened in %d case(s) of tenant %s", len(unproven), tenant)
        if share:
            tail, walk = max(LEAST_TAIL, TAIL_A_LOOK // share), max(LEAST_WALK, WALK_A_LOOK // share)
            looked = await self.watch.look(tenant, tail=tail, walk=walk)
            if looked.faults:
                log.error("the chain of evidence of tenant %s fails its verification: %d fault(s)", tenant, len(looked.faults))
            telemetry.count("sordino_chain_verified_total", looked.entries, outcome="broken" if looked.faults else "whole")
        for case in cases if tenant == HOUSE else ():
            if case.kind != INCIDENT:
                continue
            if not last_scope(case) and self.clock.now() - case.opened_at > LEFT_AFTER:
                await self.incidents.scope(case.id)
            await self.incidents.settle(case.id)
        return cases

    def _counted(self, cases: tuple[Case, ...]) -> Counter[tuple[str, str]]:
        at = self.clock.now()
        found = Counter((OPEN, case.kind) for case in cases)
        found.update((OVERDUE, case.kind) for case in cases if case.is_overdue(at))
        return found


def alert_contacts(env: Mapping[str, str]) -> Contacts:
    """The operator's own people, who are told of incidents: ``SORDINO_ALERT_MAIL`` (addresses, spaces between them) and
    ``SORDINO_ALERT_WEBHOOK``, signed with the secret ``SORDINO_ALERT_WEBHOOK_SECRET``.

    Raises:
        Misconfigured: an address is none.
    """
    hook = {"url": env[ALERT_WEBHOOK], "secret": ALERT_SECRET} if env.get(ALERT_WEBHOOK) else None
    try:
        return Contacts.model_validate({"webhook": hook, "mail": tuple(env.get(ALERT_MAIL, "").split())})
    except ValidationError:
        raise Misconfigured(
            f"{ALERT_MAIL} or {ALERT_WEBHOOK} is no address", hint="write ops@company.example, https://HOST/PATH"
        ) from None


def open_incidents(
    store: Store,
    ledger: Ledger,
    policies: Callable[[], PolicySet],
    senders: Mapping[str, NoticeSender],
    clock: Clock,
    ids: Ids,
    house: Contacts | None = None,
) -> IncidentDesks:
    """The desks on that store; ``house`` as ``alert_contacts`` reads them. They hold nothing open."""
    book = CaseBook(RedisCases(store), ledger, policies, senders, clock, ids, house)
    lines = ChainLines(store)
    incidents = Incidents(book, lines, policies, clock, ids)
    lease = RedisLease(store, ids.new("gateway"))
    return IncidentDesks(book, incidents, ChainWatch(lines, ChainMarks(store), lease, incidents, book, clock), clock)
