"""A number in any usual form is the same person; what is none is not repeated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import InvalidRequest
from gateway.policy.phone import e164
from gateway.values import Private

SAME = "+4915112345678"


@pytest.mark.parametrize(
    ("written", "country"),
    [
        ("+4915112345678", ""),
        ("+49 151 12345678", ""),
        ("+49 (0)151 / 123 456-78", ""),
        ("0049 151 12345678", ""),
        ("tel:+49-151-12345678", ""),
        ("0151 12345678", "de"),
        ("(0151) 12345678", "DE"),
        ("  +49\u00a0151\u00a012345678 ", ""),
    ],
)
def test_usual_forms_are_one_number(written: str, country: str) -> None:
    """As people write it in a letter, in a form, or in their own country."""
    assert e164(Private(written), country) == Private(SAME)


def test_a_number_that_no_plan_has_is_taken_as_the_carrier_writes_it() -> None:
    """The same form that opt-outs are kept under."""
    assert e164(Private("+1 555 0199")) == Private("+15550199")


@given(
    written=st.from_regex(r"(\+|00)?[0-9 ]{5,16}", fullmatch=True),
    country=st.sampled_from(["", "de", "us", "it", "gb", "mx", "ar"]),
    elsewhere=st.sampled_from(["", "de", "us", "it"]),
)
def test_what_it_gives_it_gives_again(written: str, country: str, elsewhere: str) -> None:
    """Whoever hashes a number that is in its form already, at whatever home, finds the same person."""
    try:
        once = e164(Private(written), country)
    except InvalidRequest:
        return
    assert e164(once, elsewhere) == once


NONE = ["", "0151 12345678", "+49", "anonymous", "+49 151 SECRET", "+" + "1" * 60, "+999123", "+١٥١٢٣٤"]


@pytest.mark.parametrize("written", NONE)
def test_what_is_no_number_is_refused_and_not_repeated(written: str) -> None:
    """A letter in it, none of its country, or none at all."""
    with pytest.raises(InvalidRequest) as refused:
        e164(Private(written))
    assert "151" not in str(refused.value)
    assert "SECRET" not in str(refused.value)
