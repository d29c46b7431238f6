"""What was said stands in a store as a keyed hash: of its kind, at its tenant, and never one that a number could have."""

from __future__ import annotations

import pytest

from gateway.adapters.keys.spoken import PREFIX, SpokenHash
from gateway.adapters.keys.subjects import SubjectHash
from gateway.values import Private, TenantId

ACME, OTHER = TenantId("acme"), TenantId("other")
ANNA, BEN = Private("anna@example.org"), Private("ben@example.org")
KEY = Private(b"k" * 32)


def test_the_same_value_has_one_hash_at_a_tenant_and_another_elsewhere() -> None:
    """Under another key, at another tenant, of another kind, another value: another hash."""
    hashes, again, foreign = (SpokenHash(Private(key)) for key in (b"k" * 32, b"k" * 32, b"x" * 32))
    mine = hashes(ACME, "EMAIL_ADDRESS", ANNA)
    assert mine == again(ACME, "EMAIL_ADDRESS", ANNA)
    others = {
        hashes(OTHER, "EMAIL_ADDRESS", ANNA),
        hashes(ACME, "USERNAME", ANNA),
        hashes(ACME, "EMAIL_ADDRESS", BEN),
        foreign(ACME, "EMAIL_ADDRESS", ANNA),
    }
    assert len(others | {mine}) == 5
    assert len(mine) == len(PREFIX) + 64


def test_kind_and_value_cannot_be_cut_elsewhere() -> None:
    hashes = SpokenHash(KEY)
    assert hashes(ACME, "ID", Private("NUMBER4711")) != hashes(ACME, "IDNUMBER", Private("4711"))


def test_a_telephone_number_that_was_said_is_not_the_one_that_called() -> None:
    """Somebody else's telephone may have been used: who says a number has not called from it."""
    number = Private("+4915112345678")
    assert SpokenHash(KEY)(ACME, "PHONE_NUMBER", number).removeprefix(PREFIX) != SubjectHash(KEY)(ACME, number)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        SpokenHash(Private(b"short"))
