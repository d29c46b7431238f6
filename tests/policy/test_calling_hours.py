"""When somebody may be called: their own local time, by law and by the tenant's hours, in every zone that may be theirs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.calling_hours import refusals
from gateway.policy.dialling import CallingWindow, Weekday

ALWAYS = (CallingWindow(between="00:00-24:00"),)
NY, TX, FL = (("us/ny",), ("America/New_York",)), (("us/tx",), ("America/Chicago",)), (("us/fl",), ("America/New_York",))
PANHANDLE = (("us/fl",), ("America/Chicago", "America/New_York"))
SOMEWHERE = (("us",), ("America/New_York", "America/Los_Angeles"))
BERLIN = (("de",), ("Europe/Berlin",))

MONDAY, SUNDAY = "2026-11-23", "2026-11-22"
BOUNDARIES = [
    (NY, f"{MONDAY}T08:00", "America/New_York", "2026-11-23T21:00"),
    (TX, f"{MONDAY}T09:00", "America/Chicago", "2026-11-23T21:00"),
    (TX, f"{SUNDAY}T12:00", "America/Chicago", "2026-11-22T21:00"),
    (FL, f"{MONDAY}T08:00", "America/New_York", "2026-11-23T20:00"),
    (PANHANDLE, f"{MONDAY}T09:00", "America/New_York", "2026-11-23T20:00"),
    (SOMEWHERE, f"{MONDAY}T12:00", "America/New_York", "2026-11-23T20:00"),
]


@pytest.mark.parametrize(("end", "first", "zone", "no_more"), BOUNDARIES)
def test_the_law_holds_to_the_minute(end: tuple[tuple[str, ...], tuple[str, ...]], first: str, zone: str, no_more: str) -> None:
    """8 to 21; Texas from 9, on Sunday from 12; Florida until 20; two zones: both allow; state not known: all states allow."""
    places, zones = end
    opens, closes = (datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)) for text in (first, no_more))
    minute = timedelta(minutes=1)
    allowed = [refusals(at, places, zones, ALWAYS) == () for at in (opens - minute, opens, closes - minute, closes)]
    assert allowed == [False, True, True, False]


@pytest.mark.parametrize(
    ("at", "zone", "allowed"),
    [
        ("2026-03-08T11:59:00", "America/New_York", False),  # 07:59 on the day that skips an hour
        ("2026-03-08T12:00:00", "America/New_York", True),
        ("2026-03-07T13:00:00", "America/New_York", True),
        ("2026-11-01T12:59:00", "America/New_York", False),  # 07:59 on the day that repeats one
        ("2026-11-01T13:00:00", "America/New_York", True),
        ("2026-10-25T06:59:00", "Europe/Berlin", False),
        ("2026-10-25T08:00:00", "Europe/Berlin", True),
    ],
)
def test_summer_time_moves_the_hours_with_the_wall_clock(at: str, zone: str, allowed: bool) -> None:
    """The same UTC time is too early on one day and good on another."""
    place = ("us/ny",) if zone.startswith("America") else ("de",)
    own = ALWAYS if place == ("us/ny",) else ()
    assert (refusals(datetime.fromisoformat(at).replace(tzinfo=UTC), place, (zone,), own) == ()) is allowed


def test_the_usual_hours_hold_where_nobody_says_anything() -> None:
    """9 to 20; a tenant's window for another place does not widen them, and one for the place and day does."""
    late = datetime(2026, 11, 23, 20, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    places, zones = BERLIN
    elsewhere, here = CallingWindow(places=("fr",), between="08:00-22:00"), CallingWindow(places=("eu",), between="08:00-22:00")
    sunday = CallingWindow(places=("de",), days=(Weekday.SUNDAY,), between="never")
    assert refusals(late, places, zones) == (
        "it is 20:30 on Monday in Europe/Berlin, and the usual calling hours: 09:00 to 20:00",
    )
    assert refusals(late, places, zones, (elsewhere,)) != ()
    assert refusals(late, places, zones, (here, sunday)) == ()
    on_sunday = late - timedelta(days=1)
    assert refusals(on_sunday, places, zones, (here, sunday)) == (
        "it is 20:30 on Sunday in Europe/Berlin, and the tenant's calling hours: never",
    )


def test_a_tenant_cannot_widen_the_law() -> None:
    """A window from midnight to midnight still ends where the statute ends."""
    places, zones = FL
    at = datetime(2026, 11, 23, 20, 30, tzinfo=ZoneInfo("America/New_York"))
    assert refusals(at, places, zones, ALWAYS) == (
        "it is 20:30 on Monday in America/New_York, and Florida law (Statutes 501.616(6)(a)): 08:00 to 20:00",
    )


def test_nobody_is_called_whose_time_is_not_known() -> None:
    """No zone, no place, or a zone that this machine does not know."""
    at = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert refusals(at, (), (), ALWAYS) == ("the local time of the called party is not known",)
    assert refusals(at, ("us",), (), ALWAYS) != ()
    assert "not known here" in refusals(at, ("us",), ("Mars/Olympus",), ALWAYS)[0]


def test_a_quiet_day_is_one_by_the_local_date() -> None:
    """In New York it is Christmas already, in Los Angeles not yet."""
    at = datetime(2026, 12, 26, 4, 30, tzinfo=UTC)
    told = refusals(at, ("us/ca",), ("America/Los_Angeles",), ALWAYS, {date(2026, 12, 25): "Christmas Day"}.get)
    assert told == ("it is Christmas Day where the called party may be, and nobody is called on that day",)
    assert refusals(at - timedelta(days=1), ("us/ca",), ("America/Los_Angeles",), ALWAYS, {date(2026, 12, 25): "x"}.get) == ()


ZONES = st.sampled_from(
    ["America/New_York", "America/Chicago", "America/Los_Angeles", "Pacific/Honolulu", "Europe/Berlin", "Asia/Kolkata"]
)
PLACES = st.sampled_from(["us", "us/ny", "us/tx", "us/fl", "de", "in"])
MOMENTS = st.integers(0, 5_000_000).map(lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes))


@given(MOMENTS, st.sets(PLACES, min_size=1, max_size=3), st.sets(ZONES, min_size=1, max_size=3), PLACES, ZONES)
def test_one_more_candidate_never_permits_more(at: datetime, places: set[str], zones: set[str], place: str, zone: str) -> None:
    """The strictest of the candidates wins: what is refused for some of them is refused for more of them."""
    fewer = refusals(at, places, zones, ALWAYS)
    more = refusals(at, {*places, place}, {*zones, zone}, ALWAYS)
    assert set(fewer) <= set(more)


@given(MOMENTS, ZONES)
def test_the_hours_are_those_of_the_wall_clock(at: datetime, zone: str) -> None:
    """Every minute of three years, through every change of summer time."""
    local = at.astimezone(ZoneInfo(zone))
    assert (refusals(at, ("us/ny",), (zone,), ALWAYS) == ()) is (8 <= local.hour < 21)
