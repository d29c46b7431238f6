"""``/api/v1/access``: who one is, roles, access keys, and grants of reveal."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from aiohttp import web

from gateway.adapters.stores.api_keys import PERSON, Wish
from gateway.errors import InvalidRequest
from gateway.http.answers import ADMITTED, Handler, asker, needs_operator
from gateway.http.api import json_answer
from gateway.http.asked import body_of, count, text, texts
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
    return json_answer({"id": who.id, "via": who.via, "held": held})


def _rights(who: Principal, held: Any) -> list[str]:
    return [right.value for right in Right if held.gives(right)]


async def _roles(_: web.Request) -> web.Response:
    return json_answer(roles_table())


def _keys(desk: AccessDesk) -> list[tuple[str, str, Handler]]:
    async def listed(_: web.Request) -> web.Response:
        return json_answer({"keys": [asdict(each) for each in await desk.keys()]})

    async def create(request: web.Request) -> web.Response:
        body = await body_of(request)
        wish = Wish(
            role=text(body, "role"),
            tenants=texts(body, "tenants"),
            lives=timedelta(days=count(body, "days", 90, MOST_DAYS)),
            name=text(body, "name", ""),
            kind=text(body, "kind", PERSON),
            rights=texts(body, "rights"),
        )
        key, secret = await desk.create_key(wish, by=_who(request))
        return json_answer({"key": asdict(key), "secret": secret.reveal()}, status=201)

    async def rotate(request: web.Request) -> web.Response:
        grace = count(await body_of(request), "grace_seconds", 0, MOST_GRACE_S, least=0)
        key, secret = await desk.rotate_key(request.match_info["key"], grace=timedelta(seconds=grace), by=_who(request))
        return json_answer({"key": asdict(key), "secret": secret.reveal()}, status=201)

    async def revoke(request: web.Request) -> web.Response:
        return json_answer({"key": asdict(await desk.revoke_key(request.match_info["key"], by=asker(request)))})

    where = "/api/v1/access/keys"
    return [
        ("GET", where, listed),
        ("POST", where, create),
        ("POST", where + "/{key}/rotate", rotate),
        ("DELETE", where + "/{key}", revoke),
    ]


def _people(desk: AccessDesk) -> list[tuple[str, str, Handler]]:
    async def listed(_: web.Request) -> web.Response:
        return json_answer({"people": [asdict(each) for each in await desk.people()]})

    async def sign_out(request: web.Request) -> web.Response:
        return json_answer({"ended": await desk.end_sessions(request.match_info["person"], by=asker(request))})

    async def forget(request: web.Request) -> web.Response:
        await desk.forget(request.match_info["person"], by=asker(request))
        return json_answer({"forgotten": request.match_info["person"]})

    where = "/api/v1/access/people"
    return [("GET", where, listed), ("DELETE", where + "/{person}", forget), ("DELETE", where + "/{person}/sessions", sign_out)]


def _reveals(desk: AccessDesk) -> list[tuple[str, str, Handler]]:
    async def listed(request: web.Request) -> web.Response:
        found = await desk.reveals(_who(request), request.query.getall("tenant", []))
        return json_answer({"reveals": [asdict(each) for each in found]})

    async def grant(request: web.Request) -> web.Response:
        body = await body_of(request)
        minutes = count(body, "minutes", REVEAL_MINUTES, 10_000)
        reason, call = text(body, "reason"), text(body, "call", "")
        made = await desk.grant_reveal(_who(request), text(body, "tenant"), reason=reason, call=call, minutes=minutes)
        return json_answer(asdict(made), status=201)

    async def end(request: web.Request) -> web.Response:
        await desk.end_reveal(_who(request), request.match_info["tenant"], request.match_info["reveal"])
        return json_answer({"ended": request.match_info["reveal"]})

    async def break_glass(request: web.Request) -> web.Response:
        body = await body_of(request)
        minutes = count(body, "minutes", GLASS_MINUTES, 10_000)
        key, secret = await desk.break_glass(_who(request), reason=text(body, "reason"), minutes=minutes)
        return json_answer({"key": asdict(key), "secret": secret.reveal()}, status=201)

    async def log(request: web.Request) -> web.Response:
        most = request.query.get("most", "100")
        if not (most.isascii() and most.isdecimal() and 1 <= int(most[:6]) <= MOST_ROWS):
            raise InvalidRequest(f"`most` is no whole number from 1 to {MOST_ROWS}")
        found = await desk.log(request.query.get("tenant", ""), int(most))
        return json_answer({"log": [{"at": each.at.isoformat(), "kind": each.kind, **each.body} for each in found]})

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
