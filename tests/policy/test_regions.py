"""Places and what lies in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.regions import COUNTRIES, EEA, EU, ancestors, is_region, narrower, simplest, suggest_region, within

CODES = st.sampled_from(["eu", "eea", "de", "fr", "no", "us", "in", "in/ap-south-1", "de/eu-central-1", "de/eu-central-1/a"])


@pytest.mark.parametrize(
    ("code", "allowed", "inside"),
    [
        ("de", ["eu"], True),
        ("de", ["eea"], True),
        ("eu", ["eea"], True),
        ("no", ["eea"], True),
        ("no", ["eu"], False),
        ("gb", ["eu"], False),
        ("ch", ["eea"], False),
        ("eu", ["de"], False),
        ("in/ap-south-1", ["in"], True),
        ("in", ["in/ap-south-1"], False),
        ("in/ap-south-10", ["in/ap-south-1"], False),
        ("local", [], True),
        ("us", ["local"], False),
        ("unknown", ["eu", "us"], False),
    ],
)
def test_lies_within(code: str, allowed: list[str], inside: bool) -> None:
    assert within(code, allowed) is inside


@pytest.mark.parametrize("code", ["eu", "eea", "de", "in/ap-south-1", "local", "us/ca/sf"])
def test_is_a_region(code: str) -> None:
    assert is_region(code)


@pytest.mark.parametrize(
    "code", ["", "EU", "uk", "europe", "xx", "local/x", "in/", "in/AP", "in//x", "unknown", "de/" + "x" * 90]
)
def test_is_no_region(code: str) -> None:
    assert not is_region(code)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("uk", "gb"), ("EU", "eu"), ("Germany", "de"), ("indai", "in"), ("ap-south-1", "in/ap-south-1"), ("zzzz", None)],
)
def test_suggests_what_was_meant(written: str, meant: str | None) -> None:
    assert suggest_region(written) == meant


def test_the_tables_have_the_members_they_should() -> None:
    assert len(EU) == 27
    assert len(EEA) == 30
    assert EEA <= COUNTRIES
    assert len(COUNTRIES) == 249


@given(st.lists(CODES), st.lists(CODES), CODES)
def test_a_place_is_in_the_narrower_set_exactly_when_it_is_in_both(first: list[str], second: list[str], code: str) -> None:
    assert within(code, narrower(first, second)) == (within(code, first) and within(code, second))


@given(st.sets(CODES), CODES)
def test_the_simplest_set_holds_the_same_places(codes: set[str], code: str) -> None:
    found = simplest(codes)
    assert within(code, found) == within(code, codes)
    assert all(ancestors(one).isdisjoint(set(found) - {one}) for one in found)
