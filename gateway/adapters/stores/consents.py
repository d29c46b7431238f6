"""The consent ledger: what each person said, in order, under a keyed hash of their number (promise 13).

``sordino:{tenant}:consents:<subject>`` is a list that is only ever added to; a wrong word in a proof may be put right.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.adapters.stores import names
from gateway.adapters.stores.line import Script
from gateway.adapters.stores.redis import Store
from gateway.errors import StoreUnavailable
from gateway.policy.consent import Answer, ConsentRecord, How
from gateway.values import Private, TenantId

BATCH = 500

_CORRECT = Script("""
if redis.call('LINDEX', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('LSET', KEYS[1], ARGV[1], ARGV[3])
return 1
""")


class RedisConsents:
    """Implements ``gateway.runner.outbound.Consents``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of(self, tenant: TenantId, subject: str) -> tuple[ConsentRecord, ...]:
        """Everything that this person said, the oldest first. Raises StoreUnavailable, also for a record that cannot be read."""
        return tuple([record for _, record in await self._kept(tenant, subject)])

    async def _kept(self, tenant: TenantId, subject: str) -> list[tuple[bytes, ConsentRecord]]:
        async with self._store.answers() as client:
            stored: Any = await client.lrange(names.key(tenant, "consents", subject), 0, -1)
        try:
            return [(line, _record(line)) for line in stored]
        except (ValueError, KeyError, TypeError, AttributeError):
            raise StoreUnavailable(
                "the consent ledger holds a record that cannot be read", hint="restore it from a backup"
            ) from None

    async def everybody(self, tenant: TenantId) -> AsyncIterator[Mapping[str, str]]:
        """Every record of the tenant with its ``subject``, each person's in order. Raises StoreUnavailable like ``of``."""
        prefix = names.key(tenant, "consents") + ":"
        async with self._store.answers() as client:
            found = sorted({name async for name in client.scan_iter(match=f"{prefix}*", count=BATCH)})
        for name in found:
            subject = name.decode().removeprefix(prefix)
            for each in await self.of(tenant, subject):
                until = {"until": each.until.isoformat()} if each.until else {}
                said = {"answer": each.answer.value, "purpose": each.purpose, "how": each.how.value, "at": each.at.isoformat()}
                yield {"subject": subject, **said, "proof": each.proof, **until}

    async def add(self, tenant: TenantId, records: Sequence[tuple[str, ConsentRecord]]) -> None:
        """Write down what each subject said, in order. Raises StoreUnavailable: then write all again, twice is as good."""
        for start in range(0, len(records), BATCH):
            async with self._store.answers() as client:
                exchange = client.pipeline(transaction=False)
                for subject, record in records[start : start + BATCH]:
                    exchange.rpush(names.key(tenant, "consents", subject), _line(record))
                await exchange.execute()

    async def forget(self, tenant: TenantId, subject: str, *, until: datetime) -> None:
        """Everything that this person said up to then is gone; what came later stays. Raises StoreUnavailable."""
        key = names.key(tenant, "consents", subject)
        # Again for a record whose proof was put right meanwhile.
        while old := {line for line, record in await self._kept(tenant, subject) if record.at <= until}:
            async with self._store.answers() as client:
                exchange = client.pipeline(transaction=True)
                for line in old:
                    exchange.lrem(key, 0, line)  # type: ignore[arg-type]  # the stubs know no bytes here
                await exchange.execute()

    async def stands(self, tenant: TenantId, subject: str, old: Private[str]) -> bool:
        """Whether ``old`` stands in what proves this person's consents. Raises StoreUnavailable."""
        return any(old.reveal() in record.proof for record in await self.of(tenant, subject))

    async def correct(self, tenant: TenantId, subject: str, old: Private[str], new: Private[str]) -> int:
        """Put ``new`` where ``old`` stands in what proves this person's consents. In how many. Raises StoreUnavailable."""
        wrong, right = old.reveal(), new.reveal()
        return await self.reword(tenant, subject, lambda each: replace(each, proof=each.proof.replace(wrong, right)))

    async def reword(self, tenant: TenantId, subject: str, change: Callable[[ConsentRecord], ConsentRecord]) -> int:
        """Put what ``change`` makes of a record in its place. How many it altered. Raises StoreUnavailable."""
        key, count = names.key(tenant, "consents", subject), 0
        for place, record in enumerate(await self.of(tenant, subject)):
            if (other := change(record)) == record:
                continue
            # Only where the very record still stands: the list grows at its end, and is cleared by an erasure.
            count += int(await self._store.run(_CORRECT, [key], place, _line(record), _line(other)))
        return count


def _line(record: ConsentRecord) -> str:
    until = record.until.isoformat() if record.until else ""
    facts = {"a": record.answer.value, "p": record.purpose, "h": record.how.value, "t": record.at.isoformat(), "f": record.proof}
    return json.dumps(facts | ({"u": until} if until else {}), ensure_ascii=False, separators=(",", ":"))


def _record(line: bytes) -> ConsentRecord:
    facts: Mapping[str, str] = json.loads(line)
    until = datetime.fromisoformat(facts["u"]) if facts.get("u") else None
    at = datetime.fromisoformat(facts["t"])
    if at.tzinfo is None or (until is not None and until.tzinfo is None):
        raise ValueError("a time without its zone")
    return ConsentRecord(Answer(facts["a"]), facts["p"], How(facts["h"]), at, facts["f"], until)
