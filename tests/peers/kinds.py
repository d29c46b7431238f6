"""Thirty kinds of personal data as a caller would tell them, written and spoken: what a client sends through the proxy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Told:
    """``said`` is what a caller says; ``private`` stands in it word for word."""

    kind: str
    lead: str
    private: str

    @property
    def said(self) -> str:
        return f"{self.lead}{self.private}{self.end}"

    @property
    def end(self) -> str:
        if self.kind == "age":
            return " years old."
        return "" if self.kind.startswith("spoken") else "."


KINDS = (
    Told("name", "My name is ", "Barnaby Thistlewood"),
    Told("spoken name", "my name is ", "priya sharma"),
    Told("phone", "My phone number is ", "202-555-0173"),
    Told("spoken phone", "my phone number is ", "four one five five five five two six seven one"),
    Told("e-mail", "My email is ", "barnaby.thistlewood@example.org"),
    Told("spoken e-mail", "my email is ", "john dot miller at example dot com"),
    Told("card", "My card number is ", "4012 8888 8888 1881"),
    Told(
        "spoken card",
        "the card number is ",
        "five five five five five five five five five five five five four four four four",
    ),
    Told("security code", "The security code is ", "847"),
    Told("spoken security code", "the security code is ", "three nine one"),
    Told("expiry", "The card expires ", "08/29"),
    Told("SSN", "My social security number is ", "419-28-7653"),
    Told("spoken SSN", "my social security number is ", "two one nine zero nine nine nine nine eight"),
    Told("IBAN", "My IBAN is ", "DE89 3704 0044 0532 0130 00"),
    Told("account", "My account number is ", "7730912846"),
    Told("spoken account", "my account number is ", "eight eight one four two zero six six three"),
    Told("birth date", "I was born on ", "March 14, 1987"),
    Told("spoken birth date", "my date of birth is the ", "ninth of november nineteen seventy three"),
    Told("age", "I am ", "47"),
    Told("street", "I live at ", "1482 Maplewood Drive"),
    Told("spoken street", "my address is ", "twenty two oak street"),
    Told("postcode", "My zip code is ", "94107"),
    Told("passport", "My passport number is ", "X8271940"),
    Told("licence", "My driver's license number is ", "D4471829"),
    Told("Aadhaar", "My Aadhaar number is ", "2345 6789 0124"),
    Told("PAN", "My PAN is ", "ABCPE1234F"),
    Told("member number", "My member number is ", "M7724190"),
    Told("policy number", "My policy number is ", "HX-339-20817"),
    Told("medical record", "My medical record number is MRN ", "5520981"),
    Told("user name", "My username is ", "thistle_b77"),
    Told("password", "My password is ", "Qu4rtz-Lantern"),
    Told("PIN", "My PIN is ", "4821"),
    Told("spoken PIN", "my pin is ", "seven three zero nine"),
    Told("one-time code", "The code you sent me is ", "553918"),
    Told("network address", "My IP address is ", "203.0.113.77"),
    Told("web address", "My website is ", "https://thistlewood.example.com/me"),
    Told("number plate", "My license plate is ", "7XKR482"),
    Told("NHS number", "My NHS number is ", "943 476 5919"),
    Told("NI number", "My national insurance number is ", "QQ 12 34 56 C"),
)
