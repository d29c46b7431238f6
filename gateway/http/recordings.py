"""Recordings for the operator: what there is, one of them as it was recorded, and its deletion. Reading needs a reason."""

from __future__ import annotations

from dataclasses import asdict
from typing import Protocol

from aiohttp import web

from gateway.http.answers import asker, needs_operator, reason_of
from gateway.http.api import HEADERS, json_answer
from gateway.runner.deletion import Deletion
from gateway.runner.recordings import RecordingDesk
from gateway.values import CallId, Private, TenantId

OF_CALL = "/api/v1/calls/{tenant}/{call}/recording"


class DeleteRecording(Protocol):
    """``DataDesk.delete_recording``: NotFound where there is none."""

    async def __call__(self, tenant: TenantId, call: CallId, *, why: str, by: str) -> Deletion: ...


def recording_routes(operator: Private[str], desk: RecordingDesk, delete: DeleteRecording) -> list[web.RouteDef]:
    """``GET`` and ``DELETE`` of a call's recording, and the list of a tenant's."""

    async def listed(request: web.Request) -> web.Response:
        rows = await desk.list(TenantId(request.match_info["tenant"]))
        return json_answer({"recordings": [asdict(row) for row in rows]})

    async def read(request: web.Request) -> web.StreamResponse:
        tenant, call = _named(request)
        async with desk.export(tenant, call, reason=reason_of(request)) as found:
            headers = {**HEADERS, "Content-Type": "audio/wav", "X-Sordino-Recording": "cut" if found.extent.cut else "whole"}
            answer = web.StreamResponse(headers=headers)
            await answer.prepare(request)
            async for piece in found.wav:
                await answer.write(piece)
            await answer.write_eof()
            return answer

    async def deleted(request: web.Request) -> web.Response:
        tenant, call = _named(request)
        done = await delete(tenant, call, why=request.query.get("reason", "") or "request of the operator", by=asker(request))
        certificates = [dict(each.document) for each in done.certificates]
        return json_answer({"deleted": call, "certificates": certificates})

    return [
        web.get("/api/v1/recordings/{tenant}", needs_operator(operator, listed)),
        web.get(OF_CALL, needs_operator(operator, read)),
        web.delete(OF_CALL, needs_operator(operator, deleted)),
    ]


def _named(request: web.Request) -> tuple[TenantId, CallId]:
    return TenantId(request.match_info["tenant"]), CallId(request.match_info["call"])
