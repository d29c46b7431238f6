"""``/webrtc``: a browser calls in by its SDP offer. The signalling is WHIP's (RFC 9725), the audio goes both ways.

``POST /webrtc/token``                a tenant's server, with its key, gets a token for one call of one page
``POST /webrtc/offer``                the offer, with that token (or, from a server, the key): 201, our answer, ``Location``
``PATCH /webrtc/{session}``           further candidates, as ``application/trickle-ice-sdpfrag`` (RFC 8840)
``DELETE /webrtc/{session}``          hang up
``GET /webrtc/{session}/events``      what to show: ``connecting``, ``announcing``, ``listening``, ``ended`` (server-sent events)

A session's address is its secret: 192 random bits that only who began the call has. Pages of other origins may ask, because
nothing here goes by cookies.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from aiohttp import web

from gateway.adapters.webrtc.sdp import MOST_BYTES, Candidate, Fragment, Offer, read_fragment, read_offer
from gateway.errors import CarrierProtocolError, InvalidRequest, NotFound, PayloadTooLarge, RateLimited, SordinoError
from gateway.http.answers import refusal
from gateway.policy.model import TenantPolicy
from gateway.ports import Ids, Telemetry
from gateway.runner.leg import Leg
from gateway.tasks import TaskOwner
from gateway.values import TenantId

SDP, FRAGMENT, JSON = "application/sdp", "application/trickle-ice-sdpfrag", "application/json"
MOST_OF_A_TENANT = 50
MOST_AT_ALL = 400
"""Browsers of one tenant, and of all tenants, that one gateway carries or waits for."""
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Location, ETag, Link, Accept-Patch, Retry-After",
    "Cache-Control": "no-store",
}
PREFLIGHT = {
    **CORS,
    "Access-Control-Allow-Methods": "POST, PATCH, DELETE, GET, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
    "Access-Control-Max-Age": "600",
    "Accept-Post": f"{SDP}, {JSON}",
}

log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class BrowserLeg(Leg, Protocol):
    """``gateway.adapters.webrtc.leg.BrowserLeg``."""

    @property
    def name(self) -> str: ...
    async def answer(self) -> str: ...
    async def open(self) -> None: ...
    async def more_candidates(self, candidates: Iterable[Candidate]) -> None: ...
    def hang_up(self) -> None: ...
    def states(self) -> AsyncIterator[str]: ...


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who calls: for which tenant, and from where as a region code, if that is known."""

    tenant: TenantId
    place: str = ""
    use_up: Callable[[], Awaitable[None]] | None = None
    """Takes a token that is good for one call. Raises Unauthenticated when it was taken before."""


@dataclass(frozen=True, slots=True)
class Token:
    token: str
    expires_at: datetime
    talk: str
    """The address of our own page with this token in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """What the paths stand on."""

    visitor: Callable[[web.Request], Awaitable[Visitor]]
    """Raises Unauthenticated, Forbidden or RateLimited."""
    token: Callable[[web.Request, str, str], Awaitable[Token]]
    """For the tenant's key in the request; country and state of the caller, if its server knows them."""
    tenant: Callable[[str], TenantPolicy]
    leg: Callable[[str, Offer], Awaitable[BrowserLeg]]
    """Raises NotInstalled."""
    run: Callable[[BrowserLeg, TenantPolicy, str], Awaitable[object]]
    links: tuple[str, ...]
    """STUN servers as ``Link`` headers tell them (RFC 9725 section 4.6)."""
    ids: Ids
    telemetry: Telemetry
    tasks: TaskOwner


class UnsupportedMedia(InvalidRequest):
    """The body is of a kind that is not taken here."""

    http_status = 415


class NotThisState(InvalidRequest):
    """``If-Match`` names another state of the ICE session than it is in."""

    http_status = 412


class StateNotNamed(InvalidRequest):
    """``If-Match`` is missing."""

    http_status = 428


class NoRestart(InvalidRequest):
    """ICE is not restarted here."""

    http_status = 422


@dataclass(frozen=True, slots=True)
class Session:
    leg: BrowserLeg
    tenant: TenantPolicy
    offer: Offer
    place: str
    etag: str


@dataclass(slots=True)
class Browsers:
    """Every browser that is on a call, or about to be."""

    reception: Reception
    sessions: dict[str, Session] = field(default_factory=dict)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/webrtc/token", typed(self.token)),
            web.post("/webrtc/offer", typed(self.offer)),
            web.patch("/webrtc/{session}", typed(self.more)),
            web.delete("/webrtc/{session}", typed(self.hang_up)),
            web.get("/webrtc/{session}/events", typed(self.events)),
            web.options("/webrtc/{path:.*}", _preflight),
        ]

    async def token(self, request: web.Request) -> web.StreamResponse:
        place = await _place(request)
        made = await self.reception.token(request, place.get("country", ""), place.get("state", ""))
        body = {"token": made.token, "expires_at": made.expires_at.isoformat(timespec="seconds"), "talk": made.talk}
        return web.json_response(body, status=201, headers=CORS)

    async def offer(self, request: web.Request) -> web.StreamResponse:
        visitor = await self.reception.visitor(request)
        wants_json, offer = await _offer(request)
        tenant = self.reception.tenant(visitor.tenant)
        self._room_for(visitor.tenant)
        leg = await self.reception.leg(self.reception.ids.new("rtc"), offer)
        session = Session(leg, tenant, offer, visitor.place, f'"{secrets.token_hex(8)}"')
        name = secrets.token_urlsafe(24)
        self.sessions[name] = session
        try:
            if visitor.use_up is not None:
                await visitor.use_up()
            answer = await leg.answer()
        except BaseException:
            self.sessions.pop(name, None)
            await leg.close()
            raise
        self.reception.tasks.start(self._carry(name, session), name="call")
        headers = {**CORS, "Location": f"/webrtc/{name}", "ETag": session.etag, "Accept-Patch": FRAGMENT}
        if self.reception.links:
            headers["Link"] = ", ".join(self.reception.links)
        if wants_json:
            body = {"type": "answer", "sdp": answer, "session": f"/webrtc/{name}", "leg": leg.name}
            return web.json_response(body, status=201, headers=headers)
        return web.Response(body=answer.encode(), status=201, content_type=SDP, headers=headers)

    def _room_for(self, tenant: TenantId) -> None:
        of_tenant = sum(session.tenant.tenant == tenant for session in self.sessions.values())
        if of_tenant >= MOST_OF_A_TENANT or len(self.sessions) >= MOST_AT_ALL:
            raise RateLimited("too many browsers are on a call here", hint="try again when a call has ended", retry_after_s=5)

    async def _carry(self, name: str, session: Session) -> None:
        """One browser's call, from its connection to its receipt."""
        leg = session.leg
        try:
            await leg.open()
            await self.reception.run(leg, session.tenant, session.place)
        except SordinoError as error:
            log.warning("the call of a browser could not begin: %s", error.code)
            kind = error.kind if isinstance(error, CarrierProtocolError) else error.code
            self.reception.telemetry.count("sordino_carrier_faults_total", kind=kind)
        finally:
            try:
                await leg.close()
            finally:
                self.sessions.pop(name, None)

    async def more(self, request: web.Request) -> web.StreamResponse:
        session = self._session(request)
        if request.content_type != FRAGMENT:
            raise UnsupportedMedia(f"candidates come as {FRAGMENT}")
        self._right_state(request, session, fragment := read_fragment(await _body(request)))
        await session.leg.more_candidates(fragment.candidates)
        return web.Response(status=204, headers=CORS)

    @staticmethod
    def _right_state(request: web.Request, session: Session, fragment: Fragment) -> None:
        given = request.headers.get("If-Match", "").strip()
        if (fragment.ufrag, fragment.password) != (session.offer.ufrag, session.offer.password):
            raise NoRestart("ICE is not restarted here", hint="hang up, and call again")
        if not given:
            raise StateNotNamed("If-Match is missing", hint="send the ETag of the answer (RFC 9725)")
        if given != session.etag:
            raise NotThisState("the call's ICE session is another one", hint="send the ETag of the answer (RFC 9725)")

    async def hang_up(self, request: web.Request) -> web.StreamResponse:
        session = self._session(request)
        del self.sessions[request.match_info["session"]]
        session.leg.hang_up()
        await session.leg.close()
        return web.Response(status=200, headers=CORS)

    async def events(self, request: web.Request) -> web.StreamResponse:
        leg = self._session(request).leg
        headers = {**CORS, "Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        with suppress(ConnectionError):  # a page that looks no longer
            async for state in leg.states():
                await response.write(f"data: {json.dumps({'state': state, 'leg': leg.name})}\n\n".encode())
        return response

    def _session(self, request: web.Request) -> Session:
        found = self.sessions.get(request.match_info["session"])
        if found is None:
            raise NotFound("there is no such call, or it has ended")
        return found


def typed(handler: Handler) -> Handler:
    """An error as JSON of the contract's form that pages of other origins can read too."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except SordinoError as error:
            answer = refusal(error)
            answer.headers.update(CORS)
            if isinstance(error, RateLimited) and error.retry_after_s is not None:
                answer.headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
            return answer

    return handle


async def _preflight(_: web.Request) -> web.StreamResponse:
    return web.Response(status=204, headers=PREFLIGHT)


async def _body(request: web.Request) -> bytes:
    body = bytearray()
    async for piece in request.content.iter_chunked(4096):
        body += piece
        if len(body) > 2 * MOST_BYTES:
            raise PayloadTooLarge(f"at most {MOST_BYTES} bytes of session description are taken")
    return bytes(body)


async def _offer(request: web.Request) -> tuple[bool, Offer]:
    """Whether the answer is wanted as JSON, and the offer."""
    if request.content_type == SDP:
        return False, read_offer(await _body(request))
    if request.content_type != JSON:
        raise UnsupportedMedia(f"an offer comes as {SDP} or {JSON}", hint='JSON: {"type": "offer", "sdp": "…"}')
    given = _object(await _body(request))
    if given.get("type") != "offer" or not isinstance(given.get("sdp"), str):
        raise InvalidRequest("the JSON holds no offer", hint='send {"type": "offer", "sdp": "…"}')
    return True, read_offer(given["sdp"].encode("utf-8", "surrogatepass"))


async def _place(request: web.Request) -> Mapping[str, str]:
    body = await _body(request)
    given = _object(body) if body.strip() else {}
    if not all(name in ("country", "state") and isinstance(value, str) and len(value) <= 8 for name, value in given.items()):
        raise InvalidRequest("a token is asked for with country and state, or with nothing", hint='{"country": "DE"}')
    return given


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InvalidRequest("the body is no JSON object")
    return found
