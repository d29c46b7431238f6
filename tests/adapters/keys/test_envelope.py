"""The key of a call opens with the master key, for that tenant, call and kind of data, and in no other way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.keys.envelope import MasterKey
from gateway.errors import Misconfigured, StoreUnavailable
from gateway.values import CallId, TenantId

MASTER = MasterKey(bytes(range(32)))
FOR: dict[str, Any] = {"tenant": TenantId("acme"), "call": CallId("call_1"), "kind": "vault"}
KEY = b"k" * 32


def test_a_wrapped_key_opens_again() -> None:
    assert MASTER.unwrap(MASTER.wrap(KEY, **FOR), **FOR) == KEY


def test_a_wrapped_key_shows_nothing_of_the_key_and_never_looks_the_same_twice() -> None:
    assert KEY not in MASTER.wrap(KEY, **FOR)
    assert MASTER.wrap(KEY, **FOR) != MASTER.wrap(KEY, **FOR)


@pytest.mark.parametrize(
    "other", [{"tenant": "other"}, {"call": "call_2"}, {"kind": "audio"}, {"tenant": 'acme","call_1', "call": ""}]
)
def test_it_does_not_open_for_another_tenant_call_or_kind(other: dict[str, str]) -> None:
    with pytest.raises(StoreUnavailable, match="does not open this call's key"):
        MASTER.unwrap(MASTER.wrap(KEY, **FOR), **{**FOR, **other})


def test_it_does_not_open_with_another_master_key() -> None:
    with pytest.raises(StoreUnavailable, match="SORDINO_MASTER_KEY_FILE"):
        MasterKey(bytes(32)).unwrap(MASTER.wrap(KEY, **FOR), **FOR)


@given(st.data())
def test_it_does_not_open_when_any_bit_was_changed_or_any_byte_is_missing(data: st.DataObject) -> None:
    wrapped = bytearray(MASTER.wrap(KEY, **FOR))
    place = data.draw(st.integers(0, len(wrapped) - 1))
    if data.draw(st.booleans()):
        wrapped[place] ^= 1 << data.draw(st.integers(0, 7))
    else:
        del wrapped[place:]
    with pytest.raises(StoreUnavailable):
        MASTER.unwrap(bytes(wrapped), **FOR)


def test_a_master_key_comes_from_its_file_and_shows_only_its_name(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="does not exist"):
        MasterKey.from_file(tmp_path / "master.key")
    made = MasterKey.from_file(tmp_path / "master.key", create=True)
    assert MasterKey.from_file(tmp_path / "master.key").id == made.id
    assert repr(made) == f"MasterKey(id={made.id})"
    assert made.id != MASTER.id
