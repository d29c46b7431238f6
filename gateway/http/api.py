"""What people and probes ask of a running gateway: is it well, what happened, and where is the proof."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from importlib import resources

from aiohttp import web

from gateway.errors import NotFound, SordinoError
from gateway.http.answers import needs_operator, visible
from gateway.values import CallId, Private, TenantId

Check = Callable[[], Awaitable[None]]
"""Raises a SordinoError when the part cannot serve."""
LoadReceipt = Callable[[TenantId, CallId], Awaitable[bytes | None]]
ListCalls = Callable[[], Awaitable[list[dict[str, object]]]]

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def json_answer(body: object, *, status: int = 200) -> web.Response:
    """What programs get from the control interface."""
    return web.json_response(body, status=status, headers=HEADERS)


def health_routes(
    checks: Mapping[str, Check], prometheus: Callable[[], bytes], notes: Mapping[str, Check] | None = None
) -> list[web.RouteDef]:
    """``/healthz``, ``/readyz`` and ``/metrics``: no secret and no private data in any of them.

    Where one of ``checks`` fails, no call can be served: 503. What ``notes`` say is told beside, and calls go on: a gateway that
    obeys its last valid policies should not be taken out of service for a bad file.
    """

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def readyz(_: web.Request) -> web.Response:
        faults, told = await _faults(checks), await _faults(notes or {})
        body: dict[str, object] = {"status": "not ready" if faults else "ready", "reasons": faults}
        return web.json_response(body | ({"notes": told} if told else {}), status=503 if faults else 200)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=prometheus(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    return [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)]


async def _faults(checks: Mapping[str, Check]) -> dict[str, str]:
    faults: dict[str, str] = {}
    for name, check in checks.items():
        try:
            await check()
        except SordinoError as error:
            faults[name] = str(error)
    return faults


def call_routes(operator: Private[str], load: LoadReceipt, calls: ListCalls) -> list[web.RouteDef]:
    """``/api/v1/calls`` and their receipts, for the operator."""

    async def list_calls(request: web.Request) -> web.Response:
        rows = [row for row in await calls() if visible(request, str(row["tenant"]))]
        return json_answer({"calls": rows})

    async def receipt(request: web.Request) -> web.Response:
        tenant, call = TenantId(request.match_info["tenant"]), CallId(request.match_info["call"])
        found = await load(tenant, call)
        if found is None:
            raise NotFound("there is no receipt of that call", hint="it is written when the call has ended")
        return web.Response(body=found, content_type="application/json", headers=HEADERS)

    return [
        web.get("/api/v1/calls", needs_operator(operator, list_calls)),
        web.get("/api/v1/calls/{tenant}/{call}/receipt", needs_operator(operator, receipt)),
    ]


def console_routes() -> list[web.RouteDef]:
    """The console: a page that asks ``/api/v1`` with the operator's key, which never leaves the browser's tab."""
    folder = resources.files("gateway.http") / "console"

    def page(name: str, kind: str) -> Callable[[web.Request], Awaitable[web.Response]]:
        body = (folder / name).read_bytes()

        async def serve(_: web.Request) -> web.Response:
            return web.Response(body=body, content_type=kind, charset="utf-8", headers=HEADERS)

        return serve

    return [
        web.get("/", page("index.html", "text/html")),
        web.get("/console.css", page("console.css", "text/css")),
        web.get("/console.js", page("console.js", "text/javascript")),
    ]
