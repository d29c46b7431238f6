"""Text made ready for a voice: sentence by sentence, and numbers and addresses the way people read them out."""

from __future__ import annotations

import re
import textwrap

_LONGEST = 220
"""Characters that are spoken in one go: the first sound of a longer sentence would come late."""

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_SIGNS = {".": "dot", "_": "underscore", "-": "dash", "+": "plus", "@": "at"}

_SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+(?=[\"'“‘(\[]?[A-Z0-9])|\n+")
_TITLE = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Mx|Dr|Prof|St|Sr|Jr)|\b[A-Z])\.$")
_CLAUSE = re.compile(r"(?<=[,;:—])\s+")
_EMAIL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_MONEY_OR_TIME = r"(?<![\w.,:/$£€¥₹])"
_COUNTED = r"(?![.,:/]?\d|%| ?(?:dollars|euros|pounds|rupees|cents|percent)\b)"
_NUMBER = re.compile(_MONEY_OR_TIME + r"\+?\(?\d(?:[ \-()]{0,2}\d){3,24}\)?" + _COUNTED)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}-\d{1,2}-\d{4}")
_DOTTED = re.compile(r"\b[a-z][a-z0-9_-]+(?:\.[a-z][a-z0-9_-]+)+\b")
_CODE = re.compile(r"\b[A-Z]{1,4}\d{3,}\b")


def sentences(text: str) -> list[str]:
    """The text in order, in pieces that are each spoken at once. Nothing is lost but white space."""
    found: list[str] = []
    start = 0
    for gap in _SENTENCE.finditer(text):
        before = text[start : gap.start()]
        if _TITLE.search(before) and "\n" not in gap.group():
            continue
        found.extend(_clauses(text[start : gap.end()]))
        start = gap.end()
    found.extend(_clauses(text[start:]))
    return found


def _clauses(sentence: str) -> list[str]:
    """A sentence whole, or at its clauses (else its words) when it is too long."""
    sentence = " ".join(sentence.split())
    if len(sentence) <= _LONGEST:
        return [sentence] if sentence else []
    for separator in (_CLAUSE, re.compile(" ")):
        parts = separator.split(sentence)
        if len(parts) > 1 and max(map(len, parts)) <= _LONGEST:
            return _joined(parts)
    return [sentence[at : at + _LONGEST] for at in range(0, len(sentence), _LONGEST)]


def _joined(parts: list[str]) -> list[str]:
    lines = [parts[0]]
    for part in parts[1:]:
        if len(lines[-1]) + 1 + len(part) <= _LONGEST:
            lines[-1] += " " + part
        else:
            lines.append(part)
    return lines


def readable(sentence: str) -> str:
    """The sentence with long numbers digit by digit (cards, phones, codes) and e-mail and web addresses in words.

    Years, money, times, dates and numbers of up to three digits stay as they are: a voice reads those well.
    """
    sentence = _EMAIL.sub(lambda found: _address(found.group()), sentence)
    sentence = _DOTTED.sub(lambda found: found.group().replace(".", " dot "), sentence)
    sentence = _NUMBER.sub(lambda found: _number(found.group()), sentence)
    return _CODE.sub(lambda found: _digits(" ".join(found.group())), sentence)


def _address(address: str) -> str:
    words = re.sub(r"[._+@-]", lambda sign: f" {_SIGNS[sign.group()]} ", address)
    return " ".join(_digits(" ".join(word)) if word.isdigit() else word for word in words.split())


def _number(number: str) -> str:
    groups = re.findall(r"\d+", number)
    digits = sum(map(len, groups))
    if digits < (5 if len(groups) == 1 else 7) or _DATE.fullmatch(number):
        return number
    breaths = [breath for group in groups for breath in _breaths(group)]
    spoken = ", ".join(_digits(" ".join(breath)) for breath in breaths)
    return ("plus " if number.startswith("+") else "") + spoken


def _breaths(group: str) -> list[str]:
    """Three or four digits at a time, and none alone at the end."""
    if len(group) <= 4:
        return [group]
    *parts, last = textwrap.wrap(group, 4 if len(group) >= 12 else 3)
    return [*parts[:-1], parts[-1] + last] if len(last) == 1 else [*parts, last]


def _digits(characters: str) -> str:
    return " ".join(_DIGITS[int(one)] if one.isdecimal() else one for one in characters.split())
