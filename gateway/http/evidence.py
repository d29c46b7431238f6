"""What an auditor asks over HTTP: a bundle of the evidence, its head, the proof that a call is in it, papers, the policy."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from datetime import time as day_time
from os import SEEK_END
from pathlib import Path

from aiohttp import web

from gateway.adapters.stores.names import checked
from gateway.errors import InvalidRequest, NotFound, StoreUnavailable
from gateway.evidence.entries import Json
from gateway.http.answers import Handler, needs_operator
from gateway.http.api import HEADERS, json_answer
from gateway.http.asked import body_of, text
from gateway.policy.load import PolicySet
from gateway.ports import Clock
from gateway.reports.facts import Parties
from gateway.reports.papers import PAPERS
from gateway.reports.recipients import paper_of
from gateway.runner.auditing import AuditDesk
from gateway.runner.notices import NoticeWatch
from gateway.values import CallId, Private, TenantId

EVIDENCE = "/api/v1/evidence/{tenant}"
PAPER = "/api/v1/reports/{tenant}/{paper}"
POLICY = "/api/v1/policies/{tenant}"
PIECE = 256 * 1024
PAGE_HEADERS = {**HEADERS, "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


def evidence_routes(
    operator: Private[str], desk: AuditDesk, policies: Callable[[], PolicySet], watch: NoticeWatch, clock: Clock
) -> list[web.RouteDef]:
    """Their paths. Nothing that they hand out holds private text."""

    async def bundle(request: web.Request) -> web.StreamResponse:
        tenant, period = _tenant(request), (_day(request, "from"), _day(request, "to", last=True))
        with tempfile.TemporaryDirectory(prefix="sordino-bundle-") as folder:
            file = Path(folder) / "bundle.zip"
            try:
                await desk.export(tenant, period, file, [policies()])
            except OSError as error:
                raise StoreUnavailable("the bundle cannot be written", hint=f"the disk says: {error.strerror}") from None
            return await _sent(request, file, f"{tenant}.zip")

    async def head(request: web.Request) -> web.Response:
        return json_answer(await desk.head(_tenant(request)))

    async def proof(request: web.Request) -> web.Response:
        body = await body_of(request)
        return json_answer(await desk.prove(_tenant(request), CallId(checked(text(body, "call"))), _head(body)))

    async def paper(request: web.Request) -> web.Response:
        tenant, name, now = _tenant(request), request.match_info["paper"], clock.now()
        if name not in PAPERS:
            raise NotFound("there is no such paper", hint=f"one of {', '.join(PAPERS)}")
        known = policies()
        known.tenant(tenant)
        barred, noticed = await watch(tenant, now)
        parties = Parties(*(request.query.get(who, "") for who in ("controller", "processor", "officer")))
        page = paper_of(known, tenant, name, now, parties, barred=barred, noticed=noticed)
        return web.Response(text=page, content_type="text/html", headers=PAGE_HEADERS)

    async def policy(request: web.Request) -> web.Response:
        known = policies()
        found = known.tenant(_tenant(request))
        told = {
            "digest": f"sha256:{found.digest}",
            "registry_digest": f"sha256:{known.registry.digest}",
            "policy": found.document(),
        }
        return json_answer(told)

    guarded: list[tuple[str, str, Handler]] = [
        ("GET", EVIDENCE + "/bundle", bundle),
        ("GET", EVIDENCE + "/head", head),
        ("POST", EVIDENCE + "/proof", proof),
        ("GET", PAPER, paper),
        ("GET", POLICY, policy),
    ]
    return [web.route(method, path, needs_operator(operator, handler)) for method, path, handler in guarded]


async def _sent(request: web.Request, file: Path, name: str) -> web.StreamResponse:
    headers = {**HEADERS, "Content-Type": "application/zip", "Content-Disposition": f'attachment; filename="{name}"'}
    answer = web.StreamResponse(headers=headers)
    with file.open("rb") as opened:
        answer.content_length = opened.seek(0, SEEK_END)
        opened.seek(0)
        await answer.prepare(request)
        while piece := await asyncio.to_thread(opened.read, PIECE):
            await answer.write(piece)
    await answer.write_eof()
    return answer


def _tenant(request: web.Request) -> TenantId:
    return TenantId(checked(request.match_info["tenant"]))


def _head(body: Mapping[str, Json]) -> Mapping[str, Json] | None:
    since = body.get("since")
    if since is not None and not isinstance(since, dict):
        raise InvalidRequest("`since` is no head", hint="send what GET …/head answered earlier")
    return since


def _day(request: web.Request, name: str, *, last: bool = False) -> datetime | None:
    """The beginning of a day, UTC; of the day after it for the ``last`` one."""
    given = request.query.get(name)
    if given is None:
        return None
    try:
        return datetime.combine(date.fromisoformat(given), day_time(tzinfo=UTC)) + timedelta(days=int(last))
    except (ValueError, OverflowError):
        raise InvalidRequest(f"`{name}` is no day", hint="write 2026-12-01; days are of UTC") from None
