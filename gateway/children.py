"""Wiring of calls in which a child was heard, or an agreement taken back: what was kept of them goes through the one door of
deletions, now or later (promises 11, 14 and 32).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from gateway.adapters.stores.children import RedisChildCalls
from gateway.adapters.stores.marks import Marks
from gateway.adapters.stores.redis import Store
from gateway.call.child import BY_CHILD
from gateway.errors import SordinoError
from gateway.holding import DataDesk
from gateway.runner.children import ChildCalls
from gateway.runner.to_delete import Noted
from gateway.values import CallId, DataClass, TenantId

log = logging.getLogger(__name__)

KEPT = (DataClass.AUDIO, DataClass.TRANSCRIPT, DataClass.VAULT)
"""What goes. What stays is that there was such a call, and what was done: nothing of it is private text."""
WHY = "a child was heard on the call"
LOOK_EVERY_S = 60.0


def open_children(store: Store, data: DataDesk, folder: Path | None = None) -> ChildCalls:
    """Deletes over every holding, each with its certificate. ``folder``: ``SORDINO_DATA``, where such a call is noted while the
    store does not answer; None: nowhere.
    """

    async def delete(tenant: TenantId, call: CallId, *, again: bool) -> bool:
        items = [item for item in await data.of_call(tenant, call) if item.data_class in KEPT]
        held = [each.item for each in await data.deletions.held(tenant, items)]
        free = [item for item in items if item not in held]
        done = await data.deletions.delete(tenant, free if again else items, why=WHY, by=BY_CHILD)
        return not held and not done.held

    log_ = RedisChildCalls(store)
    return ChildCalls(log_ if folder is None else Noted(log_, Marks(folder / "to-delete" / "children")), delete)


class Resumes(Protocol):
    """Who was to delete something of calls, and could not yet. Raises StoreUnavailable."""

    async def resume(self, tenants: Iterable[TenantId]) -> int: ...


async def keep_forgetting(each: Sequence[Resumes], tenants: Callable[[], Awaitable[Iterable[TenantId]]]) -> None:
    """Go on with what was left, at once and from time to time, until cancelled. ``tenants``: whoever has data."""
    while True:
        for one in each:
            try:
                await one.resume(await tenants())
            except SordinoError as error:
                log.warning("what is to be deleted of calls cannot be looked after now: %s", error.code)
        await asyncio.sleep(LOOK_EVERY_S)
