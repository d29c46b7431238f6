"""``GET /v1/models``: the models of the tenant's route, as OpenAI lists them."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from gateway.errors import NotFound
from gateway.http.proxy.chat import openai_error
from gateway.http.proxy.door import Door, Request


def model_routes(door: Door) -> list[web.RouteDef]:
    async def several(request: Request) -> web.Response:
        return web.json_response({"object": "list", "data": _models(request)}, headers={"Cache-Control": "no-store"})

    async def one(request: Request) -> web.Response:
        for model in _models(request):
            if model["id"] == request.http.match_info["model"]:
                return web.json_response(model, headers={"Cache-Control": "no-store"})
        raise NotFound("the tenant's route names no such model")

    return [
        web.get("/v1/models", door.path("models", several, openai_error)),
        web.get("/v1/models/{model:.+}", door.path("models", one, openai_error)),
    ]


def _models(request: Request) -> list[dict[str, Any]]:
    """Each model once, with the first processor that has it. Where the client may choose, there is no name to list."""
    found: dict[str, dict[str, Any]] = {}
    for candidate in request.tenant.route.llm:
        if candidate.model != "*":
            found.setdefault(
                candidate.model, {"id": candidate.model, "object": "model", "created": 0, "owned_by": candidate.processor}
            )
    return list(found.values())
