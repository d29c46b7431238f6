"""Days as contracts count them: calendar days and business days, with the holidays of a country or one of its states.

A period begins on the day after the event (Regulation (EEC, Euratom) 1182/71, article 3(1); Federal Rule of Civil Procedure
6(a)(1)(A)), and a period of business days ends with its last business day. The holidays are those of the ``holidays`` library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import lru_cache

from gateway.policy.regions import EEA, EU

SATURDAY = 5
LONGEST_DAYS = 3_660
"""No period of a contract is longer; what is counts as a mistake."""

IsHoliday = Callable[[date], bool]


def add_business_days(start: date, days: int, is_holiday: IsHoliday) -> date:
    """The day on which the ``days``-th business day after ``start`` falls; ``start`` itself for none.

    Raises:
        ValueError: a negative count, or one that no contract has.
    """
    if not 0 <= days <= LONGEST_DAYS:
        raise ValueError("a period has 0 to 3660 days")
    day = start
    for _ in range(days):
        day += timedelta(days=1)
        while day.weekday() >= SATURDAY or is_holiday(day):
            day += timedelta(days=1)
    return day


def holiday_names(calendar: str, year: int) -> Mapping[date, str]:
    """The public holidays of a year in ``calendar``: a country (``de``), a part of one (``us/tx``), ``eu`` or ``eea``.

    A group has the holidays of all of its members, so a period by its calendar is never shorter than by a member's. A calendar
    that nobody knows has none; ask ``is_calendar`` first.
    """
    return _names(calendar, year)


def is_calendar(calendar: str) -> bool:
    """Whether the holidays of ``calendar`` are known."""
    if calendar in ("eu", "eea"):
        return True
    import holidays  # it takes a third of a second, and most calls never ask

    country, _, part = calendar.partition("/")
    known = holidays.list_supported_countries()
    return country.upper() in known and (not part or part.upper() in known[country.upper()])


def holidays_of(calendar: str) -> IsHoliday:
    """Whether a day is a public holiday of ``calendar``."""
    return lambda day: day in _names(calendar, day.year)


@lru_cache(maxsize=512)
def _names(calendar: str, year: int) -> dict[date, str]:
    if calendar in ("eu", "eea"):
        members = sorted(EU if calendar == "eu" else EEA)
        return {day: name for member in members for day, name in _names(member, year).items()}
    if not is_calendar(calendar):
        return {}
    import holidays

    country, _, part = calendar.partition("/")
    return dict(holidays.country_holidays(country.upper(), subdiv=part.upper() or None, years=year, language="en_US"))
