"""Wiring of access: who is let in at the control interface, by which key or session, and what is written of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from gateway.adapters.stores.access_log import RedisAccessLog
from gateway.adapters.stores.api_keys import AccessKeys
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.reveals import RedisReveals
from gateway.http.accesses import access_routes
from gateway.http.guard import Guard
from gateway.policy.load import PolicySet
from gateway.ports import Clock, Ids, Telemetry
from gateway.runner.access import AccessDesk, AccessParts
from gateway.runner.notices import NoticeSender
from gateway.values import Private


@dataclass(frozen=True, slots=True)
class AccessNeeds:
    """What access stands on. ``operator``: the first key and the last."""

    store: Store
    ledger: RedisLedger
    policies: Callable[[], PolicySet]
    senders: Mapping[str, NoticeSender]
    clock: Clock
    ids: Ids


@dataclass(frozen=True, slots=True)
class Access:
    """The guard of every path, and the paths by which access itself is managed."""

    guard: Guard
    routes: tuple[web.RouteDef, ...]


def access_desk(needs: AccessNeeds) -> AccessDesk:
    """Keys, grants of reveal and broken glass on one store."""
    parts = AccessParts(
        keys=AccessKeys(needs.store),
        reveals=RedisReveals(needs.store),
        ledger=needs.ledger,
        entries=needs.ledger.entries,
        log=RedisAccessLog(needs.store),
        tenants=lambda: {str(name): policy for name, policy in needs.policies().tenants.items()},
        senders=needs.senders,
        clock=needs.clock,
        ids=needs.ids,
    )
    return AccessDesk(parts)


def open_access(needs: AccessNeeds, operator: Private[str], telemetry: Telemetry) -> Access:
    """Raises Misconfigured for an empty operator's key."""
    desk = access_desk(needs)
    guard = Guard(operator, desk, lambda: frozenset(map(str, needs.policies().tenants)), telemetry, needs.clock)
    return Access(guard, tuple(access_routes(operator, desk)))
