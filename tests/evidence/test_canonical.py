"""Two people who write down the same value get the same bytes, or are told why it cannot be written down."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import EvidenceInvalid
from gateway.evidence.canonical import canonical, parse, plain
from gateway.values import HIDDEN, Private

whole = st.integers(min_value=-(2**53) + 1, max_value=2**53 - 1)
values = st.recursive(
    st.none() | st.booleans() | whole | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"b": 1, "a": [True, None, "x"]}, b'{"a":[true,null,"x"],"b":1}'),
        ("€ \u2028 \x7f", '"€ \u2028 \x7f"'.encode()),
        ('\b\t\n\f\r"\\/\x00\x1f', b'"\\b\\t\\n\\f\\r\\"\\\\/\\u0000\\u001f"'),
        ({"\U0001f600": 1, "\ufb33": 2, "€": 3}, '{"€":3,"\U0001f600":1,"\ufb33":2}'.encode()),
        (2**53 - 1, b"9007199254740991"),
        ((1, 2), b"[1,2]"),
    ],
    ids=["sorted and tight", "no needless escapes", "the shortest escapes", "sorted by UTF-16 units", "largest number", "tuple"],
)
def test_a_value_is_written_as_rfc_8785_says(value: object, written: bytes) -> None:
    assert canonical(value) == written


@given(values)
def test_what_was_written_reads_back_as_the_same_value(value: object) -> None:
    assert canonical(parse(canonical(value))) == canonical(value)
    assert json.loads(canonical(value)) == value


@given(st.dictionaries(st.text(), whole, min_size=2))
def test_the_order_in_which_members_came_does_not_matter(members: dict[str, int]) -> None:
    assert canonical(members) == canonical(dict(reversed(members.items())))


def _deep(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"ms": 1.5}, r"\$\.ms is a fraction"),
        ({"ms": float("nan")}, "is a fraction"),
        ([2**53], r"\$\[0\] is a whole number beyond"),
        ("\ud800", "half of a surrogate pair"),
        ({"\udfff": 1}, "half of a surrogate pair"),
        ({1: 2}, "a member name that is not text"),
        ({"x": b"raw"}, "is a bytes"),
        ({"name": Private("Ada Lovelace")}, r"\$\.name is a Private"),
        (_deep(65), "nested deeper"),
    ],
)
def test_what_evidence_cannot_hold_is_refused_with_its_place_and_without_its_content(value: object, says: str) -> None:
    with pytest.raises(EvidenceInvalid, match=says) as refused:
        canonical(value)
    assert "Ada" not in str(refused.value)
    assert HIDDEN not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"a": 1, "a": 1}', 'member "a" is there twice'),
        ("1.0", "fraction"),
        ("1e3", "fraction"),
        ("NaN", "fraction"),
        ("-Infinity", "fraction"),
        ('"\\ud800"', "surrogate"),
        ("9007199254740992", "beyond"),
        ("9" * 5000, "too large"),
        ("[" * 100_000, "nested deeper|not JSON"),
        ('{"a": }', "line 1, column 7"),
        ("", "not JSON"),
        ("{} {}", "not JSON"),
        (b"\xff", "byte 0: this is not UTF-8"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        ('{"a": 1}'.encode("utf-16"), "not UTF-8"),
    ],
)
def test_json_that_two_readers_could_read_differently_is_refused(text: str | bytes, says: str) -> None:
    with pytest.raises(EvidenceInvalid, match=says):
        parse(text)


@given(st.text() | st.binary())
def test_whatever_is_read_gives_a_value_or_the_one_error(text: str | bytes) -> None:
    _only_our_error(parse, text)


def _only_our_error(function: Callable[[Any], object], argument: object) -> None:
    try:
        function(argument)
    except EvidenceInvalid:
        return


def test_true_and_one_are_different_evidence() -> None:
    assert canonical([True, False]) != canonical([1, 0])
    assert plain(True) is True
