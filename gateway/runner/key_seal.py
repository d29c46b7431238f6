"""Keeps ``keys.sealed`` beside backups as it must be: with the keys that there are, and with none that there were.

Whoever destroys a key counts it first and then replaces every ``keys.sealed``; whoever replaces one reads that count before it
reads keys. Of those who replace the same one each waits for the other, so nobody writes what was read before another one wrote.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from pathlib import Path

from gateway.adapters.audit.backup_file import KEPT, Header, Record, Section
from gateway.adapters.audit.sealed_file import SEALED, replace_sealed, sealed_bytes, turn
from gateway.adapters.stores.backups import RedisBackups
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.snapshot import Snapshot, is_key
from gateway.errors import StoreUnavailable
from gateway.evidence.chain import timestamp
from gateway.locks import MasterLocks
from gateway.policy.regions import LOCAL
from gateway.ports import Clock, Ids
from gateway.runner.backup_keys import keys_of, new_secret
from gateway.runner.backup_pieces import record_of
from gateway.values import TenantId

LOOKS, LOOK_EVERY_S = 1_200, 0.05
"""How often one looks whether it is its turn."""
AGAIN = 5
"""How often keys are sealed once more because one was destroyed meanwhile. The folder counts as stale behind that."""


class KeySeal:
    """``await seal.destroyed()`` after a key was destroyed, before that is certified."""

    def __init__(self, store: Store, masters: MasterLocks, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._masters = masters
        self._places = RedisBackups(store)
        self._clock = clock
        self._ids = ids

    async def seal(self, folder: Path) -> None:
        """Replace the folder's ``keys.sealed`` by one with the keys of now. Raises StoreUnavailable, OSError."""
        await self._in_turn(folder, unless=None)

    async def seal_all(self) -> tuple[str, ...]:
        """The same for every folder that has the keys of before. Those that are not here: another gateway must do it."""
        count, places = await self._places.stale()
        missing = []
        for place in places:
            if await asyncio.to_thread(Path(place).is_dir):
                await self._in_turn(Path(place), unless=count)
            else:
                missing.append(place)
        return tuple(missing)

    async def destroyed(self) -> None:
        """A key was destroyed: it goes from beside every backup too. Raises StoreUnavailable, also for a folder that is full."""
        await self._places.want()
        try:
            await self.seal_all()
        except OSError as error:
            raise StoreUnavailable(
                f"the keys beside a backup could not be replaced: {error.strerror}", hint="is its disk there, and not full?"
            ) from None

    async def _in_turn(self, folder: Path, *, unless: int | None) -> None:
        """Seal when nobody else does; ``unless``: not if somebody sealed at that count while one waited."""
        place = str(await asyncio.to_thread(folder.resolve))
        for _ in range(LOOKS):
            with turn(folder) as ours:
                if ours:
                    if unless is None or await self._places.count(place) < unless:
                        await self._seal(folder, place)
                    return
            await asyncio.sleep(LOOK_EVERY_S)
        raise StoreUnavailable("somebody else has been replacing the keys beside a backup for a minute", hint="is its disk slow?")

    async def _seal(self, folder: Path, place: str) -> None:
        for _ in range(AGAIN):
            count = await self._places.wanted()
            content = await self._sealed_now()
            await _to_its_end(folder / SEALED, content)
            await self._places.sealed(place, count)
            if await self._places.wanted() == count:
                return

    async def _sealed_now(self) -> bytes:
        found: dict[TenantId, list[Record]] = {}
        async with Snapshot(self._store) as snapshot:
            async for batch in snapshot.key_names():
                async for piece in snapshot.read(batch):
                    if (tenant := is_key(piece.name)) is not None:
                        found.setdefault(tenant, []).append(record_of(piece))
        id_ = self._ids.new("keys")
        key_id, locked, secret = new_secret(self._masters, id_)
        sections = tuple(Section(tenant, KEPT, 0, "") for tenant in sorted(found))
        header = Header(id_, timestamp(self._clock.now()), LOCAL, key_id, locked, sections)
        records = {number: found[section.tenant] for number, section in enumerate(sections)}
        return await asyncio.to_thread(sealed_bytes, header, keys_of(secret, sections, {}), records)


async def _to_its_end(path: Path, content: bytes) -> None:
    """Written off the event loop. Who is cancelled waits for it: else another one's turn would begin while this writes."""
    writing = asyncio.get_running_loop().run_in_executor(None, partial(replace_sealed, path, content))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        with suppress(OSError):
            await writing
        raise
