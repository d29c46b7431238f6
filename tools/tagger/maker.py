"""What makers of values have in common."""

from __future__ import annotations

from random import Random
from typing import TypeVar

from tools.tagger.speech import code

Said = tuple[str, str]
"""What is said, in lower case; and what is written."""


T = TypeVar("T")


class Maker:
    """Draws from a random source."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def pick(self, options: list[T]) -> T:
        """One of them."""
        return self.random.choice(options)

    def figures(self, count: int) -> str:
        """So many digits."""
        return "".join(self.random.choice("0123456789") for _ in range(count))

    def pattern(self, pattern: str) -> str:
        """``A`` is a letter, ``9`` a digit, the rest stands for itself."""
        letters, figures = "ABCDEFGHJKLMNPRSTUVWXYZ", "0123456789"
        return "".join(self.random.choice(letters if sign == "A" else figures) if sign in "A9" else sign for sign in pattern)

    def code(self, *patterns: str) -> Said:
        """Letters and digits after one of the patterns."""
        value = self.pattern(self.pick(list(patterns)))
        return code(self.random, value), value
