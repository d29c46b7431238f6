"""What a tenant's tokens cost at a processor: by the price in its entry, exactly, or not at all."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.policy.registry import Price
from tests.policy.samples import entry

PRICE = {"currency": "USD", "input": "0.15", "output": "0.6"}


def test_an_entry_may_name_the_price_of_a_thousand_tokens() -> None:
    price = entry(price=PRICE).price
    assert price == Price(currency="USD", input=Decimal("0.15"), output=Decimal("0.6"))
    assert price is not None
    assert price.micros((2_000, 1_000)) == 900_000


def test_an_entry_without_one_has_none() -> None:
    assert entry().price is None


@pytest.mark.parametrize(
    "changed", [{"input": 0.15}, {"input": "-1"}, {"input": "free"}, {"currency": "dollars"}, {"output": None}]
)
def test_what_is_no_price_is_a_fault(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        entry(price={**PRICE, **changed})


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_cost_grows_with_tokens_and_never_falls_short(sent: int, back: int, more: int) -> None:
    price = Price(currency="EUR", input=Decimal("0.0000001"), output=Decimal("0.003"))
    cost = price.micros((sent, back))
    assert price.micros((sent + more, back)) >= cost
    assert cost >= (price.input * sent + price.output * back) * 1000
