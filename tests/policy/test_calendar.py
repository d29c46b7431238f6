"""Business days as contracts count them: weekends and the holidays of a country are none."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.calendar import add_business_days, holiday_names, holidays_of, is_calendar

DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))


def slow(start: date, days: int, holidays: set[date]) -> date:
    """Counts by hand, one day at a time, from a list of every working day."""
    working = [start + timedelta(days=step) for step in range(1, days * 3 + 60)]
    working = [day for day in working if day.isoweekday() not in (6, 7) and day not in holidays]
    return working[days - 1] if days else start


@given(DAYS, st.integers(0, 40), st.sets(st.integers(1, 60), max_size=12))
def test_the_count_is_the_slow_one(start: date, days: int, offsets: set[int]) -> None:
    """For any start, count and holidays."""
    holidays = {start + timedelta(days=offset) for offset in offsets}
    assert add_business_days(start, days, lambda day: day in holidays) == slow(start, days, holidays)


@given(DAYS, st.integers(0, 30), st.integers(0, 30))
def test_two_periods_in_a_row_are_one(start: date, first: int, second: int) -> None:
    """And none of it ends on a day off."""
    free = holidays_of("de")
    end = add_business_days(start, first + second, free)
    if first:
        assert add_business_days(add_business_days(start, first, free), second, free) == end
    if first + second:
        assert end.weekday() < 5
        assert not free(end)


@pytest.mark.parametrize(
    ("calendar", "start", "days", "ends"),
    [
        ("de", date(2026, 12, 23), 1, date(2026, 12, 24)),
        ("de", date(2026, 12, 23), 2, date(2026, 12, 28)),
        ("us", date(2026, 11, 25), 1, date(2026, 11, 27)),
        ("us/tx", date(2026, 11, 25), 1, date(2026, 11, 30)),
        ("in", date(2026, 1, 23), 1, date(2026, 1, 27)),
        ("gb", date(2026, 12, 24), 1, date(2026, 12, 29)),
    ],
)
def test_holidays_of_a_country_are_no_working_days(calendar: str, start: date, days: int, ends: date) -> None:
    """Christmas, Thanksgiving (and the day after it in Texas), Republic Day, a Boxing Day that is made up for."""
    assert add_business_days(start, days, holidays_of(calendar)) == ends


@given(DAYS, st.sampled_from(["de", "fr", "ie", "pl"]))
def test_a_period_by_the_union_is_never_shorter(start: date, member: str) -> None:
    """Every holiday of a member is one of the union."""
    assert add_business_days(start, 10, holidays_of("eu")) >= add_business_days(start, 10, holidays_of(member))


def test_a_calendar_is_known_or_not() -> None:
    """Who counts by one that nobody knows must be told, not given too short a period."""
    assert [is_calendar(name) for name in ("de", "us/tx", "eu", "eea", "zz", "us/zz", "")] == [
        True,
        True,
        True,
        True,
        False,
        False,
        False,
    ]
    assert holiday_names("zz", 2026) == {}
    assert holiday_names("de", 2026)[date(2026, 10, 3)] == "German Unity Day"


def test_a_count_that_no_contract_has_is_a_mistake() -> None:
    """Negative, or for ever."""
    for days in (-1, 3_661):
        with pytest.raises(ValueError, match="period"):
            add_business_days(date(2026, 1, 1), days, holidays_of("de"))
