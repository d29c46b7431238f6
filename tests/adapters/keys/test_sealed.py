"""What we give away sealed comes back as it was, or not at all."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from gateway.adapters.keys.sealed import Sealed
from gateway.values import Private

KEY = Private(b"k" * 32)


@given(some.dictionaries(some.text(max_size=20), some.text(max_size=200), max_size=5))
def test_what_was_sealed_opens_and_does_not_show_itself(values: dict[str, str]) -> None:
    token = Sealed(KEY, "test").seal(values)
    assert Sealed(KEY, "test").open(token) == values
    assert token.isascii()
    assert not set(token) & set(';, ="')
    assert Sealed(KEY, "test").seal(values) != token


@given(some.integers(min_value=0, max_value=10_000), some.characters(codec="ascii"))
def test_whatever_is_changed_in_it_it_does_not_open(place: int, other: str) -> None:
    token = Sealed(KEY, "test").seal({"session": "x"})
    at = place % (len(token) - 1)  # the last character has bits that stand for nothing
    changed = token[:at] + other + token[at + 1 :]
    assert (Sealed(KEY, "test").open(changed) is None) == (changed != token)


@given(some.text(max_size=6_000))
def test_what_is_none_does_not_open(text: str) -> None:
    assert Sealed(KEY, "test").open(text) is None


def test_what_was_sealed_for_another_purpose_or_by_another_key_does_not_open() -> None:
    token = Sealed(KEY, "test").seal({})
    assert Sealed(KEY, "other").open(token) is None
    assert Sealed(Private(b"j" * 32), "test").open(token) is None
