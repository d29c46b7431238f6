"""``/signin``: people come in by their company's identity provider, and get a session of the console.

The browser keeps two cookies, both sealed by us and unreadable to scripts: a short one while it is at the provider (SameSite=Lax,
because it comes back from there), and the session (SameSite=Strict: no other page's request brings it). ``__Host-`` ties both to
this host and to TLS (RFC 6265bis section 4.1.3.2).
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from gateway.adapters.keys.oidc import OpenIdProvider
from gateway.adapters.keys.sealed import Sealed
from gateway.adapters.stores.people import LIVES, Person, RedisPeople, person_id
from gateway.errors import SordinoError, Unauthenticated
from gateway.evidence.entries import Json
from gateway.http.api import HEADERS, json_answer
from gateway.http.guard import CONSOLE_HEADER
from gateway.policy.roles import EVERY_TENANT, Principal
from gateway.ports import Clock
from gateway.values import Private

SESSION_COOKIE = "__Host-sordino"
SIGNIN_COOKIE = "__Host-sordino-signin"
CALLBACK = "/signin/callback"
SIGNIN_S = 600
LONGEST_CODE = 4_096

FirstTime = Callable[[str, int], Awaitable[bool]]
"""Whether an id was never seen within that many seconds."""


class Witness(Protocol):
    """Where sign-ins are written down (``gateway.runner.access.AccessDesk``)."""

    async def write(self, kind: str, tenants: frozenset[str], body: dict[str, Json]) -> None: ...


@dataclass(frozen=True, slots=True)
class SignIn:
    """What signing in stands on. ``public_url``: where browsers reach this gateway, as the provider knows it."""

    provider: OpenIdProvider
    people: RedisPeople
    witness: Witness
    first_time: FirstTime
    key: Private[bytes]
    public_url: str
    clock: Clock
    refused: Callable[[], bool]
    """Counts a refusal, and says whether it may be written down, too."""

    @property
    def redirect_uri(self) -> str:
        return self.public_url.rstrip("/") + CALLBACK


class SessionCookies:
    """Whose session a request's cookie opens. Implements ``gateway.http.guard.Sessions``."""

    def __init__(self, people: RedisPeople, key: Private[bytes], clock: Clock) -> None:
        self._people = people
        self._seal = Sealed(key, "console session")
        self._clock = clock

    async def who(self, request: web.Request) -> Principal | None:
        secret = self.secret(request)
        return await self._people.who(secret, now=self._clock.now()) if secret is not None else None

    def secret(self, request: web.Request) -> Private[str] | None:
        opened = self._seal.open(request.cookies.get(SESSION_COOKIE, ""))
        return Private(opened["session"]) if opened is not None else None

    def sealed(self, secret: Private[str]) -> str:
        return self._seal.seal({"session": secret.reveal()})


def signin_routes(parts: SignIn, cookies: SessionCookies) -> list[web.RouteDef]:
    """``/signin``, where the provider answers, and the way out."""
    seal = Sealed(parts.key, "console sign-in")

    async def offered(_: web.Request) -> web.Response:
        return json_answer({"signin": "/signin"})

    async def begin(_: web.Request) -> web.Response:
        asked = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
        expires = str(int(parts.clock.now().timestamp()) + SIGNIN_S)
        address = await parts.provider.address(redirect_uri=parts.redirect_uri, **asked)
        answer = web.Response(status=302, headers={**HEADERS, "Location": address})
        _set(answer, SIGNIN_COOKIE, seal.seal({**asked, "expires": expires}), "Lax", SIGNIN_S)
        return answer

    async def callback(request: web.Request) -> web.Response:
        try:
            secret = await _signed_in(parts, seal, request)
        except SordinoError as error:
            if parts.refused():
                await parts.witness.write("access.sign_in_refused", frozenset(), {"why": error.message})
            raise
        answer = web.Response(status=303, headers={**HEADERS, "Location": "/"})
        _set(answer, SESSION_COOKIE, cookies.sealed(secret), "Strict", int(LIVES.total_seconds()))
        _set(answer, SIGNIN_COOKIE, "", "Lax", 0)
        return answer

    async def out(request: web.Request) -> web.Response:
        secret = cookies.secret(request)
        if secret is not None and request.headers.get(CONSOLE_HEADER) == "1":
            await parts.people.end(secret)
        answer = json_answer({"signed": "out"})
        _set(answer, SESSION_COOKIE, "", "Strict", 0)
        return answer

    return [
        web.get("/signin", begin, allow_head=False),
        web.get("/signin/offered", offered),
        web.get(CALLBACK, callback, allow_head=False),
        web.post("/signout", out),
    ]


async def _signed_in(parts: SignIn, seal: Sealed, request: web.Request) -> Private[str]:
    asked = seal.open(request.cookies.get(SIGNIN_COOKIE, ""))
    state, code = request.query.get("state", ""), request.query.get("code", "")
    now = parts.clock.now()
    if asked is None or not hmac.compare_digest(asked["state"].encode(), state.encode("utf-8", "surrogatepass")):
        raise Unauthenticated("this sign-in was not begun in this browser", hint="open /signin")
    if now.timestamp() >= int(asked["expires"]) or not await parts.first_time(f"signin:{asked['state']}", SIGNIN_S):
        raise Unauthenticated("this sign-in is over", hint="open /signin again")
    if not code or len(code) > LONGEST_CODE or "error" in request.query:
        raise Unauthenticated("the identity provider did not let you in", hint="open /signin again")
    found = await parts.provider.redeem(
        code=code, verifier=asked["verifier"], nonce=asked["nonce"], redirect_uri=parts.redirect_uri
    )
    identity = person_id(parts.key, found.issuer, found.subject)
    roles = tuple(sorted({each.role.value for each in found.held}))
    person = Person(identity, found.name.reveal(), found.issuer, roles, now.isoformat())
    tenants = frozenset[str]().union(*(each.tenants for each in found.held))
    body: dict[str, Json] = {"who": identity, "roles": list(roles), "until": (now + LIVES).isoformat()}
    await parts.witness.write("access.signed_in", frozenset() if EVERY_TENANT in tenants else tenants, body)
    return await parts.people.begin(person, found.held, now=now)


def _set(answer: web.Response, name: str, value: str, same_site: str, seconds: int) -> None:
    answer.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite=same_site)
