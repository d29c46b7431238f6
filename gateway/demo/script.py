"""What the demo's scripted model says. A few rules over masked words, first match wins: a script, not an AI."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MODEL = "sordino-scripted-demo"
OWNER = "sordino-scripted-demo: a script, not an AI"

PLACEHOLDER = re.compile(r"<([A-Z][A-Z_]*[A-Z])(?:_\d+)?>")
_TOOL = "send_confirmation"


@dataclass(frozen=True, slots=True)
class Answer:
    """Either words, or one tool call."""

    text: str = ""
    tool: str = ""
    arguments: Mapping[str, str] | None = None


def answer(messages: Sequence[Mapping[str, Any]], tools: Sequence[str]) -> Answer:
    """The next line of the script for an OpenAI conversation; ``tools`` are the names on offer."""
    heard = _last_words(messages)
    everything = " ".join(_text(message) for message in messages if message.get("role") != "system")
    person, email = _first("PERSON", everything), _first("EMAIL_ADDRESS", everything)
    if messages and messages[-1].get("role") == "tool":
        return Answer(_confirmed(email, person))
    if "EMAIL_ADDRESS" in _kinds(heard):
        if _TOOL in tools:
            return Answer(tool=_TOOL, arguments={"email": _first("EMAIL_ADDRESS", heard)})
        return Answer(f"I have noted {email}. {_goodbye(person)}")
    for kinds, words, line in _LINES:
        if kinds & _kinds(heard) or (words and re.search(words, PLACEHOLDER.sub(" ", heard), re.IGNORECASE)):
            return Answer(_filled(line, heard, person))
    return Answer("I am sorry, I did not catch that. Could you please say it again?")


_LINES: tuple[tuple[frozenset[str], str, str], ...] = (
    (
        frozenset(),
        r"\b(human|agent|colleague|real person|operator)\b",
        "Of course. I will transfer you to a colleague. Please stay on the line.",
    ),
    (frozenset({"CREDIT_CARD"}), r"\bcard number\b", "I have noted your card number. What phone number may we call you on?"),
    (
        frozenset({"CVV", "PIN", "PASSWORD"}),
        r"\bsecurity code\b",
        "Thank you. I do not need your security code. What phone number may we call you on?",
    ),
    (frozenset({"PHONE_NUMBER"}), r"\bphone number\b", "I will use {PHONE_NUMBER}. And your e-mail address?"),
    (frozenset({"PERSON"}), r"\bmy name is\b", "Thank you, {PERSON}. What card number would you like to use?"),
    (frozenset(), r"\be-?mail\b", "I am sorry, I did not catch the e-mail address. Could you please say it again?"),
    (frozenset({"STREET_ADDRESS", "LOCATION", "ZIP_CODE"}), "", "Thank you. What card number would you like to use?"),
    (frozenset(), r"\bcancel\b", "I can help you to cancel. May I have your name, please?"),
    (
        frozenset(),
        r"\bopening hours\b|\bopen\b",
        "We are open from nine to five, Monday to Saturday. What else can I do for you?",
    ),
    (frozenset(), r"\bappointment\b", "I can book that for you. May I have your name, please?"),
    (frozenset(), r"\b(goodbye|bye)\b", "Thank you for calling. {GOODBYE}"),
    (frozenset(), r"\b(yes|correct|right)\b", "Thank you. What else can I do for you?"),
    (frozenset(), r"\b(hello|hi|good (morning|afternoon|evening))\b", "Hello. How can I help you today?"),
)
"""Kinds of placeholder, words, and what is answered to either."""

_INSTEAD = {"PHONE_NUMBER": "that number", "PERSON": "dear caller"}


def _filled(line: str, heard: str, person: str) -> str:
    def value(blank: re.Match[str]) -> str:
        kind = blank.group(1)
        if kind == "GOODBYE":
            return _goodbye(person)
        return _first(kind, heard) or (person if kind == "PERSON" else "") or _INSTEAD.get(kind, "it")

    return re.sub(r"\{([A-Z_]+)\}", value, line)


def _confirmed(email: str, person: str) -> str:
    return f"I have sent the confirmation to {email or 'you'}. {_goodbye(person)}"


def _goodbye(person: str) -> str:
    return f"Goodbye, {person}." if person else "Goodbye."


def _last_words(messages: Sequence[Mapping[str, Any]]) -> str:
    """All that the caller said since the last answer: one turn may come in several messages."""
    said: list[str] = []
    for message in reversed(messages):
        if message.get("role") == "user":
            said.append(_text(message))
        elif said or message.get("role") == "assistant":
            break
    return " ".join(reversed(said))


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return " ".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return ""


def _kinds(text: str) -> frozenset[str]:
    return frozenset(found.group(1) for found in PLACEHOLDER.finditer(text))


def _first(kind: str, text: str) -> str:
    return next((found.group() for found in PLACEHOLDER.finditer(text) if found.group(1) == kind), "")


_SIZES = (3, 5, 2, 7, 4, 1, 6)


def pieces(text: str) -> list[str]:
    """The text in small uneven pieces, cut in the middle of words and placeholders as a real model's tokens are."""
    found: list[str] = []
    at = 0
    while at < len(text):
        size = _SIZES[len(found) % len(_SIZES)]
        found.append(text[at : at + size])
        at += size
    return found


def arguments_text(answer: Answer) -> str:
    return json.dumps(answer.arguments or {}, ensure_ascii=False)
