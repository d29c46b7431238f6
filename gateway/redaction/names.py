"""Names that the speaker announces ("my name is", "doctor"), answers with, or spells letter by letter."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.redaction.codes import LETTER
from gateway.redaction.cues import UNITS
from gateway.redaction.english import ABBREVIATIONS, COMMON_WORDS, MONTHS, STREET_WORDS, SURNAMES_TOO, any_of
from gateway.redaction.heard import Heard, Phrase
from gateway.redaction.no_names import NO_NAMES
from gateway.values import Span

_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
_TITLES = frozenset({"mr", "mrs", "ms", "mister", "missus", "dr", "doctor", "prof", "professor", "nurse", "madam", "sir"})
_RELATION = (
    "husband|wife|son|daughter|mother|father|mom|dad|brother|sister|spouse|partner|friend|colleague|neighbou?r|boss|"
    "uncle|aunt|landlord"
)
_ANNOUNCED = Phrase.of(
    re.compile(
        r"(?<![\w'])(?:name(?:'s| is| was)|surname(?:'s| is)?|(?:registered|belongs|addressed) to|under(?: the name(?: of)?)?|"
        r"in the name(?: of)?|account holder(?:'s)?(?: name)?(?: is)?|named|on behalf of|(?:you're )?speaking (?:to|with)|"
        r"i'm called|"
        r"they call me|call me|name (?:on|of) the \w+(?: is)?|(?:leave|left) it with|signed(?: for)?(?: by)?|"
        r"(?:parcel|package|gift|order|delivery|letter|prescription|appointment)(?: is| was)? for) "
    ),
    """name surname registered belongs addressed under account behalf called call signed named speaking left leave parcel
    package gift order delivery letter prescription appointment""",
)
_ROLE = (
    r"(?:(?:our|your|my|the|his|her|their|a) )?(?:delivery |emergency |account |policy |card ?|new |main |lead |first |"
    r"second )*"
    r"(?:driver|courier|engineer|technician|electrician|plumber|mechanic|carer|caregiver|manager|advis[eo]r|patient|"
    r"passenger|client|"
    r"customer|policyholder|cardholder|holder|beneficiary|recipient|tenant|landlady|applicant|guest|witness|insured|contact|"
    r"lawyer|dentist|therapist|surgeon|consultant|physician|midwife|solicitor|accountant|teacher|receptionist|colleague|"
    r"fianc[eé]e?|"
    r"girlfriend|boyfriend|grand(?:mother|father|son|daughter|ma|pa)|niece|nephew|cousin|mum|baby|twin|flatmate|roommate|"
    r"caller)"
)
_BY_ROLE = Phrase.of(
    re.compile(
        rf"(?<![\w'])(?:{_ROLE})(?: (?:1|2|3|one|two))?(?P<is>(?: in [a-z ]{{2,30}}?)?(?: is| was| will be|'s| named| called|"
        rf" name(?: is)?))?(?: \|)? "
    ),
    """driver courier engineer technician electrician plumber mechanic carer caregiver manager adviser advisor patient
    passenger client customer policyholder cardholder holder beneficiary recipient tenant landlady applicant guest witness
    insured contact lawyer dentist therapist surgeon consultant physician midwife solicitor accountant teacher
    receptionist colleague fiance fiancé fiancee fiancée girlfriend boyfriend grandmother grandfather grandson
    granddaughter grandma grandpa niece nephew cousin mum baby twin flatmate roommate caller""",
)
_RENAMED = Phrase.of(
    re.compile(r"(?<![\w'])(?:name|surname|names) (?:\w+ ){0,2}?from (?P<old>[a-z'-]+(?: [a-z'-]+)?) to "),
    """name surname names""",
)
_BESIDE_NUMBER = Phrase.of(
    re.compile(r"(?:(?<=\d )|(?<=\d \| )|(?<= \| ))(?:and )?(?:the )?name "),
    """name""",
)
_READ_BACK = re.compile(
    r"(?<![\w'])(?:so that's|so that is|so it's|so i have|i have you as|so you're|that's) (?=[a-z'-]+ [a-z' -]*\d)"
)
_ADDRESS = re.compile(r"(?: \|)? (?:flat |apartment |unit |number )?\d")
_IS_THERE = Phrase.of(
    re.compile(r"(?:^|\| )(?:is|was) "),
    """there available around today home office free""",
)
_THERE = re.compile(r" (?:there|available|around|in today|home|in the office|at home|free)(?![\w'])")
_ADDRESSED = Phrase.of(
    re.compile(
        r"(?:^|\| )(?:perfect|great|thanks|thank you|lovely|alright|all right|okay|ok|hi|hello|hey|good (?:morning|afternoon|"
        r"evening)|"
        r"wonderful|right|excellent|brilliant|no problem|welcome(?: back)?|sorry) "
    ),
    """perfect great thanks thank lovely alright all okay ok hi hello hey good wonderful right excellent brilliant no welcome
    sorry""",
)
_AT_THE_END = re.compile(
    r"(?:(?<=\d{4})|(?<=\.com)|dot (?:com|net|org|uk|in|de|io)|(?<![\w'])(?:for me|please|thanks|thank you|today|anything else|"
    r"no problem|of course|one moment|you're welcome|good ?bye|bye|take care))(?: \|)? "
)
_END = re.compile(r"(?: \|)*\Z")
_DOWN_AS = Phrase.of(
    re.compile(
        r"(?<![\w'])(?:we have|i have|we've got|i've got) (?=[a-z' -]{2,40} (?:down as|on file|on record|registered|listed))"
    ),
    """down file record registered listed""",
)
_THEN_YOU = re.compile(
    r"(?: \|)? (?:your|can i|can you|could (?:i|you)|may i|what|what's|let me|i see|i have|i've|i can|i'll|and what|is there|"
    r"is that|"
    r"is the|how|we|we've|we'll|do you|did you|it's|this is)(?![\w'])"
)
_NO_VOCATIVE = re.compile(r"[a-z]+(?:ing|ed|ly|ion|ment|ness|s)\Z")
_TITLE = Phrase(re.compile(rf"(?<![\w'])(?:{any_of(_TITLES)})(?: \|)?\.? "), _TITLES)
_FAMILY = Phrase.of(
    re.compile(rf"(?<![\w'])(?:{_RELATION})(?: is| named| called)?(?: \|)? "),
    """husband wife son daughter mother father mom dad brother sister spouse partner friend colleague neighbour neighbor boss
    uncle aunt landlord""",
)
_CAPITALISED = re.compile(
    r"(?<![\w'])(?:this is|i'm|i am|it's|it is|hi|hello|hey|thanks|thank you|perfect|great|alright|all right|"
    r"for|with|from|by|and|so that's) "
)
_GOES_ON = re.compile(
    r" \||$|'s| (?:is|was|has|had|and|as|who|will|would|needs|wants|can|said|called|lives|at|on|rang|came|comes|arrived|left|"
    r"texted|"
    r"told|took|phoned|delivered|dropped|picked|didn't|doesn't|should|in|from|with|about|to|born|aged?|\d+|for|because|but|"
    r"but nobody)(?![\w'])"
)
_ASKED = re.compile(r"(?<![\w'])(?:name|who am i speaking|who is (?:this|calling)|who's (?:this|calling)|speaking with)(?![\w'])")
_LEAD = re.compile(
    r"(?:(?:sure|yes|yeah|yep|ok|okay|so|well|it's|it is|this is|that's|of course|i'm|my name is|the name's|hi)(?: \|)? )*"
)
_JOINT = r"(?:(?: \|)?[ -]+(?:(?:and|then|and then|hyphen|dash|apostrophe|uh|space|new word) )?)"
_SPELLED = re.compile(rf"(?<![\w'@.]){LETTER}(?:{_JOINT}{LETTER}){{2,}}")
_SPELLS = re.compile(r"(?<![\w'])(?:spell\w*|spelt|letter by letter|name is [a-z' -]{2,40}? that's)(?![\w'])")
_EXPLAINED = re.compile(r"(?<![\w'])[a-z]+ (?:\| )?as in (?:the |a |an )?[a-z]+")
_GROUP = re.compile(r"(?<![\w'])[a-z]{2,6}(?![\w'])")
_SPELLED_LEAST, _LONGEST_SPELLING = 3, 160
_SPELLED_SIGN = re.compile(
    rf"(?<![\w']){LETTER}|(?<![\w'])(?:see|be|are|why|tea|pea|oh|eye|and|double|then|as in|eight|"
    rf"\d)(?![\w'])(?: [a-z]+(?= as in))?"
)
_MEANS = re.compile(r"(?: \|)? (?:means?|stands?)(?![\w'])")
_CODE_NAME = re.compile(r"(?:i d|i b a n|i f s c|s s n|m r n|n h s|o t p|u i d|c v [vc])(?![\w'])")
_ARTICLE = re.compile(r"(?:a|i) (?!as in)[a-z']{2,}")
_FULL_NAME = re.compile(r"(?<![\w'])(?P<name>[a-z'-]{2,}(?: [a-z'-]{2,})?)(?: \|)?(?: that's| so| it's| is)?(?: \|)? \Z")
_SPELLING_CUE = re.compile(r"spell|spelt|name|that's|letter")
_NEXT_WORD = re.compile(r" (?P<word>[^\W\d_]{2,}(?:['-][^\W\d_]+)*)")
_INITIAL = re.compile(r"(?:\.| \|)? ?[a-z](?![\w'])")
_AFTER_NAMES = frozenset(
    {"and", "from", "at", "is", "in", "my", "here", "speaking", "calling", "with", "but", "on", "was", "who"}
)
_SMALL = frozenset({"a", "an", "half", "and", "of", "the", "or", "la", "de", "van", "von", "bin", "al", "el"})
_LETTERS_ALONE = 4
"""So many letters in a row are a spelled name even when nobody said so; "u s a" and "n h s" are shorter."""


def find(heard: Heard) -> list[Span]:
    """Names after their announcement, as an answer, and spelled."""
    return [*_announced(heard), *_by_role(heard), *_addressed(heard), *_is_asked_for(heard), *_answered(heard), *_spelled(heard)]


def _announced(heard: Heard) -> Iterator[Span]:
    text = heard.view.text
    for match in _ANNOUNCED.all(heard):
        thing = match.group() == "under " and text.startswith(("the ", "a ", "an "), match.end())
        thing = thing or match.group().startswith(("name on", "name of"))
        end = _name(heard, match.end(), 4, strong=not thing)
        yield from _person(heard, match.end(), end, 0.85, "words after an announcement of a name")
    for match in _TITLE.all(heard):
        yield from _person(heard, match.end(), _name(heard, match.end(), 3), 0.8, "words after a title")
    for match in _FAMILY.all(heard):
        end = _name(heard, match.end(), 3)
        if _GOES_ON.match(text, end):
            yield from _person(heard, match.end(), end, 0.6, "words after a relation")
    for match in _CAPITALISED.finditer(text) if heard.has_capitals else ():
        end = _name(heard, match.end(), 3, capital=True)
        yield from _person(heard, match.end(), end, 0.6, "capitalised words where people are named")


def _by_role(heard: Heard) -> Iterator[Span]:
    """People by what they do ("our driver chioma rang"), renamed, beside their number, or read back before it."""
    text = heard.view.text
    for match in _BY_ROLE.all(heard):
        end = _name(heard, match.end(), 3, strong=match["is"] is not None)
        if match["is"] or _GOES_ON.match(text, end):
            yield from _person(heard, match.end(), end, 0.6, "words after what somebody does")
    for match in _RENAMED.all(heard):
        yield from _person(heard, match.start("old"), _name(heard, match.start("old"), 2), 0.7, "a name that was changed")
        yield from _person(heard, match.end(), _name(heard, match.end(), 3), 0.7, "a name that was changed")
    for match in _BESIDE_NUMBER.all(heard):
        yield from _person(heard, match.end(), _name(heard, match.end(), 3), 0.6, "a name beside a number")
    for match in _READ_BACK.finditer(text) if heard.has_figures else ():
        end = _name(heard, match.end(), 4)
        if _ADDRESS.match(text, end):
            yield from _person(heard, match.end(), end, 0.6, "a name read back before an address")


def _is_asked_for(heard: Heard) -> Iterator[Span]:
    text = heard.view.text
    for match in _IS_THERE.all(heard):
        end = _name(heard, match.end(), 3)
        if _THERE.match(text, end):
            yield from _person(heard, match.end(), end, 0.6, "somebody who is asked for")


def _addressed(heard: Heard) -> Iterator[Span]:
    """ "Perfect, noor, your new number is": somebody who is spoken to."""
    text = heard.view.text
    for match in _ADDRESSED.all(heard):
        end = _name(heard, match.end(), 2)
        words = text[match.end() : end].split()
        if words and _THEN_YOU.match(text, end) and not any(_NO_VOCATIVE.match(word) for word in words):
            yield from _person(heard, match.end(), end, 0.55, "somebody who is spoken to")
    for match in _AT_THE_END.finditer(text):
        end = _name(heard, match.end(), 2)
        if end > match.end() and _END.match(text, end) and not UNITS.match(text, match.end()):
            yield from _person(heard, match.end(), end, 0.55, "somebody who is spoken to at the end")
    for match in _DOWN_AS.all(heard):
        yield from _person(heard, match.end(), _name(heard, match.end(), 3, strong=True), 0.6, "somebody on file")


def _person(heard: Heard, start: int, end: int, score: float, why: str) -> Iterator[Span]:
    if end > start:
        yield heard.span(start, end, "PERSON", score, "name", why)


def _answered(heard: Heard) -> Iterator[Span]:
    """The beginning of an answer, when the turn before asked for a name."""
    if _ASKED.search(heard.previous):
        lead = _LEAD.match(heard.view.text)
        start = lead.end() if lead else 0
        yield from _person(heard, start, _name(heard, start, 4), 0.7, "an answer to the question for a name")


def _name(heard: Heard, at: int, most: int, *, capital: bool = False, strong: bool = False) -> int:
    """The end of a name that begins at ``at``: words that no sentence is made of. ``at`` itself when there is none.

    ``strong``: what stands before surely announces a name, so it may be garbled ("a laner"), a month, or two people.
    """
    text, end, count = heard.view.text, at, 0
    for word in _WORD.finditer(text, at):
        said = word.group().removesuffix("'s")
        gap = text[end : word.start()]
        # "Ann B. Lee", "B.J. Lee": the full stop of an initial ends no sentence.
        together = gap in ("", " ") or (gap in (" | ", ".", ". ") and _is_letter_before(text, end))
        following = _NEXT_WORD.match(text, word.end())
        everyday = COMMON_WORDS if strong else NO_NAMES
        unknown = following is not None and following["word"] not in everyday and following["word"] not in MONTHS
        if not together or count == most or said in _TITLES or (said in STREET_WORDS and count > 0):
            break
        if len(said) == 1:
            known = said in ("i", "a") and not (unknown or _INITIAL.match(text, word.end()))
        elif said in MONTHS:
            known = not (strong and (unknown or (count > 0 and said not in ("may", "march"))))
        elif count and said in SURNAMES_TOO:
            known = following is not None and following["word"] not in _AFTER_NAMES
        else:
            known = said in everyday
        # "a laner", "anna and mark", "energy of light": small words that a recogniser put into a name, or that join two.
        if known and not (strong and unknown and said in _SMALL and count <= 2):
            break
        if capital and not heard.view.words(word.start(), word.end())[:1].isupper():
            break
        end, count = word.end(), count + (len(said) > 1)
    return end


def _is_letter_before(text: str, end: int) -> bool:
    return end > 0 and text[end - 1].isalpha() and not text[max(end - 2, 0) : end - 1].isalnum()


def _spelled(heard: Heard) -> Iterator[Span]:
    text = heard.view.text
    for match in _SPELLED.finditer(text):
        letters = len(re.findall(LETTER, match.group()))
        announced = _SPELLING_CUE.search(text, max(0, match.start() - 40), match.start()) or _ASKED.search(heard.previous)
        if _MEANS.match(text, match.end()):
            continue
        if match.group().replace(" ", "") in ABBREVIATIONS or _CODE_NAME.match(text, match.start()):
            continue
        if (letters >= _LETTERS_ALONE or announced) and not match.group().startswith("w w w"):
            start = _full_name(text, match.start())
            yield heard.span(start, match.end(), "PERSON", 0.7, "name", "letters said one by one")
    for match in _SPELLS.finditer(text) if "spel" in text or "letter" in text or "name" in text else ():
        yield from _spelled_out(heard, match.end())
    explained = [match.span() for match in _EXPLAINED.finditer(text)] if " as in " in text else []
    if len(explained) > 1:
        yield heard.span(explained[0][0], explained[-1][1], "PERSON", 0.55, "name", "letters explained by words")


def _spelled_out(heard: Heard, at: int) -> Iterator[Span]:
    """What a recogniser made of letters, after a word of spelling: mostly signs, some of them in groups of capitals."""
    text = heard.view.text
    end = min(len(text), at + _LONGEST_SPELLING)
    signs = [sign.span() for sign in _SPELLED_SIGN.finditer(text, at, end) if not _ARTICLE.match(text, sign.start())]
    signs += [word.span() for word in _GROUP.finditer(text, at, end) if heard.view.words(*word.span()).isupper()]
    told = sum(len(text[start:end].split()) for start, end in signs)
    if len(signs) >= _SPELLED_LEAST and told * 5 >= len(text[at:end].split()) * 2:
        yield heard.span(min(signs)[0], max(end for _, end in signs), "PERSON", 0.55, "name", "what follows a word of spelling")


def _full_name(text: str, start: int) -> int:
    """Where the name begins that is spelled: "marsh m a r s h" begins with itself."""
    before = _FULL_NAME.search(text, max(0, start - 40), start)
    name = before["name"].split()[-1] if before else ""
    if before and name and name[0] == text[start] and name not in COMMON_WORDS:
        return before.start("name") + len(before["name"]) - len(name)
    return start
