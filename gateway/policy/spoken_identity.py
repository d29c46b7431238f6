"""By which kinds of spoken data a tenant's callers may be found again, where no number tells who called (promise 19).

Off unless the tenant's own file says so, and no pack can say it: each kind is one more keyed hash that is kept of a caller, and
which one names its customers only the tenant knows. So there is nothing to join, and nothing that a tenant could loosen.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema

from gateway.policy.fields import Model, fault

IDENTIFYING = (
    "EMAIL_ADDRESS",
    "PHONE_NUMBER",
    "ID_NUMBER",
    "MEMBER_ID",
    "POLICY_NUMBER",
    "MEDICAL_RECORD",
    "USERNAME",
    "PASSPORT",
    "DRIVER_LICENSE",
    "IBAN_CODE",
    "BANK_ACCOUNT",
    "US_SSN",
    "IN_AADHAAR",
    "IN_PAN",
    "UK_NHS",
    "UK_NINO",
)
"""Kinds of which one value belongs to one person, or nearly always. In Presidio's spelling, as the detector gives them."""

_SHARED = "many people share one, so by it alone the calls of others would be handed out"
_CARD = "nothing of a card is kept, not even a hash of it"
_OPENS = "it opens doors and names nobody, and nothing of it is kept"
_REFUSED: dict[str, str] = {
    **dict.fromkeys(("PERSON", "DATE_OF_BIRTH", "AGE", "LOCATION", "ZIP_CODE", "STREET_ADDRESS", "VEHICLE_PLATE"), _SHARED),
    **dict.fromkeys(("IP_ADDRESS", "URL"), _SHARED),
    **dict.fromkeys(("CREDIT_CARD", "CVV", "CARD_EXPIRY"), _CARD),
    **dict.fromkeys(("PASSWORD", "PIN", "ONE_TIME_CODE"), _OPENS),
}
"""Kinds that are found in what is said and identify nobody alone, each with why. A combination of two is no way out: who gives
a name and a birthday of another knows both."""


def why_not(kind: str) -> str:
    """Why nobody is found by this kind of data, as a sentence; empty: they may be."""
    if kind in IDENTIFYING:
        return ""
    if kind in _REFUSED:
        return f"`{kind}` is no identity: {_REFUSED[kind]}"
    # Who mixes up kind and value has written somebody's address here: it is not said back.
    return "that is no identity: it is not a kind of data that we find"


def how_to_mend(kind: str) -> str:
    """What to write instead of a kind that is refused."""
    near = [] if kind in _REFUSED else get_close_matches(kind, IDENTIFYING, n=1, cutoff=0.7)
    numbers = "ID_NUMBER is what customer and contract numbers are found as; "
    return f"did you mean `{near[0]}`?" if near else f"{numbers}there are {', '.join(sorted(IDENTIFYING))}"


def _identifying(value: str) -> str:
    if reason := why_not(value):
        raise fault(reason, how_to_mend(value))
    return value


def _once(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(values)))


_SCHEMA: dict[str, Any] = {"type": "string", "enum": sorted(IDENTIFYING)}
IdentityKind = Annotated[str, AfterValidator(_identifying), WithJsonSchema(_SCHEMA)]


class Rights(Model):
    """How callers who ask for their rights are found beside their number."""

    spoken_identity: Annotated[tuple[IdentityKind, ...], AfterValidator(_once), Field(max_length=len(IDENTIFYING))] = ()
    """Kinds of spoken data by which a call is found again, noted as keyed hashes of what was said: ``EMAIL_ADDRESS``,
    ``ID_NUMBER``… Without a word: none. Masking towards the model must keep them apart (``pseudonym`` or ``surrogate``)."""
