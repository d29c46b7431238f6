"""Errors and authentication of our own HTTP paths: JSON in the contract's form, never a traceback, never private text."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from gateway.errors import SordinoError, Unauthenticated
from gateway.values import Private

log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


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
    return web.json_response(body, status=error.http_status)


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
        body = {"error": {"code": "invalid_request", "message": error.reason, "hint": "", "sordino": {"reasons": []}}}
        return web.json_response(
            body, status=error.status, headers={"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
        )


def needs_operator(key: Private[str], handler: Handler) -> Handler:
    """Let in who brings the operator's key as ``Authorization: Bearer …``."""
    wanted = f"Bearer {key.reveal()}".encode()

    async def checked(request: web.Request) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogatepass")
        if not hmac.compare_digest(given, wanted):
            raise Unauthenticated("this needs the operator's key", hint="send Authorization: Bearer <key>")
        return await handler(request)

    return checked
