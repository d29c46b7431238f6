"""``/api/v1/access``: who one is, roles, access keys, and grants of reveal."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from aiohttp import web

from gateway.adapters.stores.api_keys import PERSON, Wish
from gateway.errors import InvalidRequest
from gateway.http.answers import ADMITTED, Handler, asker, needs_operator
from gateway.http.api import HEADERS
from gateway.policy.roles import MEANING, RIGHTS, Principal, Right, Role, operator
from gateway.runner.access import GLASS_MINUTES, REVEAL_MINUTES, AccessDesk
from gateway.values import Private

MOST_ROWS = 1_000
MOST_DAYS, MOST_GRACE_S = 366, 366 * 86_400


def access_routes(key: Private[str], desk: AccessDesk) -> list[web.RouteDef]:
    """``key``: the operator's."""
    guarded: list[tuple[str, str, Handler]] = [
        ("GET", "/api/v1/access/me", _me),
        ("GET", "/api/v1/access/roles", _roles),
        *_keys(desk),
        *_people(desk),
        *_reveals(desk),
    ]
    return [web.route(method, path, needs_operator(key, handler)) for method, path, handler in guarded]


def roles_table() -> dict[str, Any]:
    """The table as programs read it."""
    rights = [{"right": right.value, "says": MEANING[right]} for right in Right]
    return {"rights": rights, "roles": {role.value: [each.value for each in Right if each in RIGHTS[role]] for role in Role}}


async def _me(request: web.Request) -> web.Response:
    who = _who(request)
    held = [{"role": each.role.value, "tenants": sorted(each.tenants), "rights": _rights(who, each)} for each in who.held]
    return _json({"id": who.id, "via": who.via, "held": held})


def _rights(who: Principal, held: Any) -> list[str]:
    return [right.value for right in Right if held.gives(right)]


async def _roles(_: web.Request) -> web.Response:
    return _json(roles_table())


def _keys(desk: AccessDesk) -> list[tuple[str, str, Handler]]:
    async def listed(_: web.Request) -> web.Response:
        return _json({"keys": [asdict(each) for each in await desk.keys()]})

    async def create(request: web.Request) -> web.Response:
        body = await _body(request)
        wish = Wish(
            role=_text(body, "role"),
            tenants=_texts(body, "tenants"),
            lives=timedelta(days=_count(body, "days", 90, MOST_DAYS)),
            name=_text(body, "name", ""),
            kind=_text(body, "kind", PERSON),
            rights=_texts(body, "rights", ()),
        )
        key, secret = await desk.create_key(wish, by=asker(request))
        return _json({"key": asdict(key), "secret": secret.reveal()}, status=201)

    async def rotate(request: web.Request) -> web.Response:
        grace = _count(await _body(request), "grace_seconds", 0, MOST_GRACE_S, least=0)
        key, secret = await desk.rotate_key(request.match_info["key"], grace=timedelta(seconds=grace), by=asker(request))
        return _json({"key": asdict(key), "secret": secret.reveal()}, status=201)

    async def revoke(request: web.Request) -> web.Response:
        return _json({"key": asdict(await desk.revoke_key(request.match_info["key"], by=asker(request)))})

    where = "/api/v1/access/keys"
    return [
        ("GET", where, listed),
        ("POST", where, create),
        ("POST", where + "/{key}/rotate", rotate),
        ("DELETE", where + "/{key}", revoke),
    ]


def _people(desk: AccessDesk) -> list[tuple[str, str, Handler]]:
    async def listed(_: web.Request) -> web.Response:
        return _json({"people": [asdict(each) for each in await desk.people()]})

    async def sign_out(request: web.Request) -> web.Response:
        return _json({"ended": await desk.end_sessions(request.match_info["person"], by=asker(request))})

    async def forget(request: web.Request) -> web.Response:
        await desk.forget(request.match_info["person"], by=asker(request))
        return _json({"forgotten": request.match_info["person"]})

    where = "/api/v1/access/people"
    return [("GET", where, listed), ("DELETE", where + "/{person}", forget), ("DELETE", where + "/{person}/sessions", sign_out)]


def _reveals(desk: AccessDesk) -> list[tuple[str, str, Handler]]:
    async def listed(request: web.Request) -> web.Response:
        found = await desk.reveals(_who(request), request.query.getall("tenant", []))
        return _json({"reveals": [asdict(each) for each in found]})

    async def grant(request: web.Request) -> web.Response:
        body = await _body(request)
        minutes = _count(body, "minutes", REVEAL_MINUTES, 10_000)
        reason, call = _text(body, "reason"), _text(body, "call", "")
        made = await desk.grant_reveal(_who(request), _text(body, "tenant"), reason=reason, call=call, minutes=minutes)
        return _json(asdict(made), status=201)

    async def end(request: web.Request) -> web.Response:
        await desk.end_reveal(_who(request), request.match_info["tenant"], request.match_info["reveal"])
        return _json({"ended": request.match_info["reveal"]})

    async def break_glass(request: web.Request) -> web.Response:
        body = await _body(request)
        minutes = _count(body, "minutes", GLASS_MINUTES, 10_000)
        key, secret = await desk.break_glass(asker(request), reason=_text(body, "reason"), minutes=minutes)
        return _json({"key": asdict(key), "secret": secret.reveal()}, status=201)

    async def log(request: web.Request) -> web.Response:
        most = request.query.get("most", "100")
        if not (most.isascii() and most.isdecimal() and 1 <= int(most[:6]) <= MOST_ROWS):
            raise InvalidRequest(f"`most` is no whole number from 1 to {MOST_ROWS}")
        found = await desk.log(request.query.get("tenant", ""), int(most))
        return _json({"log": [{"at": each.at.isoformat(), "kind": each.kind, **each.body} for each in found]})

    return [
        ("GET", "/api/v1/access/log", log),
        ("GET", "/api/v1/access/reveals", listed),
        ("POST", "/api/v1/access/reveals", grant),
        ("DELETE", "/api/v1/access/reveals/{tenant}/{reveal}", end),
        ("POST", "/api/v1/access/break-glass", break_glass),
    ]


def _who(request: web.Request) -> Principal:
    admitted = request.get(ADMITTED)
    return admitted.who if admitted is not None else operator()


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json() if request.body_exists else {}
    except (ValueError, RecursionError, LookupError):
        body = None
    if not isinstance(body, dict):
        raise InvalidRequest("the body is not a JSON object", hint='send {"reason": "…"} as application/json')
    return body


def _text(body: dict[str, Any], name: str, otherwise: str | None = None) -> str:
    value = body.get(name, otherwise)
    if not isinstance(value, str) or (otherwise is None and not value.strip()):
        raise InvalidRequest(f"`{name}` is missing, empty or no text")
    return value


def _texts(body: dict[str, Any], name: str, otherwise: tuple[str, ...] | None = None) -> tuple[str, ...]:
    value = body.get(name, otherwise)
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise InvalidRequest(f"`{name}` is missing, or no list of names")
    return tuple(value)


def _count(body: dict[str, Any], name: str, otherwise: int, most: int, *, least: int = 1) -> int:
    value = body.get(name, otherwise)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InvalidRequest(f"`{name}` is no whole number from {least} to {most}")
    return value


def _json(body: object, status: int = 200) -> web.Response:
    return web.json_response(body, status=status, headers=HEADERS)
