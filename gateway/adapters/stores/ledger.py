"""The ledger on Redis or Valkey: one stream per tenant, ``sordino:{tenant}:evidence``, to which entries are only ever added.

An entry is sealed here, in the gateway, behind the head that the gateway knows; a script on the server adds it only if that
still is the head. So two gateways on one store cannot fork a chain: the later one is told the new head, seals again, and tries
again. What several calls write at the same time goes out together (group commit) and is confirmed by one fsync.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from redis.exceptions import ResponseError

from gateway.adapters.stores import names
from gateway.adapters.stores.call_index import LIVES_S, SUBJECT_OF, index_key, indexed
from gateway.adapters.stores.chain_lines import ChainLines
from gateway.adapters.stores.line import Line, Refused, Script, UnknownScript
from gateway.adapters.stores.redis import Store
from gateway.errors import EvidenceInvalid, EvidenceUnavailable, SordinoError, StoreUnavailable
from gateway.evidence.canonical import parse
from gateway.evidence.chain import FSYNC, MEMORY, entry_from, genesis, seal_written
from gateway.evidence.cut import Cut
from gateway.evidence.entries import Draft, Entry
from gateway.tasks import TaskOwner
from gateway.values import CallId, TenantId

log = logging.getLogger(__name__)

TIMEOUT_S = 2.0
MAX_WAITING = 1_000
"""Entries of one tenant that may wait for the store; the next one is refused at once."""
BATCH = 64
ATTEMPTS = 50
MOST_LINES = 32
"""Connections; each tenant that writes has one of its own until there are so many."""
PAGE = 500

_APPENDED, _MOVED, _LOST = 1, 0, -1

_COMPARE_AND_APPEND = Script("""
local stream, seq, hash = KEYS[1], ARGV[1], ARGV[2]
local function hash_of(item) return item[2][2] end
local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
local head_seq, head_hash = '0', ARGV[3]
if last then
  head_seq, head_hash = string.match(last[1], '^(%d+)-'), hash_of(last)
end
if head_seq ~= seq or head_hash ~= hash then
  if seq ~= '0' then
    local ours = redis.call('XRANGE', stream, seq .. '-0', seq .. '-0')[1]
    if ours and hash_of(ours) ~= hash then return {-1, head_seq, head_hash} end
    local first = not ours and redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
    if not ours and (not first or tonumber(string.match(first[1], '^(%d+)-')) <= tonumber(seq)) then
      return {-1, head_seq, head_hash}
    end
  end
  return {0, head_seq, head_hash}
end
for i = 5, #ARGV, 3 do
  redis.call('XADD', stream, ARGV[i] .. '-0', 'hash', ARGV[i + 1], 'entry', ARGV[i + 2])
  local index = KEYS[2 + (i - 5) / 3]
  if redis.call('RPUSH', index, ARGV[i]) == 1 then
    local call = string.sub(index, #stream + 2)
    if redis.call('HEXISTS', KEYS[#KEYS], call) == 0 then redis.call('EXPIRE', index, ARGV[4]) end
  end
end
return {1, '', ''}
""")
"""Adds entries, and their places to their calls' lists, if the head is (seq, hash) = (ARGV[1], ARGV[2]).

Else tells the head, and whether ours is still in the chain, or stood in its beginning that was deleted after its time.
"""


@dataclass(slots=True)
class _Waiting:
    """Entries of one call that go into the chain together, each linked to the one before."""

    drafts: Sequence[Draft]
    done: asyncio.Future[list[Entry]]


@dataclass(slots=True)
class _Lane:
    """One tenant's way to the store. ``seq`` and ``head`` are the last entry that this gateway knows to be in the chain."""

    tenant: TenantId
    first: str
    """What the tenant's first entry points back to."""
    seq: int
    head: str
    waiting: deque[_Waiting] = field(default_factory=deque)
    writer: asyncio.Task[None] | None = None


@dataclass(slots=True)
class _Shared:
    """A connection, and how many tenants' exchanges are on it."""

    line: Line
    users: int = 0


class RedisLedger:
    """Implements ``gateway.ports.Ledger``. Close it before its store."""

    def __init__(self, store: Store, *, timeout_s: float = TIMEOUT_S) -> None:
        self._store = store
        self._timeout_s = timeout_s
        self._lanes: dict[TenantId, _Lane] = {}
        self._lines: list[_Shared] = []
        self._tasks = TaskOwner("ledger", on_failure=_report)
        self._closed = False

    async def append(self, draft: Draft) -> Entry:
        """Seal and store one entry; returns when the store has confirmed it. ``durable`` of the entry says how.

        Raises:
            EvidenceUnavailable: not confirmed within the bound. It may or may not be in the chain; the chain stays whole either
                way, and what the entry was to record must not happen.
            EvidenceInvalid: the draft cannot be evidence at all (see ``gateway.evidence.chain.seal``).
        """
        return (await self.append_all([draft]))[0]

    async def append_all(self, drafts: Sequence[Draft]) -> list[Entry]:
        """The same for several entries of one call, in one write: all of them are confirmed, or none. The first is linked as it
        says, each other one to the one before it.
        """
        lane = self._lane(drafts[0].tenant)
        names.checked(drafts[0].call)
        if self._closed or len(lane.waiting) >= MAX_WAITING:
            raise EvidenceUnavailable("the ledger takes no more entries now", hint="the store is slow or the gateway is closing")
        waiting = _Waiting(drafts, asyncio.get_running_loop().create_future())
        lane.waiting.append(waiting)
        if lane.writer is None or lane.writer.done():
            lane.writer = self._tasks.start(self._write_all(lane), name=lane.tenant)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await waiting.done
        except TimeoutError:
            raise EvidenceUnavailable(f"the ledger did not confirm an entry within {self._timeout_s:g} s") from None

    async def entries(self, tenant: TenantId, call: CallId | None = None, *, after: int = 0) -> AsyncIterator[Entry]:
        """The tenant's entries in order from behind place ``after``, or only those of one call. Each one's hash is checked;
        the links between them are for ``gateway.evidence.chain.verify_chain``.

        Raises:
            StoreUnavailable: the store did not answer.
            EvidenceInvalid: an entry in the store was altered.
        """
        stream = names.key(tenant, "evidence")
        durable = await self.durability()
        known = await indexed(self._store, tenant, call, durable=durable) if call is not None and not after else None
        for entry in known or ():
            yield entry
        while known is None:
            async with self._store.answers() as client:
                page: Any = await client.xrange(stream, min=f"({after}-0", max="+", count=PAGE)
            for place, fields in page:
                entry = entry_from(parse(fields[b"entry"]), durable=durable)
                after = int(place.split(b"-")[0])
                if call is None or entry.draft.call == call:
                    yield entry
            if len(page) < PAGE:
                return

    async def beginning(self, tenant: TenantId) -> Cut | None:
        """What was deleted of the chain's beginning after its time; None: ``entries`` begin with the very first one.

        Raises:
            StoreUnavailable.
            EvidenceInvalid: they do not, and nothing in the chain says why.
        """
        return await ChainLines(self._store).beginning(tenant)

    async def aclose(self) -> None:
        """Take nothing more, wait for what is on its way within the bound, and refuse the rest."""
        self._closed = True
        writers = [lane.writer for lane in self._lanes.values() if lane.writer is not None and not lane.writer.done()]
        if writers:
            await asyncio.wait(writers, timeout=self._timeout_s)
        await self._tasks.aclose()
        for each in self._lines:
            await each.line.aclose()

    async def __aenter__(self) -> RedisLedger:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _lane(self, tenant: TenantId) -> _Lane:
        lane = self._lanes.get(tenant)
        if lane is None:
            names.checked(tenant)
            lane = self._lanes[tenant] = _Lane(tenant, genesis(tenant), 0, genesis(tenant))
        return lane

    async def _write_all(self, lane: _Lane) -> None:
        try:
            while lane.waiting:
                batch = [lane.waiting.popleft() for _ in range(min(BATCH, len(lane.waiting)))]
                try:
                    await self._write(lane, batch)
                except (EvidenceUnavailable, StoreUnavailable) as error:
                    _refuse(batch, error)
                finally:
                    _refuse(batch, EvidenceUnavailable("the ledger's writer ended"))
        finally:
            _refuse(lane.waiting, EvidenceUnavailable("the ledger's writer ended"))

    async def _write(self, lane: _Lane, batch: Sequence[_Waiting]) -> None:
        for _ in range(ATTEMPTS):
            wanted = [waiting for waiting in batch if not waiting.done.done()]
            if not wanted:
                return
            wanted, sealed = _seal_behind(lane, wanted)
            if not sealed:
                return
            durable = await self._compare_and_append(lane, [each for group in sealed for each in group])
            if durable is None:
                continue
            for waiting, group in zip(wanted, sealed, strict=True):
                if not waiting.done.done():
                    waiting.done.set_result([Entry(one.seq, one.previous, one.draft, one.hash, durable) for one, _ in group])
            return
        raise EvidenceUnavailable("too many gateways write to this tenant's chain at once")

    async def _compare_and_append(self, lane: _Lane, sealed: Sequence[_Sealed]) -> str | None:
        """How the store confirmed the entries; None: another gateway was first, and the lane knows the new head now."""
        places = (index_key(lane.tenant, entry.draft.call) for entry, _ in sealed)
        keys = [names.key(lane.tenant, "evidence"), *places, names.key(lane.tenant, SUBJECT_OF)]
        arguments: list[str | bytes] = [str(lane.seq), lane.head, lane.first, str(LIVES_S)]
        for entry, written in sealed:
            arguments += [str(entry.seq), entry.hash, written]
        reply, synced = await self._exchange((str(len(keys)), *keys, *arguments))
        status, seq, head = int(reply[0]), reply[1].decode(), reply[2].decode()
        if status == _LOST:
            raise EvidenceUnavailable(
                "the store has lost evidence that it had confirmed",
                hint="bring the store's append-only file back, or start the gateway anew to go on behind what is left",
            )
        if status == _MOVED:
            lane.seq, lane.head = int(seq), head
            return None
        lane.seq, lane.head = sealed[-1][0].seq, sealed[-1][0].hash
        return await self._confirmed(synced)

    async def _exchange(self, arguments: tuple[str | bytes, ...]) -> tuple[Any, Any]:
        """Both on one connection: WAITAOF speaks of its own connection's writes. It holds that one up, so few share it."""
        mine = self._least_used()
        mine.users += 1
        try:
            synced = ("WAITAOF", 1, 0, self._fsync_bound_ms())
            reply, confirmed = await mine.line.ask_all(("EVALSHA", _COMPARE_AND_APPEND.sha1, *arguments), synced)
            if isinstance(reply, UnknownScript):
                reply, confirmed = await mine.line.ask_all(("EVAL", _COMPARE_AND_APPEND.text, *arguments), synced)
            if isinstance(reply, Refused):
                raise reply
        finally:
            mine.users -= 1
        return reply, confirmed

    def _least_used(self) -> _Shared:
        found = min(self._lines, key=lambda each: each.users, default=None)
        if found is None or (found.users and len(self._lines) < MOST_LINES):
            found = _Shared(self._store.line())
            self._lines.append(found)
        return found

    async def _confirmed(self, synced: Any) -> str:
        """Judge the answer to WAITAOF (Redis 7.2 and Valkey): ``fsync``, or ``memory`` where the server has no such file."""
        if not isinstance(synced, Exception):
            if int(synced[0]) >= 1:
                return FSYNC
            raise EvidenceUnavailable(
                "the store took an entry, and did not confirm its fsync in time", hint="set `appendfsync always` on the server"
            )
        return await self._by_settings()

    async def _by_settings(self) -> str:
        """For servers without WAITAOF: with ``appendfsync always`` the reply itself came after the fsync."""
        async with self._store.answers() as client:
            try:
                settings = await client.config_get("appendonly", "appendfsync")
            except ResponseError:  # a managed server may hide its settings: then nobody can vouch for its disk
                return MEMORY
        known = {str(name): str(value) for name, value in settings.items()}
        return FSYNC if (known.get("appendonly"), known.get("appendfsync")) == ("yes", "always") else MEMORY

    async def durability(self) -> str:
        """How the server confirms: ``fsync`` or ``memory``. Raises StoreUnavailable, EvidenceUnavailable."""
        async with self._store.answers() as client:
            try:
                synced: Any = await client.waitaof(1, 0, self._fsync_bound_ms())
            except ResponseError as error:
                synced = error
        return await self._confirmed(synced)

    def _fsync_bound_ms(self) -> int:
        return int(min(self._timeout_s, self._store.timeout_s) * 700)  # the server looks at its clock ten times a second


_Sealed = tuple[Entry, bytes]
"""An entry, and as it is stored."""


def _seal_behind(lane: _Lane, wanted: Sequence[_Waiting]) -> tuple[list[_Waiting], list[list[_Sealed]]]:
    """What can be sealed, and its entries. A draft that cannot be is refused, and does not take those beside it down."""
    seq, head, sealed, entries = lane.seq, lane.head, [], []
    for waiting in wanted:
        group: list[_Sealed] = []
        try:
            for draft in waiting.drafts:
                linked = draft if not group else replace(draft, call_previous=group[-1][0].hash)
                last, last_hash = (group[-1][0].seq, group[-1][0].hash) if group else (seq, head)
                group.append(seal_written(linked, last + 1, last_hash))
        except EvidenceInvalid as error:
            waiting.done.set_exception(error)
            continue
        sealed.append(waiting)
        entries.append(group)
        seq, head = group[-1][0].seq, group[-1][0].hash
    return sealed, entries


def _refuse(waiting: Iterable[_Waiting], why: SordinoError) -> None:
    for one in waiting:
        if not one.done.done():
            one.done.set_exception(EvidenceUnavailable(why.message, hint=why.hint))


def _report(name: str, error: BaseException) -> None:
    log.error("the task %s ended with %s", name, type(error).__name__)
