"""Passwords and user names in words: what follows their announcement, up to where the sentence goes on."""

from __future__ import annotations

import re

from gateway.redaction.english import COMMON_WORDS
from gateway.redaction.heard import Heard
from gateway.values import Span

_ANNOUNCED = re.compile(
    r"(?:(?P<password>pass ?word|pass ?phrase)|(?P<user>user ?name|user id|user i d|log ?in(?: name| id)?|logged in|handle))"
    r"(?![\w'])"
    r"(?:(?: [a-z']+){0,5}? (?:is|as|was|it's|to|for))? (?P<value>[^|]+)"
)
_GOES_ON = re.compile(r" (?:and|but|with|for|on|please|it|that|so|because|doesn't|isn't|or|my|the|from|now)(?![\w'])")
_MAY_BEGIN = frozenset({"a", "i", "all", "capital", "student", "work", "home", "summer", "lower", "upper", "big", "small"})


def find(heard: Heard) -> list[Span]:
    """What follows "my password is" and its like. A sentence that only speaks about passwords is left alone."""
    spans = []
    text = heard.view.text
    for match in _ANNOUNCED.finditer(text):
        stop = _GOES_ON.search(text, match.start("value"), match.end("value"))
        value = text[match.start("value") : stop.start() if stop else match.end("value")].rstrip()
        if not value or (value.split()[0] in COMMON_WORDS and value.split()[0] not in _MAY_BEGIN):
            continue
        entity = "PASSWORD" if match["password"] else "USERNAME"
        start = match.start("value")
        spans.append(heard.span(start, start + len(value), entity, 0.7, "phrase", "what follows its announcement"))
    return spans
