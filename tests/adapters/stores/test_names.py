"""Every name in the store carries its tenant, and no id can reach into another's name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.stores.names import checked, key
from gateway.errors import InvalidRequest


def test_a_name_carries_its_tenant_in_the_braces_that_keep_it_in_one_cluster_slot() -> None:
    assert key("acme", "vault", "call_01", "key") == "sordino:{acme}:vault:call_01:key"


@pytest.mark.parametrize("good", ["a", "acme-eu", "call_01JX", "a.b", "A" * 128])
def test_ordinary_ids_pass(good: str) -> None:
    assert checked(good) == good


@pytest.mark.parametrize(
    "bad", ["", ".", "..", ".hidden", "a.", "a:b", "a}b", "{a}", "a/b", "../a", "a\n", "ä", "-a", "a" * 129, "a b", "a\x00"]
)
def test_ids_that_could_reach_elsewhere_are_refused(bad: str) -> None:
    with pytest.raises(InvalidRequest, match="use 1 to 128 letters"):
        key("acme", bad)
    with pytest.raises(InvalidRequest):
        key(bad)


@given(st.lists(st.text(), min_size=2, max_size=2), st.lists(st.text(), min_size=2, max_size=2))
def test_two_different_owners_never_share_a_name(one: list[str], other: list[str]) -> None:
    try:
        names = key(*one), key(*other)
    except InvalidRequest:
        return
    assert (names[0] == names[1]) == (one == other)
