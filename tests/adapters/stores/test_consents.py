"""The consent ledger keeps each word of a person in order, and gives nothing where it cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.adapters.stores.consents import RedisConsents
from gateway.adapters.stores.redis import Store
from gateway.errors import StoreUnavailable
from gateway.policy.consent import Answer, ConsentRecord, How
from gateway.values import TenantId

ACME, OTHER = TenantId("acme"), TenantId("other")
ANNA, BEN = "a" * 64, "b" * 64
NOW = datetime(2026, 11, 24, 18, 0, 0, 5, tzinfo=UTC)
GIVEN = ConsentRecord(Answer.GIVEN, "reminder", How.WRITTEN, NOW, "form 17 – naïve", NOW + timedelta(days=365))
WITHDRAWN = ConsentRecord(Answer.WITHDRAWN, "*", How.SPOKEN, NOW + timedelta(hours=1), "call_1")


async def test_what_was_said_is_kept_in_order(store: Store) -> None:
    """Per person and tenant, with every fact."""
    consents = RedisConsents(store)
    await consents.add(ACME, [(ANNA, GIVEN), (BEN, GIVEN)])
    await consents.add(ACME, [(ANNA, WITHDRAWN)])
    assert await consents.of(ACME, ANNA) == (GIVEN, WITHDRAWN)
    assert await consents.of(ACME, BEN) == (GIVEN,)
    assert await consents.of(OTHER, ANNA) == ()


async def test_many_come_in_batches(store: Store) -> None:
    consents = RedisConsents(store)
    await consents.add(ACME, [(f"{number:064x}", GIVEN) for number in range(1_200)])
    assert await consents.of(ACME, f"{1_199:064x}") == (GIVEN,)


@pytest.mark.parametrize("line", [b"", b"{}", b"[1]", b'{"a":"given","p":"x","h":"written","t":"2026-11-24","f":"form"}'])
async def test_a_record_that_cannot_be_read_is_no_consent(store: Store, line: bytes) -> None:
    """Behind it a withdrawal may stand."""
    async with store.answers() as client:
        await client.rpush(f"sordino:{{acme}}:consents:{ANNA}", line)
    with pytest.raises(StoreUnavailable, match="cannot be read"):
        await RedisConsents(store).of(ACME, ANNA)
