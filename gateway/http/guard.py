"""Lets requests in by the table of ``access.py``, and writes down whom: before the handler runs, or it does not run (promise 26).

Who asks is known by the operator's key, by an access key, or by a session of the console. What they ask for and for which tenant
is known from the table alone. Another tenant's data is refused in the same words whether it is there or not.
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web
from aiohttp.typedefs import Middleware

from gateway.errors import Forbidden, InvalidRequest, Misconfigured, NotFound, SordinoError, Unauthenticated
from gateway.evidence.entries import Json
from gateway.http.access import rule_of
from gateway.http.answers import ADMITTED, Admission, Handler
from gateway.http.open_paths import CARRIERS
from gateway.http.rule import Reach, Rule
from gateway.policy.free_text import looks_personal
from gateway.policy.roles import EVERY_TENANT, Principal, Right, operator
from gateway.ports import Clock, Telemetry
from gateway.runner.access import LONGEST_REASON, OWN_ID, AccessDesk
from gateway.runner.tenants import no_such_tenant
from gateway.values import Private, TenantId

METRIC = "sordino_access_total"
REASON_HEADER = "X-Sordino-Reason"
CONSOLE_HEADER = "X-Sordino-Console"
"""A page of another origin cannot send it without asking first (Fetch, CORS preflight), and nobody answers that."""
SAFE = frozenset({"GET", "HEAD"})
BURST, EVERY_S, MOST_KNOWN = 30, 60.0, 10_000
"""Refusals of one caller that are written into one chain: 30 at once, then one a minute. All of them are counted."""
_NOT_YOURS = "your roles do not give this right for that tenant"
_HAS_LEFT = "the account of this tenant has ended: what proves its end is all that can still be read"
Left = Callable[[frozenset[str]], Awaitable[frozenset[str]]]
"""Which of these tenants have left. Raises StoreUnavailable."""
Known = Callable[[TenantId], Awaitable[bool]]
"""Whether there is, or was, such a tenant. Raises StoreUnavailable."""


class Sessions(Protocol):
    """Who signed in (``gateway.http.signin``)."""

    async def who(self, request: web.Request) -> Principal | None:
        """Whose session the request's cookie opens. Raises StoreUnavailable."""
        ...


@dataclass(slots=True)
class Refusals:
    """How many refusals of each caller may still be written into each chain. Bounded, whoever asks."""

    clock: Clock
    left: OrderedDict[tuple[str, str], tuple[float, float, int]] = field(default_factory=OrderedDict)

    def take(self, who: str, chain: str = "") -> int | None:
        """How many were only counted since the last one that was written; None: this one is only counted, too."""
        now, key = self.clock.monotonic(), (who, chain)
        tokens, at, counted = self.left.pop(key, (float(BURST), now, 0))
        tokens = min(float(BURST), tokens + (now - at) / EVERY_S)
        written = tokens >= 1
        self.left[key] = (tokens - 1, now, 0) if written else (tokens, now, counted + 1)
        while len(self.left) > MOST_KNOWN:
            self.left.popitem(last=False)
        return counted if written else None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for. ``tenants``: those that it names; None: it cannot be read which. ``call``: the one in the path."""

    rule: Rule
    right: Right
    method: str
    path: str
    tenants: frozenset[str] | None
    call: str


class Guard:
    """``middleware`` goes into the application, behind ``typed_errors``."""

    def __init__(
        self,
        key: Private[str],
        desk: AccessDesk,
        tenants: Callable[[], frozenset[str]],
        telemetry: Telemetry,
        clock: Clock,
        sessions: Sessions | None = None,
        left: Left | None = None,
        known: Known | None = None,
    ) -> None:
        """``key``: the operator's. ``sessions`` None: nobody can sign in. ``left`` and ``known`` None: of no tenant is it asked.

        Raises Misconfigured for an empty key.
        """
        if not key:
            raise Misconfigured(
                "the operator's key is empty", hint="set SORDINO_OPERATOR_KEY, or remove its file to get a new one"
            )
        self._operator = key.map(lambda text: text.encode("utf-8", "surrogatepass"))
        self._desk = desk
        self._tenants = tenants
        self._telemetry = telemetry
        self._sessions = sessions
        self._left = left
        self._known = known
        self._refusals = Refusals(clock)

    @property
    def middleware(self) -> Middleware:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            resource = request.match_info.route.resource
            if resource is None:  # there is no such path, or not by that method: the router says so
                return await handler(request)
            rule = rule_of(request.method, resource.canonical)
            if rule is None and not resource.canonical.startswith(CARRIERS):
                raise NotFound("there is no such path here")
            if rule is not None and isinstance(rule.right, Right):
                request[ADMITTED] = await self._admit(request, rule, rule.right)
            return await handler(request)

        return guard

    async def _admit(self, request: web.Request, rule: Rule, right: Right) -> Admission:
        who = await self._who(request)
        template = request.match_info.route.resource
        asked = Asked(
            rule,
            right,
            request.method,
            template.canonical if template is not None else "",
            await _named(request, rule),
            request.match_info.get("call", ""),
        )
        try:
            who = await self._still(who, asked)
            _check(who, asked)
            reason = await self._reason(who, asked, request) if rule.private else _said(request)
        except SordinoError as error:
            await self._refused(who, asked, error)
            raise
        await self._allowed(who, asked, reason)
        await self._check_known(asked)
        return Admission(who, right, reason if rule.private else "")

    # --- who asks ---------------------------------------------------------------------------------------------------

    async def _who(self, request: web.Request) -> Principal:
        given = request.headers.get("Authorization")
        found = await self._by_key(given) if given is not None else await self._by_session(request)
        if found is None:
            self._telemetry.count(METRIC, outcome="unauthenticated", right="none")
            raise Unauthenticated("this needs a key or a session", hint="send Authorization: Bearer <key>, or sign in at /signin")
        return found

    async def _by_key(self, given: str) -> Principal | None:
        scheme, _, text = given.partition(" ")
        if scheme.lower() != "bearer":
            return None
        secret = Private(text.strip())
        if hmac.compare_digest(secret.reveal().encode("utf-8", "surrogatepass"), self._operator.reveal()):
            return operator()
        return await self._desk.who(secret)

    async def _by_session(self, request: web.Request) -> Principal | None:
        found = await self._sessions.who(request) if self._sessions is not None else None
        if found is None or request.method in SAFE:
            return found
        # A browser sends cookies along with what other pages ask, too: what changes something must be ours.
        if request.headers.get(CONSOLE_HEADER) != "1" or request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            raise Forbidden("this did not come from the console", hint=f"send {CONSOLE_HEADER}: 1 from a page of this gateway")
        return found

    async def _still(self, who: Principal, asked: Asked) -> Principal:
        """Who asks, without what they held for tenants that have left. Raises Forbidden where they ask for one of those."""
        if self._left is None or asked.rule.after_end or not (left := await self._left(who.named)):
            return who
        still = who.without(left)
        if _permitted(who, asked) and not _permitted(still, asked):
            raise Forbidden(_HAS_LEFT, hint="GET /api/v1/tenants/{tenant}/offboarding/certificate")
        return still

    async def _check_known(self, asked: Asked) -> None:
        """Raises NotFound, to those who may ask of every tenant: else an empty list would hide that a name was misspelt."""
        if (known := self._known) is None:
            return
        for tenant in asked.tenants or ():
            if not await known(TenantId(tenant)):
                raise no_such_tenant()

    # --- whether they may -------------------------------------------------------------------------------------------

    async def _reason(self, who: Principal, asked: Asked, request: web.Request) -> str:
        """Why private text is shown. Raises Forbidden, InvalidRequest."""
        if asked.tenants is None or len(asked.tenants) != 1:
            raise InvalidRequest("private text is shown of one tenant at a time", hint="name the tenant")
        tenant = next(iter(asked.tenants))
        if not who.may(Right.REVEAL, tenant):
            raise Forbidden(_NOT_YOURS)
        if who.broke_glass:
            if not (reason := who.reason or _said(request)):
                raise InvalidRequest("a reason is needed to see private text", hint=f"add ?reason=… or {REASON_HEADER}")
            return reason
        grant = await self._desk.reveal_for(who, tenant, asked.call)
        if grant is None:
            raise Forbidden("private text takes a grant of reveal", hint="POST /api/v1/access/reveals with tenant and reason")
        return grant.reason

    # --- the log ----------------------------------------------------------------------------------------------------

    async def _allowed(self, who: Principal, asked: Asked, reason: str) -> None:
        self._telemetry.count(METRIC, outcome="break_glass" if who.broke_glass else "allowed", right=asked.right.value)
        if asked.rule.reach is not Reach.SELF:
            await self._desk.write("access.allowed", self._about(who, asked), _body(who, asked, reason=reason))

    async def _refused(self, who: Principal, asked: Asked, error: SordinoError) -> None:
        self._telemetry.count(METRIC, outcome="refused", right=asked.right.value)
        for chain in sorted(self._desk.chains(asked.tenants or ())):
            counted = self._refusals.take(who.id, chain)
            if counted is not None:
                await self._desk.write("access.refused", (chain,), _body(who, asked, why=error.message, counted=counted))

    def _about(self, who: Principal, asked: Asked) -> frozenset[str]:
        """Whose data is read or changed."""
        if asked.tenants:
            return asked.tenants
        if asked.rule.reach is Reach.HOUSE:
            return frozenset()
        seen = who.tenants(asked.right)
        return self._tenants() if EVERY_TENANT in seen else seen


def _check(who: Principal, asked: Asked) -> None:
    """Raises Forbidden."""
    if not _permitted(who, asked):
        raise Forbidden(_NOT_YOURS, hint="GET /api/v1/access/me tells what you may do")


def _permitted(who: Principal, asked: Asked) -> bool:
    reach, right, tenants = asked.rule.reach, asked.right, asked.tenants
    if reach is Reach.SELF:
        return bool(who.tenants(right))
    if reach is Reach.HOUSE:  # to name a tenant makes it nothing less
        return who.may_everywhere(right)
    if tenants:
        return all(who.may(right, tenant) for tenant in tenants)
    if reach is Reach.SEEN:
        return tenants is not None and bool(who.tenants(right))
    return who.may_everywhere(right)


async def _named(request: web.Request, rule: Rule) -> frozenset[str] | None:
    """The tenants that a request names, wherever; None where what it says cannot be read as names."""
    found: list[object] = [*request.query.getall("tenant", []), *request.query.getall("tenants", [])]
    if "tenant" in request.match_info:
        found.append(request.match_info["tenant"])
    if rule.reach is Reach.NAMED and request.method not in SAFE and request.body_exists:
        try:
            body = await request.json()
        except (ValueError, RecursionError, LookupError):
            return None
        if isinstance(body, dict):
            several = body.get("tenants", [])
            found += several if isinstance(several, list) else [several]
            found += [body["tenant"]] if "tenant" in body else []
    return frozenset(str(each) for each in found) if all(isinstance(each, str) for each in found) else None


def _said(request: web.Request) -> str:
    """The reason in the request, as far as it can stand in evidence: none where it seems to name somebody."""
    said = " ".join((request.headers.get(REASON_HEADER) or request.query.get("reason", "")).split())
    return "" if looks_personal(said) else said[:LONGEST_REASON]


def _body(who: Principal, asked: Asked, **more: Json) -> dict[str, Json]:
    told: dict[str, Json] = {name: value for name, value in more.items() if value not in ("", 0)}
    if OWN_ID.fullmatch(asked.call):
        told["call"] = asked.call
    return {
        "who": who.id,
        "via": who.via,
        "roles": list(who.roles),
        "right": asked.right.value,
        "method": asked.method,
        "path": asked.path,
        **told,
    }
