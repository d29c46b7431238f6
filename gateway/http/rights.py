"""Requests of persons over HTTP: opened, checked, released, carried out, handed out. A number comes in and never goes out."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from typing import Any, TypeVar

from aiohttp import web

from gateway.errors import InvalidRequest, SordinoError
from gateway.http.answers import asker, needs_operator
from gateway.http.api import HEADERS
from gateway.policy.cases import Case
from gateway.policy.notice_message import moment
from gateway.policy.roles import OPERATOR_KEY
from gateway.runner import rights_case as cases
from gateway.runner.places import begun
from gateway.runner.rights import Correction, RightsDesk
from gateway.runner.rights_acts import Acted
from gateway.runner.rights_case import Right, Via
from gateway.runner.rights_spoken import Spoken
from gateway.values import CallId, Private

log = logging.getLogger(__name__)
Choice = TypeVar("Choice", bound=Enum)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
LONGEST_TEXT = 2_000
ALL = "/api/v1/rights/{tenant}"
ONE = ALL + "/{case}"


def rights_routes(operator: Private[str], desk: RightsDesk) -> list[web.RouteDef]:
    """Behind the operator's key, or whom the guard lets in."""
    guarded: list[tuple[str, str, Handler]] = [
        ("POST", ALL, _open(desk)),
        ("GET", ALL, _list(desk)),
        ("GET", ONE, _show(desk)),
        ("POST", ONE + "/identity", _identity(desk)),
        ("POST", ONE + "/told", _told(desk)),
        ("POST", ONE + "/release", _release(desk)),
        ("POST", ONE + "/do", _do(desk)),
        ("POST", ONE + "/file", _file(desk)),
    ]
    return [web.route(method, path, needs_operator(operator, handler)) for method, path, handler in guarded]


def _open(desk: RightsDesk) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        body = await _body(request)
        account = body.get("account", False)
        if not isinstance(account, bool):
            raise InvalidRequest("`account` is neither true nor false")
        case = await desk.open(
            request.match_info["tenant"],
            _choice(body, "right", Right),
            _who(body),
            by=_by(request, body),
            via=_choice(body, "via", Via, Via.TENANT),
            call=CallId(_text(body, "call")) if "call" in body else None,
            reason=_text(body, "reason") if "reason" in body else "",
            account=account,
            country=_text(body, "country") if "country" in body else "",
        )
        return _json(await shown(desk, case), status=201)

    return handle


def _list(desk: RightsDesk) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        only_open = request.query.get("open", "") == "true"
        found = await desk.list(request.match_info["tenant"], open_only=only_open)
        return _json({"rights": [case_json(case) for case in found]})

    return handle


def _show(desk: RightsDesk) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        return _json(await shown(desk, await desk.show(*_named(request))))

    return handle


def _identity(desk: RightsDesk) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        body = await _body(request)
        return _json(case_json(await desk.identify(*_named(request), method=_text(body, "method"), by=_by(request, body))))

    return handle


def _told(desk: RightsDesk) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        body = await _body(request)
        return _json(case_json(await desk.notified(*_named(request), proof=_text(body, "proof"), by=_by(request, body))))

    return handle


def _release(desk: RightsDesk) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        body = await _body(request)
        paper = _text(body, "authorisation")
        return _json(case_json(await desk.release(*_named(request), authorisation=paper, by=_by(request, body))))

    return handle


def _do(desk: RightsDesk) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        body = await _body(request)
        correction = None
        if "old" in body or "new" in body:
            correction = Correction(Private(_text(body, "old")), Private(_text(body, "new")))
        done = await desk.do(*_named(request), by=_by(request, body), correction=correction)
        return _json(acted_json(done), status=200 if done.finished else 409)

    return handle


def _file(desk: RightsDesk) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        body = await _body(request)
        language = _text(body, "language") if "language" in body else ""
        found = await desk.hand_out(*_named(request), by=_by(request, body), language=language)
        headers = {
            **HEADERS,
            "Content-Type": "application/zip",
            "Content-Disposition": f'attachment; filename="{found.name}"',
        }
        answer = web.StreamResponse(headers=headers)
        await answer.prepare(request)
        try:
            async for piece in found.pieces:
                await answer.write(piece)
            await answer.write_eof()
        except SordinoError as error:
            # Half of the file is on its way: nobody may take it for the whole, and nothing else may follow it.
            log.warning("a hand-out broke off: %s", error.code)
            if request.transport is not None:
                request.transport.abort()
        return answer

    return handle


async def shown(desk: RightsDesk, case: Case) -> dict[str, Any]:
    """One request for programs; with the calls that it would be about, where they were found by what somebody said.

    Whoever checks who asks can ask them when they called.
    """
    if not cases.spoken_of(case):
        return case_json(case)
    found = [(call, begun(call)) for call in await desk.found(case)]
    return {**case_json(case), "found": [{"call": call, "begun": moment(at) if at else None} for call, at in found]}


def case_json(case: Case) -> dict[str, Any]:
    """One request for programs. ``waits_for``: what must come first, as sentences; empty: it can be carried out, or is closed."""
    identity = cases.identity(case)
    return {
        "case": case.id,
        "tenant": case.tenant,
        "right": cases.right_of(case).value,
        "via": cases.via_of(case).value,
        "subject": case.about,
        "spoken": cases.spoken_of(case) or None,
        "call": case.facts.get("call"),
        "opened_at": moment(case.opened_at),
        "identity": dict(identity) if identity else None,
        "waits_for": list(cases.why_not(case)) if case.open else [],
        "deadlines": {
            each.name: {"at": moment(each.at), "met_at": moment(each.met_at) if each.met_at else None}
            for each in case.deadlines.values()
        },
        "events": [{"what": event.what, "at": moment(event.at)} for event in case.events],
        "closed_at": moment(case.closed_at) if case.closed_at else None,
        "outcome": case.outcome or None,
    }


def acted_json(done: Acted) -> dict[str, Any]:
    """What was done, with its certificates, and what a legal hold keeps."""
    return {
        "done": done.what,
        "finished": done.finished,
        "evidence": done.evidence,
        **done.facts,
        "certificates": [dict(each.document) for each in done.certificates],
        "held": [
            {"class": each.item.data_class.value, "id": each.item.id, "holding": each.item.holding, "hold": each.hold.id}
            for each in done.held
        ],
    }


def _named(request: web.Request) -> tuple[str, str]:
    return request.match_info["tenant"], request.match_info["case"]


def _who(body: Mapping[str, Any]) -> Private[str] | Spoken:
    """Whose rights: of a number, or of who says that they said something. Raises InvalidRequest, without repeating it."""
    said = body.get("spoken")
    if said is None:
        return Private(_text(body, "subject"))
    if "subject" in body:
        raise InvalidRequest("name one person: `subject` or `spoken`, not both", hint="two requests, where both are known")
    if not isinstance(said, dict) or set(said) != {"kind", "value"}:
        raise InvalidRequest("`spoken` is no kind with its value", hint='write {"kind": "EMAIL_ADDRESS", "value": "…"}')
    return Spoken(_text(said, "kind"), Private(_text(said, "value")))


def _by(request: web.Request, body: Mapping[str, Any]) -> str:
    """Who does it: whom the guard knows. The operator's key is no person, so a request with it may name one."""
    who = asker(request)
    return _text(body, "by", who) if who == OPERATOR_KEY else who


async def _body(request: web.Request) -> Mapping[str, Any]:
    """The request's JSON object. Raises InvalidRequest, without what was sent."""
    try:
        body = await request.json()
    except (ValueError, RecursionError, LookupError):
        body = None
    if not isinstance(body, dict):
        raise InvalidRequest(
            "the body is not a JSON object", hint='send {"right": "access", "subject": "+…"} as application/json'
        )
    return body


def _text(body: Mapping[str, Any], name: str, otherwise: str | None = None) -> str:
    value = body.get(name, otherwise)
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_TEXT:
        raise InvalidRequest(f"`{name}` is missing, empty or no text", hint=f"at most {LONGEST_TEXT} characters")
    return value


def _choice(body: Mapping[str, Any], name: str, kind: type[Choice], otherwise: Choice | None = None) -> Choice:
    try:
        return kind(body.get(name, otherwise))
    except ValueError:
        raise InvalidRequest(f"`{name}` is none of {', '.join(str(each.value) for each in kind)}") from None


def _json(body: object, status: int = 200) -> web.Response:
    return web.json_response(body, headers=HEADERS, status=status)
