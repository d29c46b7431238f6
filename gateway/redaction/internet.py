"""E-mail, web and network addresses, written or spoken: "john dot smith at example dot com"."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

from gateway.redaction.cues import UNITS
from gateway.redaction.english import COMMON_WORDS, MAIL_HOSTS, TOP_LEVEL_DOMAINS, any_of
from gateway.redaction.heard import Heard
from gateway.values import Span

_TLD = rf"(?:{any_of(TOP_LEVEL_DOMAINS)}|[a-z] [a-z])(?![\w])"
_DOT = r"(?: ?\| ?| )?(?:dot|\.)(?: ?\| ?| )?"
_WORD = r"(?:[a-z]+\d*|\d+)(?:(?: |-| dash | hyphen )(?!at )(?:[a-z]+|\d+)){0,4}?"
_HOST = rf"{_WORD}(?:{_DOT}{_WORD}){{0,2}}?{_DOT}{_TLD}(?:{_DOT}{_TLD})?"
_SLASH = r"(?:slash|flash|flesh|splash)"
_PATH = rf"(?: ?/ ?\S+|[ -](?:forward )?{_SLASH}[ -](?:\d+|[a-z]+))*"

_PROVIDER = (
    rf"(?:{any_of(MAIL_HOSTS)}|(?:g|hot|proton|fast|rediff?)[ -]?(?:mail|male|meal)|out look|i cloud|[a-z]+[ -]?(?:mail|male))"
)
_COM = rf"(?: com|(?: dock |{_DOT})(?:com|come|calm|net|org|co{_DOT}uk|co{_DOT}in|in|de|fr|uk))(?![\w])"
"""The end of a well-known provider's name; behind it a recogniser may make anything of "dot"."""
_MAIL = re.compile(
    rf"(?:(?: \|)? at (?:\| )?|\s?@\s?)(?!w ?w ?w)(?:{_HOST}|(?:[a-z]+ ){{1,3}}?(?:dot|dock) (?:com|come|calm)(?![\w])|"
    rf"{_PROVIDER}{_COM}|(?:{any_of(MAIL_HOSTS)}|g mail|g-mail|hot mail)(?![\w]))"
)
_GARBLED_MAIL = re.compile(rf"(?<![\w']){_PROVIDER}{_COM}")
"""A provider without "at": whoever is named before it lives there."""
_ANY_END = re.compile(rf" (?:dot|dock) (?:com|come|calm|net|org|co{_DOT}uk|in|de)(?![\w])|\.(?:com|net|org|in|de|co\.uk)(?![\w])")
_DOTTED = re.compile(r"dot|dock|point|\.")
"""What every domain has, however it was understood, and what stands between the parts of a network address."""
_MAIL_CUE = re.compile(
    r"(?<![\w'])(?:e ?-?mails?(?: address| i d| id)?|mail|send|sent|sending|write|wrote|forward\w*|itinerary|invoice|receipt|"
    r"statement|registered|copy|link)(?![\w'])"
)
_MAIL_CUE_ALONE = re.compile(r"(?<![\w'])e ?-?mail(?: address| i d| id)?(?: \w+){0,3}? (?:is|was|it's|to|as) (?=[a-z\d])")
_MAIL_LINK = re.compile(
    r"(?:(?<![\w'])(?:to|is|was|it's|as|under|with|that's|on|for)|:)(?: (?:me|us|my|her|him|his|the|e-?mail|mail|address|at|"
    r"is|under|"
    r"it's|uh|so|that's|also|just|please))* (?=[\w])"
)
_AT_SOMEWHERE = re.compile(rf" at (?!(?:{any_of(COMMON_WORDS)})(?![\w'])|\d)[a-z]+")
_LONGEST_MAIL = 120
_SENTENCE_PART = re.compile(r"[^|]*")
_LONGEST_LOCAL = 9
_LOCAL_WORD = re.compile(r"(?P<word>[a-z\d]+(?:['-][a-z\d]+)*)$")
_LOCAL_JOIN = re.compile(r"(?:(?: ?\|)? (?:dot|underscore|under score|dash|hyphen|plus|period) |\s?[._+-]\s?)$")
_SENTENCE = frozenset(
    {
        "is",
        "it's",
        "to",
        "as",
        "my",
        "on",
        "at",
        "open",
        "visit",
        "email",
        "e-mail",
        "mail",
        "website",
        "site",
        "page",
        "confirming",
        "using",
        "sending",
        "emailing",
        "mailing",
        "got",
        "have",
    }
)

_WWW = re.compile(rf"(?:w ?w ?w{_DOT}|https?\s?:?\s?/\s?/\s?){_HOST}{_PATH}")
_WRITTEN_URL = re.compile(rf"(?<![a-z\d-])[a-z\d-]{{1,63}}\.(?:{any_of(TOP_LEVEL_DOMAINS)})(?![\w.@]){_PATH}")
_SPOKEN_URL = re.compile(rf"{_DOT}(?:com|org|net|i ?o|edu|gov|info|app|co{_DOT}u ?k)(?![\w']){_PATH}")
_ANNOUNCED_URL = re.compile(
    r"(?<![\w'])(?:(?:web ?)?sites?|(?:web ?)?pages?|url|domain|link|blog|portfolio|shop)(?: \w+){0,2}? "
    rf"(?:is|at|on|to|reads?|called)(?: at)? (?!at )(?P<url>{_HOST}{_PATH})"
)
_OCTET = r"(?:\d{1,3}(?:(?: \|)? and \d{1,2})?(?!\d)|\d(?: \d){1,2}|oh?(?![\w']))"
_IP = re.compile(rf"(?<!\d){_OCTET}(?:(?:\.|(?: \|)? (?:dot|point) )(?:\| )?{_OCTET}){{3}}(?![\d])")
_IP_CUE = re.compile(
    r"(?<![\w'])(?:i ?p(?: v ?4)?(?: address)?|network address|shows the address|static address)(?![\w'])(?:(?: \|"
    r")? (?:[a-z']+ ){0,4}?)"
    r"(?P<ip>\d{1,3}(?:(?:\.| \|)? ?(?:(?:dot|dots|dart|that|got|point|don't|a|at|the|and) ){0,2}(?:\d{1,3}|"
    r"oh)(?![a-z])){2,7})(?![\w])"
)
"""After its announcement, also one in which a recogniser wrote something else for a dot or a part."""


def find(heard: Heard) -> list[Span]:
    """Mail, web and network addresses."""
    mails = list(_mails(heard))
    return [*mails, *_webs(heard), *_networks(heard)]


def _mails(heard: Heard) -> Iterator[Span]:
    text = heard.view.text
    dotted = _DOTTED.search(text) is not None
    for pattern, score in ((_MAIL, 0.95), (_GARBLED_MAIL, 0.9)):
        possible = (" at " in text or "@" in text) if pattern is _MAIL else (dotted or " com" in text)
        for match in pattern.finditer(text) if possible else ():
            begin = match.start() - (text[match.start() - 1 : match.start()] == " ")
            start = min(_words_before(text, begin, most=3), _announced(text, begin))
            if start < begin:
                yield heard.span(start, match.end(), "EMAIL_ADDRESS", score, "phrase", "words, “at”, and a domain")
    for cue in _MAIL_CUE_ALONE.finditer(text) if "mail" in text else ():
        yield from _after_cue(heard, cue.end())


def _announced(text: str, end: int) -> int:
    """Where an address begins that words like "send it to" announce; ``end`` itself when nothing announces it."""
    for cue in reversed(list(_MAIL_CUE.finditer(text, max(0, end - 110), end))):
        link = _MAIL_LINK.search(text, cue.end(), end)
        if link and link.end() < end and len(text[link.end() : end].split()) <= _LONGEST_LOCAL:
            return link.end()
    return end


def _after_cue(heard: Heard, start: int) -> Iterator[Span]:
    """ "My e-mail is" and words up to the end of a domain, or up to what follows "at": whatever a recogniser made of them."""
    text = heard.view.text
    sentence = _SENTENCE_PART.match(text, start, start + _LONGEST_MAIL)
    stop = sentence.end() if sentence else start
    first = text[start:stop].split()[:1]
    if not first or first[0] in COMMON_WORDS:
        return
    ending = _ANY_END.search(text, start, stop) or _AT_SOMEWHERE.search(text, start, stop)
    if ending and len(text[start : ending.end()].split()) <= _LONGEST_LOCAL + 4:
        yield heard.span(
            start, ending.end(), "EMAIL_ADDRESS", 0.7, "phrase", "what follows the announcement of an e-mail address"
        )


def _words_before(text: str, end: int, *, most: int) -> int:
    """Where the words before ``end`` begin that dots, digits and single letters hold together; ``most`` may be loose."""
    at, loose, joined = end, 0, True
    while at > 0:
        found = _LOCAL_WORD.search(text, max(0, at - 60), at)
        if found is None:
            break
        word = found["word"]
        apart = not joined and len(word) > 1 and not word.isdigit()
        if word.removesuffix("'s") in _SENTENCE or (apart and (word in COMMON_WORDS or loose >= most)):
            break
        at, loose = found.start(), loose + apart
        joint = _LOCAL_JOIN.search(text, max(0, at - 15), at)
        joined = joint is not None
        if joint:
            at = joint.start()
        elif text[at - 1 : at] == " ":
            at -= 1
        else:
            break
    while at < end and not text[at].isalnum():
        at += 1
    return at


def _webs(heard: Heard) -> Iterator[Span]:
    text = heard.view.text
    if _DOTTED.search(text) is None:
        return
    mails = [match.span() for match in _MAIL.finditer(text)]
    for pattern in (_WWW, _WRITTEN_URL):
        for match in pattern.finditer(text):
            yield heard.span(match.start(), match.end(), "URL", 0.8, "phrase", "a web address")
    for match in _ANNOUNCED_URL.finditer(text):
        yield heard.span(match.start("url"), match.end("url"), "URL", 0.8, "phrase", "a web address after its announcement")
    for match in _SPOKEN_URL.finditer(text):
        start = _words_before(text, match.start(), most=1)
        if start < match.start() and not _touches(mails, match.start(), match.end()):
            yield heard.span(start, match.end(), "URL", 0.6, "phrase", "a domain in words")


def _touches(stretches: list[tuple[int, int]], start: int, end: int) -> bool:
    """Whether one of the sorted stretches, none of which overlap, lies within ``start`` to ``end``, or reaches into it."""
    at = bisect_left(stretches, (end, 0)) - 1
    return at >= 0 and stretches[at][1] > start


def _networks(heard: Heard) -> Iterator[Span]:
    if len(_DOTTED.findall(heard.view.text)) > 2:
        yield from _dotted_networks(heard)
    for match in _IP_CUE.finditer(heard.view.text) if heard.has_figures else ():
        if UNITS.match(heard.view.text, match.end()) is None:
            yield heard.span(
                match.start("ip"), match.end("ip"), "IP_ADDRESS", 0.7, "phrase", "numbers after an address was announced"
            )


def _dotted_networks(heard: Heard) -> Iterator[Span]:
    for match in _IP.finditer(heard.view.text):
        yield heard.span(match.start(), match.end(), "IP_ADDRESS", 0.9, "phrase", "four numbers with dots between")
