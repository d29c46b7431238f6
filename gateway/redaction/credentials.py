"""Passwords and user names in words: what follows their announcement, up to where the sentence goes on."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.redaction.english import COMMON_WORDS, JOINS, SENTENCE_WORDS
from gateway.redaction.heard import Heard
from gateway.redaction.tables import words
from gateway.values import Span

_WORD_FOR_IT = (
    r"pass ?phrase|(?:memorable|secret|security|safe|magic) (?:word|name|place|phrase|answer)|code ?word|pass ?code|"
    r"(?:answer|response)(?: to (?:the|my|your|that))?(?: (?:security|secret|memorable))? question|security question(?: answer)?"
)
_SECRETS = rf"pass ?words?|pass ?key|{_WORD_FOR_IT}"
_USER = (
    r"(?:user ?name|user ?id|user i d|screen ?name|log ?(?:in|on) (?:name|id)|handle|nick ?name|account name)"
    r"|(?P<login>(?:log(?:ged|ging)? ?[io]n|logan|lug in|sign(?:ed|ing)? ?in)(?! (?:password|pin|code|passcode)))"
)
_ANNOUNCED = re.compile(rf"(?<![\w'])(?:(?P<password>{_SECRETS})|(?:{_USER}))(?!\w)")
_LINK = re.compile(
    r"(?:(?P<has>'s)|(?: (?!is |was |as |to |for |it's |that's )[a-z']+){0,5}?(?: \|)? (?P<link>is|as|was|it's|that's|to|for|"
    r"with|"
    r"should be|would be|of))"
    r"(?: (?:uh|um|so|now|currently|all|just|spelled))?(?: \|)? (?=[^\s|])"
)
_WRITTEN_LINK = ":= "
"""Between a field and its value."""
_TOKEN = re.compile(r" ?(?P<sign>\|)|\s?(?P<word>[^\s|]+)")
_STOPS = words(
    """and but with for on please it that so because doesn't isn't or my the from now if when thanks i you we is was
    does can what which will not in"""
)
_JOINS = JOINS | {
    "hash",
    "exclamation",
    "star",
    "asterisk",
    "dollar",
    "hashtag",
    "percent",
    "ampersand",
    "question",
    "capital",
    "score",
}
_MAY_BEGIN = words(
    "a i all capital student work home summer lower upper big small my happy lucky sister best long old new may and"
)
_NO_BEGINNING = (SENTENCE_WORDS - {"i"}) | {
    "wrong",
    "expired",
    "incorrect",
    "the",
    "same",
    "again",
    "longer",
    "at",
    "to",
    "reset",
    "page",
    "in",
}
_VERBS = words(
    "must should has have had needs requires reset changed change expired field box policy length worked works page does"
)
_OF_FORMS = frozenset({"field", "box", "page", "screen", "button", "link", "prompt", "tab", "manager", "policy"})
_LONGEST = 16
_ALONE = re.compile(rf"(?<![\w'])(?:{_WORD_FOR_IT})(?: \|)? (?P<value>[a-z'-]+(?: [a-z'-]+){{0,3}})(?=(?: \||$))")


def find(heard: Heard) -> list[Span]:
    """What follows "my password is" and its like. A sentence that only speaks about passwords is left alone."""
    return [*_values(heard), *_alone(heard)]


def _alone(heard: Heard) -> Iterator[Span]:
    """ "Security word lantern": nothing but the value follows."""
    for match in _ALONE.finditer(heard.view.text):
        said = match["value"].split()
        if said[0] not in _NO_BEGINNING | _VERBS | _STOPS and not any(word in SENTENCE_WORDS for word in said):
            strange = [word for word in said if word not in COMMON_WORDS]
            if strange:
                yield heard.span(*match.span("value"), "PASSWORD", 0.6, "phrase", "what alone follows its announcement")


def _values(heard: Heard) -> Iterator[Span]:
    text = heard.view.text
    for match in _ANNOUNCED.finditer(text):
        link = _LINK.match(text, match.end())
        if link and _OF_FORMS & set(text[match.end() : link.end()].split()):
            continue
        said = link["link"] or "is" if link else ""
        # "log in to the page", "the login for the website": only what looks like a name of a machine's making is one.
        loose = said in ("", "to", "for", "of", "with") and match["login"] is not None
        for start in filter(None, (link.end() if link else 0, match.end() + 1)):
            end = _end(text, start)
            value = text[start:end]
            if value and _is_value(value, coded=loose or start == match.end() + 1):
                entity = "PASSWORD" if match["password"] else "USERNAME"
                begin = start + len(value) - len(value.lstrip(_WRITTEN_LINK))
                yield heard.span(begin, end, entity, 0.7, "phrase", "what follows its announcement")
                break


def _is_value(value: str, *, coded: bool) -> bool:
    words = value.split()
    if any(any(sign.isdigit() for sign in word) or word in _JOINS for word in words) or _is_spelled(words):
        return words[0] not in (_NO_BEGINNING | _VERBS if coded else _NO_BEGINNING) or (len(words) > 1 and words[1] in _JOINS)
    return not coded and (words[0] not in COMMON_WORDS or (words[0] in _MAY_BEGIN and len(words) > 1))


def _is_spelled(words: list[str]) -> bool:
    return len(words) >= 3 and all(len(word) == 1 for word in words[:3])


def _end(text: str, start: int) -> int:
    """Where the value ends: at the end of the sentence, or at a word that goes on with it."""
    end, joined = start, True
    for count, token in enumerate(_TOKEN.finditer(text, start)):
        word = token["word"]
        if word is None:
            if not _continues(text, token.end(), text[start:end]):
                break
            continue
        begins = not count and (_joined(text, token.end()) or (word == "i" and not _is_spoken_of(text, token.end())))
        if count >= _LONGEST or (word in _STOPS and not (joined and count) and not begins):
            break
        end, joined = token.end(), word in JOINS
    return end


def _joined(text: str, at: int) -> bool:
    """Whether a joiner follows: "and dot baker"."""
    following = _TOKEN.match(text, at)
    return following is not None and following["word"] in JOINS


def _is_spoken_of(text: str, at: int) -> bool:
    """Whether a sentence goes on, with a word that no value is made of."""
    following = _TOKEN.match(text, at)
    return following is None or following["word"] in COMMON_WORDS or following["word"] is None


def _continues(text: str, at: int, value: str) -> bool:
    """A full stop within a value: "p. l. e. d. eighty", "rose. underscore nine"."""
    following = _TOKEN.match(text, at)
    word = following["word"] if following else None
    if not word or not value:
        return False
    return word in JOINS or word.isdigit() or (len(word) == 1 and (len(value.split()[-1]) == 1 or value[-1].isdigit()))
