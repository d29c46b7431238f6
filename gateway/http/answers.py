"""Errors and authentication of our own HTTP paths: JSON in the contract's form, never a traceback, never private text."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from gateway.errors import InvalidRequest, Misconfigured, PayloadTooLarge, SordinoError, Unauthenticated
from gateway.policy.roles import OPERATOR_KEY, Principal, Right
from gateway.values import Private

log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Admission:
    """Who was let in, by which right, and why where a reason was asked for."""

    who: Principal
    right: Right
    reason: str = ""


ADMITTED = web.RequestKey("sordino.admitted", Admission)
"""Where a request holds whom the guard has let in: only ``gateway.http.guard`` writes it."""


def asker(request: web.Request) -> str:
    """Who asks, as evidence names them: an id of ours. Where there is no guard it can only be the operator's key."""
    admitted = request.get(ADMITTED)
    return admitted.who.id if admitted else OPERATOR_KEY


def visible(request: web.Request, tenant: str) -> bool:
    """Whether who asks may see that tenant's rows in a list of several tenants."""
    admitted = request.get(ADMITTED)
    return admitted is None or admitted.who.may(admitted.right, tenant)


def reason_of(request: web.Request) -> str:
    """Why private text is asked for: as the grant of reveal says, else as the query does; empty: nobody said."""
    admitted = request.get(ADMITTED)
    return admitted.reason if admitted and admitted.reason else request.query.get("reason", "")


def refusal(error: SordinoError) -> web.Response:
    """An error as the contract has it."""
    body = {
        "error": {
            "code": error.code,
            "message": error.message,
            "hint": error.hint,
            "sordino": {"reasons": list(error.reasons)},
        }
    }
    # A 401 names the way to authenticate (RFC 9110 section 15.5.2).
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, Unauthenticated) else None
    return web.json_response(body, status=error.http_status, headers=headers)


@web.middleware
async def typed_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever goes wrong, a client gets a typed answer that says nothing of anybody's data."""
    try:
        return await handler(request)
    except SordinoError as error:
        return refusal(error)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        answer = refusal(_of_status(error.status)(error.reason))
        answer.set_status(error.status)
        if "Allow" in error.headers:
            answer.headers["Allow"] = error.headers["Allow"]
        return answer
    except Exception:
        # What nobody foresaw: a client gets no word of it; the log filter keeps its class and its place.
        log.exception("a request failed")
        if request.writer.output_size:
            # The answer has begun (a socket, a stream): there is no place for another.
            raise
        return refusal(SordinoError("something went wrong inside the gateway", hint="the gateway's log names it"))


def _of_status(status: int) -> type[SordinoError]:
    if status >= 500:
        return SordinoError
    return PayloadTooLarge if status == PayloadTooLarge.http_status else InvalidRequest


def needs_operator(key: Private[str], handler: Handler) -> Handler:
    """Let in whom the guard has let in by the table of ``gateway.http.access``.

    Where there is no guard: who brings the operator's key as ``Authorization: Bearer …``. Raises Misconfigured for an empty key.
    """
    if not key:
        raise Misconfigured("the operator's key is empty", hint="set SORDINO_OPERATOR_KEY, or remove its file to get a new one")
    wanted = f"Bearer {key.reveal()}".encode()

    async def checked(request: web.Request) -> web.StreamResponse:
        if ADMITTED in request:
            return await handler(request)
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogatepass")
        if not hmac.compare_digest(given, wanted):
            raise Unauthenticated("this needs the operator's key", hint="send Authorization: Bearer <key>")
        return await handler(request)

    return checked
