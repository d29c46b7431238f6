"""JSON that is plainly in canonical form, read quickly: for who has a million entries to check.

What is odd in the least (letters beyond ASCII, deep values, fractions, any fault) is not read here, and goes the careful way of
``canonical``, which alone decides what is wrong and says it. So this way can only say yes, and only where that one would.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from gateway.evidence.canonical import MAX_DEPTH

_DEEPEST = MAX_DEPTH - 4
_WRITE = orjson.OPT_SORT_KEYS
_EXACT = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER


def read(text: bytes) -> Any:
    """The value of a text in canonical form, or None for whatever is not plainly that."""
    value = load(text)
    return value if is_plain(value) and is_canonical(text, value) else None


def load(text: bytes) -> Any:
    """The value of a text of ASCII alone, or None: not yet checked, see ``is_plain`` and ``is_canonical``."""
    if not text.isascii():
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def is_canonical(text: bytes, value: object) -> bool:
    """Whether this text, which ``load`` gave this plain value for, is the canonical form of it.

    What is written again as it stood has no member twice, in no other order, and no other spelling of anything. The writer
    refuses whole numbers beyond 2^53 - 1, as ``canonical`` does (RFC 7493).
    """
    try:
        return orjson.dumps(value, option=_EXACT) == text
    except orjson.JSONEncodeError:
        return False


def write(value: object) -> bytes:
    """The canonical form of what ``read`` gave, or of parts of it put together; of anything else nothing is promised.

    Raises TypeError for what is no JSON at all.
    """
    return orjson.dumps(value, option=_WRITE)


def is_plain(value: object) -> bool:
    """Whether there is nothing in it but texts, truth values, nothing and whole numbers, no deeper than ``canonical`` takes."""
    return _are_plain((value,), _DEEPEST)


def _are_plain(values: Iterable[object], depth: int) -> bool:
    for value in values:
        kind = type(value)
        if kind is str or kind is int or kind is bool or value is None:
            continue
        if not depth or kind is float:
            return False
        if not _are_plain(value.values() if kind is dict else value, depth - 1):  # type: ignore[attr-defined]
            return False
    return True
