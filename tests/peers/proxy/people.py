"""Every kind of personal data that Sordino knows, as it is written and as it is said on the telephone, and the search for it."""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote_plus

from tests.journeys.canaries import squeeze

SHORTEST = 6
"""Below this many letters and digits a value is looked for as a word of the requests' texts: ``57`` stands in many a port."""
UNCODED = 4
"""The first readings are those that are still texts."""
_CODED = re.compile(rb"[A-Za-z0-9+/_=-]{12,}")
_HEXED = re.compile(rb"(?:[0-9A-Fa-f]{2}){6,}")


@dataclass(frozen=True, slots=True)
class Secret:
    """``value`` stands in ``said`` as a person wrote or said it. No one of ``parts`` may reach a model either."""

    kind: str
    said: str
    value: str
    parts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        assert self.value in self.said, self.value

    @property
    def needles(self) -> tuple[str, ...]:
        return tuple(squeeze(each) for each in (self.value, *self.parts))


WRITTEN = (
    Secret("PERSON", "My name is Barnaby Thistlewood.", "Barnaby Thistlewood", ("Thistlewood", "Barnaby")),
    Secret("PHONE_NUMBER", "My phone number is (202) 555-0173.", "(202) 555-0173"),
    Secret("EMAIL_ADDRESS", "My e-mail is b.quillfeather@example.org.", "b.quillfeather@example.org", ("quillfeather",)),
    Secret("STREET_ADDRESS", "I live at 742 Larchmont Avenue.", "742 Larchmont Avenue", ("Larchmont",)),
    Secret("LOCATION", "I live in Chattanooga.", "Chattanooga"),
    Secret("ZIP_CODE", "My ZIP code is 37409.", "37409"),
    Secret("CREDIT_CARD", "My card number is 4012 8888 8888 1881.", "4012 8888 8888 1881", ("88881881",)),
    Secret("CVV", "The security code of the card is 947.", "947"),
    Secret("CARD_EXPIRY", "The card expires 09/2031.", "09/2031"),
    Secret("BANK_ACCOUNT", "My account number is 31926819.", "31926819"),
    Secret("IBAN_CODE", "My IBAN is DE89 3704 0044 0532 0130 00.", "DE89 3704 0044 0532 0130 00", ("05320130",)),
    Secret("US_SSN", "My social security number is 419-28-7653.", "419-28-7653"),
    Secret("DATE_OF_BIRTH", "I was born on 9 November 1973.", "9 November 1973"),
    Secret("AGE", "I am 57 years old.", "57"),
    Secret("PASSPORT", "My passport number is X4829175.", "X4829175", ("4829175",)),
    Secret("DRIVER_LICENSE", "My driver's license number is D6259483.", "D6259483", ("6259483",)),
    Secret("IN_AADHAAR", "My Aadhaar number is 9691 7493 7706.", "9691 7493 7706", ("74937706",)),
    Secret("IN_PAN", "My PAN card number is BQTPM4821K.", "BQTPM4821K"),
    Secret("UK_NHS", "My NHS number is 943 476 5919.", "943 476 5919"),
    Secret("UK_NINO", "My national insurance number is JG 10 37 59 A.", "JG 10 37 59 A"),
    Secret("MEDICAL_RECORD", "My medical record number is N773028.", "N773028"),
    Secret("MEMBER_ID", "My member ID is KPX3381927.", "KPX3381927", ("3381927",)),
    Secret("POLICY_NUMBER", "My policy number is HX5520187.", "HX5520187", ("5520187",)),
    Secret("USERNAME", "My username is bthistle_77.", "bthistle_77"),
    Secret("PASSWORD", 'My password is Wal"rus8842x.', 'Wal"rus8842x', ("rus8842x",)),
    Secret("PIN", "My PIN is 8306.", "8306"),
    Secret("ONE_TIME_CODE", "The one time passcode is 602915.", "602915"),
    Secret("IP_ADDRESS", "My router shows the address 84.196.13.158.", "84.196.13.158"),
    Secret("URL", "My shop page is www.quillandclock.com.", "www.quillandclock.com", ("quillandclock",)),
    Secret("VEHICLE_PLATE", "My number plate is KVB 8241.", "KVB 8241"),
    Secret("ID_NUMBER", "My customer number is 55019382.", "55019382"),
)
SPOKEN = (
    Secret("PERSON", "my name is odette ravensworth", "odette ravensworth", ("ravensworth", "odette")),
    Secret(
        "PHONE_NUMBER",
        "my phone number is four one five five five five oh one nine two",
        "four one five five five five oh one nine two",
    ),
    Secret(
        "EMAIL_ADDRESS", "my email is o dot marchbanks at example dot net", "o dot marchbanks at example dot net", ("marchbanks",)
    ),
    Secret("STREET_ADDRESS", "i live at nineteen bellweather crescent", "nineteen bellweather crescent", ("bellweather",)),
    Secret("LOCATION", "i live in albuquerque", "albuquerque"),
    Secret("ZIP_CODE", "my zip code is eight seven one oh four", "eight seven one oh four"),
    Secret(
        "CREDIT_CARD",
        "my card number is three seven eight two eight two two four six three one double oh five",
        "three seven eight two eight two two four six three one double oh five",
        ("three seven eight two eight two two",),
    ),
    Secret("CVV", "the three digits on the back are six one eight", "six one eight"),
    Secret("CARD_EXPIRY", "the card expires eleven twenty thirty two", "eleven twenty thirty two"),
    Secret(
        "BANK_ACCOUNT", "my account number is six eight two five three nine one seven", "six eight two five three nine one seven"
    ),
    Secret(
        "IBAN_CODE",
        "my iban is g b eight two w e s t one two three four five six nine eight seven six five four three two",
        "g b eight two w e s t one two three four five six nine eight seven six five four three two",
        ("nine eight seven six five four three two",),
    ),
    Secret(
        "US_SSN",
        "my social security number is five two one seven three eight four one six",
        "five two one seven three eight four one six",
    ),
    Secret("DATE_OF_BIRTH", "i was born on the fourteenth of june nineteen eighty one", "fourteenth of june nineteen eighty one"),
    Secret("AGE", "i am forty three years old", "forty three"),
    Secret("PASSPORT", "my passport number is k seven three nine one six two five", "k seven three nine one six two five"),
    Secret(
        "DRIVER_LICENSE", "my driving licence number is s eight four one nine two six five", "s eight four one nine two six five"
    ),
    Secret(
        "IN_AADHAAR",
        "my aadhaar number is two four six four one one one oh zero two two seven",
        "two four six four one one one oh zero two two seven",
    ),
    Secret("IN_PAN", "my pan card number is c l d p r seven three one six n", "c l d p r seven three one six n"),
    Secret(
        "UK_NHS",
        "my nhs number is four eight five seven seven seven three four five six",
        "four eight five seven seven seven three four five six",
    ),
    Secret("UK_NINO", "my national insurance number is c e four one two seven six three b", "c e four one two seven six three b"),
    Secret("MEDICAL_RECORD", "my medical record number is h five five two nine oh one", "h five five two nine oh one"),
    Secret("MEMBER_ID", "my member id is t r five double eight one two six", "t r five double eight one two six"),
    Secret("POLICY_NUMBER", "my policy number is p l seven three nine one two six", "p l seven three nine one two six"),
    Secret("USERNAME", "my user name is odette underscore raven", "odette underscore raven"),
    Secret("PASSWORD", "my password is marmalade seven seven two hash", "marmalade seven seven two hash", ("marmalade",)),
    Secret("PIN", "my pin is four seven one nine", "four seven one nine"),
    Secret("ONE_TIME_CODE", "the one time passcode is seven one double eight three four", "seven one double eight three four"),
    Secret(
        "IP_ADDRESS",
        "my router shows the address eighty four dot one nine three dot twelve dot one fifty nine",
        "eighty four dot one nine three dot twelve dot one fifty nine",
    ),
    Secret("URL", "my shop page is w w w dot iron marsh dot com", "w w w dot iron marsh dot com"),
    Secret("VEHICLE_PLATE", "my number plate is h j k four eight two six", "h j k four eight two six"),
    Secret("ID_NUMBER", "my customer number is nine one seven three oh two six four", "nine one seven three oh two six four"),
)
PEOPLE = (*WRITTEN, *SPOKEN)


def leaked(requests: Iterable[bytes], secrets: Iterable[Secret] = PEOPLE) -> list[str]:
    """What of the secrets stands in the raw bytes of requests: plain, in JSON's escapes, percent-encoded, as hex or base64."""
    wanted, found = tuple(secrets), []
    for raw in requests:
        texts = list(readings(raw))
        everything = [squeeze(text) for text in texts]
        words = frozenset().union(*map(_words, texts[:UNCODED]))
        for secret in wanted:
            for needle in secret.needles:
                short = len(needle) < SHORTEST
                if needle in words if short else any(needle in text for text in everything):
                    found.append(f"{secret.kind}: {needle}")
    return list(dict.fromkeys(found))


def missing(texts: Iterable[str], secrets: Iterable[Secret] = PEOPLE) -> list[str]:
    """The values that the client did not get back."""
    whole = squeeze(" ".join(texts))
    return [f"{secret.kind}: {secret.value}" for secret in secrets if squeeze(secret.value) not in whole]


def _words(text: str) -> frozenset[str]:
    """Single words and neighbours of up to three, squeezed: ``forty three`` is two words and one value."""
    single = [squeeze(word) for word in re.findall(r"[A-Za-z0-9]+", text)]
    return frozenset("".join(single[at : at + length]) for at in range(len(single)) for length in (1, 2, 3, 4))


def readings(raw: bytes) -> Iterator[str]:
    """What a reader could make of these bytes: as they are, unescaped, and everything in them that could be coded, decoded."""
    plain = raw.decode("utf-8", "replace")
    yield unescaped(plain)
    yield plain
    yield unquote_plus(plain)
    yield html.unescape(plain)
    for run in _CODED.findall(raw):
        standard = run.translate(bytes.maketrans(b"-_", b"+/"), b"=")
        for start in range(4):
            part = standard[start:]
            part = part[:-1] if len(part) % 4 == 1 else part
            yield base64.b64decode(part + b"=" * (-len(part) % 4)).decode("utf-8", "replace")
    for run in _HEXED.findall(raw):
        yield binascii.unhexlify(run).decode("utf-8", "replace")


def unescaped(text: str) -> str:
    """Without JSON's escapes, also those of JSON in a string of JSON."""
    for _ in range(3):
        text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
        text = re.sub(r'\\([\\"/nrtbf])', lambda found: " " if found[1] in "nrtbf" else found[1], text)
    return text
