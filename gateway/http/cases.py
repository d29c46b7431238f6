"""Cases over HTTP: requests and incidents with their deadlines, and their calendar (promises 18, 19, 20 and 23)."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from gateway.errors import InvalidRequest
from gateway.http.answers import needs_operator
from gateway.http.api import HEADERS, json_answer
from gateway.policy.cases import Case, Letter
from gateway.policy.notice_message import moment
from gateway.runner.cases import CaseBook
from gateway.values import Private, TenantId

CASES, CALENDAR = "/api/v1/cases/{tenant}", "/api/v1/calendar"


def case_routes(operator: Private[str], book: CaseBook) -> list[web.RouteDef]:
    """Their paths."""

    async def listed(request: web.Request) -> web.Response:
        only = request.query.get("open", "false")
        if only not in ("true", "false"):
            raise InvalidRequest("`open` is neither true nor false")
        tenant = TenantId(request.match_info["tenant"])
        found = await book.list(tenant, kind=request.query.get("kind", ""), open_only=only == "true")
        return json_answer({"cases": [case_json(case) for case in found]})

    async def shown(request: web.Request) -> web.Response:
        case = await book.get(TenantId(request.match_info["tenant"]), request.match_info["case"])
        return json_answer({**case_json(case), **steps_json(case)})

    async def calendar(request: web.Request) -> web.Response:
        whose = request.match_info.get("tenant")
        file = await book.calendar(TenantId(whose) if whose is not None else None)
        name = {"Content-Disposition": 'attachment; filename="deadlines.ics"'}
        return web.Response(text=file, content_type="text/calendar", charset="utf-8", headers={**HEADERS, **name})

    return [
        web.get(CASES, needs_operator(operator, listed)),
        web.get(CASES + "/calendar", needs_operator(operator, calendar)),
        web.get(CALENDAR, needs_operator(operator, calendar)),
        web.get(CASES + "/{case}", needs_operator(operator, shown)),
    ]


def case_json(case: Case) -> dict[str, Any]:
    """One row for programs."""
    return {
        "case": case.id,
        "tenant": case.tenant,
        "kind": case.kind,
        "about": case.about,
        "opened_at": moment(case.opened_at),
        "closed_at": moment(case.closed_at) if case.closed_at else None,
        "outcome": case.outcome or None,
        "deadlines": {
            each.name: {"due_at": moment(each.at), "met_at": moment(each.met_at) if each.met_at else None}
            for each in case.deadlines.values()
        },
    }


def steps_json(case: Case) -> dict[str, Any]:
    """What happened, and who was told: the texts that people wrote of it are not among them."""
    return {
        "facts": dict(case.facts),
        "events": [{"at": moment(event.at), "what": event.what, "facts": dict(event.facts)} for event in case.events],
        "letters": [letter_json(letter) for letter in case.letters.values()],
    }


def letter_json(letter: Letter) -> dict[str, Any]:
    """A message to the tenant's contacts, and how it fared."""
    return {
        "id": letter.message.id,
        "kind": letter.message.kind,
        "written_at": moment(letter.message.at),
        "subject": letter.message.subject,
        "deliveries": [
            {
                "channel": each.channel,
                "attempts": each.attempts,
                "delivered_at": moment(each.delivered_at) if each.delivered_at else None,
                "proof": each.proof,
            }
            for each in letter.deliveries.values()
        ],
    }
