"""Wiring of the SIP trunk: where it listens, whose numbers it takes calls for, and the leg that carries them."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from gateway.adapters.sip.network import place
from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.errors import Misconfigured, NotFound
from gateway.governing import Ends
from gateway.policy.model import TenantPolicy
from gateway.ports import Ids, Telemetry
from gateway.runner.leg import Leg
from gateway.settings import Settings
from gateway.values import Private

CARRIER = "sip"


class RunCall(Protocol):
    """``gateway.calling.Calls.run``."""

    async def __call__(self, leg: Leg, tenant: TenantPolicy, *, carrier: str, ends: Ends) -> object: ...


@dataclass(frozen=True, slots=True)
class TrunkNeeds:
    """What the trunk's calls stand on."""

    settings: Settings
    policies: PolicyFolder
    run: RunCall
    ids: Ids
    telemetry: Telemetry


async def open_trunk(needs: TrunkNeeds, running: AsyncExitStack) -> int | None:
    """The port that the trunk listens at until ``running`` is closed; None where no trunk is set up.

    Raises:
        Misconfigured: an address is not on a private network, cannot be listened at, or the packages are missing.
    """
    if not needs.settings.sip_listen:
        return None
    where = place(needs.settings.sip_listen, needs.settings.sip_peers)
    if find_spec("aiosipua") is None or find_spec("aiortp") is None:
        raise Misconfigured("a SIP trunk needs packages that are not installed here", hint="pip install 'sordino[sip]'")
    # Only who has a trunk pays for it.
    room = await asyncio.to_thread(import_module, "gateway.adapters.sip.trunk")
    parts = room.TrunkParts(
        take=partial(_take, needs), may_call=partial(_may_call, needs), ids=needs.ids, telemetry=needs.telemetry
    )
    trunk: Any = await running.enter_async_context(room.Trunk(where, parts))
    port: int = trunk.port
    return port


async def _take(needs: TrunkNeeds, leg: Leg, caller: Private[str], called: Private[str]) -> None:
    await needs.run(leg, _tenant(needs, called), carrier=CARRIER, ends=Ends(caller, called))


def _may_call(needs: TrunkNeeds, called: Private[str]) -> bool:
    return _tenant(needs, called).carrier.sip is not None


def _tenant(needs: TrunkNeeds, called: Private[str]) -> TenantPolicy:
    tenant = needs.policies.tenant_for_number(called.reveal())
    if tenant is None:
        raise NotFound("nobody here has this number")
    return tenant
