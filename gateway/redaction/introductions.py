"""People who say plainly who they are, or of whom one speaks by name: "it's dean here", "my sister may booked it".

A name that is an everyday word too counts as one where the words around it speak of a person (``gateway.redaction.given``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.redaction.cues import UNITS
from gateway.redaction.english import COMMON_WORDS, MONTHS, any_of
from gateway.redaction.given import CLEARLY, GIVEN, SURNAMES
from gateway.redaction.heard import Heard, Phrase
from gateway.redaction.no_names import NO_NAMES
from gateway.redaction.tables import words
from gateway.values import Span

_WORD = re.compile(r" ?(?P<word>[^\W\d_]+(?:['-][^\W\d_]+)*)")
_NO = r"(?<![\w'])"
_INTRODUCED = re.compile(
    rf"{_NO}(?:(?:first|1st|2nd|last|sur|second|middle|family|given|christian|maiden|full|fore)[ -]?name(?:'s| is|'s is| was|"
    rf":)?|"
    r"name(?:'s| is| was)|names are|mine's|mine is|they call me|call(?:s)? me|calling me|goes by|go by|known as|knows? (?:me|"
    r"him|her|them) as|nicknamed|"
    r"named|"
    r"(?:guy|man|woman|lady|bloke|chap|girl|boy|person|gentleman|fella|nurse|someone|somebody|one|was|is|i'm|he's|"
    r"she's) called|"
    r"(?:speak|speaking|spoke|spoken|talk|talking|talked|chat|chatted|chatting) (?:to|with)|put me through to|(?:deal|dealing|"
    r"dealt|met|meeting) with|ask for|"
    r"message for|belongs to|registered to|on behalf of|(?:adviser|advisor|agent|contact|doctor|nurse|driver|engineer|"
    r"technician|"
    r"consultant|manager|host|handler|caseworker|guide|rep|representative)"
    r"(?: (?:there|here|today|now|this morning|on (?:the|your|my) (?:case|account|file)))?(?: is| was| will be)|"
    r"(?:by|under|to|from) (?:a|an|the) (?:mr|mister|mrs|ms|miss)|in the name(?: of)?|under the name(?: of)?) "
)
"""Words after which a person's name is all but sure."""
_INTRODUCES = words(
    """mine call calls calling called known know knows goes go speak speaking spoke spoken talk talking talked chat chatted
    chatting put deal dealing dealt met meeting ask message belongs registered behalf adviser advisor agent contact doctor
    nurse driver engineer technician consultant manager host handler caseworker guide rep representative mr mister mrs ms
    miss"""
)
"""One of these stands in it, where "name" does not."""
_OF_FORMS = frozenset({"field", "box", "page", "form", "basis", "column", "line"})
_SURELY = re.compile(r"name|call|known|goes? by|under (?:a|an|the)")
_TITLE = re.compile(
    r"(?:a |the )?(?:mr|mister|mrs|missus|miss|ms|dr|doctor|prof|professor|sergeant|constable|officer|captain|nurse|sister|"
    r"father|reverend|"
    r"pastor|judge|sir|lady) "
)
_RESERVED = Phrase.of(
    re.compile(
        rf"{_NO}(?:(?:reservation|booking|table|room|appointment|order|delivery|parcel|invoice|cheque|check|account|policy|"
        rf"tickets?)"
        r"(?:'s| is| was)? (?:under|for|in)|it's under|it is under|(?:put|book|booked|find|listed|file|filed|down|have) it under|"
        r"(?:put|book|booked|listed|filed|find) (?:it |me |us |that )?under) "
    ),
    """reservation booking table room appointment order delivery parcel invoice cheque check account policy ticket tickets
    under""",
)
_HERE = Phrase.of(
    re.compile(
        rf"{_NO}(?:(?:hi|hello|hey|yes|yeah|oh|good (?:morning|afternoon|evening))(?: \|)?(?: there)?(?: \|)? )?"
        r"(?:it's|it is|this is|i'm|i am|you've got|hi|hello|hey|that's)(?: just| only)? "
    ),
    """it this i you hi hello hey that""",
)
_THERE = re.compile(
    r"(?: \|)? (?:here|spel(?:t|led)|speaking|calling|again|returning|phoning|ringing|on the (?:line|phone)|by the way|"
    r"from (?!the )[a-z]+|over (?:at|in)|"
    r"(?:and )?i(?:'m| am|'ve| have|'d| would| need| want| called| spoke| rang| phoned| just| was| ordered| bought| booked)"
    r"(?![\w'])|and (?:this is|i'm|my|i)(?![\w'])|the (?:one|guy|lady|tenant|owner|new)|your |who "
    r"(?:called|rang|phoned|spoke|ordered|booked))"
)
_ALONE_HERE = re.compile(r"(?:(?:hi|hello|hey|yes|yeah|good (?:morning|afternoon|evening))(?: there)?(?: \|)? )?(?=[a-z])")
_AT_THE_PHONE = re.compile(r"(?: \|)? (?:here|speaking)(?![\w'])(?! (?:to|with|of|in|is|are|for))")
_IS_IT = Phrase.of(
    re.compile(rf"{_NO}(?:is (?:this|that)|am i (?:speaking|talking) (?:to|with)|answers to) "),
    """is am answers""",
)
_VERB = re.compile(r"[a-z]+s\Z")
_RELATIVE = Phrase.of(
    re.compile(
        rf"{_NO}(?:my|our|his|her|their|your|the) (?:late |elder |older |younger |little |big |eldest |youngest |ex |step|new |"
        rf"old |best |dear )?"
        r"(?:husband|wife|son|daughter|mother|father|mum|mom|dad|brother|sister|spouse|partner|fianc[eé]e?|girlfriend|boyfriend|"
        r"friend|"
        r"mate|colleague|neighbou?r|boss|uncle|aunt|auntie|nan|gran|grandma|grandad|granddad|grandpa|grandson|granddaughter|"
        r"grandmother|"
        r"grandfather|niece|nephew|cousin|baby|twin|landlord|landlady|flatmate|roommate|housemate|carer|lodger|tenant|assistant|"
        r"secretary|solicitor|lawyer|accountant|dentist|doctor|vet|child|kid|boy|girl|engineer|driver|technician|courier|plumber|"
        r"electrician|mechanic|surgeon|teacher)"
        r"(?:(?:'s(?: name)?(?: is)?|s name)|(?:'s)? called| is called| named)? "
    ),
    """husband wife son daughter mother father mum mom dad brother sister spouse partner fiance fiancé fiancee fiancée
    girlfriend boyfriend friend mate colleague neighbour neighbor boss uncle aunt auntie nan gran grandma grandad granddad
    grandpa grandson granddaughter grandmother grandfather niece nephew cousin baby twin landlord landlady flatmate
    roommate housemate carer lodger tenant assistant secretary solicitor lawyer accountant dentist doctor vet child kid
    boy girl engineer driver technician courier plumber electrician mechanic surgeon teacher""",
)
_PERSON_GOES_ON = re.compile(
    r"(?:'s)?(?:(?: \|)*\Z|(?: \|)? (?:\||is|was|has|had|and|who|said|says|rang|called|came|lives|works|told|took|on|at|to|"
    r"from|in|for|with|"
    r"can't|cannot|didn't|doesn't|isn't|wasn't|wants|needs|will|would|should|picked|who's|never|always|just|still|keeps|kept|"
    r"got|made|left|went|did|gave|as|about|but|born|aged?|\d|"
    r"[a-z]{3,}ed)(?![\w']))"
)
_DOWN_AS = Phrase.of(
    re.compile(rf"{_NO}(?:down|registered|listed|saved|filed|booked|known to you|on file) as "),
    """down registered listed saved filed booked known file""",
)
_FOR = Phrase.of(
    re.compile(rf"{_NO}(?:it's|that's|this is|they're|this one's|one's) for "),
    """for""",
)
_IN_SOMEBODYS = Phrase.of(
    re.compile(rf"{_NO}(?:in|under) (?P<name>[a-z'-]+?(?: [a-z'-]+?)?)'s? name(?![\w'])"),
    """name""",
)
_SUBJECT = Phrase.of(
    re.compile(r"(?:^|\| )(?:(?:and|so|but|well|uh|um|yes|yeah|then) )?(?=[a-z])"),
    """call ring phone text be meet come visit help send contact get called rang phoned texted emailed way has told said""",
)
_CALLS_YOU = re.compile(
    r"(?: from [a-z]+)? (?:(?:will|is going to|is about to|can|should) (?:call|ring|phone|text|be|meet|come|visit|help|send|"
    r"contact|get)|"
    r"(?:called|rang|phoned|texted|emailed) (?:me|you|us)|is on (?:his|her|their) way|has your|told (?:me|you|us)|said (?:he|"
    r"she|i|you))(?![\w'])"
)
_THANKED = Phrase.of(
    re.compile(
        r"(?<![\w'])(?:thanks|thank you|sorry|appreciate|welcome|pleasure|great|perfect|bye|goodbye|care|day|help|helped|"
        r"patience|waiting|holding)"
        r"(?: [a-z']+){0,4} (?P<name>[a-z'-]+)(?: \|)*\Z"
    ),
    """thanks thank sorry appreciate welcome pleasure great perfect bye goodbye care day help helped patience waiting holding""",
)
_MODAL = frozenset({"will", "may", "can", "might"})
_GIVEN_ALONE = GIVEN - _MODAL
_AFTER_MODAL = re.compile(
    r"(?: \|)*\Z|(?: \|)? (?:is|was|has|had|and|who|said|rang|came|lives|told|took|from|booked|[a-z]{3,}ed)(?![\w'])"
)
_GREETED = Phrase.of(
    re.compile(
        rf"(?:^|\| ){_NO}(?:hi|hello|hey|cheers|thanks|thank you|bye|goodbye|morning|welcome(?: back)?|sorry|"
        rf"dear)(?: there)?(?: \|)? "
    ),
    """hi hello hey cheers thanks thank bye goodbye morning welcome sorry dear""",
)
_NODDED = Phrase.of(
    re.compile(
        rf"(?:^|\| ){_NO}(?:alright|all right|okay|ok|right|lovely|great|perfect|brilliant|excellent|wonderful|no problem|"
        r"of course|sure|no worries|no trouble|not a problem|not at all|good (?:morning|afternoon|evening|day))(?: \|)? "
    ),
    """alright all okay ok right lovely great perfect brilliant excellent wonderful no of sure not good""",
)
_TO_HIM = re.compile(
    r"(?: \|)*\Z|(?: \|)? (?:give me|just|one (?:moment|second|sec)|1 (?:moment|second|sec)|bear with|thanks|thank you|so|"
    r"have|it's|this is|"
    r"i'm|i|i've|i'll|let me|let's|can|could|what|what's|and|we|we've|we'll|your|you|you're|how|how's|please|is|are|the|that's|"
    r"hold|if|for|\|)(?![\w'])"
)
_NO_NAME = re.compile(r"[a-z]+(?:ing|ed|ly|ion|ment|ness|ous|ful|ible|able|less|ical|ism|ity|ship|ware|th)\Z")
_PLACEABLE = frozenset({"again", "here", "speaking", "calling"})
_MOST = 3


def find(heard: Heard) -> list[Span]:
    """Names after an introduction, a relation or a greeting, also those that are everyday words."""
    return [*_introduced(heard), *_here(heard), *_relatives(heard), *_greeted(heard), *_spoken_of(heard)]


def _introduced(heard: Heard) -> Iterator[Span]:
    text = heard.view.text
    for match in _INTRODUCED.finditer(text) if "name" in text or not _INTRODUCES.isdisjoint(heard.words) else ():
        at = match.end()
        if _first(text, at) in _OF_FORMS:
            continue
        title = _TITLE.match(text, at)
        at = title.end() if title else at
        end = _name(text, at, GIVEN, sure=_SURELY.search(match.group()) is not None)
        yield from _person(heard, at, end, 0.7, "a name after words that announce a person")
    for match in _RESERVED.all(heard):
        end = _name(text, match.end(), CLEARLY)
        if not UNITS.match(text, end):
            yield from _person(heard, match.end(), end, 0.6, "a name that something is reserved under")


def _here(heard: Heard) -> Iterator[Span]:
    """ "It's dean here", "this is rose butler i spoke to someone"."""
    text = heard.view.text
    if (alone := _ALONE_HERE.match(text)) and (end := _name(text, alone.end(), GIVEN)) and _AT_THE_PHONE.match(text, end):
        yield from _person(heard, alone.end(), end, 0.6, "somebody who says who it is")
    for match in _IS_IT.all(heard):
        end = _name(text, match.end(), CLEARLY)
        if end > match.end() and not text[end:].strip(" |"):
            yield from _person(heard, match.end(), end, 0.6, "somebody who is asked for")
    for match in _HERE.all(heard):
        end = _name(text, match.end(), GIVEN)
        first = _first(text, match.end())
        named = first in CLEARLY and text.startswith((" from ", " at the ", " at number "), end)
        full = first in GIVEN and end > match.end() + len(first)
        whole = full and (not text[end:].strip(" |") or text.startswith((" i ", " | i ", " and i "), end))
        if first and not _NO_NAME.match(first) and (whole or named or _THERE.match(text, end)):
            yield from _person(heard, match.end(), end, 0.6, "somebody who says who it is")


def _relatives(heard: Heard) -> Iterator[Span]:
    text = heard.view.text
    for match in _RELATIVE.all(heard):
        first = _first(text, match.end())
        end = _name(text, match.end(), GIVEN)
        if first in _MODAL and end == match.end() + len(first):
            said = _AFTER_MODAL.match(text, end) is not None
        else:
            # "My wife's prescription" has no name in it, "my wife's dawn" has.
            owned = match.group().endswith("'s ")
            strange = first in CLEARLY or (not owned and first not in GIVEN and not _VERB.match(first))
            known = first in GIVEN or not owned
            said = end > match.end() and known and (strange or _PERSON_GOES_ON.match(text, end) is not None)
        if said:
            yield from _person(heard, match.end(), end, 0.6, "a name after a relation")


def _greeted(heard: Heard) -> Iterator[Span]:
    text = heard.view.text
    for pattern, known in ((_GREETED, _GIVEN_ALONE), (_NODDED, CLEARLY)):
        for match in pattern.all(heard):
            first = _first(text, match.end())
            if first in known:
                end = _name(text, match.end(), known)
                if pattern is _GREETED or _TO_HIM.match(text, end):
                    yield from _person(heard, match.end(), end, 0.6, "somebody who is spoken to")


def _spoken_of(heard: Heard) -> Iterator[Span]:
    """ "Put it down as cole", "it's for lee", "in ravi's name", "lionel from dispatch will call you"."""
    text = heard.view.text
    for match in _DOWN_AS.all(heard):
        yield from _person(heard, match.end(), _name(text, match.end(), CLEARLY), 0.6, "a name that somebody is down as")
    for match in _FOR.all(heard):
        end = _name(text, match.end(), _GIVEN_ALONE)
        if _first(text, match.end()) in CLEARLY and not text[end:].strip(" |"):
            yield from _person(heard, match.end(), end, 0.6, "somebody whom something is for")
    for match in _IN_SOMEBODYS.all(heard):
        words = match["name"].split()
        if not any(word in COMMON_WORDS and word not in GIVEN for word in words):
            yield from _person(heard, *match.span("name"), 0.7, "in whose name something is")
    for match in _SUBJECT.all(heard):
        end = _name(text, match.end(), CLEARLY)
        if end > match.end() and _CALLS_YOU.match(text, end):
            yield from _person(heard, match.end(), end, 0.55, "somebody who calls or comes")
    for match in _THANKED.all(heard):
        if match["name"] in CLEARLY and match["name"] not in COMMON_WORDS:
            yield from _person(heard, *match.span("name"), 0.55, "somebody who is thanked")


def _person(heard: Heard, start: int, end: int, score: float, why: str) -> Iterator[Span]:
    if end > start:
        yield heard.span(start, end, "PERSON", score, "introduction", why)


def _first(text: str, at: int) -> str:
    word = _WORD.match(text, at)
    return word["word"].removesuffix("'s") if word and word.start("word") == at else ""


def _name(text: str, at: int, given: frozenset[str], *, sure: bool = False) -> int:
    """The end of a name at ``at``: one that is ``given``, or words that no sentence is made of, and surnames behind it.

    ``sure``: what stands before announces a name, so the name of a thing may be what a recogniser made of it.
    """
    everyday = COMMON_WORDS if sure else NO_NAMES
    end = at
    for count in range(_MOST):
        word = _WORD.match(text, end)
        if word is None or (not count and word.start("word") != at) or (count and word.start("word") == word.start()):
            break
        said = word["word"].removesuffix("'s")
        if count == 0:
            known = said in given or not (said in everyday or said in MONTHS or _NO_NAME.match(said) or len(said) < 2)
        else:
            known = said not in everyday and said not in MONTHS and said not in _PLACEABLE and not _NO_NAME.match(said)
            known = (known and len(said) > 1) or (said in SURNAMES and _ends_a_name(text, word.end()))
        if not known:
            break
        end = word.end("word")
        if word["word"] != said:
            break
    return end


_AFTER_A_NAME = re.compile(
    rf"(?:(?: \|)*\Z|(?: \|)? (?:\||i|i'm|i've|i'd|and|is|was|has|here|speaking|calling|again|returning|phoning|ringing|from|"
    rf"at|on|in|about|"
    rf"who|my|she|he|the|with|but|by|to|for|said|called|rang|date|born|account|\d|"
    rf"{any_of(('please', 'thanks', 'thank', 'that'))})(?![\w']))"
)


def _ends_a_name(text: str, at: int) -> bool:
    return _AFTER_A_NAME.match(text, at) is not None
