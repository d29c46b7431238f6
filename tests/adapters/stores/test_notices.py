"""The notice log only grows, tells everything in order, and lets two gateways decide one after the other."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.notices import RedisNoticeLog
from gateway.adapters.stores.redis import Store
from gateway.errors import StoreUnavailable
from gateway.policy.notice import Event, Happened
from gateway.values import ProcessorId, TenantId

ACME, OTHER = TenantId("acme"), TenantId("other")
AT = datetime(2026, 12, 1, 9, 30, 0, 123456, tzinfo=UTC)
TOLD = Event(Happened.ANNOUNCED, AT, ProcessorId("mistral"), {"material": "ab12", "channels": "webhook,mail"})
SAID_NO = Event(Happened.OBJECTED, AT, ProcessorId("mistral"), {"reason": "naïve “quotes”, and\nlines"})


async def test_what_was_written_is_read_in_order(store: Store) -> None:
    """Every fact, to the microsecond; each tenant its own."""
    log = RedisNoticeLog(store)
    assert await log.events(ACME) == ()
    assert await log.add(ACME, 0, [TOLD])
    assert await log.add(ACME, 1, [SAID_NO, TOLD])
    assert await log.add(ACME, 3, [])
    assert await log.events(ACME) == (TOLD, SAID_NO, TOLD)
    assert await log.events(OTHER) == ()


async def test_who_has_not_seen_the_last_event_adds_nothing(store: Store) -> None:
    """A decision on an old state is made again."""
    log = RedisNoticeLog(store)
    assert await log.add(ACME, 0, [TOLD])
    assert not await log.add(ACME, 0, [SAID_NO])
    assert not await log.add(ACME, 2, [SAID_NO])
    assert await log.events(ACME) == (TOLD,)


async def test_what_others_add_is_seen_at_once(store: Store) -> None:
    """Nothing is read twice, and nothing is missed; a log that was put in its place is read anew."""
    log, other = RedisNoticeLog(store), RedisNoticeLog(store)
    await log.add(ACME, 0, [TOLD])
    first = await log.events(ACME)
    assert await log.events(ACME) is first
    await other.add(ACME, 1, [SAID_NO])
    assert await log.events(ACME) == (TOLD, SAID_NO)
    async with store.answers() as client:
        await client.delete("sordino:{acme}:notices")
    assert await log.events(ACME) == ()
    await other.add(ACME, 0, [SAID_NO, TOLD, TOLD])
    assert await log.events(ACME) == (SAID_NO, TOLD, TOLD)
    async with store.answers() as client:
        await client.rpop("sordino:{acme}:notices")
    await other.add(ACME, 2, [SAID_NO])
    assert await log.events(ACME) == (SAID_NO, TOLD, SAID_NO)


async def test_of_many_that_decide_at_once_one_is_first(store: Store) -> None:
    log = RedisNoticeLog(store)
    answers = await asyncio.gather(*(log.add(ACME, 0, [TOLD]) for _ in range(12)))
    assert sorted(answers) == [False] * 11 + [True]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[]",
        b'["announced"]',
        b'["unknown","2026-12-01T00:00:00+00:00","a",{}]',
        b'["objected","2026-12-01","a",{}]',
        b'["objected","2026-12-01T00:00:00+00:00","a",7]',
    ],
)
async def test_a_log_that_cannot_be_read_permits_nothing(store: Store, line: bytes) -> None:
    """Nobody knows then what was objected to."""
    async with store.answers() as client:
        await client.rpush("sordino:{acme}:notices", line)
    with pytest.raises(StoreUnavailable, match="cannot be read"):
        await RedisNoticeLog(store).events(ACME)


async def test_without_the_store_nothing_is_known(own_valkey: EmbeddedValkey) -> None:
    async with Store(own_valkey.url) as store:
        await own_valkey.kill()
        with pytest.raises(StoreUnavailable):
            await RedisNoticeLog(store).events(ACME)
