"""What may be taken for a person's in texts that nobody said, by the findings alone."""

from __future__ import annotations

import pytest

from gateway.redaction.written import written
from gateway.values import EntityType, Span


def tagged(text: str, value: str, kind: str, detector: str = "Tagger") -> Span:
    at = text.index(value)
    return Span(at, at + len(value), EntityType(kind), 0.55, detector)


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("Be brief.", "brief", "PERSON"),
        ("Use json_schema here.", "schema", "PERSON"),
        ("Call getUserProfile first.", "getUserProfile", "USERNAME"),
        ("Pronounce API slowly.", "API", "PERSON"),
        ("Dates are ISO 8601.", "8601", "POLICY_NUMBER"),
        ("Write in Markdown. Use lists.", "Markdown. Use", "LOCATION"),
        ("Mind the temperature of 21 celsius", "celsius", "STREET_ADDRESS"),
        ('{"title": "Shipping"}', "Shipping", "USERNAME"),
    ],
)
def test_words_of_programs_and_instructions_are_nobodys(text: str, value: str, kind: str) -> None:
    assert written(text, [tagged(text, value, kind)]) == []


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("You are talking to Barnaby Thistlewood.", "Barnaby Thistlewood", "PERSON"),
        ("The note says barnaby thistlewood (twice).", "barnaby thistlewood", "PERSON"),
        ('{"last_name": "Featherstone"}', "Featherstone", "PERSON"),
        ("She lives in Rotterdam.", "Rotterdam", "LOCATION"),
        ("Deliver to 12 Abbey Road.", "12 Abbey Road", "STREET_ADDRESS"),
        ("The password is hunter2fox.", "hunter2fox", "PASSWORD"),
        ("The member number: 88412 907.", "88412 907", "MEMBER_ID"),
        ("my name is barnaby thistlewood and i live here", "barnaby", "PERSON"),
    ],
)
def test_names_where_names_are_written_stay_found(text: str, value: str, kind: str) -> None:
    span = tagged(text, value, kind)
    assert written(text, [span]) == [span]


@pytest.mark.parametrize("kind", ["EMAIL_ADDRESS", "CREDIT_CARD", "IBAN_CODE", "PHONE_NUMBER", "PASSWORD"])
def test_what_a_rule_has_found_is_never_dropped(kind: str) -> None:
    text = '{"some_key": "value_of_it"}'
    span = tagged(text, "value_of_it", kind, detector="SpokenNumbers")
    assert written(text, [span]) == [span]


def test_a_guess_that_reaches_into_the_name_of_a_key_keeps_what_is_beside_it() -> None:
    text = '{"owner": "Harriet Vandermeer"}'
    (found,) = written(text, [tagged(text, 'owner": "Harriet Vandermeer', "PERSON")])
    assert "Harriet Vandermeer" in text[found.start : found.end]
    assert "owner" not in text[found.start : found.end]
