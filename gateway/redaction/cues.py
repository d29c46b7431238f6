"""The words that say what a number is: "my card", "security code", "born", and those that say it is nothing private.

Each cue is a pattern over the normalised view with the lengths that it can announce. A number takes the nearest cue that fits it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

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


_NO_WORD_BEFORE = r"(?<![\w'])"
_APART = r"(?: \|)?[ .]?"
"""Between the letters of an abbreviation: "cvv", "c v v", "C. V. V."."""


def cue(entity: str, least: int, most: int, *words: str, letters: bool = False) -> Cue:
    return Cue(
        EntityType(entity),
        re.compile(rf"{_NO_WORD_BEFORE}(?:{'|'.join(words).replace(' ?', _APART)})(?![\w])"),
        least,
        most,
        letters,
    )


class Cues(tuple[Cue, ...]):
    """A table of cues, which knows where any of them begins: a text is searched once, not once for each."""

    @cached_property
    def _everywhere(self) -> re.Pattern[str]:
        """Matches the empty stretch at the beginning of every word where some cue stands; a group for each cue that does."""
        ways = [each.words.pattern.removeprefix(_NO_WORD_BEFORE) for each in self]
        return re.compile(rf"{_NO_WORD_BEFORE}(?={'|'.join(ways)})" + "".join(rf"(?:(?=({way}))|)" for way in ways))

    def said(self, text: str, low: int, high: int) -> Iterator[tuple[int, int, int]]:
        """Number, beginning and end of each cue in ``text[low:high]``; those of one cue do not overlap."""
        past: dict[int, int] = {}
        for hit in self._everywhere.finditer(text, low, high):
            at = hit.start()
            for order, words in enumerate(hit.groups()):
                if words is not None and at >= past.get(order, low):
                    past[order] = at + len(words)
                    yield order, at, at + len(words)


CUES = Cues(
    (
        cue(
            "CVV",
            3,
            4,
            r"security (?:code|number|digits)",
            r"c ?v ?[vc] ?2?",
            r"card verification(?: \w+)?",
            r"verification value",
        ),
        cue(
            "CVV",
            3,
            4,
            r"(?:on|at) the (?:back|front|reverse)",
            r"signature (?:strip|panel)",
            r"(?:last )?3 (?:digits?|numbers|figures)",
        ),
        cue(
            "CARD_EXPIRY",
            3,
            6,
            r"expir\w*",
            r"(?:runs|run|ran) (?:out|up)",
            r"end date",
            r"exp date",
            r"valid (?:until|thru|through|till|to)",
            r"good (?:until|thru|through|till)",
        ),
        cue(
            "CREDIT_CARD",
            8,
            19,
            r"(?:\w+ )?card(?: number| details)?",
            r"visa",
            r"master ?card",
            r"amex",
            r"american express",
            r"long number",
        ),
        cue(
            "CREDIT_CARD",
            4,
            4,
            r"card(?: number)?(?: is)?(?: the 1)? (?:ending|ends|that ends)(?: in| with)?",
            r"card.{0,20}last 4(?: digits)?",
        ),
        cue(
            "BANK_ACCOUNT",
            4,
            18,
            r"account(?: number| no)?(?: (?:ending|ends)(?: in| with)?)?",
            r"sort code",
            r"routing(?: number| code)?",
            r"transit number",
            r"ifsc",
            r"aba",
            r"bsb",
        ),
        cue("CREDIT_CARD", 4, 4, r"cards?(?: [a-z']+){0,3} \Z", r"(?:last|final|laughed|lost) 4(?: digits?| numbers?| figures)?"),
        # "last four seven one oh two": the count runs together with the digits.
        cue("CREDIT_CARD", 5, 5, r"(?:last|final) \Z"),
        cue("PHONE_NUMBER", 3, 5, r"number (?:that )?(?:ending|ends|finishing|finishes)(?: in| with)?"),
        cue("BANK_ACCOUNT", 8, 17, r"checking", r"savings"),
        cue("IBAN_CODE", 12, 34, r"i ?b ?a ?n", r"iban number", letters=True),
        cue(
            "US_SSN",
            4,
            9,
            r"social(?: security)?(?: number)?(?: (?:ending|ends)(?: in| with)?)?",
            r"s ?s ?n",
            r"social(?: security)?.{0,20}last 4(?: digits)?",
        ),
        cue(
            "PHONE_NUMBER",
            3,
            15,
            r"(?:tele)?phone(?: number)?",
            r"mobile(?: number)?",
            r"cell(?:phone)?(?: number)?",
            r"landline",
            r"whats ?app",
            r"fax",
            r"area code",
        ),
        cue(
            "PHONE_NUMBER",
            6,
            15,
            r"(?:call|ring|reach|text|contact|phone|dial|get)(?:ing)? (?:me|us|him|her|them|you|back)",
            r"call ?back",
            r"voicemail",
        ),
        cue(
            "PHONE_NUMBER",
            6,
            15,
            r"(?:my|best|new|old|other|home|work|her|his|their|contact) number",
            r"numbers? on file",
            r"the line",
            r"caller id",
        ),
        cue("PHONE_NUMBER", 9, 15, r"plus"),
        cue(
            "DATE_OF_BIRTH",
            3,
            8,
            r"born(?: in| on)?",
            r"birth ?(?:day|date)?(?:'s)?",
            r"c[ao]me into (?:the|this) world",
            r"dates? of birth",
            r"d ?o ?b",
        ),
        cue("ZIP_CODE", 3, 9, r"zip(?: ?code)?", r"post ?code", r"postal code", r"pin ?code", r"area pin", letters=True),
        cue("PASSPORT", 6, 12, r"passport(?: number| no)?", letters=True),
        cue(
            "DRIVER_LICENSE",
            5,
            18,
            r"(?:driver'?s?|driving) licen[cs]e(?: number| no)?",
            r"licen[cs]e number",
            r"d ?l number",
            letters=True,
        ),
        cue("IN_AADHAAR", 4, 12, r"a[ad]+h?[ae]*r(?: card| number)*", r"uid"),
        cue("IN_PAN", 5, 10, r"(?:my|your|the) pan(?: card| number)*", r"pan (?:card|number|is)", letters=True),
        cue("UK_NHS", 10, 10, r"n ?h ?s(?: number)?"),
        cue("UK_NINO", 6, 13, r"national insurance(?: number)?", r"n ?i number", r"nino", letters=True),
        cue(
            "MEDICAL_RECORD",
            4,
            12,
            r"(?:medical )?record(?: number)?",
            r"m ?r ?n",
            r"patient (?:id|i d|number)",
            r"chart number",
            r"hospital number",
            letters=True,
        ),
        cue(
            "MEMBER_ID",
            4,
            14,
            r"member(?:ship)?(?: id| i d| number| card)?",
            r"subscriber (?:id|number)",
            r"insurance id",
            r"group number",
            letters=True,
        ),
        cue("POLICY_NUMBER", 4, 16, r"policy(?: number| no)?", r"cover number", r"certificate number", letters=True),
        cue(
            "PIN",
            4,
            6,
            r"pin(?: number| code)?",
            r"p i n",
            r"(?:my|your|the|new|old) pen(?: number)?(?: is|'s| to| was)",
            r"keypad",
        ),
        cue(
            "ONE_TIME_CODE",
            4,
            8,
            r"(?:pass)?code",
            r"one ?time(?: \w+)?",
            r"1 time(?: \w+)?",
            r"verification(?: \w+)?",
            r"o ?t ?p",
            letters=True,
        ),
        cue(
            "VEHICLE_PLATE",
            4,
            12,
            r"(?:licen[cs]e |number |registration )?plates?",
            r"registration(?: number)?",
            r"reg(?: number)?",
            r"tag(?: number)?",
            letters=True,
        ),
        cue(
            "",
            1,
            20,
            r"order(?: number)?",
            r"booking(?: \w+)?",
            r"confirmation(?: \w+)?",
            r"ticket(?: number)?",
            r"reference(?: number)?",
            r"case number",
            r"(?:error|promo\w*|discount|voucher|coupon|country|product|bar|source|q ?r|dress) code",
            r"invoice",
            letters=True,
        ),
        cue(
            "",
            1,
            20,
            r"flight(?: number)?",
            r"gate",
            r"form",
            r"error(?: \w+)?",
            r"model(?: number)?",
            r"version",
            r"tracking(?: number)?",
            r"channel",
            r"ext(?:ension)?",
            r"tv",
            r"(?:meter|gas|electric\w*|water) reading(?:s)?",
            r"readings?",
            r"meter",
            r"mileage",
            r"odometer",
            r"(?:postal|serial|part|item|product|stock) number",
            r"sku",
            r"step",
            r"page",
            r"chapter",
            r"question",
            r"bus",
            r"train",
            letters=True,
        ),
        cue(
            "",
            1,
            20,
            r"windows",
            r"iphone",
            r"galaxy",
            r"android",
            r"option",
            r"press",
            r"queue",
            r"aisle",
            r"room",
            r"seat",
            r"terminal",
            r"platform",
            r"section",
            r"article",
            letters=True,
        ),
    )
)

SOME_NUMBER = cue("ID_NUMBER", 6, 20, r"(?:number|id|i d)(?: is| was|'s)?", letters=True)
"""A number that nobody said more about, or whose announcement was garbled."""

SHORT_NUMBER = cue(
    "ID_NUMBER",
    3,
    20,
    r"(?:numbers?|digits?|codes?|id|i d|chart|ending|ends|finishes|finishing)(?: in| with)?"
    r"(?:(?: \|)? (?:is|are|was|were|'s|it's|its|that's|would be))?(?: \|)? \Z",
)
"""Words right before a number of few digits that make it somebody's: "the digits are 044"."""

QUESTIONS = Cues(
    (
        *(cue for cue in CUES if cue.entity),
        cue(
            "PHONE_NUMBER",
            3,
            15,
            r"(?:best |what |which )?number (?:can|could|should|do|to|we|you)",
            r"reach you",
            r"call you(?: back)?",
        ),
        cue("DATE_OF_BIRTH", 1, 8, r"when were you born", r"when was (?:he|she) born"),
        cue("AGE", 1, 3, r"how old", r"(?:your|his|her|their|patient's|child's) age", r"what age", r"age"),
    )
)
"""What the other side's last turn asked for."""

_BEHIND = 25

UNITS = re.compile(
    r"\s?(?:dollars?|bucks?|cents?|pounds?|pence|euros?|rupees?|quid|percent|per cent|%|minutes?|mins?|hours?|days?|weeks?|"
    r"months?|years?|seconds?|secs?|times?|gigs?|gigabytes?|gb|mb|megs?|megabits?|mbps|kilos?|kilograms?|grams?|kg|miles?|"
    r"kilomet\w+|km|meters?|feet|inch(?:es)?|degrees?|items?|people|persons?|units?|boxes|parcels?|packages?|tickets?|"
    r"nights?|guests?|points?|a ?m|p ?m|o'clock|million|billion|lakhs?|crores?|(?:working|business) days?|k|milligrams?|mg|"
    r"tablets?|pills?|channels?|lines?)(?![\w])"
)
"""A number before one of these is an amount."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A cue near a number. ``end``: where its words end in the view, when they stand before the number; else None."""

    cue: Cue
    end: int | None
    distance: int


def nearest(cues: Cues, text: str, start: int, end: int, *, before: int, after: int) -> list[Cue]:
    """The cues around ``text[start:end]``, nearest first: up to ``before`` characters ahead of it, ``after`` behind it.

    A pattern sees no further than the number: ``\\Z`` in it means "right before the number".
    """
    return [hit.cue for hit in hits(cues, text, start, end, before=before, after=after)]


def hits(cues: Cues, text: str, start: int, end: int, *, before: int, after: int) -> list[Hit]:
    """The same, with where each stands."""
    found = [
        (start - last, first - last, order, Hit(cues[order], last, start - last))
        for order, first, last in cues.said(text, max(0, start - before), start)
    ]
    if after:
        # What stands behind is weaker than what stands as near ahead.
        found += [
            (first - end + _BEHIND, first - last, order, Hit(cues[order], None, first - end + _BEHIND))
            for order, first, last in cues.said(text, end, min(len(text), end + after))
        ]
    return [hit for _, _, _, hit in sorted(found, key=lambda each: each[:3])]
