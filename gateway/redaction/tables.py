"""Tables of words, written as text."""

from __future__ import annotations


def words(table: str) -> frozenset[str]:
    """The words of a table."""
    return frozenset(table.split())


def phrases(table: str) -> frozenset[str]:
    """The phrases of a table with commas between."""
    return frozenset(" ".join(phrase.split()) for phrase in table.split(","))
