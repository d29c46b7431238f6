"""Every rule of ours under the name that ``--explain`` shows. Presidio carries them as recognizers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gateway.redaction import names, numbers, phrases
from gateway.redaction.heard import Heard
from gateway.values import Span

Finder = Callable[[Heard], list[Span]]

FINDERS: Mapping[str, tuple[Finder, tuple[str, ...]]] = {
    "SpokenNumbers": (
        numbers.find,
        (
            "CREDIT_CARD", "CVV", "CARD_EXPIRY", "BANK_ACCOUNT", "IBAN_CODE", "US_SSN", "PHONE_NUMBER", "DATE_OF_BIRTH", "ZIP_CODE",
            "PASSPORT", "DRIVER_LICENSE", "IN_AADHAAR", "IN_PAN", "UK_NHS", "UK_NINO", "MEDICAL_RECORD", "MEMBER_ID", "POLICY_NUMBER",
            "PIN", "ONE_TIME_CODE", "VEHICLE_PLATE", "ID_NUMBER",
        ),
    ),
    "SpokenPhrases": (
        phrases.find,
        (
            "EMAIL_ADDRESS", "URL", "IP_ADDRESS", "DATE_OF_BIRTH", "CARD_EXPIRY", "AGE", "STREET_ADDRESS", "LOCATION", "PASSWORD",
            "USERNAME",
        ),
    ),
    "SpokenNames": (names.find, ("PERSON",)),
}  # fmt: skip
"""Name to rule and the kinds of data that it can find."""


def find_all(heard: Heard) -> list[Span]:
    """What all the rules find, possibly overlapping."""
    return [span for rule, _ in FINDERS.values() for span in rule(heard)]
