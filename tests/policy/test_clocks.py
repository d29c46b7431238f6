"""When periods end, over months' ends, leap days and clocks put forward and back; and whose breach clock is the shortest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import InvalidRequest
from gateway.policy.clocks import Period, breach_clocks, ends
from gateway.policy.load import load
from tests.policy.samples import REGISTRY

BERLIN = "Europe/Berlin"
PERIODS = [
    ("2026-11-22T08:00:00Z", "24h", "UTC", "2026-11-23T08:00:00Z"),
    ("2026-11-22T08:00:00Z", "72h", "UTC", "2026-11-25T08:00:00Z"),
    ("2026-11-22T08:00:00Z", "30d", "UTC", "2026-12-22T08:00:00Z"),
    ("2026-11-22T08:00:00Z", "15d", "UTC", "2026-12-07T08:00:00Z"),
    # A month ends on the same day, or on the last that there is.
    ("2026-11-22T08:00:00Z", "1mo", "UTC", "2026-12-22T08:00:00Z"),
    ("2027-01-31T08:00:00Z", "1mo", "UTC", "2027-02-28T08:00:00Z"),
    ("2028-01-31T08:00:00Z", "1mo", "UTC", "2028-02-29T08:00:00Z"),
    ("2028-02-29T08:00:00Z", "12mo", "UTC", "2029-02-28T08:00:00Z"),
    ("2028-02-28T08:00:00Z", "1d", "UTC", "2028-02-29T08:00:00Z"),
    ("2027-02-28T08:00:00Z", "1d", "UTC", "2027-03-01T08:00:00Z"),
    ("2026-12-31T23:30:00Z", "1mo", "UTC", "2027-01-31T23:30:00Z"),
    ("2026-10-31T23:59:59Z", "3mo", "UTC", "2027-01-31T23:59:59Z"),
    # In Berlin the day is another one at night: the month ends by the wall there.
    ("2027-01-30T23:30:00Z", "1mo", BERLIN, "2027-02-27T23:30:00Z"),
    # Hours are hours; a day by the wall has 23 in spring and 25 in autumn.
    ("2027-03-27T08:00:00Z", "24h", BERLIN, "2027-03-28T08:00:00Z"),
    ("2027-03-27T08:00:00Z", "1d", BERLIN, "2027-03-28T07:00:00Z"),
    ("2027-10-30T08:00:00Z", "1d", BERLIN, "2027-10-31T09:00:00Z"),
    # 02:30 is skipped on 28 March 2027, and comes twice on 31 October.
    ("2027-03-27T01:30:00Z", "1d", BERLIN, "2027-03-28T00:30:00Z"),
    ("2027-10-30T00:30:00Z", "1d", BERLIN, "2027-10-31T00:30:00Z"),
]

MOMENTS = st.integers(1_767_225_600, 2_208_988_800).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(("start", "period", "zone", "end"), PERIODS)
def test_a_period_ends(start: str, period: str, zone: str, end: str) -> None:
    assert ends(at(start), Period.read(period), ZoneInfo(zone)) == at(end)


@given(
    MOMENTS,
    st.integers(1, 400),
    st.sampled_from([BERLIN, "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe"]),
)
def test_days_by_the_wall_are_never_longer_than_law_allows(start: datetime, days: int, zone: str) -> None:
    """By the end of the last day, wherever it is counted."""
    end = ends(start, Period(days, "d"), ZoneInfo(zone))
    last_day = start.astimezone(ZoneInfo(zone)).date() + timedelta(days=days)
    assert start < end
    assert end.astimezone(ZoneInfo(zone)).date() <= last_day


@given(MOMENTS, st.integers(1, 100))
def test_months_are_28_to_31_days_each(start: datetime, months: int) -> None:
    end = ends(start, Period(months, "mo"))
    assert timedelta(days=28 * months) <= end - start <= timedelta(days=31 * months)


@pytest.mark.parametrize("text", ["", "0h", "24", "h", "-1d", "1.5h", "24 h", "1y", "99999d", "121mo", "٣d"])
def test_what_is_no_period_is_told_so(text: str) -> None:
    with pytest.raises(InvalidRequest, match="is not a period"):
        Period.read(text)


def test_a_period_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        ends(datetime(9999, 12, 1, tzinfo=UTC), Period(2, "mo"))


def test_the_shortest_clock_of_the_affected_tenants_comes_first_with_its_reasons() -> None:
    """What a tenant asks for, what each of its packs asks for and where that was read, and what was loosened."""
    pack = (
        "pack: {name}\ntitle: t\nbreach_hours: {hours}\nfacts:\n  - {{id: f, says: s, source: '{source}', "
        "checked_on: 2026-11-01, confidence: primary, enforced: true, settings: [breach_hours]}}\n"
    )
    policies = load(
        {
            "subprocessors.yaml": REGISTRY,
            "packs/gdpr.yaml": pack.format(name="gdpr", hours=72, source="article 33"),
            "packs/dora.yaml": pack.format(name="dora", hours=24, source="article 19"),
            "tenants/acme.yaml": "tenant: acme\nextends: [gdpr]\nregions: [eu]\n",
            "tenants/bank.yaml": "tenant: bank\nextends: [gdpr, dora]\nregions: [eu]\n",
            "tenants/odd.yaml": "tenant: odd\nextends: [dora]\nregions: [eu]\nbreach_hours: 30\n"
            "loosens: [{setting: breach_hours, pack: dora, reason: a bank no more}]\n",
        }
    )
    aware = datetime(2026, 12, 24, 22, 0, tzinfo=UTC)
    clocks = breach_clocks(policies, ["acme", "odd", "bank", "acme"], aware)
    assert [(each.tenant, each.hours) for each in clocks] == [("bank", 24), ("odd", 30), ("acme", 72)]
    assert clocks[0].due == datetime(2026, 12, 25, 22, 0, tzinfo=UTC)
    assert clocks[0].why == (
        "the policy of bank asks for 24 h, counted from 2026-12-24T22:00:00Z",
        "the pack dora asks for 24 h (article 19)",
        "the pack gdpr asks for 72 h (article 33)",
    )
    assert clocks[1].why[-1] == "the pack dora is loosened: a bank no more"
    (gone,) = breach_clocks(policies, ["nobody"], aware)
    assert (gone.hours, gone.why) == (24, ("no policy names nobody any more: the usual 24 h, counted from 2026-12-24T22:00:00Z",))
