"""E-mail, web and network addresses, written or spoken: "john dot smith at example dot com"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.redaction.english import COMMON_WORDS, MAIL_HOSTS, TOP_LEVEL_DOMAINS, any_of
from gateway.redaction.heard import Heard
from gateway.values import Span

_TLD = rf"(?:{any_of(TOP_LEVEL_DOMAINS)}|[a-z] [a-z])(?![\w])"
_DOT = r"(?: ?\| ?| )?(?:dot|\.)(?: ?\| ?| )?"
_WORD = r"(?:[a-z]+\d*|\d+)(?:(?: |-| dash | hyphen )(?:[a-z]+|\d+)){0,4}?"
_HOST = rf"{_WORD}(?:{_DOT}{_WORD}){{0,2}}?{_DOT}{_TLD}(?:{_DOT}{_TLD})?"
_PATH = r"(?: ?/ ?\S+| (?:forward )?slash (?:\d+|[a-z]+))*"

_MAIL = re.compile(rf"(?: at |\s?@\s?)(?:{_HOST}|(?:{any_of(MAIL_HOSTS)})(?:{_DOT}{_TLD})?(?![\w]))")
_LOCAL_WORD = re.compile(r"(?P<word>[a-z\d]+(?:['-][a-z\d]+)*)$")
_LOCAL_JOIN = re.compile(r"(?:(?: ?\|)? (?:dot|underscore|dash|hyphen|plus|period) |\s?[._+-]\s?)$")
_SENTENCE = frozenset({"is", "it's", "to", "as", "my", "on", "at", "open", "visit"})

_WWW = re.compile(rf"(?:w ?w ?w{_DOT}|https?\s?:?\s?/\s?/\s?){_HOST}{_PATH}")
_WRITTEN_URL = re.compile(rf"\b[a-z\d-]+\.(?:{any_of(TOP_LEVEL_DOMAINS)})(?![\w.@]){_PATH}")
_SPOKEN_URL = re.compile(rf"{_DOT}(?:com|org|net|i ?o|edu|gov|info|app|co{_DOT}u ?k)(?![\w']){_PATH}")
_ANNOUNCED_URL = re.compile(
    rf"(?:site|page|website|url|domain|link|blog|portfolio)(?: \w+){{0,2}}? (?:is|at|on|to) (?P<url>{_HOST}{_PATH})"
)
_IP = re.compile(r"\d{1,3}(?:(?:\.| dot | point )(?:\| )?\d{1,3}){3}(?![\d])")


def find(heard: Heard) -> list[Span]:
    """Mail, web and network addresses."""
    mails = list(_mails(heard))
    return [*mails, *_webs(heard), *_networks(heard)]


def _mails(heard: Heard) -> Iterator[Span]:
    text = heard.view.text
    for match in _MAIL.finditer(text):
        start = _words_before(text, match.start(), most=3)
        if start < match.start():
            yield heard.span(start, match.end(), "EMAIL_ADDRESS", 0.95, "phrase", "words, “at”, and a domain")


def _words_before(text: str, end: int, *, most: int) -> int:
    """Where the words before ``end`` begin that dots, digits and single letters hold together; ``most`` may be loose."""
    at, loose, joined = end, 0, True
    while at > 0:
        found = _LOCAL_WORD.search(text, max(0, at - 60), at)
        if found is None:
            break
        word = found["word"]
        apart = not joined and len(word) > 1 and not word.isdigit()
        if word in _SENTENCE or (apart and (word in COMMON_WORDS or loose >= most)):
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
    mails = [match.span() for match in _MAIL.finditer(text)]
    for pattern in (_WWW, _WRITTEN_URL):
        for match in pattern.finditer(text):
            yield heard.span(match.start(), match.end(), "URL", 0.8, "phrase", "a web address")
    for match in _ANNOUNCED_URL.finditer(text):
        yield heard.span(match.start("url"), match.end("url"), "URL", 0.8, "phrase", "a web address after its announcement")
    for match in _SPOKEN_URL.finditer(text):
        start = _words_before(text, match.start(), most=1)
        if start < match.start() and not any(first < match.end() and match.start() < last for first, last in mails):
            yield heard.span(start, match.end(), "URL", 0.6, "phrase", "a domain in words")


def _networks(heard: Heard) -> Iterator[Span]:
    for match in _IP.finditer(heard.view.text):
        yield heard.span(match.start(), match.end(), "IP_ADDRESS", 0.9, "phrase", "four numbers with dots between")
