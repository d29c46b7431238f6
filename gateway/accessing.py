"""Wiring of access: who is let in at the control interface, by which key or session, and what is written of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from aiohttp import web

from gateway.adapters.keys.oidc import OpenIdProvider, oidc_settings
from gateway.adapters.providers.outbound import outbound_session, tls_context
from gateway.adapters.stores.access_log import RedisAccessLog
from gateway.adapters.stores.api_keys import AccessKeys
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.offboarding import RedisOffboarding
from gateway.adapters.stores.once import OnlyOnce
from gateway.adapters.stores.people import RedisPeople
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.reveals import RedisReveals
from gateway.http.accesses import access_routes
from gateway.http.guard import METRIC, Guard, Refusals
from gateway.http.openapi import document_route
from gateway.http.signin import SessionCookies, SignIn, signin_routes
from gateway.policy.load import PolicySet
from gateway.ports import Clock, Ids, Secrets, Telemetry
from gateway.runner.access import AccessDesk, AccessParts
from gateway.runner.notices import NoticeSender
from gateway.runner.tenants import is_known
from gateway.values import Private, TenantId


@dataclass(frozen=True, slots=True)
class AccessNeeds:
    """What access stands on."""

    store: Store
    ledger: RedisLedger
    policies: Callable[[], PolicySet]
    senders: Mapping[str, NoticeSender]
    clock: Clock
    ids: Ids


@dataclass(frozen=True, slots=True)
class Door:
    """The way in. ``operator``: the first key and the last. ``identity``: the gateway's key that never changes. ``env`` names the
    identity provider, if there is one.
    """

    operator: Private[str]
    identity: Private[bytes]
    telemetry: Telemetry
    secrets: Secrets
    env: Mapping[str, str]
    public_url: str


def access_desk(needs: AccessNeeds) -> AccessDesk:
    """Keys, people, grants of reveal and broken glass on one store."""
    parts = AccessParts(
        keys=AccessKeys(needs.store),
        people=RedisPeople(needs.store),
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


async def open_access(
    needs: AccessNeeds, door: Door, paths: list[web.RouteDef], running: AsyncExitStack
) -> tuple[Guard, list[web.RouteDef]]:
    """The guard of these paths, and beside them those by which access is managed, people sign in, and all is documented.

    Raises:
        Misconfigured: the operator's key is empty, or a setting of the identity provider is wrong.
    """
    desk = access_desk(needs)
    people = RedisPeople(needs.store)
    cookies = SessionCookies(people, door.identity, needs.clock)
    tenants, left = (lambda: frozenset(map(str, needs.policies().tenants))), RedisOffboarding(needs.store).left

    async def known(tenant: TenantId) -> bool:
        return await is_known(tenant, needs.policies().tenants, needs.ledger.entries)

    guard = Guard(door.operator, desk, tenants, door.telemetry, needs.clock, cookies, left, known)
    more = [*access_routes(door.operator, desk), *await _signing_in(needs, door, desk, people, cookies, running)]
    return guard, [*paths, *more, document_route([*paths, *more])]


async def _signing_in(
    needs: AccessNeeds,
    door: Door,
    desk: AccessDesk,
    people: RedisPeople,
    cookies: SessionCookies,
    running: AsyncExitStack,
) -> list[web.RouteDef]:
    settings = oidc_settings(door.env, door.secrets)
    if settings is None:
        return []
    session = await running.enter_async_context(outbound_session())
    refusals, once = Refusals(needs.clock), OnlyOnce(needs.store)

    def refused() -> bool:
        door.telemetry.count(METRIC, outcome="unauthenticated", right="none")
        return refusals.take("sign-in") is not None

    async def first_time(id_: str, within_s: int) -> bool:
        return await once.first_time(id_, within_s=within_s)

    parts = SignIn(
        provider=OpenIdProvider(settings, session, needs.clock, tls=tls_context()),
        people=people,
        witness=desk,
        first_time=first_time,
        key=door.identity,
        public_url=door.public_url,
        clock=needs.clock,
        refused=refused,
    )
    return signin_routes(parts, cookies)
