"""The settings for placing calls: strict when nothing is said, the strictest when several say something."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import PolicyInvalid
from gateway.policy.dialling import CallingWindow, Outbound, OutboundStated, joined
from tests.policy.samples import loaded


def outbound(text: str) -> Outbound:
    return loaded(f"tenant: acme\noutbound: {text}\n").tenant("acme").outbound


def test_by_default_nobody_may_be_called() -> None:
    rules = loaded("tenant: acme\n").tenant("acme").outbound
    assert rules.countries == ()
    assert (rules.consent, rules.quiet_holidays, rules.attempts_per_day) == (True, True, 1)
    assert rules.do_not_call_max_age.days == 31


@pytest.mark.parametrize(
    ("written", "minutes"),
    [("08:00-21:00", (480, 1260)), ("00:00-24:00", (0, 1440)), ("never", (0, 0)), ("12:30-12:31", (750, 751))],
)
def test_hours_are_minutes_of_a_local_day(written: str, minutes: tuple[int, int]) -> None:
    assert CallingWindow(between=written).minutes == minutes


@pytest.mark.parametrize(
    "written",
    ["21:00-08:00", "8:00-21:00", "08:00", "08:60-09:00", "08:00-24:01", "08:00-08:00", "always", "08:00–21:00", "٠٨:00-9"],
)
def test_other_hours_are_refused_with_an_example(written: str) -> None:
    with pytest.raises(PolicyInvalid, match="this is not a span of hours") as invalid:
        outbound(f"{{calling_hours: [{{between: '{written}'}}]}}")
    assert "08:00-21:00" in invalid.value.findings[0].hint


@pytest.mark.parametrize("written", ["eu", "uk", "US", "us/tx"])
def test_only_countries_may_be_called(written: str) -> None:
    with pytest.raises(PolicyInvalid, match="is not a country"):
        outbound(f"{{countries: [{written}]}}")


RULES = st.fixed_dictionaries(
    {},
    optional={
        "countries": st.lists(st.sampled_from(["us", "de", "in"]), max_size=3),
        "calling_hours": st.lists(
            st.fixed_dictionaries(
                {"between": st.sampled_from(["08:00-20:00", "never"])}, optional={"places": st.just(["us/tx"])}
            ),
            max_size=2,
        ),
        "quiet_holidays": st.booleans(),
        "do_not_call": st.lists(st.sampled_from(["us-national", "mine"]), max_size=2),
        "consent": st.booleans(),
        "attempts_per_day": st.integers(0, 5),
    },
)


@given(st.lists(RULES, min_size=1, max_size=3))
def test_every_file_is_obeyed_and_their_order_does_not_matter(written: list[dict[str, object]]) -> None:
    layers = [OutboundStated.model_validate(each) for each in written]
    rules = {joined(order).model_dump_json() for order in itertools.permutations(layers)}
    assert len(rules) == 1
    together = joined(layers)
    for layer in layers:
        alone = joined([layer])
        assert layer.countries is None or set(together.countries) <= set(alone.countries)
        assert set(alone.calling_hours) <= set(together.calling_hours)
        assert set(alone.do_not_call) <= set(together.do_not_call)
        assert layer.attempts_per_day is None or together.attempts_per_day <= layer.attempts_per_day
        assert not layer.consent or together.consent
        assert not layer.quiet_holidays or together.quiet_holidays
