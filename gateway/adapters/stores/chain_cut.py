"""The beginning of a tenant's chain goes, whole, after an entry at its end has said so (``gateway.evidence.cut``)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gateway.adapters.stores import names
from gateway.adapters.stores.call_index import index_key
from gateway.adapters.stores.chain_lines import CUT
from gateway.adapters.stores.line import Part, Refused, Script
from gateway.adapters.stores.redis import Store
from gateway.errors import EvidenceInvalid
from gateway.evidence.cut import Cut
from gateway.values import CallId, TenantId

AT_ONCE = 500
"""Commands of one exchange."""

_TRIM = Script("""
local function hash_at(place)
  local found = redis.call('XRANGE', KEYS[1], place .. '-0', place .. '-0')[1]
  return found and found[2][2]
end
if hash_at(ARGV[4]) ~= ARGV[5] then return -1 end
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
if tonumber(string.match(first[1], '^(%d+)-')) > tonumber(ARGV[1]) then return 0 end
if hash_at(ARGV[1]) ~= ARGV[2] then return -1 end
redis.call('HSET', KEYS[2], ARGV[6], ARGV[4] .. ' ' .. ARGV[5])
redis.call('XTRIM', KEYS[1], 'MINID', ARGV[3] .. '-0')
return 1
""")
"""Trims only while the entry that says so is there, and while the last one that goes is the one that it names."""


class ChainTrim:
    """Every method raises StoreUnavailable. Doing any of it again does no harm."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def forget(self, tenant: TenantId, calls: Iterable[CallId], certificates: Iterable[tuple[str, str]]) -> None:
        """What only leads to the entries that go: their calls' places, and certificates that rest on them (id, what it is of)."""
        commands: list[tuple[Part, ...]] = [("UNLINK", index_key(tenant, call)) for call in calls]
        for id_, of in certificates:
            commands.append(("HDEL", names.key(tenant, "certificates"), id_))
            commands.append(("SREM", names.key(tenant, "certificates", of), id_))
        line = self._store.line()
        try:
            for start in range(0, len(commands), AT_ONCE):
                refused = [each for each in await line.ask_all(*commands[start : start + AT_ONCE]) if isinstance(each, Refused)]
                if refused:
                    raise refused[0]
        finally:
            await line.aclose()

    async def trim(self, tenant: TenantId, cut: Cut) -> None:
        """Delete entries up to the cut's last, at once.

        Raises:
            EvidenceInvalid: the entry that says so is not in the chain, or the chain is not the one that it speaks of.
        """
        keys = [names.key(tenant, "evidence"), names.key(tenant, "chain-marks")]
        done: Any = await self._store.run(_TRIM, keys, cut.last, cut.hash, cut.last + 1, cut.seq, cut.entry, CUT)
        if int(done) < 0:
            raise EvidenceInvalid(
                f"the evidence of {tenant} is not what its entry {cut.seq} says", hint="nothing of it was deleted"
            )
