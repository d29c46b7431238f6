"""JSON that is plainly in canonical form, read quickly: for who has a million entries to check.

What is odd in the least (letters beyond ASCII, deep values, fractions, any fault) is not read here, and goes the careful way of
``canonical``, which alone decides what is wrong and says it. So this way can only say yes, and only where that one would.
"""

from __future__ import annotations

from typing import Any

import orjson

from gateway.evidence.canonical import MAX_DEPTH, MAX_INT

_DEEPEST = MAX_DEPTH - 4
_LEAVES = {str, bool, type(None)}


def read(text: bytes) -> Any:
    """The value of a text in canonical form, or None for whatever is not plainly that."""
    if not text.isascii():
        return None
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    # What is written again as it stood has no member twice, in no other order, and no other spelling of anything.
    return value if is_plain(value) and orjson.dumps(value, option=orjson.OPT_SORT_KEYS) == text else None


def write(value: object) -> bytes:
    """The canonical form of what ``read`` gave, or of parts of it put together; of anything else nothing is promised.

    Raises TypeError for what is no JSON at all.
    """
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def is_plain(value: object) -> bool:
    """Whether there is nothing in it but texts, truth values, nothing, and whole numbers that every reader keeps exact."""
    level: list[Any] = [[value]]
    for _ in range(_DEEPEST):
        inside: list[Any] = []
        for each in level:
            for inner in each.values() if type(each) is dict else each:
                kind = type(inner)
                if kind in _LEAVES:
                    continue
                if kind is dict or kind is list:
                    inside.append(inner)
                elif kind is not int or not -MAX_INT <= inner <= MAX_INT:
                    return False
        if not inside:
            return True
        level = inside
    return False
