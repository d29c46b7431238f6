"""A stream token opens one call's media socket, for a minute, and shows nobody who calls whom."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.carriers.stream_token import MAX_TOKEN_CHARS, StreamClaims, StreamTokens
from gateway.errors import InvalidRequest, Unauthenticated
from gateway.values import Private, TenantId

KEY = Private(bytes(range(32)))
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
CALL = "CA" + "a" * 32
CLAIMS = StreamClaims(
    tenant=TenantId("acme"),
    carrier_call=CALL,
    from_number=Private("+4915112345678"),
    to_number=Private("+493012345"),
    expires_at=NOW + timedelta(seconds=60),
    jti="stream_01",
    caller_place="de",
)


def test_a_token_gives_back_what_the_webhook_knew() -> None:
    tokens = StreamTokens(KEY)
    assert tokens.verify(tokens.mint(CLAIMS), carrier_call=CALL, now=NOW) == CLAIMS


def test_every_gateway_with_the_key_takes_it() -> None:
    assert StreamTokens(KEY).verify(StreamTokens(KEY).mint(CLAIMS), carrier_call=CALL, now=NOW) == CLAIMS


@pytest.mark.parametrize(
    ("call", "now"),
    [("CA" + "b" * 32, NOW), (CALL, NOW + timedelta(seconds=60)), (CALL, NOW + timedelta(days=1))],
    ids=["another call", "just expired", "long expired"],
)
def test_it_opens_no_other_call_and_nothing_later(call: str, now: datetime) -> None:
    tokens = StreamTokens(KEY)
    with pytest.raises(Unauthenticated):
        tokens.verify(tokens.mint(CLAIMS), carrier_call=call, now=now)


def test_another_key_opens_nothing() -> None:
    with pytest.raises(Unauthenticated):
        StreamTokens(Private(bytes(32))).verify(StreamTokens(KEY).mint(CLAIMS), carrier_call=CALL, now=NOW)


def test_no_changed_character_goes_unnoticed() -> None:
    tokens = StreamTokens(KEY)
    minted = [tokens.mint(replace(CLAIMS, jti="s" * length)) for length in range(1, 5)]
    token = next(token for token in minted if len(token) % 4 == 0)  # in these every bit of the last character counts
    for at, character in enumerate(token):
        with pytest.raises(Unauthenticated):
            tokens.verify(token[:at] + ("A" if character != "A" else "B") + token[at + 1 :], carrier_call=CALL, now=NOW)


@given(st.text(max_size=600))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(Unauthenticated):
        StreamTokens(KEY).verify(text, carrier_call=CALL, now=NOW)


def test_neither_number_can_be_read_from_it() -> None:
    token = StreamTokens(KEY).mint(CLAIMS)
    opened = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    for number in ("4915112345678", "493012345", "acme"):
        assert number not in token
        assert number.encode() not in opened


def test_two_tokens_for_the_same_call_differ() -> None:
    tokens = StreamTokens(KEY)
    assert tokens.mint(CLAIMS) != tokens.mint(CLAIMS)


def test_a_token_with_long_names_still_fits_a_carriers_parameter() -> None:
    tokens = StreamTokens(KEY)
    long = replace(CLAIMS, tenant=TenantId("t" * 64), from_number=Private("+" + "1" * 63), jti="stream_" + "0" * 26)
    assert len(tokens.mint(long)) <= MAX_TOKEN_CHARS
    with pytest.raises(InvalidRequest) as refused:
        tokens.mint(replace(long, from_number=Private("sip:" + "alice" * 60)))
    assert "alice" not in str(refused.value)


def test_a_short_key_is_no_key() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        StreamTokens(Private(b"short"))


def test_a_token_that_this_calls_carrier_cannot_hold_is_not_given_out() -> None:
    """Exotel takes half as much as Twilio."""
    with pytest.raises(InvalidRequest, match="longer than a carrier's parameter can hold"):
        StreamTokens(KEY).mint(CLAIMS, max_chars=100)
