"""What a question asks for, and which words of an answer are the value: "sure, it's four five, one sec" is ``four five``.

A *bare* answer holds nothing but a value and the small words around it. Its question alone says what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.redaction.cues import QUESTIONS, Cues, cue
from gateway.redaction.english import (
    ADDRESS_WORDS,
    CODE_WORDS,
    COMMON_WORDS,
    CORRECTIONS,
    JOINS,
    LEADS,
    MONTHS,
    NAMES_OF_KINDS,
    NATO,
    SENTENCE_WORDS,
    SMALL_WORDS,
    TOWN_WORDS,
)
from gateway.redaction.spoken import View
from gateway.values import EntityType

LETTERED = frozenset({"PERSON", "LOCATION", "STREET_ADDRESS", "EMAIL_ADDRESS", "URL", "USERNAME", "PASSWORD"})
"""Kinds of data that are made of words. The others are numbers and codes."""

_ASKS = Cues((
    *QUESTIONS,
    cue("PERSON", 1, 60, r"(?:(?:full|first|last|middle|given|family|maiden) )?names?", r"surname", r"speaking with"),
    cue("PERSON", 1, 60, r"who am i (?:speaking|talking)(?: \w+)?", r"who(?:'s| is) (?:this|calling)"),
    cue("USERNAME", 1, 60, r"user ?name", r"user (?:id|i d)", r"log ?in(?: name| id)?", r"handle"),
    cue("PASSWORD", 1, 60, r"pass ?(?:word|phrase)", r"memorable word"),
    cue("EMAIL_ADDRESS", 1, 60, r"e ?-?mail(?: address)?"),
    cue("IP_ADDRESS", 1, 60, r"i ?p(?: address)?", r"network address"),
    cue("URL", 1, 60, r"(?:web ?site|web page|web)(?: address)?", r"url", r"domain"),
    cue("STREET_ADDRESS", 1, 60, r"address", r"street", r"house number", r"(?:do you|you) live", r"deliver (?:it|this|that) to"),
    cue("LOCATION", 1, 60, r"city", r"(?:the|and) town"),
    cue("LOCATION", 1, 60, r"which (?:town|state|county|country)", r"(?:what|your) (?:town|state|county|country)"),
    cue("VEHICLE_PLATE", 1, 12, r"registration", r"number plate"),
))  # fmt: skip
_STARTS = re.compile(
    r"(?<![\w'])(?:what|what's|which|who|who's|whose|where|when|how|could you|can you|would you|will you|"
    r"do you have|have you got|may i|can i|could i|please|i need|i'll need|we need|give me|tell me|read me|confirm|"
    r"and (?:the|your|a))(?![\w'])"
)
_HELP = re.compile(r"(?<![\w'])(?:how|what|who) (?:may|can|could|should) (?:i|we) (?:help|assist|do|direct|be of)(?![\w'])")
_PLACEHOLDER = re.compile(r"<[A-Z_]+(?:_\d+)?>")

_TAILS = (
    r"(?:one|1|just a|a) (?:sec|second|moment|minute|mo|tick)s?|hold on|hang on|let me (?:see|check|look|find it)|bear with me|"
    r"give me a (?:sec|second|moment|minute)|is that (?:right|correct|ok|okay)|did you get that|got that|"
    r"if that helps|that's (?:it|all|right|correct)|(?:is )?all|please|thanks|thank you|ok|okay|right|correct|yeah|yes|"
    r"wait|so|and|then|uh|um|er|sorry|you know|i think|again"
)
_TAIL = re.compile(rf"(?:(?: \|)*(?:^| )(?:{_TAILS}))+(?: \|)*\Z")
_PAUSE = re.compile(
    r"(?<![\w'])(?:(?:one|1|just a) (?:sec|second|moment|minute)|(?:hold|hang) on(?: (?:a|one|1|just a) (?:sec|second|moment|"
    r"minute|mo|tick))?|"
    r"let me see|bear with me)(?![\w'])"
)
_AS_IN = re.compile(r"(?<![\w'])[a-z] (?:as in|for|like) [a-z]+")
_TOKEN = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+(?:st|nd|rd|th)?|[^\s\w]|_")
_READS_BACK = re.compile(
    r"(?<![\w'])(?:so (?:that|it|that's)|that's|whole thing|read (?:it|that|this) back|reading (?:it|that) back|i have|"
    r"i've got|"
    r"you said|to confirm|is that (?:right|correct)|correct)(?![\w'])"
)
_BRIEF = 6
_STATES = (SENTENCE_WORDS - {"your", "you", "which", "what"}) | frozenset(
    {"thanks", "thank", "sorry", "got", "sent", "send", "sending", "updated", "changed", "for", "that's", "it's", "i'll", "we'll"}
)
_STOPS = frozenset("|,;.?!")
_IS = frozenset({"is", "are", "was", "be", "it's", "that's"})
_MOST = {"PERSON": 4, "LOCATION": 4, "STREET_ADDRESS": 10}
_MORE = frozenset({"digits", "four", "go", "ahead", "huh", "year", "month", "day", "half", "letters", "ones", "after"})
_OPEN_STILL = LEADS | CORRECTIONS | _MORE
_BESIDE = CORRECTIONS | SMALL_WORDS | _STOPS
"""What may stand beside the value of a bare answer."""
_AGAIN = re.compile(r"(?<![\w'])(?:repeat|again|slowly|didn't (?:get|catch)|missed|pardon)(?![\w'])")
_SPELL = re.compile(r"(?<![\w'])(?:spell|spelled|spelt|letters?)(?![\w'])")


@dataclass(frozen=True, slots=True)
class Bare:
    """The stretches of a view that are value; ``corrected`` when the speaker took something back.

    ``named``: the answer said what it is ("my phone number is…"), so it begins anew and goes on with nothing.
    """

    stretches: tuple[tuple[int, int], ...]
    corrected: bool = False
    named: bool = False

    @property
    def size(self) -> int:
        """How many characters of the view are value."""
        return sum(end - start for start, end in self.stretches)


def asked(said: str) -> EntityType | None:
    """The kind of data that a turn asks for: the first that it names after its last question word. ``said`` is lower case."""
    said = _HELP.sub(lambda hit: "|" * len(hit.group()), said)
    found = sorted((start, -end, _ASKS[order].entity) for order, start, end in _ASKS.said(said, 0, len(said)))
    if not found:
        return None
    starts = [hit.start() for hit in _STARTS.finditer(said)]
    for start in reversed(starts):
        after = [entity for at, _, entity in found if at >= start]
        if after:
            return after[0]
    return found[-1][2] if starts or _is_brief(said) else None


def _is_brief(said: str) -> bool:
    """Whether a turn only names what it asks for: "surname?", "and the postcode"."""
    words = list(_words(said))
    return len(words) <= _BRIEF and not any(word in _STATES for word in words)


def without_placeholders(said: str) -> str:
    """A masked turn with its placeholders taken out."""
    return _PLACEHOLDER.sub(" ", said)


def goes_on(said: View) -> bool:
    """Whether a turn leaves the question open: it only acknowledges, reads back, or asks for more of the same."""
    text = _TAIL.sub("", said.text)
    if _SPELL.search(text):
        return True
    return all(word in _OPEN_STILL or len(word) == 1 or word[0].isdigit() for word in _words(text))


def wants_again(said: str) -> bool:
    """Whether a turn asks to hear the value from its beginning."""
    return bool(_AGAIN.search(said))


def reads_back(said: View) -> bool:
    """Whether a turn says that it repeats what it has heard."""
    return bool(_READS_BACK.search(said.text))


def hesitates(said: View) -> bool:
    """Whether a turn breaks off: more is to come."""
    return bool(
        re.search(rf"(?:{_PAUSE.pattern}|(?<![\w'])(?:uh|um|er|and|then))(?: \|)*\Z", said.transcript.lower().rstrip(" .,?"))
    )


def is_end(rest: str) -> bool:
    """Whether what follows a value is nothing but small words of waiting and thanks."""
    left = rest.lower().strip(" .,;?!")
    return not left or _TAIL.fullmatch(left) is not None


def bare(said: View, kind: EntityType) -> Bare | None:
    """The value in a bare answer to the question for ``kind``, or None when the turn says something else too."""
    tail = _TAIL.search(said.text)
    stop = tail.start() if tail else len(said.text)
    blanked = _PAUSE.sub(lambda hit: "|" * len(hit.group()), said.text[:stop])
    tokens = [(hit.start(), hit.end(), hit.group()) for hit in _TOKEN.finditer(blanked)]
    at = 0
    while at < len(tokens) and _leads(tokens, at):
        at += 1
    lead, at = at, _after_its_name(tokens, at)
    corrected = any(word in CORRECTIONS for _, _, word in tokens)
    tokens = tokens[at:]
    spelled = [hit.span() for hit in _AS_IN.finditer(blanked)]
    valued: list[bool] = []
    for index, (start, _, word) in enumerate(tokens):
        value = (
            _is_value(word, kind)
            or (word == "a" and _beside_letter(tokens, index))
            or any(first <= start < last for first, last in spelled)
        )
        if not value and word not in _BESIDE:
            return None
        valued.append(value)
    if not any(valued):
        return None
    stretches = tuple(_stretches(tokens, valued, said.text))
    values = [word for value, (_, _, word) in zip(valued, tokens, strict=True) if value]
    if not stretches or not (_plausible(values, kind) or said.words(stretches[0][0], stretches[-1][1]).isupper()):
        return None
    return Bare(stretches, corrected, named=at > lead)


def _words(text: str) -> Iterator[str]:
    return (hit.group() for hit in _TOKEN.finditer(text) if hit.group()[0].isalnum())


def _leads(tokens: list[tuple[int, int, str]], at: int) -> bool:
    word = tokens[at][2]
    if word == "i":
        # "i 4 2", "i s l a": a letter, unless a sentence begins with it.
        return at + 1 < len(tokens) and tokens[at + 1][2] in LEADS
    return word in LEADS or word in _STOPS or word in ("spelled", "spelt", "spell", "letters")


def _after_its_name(tokens: list[tuple[int, int, str]], at: int) -> int:
    """Behind "my e-mail address is", where an answer names what it is; else where it was."""
    for index in range(at, len(tokens)):
        word = tokens[index][2]
        if word in _IS:
            return index + 1
        if word not in NAMES_OF_KINDS and word not in LEADS:
            break
    return at


def _is_value(word: str, kind: EntityType) -> bool:
    if word[0].isdigit() or word in NATO or (len(word) == 1 and word.isalpha() and word != "a"):
        return True
    if kind in ("DATE_OF_BIRTH", "CARD_EXPIRY"):
        return word in MONTHS or word in ("of", "the", "slash", "/")
    if kind == "LOCATION" and word in TOWN_WORDS:
        return True
    if kind in ("PERSON", "LOCATION"):
        return (word.isalpha() and word not in COMMON_WORDS and word not in MONTHS) or _is_compound(word)
    if kind == "STREET_ADDRESS":
        return word in JOINS or (word[0].isalpha() and (word in ADDRESS_WORDS or word not in COMMON_WORDS))
    if kind in LETTERED:
        return word in JOINS or (word[0].isalpha() and word not in SENTENCE_WORDS)
    return word in JOINS or word in CODE_WORDS or word == "a" or (word.isalpha() and len(word) <= 3 and word not in COMMON_WORDS)


def _beside_letter(tokens: list[tuple[int, int, str]], at: int) -> bool:
    near = [tokens[index][2] for index in (at - 1, at + 1) if 0 <= index < len(tokens)]
    return not near or any(word in NATO or (len(word) == 1 and word.isalnum()) for word in near)


def _is_compound(word: str) -> bool:
    return ("'" in word or "-" in word) and word not in COMMON_WORDS


def _plausible(words: list[str], kind: EntityType) -> bool:
    if kind in ("PERSON", "LOCATION"):
        letters = [word for word in words if len(word) == 1 or word in NATO]
        others = len(words) - len(letters)
        return not any(word[0].isdigit() for word in words) and others <= _MOST[kind] and (others > 0 or len(letters) > 0)
    if kind in LETTERED:
        return len(words) <= _MOST.get(kind, 24) and any(
            word not in JOINS and (len(word) > 1 or word.isdigit()) for word in words
        )
    return any(word[0].isdigit() or len(word) == 1 or word in NATO or word in MONTHS for word in words)


def _stretches(tokens: list[tuple[int, int, str]], valued: list[bool], text: str) -> Iterator[tuple[int, int]]:
    """Values that follow one another are one, also over a pause; a word of correction parts them."""
    begin = end = -1
    for value, (start, stop, word) in zip(valued, tokens, strict=True):
        if value:
            begin, end = (start if begin < 0 else begin), stop
        elif begin >= 0 and (word in CORRECTIONS or word in SMALL_WORDS):
            yield begin, end
            begin = -1
    if begin >= 0:
        yield begin, end
