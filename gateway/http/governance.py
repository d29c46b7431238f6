"""Paths beside calls: sub-processors with their notices and objections, and the check before a number is dialled."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any, TypeVar

from aiohttp import web

from gateway.errors import InvalidRequest
from gateway.http.answers import needs_operator
from gateway.http.api import HEADERS
from gateway.policy.consent import Answer, ConsentRecord, How
from gateway.policy.load import PolicySet
from gateway.policy.model import CONVERSATION
from gateway.policy.notice import Outcome
from gateway.policy.publish import as_html, as_json
from gateway.runner.notices import NoticeDesk, Standing
from gateway.runner.outbound import DialDesk
from gateway.values import Private

Choice = TypeVar("Choice", bound=Enum)
Handler = Callable[[web.Request], Awaitable[web.Response]]
LONGEST_TEXT = 2_000
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
        return _json({"subprocessors": [standing_json(row) for row in rows]})

    return handle


def _announce(notices: NoticeDesk) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        body = await _body(request)
        tenants = body.get("tenants", [])
        if not isinstance(tenants, list) or not all(isinstance(name, str) for name in tenants):
            raise InvalidRequest("`tenants` is not a list of names")
        rows = await notices.announce(request.match_info["id"], tenants)
        return _json({"subprocessors": [standing_json(row) for row in rows]})

    return handle


def _object(notices: NoticeDesk) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        body = await _body(request)
        row = await notices.object(request.match_info["id"], _text(body, "tenant"), _text(body, "reason"))
        return _json(standing_json(row))

    return handle


def _settle(notices: NoticeDesk) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        body = await _body(request)
        row = await notices.settle(request.match_info["id"], _text(body, "tenant"), _choice(body, "outcome", Outcome))
        return _json(standing_json(row))

    return handle


def _check(dial: DialDesk) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        body = await _body(request)
        dialling = body.get("dialling", False)
        if not isinstance(dialling, bool):
            raise InvalidRequest("`dialling` is neither true nor false")
        report = await dial.check(
            _text(body, "tenant"),
            Private(_text(body, "to")),
            purpose=_text(body, "purpose", CONVERSATION),
            at=_moment(body, "at") if "at" in body else None,
            dialling=dialling,
        )
        answer = {
            "permitted": report.answer.permitted,
            "reasons": list(report.answer.reasons),
            "places": list(report.where.places),
            "why": list(report.where.why),
            "asked_for": report.at.isoformat(),
            "evidence": report.evidence,
        }
        return _json(answer)

    return handle


def _opt_out(dial: DialDesk) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        body = await _body(request)
        number = Private(_text(body, "number"))
        evidence = await dial.opt_out(_text(body, "tenant"), number, how=How.REQUEST, proof=_text(body, "proof"))
        return _json({"evidence": evidence})

    return handle


def _consent(dial: DialDesk) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        body = await _body(request)
        record = ConsentRecord(
            answer=_choice(body, "answer", Answer),
            purpose=_text(body, "purpose"),
            how=_choice(body, "how", How),
            at=_moment(body, "at"),
            proof=_text(body, "proof"),
            until=_moment(body, "until") if "until" in body else None,
        )
        return _json({"evidence": await dial.consent(_text(body, "tenant"), Private(_text(body, "number")), record)})

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


async def _body(request: web.Request) -> Mapping[str, Any]:
    """The request's JSON object. Raises InvalidRequest, without what was sent."""
    try:
        body = await request.json()
    except (ValueError, RecursionError, LookupError):
        body = None
    if not isinstance(body, dict):
        raise InvalidRequest("the body is not a JSON object", hint='send {"tenant": "…"} as application/json')
    return body


def _text(body: Mapping[str, Any], name: str, otherwise: str | None = None) -> str:
    value = body.get(name, otherwise)
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_TEXT:
        raise InvalidRequest(f"`{name}` is missing, empty or no text", hint=f"at most {LONGEST_TEXT} characters")
    return value


def _choice(body: Mapping[str, Any], name: str, kind: type[Choice]) -> Choice:
    try:
        return kind(body.get(name))
    except ValueError:
        raise InvalidRequest(f"`{name}` is none of {', '.join(str(each.value) for each in kind)}") from None


def _moment(body: Mapping[str, Any], name: str) -> datetime:
    try:
        at = datetime.fromisoformat(_text(body, name))
    except ValueError:
        raise InvalidRequest(f"`{name}` is not a time", hint="write RFC 3339: 2026-12-01T09:30:00Z") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _json(body: object) -> web.Response:
    return web.json_response(body, headers=HEADERS)
