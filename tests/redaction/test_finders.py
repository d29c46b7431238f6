"""What the rules for speech find in one utterance, as tables: the text, and the words that are private in it."""

from __future__ import annotations

import pytest

from gateway.redaction.finders import find_all
from gateway.redaction.heard import Heard
from gateway.redaction.spans import resolve

PRIVATE = [
    # Cards, as different recognisers write them.
    ("my card number is four five three two one one eight zero nine six six one two three four five",
     {"CREDIT_CARD": "four five three two one one eight zero nine six six one two three four five"}),
    ("My card number is 4532118096612345.", {"CREDIT_CARD": "4532118096612345"}),
    ("My card number is four, five, three, two. One, one, eight, zero, nine, six, six, one, two, three, four, five.",
     {"CREDIT_CARD": "four, five, three, two. One, one, eight, zero, nine, six, six, one, two, three, four, five"}),
    ("it's 4111 1111 1111 1111 thanks", {"CREDIT_CARD": "4111 1111 1111 1111"}),
    ("the card ending in 4321", {"CREDIT_CARD": "4321"}),
    ("The security code on the back is seven, three, one.", {"CVV": "seven, three, one"}),
    ("on the back it says two oh nine", {"CVV": "two oh nine"}),
    ("the expiry date is zero eight twenty seven", {"CARD_EXPIRY": "zero eight twenty seven"}),
    ("it's valid until march twenty twenty nine", {"CARD_EXPIRY": "march twenty twenty nine"}),
    ("my card number is four five", {"CREDIT_CARD": "four five"}),
    ("My card number is four, five, three, two.", {"CREDIT_CARD": "four, five, three, two"}),
    # Telephones.
    ("my phone number is five five five two three four nine eight seven six",
     {"PHONE_NUMBER": "five five five two three four nine eight seven six"}),
    ("My phone number is five, five, five, two, three. For nine, eight, seven, six.",
     {"PHONE_NUMBER": "five, five, five, two, three. For nine, eight, seven, six"}),
    ("you can reach me at plus four four seven nine one one one two three four five six",
     {"PHONE_NUMBER": "plus four four seven nine one one one two three four five six"}),
    ("call me back on 415-555-2671", {"PHONE_NUMBER": "415-555-2671"}),
    # Identity numbers.
    ("My social security number, is two, one, nine, zero, nine, nine, nine, nine, nine.",
     {"US_SSN": "two, one, nine, zero, nine, nine, nine, nine, nine"}),
    ("my policy number is nine zero zero four two two seven one", {"POLICY_NUMBER": "nine zero zero four two two seven one"}),
    ("passport number p as in peter four four five one two nine eight",
     {"PASSPORT": "p as in peter four four five one two nine eight"}),
    ("my national insurance number is q q one two three four five six c", {"UK_NINO": "q q one two three four five six c"}),
    ("the account number is double four seven one nine nine three", {"BANK_ACCOUNT": "double four seven one nine nine three"}),
    ("The IBAN is GB82 WEST 1234 5698 7654 32", {"IBAN_CODE": "GB82 WEST 1234 5698 7654 32"}),
    ("the code is five five oh one", {"ONE_TIME_CODE": "five five oh one"}),
    ("my pin is nine one one two", {"PIN": "nine one one two"}),
    # Mail, web, network.
    ("My email address is John Dot Smith at example Dot Com.", {"EMAIL_ADDRESS": "John Dot Smith at example Dot Com"}),
    ("write to j underscore doe forty two at gmail dot com", {"EMAIL_ADDRESS": "j underscore doe forty two at gmail dot com"}),
    ("it's ann.lee@example.org", {"EMAIL_ADDRESS": "ann.lee@example.org"}),
    ("my site is w w w dot green stone dot net", {"URL": "w w w dot green stone dot net"}),
    ("the address is one nine two dot one sixty eight dot one dot twenty",
     {"IP_ADDRESS": "one nine two dot one sixty eight dot one dot twenty"}),
    # Dates and ages.
    ("My date of birth is the third of March, nineteen eighty four.",
     {"DATE_OF_BIRTH": "the third of March, nineteen eighty four"}),
    ("I was born on June 7th 1990", {"DATE_OF_BIRTH": "June 7th 1990"}),
    ("born april twelve seventy one", {"DATE_OF_BIRTH": "april twelve seventy one"}),
    ("she is sixty two years old", {"AGE": "sixty two"}),
    # Places.
    ("I live at forty-two oak street in Springfield", {"STREET_ADDRESS": "forty-two oak street", "LOCATION": "Springfield"}),
    ("i'm at flat three twelve rose lane", {"STREET_ADDRESS": "flat three twelve rose lane"}),
    ("my zip code is nine oh two one oh", {"ZIP_CODE": "nine oh two one oh"}),
    # Names.
    ("My name is Jonathan Miller and I need help", {"PERSON": "Jonathan Miller"}),
    ("my name is jonathan miller and i need help", {"PERSON": "jonathan miller"}),
    ("an appointment with Dr. Williams on Tuesday", {"PERSON": "Williams"}),
    ("it's spelled k o w a l s k i", {"PERSON": "k o w a l s k i"}),
    ("K as in kilo, O, W, A, L", {"PERSON": "K as in kilo, O, W, A, L"}),
    # Credentials.
    ("my password is blue horse nine nine", {"PASSWORD": "blue horse nine nine"}),
    ("my username is ann underscore lee", {"USERNAME": "ann underscore lee"}),
]  # fmt: skip

HARMLESS = [
    "no i did not make that payment of one hundred and twenty nine dollars",
    "I want to book an appointment on Tuesday at ten thirty.",
    "open eight to six thirty on weekdays",
    "it costs twelve hundred and fifty dollars a month",
    "I have been waiting for my refund for more than three weeks.",
    "The order number is a B seven nine two four one.",
    "Can you tell me the balance of my checking account?",
    "your flight leaves from gate twenty two",
    "I'm five minutes away",
    "press one for sales and two for support",
    "I forgot my password and can't log in",
    "you pay six hundred fifty two eighty each quarter",
    "the contract started on the third of march twenty nineteen",
    "there is no way",
    "we deliver on the way to your place",
    "in may i will be away",
    "it is 20 degrees in the room",
    "yes that is correct",
    "",
]


@pytest.mark.parametrize(("said", "private"), PRIVATE)
def test_what_is_private_is_found_with_its_kind_and_its_exact_words(said: str, private: dict[str, str]) -> None:
    spans = resolve(said, find_all(Heard.of(said)))
    found = {str(span.entity): said[span.start : span.end] for span in spans}
    assert {kind: words for kind, words in found.items() if kind in private} == private


@pytest.mark.parametrize("said", HARMLESS)
def test_what_is_nobodys_secret_stays(said: str) -> None:
    assert [said[span.start : span.end] for span in resolve(said, find_all(Heard.of(said)))] == []


ANSWERS = [
    ("What is your date of birth?", "oh three one four eighty four", "DATE_OF_BIRTH"),
    ("Could you give me your phone number?", "sure, it's five five five two three", "PHONE_NUMBER"),
    ("And your account number, please?", "it's nine", "BANK_ACCOUNT"),
    ("What's your name?", "okay so marta lindqvist", "PERSON"),
    ("", "my number goes on", None),
    ("How long did you wait?", "two three hours", None),
    ("my card is <CREDIT_CARD_1>.", "One, one, eight, zero", "CREDIT_CARD"),
    ("<PERSON_1> it is", "One, one, eight", None),
]


@pytest.mark.parametrize(("before", "said", "kind"), ANSWERS)
def test_an_answer_is_understood_by_what_was_said_before(before: str, said: str, kind: str | None) -> None:
    spans = resolve(said, find_all(Heard.of(said, before)))
    assert [str(span.entity) for span in spans] == ([kind] if kind else [])


def test_a_hostile_text_of_ten_thousand_words_is_still_read() -> None:
    """No rule takes quadratic time on a long run of what it looks for: this ends well within the test's own limit."""
    for piece in ("four ", "a ", "dot com at ", "s t ", "12 oak ", "my name is ", "john dot "):
        said = piece * 2_000
        assert isinstance(find_all(Heard.of(said)), list)
