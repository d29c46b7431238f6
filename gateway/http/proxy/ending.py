"""``POST /api/v1/calls/{call}/end``: a tenant's program says that a conversation is over, and gets its receipt."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from gateway.errors import SordinoError
from gateway.http.proxy.door import Door, Request, code_of
from gateway.runner.proxy.ending import Endings


def ending_routes(door: Door, endings: Endings) -> list[web.RouteDef]:
    """With the tenant's key; ``call`` is the conversation's id, or the name that the program gave it."""

    async def end(request: Request) -> web.Response:
        receipt = await endings.end(request.tenant, request.http.match_info["call"])
        return web.Response(
            body=receipt.to_json(), content_type="application/json", charset="utf-8", headers={"Cache-Control": "no-store"}
        )

    return [web.post("/api/v1/calls/{call}/end", door.path("chat", end, _error))]


def _error(error: SordinoError, status: int) -> dict[str, Any]:
    return {"error": {"code": code_of(error), "message": str(error), "sordino": {"reasons": list(error.reasons)}}}
