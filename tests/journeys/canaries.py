"""Seeded secrets, and the search for them: in every form that a leak could have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

WORDS = {
    "0": "zero",
    "1": "one",
    "2": "two",
    "3": "three",
    "4": "four",
    "5": "five",
    "6": "six",
    "7": "seven",
    "8": "eight",
    "9": "nine",
}
_SIGNS = re.compile(r"[^a-z0-9@]+")
LONGEST_FIRST = 8
"""A part of a number this long is a leak too."""


@dataclass(frozen=True, slots=True)
class Canary:
    """One secret. ``spoken`` is how a recogniser writes it, ``bare`` what is left of it without case, spaces and signs."""

    name: str
    said: str
    spoken: str

    @property
    def forms(self) -> tuple[str, ...]:
        """What a search compares with a text of the same squeezed kind."""
        squeezed = squeeze(self.spoken)
        digits = digits_of(self.spoken)
        more = (digits[:LONGEST_FIRST], digits[-LONGEST_FIRST:]) if len(digits) >= LONGEST_FIRST else ()
        return (squeezed, *more)


def squeeze(text: str) -> str:
    """Small letters and digits only, number words as digits: ``Four, five`` and ``45`` look the same."""
    squeezed = _SIGNS.sub(" ", text.lower())
    for digit, word in WORDS.items():
        squeezed = squeezed.replace(word, digit)
    return squeezed.replace(" ", "")


def digits_of(text: str) -> str:
    return "".join(sign for sign in squeeze(text) if sign.isdigit())


CANARIES = (
    Canary("name", "My name is Barnaby Thistlewood.", "Barnaby Thistlewood"),
    Canary(
        "card",
        "My card number is four, zero, one, two, eight, eight, eight, eight, eight, eight, eight, eight, one, eight, eight, one.",
        "4012888888881881",
    ),
    Canary("phone", "My phone number is two, zero, two, five, five, five, zero, one, seven, three.", "2025550173"),
    Canary(
        "email", "My email address is barnaby dot thistlewood at example dot org.", "barnaby dot thistlewood at example dot org"
    ),
    Canary("ssn", "My social security number is four, one, nine, two, eight, seven, six, five, three.", "419287653"),
    Canary("birth", "I was born on the ninth of November, nineteen seventy three.", "ninth of November, nineteen seventy three"),
)
CALLER = Canary("caller number", "", "15559871234")
KEYS = Canary("keys pressed", "", "948172635")
ALL = (*CANARIES, CALLER, KEYS)


def found_in(text: str | bytes, canaries: Iterable[Canary] = ALL) -> list[str]:
    """Names of the canaries that stand in ``text``, in any form."""
    squeezed = squeeze(text.decode("utf-8", "replace") if isinstance(text, bytes) else text)
    return [canary.name for canary in canaries if any(form in squeezed for form in canary.forms)]


def found_in_all(exits: Mapping[str, str | bytes]) -> dict[str, list[str]]:
    """By exit: what leaked there."""
    leaks = {name: found_in(content) for name, content in exits.items()}
    return {name: canaries for name, canaries in leaks.items() if canaries}


def files_under(folder: Path) -> dict[str, bytes]:
    """Everything on disk below ``folder``, by path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
