"""What every path of the model proxy shares: who asks, how much is taken, and that a client who is gone costs nothing more."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from aiohttp import web

from gateway.errors import InvalidRequest, PayloadTooLarge, RateLimited, SordinoError, Unauthenticated, UpstreamBusy
from gateway.policy.egress import Grant
from gateway.policy.model import TenantPolicy
from gateway.ports import Clock
from gateway.runner.proxy.child import ProxyChildren
from gateway.runner.proxy.proxy import Answering, Proxy
from gateway.runner.proxy.request import PlainRequest
from gateway.runner.rights_callers import Callers
from gateway.tasks import TaskOwner
from gateway.values import Private, TenantId

log = logging.getLogger(__name__)

CALL = "X-Sordino-Call"
CHILD = "X-Sordino-Child"
"""A client says ``1``: a child is in the conversation."""
DROPPED = "X-Sordino-Dropped"
SUBJECT = "X-Sordino-Subject"
MOST_BODY = 4 << 20
MOST_ANSWER = 4 << 20
BODY_WITHIN_S = 60.0
LOOK_EVERY_S = 0.1
"""How soon a client's hanging up is noticed while nothing is written to it."""
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,40}")
_BEARER = re.compile(r"(?i:bearer) +(\S{1,512})", re.ASCII)

WriteError = Callable[[SordinoError, int], dict[str, Any]]
"""An error and its HTTP status as one dialect's body."""
Answer = Callable[["Request"], Awaitable[web.StreamResponse]]


class Admitted(Protocol):
    @property
    def tenant(self) -> TenantId: ...


class Keys(Protocol):
    """Who may come in (``gateway.adapters.stores.tenant_keys``)."""

    async def enter(self, secret: Private[str], scope: str, *, now: Any) -> Any: ...
    def ends(self, admitted: Any) -> bool: ...
    async def tell_ended(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Door:
    """What the paths of the proxy stand on."""

    keys: Keys
    tenant: Callable[[str], TenantPolicy]
    proxy: Proxy
    clock: Clock
    tasks: TaskOwner
    callers: Callers | None = None
    """Who knows whom a client speaks for."""
    children: ProxyChildren | None = None
    """Who acts on a child in a conversation."""

    def path(self, scope: str, answer: Answer, write_error: WriteError) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """A handler: lets in who has a key with that scope, and says what goes wrong in the dialect of the path."""

        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                admitted = await self.keys.enter(_secret(request), scope, now=self.clock.now())
            except SordinoError as error:
                return refused(error, write_error)
            try:
                tenant = self.tenant(admitted.tenant)
                return await answer(await Request(request, tenant, self).without_child())
            except SordinoError as error:
                return refused(error, write_error)
            finally:
                if self.keys.ends(admitted):
                    self.tasks.start(self.keys.tell_ended(), name="leave")

        return handle


@dataclass(frozen=True, slots=True)
class Request:
    """One admitted request."""

    http: web.Request
    tenant: TenantPolicy
    door: Door

    @property
    def conversation(self) -> str | None:
        """The conversation that the client names. Raises InvalidRequest when it names two."""
        named = self.http.headers.getall(CALL, [])
        if len(named) > 1:
            raise InvalidRequest(f"{CALL} stands twice in the request")
        return named[0].strip() if named and named[0].strip() else None

    @property
    def subject(self) -> str:
        """Whom the client speaks for, as the keyed hash of the number that it names; empty: it names nobody.

        Raises InvalidRequest when it names two, or no number: without repeating it.
        """
        named = self.http.headers.getall(SUBJECT, [])
        if len(named) > 1:
            raise InvalidRequest(f"{SUBJECT} stands twice in the request")
        if not named or not named[0].strip() or self.door.callers is None:
            return ""
        return self.door.callers.subject(self.tenant, Private(named[0]))

    async def without_child(self) -> Request:
        """The request itself. Raises PolicyRefused where the client says that a child is in its conversation."""
        if self.door.children is not None and any(said.strip() not in ("", "0") for said in self.http.headers.getall(CHILD, [])):
            await self.door.children.refuse(self.tenant, self.conversation)
        return self

    async def ask(self, plain: PlainRequest) -> Answering:
        """The answer of a model, once its first words are there. Raises as ``Proxy.ask``, and PolicyRefused for a child."""
        if self.door.children is not None:
            await self.door.children.check(self.tenant, self.conversation, plain)
        return await self.door.proxy.ask(self.tenant, self.conversation, plain, subject=self.subject)

    async def json(self) -> Private[Mapping[str, Any]]:
        """The body. Raises PayloadTooLarge, InvalidRequest."""
        body = await read_body(self.http, MOST_BODY)
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            raise InvalidRequest("the body is not JSON") from None
        if not isinstance(value, dict):
            raise InvalidRequest("the body is not a JSON object")
        return Private(value)

    @contextmanager
    def while_connected(self) -> Iterator[None]:
        """What is done inside is cancelled soon after the client has hung up, so that nobody works for nobody."""
        loop, mine = asyncio.get_running_loop(), asyncio.current_task()
        watching: asyncio.TimerHandle

        def look() -> None:
            nonlocal watching
            transport = self.http.transport
            if mine is not None and (transport is None or transport.is_closing()):
                mine.cancel()
            else:
                watching = loop.call_later(LOOK_EVERY_S, look)

        watching = loop.call_later(LOOK_EVERY_S, look)
        try:
            yield
        finally:
            watching.cancel()


async def read_body(request: web.Request, most: int) -> bytes:
    """The whole body.

    Raises:
        PayloadTooLarge: it has more than ``most`` bytes.
        InvalidRequest: it did not come within the bound: who sends a byte a minute is no client.
    """
    if request.content.is_eof():  # all of it is here, as nearly always
        whole = request.content.read_nowait()
        if len(whole) > most:
            raise PayloadTooLarge(f"the request is larger than {most} bytes")
        return whole
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            async for piece in request.content.iter_any():
                size += len(piece)
                if size > most:
                    raise PayloadTooLarge(f"the request is larger than {most} bytes")
                pieces.append(piece)
    except TimeoutError:
        raise InvalidRequest("the request did not come whole in time", hint=f"send it within {BODY_WITHIN_S:g} s") from None
    return b"".join(pieces)


def facts(answering: Answering, dropped: Iterable[str] = ()) -> dict[str, str]:
    """The headers that every answer carries."""
    return facts_of(answering.call, answering.grant, answering.masked, dropped)


def facts_of(call: str, grant: Grant, masked: int, dropped: Iterable[str] = ()) -> dict[str, str]:
    """The same, of whatever was answered."""
    found = {
        CALL: call,
        "X-Sordino-Processor": str(grant.processor),
        "X-Sordino-Region": grant.region,
        "X-Sordino-Policy": grant.policy_digest,
        "X-Sordino-Masked": str(masked),
        "Cache-Control": "no-store",
    }
    if named := ",".join(sorted(name if _FIELD.fullmatch(name) else "other" for name in dropped)):
        found[DROPPED] = named
    return found


def status_of(error: SordinoError) -> int:
    """A processor that has no room is a 429 to the client too, so that it waits as long as it is asked to."""
    return 429 if isinstance(error, UpstreamBusy) else error.http_status


def code_of(error: SordinoError) -> str:
    return RateLimited.code if isinstance(error, UpstreamBusy) else error.code


def refused(error: SordinoError, write_error: WriteError) -> web.Response:
    status = status_of(error)
    headers: dict[str, str] = {"WWW-Authenticate": "Bearer"} if isinstance(error, Unauthenticated) else {}
    wait_s = error.retry_after_s if isinstance(error, RateLimited | UpstreamBusy) else None
    if wait_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(wait_s)))
    return web.json_response(write_error(error, status), status=status, headers=headers)


def _secret(request: web.Request) -> Private[str]:
    """``Authorization: Bearer``, Anthropic's ``x-api-key`` or Azure's ``api-key``. Raises Unauthenticated."""
    for name in ("x-api-key", "api-key"):
        if given := request.headers.get(name, "").strip():
            return Private(given)
    match = _BEARER.fullmatch(request.headers.get("Authorization", "").strip())
    if match is None:
        raise Unauthenticated("this needs a tenant's key", hint="send Authorization: Bearer <tenant key>")
    return Private(match[1])
