"""``/api/v1/tenants/{tenant}/keys``: the operator makes, lists, rotates and revokes tenants' keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Protocol

from aiohttp import web

from gateway.errors import InvalidRequest
from gateway.http.answers import needs_operator
from gateway.http.proxy.fields import Fields
from gateway.ports import Clock
from gateway.values import Private, TenantId

MOST_DAYS = 3_650
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Keys(Protocol):
    """``gateway.adapters.stores.tenant_keys.TenantKeys``."""

    async def create(
        self, tenant: TenantId, *, now: datetime, name: str = ..., scopes: Iterable[str] = ..., lives: timedelta | None = ...
    ) -> tuple[Any, Private[str]]: ...
    async def of(self, tenant: TenantId) -> list[Any]: ...
    async def revoke(self, tenant: TenantId, key_id: str, *, now: datetime) -> Any: ...
    async def rotate(
        self, tenant: TenantId, key_id: str, *, now: datetime, grace: timedelta = ...
    ) -> tuple[Any, Private[str]]: ...


def key_routes(operator: Private[str], keys: Keys, tenant_of: Callable[[str], Any], clock: Clock) -> list[web.RouteDef]:
    """``tenant_of`` raises for a tenant that there is not."""

    def tenant(request: web.Request) -> TenantId:
        name = request.match_info["tenant"]
        tenant_of(name)
        return TenantId(name)

    async def list_keys(request: web.Request) -> web.Response:
        return _json({"keys": [asdict(key) for key in await keys.of(tenant(request))]})

    async def create(request: web.Request) -> web.Response:
        fields = await _fields(request)
        days = fields.whole("expires_in_days", 1, MOST_DAYS)
        scopes = fields.raw("scopes")
        if scopes is not None and not (isinstance(scopes, list) and all(isinstance(each, str) for each in scopes)):
            raise fields.wrong("scopes", "a list of names")
        wishes: dict[str, Any] = {} if scopes is None else {"scopes": scopes}
        lives = None if days is None else timedelta(days=days)
        key, secret = await keys.create(tenant(request), now=clock.now(), name=fields.text("name") or "", lives=lives, **wishes)
        return _json({"key": asdict(key), "secret": secret.reveal()}, status=201)

    async def rotate(request: web.Request) -> web.Response:
        grace = (await _fields(request)).whole("grace_seconds", 0, MOST_DAYS * 86_400) or 0
        key, secret = await keys.rotate(
            tenant(request), request.match_info["key"], now=clock.now(), grace=timedelta(seconds=grace)
        )
        return _json({"key": asdict(key), "secret": secret.reveal()}, status=201)

    async def revoke(request: web.Request) -> web.Response:
        return _json({"key": asdict(await keys.revoke(tenant(request), request.match_info["key"], now=clock.now()))})

    where = "/api/v1/tenants/{tenant}/keys"
    return [
        web.get(where, needs_operator(operator, list_keys)),
        web.post(where, needs_operator(operator, create)),
        web.post(where + "/{key}/rotate", needs_operator(operator, rotate)),
        web.delete(where + "/{key}", needs_operator(operator, revoke)),
    ]


async def _fields(request: web.Request) -> Fields:
    if not request.body_exists:
        return Fields({})
    try:
        return Fields(await request.json())
    except (ValueError, RecursionError, LookupError):
        raise InvalidRequest("the body is not JSON") from None


def _json(body: dict[str, Any], status: int = 200) -> web.Response:
    return web.json_response(body, status=status, headers={"Cache-Control": "no-store"})
