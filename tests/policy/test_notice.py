"""A new sub-processor waits until the strictest clock of the tenant ends; an objection keeps it out at once (promises 3 to 5)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import InvalidRequest
from gateway.policy.notice import (
    RETRY_AFTER_S,
    Event,
    Happened,
    Notices,
    Outcome,
    Terms,
    clocks,
    due,
    fold,
    material,
    takes_effect,
)
from gateway.values import ProcessorId
from tests.policy.samples import entry

ENTRY = entry(status="pending")
NAME = ProcessorId(ENTRY.id)
SENT = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
TERMS = Terms(days=30, business_days=10, calendars=("de",))


def event(kind: Happened, at: datetime = SENT, **facts: str) -> Event:
    return Event(kind, at, NAME, facts)


def announced(at: datetime = SENT, channels: str = "webhook") -> Event:
    return event(Happened.ANNOUNCED, at, material=material(ENTRY), channels=channels)


def delivered(at: datetime = SENT, channel: str = "webhook") -> Event:
    return event(Happened.DELIVERED, at, channel=channel, proof="202")


def barred(events: Sequence[Event], at: datetime, terms: Terms = TERMS) -> str | None:
    return fold(events).barred([ENTRY], terms, at).get(NAME)


@pytest.mark.parametrize(
    ("terms", "first_day"),
    [
        (Terms(30), date(2027, 1, 1)),
        (Terms(0), date(2026, 12, 1)),
        (Terms(1), date(2026, 12, 3)),
        (Terms(0, 10, ("de",)), date(2026, 12, 16)),
        (Terms(0, 20, ()), date(2026, 12, 30)),
        (Terms(0, 20, ("de",)), date(2026, 12, 31)),
        (Terms(0, 20, ("de", "gb")), date(2027, 1, 1)),
        (Terms(30, 10, ("de",)), date(2027, 1, 1)),
        (Terms(5, 10, ("de",)), date(2026, 12, 16)),
        (Terms(30, 10, ("zz",)), None),
    ],
)
def test_the_strictest_clock_ends_the_wait(terms: Terms, first_day: date | None) -> None:
    """Calendar days, business days with holidays of one or more countries; what cannot be counted never ends."""
    assert takes_effect(terms, SENT) == first_day


def test_each_clock_is_explained() -> None:
    """In words that can be sent to the tenant."""
    assert [clock.why for clock in clocks(TERMS, SENT)] == [
        "30 days from its notice of 2026-12-01 end before 2027-01-01",
        "10 business days in de from its notice of 2026-12-01 end before 2026-12-16",
    ]
    assert "not known" in clocks(Terms(0, 10, ("zz",)), SENT)[1].why


@pytest.mark.parametrize(
    ("at", "waits"),
    [
        (datetime(2026, 12, 1, 9, 31, tzinfo=UTC), True),
        (datetime(2026, 12, 31, 23, 59, tzinfo=UTC), True),
        (datetime(2027, 1, 1, 0, 0, tzinfo=UTC), False),
        (datetime.fromisoformat("2027-01-01T00:30:00+01:00"), True),
    ],
)
def test_time_moves_it_from_pending_to_usable(at: datetime, waits: bool) -> None:
    """By itself, at midnight UTC of the first day."""
    state = fold([announced(), delivered()])
    assert (NAME in state.barred([ENTRY], TERMS, at)) is waits
    assert (NAME in state.cleared([ENTRY], TERMS, at)) is not waits


def test_a_notice_that_reached_nobody_starts_no_clock() -> None:
    """However long ago it was sent; and the later of two channels does not move the clock that the first one started."""
    late = SENT + timedelta(days=400)
    assert barred([announced()], late) == "its notice of 2026-12-01 has reached nobody at the tenant yet"
    assert barred([announced(), event(Happened.FAILED, channel="webhook", proof="503")], late) is not None
    both = [announced(channels="webhook,mail"), delivered(), delivered(late, "mail")]
    assert barred(both, datetime(2027, 1, 1, tzinfo=UTC)) is None


def test_a_processor_that_changed_needs_a_new_notice() -> None:
    """Another region, other data, other terms: not another review date."""
    state = fold([announced(), delivered()])
    later = SENT + timedelta(days=365)
    moved, reviewed = entry(status="pending", region="us"), entry(status="pending", checked_on=date(2026, 11, 5))
    assert "changed since it was announced" in state.barred([moved], TERMS, later)[NAME]
    assert state.barred([reviewed], TERMS, later) == {}
    again = Event(Happened.ANNOUNCED, later, NAME, {"material": material(moved), "channels": "mail"})
    assert "reached nobody" in fold([announced(), delivered(), again]).barred([moved], TERMS, later)[NAME]


def test_an_objection_denies_at_once_and_is_settled() -> None:
    """From the very moment, with 18 days to find a solution; accepted lifts it, avoided and terminated do not."""
    later = SENT + timedelta(days=60)
    objected = [announced(), delivered(), event(Happened.OBJECTED, later, reason="no processing outside Germany")]
    assert barred(objected, later) == "the tenant objected to it on 2027-01-30; a solution is due by 2027-02-17"
    for outcome in Outcome:
        settled = [*objected, event(Happened.SETTLED, later + timedelta(days=3), outcome=outcome.value)]
        assert (barred(settled, later + timedelta(days=4)) is None) is (outcome is Outcome.ACCEPTED)


def test_an_objection_needs_no_notice() -> None:
    """Also one that was in use all along can be objected to, and a new notice does not lift it."""
    objected = [event(Happened.OBJECTED, reason="a breach")]
    assert barred(objected, SENT) is not None
    assert barred([*objected, announced(), delivered()], SENT + timedelta(days=400)) is not None


@pytest.mark.parametrize(("days", "overdue"), [(0, False), (18, False), (19, True)])
def test_the_timer_of_an_objection_runs_out(days: int, overdue: bool) -> None:
    """18 days; a settled one is never overdue."""
    events = [event(Happened.OBJECTED, reason="a breach")]
    at = SENT + timedelta(days=days)
    assert fold(events).objections[NAME].overdue(at) is overdue
    settled = fold([*events, event(Happened.SETTLED, outcome="terminated")])
    assert not settled.objections[NAME].overdue(at)


def test_attempts_wait_longer_each_time_and_then_end() -> None:
    """At once, after 5 seconds, 5 minutes, half an hour… for three days; what arrived is not sent again."""
    events, at = [announced()], SENT
    for wait in RETRY_AFTER_S:
        assert due(fold(events), at + timedelta(seconds=wait) - timedelta(microseconds=1)) == [] or wait == 0
        at += timedelta(seconds=wait)
        assert [delivery.channel for _, delivery in due(fold(events), at)] == ["webhook"]
        events.append(event(Happened.FAILED, at, channel="webhook", proof="503"))
    assert due(fold(events), at + timedelta(days=365)) == []
    assert due(fold([announced(), delivered()]), SENT + timedelta(days=365)) == []


@pytest.mark.parametrize("kind", [Happened.DELIVERED, Happened.FAILED, Happened.SETTLED])
def test_what_belongs_to_nothing_is_refused(kind: Happened) -> None:
    """A log that contradicts itself is no ground to let data out."""
    with pytest.raises(InvalidRequest, match="nothing is on record"):
        fold([event(kind, channel="webhook", outcome="accepted")])


def test_nothing_on_record_bars_and_clears_nobody() -> None:
    """The registry's own status still holds."""
    assert Notices().barred([ENTRY], TERMS, SENT) == {}
    assert Notices().cleared([ENTRY], TERMS, SENT) == frozenset()


@given(st.integers(0, 60), st.integers(0, 30), st.integers(0, 43_000))
def test_two_clocks_never_end_before_either(days: int, business: int, hours: int) -> None:
    """The strictest of the contracts holds, whenever the notice arrived."""
    sent = SENT + timedelta(hours=hours)
    both = takes_effect(Terms(days, business, ("de",)), sent)
    each = [takes_effect(Terms(days), sent), takes_effect(Terms(0, business, ("de",)), sent)]
    assert both == max(day for day in each if day is not None)
