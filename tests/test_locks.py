"""A locked key opens with the key that locked it, for what it was locked for, and in no other way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import StoreUnavailable
from gateway.locks import CALL, MASTER, TENANT, KeyLock, Locked, fresh_key, key_id
from gateway.values import Private

ABOVE, KEY = KeyLock(TENANT, Private(b"a" * 32)), Private(b"k" * 32)
NAMES = st.text(st.characters(codec="ascii"), max_size=12)
BOUND = st.tuples(NAMES, NAMES, NAMES)


@given(BOUND, BOUND)
def test_it_opens_for_its_own_tenant_call_and_class_alone(bound: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    locked = ABOVE.lock(CALL, KEY, *bound)
    assert ABOVE.open(locked, *bound) == KEY
    if other != bound:
        with pytest.raises(StoreUnavailable):
            ABOVE.open(locked, *other)


@given(st.data())
def test_it_does_not_open_when_any_bit_was_changed_or_any_byte_is_missing(data: st.DataObject) -> None:
    locked = bytearray(ABOVE.lock(CALL, KEY, "acme", "call_1", "vault"))
    place = data.draw(st.integers(0, len(locked) - 1))
    if data.draw(st.booleans()):
        locked[place] ^= 1 << data.draw(st.integers(0, 7))
    else:
        del locked[place:]
    with pytest.raises(StoreUnavailable):
        ABOVE.open(bytes(locked), "acme", "call_1", "vault")


def test_another_key_opens_nothing() -> None:
    with pytest.raises(StoreUnavailable):
        KeyLock(TENANT, Private(b"b" * 32)).open(ABOVE.lock(CALL, KEY, "acme"), "acme")


def test_it_says_who_locked_it_and_what_is_in_it_and_shows_neither_key() -> None:
    locked = ABOVE.lock(CALL, KEY, "acme")
    assert Locked.of(locked) == Locked(by=ABOVE.id, id=key_id(CALL, KEY))
    assert KEY.reveal() not in locked
    assert ABOVE.lock(CALL, KEY, "acme") != locked
    assert repr(ABOVE) == f"KeyLock(id={ABOVE.id})"


def test_an_id_names_one_kind_of_key_and_every_fresh_key_is_another_one() -> None:
    assert len({key_id(kind, KEY) for kind in (MASTER, TENANT, CALL)}) == 3
    assert fresh_key() != fresh_key()
    assert len(fresh_key().reveal()) == 32
