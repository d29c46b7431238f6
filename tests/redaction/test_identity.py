"""What was said and what is typed later are one form, and what belongs to two persons is two."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.redaction.identity import DIGITS_ONLY, LONGEST, MAIL, PHONE, SHORTEST, form_of
from gateway.redaction.languages import LANGUAGES

NUMBER = "ID_NUMBER"
DIGITS = {
    "en": ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
    "de": ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"],
    "fr": ["zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"],
    "es": ["cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"],
}
SIGNS = {
    "en": {".": "dot", "@": "at", "-": "dash", "_": "underscore", "+": "plus"},
    "de": {".": "punkt", "@": "klammeraffe", "-": "bindestrich", "_": "unterstrich", "+": "plus"},
}
NAMES = ("max", "muster", "lena", "beispiel", "smith", "kowalski", "garcia", "verlag")
"""Words that are no numbers in either of the languages."""
UNHEARD = re.compile(r"(?<=\d)-(?=\d)")
PARTS = st.one_of(st.sampled_from(NAMES), st.integers(0, 9).map(str))


@pytest.mark.parametrize(
    ("said", "typed", "language"),
    [
        ("john dot smith at example dot com", "John.Smith@Example.com", "en"),
        ("john dot smith at example dot com.", "john.smith@example.com ", "en-GB"),
        ("j o h n dash smith two at example dot co dot uk", "john-smith2@example.co.uk", "en"),
        ("max punkt muster at beispiel punkt de", "max.muster@beispiel.de", "de"),
        ("anna unterstrich lena klammeraffe x punkt de", "Anna_Lena@X.de", "de"),
        ("ana punto lopez arroba ejemplo punto es", "ana.lopez@ejemplo.es", "es"),
        ("marie arobase exemple point fr", "marie@exemple.fr", "fr"),
        ("J-O-H-N dot smith at example dot com", "john.smith@example.com", "en"),
        ("I am ada.lovelace@example.org", "ada.lovelace@example.org", "en"),
        ("ada lovelace, ada.lovelace@example.org.", "ada.lovelace@example.org", "en"),
        ("I am ada dot lovelace at example dot org", "ada.lovelace@example.org", "en"),
        ("yes my e-mail is ada at example dot org", "ada@example.org", "en"),
        ("ich bin ada punkt lovelace at example punkt org", "ada.lovelace@example.org", "de"),
        ("my dot name at example dot org", "my.name@example.org", "en"),
        ("so at example dot org", "so@example.org", "en"),
        ("anna so sure lena at example dot org", "annasosurelena@example.org", "en"),
        ("i a n at example dot org", "ian@example.org", "en"),
        ("smith. At example. com", "smith@example.com", "en"),
        ("john smith plus news at example dot com", "johnsmith+news@example.com", "en"),
    ],
)
def test_an_address_that_was_said_is_the_one_that_is_typed(said: str, typed: str, language: str) -> None:
    assert form_of(MAIL, said, language) == form_of(MAIL, typed, language) == typed.strip().lower()


@pytest.mark.parametrize(
    ("kind", "said", "typed", "language"),
    [
        (NUMBER, "four seven one one, double two three", "4711-223", "en"),
        (NUMBER, "K D siebenundvierzig elf zwo zwo", "KD 4711 22", "de"),
        (NUMBER, "a b one two three four", "AB1234", "en"),
        ("IBAN_CODE", "D E eight nine three seven oh four double zero four four", "DE89 3704 0044", "en"),
        ("US_SSN", "one two three, four five, six seven eight nine", "123-45-6789", "en"),
        (PHONE, "plus four nine one five one one two three four five", "+49 151 12345", "en"),
        (NUMBER, "４７１１２", "47112", "en"),
    ],
)
def test_a_number_that_was_said_is_the_one_that_is_typed(kind: str, said: str, typed: str, language: str) -> None:
    found = form_of(kind, said, language)
    assert found is not None
    assert found == form_of(kind, typed, language)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (MAIL, "annalena@x.de", "anna-lena@x.de"),
        (MAIL, "anna.lena@x.de", "annalena@x.de"),
        (MAIL, "anna@x.de", "anna@x.com"),
        (MAIL, "anna1.2@x.de", "anna12@x.de"),
        (MAIL, "anna+shop@x.de", "anna@x.de"),
        (NUMBER, "A47112", "B47112"),
        (NUMBER, "047112", "47112"),
        (PHONE, "+4915112345", "4915112345"),
    ],
)
def test_what_tells_two_persons_apart_stays(kind: str, one: str, other: str) -> None:
    """Too many calls found are somebody else's; too few are asked for again in another spelling."""
    assert form_of(kind, one, "en") != form_of(kind, other, "en")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (MAIL, "john smith"),
        (MAIL, "john smith gmail"),
        (MAIL, "john@example"),
        (MAIL, "@example.com"),
        (MAIL, "a@b@c.de"),
        (MAIL, "x" * LONGEST + "@example.com"),
        (NUMBER, "1234"),
        (NUMBER, "four two"),
        (NUMBER, "---- ----"),
        ("US_SSN", "abcdefgh"),
        (NUMBER, "7" * (LONGEST + 1)),
        (NUMBER, "- " * 1_000 + "471122"),
        (NUMBER, ""),
    ],
)
def test_what_is_no_whole_value_stands_for_nobody(kind: str, text: str) -> None:
    assert form_of(kind, text, "en") is None


@given(digits=st.text("0123456789", min_size=SHORTEST, max_size=20), language=st.sampled_from(sorted(DIGITS)), data=st.data())
def test_digits_said_one_by_one_are_the_number_on_paper(digits: str, language: str, data: st.DataObject) -> None:
    """In every language and with any pauses between them, in groups of whatever length on paper."""
    said, typed = "", ""
    for digit in digits:
        said += DIGITS[language][int(digit)] + data.draw(st.sampled_from((" ", ", ", " - ")))
        typed += digit + data.draw(st.sampled_from(("", " ", "-", ".")))
    for kind in (NUMBER, "BANK_ACCOUNT"):
        assert form_of(kind, said.strip(" -"), language) == form_of(kind, typed, language) == digits


@given(
    who=st.lists(PARTS, min_size=1, max_size=3),
    joints=st.lists(st.sampled_from(".-_+"), min_size=2, max_size=2),
    host=st.lists(st.sampled_from(NAMES), min_size=1, max_size=2),
    top=st.sampled_from(("de", "com", "org")),
    language=st.sampled_from(sorted(SIGNS)),
)
def test_addresses_meet_however_they_were_put_together(
    who: list[str], joints: list[str], host: list[str], top: str, language: str
) -> None:
    """Every sign by its word and every digit by its name, against the same address as it is written.

    A dash between two digits is the one that nobody hears: without it they are one number, and so the address has none.
    """
    signs = SIGNS[language]
    typed, said = "", ""
    for place, part in enumerate(who):
        joint = joints[place - 1] if place else ""
        typed += joint + part
        said += (f" {signs[joint]} " if joint else "") + (DIGITS[language][int(part)] if part.isdigit() else part)
    domain = ".".join([*host, top])
    typed += f"@{domain}"
    said += f" {signs['@']} " + domain.replace(".", f" {signs['.']} ")
    assert form_of(MAIL, said, language) == form_of(MAIL, typed.title(), language) == UNHEARD.sub("", typed)


@given(
    text=st.text(max_size=80), kind=st.sampled_from((MAIL, NUMBER, PHONE, "UK_NHS")), language=st.sampled_from(sorted(LANGUAGES))
)
def test_any_text_has_one_form_or_none_and_its_form_is_its_own(text: str, kind: str, language: str) -> None:
    """Never an error; and who copies the form out of somewhere else is led to the same place."""
    form = form_of(kind, text, language)
    if form is not None:
        assert len(form) <= LONGEST + 1
        assert not any(sign.isspace() for sign in form)
        assert kind not in DIGITS_ONLY or set(form) <= set("+" + string.digits)


@given(one=st.text("0123456789abc", min_size=SHORTEST, max_size=9), other=st.text("0123456789abc", min_size=SHORTEST, max_size=9))
def test_two_numbers_on_paper_are_never_one_person(one: str, other: str) -> None:
    assume(one != other)
    assert form_of(NUMBER, one, "en") != form_of(NUMBER, other, "en")


def test_a_language_that_nobody_hears_is_read_as_english() -> None:
    assert form_of(MAIL, "max dot muster at example dot com", "xx") == "max.muster@example.com"
