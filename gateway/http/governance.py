"""Paths beside calls: sub-processors with their notices and objections, and the check before a number is dialled."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from gateway.http.answers import needs_operator
from gateway.http.api import HEADERS, json_answer
from gateway.http.asked import body_of, choice, flag, moment, text, texts, words
from gateway.policy.consent import Answer, ConsentRecord, How
from gateway.policy.free_text import checked_purpose
from gateway.policy.load import PolicySet
from gateway.policy.model import CONVERSATION
from gateway.policy.notice import Outcome
from gateway.policy.publish import as_html, as_json
from gateway.runner.notices import NoticeDesk, Standing
from gateway.runner.outbound import DialDesk
from gateway.values import Private

Handler = Callable[[web.Request], Awaitable[web.Response]]
PAGE_HEADERS = {
    **HEADERS,
    "Cache-Control": "public, max-age=300",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
}


def governance_routes(
    operator: Private[str], notices: NoticeDesk, dial: DialDesk, policies: Callable[[], PolicySet]
) -> list[web.RouteDef]:
    """``/subprocessors`` for everybody; those under ``/api/v1`` for who brings the operator's key."""
    guarded: list[tuple[str, str, Handler]] = [
        ("GET", "/api/v1/subprocessors", _standings(notices)),
        ("POST", "/api/v1/subprocessors/{id}/announce", _announce(notices)),
        ("POST", "/api/v1/subprocessors/{id}/object", _object(notices)),
        ("POST", "/api/v1/subprocessors/{id}/settle", _settle(notices)),
        ("POST", "/api/v1/outbound/check", _check(dial)),
        ("POST", "/api/v1/outbound/opt-out", _opt_out(dial)),
        ("POST", "/api/v1/consents", _consent(dial)),
    ]
    return [
        *_public(policies),
        *(web.route(method, path, needs_operator(operator, handler)) for method, path, handler in guarded),
    ]


def _public(policies: Callable[[], PolicySet]) -> list[web.RouteDef]:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text=as_html(policies().registry), content_type="text/html", headers=PAGE_HEADERS)

    async def listed(_: web.Request) -> web.Response:
        return web.Response(text=as_json(policies().registry), content_type="application/json", headers=PAGE_HEADERS)

    return [web.get("/subprocessors", page), web.get("/subprocessors.json", listed)]


def _standings(notices: NoticeDesk) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        rows = await notices.standings(tenants=request.query.getall("tenant", []))
        return json_answer({"subprocessors": [standing_json(row) for row in rows]})

    return handle


def _announce(notices: NoticeDesk) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        body = await body_of(request)
        rows = await notices.announce(request.match_info["id"], texts(body, "tenants"))
        return json_answer({"subprocessors": [standing_json(row) for row in rows]})

    return handle


def _object(notices: NoticeDesk) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        body = await body_of(request)
        row = await notices.object(request.match_info["id"], text(body, "tenant"), text(body, "reason"))
        return json_answer(standing_json(row))

    return handle


def _settle(notices: NoticeDesk) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        body = await body_of(request)
        row = await notices.settle(request.match_info["id"], text(body, "tenant"), choice(body, "outcome", Outcome))
        return json_answer(standing_json(row))

    return handle


def _check(dial: DialDesk) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        body = await body_of(request)
        report = await dial.check(
            text(body, "tenant"),
            Private(text(body, "to")),
            purpose=checked_purpose(text(body, "purpose", CONVERSATION)),
            at=moment(body, "at") if "at" in body else None,
            dialling=flag(body, "dialling"),
        )
        answer = {
            "permitted": report.answer.permitted,
            "reasons": list(report.answer.reasons),
            "places": list(report.where.places),
            "why": list(report.where.why),
            "asked_for": report.at.isoformat(),
            "evidence": report.evidence,
        }
        return json_answer(answer)

    return handle


def _opt_out(dial: DialDesk) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        body = await body_of(request)
        number = Private(text(body, "number"))
        evidence = await dial.opt_out(text(body, "tenant"), number, how=How.REQUEST, proof=words(body, "proof"))
        return json_answer({"evidence": evidence})

    return handle


def _consent(dial: DialDesk) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        body = await body_of(request)
        record = ConsentRecord(
            answer=choice(body, "answer", Answer),
            purpose=checked_purpose(text(body, "purpose")),
            how=choice(body, "how", How),
            at=moment(body, "at"),
            proof=words(body, "proof"),
            until=moment(body, "until") if "until" in body else None,
        )
        return json_answer({"evidence": await dial.consent(text(body, "tenant"), Private(text(body, "number")), record)})

    return handle


def standing_json(row: Standing) -> dict[str, Any]:
    """One row for programs. ``why``: the reason why it may not be used; empty: no notice or objection bars it."""
    deliveries = row.notice.deliveries.values() if row.notice else ()
    return {
        "tenant": row.tenant,
        "processor": row.processor,
        "announced_at": row.notice.announced_at.isoformat() if row.notice else None,
        "deliveries": [
            {
                "channel": each.channel,
                "attempts": each.attempts,
                "delivered_at": each.delivered_at.isoformat() if each.delivered_at else None,
                "proof": each.proof,
            }
            for each in deliveries
        ],
        "takes_effect": row.takes_effect or None,
        "objection": row.objected or None,
        "why": row.why,
    }
