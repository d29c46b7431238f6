"""What people write that evidence keeps for good: numbers and addresses of persons are noticed in whatever dress."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.free_text import looks_personal

SEPARATORS = [" ", "-", ".", "/", "_", " - ", ") ", "·", "–", "\xa0"]


@pytest.mark.parametrize(
    "text",
    [
        "asked by +15550301",
        "asked by + 1 555 0301",
        "call 555 867 5309 back",
        "from 0151 12345678",
        "(030) 901820-123",
        "9198-76-54 3210",
        "98/76/54/32/10",
        "9876_543_210",
        "12345/2026 777 888",
        "card 4012 8888 8888 1881",
        "on 2026-13-45 67",
        "anne@example.org asked",
        "anne@host",
    ],
)
def test_who_is_named_by_number_or_address_is_noticed(text: str) -> None:
    assert looks_personal(text)


@pytest.mark.parametrize(
    "text",
    [
        "court order of 2026-03-01",
        "between 2026-03-01 and 2026-03-05",
        "since 2026-03-01 14:30",
        "since 2026-03-01T14:30:00.123456+01:00",
        "Az. 12 O 3456/2026",
        "case 1:26-cv-01234",
        "ticket 1234567",
        "call_01kb0000000000000000000000",
        "hold_01m81fdt12345678abjndvk3jr was lifted",
        "claim 7",
        "",
    ],
)
def test_days_times_files_and_ids_are_nobody(text: str) -> None:
    assert not looks_personal(text)


@given(
    digits=st.text("123456789", min_size=8, max_size=15).filter(lambda text: "19" not in text and "20" not in text),
    between=st.lists(st.sampled_from(["", *SEPARATORS]), min_size=14, max_size=14),
)
def test_a_telephone_number_is_noticed_with_whatever_stands_between_its_digits(digits: str, between: list[str]) -> None:
    """But for a year of this century or the last, which may make a day or a file's number of it."""
    written = "".join(map("".join, zip(digits, between, strict=False))).strip()
    assert looks_personal(f"the person at {written} asked")


@given(st.text())
def test_any_text_is_read_to_its_end(text: str) -> None:
    assert looks_personal(text) in (True, False)
