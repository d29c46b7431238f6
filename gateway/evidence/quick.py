"""JSON that is plainly in canonical form, read quickly: for who has a million entries to check.

What is odd in the least (letters beyond the Basic Multilingual Plane, deep values, fractions, any fault) is not read here, and
goes the careful way of ``canonical``, which alone decides what is wrong and says it. So this way can only say yes, and only where
that one would.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import orjson

from gateway.evidence.canonical import MAX_DEPTH

_DEEPEST = MAX_DEPTH - 4
_write_exact = partial(orjson.dumps, option=orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER)
_has_rare_letters = re.compile(rb"[\xf0-\xff]").search
"""UTF-8 begins the letters beyond the Basic Multilingual Plane so. Names with such ones, and only those, ``canonical`` sorts in
another order (by UTF-16 code units) than the writer here does (by UTF-8)."""


def read(text: bytes) -> Any:
    """The value of a text in canonical form, or None for whatever is not plainly that."""
    found = read_all((text,))
    return None if found is None else found[0]


def read_all(texts: Sequence[bytes]) -> list[Any] | None:
    """The values of texts that are each in canonical form, or None if any is not plainly that."""
    if not all(map(bytes.isascii, texts)) and any(map(_has_rare_letters, texts)):
        return None
    try:
        values = list(map(orjson.loads, texts))
        # What is written again as it stood has no member twice, in no other order, and no other spelling of anything. The writer
        # refuses whole numbers beyond 2^53 - 1, as ``canonical`` does; a fraction it would write, so those are looked for.
        same = _are_plain(values, _DEEPEST) and list(map(_write_exact, values)) == list(texts)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    return values if same else None


def write(value: object) -> bytes:
    """The canonical form of what ``read`` gave, or of parts of it put together; of anything else nothing is promised.

    Raises TypeError for what is no JSON at all.
    """
    return _write_exact(value)


def _are_plain(values: Iterable[object], depth: int) -> bool:
    """Whether there is nothing in them but texts, truth values, nothing and whole numbers, in so many levels at most."""
    for value in values:
        kind = type(value)
        if kind is str or kind is int:
            continue
        if kind is dict or kind is list:
            if not depth or not _are_plain(value.values() if kind is dict else value, depth - 1):  # type: ignore[attr-defined]
                return False
        elif kind is not bool and value is not None:
            return False
    return True
