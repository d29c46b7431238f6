"""JSON that is plainly in canonical form, read quickly: for who has a million entries to check.

What is odd in the least (letters beyond the Basic Multilingual Plane, deep values, fractions, any fault) is not read here, and
goes the careful way of ``canonical``, which alone decides what is wrong and says it. So this way can only say yes, and only where
that one would.

The reader (msgspec) is told the types that may be there, and knows no others: no fraction, and only so many levels. What it is
lenient in (members that are there twice or in another order, other spellings, spaces) the writer (orjson) shows: it writes the
value again, and any difference from the text is a no.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import orjson

_LEVELS = 12
"""The deepest entry that a gateway writes has 6; ``canonical`` takes 64."""
if TYPE_CHECKING:
    from gateway.evidence.entries import Json

    Plain = Json
else:
    Plain = str | int | bool | None
    for _ in range(_LEVELS):
        Plain = str | int | bool | None | list[Plain] | dict[str, Plain]

Read = Callable[[Sequence[bytes]], list[Any] | None]

_write_exact = partial(orjson.dumps, option=orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER)
"""Refuses whole numbers beyond 2^53 - 1, as ``canonical`` does."""
_has_rare_letters = re.compile(rb"[\xf0-\xff]").search
"""UTF-8 begins the letters beyond the Basic Multilingual Plane so. Names with such ones, and only those, ``canonical`` sorts in
another order (by UTF-16 code units) than the writer here does (by UTF-8)."""


def reader(of: Any) -> Read:
    """A function for texts that each are a value of this type: their values, or None unless each is plainly in canonical form."""
    decode = msgspec.json.Decoder(of).decode

    def read_all(texts: Sequence[bytes]) -> list[Any] | None:
        if not all(map(bytes.isascii, texts)) and any(map(_has_rare_letters, texts)):
            return None
        try:
            values = list(map(decode, texts))
            same = list(map(_write_exact, values)) == list(texts)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, orjson.JSONEncodeError):
            return None
        return values if same else None

    return read_all


_read_any = reader(Plain)


def read(text: bytes) -> Any:
    """The value of a text in canonical form, or None for whatever is not plainly that."""
    found = _read_any((text,))
    return None if found is None else found[0]


def write(value: object) -> bytes:
    """The canonical form of what ``read`` gave, or of parts of it put together; of anything else nothing is promised.

    Raises TypeError for what is no JSON at all.
    """
    return _write_exact(value)
