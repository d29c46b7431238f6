"""Wiring of a tenant's end: the desk that goes on with it, what refuses its calls meanwhile, and the keys beside backups."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from aiohttp import web

from gateway.adapters.keys.signing import SigningKey
from gateway.adapters.recordings.folder import Folder
from gateway.adapters.stores.departed import RedisDeparted
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.offboarding import RedisOffboarding
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.tenant_keys import TenantKeys
from gateway.errors import SordinoError
from gateway.holding import DataDesk
from gateway.http.offboarding import offboarding_routes
from gateway.keeping import Keys
from gateway.policy.model import TenantPolicy
from gateway.policy.offboarding import Offboarding
from gateway.policy.retention import Retention
from gateway.ports import Clock, Ids, Telemetry
from gateway.runner.backup import RECORDINGS
from gateway.runner.key_seal import KeySeal
from gateway.runner.offboarding import OffboardingDesk, OffboardingParts
from gateway.runner.offboarding_export import ExportParts, TenantExports
from gateway.values import Private, TenantId

log = logging.getLogger(__name__)

LOOK_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class LeavingNeeds:
    """What a tenant's end stands on. ``data`` is SORDINO_DATA; ``tenants`` the policies in force."""

    data: Path
    store: Store
    ledger: RedisLedger
    keys: Keys
    kept: DataDesk
    signing: SigningKey
    tenants: Callable[[], Mapping[TenantId, TenantPolicy]]
    clock: Clock
    ids: Ids
    telemetry: Telemetry


@dataclass(frozen=True, slots=True)
class Leaving:
    """Tenants that leave, as one gateway sees them."""

    desk: OffboardingDesk
    log: RedisOffboarding
    exports: TenantExports
    seal: KeySeal
    telemetry: Telemetry
    late: set[TenantId] = field(default_factory=set)
    """Those whose end is past a deadline, as it was told last."""

    def routes(self, operator: Private[str]) -> list[web.RouteDef]:
        """Their paths, behind the operator's key."""
        return offboarding_routes(operator, self.desk, self.log)

    async def keep(self) -> None:
        """Go on with what is due, again and again, until cancelled. A failure waits for the next round."""
        while True:
            await self.round()
            await asyncio.sleep(LOOK_EVERY_S)

    async def round(self) -> None:
        """Go on with every end that is not over, and with keys that other gateways could not replace beside backups.

        Whatever cannot be done now keeps nothing else from being done.
        """
        await self._seal()
        try:
            tenants = await self.log.all()
        except SordinoError as error:
            log.warning("tenants that leave could not be looked at now: %s", error.code)
            return
        for tenant in tenants:
            try:
                state = await self.desk.advance(tenant)
                self._tell(state)
                if state.over:
                    await self.log.rest(tenant)
            except SordinoError as error:
                log.warning("the end of tenant %s could not go on now: %s", tenant, error.code)
        try:
            await self.exports.tidy(self.log.find)
        except SordinoError as error:
            log.warning("what is left of exports of tenants could not be removed now: %s", error.code)

    async def _seal(self) -> None:
        try:
            for missing in await self.seal.seal_all():
                log.warning("the keys beside the backups in %s are older than they may be, and it is not here", missing)
        except (SordinoError, OSError) as error:
            log.warning("the keys beside backups could not be replaced now: %s", _code(error))

    def _tell(self, state: Offboarding) -> None:
        """What is past its deadline is counted, and said in the log."""
        overdue, tenant = state.overdue(self.desk.now()), state.tenant
        if (overdue is not None) == (tenant in self.late):
            return
        self.telemetry.gauge("sordino_offboardings_overdue", 1 if overdue else -1, tenant=tenant)
        if overdue is None:
            self.late.discard(tenant)
        else:
            self.late.add(tenant)
            log.warning("the end of tenant %s is past its deadline: %s (--status tells why)", tenant, overdue)

    async def ended(self, tenant: TenantId) -> datetime | None:
        """When the tenant's account ended, or will; None: nobody ends it. Raises StoreUnavailable."""
        state = await self.log.find(tenant)
        return None if state is None or state.stays else state.times.ends


def open_leaving(needs: LeavingNeeds) -> Leaving:
    """The desk of one gateway."""
    offboarding, folder = RedisOffboarding(needs.store), Folder(needs.data / RECORDINGS)
    seal = KeySeal(needs.store, needs.keys.masters, needs.clock, needs.ids)
    exports = TenantExports(
        ExportParts(
            data=needs.data,
            machine=lambda: folder.name,
            holdings=needs.kept.holdings,
            certificates=needs.kept.certificates,
            entries=needs.ledger.entries,
            sign=needs.signing.sign,
            public_key=needs.signing.public_key,
            clock=needs.clock,
        )
    )

    def retention(tenant: TenantId) -> Retention:
        policy = needs.tenants().get(tenant)
        return Retention() if policy is None else policy.retention

    parts = OffboardingParts(
        log=offboarding,
        api_keys=TenantKeys(needs.store),
        exports=exports,
        holdings=needs.kept.holdings,
        deletions=needs.kept.deletions,
        shelf=needs.keys.shelf,
        ledger=needs.ledger,
        entries=needs.ledger.entries,
        retention=retention,
        sign=needs.signing.sign,
        public_key=needs.signing.public_key,
        clock=needs.clock,
        ids=needs.ids,
        key_destroyed=seal.destroyed,
        keep_certificate=offboarding.keep_certificate,
        forget=RedisDeparted(needs.store).forget,
        known=lambda tenant: tenant in needs.tenants(),
    )
    return Leaving(OffboardingDesk(parts), offboarding, exports, seal, needs.telemetry)


def _code(error: SordinoError | OSError) -> str:
    return error.code if isinstance(error, SordinoError) else error.strerror or type(error).__name__
