"""The one door of a call: asks the policy, writes the answer down, and only then hands out the Grant (law 1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Protocol

from gateway.errors import NoPermittedRoute
from gateway.evidence.entries import Json
from gateway.evidence.facts import hop_body, refused_body
from gateway.policy.egress import Ask, Decision, Grant
from gateway.ports import Clock, Egress, Ids, Policy, Telemetry, TurnShown
from gateway.runner.account import CallAccount
from gateway.runner.notices import NoticesNow
from gateway.runner.showing import Shown
from gateway.values import CallId, DataCategory, Hop, ProcessorId, TenantId


class Negotiated(Protocol):
    """Who knows what was negotiated with a processor when it answered (promise 24)."""

    def follow(self, tenant: TenantId, call: CallId, write: Callable[[Mapping[str, Json]], None]) -> None:
        """``write`` is given the body of a ``hop.negotiated`` for each connection that differs from those before."""
        ...


class CallEgress:
    """Implements ``gateway.ports.Egress`` for one call."""

    def __init__(
        self,
        policy: Policy,
        account: CallAccount,
        clock: Clock,
        ids: Ids,
        telemetry: Telemetry,
        shown: Shown,
        origin: str = "",
        *,
        origins: frozenset[str] = frozenset(),
        notices: NoticesNow | None = None,
        negotiated: Negotiated | None = None,
    ) -> None:
        """``origins``: laws of both ends (``policy.jurisdiction``). ``notices`` is asked anew before each Grant."""
        if negotiated is not None:
            negotiated.follow(account.tenant, account.call, partial(account.write_ahead, "hop.negotiated"))
        self._policy = policy
        self._account = account
        self._clock = clock
        self._ids = ids
        self._telemetry = telemetry
        self._shown = shown
        self._origin = origin
        self._origins = origins
        self._notices = notices

    async def grant(
        self,
        hop: Hop,
        categories: frozenset[DataCategory],
        *,
        purpose: str = "conversation",
        excluding: frozenset[ProcessorId] = frozenset(),
        model: str = "",
        about: frozenset[DataCategory] = frozenset(),
    ) -> Grant:
        at = self._clock.now()
        barred, noticed = await self._notices(self._account.tenant, at) if self._notices else ({}, frozenset())
        ask = Ask(
            tenant=self._account.tenant,
            call=self._account.call,
            hop=hop,
            categories=categories,
            purpose=purpose,
            at=at,
            grant_id=self._ids.new("grant"),
            origin=self._origin,
            origins=self._origins,
            barred=barred,
            noticed=noticed,
            excluding=excluding,
            model=model,
            about=about,
        )
        decision = self._policy.decide(ask)
        if decision.grant is None:
            self._telemetry.count("sordino_refusals_total", reason="no_permitted_route")
            await self._account.write("refused", refused_body(hop.value, decision.reasons, decision.verdicts))
            raise NoPermittedRoute(
                f"no processor may receive this call's data for {hop.value}",
                hint="run `sordino policy explain` for the whole table",
                reasons=decision.reasons,
            )
        grant = decision.grant
        await self._account.write("hop", hop_body(grant, decision.verdicts))
        self._telemetry.count("sordino_egress_total", processor=grant.processor, region=grant.region)
        self._show(grant, decision)
        return grant

    def _show(self, grant: Grant, decision: Decision) -> None:
        reasons = " | ".join(decision.reasons)
        facts = {"hop": grant.hop.value, "processor": grant.processor, "region": grant.region, "refused": reasons}
        self._shown(TurnShown("routed", facts=facts))


Guard = Callable[[], AbstractAsyncContextManager[None]]
"""Entered before the door is asked and left when it has answered. Raises, on either side, where nobody may pass."""


class GuardedEgress:
    """Implements ``gateway.ports.Egress``: a call's door with a guard, who stays until the Grant is handed out or refused."""

    def __init__(self, egress: Egress, guard: Guard) -> None:
        self._egress = egress
        self._guard = guard

    async def grant(
        self,
        hop: Hop,
        categories: frozenset[DataCategory],
        *,
        purpose: str = "conversation",
        excluding: frozenset[ProcessorId] = frozenset(),
        model: str = "",
        about: frozenset[DataCategory] = frozenset(),
    ) -> Grant:
        """As ``Egress.grant``. Raises also what the guard does."""
        async with self._guard():
            return await self._egress.grant(hop, categories, purpose=purpose, excluding=excluding, model=model, about=about)
