"""Where the two ends of a call may be, and whose law follows from it. Where that is in doubt, every candidate counts.

A number in E.164 form tells its country (ITU-T E.164), and in the North American plan the state of its area code. It is no proof
of where its holder is: mobile, toll-free and other numbers without a place leave more candidates, and so does a country whose
state is not known. What the carrier says of such a number, or what the tenant's file says of its callers, narrows them.

The stricter end wins: laws and packs of all candidates of both ends apply together. No answer ever holds a number.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType
from phonenumbers.timezone import time_zones_for_number

from gateway.policy.area_codes import AREA_CODES, zones_of
from gateway.policy.regions import EEA, EU, LOCAL, is_region
from gateway.values import Private

ALL_PARTY_STATES = frozenset(("ca", "ct", "de", "fl", "il", "ma", "md", "mi", "mt", "nh", "nv", "or", "pa", "wa"))
"""States of the US where everybody on the line must agree to a recording (secondary sources, 2026-11-21). Connecticut, Michigan
and Oregon are mixed and count as all-party."""
ALL_PARTY_COUNTRIES = frozenset(("de", "fr"))
"""Germany: section 201 StGB. France: CNIL. Nobody is recorded there without the agreement of all."""
GROUPS = frozenset(("eu", "eea"))
TERRITORIES = frozenset(("as", "gu", "mp", "pr", "vi"))
"""Countries by their code in ISO 3166 where the federal law of the United States holds (47 U.S.C. 153(58))."""
AI_DISCLOSURE_STATES = frozenset(("ca", "ut"))
"""California's Business and Professions Code 17941; Utah's SB 226."""

_LANGUAGES = {
    **dict.fromkeys(("us", "gb", "ie", "au", "nz", "ca", "in", "sg", "za", "ng", "gh", "ke", "jm"), "en"),
    **dict.fromkeys(("de", "at", "li", "ch"), "de"),
    **dict.fromkeys(("fr", "be", "lu", "mc", "sn", "ci"), "fr"),
    **dict.fromkeys(("es", "mx", "ar", "co", "cl", "pe", "ve", "ec", "do", "cu", "gt", "uy", "py", "bo", "cr", "pa"), "es"),
    **dict.fromkeys(("pt", "br", "ao", "mz"), "pt"),
    **dict.fromkeys(("it", "sm", "va"), "it"),
    "nl": "nl",
    "pl": "pl",
    "jp": "ja",
    "se": "sv",
    "dk": "da",
    "no": "nb",
    "fi": "fi",
}
"""The language that most people of a country take a call in: a hint, never a law."""


class Basis(StrEnum):
    """What a place was read from, the most telling first."""

    CARRIER = "carrier"
    NUMBER = "number"
    TENANT = "tenant"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where one end of a call may be. ``places`` are region codes (``us/tx``, ``de``), sorted; empty: nobody can say.

    ``zones`` are all the time zones (IANA names) that may hold there; empty where ``places`` is.
    """

    places: tuple[str, ...]
    zones: tuple[str, ...]
    basis: Basis
    why: tuple[str, ...]

    @property
    def countries(self) -> tuple[str, ...]:
        return tuple(sorted({place.split("/")[0] for place in self.places}))


@dataclass(frozen=True, slots=True)
class Demands:
    """What the law of a place asks of a call. ``strictest`` joins those of several."""

    laws: frozenset[str]
    """Countries or groups whose law protects the people there."""
    packs: frozenset[str]
    """Names of the packs that put that law into rules."""
    all_party: bool
    """Whether nothing may be recorded before everybody on the line has agreed."""


@dataclass(frozen=True, slots=True)
class Jurisdiction:
    """Whose law holds for a call, and why, in sentences. It holds no number and can stand in a receipt."""

    caller: Whereabouts
    called: Whereabouts
    demands: Demands

    @property
    def places(self) -> tuple[str, ...] | None:
        """Every place where one of the ends may be, for ``announcing.chosen``; None where nobody can say of one of them."""
        if not self.caller.places or not self.called.places:
            return None
        return tuple(sorted({*self.caller.places, *self.called.places}))

    @property
    def laws(self) -> tuple[str, ...]:
        """Countries of both ends, sorted: what ``Ask.origins`` takes."""
        return tuple(sorted(self.demands.laws))

    @property
    def packs(self) -> tuple[str, ...]:
        return tuple(sorted(self.demands.packs))

    @property
    def language_hints(self) -> tuple[str, ...]:
        """Languages of the caller's countries, then of the called ones'. A hint for the choice among announcements that exist."""
        countries = (*self.caller.countries, *self.called.countries)
        return tuple(dict.fromkeys(_LANGUAGES[country] for country in countries if country in _LANGUAGES))

    @property
    def reasons(self) -> tuple[str, ...]:
        ends = (("caller", self.caller), ("called", self.called))
        told = [f"{end}: {sentence}" for end, where in ends for sentence in where.why]
        agree = (
            "everybody must agree before anything is recorded" if self.demands.all_party else "one party's agreement is enough"
        )
        return (*told, f"the stricter end wins: {agree}")

    def record(self) -> dict[str, list[str] | bool]:
        """What a receipt holds of it: places, laws, packs and the sentences why."""
        return {
            "caller": list(self.caller.places),
            "called": list(self.called.places),
            "laws": list(self.laws),
            "packs": list(self.packs),
            "all_party": self.demands.all_party,
            "reasons": list(self.reasons),
        }


def strictest(demands: Iterable[Demands]) -> Demands:
    """What satisfies all of them at once. Nothing at all is the strictest: then no place is known."""
    found = tuple(demands)
    return Demands(
        laws=frozenset(law for each in found for law in each.laws),
        packs=frozenset(pack for each in found for pack in each.packs),
        all_party=not found or any(each.all_party for each in found),
    )


def demands_of(place: str) -> Demands:
    """What the law of one place asks. A country whose state is not known is as strict as its strictest state."""
    country, _, state = place.partition("/")
    packs: set[str] = set()
    all_party = country in ALL_PARTY_COUNTRIES or country in GROUPS
    if country == "us":
        all_party = state in ALL_PARTY_STATES or not state
        packs.add("us-all-party" if all_party else "us-one-party")
        if state in AI_DISCLOSURE_STATES or not state:
            packs.add("ca-ai-disclosure")
    elif country in EEA or country in GROUPS:
        # The AI Act has no place yet in the EEA's agreement; the stricter reading takes it for all of the EEA.
        packs |= {"gdpr-strict", "eu-ai-act"}
    elif country == "gb":
        packs.add("uk-gdpr")
    elif country == "in":
        packs.add("india-dpdpa")
    return Demands(frozenset((country,)), frozenset(packs), all_party)


def jurisdiction(caller: Whereabouts, called: Whereabouts) -> Jurisdiction:
    """Whose law holds for a call between the two: the stricter end wins, and an end that nobody can place is the strictest."""
    ends = [strictest(demands_of(place) for place in end.places) for end in (caller, called)]
    return Jurisdiction(caller, called, strictest(ends))


def locate(number: Private[str], *, carrier: Collection[str] = (), stated: Collection[str] = ()) -> Whereabouts:
    """Where the holder of ``number`` (E.164) may be.

    Args:
        carrier: places that the carrier's own data names for this end (see ``carrier_place``).
        stated: places that the tenant's file names for its callers; they count where the number itself says too little.
    """
    said = tuple(sorted({place for place in carrier if place != LOCAL and is_region(place)}))
    own = tuple(sorted({place for place in stated if place != LOCAL and is_region(place)}))
    parsed = _parsed(number)
    if parsed is None:
        return _without_number(said, own)
    kind = phonenumbers.number_type(parsed)
    if kind in (PhoneNumberType.FIXED_LINE, PhoneNumberType.FIXED_LINE_OR_MOBILE):
        return _fixed(parsed, kind, said)
    if kind == PhoneNumberType.MOBILE:
        return _mobile(parsed, said)
    return _placeless(parsed, said, own)


def carrier_place(country: str, state: str = "") -> tuple[str, ...]:
    """What a carrier says of an end (Twilio: ``FromCountry`` and ``FromState``) as places; none where it is no place."""
    head, tail = country.strip().lower(), state.strip().lower()
    if not is_region(head) or len(head) != 2:
        return ()
    known = {place for place, _ in AREA_CODES.values()}
    return (f"{head}/{tail}",) if f"{head}/{tail}" in known else (head,)


def _parsed(number: Private[str]) -> phonenumbers.PhoneNumber | None:
    """Only a whole number in E.164 form: what a person typed in national form has no country of its own."""

    def parse(text: str) -> phonenumbers.PhoneNumber | None:
        if not text.startswith("+"):
            return None
        try:
            parsed = phonenumbers.parse(text)
        except NumberParseException:
            return None
        return parsed if phonenumbers.is_valid_number(parsed) else None

    return number.map(parse).reveal()


def _fixed(parsed: phonenumbers.PhoneNumber, kind: int, said: tuple[str, ...]) -> Whereabouts:
    place, zones = _own_place(parsed)
    where = f"its area code belongs to {place}" if "/" in place else f"its number belongs to {place}"
    why = [where]
    if kind == PhoneNumberType.FIXED_LINE_OR_MOBILE and "/" in place:
        why.append("it may be a mobile phone, so its holder may be elsewhere; the place of its area code counts")
    return _joined((place,), zones, said, why, Basis.NUMBER)


def _mobile(parsed: phonenumbers.PhoneNumber, said: tuple[str, ...]) -> Whereabouts:
    place, zones = _own_place(parsed)
    why = [f"it is a mobile number of {place}, which is no proof of place: every part of {place} counts"]
    return _joined((place.split("/")[0],), zones, said, why, Basis.NUMBER)


def _placeless(parsed: phonenumbers.PhoneNumber, said: tuple[str, ...], own: tuple[str, ...]) -> Whereabouts:
    """Toll-free, shared cost, VoIP, satellite…: the number says nothing of where its holder is."""
    why = ["its number is of a kind that has no place (toll-free, VoIP, service…)"]
    if said:
        return Whereabouts(said, _zones(said), Basis.CARRIER, (*why, f"the carrier says {_named(said)}"))
    if own:
        return Whereabouts(own, _zones(own), Basis.TENANT, (*why, f"the tenant's file says {_named(own)}"))
    shared = {code.lower() for code in phonenumbers.region_codes_for_country_code(parsed.country_code or 0)}
    places = tuple(sorted(code for code in shared - TERRITORIES if is_region(code)))
    if not places:
        return Whereabouts((), (), Basis.NOTHING, (*why, "nobody says where it is"))
    why.append(f"each country with the code +{parsed.country_code} counts, and the strictest wins")
    return Whereabouts(places, _zones(places), Basis.NUMBER, tuple(why))


def _without_number(said: tuple[str, ...], own: tuple[str, ...]) -> Whereabouts:
    why = "its number is withheld, or is none"
    if said:
        return Whereabouts(said, _zones(said), Basis.CARRIER, (f"{why}; the carrier says {_named(said)}",))
    if own:
        return Whereabouts(own, _zones(own), Basis.TENANT, (f"{why}; the tenant's file says {_named(own)}",))
    return Whereabouts((), (), Basis.NOTHING, (f"{why}; nobody says where it is",))


def _joined(places: tuple[str, ...], zones: tuple[str, ...], said: tuple[str, ...], why: list[str], basis: Basis) -> Whereabouts:
    """The number's own candidates and those that the carrier adds. A carrier cannot take a candidate away."""
    more = tuple(place for place in said if not any(place == known or place.startswith(f"{known}/") for known in places))
    if more:
        why.append(f"the carrier says {_named(more)} as well")
    everywhere = tuple(sorted({*places, *more}))
    return Whereabouts(everywhere, tuple(sorted({*zones, *_zones(more)})), basis, tuple(why))


def _own_place(parsed: phonenumbers.PhoneNumber) -> tuple[str, tuple[str, ...]]:
    if parsed.country_code == 1:
        found = AREA_CODES.get(str(parsed.national_number)[:3])
        if found is not None:
            return found
    country = (phonenumbers.region_code_for_number(parsed) or "").lower()
    zones = tuple(sorted(zone for zone in time_zones_for_number(parsed) if zone != "Etc/Unknown"))
    return country, zones or _zones((country,))


def _zones(places: Sequence[str]) -> tuple[str, ...]:
    found: set[str] = set()
    for place in places:
        found |= set(zones_of(place) or _zones_of_country(place.split("/")[0]))
    return tuple(sorted(found))


def _zones_of_country(country: str) -> tuple[str, ...]:
    """As the numbers of that country have them: its calling code stands for the whole country."""
    if country in GROUPS:
        return tuple(sorted({zone for member in (EU if country == "eu" else EEA) for zone in _zones_of_country(member)}))
    code = phonenumbers.country_code_for_region(country.upper())
    if not code:
        return ()
    example = phonenumbers.example_number_for_type(country.upper(), PhoneNumberType.MOBILE)
    zones = time_zones_for_number(example) if example is not None else ()
    return tuple(zone for zone in zones if zone != "Etc/Unknown")


def _named(places: Sequence[str]) -> str:
    return " and ".join(places)
