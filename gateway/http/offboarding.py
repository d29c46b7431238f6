"""A tenant's end over HTTP: what would go, its beginning, where it stands, its cancellation and its certificate (promise 15)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from aiohttp import web

from gateway.errors import InvalidRequest, NotFound
from gateway.evidence.chain import timestamp
from gateway.http.answers import asker, needs_operator
from gateway.http.api import HEADERS, json_answer
from gateway.http.asked import body_of, text
from gateway.policy.offboarding import OF_CONTRACT, WAIT, Offboarding
from gateway.runner.deletion import held_reasons
from gateway.runner.offboarding import OffboardingDesk, Preview
from gateway.values import Private, TenantId

PATH = "/api/v1/tenants/{tenant}/offboarding"


class Certificates(Protocol):
    """``gateway.adapters.stores.offboarding``."""

    async def certificate(self, tenant: TenantId) -> bytes | None: ...


def offboarding_routes(operator: Private[str], desk: OffboardingDesk, certificates: Certificates) -> list[web.RouteDef]:
    """Their paths, behind the operator's key."""

    async def shown(request: web.Request) -> web.Response:
        return json_answer(state_json(await desk.show(_tenant(request)), desk.now()))

    async def previewed(request: web.Request) -> web.Response:
        return json_answer(preview_json(await desk.preview(_tenant(request), **_times(request.query))))

    async def started(request: web.Request) -> web.Response:
        body = await body_of(request)
        state = await desk.start(_tenant(request), reason=text(body, "reason"), by=asker(request), **_times(body))
        return json_answer(state_json(state, desk.now()), status=202)

    async def cancelled(request: web.Request) -> web.Response:
        reason = request.query.get("reason", "")
        state = await desk.cancel(_tenant(request), reason=reason, by=asker(request))
        return json_answer(state_json(state, desk.now()))

    async def certified(request: web.Request) -> web.Response:
        document = await certificates.certificate(_tenant(request))
        if document is None:
            raise NotFound("there is no certificate: the tenant's end is not over", hint="look at its steps")
        return web.Response(body=document, content_type="application/json", headers=HEADERS)

    guarded = [
        ("GET", PATH, shown),
        ("GET", PATH + "/preview", previewed),
        ("POST", PATH, started),
        ("DELETE", PATH, cancelled),
        ("GET", PATH + "/certificate", certified),
    ]
    return [web.route(method, path, needs_operator(operator, handler)) for method, path, handler in guarded]


def state_json(state: Offboarding, now: datetime) -> dict[str, Any]:
    """Where it stands, as clients and files get it. Times are RFC 3339."""
    overdue, following = state.overdue(now), state.next()
    steps = [
        {
            "step": step.value,
            "begun": timestamp(done.begun),
            "ended": timestamp(done.ended) if done.ended else None,
            "waits_for": list(done.waits),
            "facts": {name: value for name, value in done.facts.items() if name != "machine"},
        }
        for step, done in state.steps.items()
    ]
    return {
        "offboarding": state.id,
        "tenant": state.tenant,
        "status": state.status.value,
        "reason": state.reason,
        "by": state.by,
        "announced": timestamp(state.announced),
        **_times_json(state),
        "steps": steps,
        "next": following.value if following else None,
        "overdue": overdue.value if overdue else None,
    }


def preview_json(found: Preview) -> dict[str, Any]:
    """What would go and what a hold keeps."""
    counts = [{"class": kind, "holding": holding, "items": count} for (kind, holding), count in sorted(found.counts.items())]
    held = {"items": len(found.held), "reasons": list(held_reasons(found.held))}
    return {"would_go": counts, "held": held, "api_keys": found.api_keys, **_times_json(found)}


def _times_json(found: Offboarding | Preview) -> dict[str, str]:
    times = found.times
    named = {
        "ends": times.ends,
        "data_from": times.data_from,
        "data_by": times.data_by,
        "contact_from": times.contact_from,
        "contact_by": times.contact_by,
    }
    return {name: timestamp(at) for name, at in named.items()}


def _tenant(request: web.Request) -> TenantId:
    return TenantId(request.match_info["tenant"])


def _times(stated: Mapping[str, Any]) -> dict[str, Any]:
    """``ends``, ``wait_days`` and ``contract_days``, as the desk takes them. Raises InvalidRequest."""
    try:
        ends = datetime.fromisoformat(str(stated["ends"])) if stated.get("ends") else None
        wait = timedelta(days=int(stated.get("wait_days", WAIT.days)))
        contract = timedelta(days=int(stated.get("contract_days", OF_CONTRACT.days)))
    except (ValueError, TypeError, OverflowError):
        raise InvalidRequest("a time is none", hint="write ends as 2026-12-31, wait_days and contract_days as numbers") from None
    return {"ends": ends if ends is None or ends.tzinfo else ends.replace(tzinfo=UTC), "wait": wait, "contract": contract}
