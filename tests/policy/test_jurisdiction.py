"""Where both ends of a call may be, and whose law follows: the stricter end wins, and says why without the number."""

from __future__ import annotations

import re

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import geocoder

from gateway.policy.area_codes import AREA_CODES, zones_of
from gateway.policy.jurisdiction import (
    ALL_PARTY_STATES,
    Basis,
    Demands,
    Whereabouts,
    carrier_place,
    demands_of,
    jurisdiction,
    locate,
    strictest,
)
from gateway.policy.regions import COUNTRIES
from gateway.values import Private

FIXED = [
    ("+15125550100", "us/tx", ("America/Chicago",)),
    ("+19155550100", "us/tx", ("America/Denver",)),
    ("+12125550100", "us/ny", ("America/New_York",)),
    ("+18505550100", "us/fl", ("America/Chicago", "America/New_York")),
    ("+19075550100", "us/ak", ("America/Adak", "America/Anchorage")),
    ("+19285550100", "us/az", ("America/Denver", "America/Phoenix")),
    ("+17875550100", "us/pr", ("America/Puerto_Rico",)),
    ("+14165550100", "ca/on", ("America/Toronto",)),
    ("+18765550123", "jm", ("America/Jamaica",)),
    ("+4930901820", "de", ("Europe/Berlin",)),
    ("+442071234567", "gb", ("Europe/London",)),
    ("+61255501234", "au", ("Australia/Sydney",)),
]


@pytest.mark.parametrize(("number", "place", "zones"), FIXED)
def test_a_number_with_a_place_tells_it(number: str, place: str, zones: tuple[str, ...]) -> None:
    """Country, state by the area code, and every time zone that the area code reaches into."""
    where = locate(Private(number))
    assert (where.places, where.zones, where.basis) == ((place,), zones, Basis.NUMBER)


def test_a_mobile_number_is_no_proof_of_a_part_of_its_country() -> None:
    """All of Australia counts, from Perth to Lord Howe."""
    where = locate(Private("+61412345678"))
    assert where.places == ("au",)
    assert {"Australia/Perth", "Australia/Sydney", "Australia/Lord_Howe"} <= set(where.zones)
    assert "no proof of place" in where.why[0]


def test_an_american_number_says_that_its_holder_may_have_moved() -> None:
    """Nobody can tell a mobile from a fixed line there."""
    assert any("mobile" in sentence for sentence in locate(Private("+15125550100")).why)


@pytest.mark.parametrize("number", ["+18005550100", "+18885550100"])
def test_a_toll_free_number_leaves_every_country_of_its_code(number: str) -> None:
    """Then the strictest of them wins: any state of the US among them."""
    where = locate(Private(number))
    assert {"us", "ca", "jm"} <= set(where.places)
    assert {"America/New_York", "America/Los_Angeles", "Pacific/Honolulu"} <= set(where.zones)
    assert jurisdiction(where, where).demands.all_party


def test_the_carrier_or_the_tenant_narrows_a_number_without_a_place() -> None:
    """The carrier's word before the tenant's."""
    number = Private("+18005550100")
    assert locate(number, carrier=("us/tx",), stated=("ca",)).places == ("us/tx",)
    assert locate(number, carrier=("us/tx",)).basis is Basis.CARRIER
    assert locate(number, stated=("us",)).places == ("us",)
    assert locate(number, stated=("us",)).basis is Basis.TENANT


def test_the_carrier_takes_no_candidate_away() -> None:
    """A caller with a number of Texas whom the carrier sees in California is under the law of both."""
    where = locate(Private("+15125550100"), carrier=("us/ca",))
    assert where.places == ("us/ca", "us/tx")
    assert {"America/Chicago", "America/Los_Angeles"} <= set(where.zones)


@pytest.mark.parametrize("number", ["", "anonymous", "+15550100", "5125550100", "+1", "+999999999999", "sip:a@b", "+80012345678"])
def test_who_cannot_be_placed_has_no_place(number: str) -> None:
    """Then every rule that needs one refuses; the tenant's own word counts if it has given one."""
    assert locate(Private(number)).places == ()
    assert locate(Private(number)).basis is Basis.NOTHING
    assert locate(Private(number), stated=("us", "local")).places == ("us",)


@pytest.mark.parametrize(
    ("country", "state", "places"),
    [
        ("US", "TX", ("us/tx",)),
        ("us", "tx ", ("us/tx",)),
        ("CA", "ON", ("ca/on",)),
        ("DE", "", ("de",)),
        ("DE", "BE", ("de",)),
        ("US", "XX", ("us",)),
        ("", "TX", ()),
        ("ZZ", "", ()),
        ("local", "", ()),
    ],
)
def test_what_the_carrier_says_is_read_as_a_place(country: str, state: str, places: tuple[str, ...]) -> None:
    """Twilio's FromCountry and FromState; what is no place says nothing."""
    assert carrier_place(country, state) == places


def at(*places: str) -> Whereabouts:
    return Whereabouts(places, ("Etc/UTC",), Basis.NUMBER, ("as the test says",))


@pytest.mark.parametrize(
    ("caller", "called", "laws", "packs", "all_party"),
    [
        (("us/ny",), ("us/ny",), ("us",), ("us-one-party",), False),
        (("us/ny",), ("us/ca",), ("us",), ("ca-ai-disclosure", "us-all-party", "us-one-party"), True),
        (("us/ct",), ("us/ny",), ("us",), ("us-all-party", "us-one-party"), True),
        (("us",), ("us/ny",), ("us",), ("ca-ai-disclosure", "us-all-party", "us-one-party"), True),
        (("de",), ("us/ny",), ("de", "us"), ("eu-ai-act", "gdpr-strict", "us-one-party"), True),
        (("ie",), ("ie",), ("ie",), ("eu-ai-act", "gdpr-strict"), False),
        (("gb",), ("in",), ("gb", "in"), ("india-dpdpa", "uk-gdpr"), False),
        ((), ("us/ny",), ("us",), ("us-one-party",), True),
    ],
)
def test_the_stricter_end_wins(
    caller: tuple[str, ...], called: tuple[str, ...], laws: tuple[str, ...], packs: tuple[str, ...], all_party: bool
) -> None:
    """Laws and packs of both ends hold together; one end where all must agree is enough; nobody knows is the strictest."""
    found = jurisdiction(at(*caller), at(*called))
    assert (found.laws, found.packs, found.demands.all_party) == (laws, packs, all_party)


def test_the_decision_says_why_and_holds_no_number() -> None:
    """It stands in a receipt."""
    found = jurisdiction(locate(Private("+4930901820")), locate(Private("+12125550100")))
    text = repr(found) + " ".join(found.reasons)
    assert not re.search(r"\d{4}", text.replace("2026", ""))
    assert found.reasons[0] == "caller: its number belongs to de"
    assert found.reasons[-1] == "the stricter end wins: everybody must agree before anything is recorded"
    assert found.places == ("de", "us/ny")
    assert found.language_hints == ("de", "en")
    assert jurisdiction(at(), at("de")).places is None


PLACES = st.sampled_from(sorted({*COUNTRIES, "eu", "eea", *(f"us/{state}" for state in ALL_PARTY_STATES), "us/ny", "us/tx"}))


@given(st.lists(PLACES, min_size=1, max_size=6), PLACES)
def test_the_strictest_of_candidates_permits_no_more_than_any_of_them(candidates: list[str], one: str) -> None:
    """Each candidate's laws, packs and agreement are in the answer, and one more candidate never takes any away."""
    joined = strictest(demands_of(place) for place in candidates)
    for place in candidates:
        alone = demands_of(place)
        assert alone.laws <= joined.laws
        assert alone.packs <= joined.packs
        assert joined.all_party or not alone.all_party
    more = strictest(demands_of(place) for place in [*candidates, one])
    assert (joined.laws <= more.laws, joined.packs <= more.packs) == (True, True)
    assert more.all_party or not joined.all_party


def test_nobody_at_all_is_the_strictest() -> None:
    """An end without any candidate must not loosen anything."""
    assert strictest([]) == Demands(frozenset(), frozenset(), all_party=True)


@given(st.text(max_size=20) | st.from_regex(r"\+[0-9]{1,15}", fullmatch=True))
def test_any_text_gets_an_answer(number: str) -> None:
    """A carrier may send anything; places and zones come together or not at all."""
    where = locate(Private(number))
    assert bool(where.places) == (where.basis is not Basis.NOTHING)
    assert not where.zones or where.places


NAMES = {
    "Texas": "tx",
    "New York": "ny",
    "California": "ca",
    "Florida": "fl",
    "Illinois": "il",
    "Ohio": "oh",
    "Washington State": "wa",
}


@pytest.mark.parametrize("code", sorted(AREA_CODES))
def test_the_table_of_area_codes_agrees_with_the_library(code: str) -> None:
    """Country and, where the library names a state, the state; and every zone that the table names exists."""
    place, zones = AREA_CODES[code]
    parsed = phonenumbers.parse(f"+1{code}5550123")
    region = phonenumbers.region_code_for_number(parsed) or phonenumbers.region_code_for_number(
        phonenumbers.parse(f"+1{code}2345678")
    )
    assert region is not None
    assert place.split("/")[0] == ("us" if f"us/{region.lower()}" == place else region.lower())
    named = geocoder.description_for_valid_number(parsed, "en")
    if named in NAMES:
        assert place == f"us/{NAMES[named]}"
    assert zones
    assert set(zones) <= set(zones_of(place))
