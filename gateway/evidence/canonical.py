"""One way to write a value down as bytes, so that two people hash the same thing.

A subset of RFC 8785 (JSON Canonicalization Scheme): members sorted by UTF-16 code units, no white space, UTF-8, shortest
escapes. Fractions are refused altogether: evidence counts in whole units (milliseconds, frames), and so no reader ever has to
agree with another about how a floating-point number is printed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring
from typing import Any, NoReturn, cast

from gateway.errors import EvidenceInvalid
from gateway.evidence.entries import Json

_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_ENCODE_SORTED = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode
MAX_INT = 2**53 - 1
"""The largest whole number that every JSON reader keeps exact (RFC 8259, section 6; RFC 7493)."""
MAX_DEPTH = 64
MAX_BYTES = 64 * 1024 * 1024


def canonical(value: object) -> bytes:
    """The canonical bytes of ``value``: booleans, whole numbers, strings, ``None``, sequences and mappings with string keys.

    Raises:
        EvidenceInvalid: something else is in it (a fraction, a private value…); the message says where, never what.
    """
    return written(plain(value)).encode("utf-8")


def written(value: Json) -> str:
    """The canonical text of what ``plain`` gave, or of a part of it."""
    # Python sorts names by code point, RFC 8785 by UTF-16 code unit: for ASCII, which is nearly all, they are the same.
    sorted_by_code = _ENCODE_SORTED(value)
    return sorted_by_code if sorted_by_code.isascii() else _ENCODE(_ordered(value))


def quoted(text: str, where: str) -> str:
    """The canonical text of a text. Raises like ``canonical``."""
    return encode_basestring(text if text.isascii() else _text(text, where))


def plain(value: object, where: str = "$", *, below: int = 0) -> Json:
    """``value`` as lists, dicts, strings, whole numbers, booleans and ``None``. ``below``: how deep it stands in what it is for.

    Raises like ``canonical``.
    """
    return _plain(value, where, MAX_DEPTH - below)


def parse(data: bytes | str) -> Json:
    """Read JSON strictly: no duplicate member, no fraction, no NaN, no lone surrogate, nothing deeper or larger than we write.

    Raises:
        EvidenceInvalid: the message says what and where, as far as the text could be read.
    """
    text = _decode(data)
    try:
        value = json.loads(text, object_pairs_hook=_members, parse_float=_no_fraction, parse_constant=_no_fraction)
    except json.JSONDecodeError as error:
        raise EvidenceInvalid(f"line {error.lineno}, column {error.colno}: this is not JSON ({error.msg})") from None
    except RecursionError:
        raise EvidenceInvalid(f"it is nested deeper than {MAX_DEPTH} levels") from None
    except ValueError:  # Python's own limit on the digits of a whole number
        raise EvidenceInvalid("it holds a whole number that is too large") from None
    return plain(value)


def _decode(data: bytes | str) -> str:
    if len(data) > MAX_BYTES:
        raise EvidenceInvalid(f"it is larger than {MAX_BYTES // 1024 // 1024} MiB")
    if isinstance(data, str):
        return data
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise EvidenceInvalid(f"byte {error.start}: this is not UTF-8") from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise EvidenceInvalid(f"the member {json.dumps(twice[:80])} is there twice in one object")
    return members


def _no_fraction(text: str) -> NoReturn:
    raise EvidenceInvalid("it holds a fraction, NaN or infinity; evidence is written in whole numbers")


def _plain(value: object, where: str, depth: int) -> Json:
    if depth == 0:
        raise EvidenceInvalid(f"{where} is nested deeper than {MAX_DEPTH} levels")
    if _is_simple(value):
        return cast(Json, value)
    if isinstance(value, int):
        return _whole(int(value), where)
    if isinstance(value, str):
        return _text(value, where)
    if isinstance(value, dict | Mapping):
        return {
            key if type(key) is str and key.isascii() else _name(key, where): item
            if depth > 1 and _is_simple(item)
            else _plain(item, f"{where}.{key}", depth - 1)
            for key, item in value.items()
        }
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return [_plain(item, f"{where}[{index}]", depth - 1) for index, item in enumerate(value)]
    if isinstance(value, float):
        raise EvidenceInvalid(f"{where} is a fraction", hint="write whole units: milliseconds, frames, per mille")
    raise EvidenceInvalid(f"{where} is a {type(value).__name__}, which evidence cannot hold")


def _is_simple(value: object) -> bool:
    """Most of what evidence holds: nothing, yes or no, and text of ASCII alone (which Python knows without looking)."""
    kind = type(value)
    return (kind is str and cast(str, value).isascii()) or value is None or kind is bool


def _whole(value: int, where: str) -> int:
    if abs(value) > MAX_INT:
        raise EvidenceInvalid(f"{where} is a whole number beyond 2^53")
    return value


def _text(value: str, where: str) -> str:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise EvidenceInvalid(f"{where} holds half of a surrogate pair, which is no text") from None
    return str.__str__(value)


def _name(key: object, where: str) -> str:
    if not isinstance(key, str):
        raise EvidenceInvalid(f"{where} has a member name that is not text")
    return _text(key, f"a member name in {where}")


def _ordered(value: Json) -> Json:
    if isinstance(value, dict):
        # RFC 8785 sorts by UTF-16 code units, which for ASCII is the order that strings have anyway.
        names = sorted(value) if all(map(str.isascii, value)) else sorted(value, key=lambda name: name.encode("utf-16-be"))
        return {name: _ordered(value[name]) for name in names}
    if isinstance(value, list):
        return [_ordered(item) for item in value]
    return value
