"""Where in a tenant's evidence the entries of one call stand: ``sordino:{tenant}:evidence:<call>``, a list of places.

The script that appends an entry writes its place too, so the list is whole for as long as it lives. To read a call's entries
costs as much as the call is long, however long the tenant's history is. The list lives for thirty days; that of a call whose
person is known (``subject-of``) for as long as they are, so that what they ask for years later is found as fast.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from gateway.adapters.stores import names
from gateway.adapters.stores.redis import Store
from gateway.errors import EvidenceInvalid
from gateway.evidence.canonical import parse
from gateway.evidence.chain import entry_from, genesis
from gateway.evidence.entries import Entry
from gateway.values import CallId, TenantId

LIVES_S = 30 * 24 * 60 * 60
"""From the call's first entry on, or from when its person was forgotten. Afterwards the stream can be read from its beginning."""
SUBJECT_OF = "subject-of"
"""The hash of call to person (``subjects``)."""
AT_ONCE = 200


def index_key(tenant: str, call: str) -> str:
    """Raises InvalidRequest."""
    return names.key(tenant, "evidence", call)


async def indexed(store: Store, tenant: TenantId, call: CallId, *, durable: str) -> list[Entry] | None:
    """The call's entries in order, each one's hash checked. None: the list does not have all of them.

    Raises:
        StoreUnavailable: the store did not answer.
        EvidenceInvalid: an entry in the store was altered.
    """
    places = [int(place) for place in await store.ask("LRANGE", index_key(tenant, call), 0, -1)]
    entries: list[Entry] = []
    for at in range(0, len(places), AT_ONCE):
        entries += await _at(store, tenant, places[at : at + AT_ONCE], durable)
    if any(entry.draft.call != call for entry in entries):
        raise EvidenceInvalid("the index of a call's evidence was altered")
    known = {genesis(tenant, call), *(entry.hash for entry in entries)}
    whole = bool(entries) and len(entries) == len(places) and all(entry.draft.call_previous in known for entry in entries)
    return entries if whole else None


async def _at(store: Store, tenant: TenantId, places: Sequence[int], durable: str) -> list[Entry]:
    stream = names.key(tenant, "evidence")
    found = await asyncio.gather(*(store.ask("XRANGE", stream, f"{place}-0", f"{place}-0") for place in places))
    return [
        entry_from(parse(fields[1::2][fields[::2].index(b"entry")]), durable=durable) for ((_, fields),) in filter(None, found)
    ]
