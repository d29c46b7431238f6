"""What the text of a file shows by itself: secrets, and sentences that contradict what a policy can keep."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

_SHAPES: tuple[tuple[str, str], ...] = (
    (r"sk-(?:proj-|ant-|live-|or-)?[A-Za-z0-9_-]{16,}", "a key of a model provider"),
    (r"(?:AKIA|ASIA)[A-Z0-9]{16}", "an AWS access key"),
    (r"AIza[A-Za-z0-9_-]{35}", "a Google API key"),
    (r"gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}", "a GitHub token"),
    (r"xox[abprs]-[A-Za-z0-9-]{10,}", "a Slack token"),
    (r"gsk_[A-Za-z0-9]{30,}", "a Groq key"),
    (r"hf_[A-Za-z0-9]{30,}", "a Hugging Face token"),
    (r"re_[A-Za-z0-9]{8,}_[A-Za-z0-9]{8,}", "a Resend key"),
    (r"xkeysib-[0-9a-f]{32,}[A-Za-z0-9-]*", "a Brevo key"),
    (r"SK[0-9a-f]{32}", "a Twilio API key"),
    (r"(?:rk|sk|whsec)_(?:live_|test_)?[A-Za-z0-9]{20,}", "a payment or webhook key"),
    (r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*", "a signed token (JWT)"),
    (r"-----BEGIN [A-Z ]*PRIVATE KEY-----", "a private key"),
)
_KNOWN = tuple((re.compile(rf"(?<![A-Za-z0-9_-])(?:{shape})"), what) for shape, what in _SHAPES)
_WORD = re.compile(r"(?<![A-Za-z0-9+/=_./:-])[A-Za-z0-9+/=_-]{24,}(?![A-Za-z0-9+/=_./:-])")
_DIGESTS = re.compile(r"sha(?:1|256|512)", re.IGNORECASE)
_ACCOUNT = re.compile(r"AC[0-9a-f]{32}")
"""A Twilio account's id: it names an account and opens nothing."""

_SHIELD = re.compile(r"privacy[ \t_-]*shield", re.IGNORECASE)
_NEVER_SHARED = re.compile(
    r"""\b(?:never|not|nor|no|don'?t|doesn'?t|won'?t|cannot)\b[^.!?]{0,40}\b(?:shar(?:e|es|ed|ing)|pass(?:ed)?\s+on|disclos(?:e|ed)
    |sen[dt]|given?)\b[^.!?]{0,40}\b(?:third\s+part(?:y|ies)|any(?:body|one)|others?|outside|compan(?:y|ies)|nobody)\b
    |\bnever\s+(?:shared?|disclosed?|leaves?|passed\s+on)\b
    |\bnicht\b[^.!?]{0,40}\b(?:an\s+)?Dritte\b[^.!?]{0,20}\b(?:weiter|weitergegeben)\b|\bniemals\s+weitergegeben\b
    |\b(?:nunca|no)\s+(?:se\s+)?comparti\w+|\bjamais\s+(?:partag\w+|transmis\w*|communiqu\w+)""",
    re.IGNORECASE | re.VERBOSE,
)
_BY_LETTER = re.compile(
    r"""\b(?:write|e-?mail|call|contact|ask)\b[^.!?\n]{0,60}\b(?:to|and)\s+(?:have|get)?[^.!?\n]{0,30}\b(?:delete|deleted|erase|erased|removed?)\b
    |\b(?:delet(?:e|ed|ion)|eras(?:e|ed|ure))\b[^.!?\n]{0,50}\b(?:only\s+)?(?:by|upon|on|through)\s+(?:written\s+)?(?:request|letter|e-?mail)\b""",
    re.IGNORECASE | re.VERBOSE,
)
LEAST_ENTROPY = 3.6
"""Bits a character. Words and ids of our files stay below it, random text of 24 characters and more above."""


def secrets(text: str) -> Iterator[tuple[int, int, str]]:
    """Line, column (from 1) and kind of each thing in ``text`` that looks like a secret, in comments too. Never the thing."""
    for number, line in enumerate(text.split("\n"), start=1):
        known = next(((match.start(), what) for shape, what in _KNOWN if (match := shape.search(line))), None)
        if known is None:
            known = next(((match.start(), "a secret") for match in _WORD.finditer(line) if _random(match[0], line)), None)
        if known is not None:
            yield number, known[0] + 1, known[1]


def _random(word: str, line: str) -> bool:
    if _DIGESTS.search(line) or _ACCOUNT.fullmatch(word):
        return False
    mixed = bool(re.search("[0-9]", word)) and bool(re.search("[A-Za-z]", word))
    # Names are words joined by hyphens: parts that are letters only, or numbers only.
    parts = [part for part in re.split("[-_/]", word) if part]
    named = len(parts) > 2 and all(part.isalpha() or part.isdigit() or len(part) <= 4 for part in parts)
    return mixed and not named and entropy(word) >= (3.0 if re.fullmatch("[0-9a-f]+", word) else LEAST_ENTROPY)


def entropy(word: str) -> float:
    """Bits a character, by how often each stands in it (Shannon 1948)."""
    counts = Counter(word)
    return -sum(count / len(word) * math.log2(count / len(word)) for count in counts.values())


def privacy_shield(text: str) -> Iterator[tuple[int, int]]:
    """Where it is cited, outside comments."""
    yield from _outside_comments(text, _SHIELD)


def deletion_by_letter(text: str) -> Iterator[tuple[int, int]]:
    """Where people are told to write or call to have something deleted."""
    yield from _outside_comments(text, _BY_LETTER)


def says_never_shared(text: str) -> bool:
    """Whether a sentence promises that nobody else receives anything."""
    return _NEVER_SHARED.search(" ".join(text.split())) is not None


def _outside_comments(text: str, wanted: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    for number, line in enumerate(text.split("\n"), start=1):
        said = re.sub(r"(^|\s)#.*", "", line)
        if (match := wanted.search(said)) is not None:
            yield number, match.start() + 1
