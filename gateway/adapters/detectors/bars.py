"""From likely words to spans: of which kinds the tagger is asked, and how sure it must be of each."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gateway.adapters.detectors.tagger import Tagged
from gateway.redaction.english import COMMON_WORDS, ENGLISH, MONTHS, SENTENCE_WORDS, STREET_WORDS, TOWN_WORDS
from gateway.redaction.given import GIVEN, SURNAMES
from gateway.redaction.no_names import NO_NAMES
from gateway.values import EntityType, Span

SCORE = 0.55
"""Under our own rules: the tagger adds what they do not see, and leaves the kind of what they do to them."""

_IN_WORDS, _CREDENTIALS, _IN_FIGURES = 0.985, 0.97, 0.99
BARS: dict[str, float] = {
    **dict.fromkeys(("PERSON", "LOCATION", "STREET_ADDRESS"), _IN_WORDS),
    **dict.fromkeys(("EMAIL_ADDRESS", "USERNAME", "PASSWORD", "URL"), _CREDENTIALS),
    **dict.fromkeys(
        (
            "AGE", "BANK_ACCOUNT", "CREDIT_CARD", "DATE_OF_BIRTH", "DRIVER_LICENSE", "IN_AADHAAR", "IN_PAN", "MEDICAL_RECORD",
            "MEMBER_ID", "ONE_TIME_CODE", "PASSPORT", "PHONE_NUMBER", "PIN", "POLICY_NUMBER", "UK_NHS", "UK_NINO", "US_SSN",
            "VEHICLE_PLATE", "ZIP_CODE",
        ),
        _IN_FIGURES,
    ),
}  # fmt: skip
"""How likely one word of a value must be, chosen on the development set. The rules know numbers by the words around them and by
their check digits; prices and quantities look like numbers of every kind, so the tagger must be all but certain of those. Kinds
that do not stand here (a security code, an expiry date, a network address) are left to the rules alone."""

_BESIDE = 0.35
"""A word beside a sure one of its kind belongs to it when it is this likely."""
_PLACEHOLDER = re.compile(r"<[A-Z_]+(?:_\d+)?>")
_APART = re.compile(r"[^\w<>]{0,4}")
_WHAT = {
    "PERSON": "a name",
    "LOCATION": "a place",
    "STREET_ADDRESS": "an address",
    "EMAIL_ADDRESS": "an e-mail address",
    "USERNAME": "a user name",
    "PASSWORD": "a password",
    "URL": "a web address",
}


_SMALL = frozenset(
    {"hang", "hold", "let", "then", "and", "uh", "um", "er", "erm", "have", "okay", "ok", "yeah", "yes", "wait", "sorry", "so"}
)
"""Words of waiting and going on, which stand beside values of every kind and belong to none."""
_MOMENTS = frozenset({"sec", "second", "moment", "minute", "mo", "tick"})
_NAMES_TOO = (GIVEN | SURNAMES) - {"guy", "van", "short", "long", "price", "page", "north", "new", "right", "good"}
_RELATIVES = frozenset(
    {
        "fiance",
        "fiancee",
        "fiancé",
        "fiancée",
        "him",
        "her",
        "them",
        "us",
        "me",
        "granddad",
        "grandad",
        "grandma",
        "gran",
        "nan",
        "mum",
        "dad",
        "mom",
        "auntie",
        "aunt",
        "uncle",
    }
)
_TITLES = frozenset({"as", "mister", "missus", "mr", "mrs", "ms", "dr", "doctor", "professor", "sergeant", "constable", "nurse"})
_NOT_IN_NAMES = ((COMMON_WORDS | SENTENCE_WORDS | _SMALL) - _NAMES_TOO) | {"page"}
_NOT_BEFORE_NAMES = (SENTENCE_WORDS | _SMALL | _RELATIVES | _TITLES) - _NAMES_TOO
"""Fewer: a recogniser makes everyday words of the beginning of a name that it does not know ("the ken lobby")."""
_ANNOUNCES = frozenset({"in", "is", "with", "number", "ending", "ends", "it's", "that's"})
_FLAT = re.compile(r"(?<![\w'])(?:flat|apartment|unit|suite|plot|block)(?![\w'])\W+\w+", re.IGNORECASE)
_SPELLED_LEAST = 3
_LOGIN = re.compile(r"user|log|sign|handle|account|name|portal", re.IGNORECASE)
_SECRET = frozenset({"PASSWORD", "USERNAME"})
_OPENS = re.compile(r"(?<![\w'])(?:open|opens|opening|close|closes|closing|shut|shuts|hours)(?![\w'])", re.IGNORECASE)


def tagged_spans(text: str, words: Sequence[Tagged]) -> list[Span]:
    """Neighbouring words of one kind as one span, where at least one of them is sure enough for its kind.

    What stands in a placeholder is masked already and makes no span.
    """
    masked = [hit.span() for hit in _PLACEHOLDER.finditer(text)]
    runs: list[list[Tagged]] = []
    for word in words:
        if word.score < _BESIDE or word.kind not in BARS or any(start <= word.start < end for start, end in masked):
            continue
        if runs and runs[-1][-1].kind == word.kind and _APART.fullmatch(text, runs[-1][-1].end, word.start):
            runs[-1].append(word)
        else:
            runs.append([word])
    sure = [run for run in runs if _likely(run) >= BARS[run[0].kind]]
    return [_span(run) for whole in sure if (run := _trimmed(text, whole)) and not _is_everyday(text, run)]


def _trimmed(text: str, run: list[Tagged]) -> list[Tagged]:
    """Without the small words at its ends."""
    kind = run[0].kind
    if kind in _SECRET:
        return run
    ahead, small = (_NOT_BEFORE_NAMES, _NOT_IN_NAMES) if kind == "PERSON" else (_SMALL | _ANNOUNCES, _SMALL)
    first, last = 0, len(run)
    while first < last and _word(text, run[first]) in ahead:
        first += 1
    while last > first and (_word(text, run[last - 1]) in small or _waits(text, run[last - 1])):
        last -= 1
    return run[first:last]


def _is_everyday(text: str, run: list[Tagged]) -> bool:
    """Whether no word of a name is a name ("he ran"), or a street is an opening hour ("nine thirty and close")."""
    words = [_word(text, each) for each in run]
    if run[0].kind == "PERSON":
        # "Christian name" names nobody.
        kind_of_name = re.match(r"\W*names?(?!\w)", text[run[-1].end :], re.IGNORECASE) is not None
        if kind_of_name or sum(len(word) == 1 for word in words) >= _SPELLED_LEAST:
            return kind_of_name
        return all(len(word) == 1 or (word in NO_NAMES and word not in _NAMES_TOO) for word in words)
    if run[0].kind == "LOCATION":
        return all(word in MONTHS or (word in NO_NAMES and word not in _NAMES_TOO and word not in TOWN_WORDS) for word in words)
    if run[0].kind == "STREET_ADDRESS":
        if "and" in words and words[-1] in STREET_WORDS and _OPENS.search(text, 0, run[-1].start):
            return True
        street = any(word in STREET_WORDS and _is_number(words[0]) for word in words[1:])
        named = street or any(not _is_number(word) and word not in NO_NAMES and word not in STREET_WORDS for word in words)
        return not named and _FLAT.search(text, run[0].start) is None
    return run[0].kind == "USERNAME" and all(word in (COMMON_WORDS if _LOGIN.search(text) else NO_NAMES) for word in words)


def _is_number(words: str) -> bool:
    return all(part.isdigit() or ENGLISH.is_number(part) or part in ENGLISH.ordinals for part in re.split(r"[\W_]+", words))


def _waits(text: str, word: Tagged) -> bool:
    """The beginning of "one sec"."""
    following = re.match(r"\W*(\w*)", text[word.end :])
    return _word(text, word) in ("one", "just", "1") and following is not None and following[1].lower() in _MOMENTS


def _word(text: str, word: Tagged) -> str:
    return text[word.start : word.end].lower().strip(" ,.;:!?")


def _likely(run: Sequence[Tagged]) -> float:
    return max(word.score for word in run)


def _span(run: Sequence[Tagged]) -> Span:
    kind = run[0].kind
    words = "words" if len(run) > 1 else "a word"
    why = f"{words} of {_WHAT.get(kind, 'a number or code')}, {_likely(run):.0%} likely"
    return Span(run[0].start, run[-1].end, EntityType(kind), SCORE, "tagger", why)
