"""By when a person's request is to be answered, for every day that it may come on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.runner.rights_case import Via, deadlines


@given(st.datetimes(datetime(2026, 1, 1), datetime(2032, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
def test_the_answer_is_due_within_a_month_of_the_calendar_and_within_thirty_days(at: datetime) -> None:
    """A request of the last of January is due by the end of February (GDPR art. 12(3))."""
    due = deadlines(Via.TENANT, at, account=False)["answer"]
    following = (at.year * 12 + at.month) % 12 + 1
    assert timedelta(days=28) <= due - at <= timedelta(days=30)
    assert due.month in (at.month, following)
    assert due.month == at.month or due.day <= at.day
