"""Names that the speaker announces ("my name is", "doctor"), answers with, or spells letter by letter."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.redaction.codes import LETTER
from gateway.redaction.english import COMMON_WORDS, MONTHS, STREET_WORDS, any_of
from gateway.redaction.heard import Heard
from gateway.values import Span

_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
_TITLES = frozenset({"mr", "mrs", "ms", "mister", "missus", "dr", "doctor", "prof", "professor", "nurse", "madam", "sir"})
_RELATION = (
    "husband|wife|son|daughter|mother|father|mom|dad|brother|sister|spouse|partner|friend|colleague|neighbou?r|boss|"
    "uncle|aunt|landlord"
)
_ANNOUNCED = re.compile(
    r"(?<![\w'])(?:name(?:'s| is| was)|surname(?:'s| is)?|(?:registered|belongs|addressed) to|under (?:the name(?: of)?)?|"
    r"in the name(?: of)?|account holder(?:'s)?(?: name)?(?: is)?|named|on behalf of|(?:you're )?speaking (?:to|with)|i'm called|"
    r"they call me|call me|name on the \w+(?: is)?|(?:leave|left) it with|signed (?:for )?by|"
    r"(?:parcel|package|gift|order|delivery|letter|prescription|appointment)(?: is| was)? for) "
)
_ROLE = (
    r"(?:(?:our|your|my|the|his|her|their|a) )?(?:delivery |emergency |account |policy |card ?|new |main |lead |first |second )*"
    r"(?:driver|courier|engineer|technician|electrician|plumber|mechanic|carer|caregiver|manager|advis[eo]r|patient|passenger|client|"
    r"customer|policyholder|cardholder|holder|beneficiary|recipient|tenant|landlady|applicant|guest|witness|insured|contact|"
    r"lawyer|dentist|therapist|surgeon|consultant|physician|midwife|solicitor|accountant|teacher|receptionist|colleague|fianc[eé]e?|"
    r"girlfriend|boyfriend|grand(?:mother|father|son|daughter|ma|pa)|niece|nephew|cousin|mum|baby|twin|flatmate|roommate|caller)"
)
_BY_ROLE = re.compile(
    rf"(?<![\w'])(?:{_ROLE})(?: (?:1|2|3|one|two))?(?P<is>(?: in [a-z ]{{2,30}}?)?(?: is| was| will be|'s| named| called| name(?: is)?))?(?: \|)? "
)
_RENAMED = re.compile(r"(?<![\w'])(?:name|surname|names) (?:\w+ ){0,2}?from (?P<old>[a-z'-]+(?: [a-z'-]+)?) to ")
_BESIDE_NUMBER = re.compile(r"(?:(?<=\d )|(?<=\d \| )|(?<= \| ))(?:and )?(?:the )?name ")
_READ_BACK = re.compile(
    r"(?<![\w'])(?:so that's|so that is|so it's|so i have|i have you as|so you're|that's) (?=[a-z'-]+ [a-z' -]*\d)"
)
_ADDRESSED = re.compile(
    r"(?:^|\| )(?:perfect|great|thanks|thank you|lovely|alright|all right|okay|ok|hi|hello|hey|good (?:morning|afternoon|evening)|"
    r"wonderful|right|excellent|brilliant|no problem|welcome(?: back)?|sorry) "
)
_THEN_YOU = re.compile(
    r"(?: \|)? (?:your|can i|can you|could (?:i|you)|may i|what|what's|let me|i see|i have|i've|i can|i'll|and what|is there|is that|"
    r"is the|how|we|we've|we'll|do you|did you|it's|this is)(?![\w'])"
)
_NO_VOCATIVE = re.compile(r"[a-z]+(?:ing|ed|ly|ion|ment|ness|s)\Z")
_TITLE = re.compile(rf"(?<![\w'])(?:{any_of(_TITLES)})(?: \|)?\.? ")
_FAMILY = re.compile(rf"(?<![\w'])(?:{_RELATION})(?: is| named| called)?(?: \|)? ")
_CAPITALISED = re.compile(
    r"(?<![\w'])(?:this is|i'm|i am|it's|it is|hi|hello|hey|thanks|thank you|perfect|great|alright|all right|"
    r"for|with|from|by|and|so that's) "
)
_GOES_ON = re.compile(
    r" \||$|'s| (?:is|was|has|had|and|as|who|will|would|needs|wants|can|said|called|lives|at|on|rang|came|comes|arrived|left|texted|"
    r"told|took|phoned|delivered|dropped|picked|didn't|doesn't|should|in|from|with|about|to|\d+|for|because|but|but nobody)(?![\w'])"
)
_ASKED = re.compile(r"(?<![\w'])(?:name|who am i speaking|who is (?:this|calling)|who's (?:this|calling)|speaking with)(?![\w'])")
_LEAD = re.compile(
    r"(?:(?:sure|yes|yeah|yep|ok|okay|so|well|it's|it is|this is|that's|of course|i'm|my name is|the name's|hi)(?: \|)? )*"
)
_JOINT = r"(?:(?: \|)?[ -]+(?:(?:and|then|and then|hyphen|dash|apostrophe|uh|space|new word) )?)"
_SPELLED = re.compile(rf"(?<![\w'@.]){LETTER}(?:{_JOINT}{LETTER}){{2,}}")
_SPELLS = re.compile(r"(?<![\w'])(?:spell\w*|spelt|letter by letter)(?![\w'])")
_SPELLED_SIGN = re.compile(
    rf"(?<![\w']){LETTER}|(?<![\w'])(?:see|be|are|you|why|tea|pea|oh|eye|and|double|then|as in|\d)(?![\w'])(?: [a-z]+(?= as in))?"
)
_FULL_NAME = re.compile(r"(?<![\w'])(?P<name>[a-z'-]{2,}(?: [a-z'-]{2,})?)(?: \|)?(?: that's| so| it's| is)?(?: \|)? \Z")
_SPELLING_CUE = re.compile(r"spell|spelt|name|that's|letter")
_LETTERS_ALONE = 4
"""So many letters in a row are a spelled name even when nobody said so; "u s a" and "n h s" are shorter."""


def find(heard: Heard) -> list[Span]:
    """Names after their announcement, as an answer, and spelled."""
    return [*_announced(heard), *_by_role(heard), *_addressed(heard), *_answered(heard), *_spelled(heard)]


def _announced(heard: Heard) -> Iterator[Span]:
    text = heard.view.text
    for match in _ANNOUNCED.finditer(text):
        yield from _person(heard, match.end(), _name(heard, match.end(), 4), 0.85, "words after an announcement of a name")
    for match in _TITLE.finditer(text):
        yield from _person(heard, match.end(), _name(heard, match.end(), 3), 0.8, "words after a title")
    for match in _FAMILY.finditer(text):
        end = _name(heard, match.end(), 3)
        if _GOES_ON.match(text, end):
            yield from _person(heard, match.end(), end, 0.6, "words after a relation")
    for match in _CAPITALISED.finditer(text):
        end = _name(heard, match.end(), 3, capital=True)
        yield from _person(heard, match.end(), end, 0.6, "capitalised words where people are named")


def _by_role(heard: Heard) -> Iterator[Span]:
    """People by what they do ("our driver chioma rang"), renamed, beside their number, or read back before it."""
    text = heard.view.text
    for match in _BY_ROLE.finditer(text):
        end = _name(heard, match.end(), 3)
        if match["is"] or _GOES_ON.match(text, end):
            yield from _person(heard, match.end(), end, 0.6, "words after what somebody does")
    for match in _RENAMED.finditer(text):
        yield from _person(heard, match.start("old"), _name(heard, match.start("old"), 2), 0.7, "a name that was changed")
        yield from _person(heard, match.end(), _name(heard, match.end(), 3), 0.7, "a name that was changed")
    for match in _BESIDE_NUMBER.finditer(text):
        yield from _person(heard, match.end(), _name(heard, match.end(), 3), 0.6, "a name beside a number")
    for match in _READ_BACK.finditer(text):
        end = _name(heard, match.end(), 4)
        if re.compile(r"(?: \|)? (?:flat |apartment |unit |number )?\d").match(text, end):
            yield from _person(heard, match.end(), end, 0.6, "a name read back before an address")


def _addressed(heard: Heard) -> Iterator[Span]:
    """ "Perfect, noor, your new number is": somebody who is spoken to."""
    text = heard.view.text
    for match in _ADDRESSED.finditer(text):
        end = _name(heard, match.end(), 2)
        words = text[match.end() : end].split()
        if words and _THEN_YOU.match(text, end) and not any(_NO_VOCATIVE.match(word) for word in words):
            yield from _person(heard, match.end(), end, 0.55, "somebody who is spoken to")


def _person(heard: Heard, start: int, end: int, score: float, why: str) -> Iterator[Span]:
    if end > start:
        yield heard.span(start, end, "PERSON", score, "name", why)


def _answered(heard: Heard) -> Iterator[Span]:
    """The beginning of an answer, when the turn before asked for a name."""
    if _ASKED.search(heard.previous):
        lead = _LEAD.match(heard.view.text)
        start = lead.end() if lead else 0
        yield from _person(heard, start, _name(heard, start, 4), 0.7, "an answer to the question for a name")


def _name(heard: Heard, at: int, most: int, *, capital: bool = False) -> int:
    """The end of a name that begins at ``at``: words that no sentence is made of. ``at`` itself when there is none."""
    text, end = heard.view.text, at
    for count, word in enumerate(_WORD.finditer(text, at)):
        said = word.group().removesuffix("'s")
        initial = len(said) == 1 and count > 0
        gap = text[end : word.start()]
        # "Ann B. Lee": the full stop of an initial ends no sentence.
        together = gap in ("", " ") or (gap == " | " and end - text.rfind(" ", 0, end) == 2)
        if count == most or not together or said in MONTHS or said in _TITLES or (said in STREET_WORDS and count > 0):
            break
        if said in COMMON_WORDS and not initial:
            break
        if capital and not heard.view.words(word.start(), word.end())[:1].isupper():
            break
        end = word.end()
    return end


def _is_initial(text: str, at: int) -> bool:
    """Whether a single letter at the beginning is an initial: another follows, or a full stop, or a word that is no everyday word."""
    following = re.compile(r"(?:(?: \|)? (?P<initial>[a-z])(?![\w'])| (?P<word>[a-z'-]{2,}))").match(text, at)
    return following is not None and (following["initial"] is not None or following["word"] not in COMMON_WORDS)


def _spelled(heard: Heard) -> Iterator[Span]:
    text = heard.view.text
    for match in _SPELLED.finditer(text):
        letters = len(re.findall(LETTER, match.group()))
        announced = _SPELLING_CUE.search(text, max(0, match.start() - 40), match.start()) or _ASKED.search(heard.previous)
        if (letters >= _LETTERS_ALONE or announced) and not match.group().startswith("w w w"):
            start = _full_name(text, match.start())
            yield heard.span(start, match.end(), "PERSON", 0.7, "name", "letters said one by one")
    for match in _SPELLS.finditer(text):
        signs = list(_SPELLED_SIGN.finditer(text, match.end()))
        words = len(text[match.end() :].split())
        if len(signs) >= _LETTERS_ALONE and len(signs) * 2 >= words:
            yield heard.span(signs[0].start(), signs[-1].end(), "PERSON", 0.55, "name", "what follows a word of spelling")


def _full_name(text: str, start: int) -> int:
    """Where the name begins that is spelled: "marsh m a r s h" begins with itself."""
    before = _FULL_NAME.search(text, max(0, start - 40), start)
    name = before["name"].split()[-1] if before else ""
    if before and name and name[0] == text[start] and name not in COMMON_WORDS:
        return before.start("name") + len(before["name"]) - len(name)
    return start
