"""Wiring of calls in which a child was heard: what was kept of them goes through the one door of deletions (promise 32)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

from gateway.adapters.stores.children import RedisChildCalls
from gateway.adapters.stores.redis import Store
from gateway.call.child import BY_CHILD
from gateway.errors import SordinoError
from gateway.holding import DataDesk
from gateway.runner.children import ChildCalls
from gateway.values import CallId, DataClass, TenantId

log = logging.getLogger(__name__)

KEPT = (DataClass.AUDIO, DataClass.TRANSCRIPT, DataClass.VAULT)
"""What goes. What stays is that there was such a call, and what was done: nothing of it is private text."""
WHY = "a child was heard on the call"
LOOK_EVERY_S = 60.0


def open_children(store: Store, data: DataDesk) -> ChildCalls:
    """Deletes over every holding, each with its certificate."""

    async def delete(tenant: TenantId, call: CallId) -> None:
        items = [item for item in await data.of_call(tenant, call) if item.data_class in KEPT]
        await data.deletions.delete(tenant, items, why=WHY, by=BY_CHILD)

    return ChildCalls(RedisChildCalls(store), delete)


async def keep_forgetting(children: ChildCalls, tenants: Callable[[], Iterable[TenantId]]) -> None:
    """Go on with what was left, at once and from time to time, until cancelled."""
    while True:
        try:
            await children.resume(tenants())
        except SordinoError as error:
            log.warning("what was kept of children's calls cannot be looked after now: %s", error.code)
        await asyncio.sleep(LOOK_EVERY_S)
