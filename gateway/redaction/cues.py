"""The words that say what a number is: "my card", "security code", "born", and those that say it is nothing private.

Each cue is a pattern over the normalised view with the lengths that it can announce. A number takes the nearest cue that fits it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.values import EntityType

HARMLESS = EntityType("")
"""The kind of a number that is nobody's: an order, a gate, a form."""


@dataclass(frozen=True, slots=True)
class Cue:
    """``least`` to ``most`` letters and digits in the value; ``letters``: it may hold letters."""

    entity: EntityType
    words: re.Pattern[str]
    least: int
    most: int
    letters: bool = False


def _cue(entity: str, words: str, least: int, most: int, *, letters: bool = False) -> Cue:
    return Cue(EntityType(entity), re.compile(rf"(?<![\w'])(?:{words})(?![\w])"), least, most, letters)


CUES: tuple[Cue, ...] = (
    _cue("CVV", r"security (?:code|number|digits)|c ?v ?[vc] ?2?|card verification(?: \w+)?|verification value", 3, 4),
    _cue("CVV", r"(?:on|at) the (?:back|front|reverse)|signature (?:strip|panel)|(?:last )?3 digits", 3, 4),
    _cue("CARD_EXPIRY", r"expir\w*|exp date|valid (?:until|thru|through|till|to)|good (?:until|thru|through|till)", 3, 6),
    _cue("CREDIT_CARD", r"(?:\w+ )?card(?: number| details)?|visa|master ?card|amex|american express|long number", 8, 19),
    _cue("CREDIT_CARD", r"card(?: number)?(?: is)?(?: the 1)? (?:ending|ends|that ends)(?: in| with)?|card.{0,20}last 4(?: digits)?", 4, 4),
    _cue("BANK_ACCOUNT", r"account(?: number| no)?|sort code|routing(?: number| code)?|transit number|ifsc|aba|bsb", 4, 18),
    _cue("BANK_ACCOUNT", r"checking|savings", 8, 17),
    _cue("IBAN_CODE", r"i ?b ?a ?n|iban number", 12, 34, letters=True),
    _cue("US_SSN", r"social(?: security)?(?: number)?|s ?s ?n|social(?: security)?.{0,20}last 4(?: digits)?", 4, 9),
    _cue("PHONE_NUMBER", r"(?:tele)?phone(?: number)?|mobile(?: number)?|cell(?:phone)?(?: number)?|landline|whats ?app|fax|area code", 3, 15),
    _cue("PHONE_NUMBER", r"(?:call|ring|reach|text|contact|phone|dial|get)(?:ing)? (?:me|us|him|her|them|you|back)|call ?back|voicemail", 6, 15),
    _cue("PHONE_NUMBER", r"(?:my|best|new|old|other|home|work|her|his|their|contact) number|numbers? on file|the line|caller id", 6, 15),
    _cue("PHONE_NUMBER", r"plus", 9, 15),
    _cue("DATE_OF_BIRTH", r"born(?: in| on)?|birth ?(?:day|date)?|dates? of birth|d ?o ?b", 3, 8),
    _cue("ZIP_CODE", r"zip(?: ?code)?|post ?code|postal code|pin ?code|area pin", 3, 9, letters=True),
    _cue("PASSPORT", r"passport(?: number| no)?", 6, 12, letters=True),
    _cue("DRIVER_LICENSE", r"(?:driver'?s?|driving) licen[cs]e(?: number| no)?|licen[cs]e number|d ?l number", 5, 18, letters=True),
    _cue("IN_AADHAAR", r"a[ad]+h?[ae]*r(?: card| number)*|uid", 4, 12),
    _cue("IN_PAN", r"(?:my|your|the) pan(?: card| number)*|pan (?:card|number|is)", 5, 10, letters=True),
    _cue("UK_NHS", r"n ?h ?s(?: number)?", 10, 10),
    _cue("UK_NINO", r"national insurance(?: number)?|n ?i number|nino", 6, 13, letters=True),
    _cue("MEDICAL_RECORD", r"medical record(?: number)?|m ?r ?n|patient (?:id|i d|number)|chart number|hospital number", 4, 12, letters=True),
    _cue("MEMBER_ID", r"member(?:ship)?(?: id| i d| number| card)?|subscriber (?:id|number)|insurance id|group number", 4, 14, letters=True),
    _cue("POLICY_NUMBER", r"policy(?: number| no)?|cover number|certificate number", 4, 16, letters=True),
    _cue("PIN", r"pin(?: number)?|p i n", 4, 6),
    _cue("ONE_TIME_CODE", r"(?:pass)?code|one ?time(?: \w+)?|1 time(?: \w+)?|verification(?: \w+)?|o ?t ?p", 4, 8),
    _cue("VEHICLE_PLATE", r"(?:licen[cs]e |number |registration )?plates?|registration(?: number)?|reg(?: number)?|tag number", 4, 12, letters=True),
    _cue("", r"order(?: number)?|booking(?: \w+)?|confirmation(?: \w+)?|ticket(?: number)?|reference(?: number)?|case number|invoice", 1, 20, letters=True),
    _cue("", r"flight(?: number)?|gate|form|error(?: \w+)?|model(?: number)?|version|tracking(?: number)?|channel|ext(?:ension)?|tv", 1, 20, letters=True),
    _cue("", r"windows|iphone|galaxy|android|number(?=s? \d\b)|option|press|queue|aisle|room|seat|terminal|platform|section|article", 1, 20, letters=True),
)  # fmt: skip

QUESTIONS: tuple[Cue, ...] = (
    *(cue for cue in CUES if cue.entity),
    _cue("PHONE_NUMBER", r"(?:best |what |which )?number (?:can|could|should|do|to|we|you)|reach you|call you(?: back)?", 3, 15),
    _cue("DATE_OF_BIRTH", r"when were you born|how old", 1, 8),
)
"""What the other side's last turn asked for."""

UNITS = re.compile(
    r"\s?(?:dollars?|bucks?|cents?|pounds?|pence|euros?|rupees?|quid|percent|per cent|%|minutes?|mins?|hours?|days?|weeks?|months?|"
    r"years?|seconds?|secs?|times?|gigs?|gigabytes?|gb|mb|megs?|megabits?|mbps|kilos?|kilograms?|grams?|kg|miles?|kilomet\w+|km|meters?|"
    r"feet|inch(?:es)?|degrees?|items?|people|persons?|units?|boxes|parcels?|packages?|tickets?|nights?|guests?|points?|a ?m|p ?m|o'clock|"
    r"million|billion|lakhs?|crores?|working days?|business days?|k|milligrams?|mg|tablets?|pills?|channels?|lines?)(?![\w])"
)
"""A number before one of these is an amount."""


def nearest(cues: Iterable[Cue], text: str, start: int, end: int, *, before: int, after: int) -> list[Cue]:
    """The cues around ``text[start:end]``, nearest first: up to ``before`` characters ahead of it, ``after`` behind it."""
    low, high = max(0, start - before), min(len(text), end + after)
    found: list[tuple[int, int, Cue]] = []
    for order, cue in enumerate(cues):
        found += [(start - hit.end(), order, cue) for hit in cue.words.finditer(text, low, start)]
        if after:
            # What stands behind is weaker than what stands as near ahead.
            found += [(hit.start() - end + 25, order, cue) for hit in cue.words.finditer(text, end, high)]
    return [cue for _, _, cue in sorted(found, key=lambda each: each[:2])]
