"""Recordings of older gateways, whose files carry their key locked by the master key: it goes onto the shelf."""

from __future__ import annotations

import asyncio

from gateway.adapters.recordings.folder import Folder
from gateway.adapters.recordings.format import CLASS, Header, read_header
from gateway.adapters.stores.key_changes import KeyChanges
from gateway.adapters.stores.recordings import RedisRecordings
from gateway.errors import NotFound, RecordingAltered
from gateway.locks import KeyShelf
from gateway.values import CallId, Private, TenantId


async def adopt_older(folder: Folder, index: RedisRecordings, shelf: KeyShelf, changes: KeyChanges) -> int:
    """Take the key of every older file that is here onto the shelf; how many recordings without a key there are elsewhere.

    Raises StoreUnavailable: the store or the disk does not answer, or a key does not open.
    """
    elsewhere = 0
    for tenant in await index.tenants():
        for facts in await index.list(tenant):
            if await shelf.key(tenant, facts.call, CLASS, create=False) is not None:
                continue
            header = await _header(folder, tenant, facts.call)
            if header is None:
                elsewhere += 1
            elif header.key:
                key = shelf.unwrap(header.key, tenant=tenant, call=facts.call, kind=CLASS)
                await changes.adopt(tenant, facts.call, CLASS, Private(key))
    return elsewhere


async def _header(folder: Folder, tenant: TenantId, call: CallId) -> Header | None:
    """None: the file is not here, or is none any more."""
    try:
        file = await folder.open(tenant, call)
    except NotFound:
        return None
    try:
        return await asyncio.to_thread(read_header, file)
    except RecordingAltered:
        return None
    finally:
        file.close()
