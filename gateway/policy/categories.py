"""Which kind of data a detected value is: the table that lets a policy speak of payment, identity or health (promise 34).

Kinds are in Presidio's spelling, as the detector gives them. A kind that does not stand here counts as identity, the strictest.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.values import DataCategory

_TABLE: dict[DataCategory, str] = {
    DataCategory.CONTACT: """PERSON PHONE_NUMBER EMAIL_ADDRESS STREET_ADDRESS LOCATION ZIP_CODE USERNAME IP_ADDRESS URL
        VEHICLE_PLATE AGE DATE_OF_BIRTH MEMBER_ID POLICY_NUMBER LITERAL""",
    DataCategory.PAYMENT: "CREDIT_CARD CVV CARD_EXPIRY BANK_ACCOUNT IBAN_CODE PIN",
    DataCategory.IDENTITY: """US_SSN PASSPORT DRIVER_LICENSE IN_AADHAAR IN_PAN UK_NINO ID_NUMBER PASSWORD ONE_TIME_CODE""",
    DataCategory.HEALTH: "UK_NHS MEDICAL_RECORD",
}

CATEGORY = {kind: category for category, kinds in _TABLE.items() for kind in kinds.split()}

NEVER_KEPT = frozenset((DataCategory.PAYMENT, DataCategory.IDENTITY))
"""What no model receives as it was said, whatever a policy says."""


def category_of(entity: str) -> DataCategory:
    """The category of a kind of personal data."""
    return CATEGORY.get(entity, DataCategory.IDENTITY)


def categories_of(entities: Iterable[str]) -> frozenset[DataCategory]:
    """The categories of all of them."""
    return frozenset(category_of(entity) for entity in entities)
