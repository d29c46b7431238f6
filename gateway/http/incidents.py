"""Incidents over HTTP: open, scope, draft, notify, event, close, and the timeline (promise 18)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from gateway.errors import InvalidRequest
from gateway.http.answers import asker, needs_operator
from gateway.http.api import HEADERS, json_answer
from gateway.http.asked import body_of, flag, moment, text, texts
from gateway.http.cases import letter_json
from gateway.policy.notice_message import moment as written
from gateway.reports.timeline import steps, timeline
from gateway.runner.incidents import Incidents
from gateway.runner.incidents_record import MESSAGE, NOTICE, Incident, Report
from gateway.values import Private, TenantId

INCIDENTS = "/api/v1/incidents"
ONE = INCIDENTS + "/{incident}"
LONGEST_NOTICE = 20_000
PAGE_HEADERS = {**HEADERS, "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
FORMATS = ("json", "markdown", "html")

Handler = Callable[[web.Request], Awaitable[web.Response]]


def incident_routes(operator: Private[str], desk: Incidents) -> list[web.RouteDef]:
    """Their paths. All of them are of the whole gateway: an incident may touch several tenants."""
    paths: list[tuple[str, str, Handler]] = [
        ("GET", INCIDENTS, _listed(desk)),
        ("POST", INCIDENTS, _opened(desk)),
        ("GET", ONE, _shown(desk)),
        ("GET", ONE + "/report", _report(desk)),
        ("POST", ONE + "/scope", _scoped(desk)),
        ("GET", ONE + "/calls", _calls(desk)),
        ("GET", ONE + "/draft", _draft(desk)),
        ("POST", ONE + "/notify", _notified(desk)),
        ("POST", ONE + "/event", _event(desk)),
        ("POST", ONE + "/close", _closed(desk)),
    ]
    return [web.route(method, path, needs_operator(operator, handler)) for method, path, handler in paths]


def _listed(desk: Incidents) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        found = await desk.list(open_only=request.query.get("open") == "true")
        return json_answer({"incidents": [incident_json(each) for each in found]})

    return handle


def _opened(desk: Incidents) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        body = await body_of(request)
        report = Report(
            start=moment(body, "from"),
            end=moment(body, "to"),
            what=text(body, "what"),
            processor=text(body, "processor", ""),
            region=text(body, "region", ""),
            tenants=texts(body, "tenants"),
            aware=moment(body, "aware") if "aware" in body else None,
        )
        return json_answer(incident_json(await desk.open(report, by=asker(request))), status=201)

    return handle


def _shown(desk: Incidents) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        return json_answer(incident_json(await desk.get(_id(request)), whole=True))

    return handle


def _report(desk: Incidents) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        incident = await desk.get(_id(request))
        page = timeline(incident.main, list(incident.parts.values()), now=desk.now())
        return web.Response(text=page, content_type="text/html", headers=PAGE_HEADERS)

    return handle


def _scoped(desk: Incidents) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        return json_answer(incident_json(await desk.scope(_id(request)), whole=True))

    return handle


def _calls(desk: Incidents) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        incident, tenant = await desk.get(_id(request)), TenantId(text(request.query, "tenant"))
        incident.scope(tenant)
        found = await desk.read(incident, tenant)
        return json_answer({"tenant": tenant, **found.facts, "calls": sorted(found.calls), "people": sorted(found.people)})

    return handle


def _draft(desk: Incidents) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        form, paper = request.query.get("format", "markdown"), request.query.get("paper", NOTICE)
        if form not in FORMATS:
            raise InvalidRequest(f"`format` is none of {', '.join(FORMATS)}")
        draft = await desk.draft(_id(request), TenantId(text(request.query, "tenant")), paper)
        if form == "html":
            return web.Response(text=draft.html, content_type="text/html", headers=PAGE_HEADERS)
        if form == "json":
            return json_answer({"paper": paper, "markdown": draft.markdown, "blanks": list(draft.blanks)})
        return web.Response(text=draft.markdown + "\n", content_type="text/markdown", headers=HEADERS)

    return handle


def _notified(desk: Incidents) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        body, by = await body_of(request), asker(request)
        tenant = TenantId(text(body, "tenant"))
        if proof := text(body, "given", ""):
            return json_answer(incident_json(await desk.given(_id(request), tenant, by=by, proof=proof), whole=True))
        words = text(body, "text", "", longest=LONGEST_NOTICE)
        found = await desk.notify(_id(request), tenant, by=by, text=words, preliminary=flag(body, "preliminary"))
        return json_answer(incident_json(found, whole=True))

    return handle


def _event(desk: Incidents) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        body = await body_of(request)
        note, tenants = text(body, "note", ""), texts(body, "tenants")
        found = await desk.event(_id(request), text(body, "what"), by=asker(request), note=note, tenants=tenants)
        return json_answer(incident_json(found, whole=True))

    return handle


def _closed(desk: Incidents) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        body = await body_of(request)
        reason = text(body, "reason", "")
        found = await desk.close(_id(request), text(body, "outcome"), by=asker(request), reason=reason)
        return json_answer(incident_json(found, whole=True))

    return handle


def incident_json(incident: Incident, *, whole: bool = False) -> dict[str, Any]:
    """An incident for programs; ``whole``: with its timeline."""
    main = incident.main
    mine = main.deadlines.get(NOTICE)
    found: dict[str, Any] = {
        "incident": incident.id,
        "what": main.notes.get("what", ""),
        "cause": main.about,
        "opened_at": written(main.opened_at),
        "aware_at": written(incident.aware),
        "closed_at": written(main.closed_at) if main.closed_at else None,
        "outcome": main.outcome or None,
        **{name: main.facts[name] for name in ("from", "to", "processor", "region")},
        "due_at": written(mine.at) if mine else None,
        "all_told_at": written(mine.met_at) if mine and mine.met_at else None,
        "tenants": {tenant: _part(incident, tenant) for tenant in incident.parts},
    }
    if whole:
        rows = steps(main, incident.parts.values())
        found["timeline"] = [
            {"at": written(row.at), "tenant": row.whose or None, "what": row.what, "more": row.detail} for row in rows
        ]
    return found


def _part(incident: Incident, tenant: TenantId) -> dict[str, Any]:
    case = incident.parts[tenant]
    notice = case.deadlines[NOTICE]
    letters = [letter_json(letter) for letter in case.letters.values() if letter.message.kind == MESSAGE]
    return {
        "due_at": written(notice.at),
        "told_at": written(notice.met_at) if notice.met_at else None,
        "own_hours": case.facts.get("own_hours"),
        "why": case.facts.get("own_why"),
        "scope": dict(incident.scope(tenant)),
        "notices": letters,
    }


def _id(request: web.Request) -> str:
    return request.match_info["incident"]
