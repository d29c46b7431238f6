"""The check digits of numbers that people are known by. The valid ones are the published examples of their standards."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.redaction import checksums

DIGITS = "0123456789"


@pytest.mark.parametrize("number", ["4111111111111111", "5555555555554444", "378282246310005", "79927398713"])
def test_published_card_numbers_pass_luhn(number: str) -> None:
    assert checksums.luhn(number)


@pytest.mark.parametrize("iban", ["GB82WEST12345698765432", "DE89370400440532013000", "fr1420041010050500013m02606"])
def test_published_ibans_pass_mod_97(iban: str) -> None:
    assert checksums.mod97(iban)


@pytest.mark.parametrize("number", ["2363", "1428570"])
def test_published_examples_pass_verhoeff(number: str) -> None:
    assert checksums.verhoeff(number)


def test_a_published_nhs_number_passes_modulus_11() -> None:
    assert checksums.nhs("9434765919")


@given(st.text(DIGITS, min_size=8, max_size=19), st.data())
def test_one_wrong_digit_is_always_noticed(body: str, data: st.DataObject) -> None:
    for check in (checksums.luhn, checksums.verhoeff):
        number = next(body + last for last in DIGITS if check(body + last))
        place = data.draw(st.integers(0, len(number) - 1))
        wrong = data.draw(st.sampled_from([digit for digit in DIGITS if digit != number[place]]))
        assert not check(number[:place] + wrong + number[place + 1 :])


@pytest.mark.parametrize("nothing", ["", "GB", "not an iban at all", "943476591"])
def test_what_is_no_number_never_passes(nothing: str) -> None:
    assert not checksums.mod97(nothing)
    assert not checksums.nhs(nothing)
