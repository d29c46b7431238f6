"""Wiring of browsers: who may call from a page, with which token, and the leg that carries them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import re
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol

from aiohttp import web

from gateway.adapters.carriers.stream_token import StreamClaims, StreamTokens
from gateway.adapters.stores.once import OnlyOnce
from gateway.adapters.stores.tenant_keys import TenantKeys
from gateway.adapters.webrtc.sdp import Offer
from gateway.errors import InvalidRequest, NotInstalled, Unauthenticated
from gateway.governing import Ends
from gateway.http.talk import talk_routes
from gateway.http.webrtc import BrowserLeg, Browsers, Reception, Token, Visitor
from gateway.policy.jurisdiction import carrier_place
from gateway.policy.model import TenantPolicy
from gateway.ports import Clock, Ids, Secrets, Telemetry
from gateway.runner.leg import Leg
from gateway.settings import Settings
from gateway.tasks import TaskOwner
from gateway.values import Private, TenantId

log = logging.getLogger(__name__)

BROWSERS_NEED = "pip install 'aiortc>=1.16,<1.17'"
"""What brings the packages of the extra ``webrtc``."""
SCOPE = "calls"
CARRIER = "webrtc"
TURN_USERNAME, TURN_PASSWORD = "sordino", "SORDINO_TURN_PASSWORD"
PREFIX = "talk-"
"""What a page's token begins with: a tenant's key begins with ``sordino-``."""
TOKEN_LIFE = timedelta(seconds=60)
_BEARER = re.compile(r"(?i:bearer) +(\S{1,512})", re.ASCII)


class RunCall(Protocol):
    """``gateway.calling.Calls.run``."""

    async def __call__(self, leg: Leg, tenant: TenantPolicy, *, carrier: str, ends: Ends) -> object: ...


@dataclass(frozen=True, slots=True)
class TalkNeeds:
    """What browsers' calls stand on. ``key``: the identity key; what tokens are sealed with is derived from it."""

    settings: Settings
    key: bytes
    keys: TenantKeys
    once: OnlyOnce
    secrets: Secrets
    tenant: Callable[[str], TenantPolicy]
    run: RunCall
    clock: Clock
    ids: Ids
    telemetry: Telemetry


async def open_talking(needs: TalkNeeds, public_url: str, running: AsyncExitStack) -> list[web.RouteDef]:
    """The browsers' paths and the page. What they leave running is closed with ``running``."""
    tasks = await running.enter_async_context(TaskOwner("browsers", on_failure=_report))
    door = _Door(needs, StreamTokens(Private(hmac.digest(needs.key, b"sordino browser tokens", hashlib.sha256))))

    async def run(leg: BrowserLeg, tenant: TenantPolicy, place: str) -> object:
        return await needs.run(leg, tenant, carrier=CARRIER, ends=Ends(caller_place=place))

    reception = Reception(
        visitor=door.visitor,
        token=partial(door.token, public_url),
        tenant=needs.tenant,
        leg=partial(_leg, needs),
        run=run,
        links=tuple(f'<{url}>; rel="ice-server"' for url in needs.settings.ice_servers if url.startswith("stun:")),
        ids=needs.ids,
        telemetry=needs.telemetry,
        tasks=tasks,
    )
    return [*Browsers(reception).routes(), *talk_routes()]


@dataclass(frozen=True, slots=True)
class _Door:
    """Lets in who has a tenant's key, or a token that was made with one."""

    needs: TalkNeeds
    tokens: StreamTokens

    async def visitor(self, request: web.Request) -> Visitor:
        given = _bearer(request)
        if not given.map(lambda text: text.startswith(PREFIX)).reveal():
            return Visitor(await self._by_key(given))
        now = self.needs.clock.now()
        claims = self.tokens.verify(given.reveal().removeprefix(PREFIX), carrier_call=CARRIER, now=now)

        async def use_up() -> None:
            if not await self.needs.once.first_time(claims.jti, within_s=int(TOKEN_LIFE.total_seconds()) * 2):
                raise Unauthenticated("this token was used before", hint="a page gets a new one for each call")

        return Visitor(claims.tenant, claims.caller_place, use_up)

    async def token(self, public_url: str, request: web.Request, country: str, state: str) -> Token:
        place = next(iter(carrier_place(country, state)), "")
        if country and not place:
            raise InvalidRequest("the country is none", hint="give its two letters, as ISO 3166-1 has them")
        tenant = await self._by_key(_bearer(request))
        self.needs.tenant(tenant)
        claims = StreamClaims(
            tenant=tenant,
            carrier_call=CARRIER,
            from_number=Private(""),
            to_number=Private(""),
            expires_at=self.needs.clock.now() + TOKEN_LIFE,
            jti=self.needs.ids.new("talk"),
            caller_place=place,
        )
        token = PREFIX + self.tokens.mint(claims)
        return Token(token, claims.expires_at, f"{public_url.rstrip('/')}/talk#token={token}")

    async def _by_key(self, key: Private[str]) -> TenantId:
        admitted = await self.needs.keys.enter(key, SCOPE, now=self.needs.clock.now())
        await self.needs.keys.leave(admitted)
        return admitted.tenant


def _bearer(request: web.Request) -> Private[str]:
    match = _BEARER.fullmatch(request.headers.get("Authorization", "").strip())
    if match is None:
        raise Unauthenticated("this needs a tenant's key, or a token made with one", hint="POST /webrtc/token gives a token")
    return Private(match[1])


async def _leg(needs: TalkNeeds, name: str, offer: Offer) -> BrowserLeg:
    if find_spec("aiortc") is None:
        raise NotInstalled("calls from a browser need a package that is not installed here", hint=BROWSERS_NEED)
    # Only who needs it pays for it: aiortc is not there where nobody calls from a browser.
    room = await asyncio.to_thread(import_module, "gateway.adapters.webrtc.leg")
    lines = import_module("gateway.adapters.webrtc.lines")
    network = room.Network(lines.addresses_at(needs.settings.host), lines.ice_servers(needs.settings.ice_servers, *_turn(needs)))
    leg: BrowserLeg = room.BrowserLeg(name, offer, network)
    return leg


def _turn(needs: TalkNeeds) -> tuple[str, Private[str]]:
    """What we show a TURN server: it relays what it cannot read."""
    if not any(url.startswith("turn") for url in needs.settings.ice_servers):
        return "", Private("")
    return TURN_USERNAME, needs.secrets.read(TURN_PASSWORD)


def _report(name: str, failure: BaseException) -> None:
    log.error("the task %s ended with %s", name, type(failure).__name__)
