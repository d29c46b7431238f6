"""Transcripts for who works with them: what there is, one of them masked, and one in clear, which is a right of its own."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from aiohttp import web

from gateway.http.answers import asker, needs_operator, reason_of
from gateway.http.api import json_answer
from gateway.runner.transcripts import TranscriptDesk, as_rows
from gateway.values import CallId, Private, TenantId

OF_TENANT = "/api/v1/transcripts/{tenant}"
OF_CALL = "/api/v1/calls/{tenant}/{call}/transcript"
IN_CLEAR = OF_CALL + "/clear"


def transcript_routes(operator: Private[str], desk: TranscriptDesk) -> list[web.RouteDef]:
    """``GET`` of a tenant's list, of a call's masked turns, and of the same in clear, with a reason."""

    async def listed(request: web.Request) -> web.Response:
        rows = await desk.list(TenantId(request.match_info["tenant"]))
        return json_answer({"transcripts": [asdict(row) for row in rows]})

    async def masked(request: web.Request) -> web.Response:
        found = await desk.read(*_named(request))
        turns: list[dict[str, Any]] = [asdict(turn) for turn in found.turns]
        return json_answer({"transcript": asdict(found.facts), "turns": turns})

    async def in_clear(request: web.Request) -> web.Response:
        found = await desk.read_in_clear(*_named(request), reason=reason_of(request), by=asker(request))
        body = {"transcript": asdict(found.facts), "turns": as_rows(found).reveal()}
        return json_answer(body)

    return [
        web.get(OF_TENANT, needs_operator(operator, listed)),
        web.get(OF_CALL, needs_operator(operator, masked)),
        web.get(IN_CLEAR, needs_operator(operator, in_clear)),
    ]


def _named(request: web.Request) -> tuple[TenantId, CallId]:
    return TenantId(request.match_info["tenant"]), CallId(request.match_info["call"])
