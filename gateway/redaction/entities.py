"""The kinds of personal data that Sordino knows: how each is said aloud, and how sure we must be before we mask it.

Names follow Presidio's spelling where Presidio has one. A kind that stands here is masked by default; what does not stand
here is noise in calls and is not asked for: DATE_TIME (opening hours, weekdays), NRP (nationalities), ORGANIZATION.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.values import EntityType, Span


@dataclass(frozen=True, slots=True)
class Kind:
    """``spoken`` is what a caller hears when the value cannot be restored. ``threshold`` is the lowest score that masks."""

    entity: EntityType
    spoken: str
    threshold: float = 0.5


LITERAL = EntityType("LITERAL")
"""Words of the caller that look like one of our placeholders. They get a placeholder of their own and come back verbatim."""

UNKNOWN_SPOKEN = "that"
"""What is said for a placeholder of a kind that we do not know."""

_KINDS: tuple[tuple[str, str, float], ...] = (
    ("PERSON", "your name", 0.5),
    ("PHONE_NUMBER", "your phone number", 0.5),
    ("EMAIL_ADDRESS", "your e-mail address", 0.5),
    ("STREET_ADDRESS", "your address", 0.5),
    ("LOCATION", "your place", 0.5),
    ("ZIP_CODE", "your postcode", 0.5),
    ("CREDIT_CARD", "your card number", 0.4),
    ("CVV", "your security code", 0.4),
    ("CARD_EXPIRY", "the card's expiry date", 0.5),
    ("BANK_ACCOUNT", "your account number", 0.5),
    ("IBAN_CODE", "your account number", 0.5),
    ("US_SSN", "your social security number", 0.4),
    ("DATE_OF_BIRTH", "your date of birth", 0.5),
    ("AGE", "your age", 0.5),
    ("PASSPORT", "your passport number", 0.5),
    ("DRIVER_LICENSE", "your licence number", 0.5),
    ("IN_AADHAAR", "your Aadhaar number", 0.5),
    ("IN_PAN", "your PAN", 0.5),
    ("UK_NHS", "your NHS number", 0.5),
    ("UK_NINO", "your national insurance number", 0.5),
    ("MEDICAL_RECORD", "your medical record number", 0.5),
    ("MEMBER_ID", "your member number", 0.5),
    ("POLICY_NUMBER", "your policy number", 0.5),
    ("USERNAME", "your user name", 0.5),
    ("PASSWORD", "your password", 0.4),
    ("PIN", "your PIN", 0.4),
    ("ONE_TIME_CODE", "your code", 0.5),
    ("IP_ADDRESS", "your network address", 0.5),
    ("URL", "your web address", 0.5),
    ("VEHICLE_PLATE", "your number plate", 0.5),
    ("ID_NUMBER", "your number", 0.5),
    ("LITERAL", "that", 0.0),
)

KINDS: dict[EntityType, Kind] = {EntityType(name): Kind(EntityType(name), spoken, bar) for name, spoken, bar in _KINDS}


def spoken_kind(entity: str) -> str:
    """How a person says this kind of data: ``PERSON`` is "your name". A kind we do not know is "that"."""
    kind = KINDS.get(EntityType(entity))
    return kind.spoken if kind else UNKNOWN_SPOKEN


def above_threshold(spans: Iterable[Span]) -> list[Span]:
    """The spans that are sure enough to mask. A kind that is not in the table has the threshold 0.5."""
    return [span for span in spans if span.score >= (KINDS[span.entity].threshold if span.entity in KINDS else 0.5)]
