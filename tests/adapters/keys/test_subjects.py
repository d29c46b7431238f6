"""A number in a store is a keyed hash: nobody without the master key can try numbers against it."""

from __future__ import annotations

import pytest

from gateway.adapters.keys.subjects import SubjectHash
from gateway.errors import InvalidRequest
from gateway.values import Private, TenantId

ACME, OTHER = TenantId("acme"), TenantId("other")
ANNA, BEN = Private("+15125550100"), Private("+15125550101")


def test_the_same_person_has_one_hash_at_a_tenant_and_another_elsewhere() -> None:
    """Under another master key, at another tenant, for another number: another hash."""
    hashes, again, foreign = (SubjectHash(Private(key)) for key in (b"k" * 32, b"k" * 32, b"x" * 32))
    assert hashes(ACME, ANNA) == again(ACME, ANNA)
    assert len({hashes(ACME, ANNA), hashes(ACME, BEN), hashes(OTHER, ANNA), foreign(ACME, ANNA)}) == 4
    assert len(hashes(ACME, ANNA)) == 64


@pytest.mark.parametrize("text", ["", "15125550100", "01512345678", "anonymous", "+0123456789", "+" + "1" * 16, "+١٢٣٤٥٦٧٨"])
def test_what_is_no_number_is_refused_without_repeating_it(text: str) -> None:
    """Nor is one in national form where nobody knows its country."""
    with pytest.raises(InvalidRequest) as refused:
        SubjectHash(Private(b"k" * 32))(ACME, Private(text))
    assert "555" not in str(refused.value)


@pytest.mark.parametrize("spelling", ["01512345678", "+4901512345678", "0049 151 2345678", "+49 (0)151 234-5678"])
def test_one_number_is_one_person_however_it_is_written(spelling: str) -> None:
    """A trunk, a caller and an officer write it in three ways: an opt-out and a hold find the same person."""
    hashes = SubjectHash(Private(b"k" * 32), {ACME: "de"}.__getitem__)
    assert hashes(ACME, Private(spelling)) == hashes(ACME, Private("+491512345678"))


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        SubjectHash(Private(b"short"))
