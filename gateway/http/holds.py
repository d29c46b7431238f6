"""What is kept, over HTTP: legal holds, certificates of deletions, and the erasure of one call (promises 14, 16 and 17)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, Protocol

from aiohttp import web

from gateway.errors import InvalidRequest
from gateway.evidence.certificate import Certificate
from gateway.http.answers import asker, needs_operator
from gateway.http.api import json_answer
from gateway.http.asked import body_of, text
from gateway.policy.retention import HoldScope
from gateway.runner.deletion import Deletion, held_reasons
from gateway.runner.holds import HoldDesk, shown
from gateway.runner.outbound import Subject
from gateway.values import CallId, DataClass, Private, TenantId

OF_CALL = "/api/v1/calls/{tenant}/{call}"
HOLDS, CERTIFICATES = "/api/v1/holds/{tenant}", "/api/v1/certificates/{tenant}"
MOST = 10_000
"""Certificates in one answer; a bundle of evidence has them all."""

_CALL = re.compile(r"call_[0-9a-z]{1,40}", re.ASCII)
"""Any other text could be somebody's name, and a hold's scope stands in the evidence."""


class EraseCall(Protocol):
    """``DataDesk.erase_call``."""

    async def __call__(self, tenant: TenantId, call: CallId, *, why: str, by: str) -> Deletion: ...


class ReadCertificates(Protocol):
    """``gateway.adapters.stores.certificates``."""

    async def of(self, tenant: TenantId, item: str) -> list[Certificate]: ...
    def all(self, tenant: TenantId) -> AsyncIterator[Certificate]: ...


def data_routes(
    operator: Private[str], holds: HoldDesk, subject: Subject, erase: EraseCall, certificates: ReadCertificates
) -> list[web.RouteDef]:
    """Their paths. ``subject`` hashes a number at the door: behind it nothing knows it."""

    async def erased(request: web.Request) -> web.Response:
        tenant, call = _tenant(request), CallId(request.match_info["call"])
        done = await erase(tenant, call, why=request.query.get("reason", ""), by=asker(request))
        return json_answer({"call": call, **deletion_json(done)})

    async def listed_certificates(request: web.Request) -> web.Response:
        tenant, call = _tenant(request), request.query.get("call", "")
        found = await certificates.of(tenant, call) if call else [each async for each in certificates.all(tenant)]
        rows = sorted(found, key=lambda each: (each.at, each.id))[-MOST:]
        return json_answer({"certificates": [dict(each.document) for each in rows], "all": len(rows) == len(found)})

    async def listed(request: web.Request) -> web.Response:
        return json_answer({"holds": [shown(hold) for hold in await holds.holds(_tenant(request))]})

    async def placed(request: web.Request) -> web.Response:
        tenant, body = _tenant(request), await body_of(request)
        done = await holds.place(
            tenant,
            scope_of(tenant, body, subject),
            reason=text(body, "reason"),
            approver=text(body, "approver"),
            review=_day(text(body, "review")),
            by=asker(request),
        )
        late = [{"class": each.data_class.value, "of": each.id, "holding": each.holding} for each in done.too_late]
        return json_answer({"hold": shown(done.hold), "too_late": late}, status=201)

    async def lifted(request: web.Request) -> web.Response:
        reason = request.query.get("reason", "")
        hold = await holds.lift(_tenant(request), request.match_info["hold"], reason=reason, by=asker(request))
        return json_answer({"lifted": hold.id})

    guarded = [
        ("DELETE", OF_CALL, erased),
        ("GET", CERTIFICATES, listed_certificates),
        ("GET", HOLDS, listed),
        ("POST", HOLDS, placed),
        ("DELETE", HOLDS + "/{hold}", lifted),
    ]
    return [web.route(method, path, needs_operator(operator, handler)) for method, path, handler in guarded]


def deletion_json(done: Deletion) -> dict[str, Any]:
    """What became of a deletion, as clients and files get it."""
    held = [{"class": each.item.data_class.value, "holding": each.item.holding, "hold": each.hold.id} for each in done.held]
    return {
        "certificates": [dict(each.document) for each in done.certificates],
        "held": held,
        "reasons": list(held_reasons(done.held)),
    }


def scope_of(tenant: TenantId, stated: Mapping[str, Any], subject: Subject) -> HoldScope:
    """A scope from ``call``, ``number``, ``class``, ``from`` and ``to``; what is left out is not asked for.

    Raises:
        InvalidRequest: a value that is none, or nothing at all and not ``all`` either: nobody holds everything by mistake.
    """
    call, number, named = stated.get("call"), stated.get("number"), stated.get("class")
    if named is not None and named not in {each.value for each in DataClass}:
        raise InvalidRequest("there is no such class of data", hint=f"one of {', '.join(each.value for each in DataClass)}")
    if call is not None and not _CALL.fullmatch(str(call)):
        raise InvalidRequest("that is no call's id", hint="write it as `sordino` shows it: call_ and 26 characters")
    scope = HoldScope(
        call=None if call is None else CallId(str(call)),
        subject=None if number is None else subject(tenant, number if isinstance(number, Private) else Private(str(number))),
        data_class=None if named is None else DataClass(named),
        start=_moment(stated.get("from")),
        end=_moment(stated.get("to")),
    )
    if scope == HoldScope() and stated.get("all") is not True:
        raise InvalidRequest("the hold has no scope", hint="name call, number, class, from or to; or all, for the whole tenant")
    return scope


def _tenant(request: web.Request) -> TenantId:
    return TenantId(request.match_info["tenant"])


def _moment(value: object) -> datetime | None:
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        raise InvalidRequest("a time of the hold is none", hint="write 2026-12-01 or 2026-12-01T09:30:00+01:00") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _day(stated: str) -> date:
    try:
        return date.fromisoformat(stated)
    except ValueError:
        raise InvalidRequest("the review is no day", hint="write 2027-01-31") from None
