"""JSON that stands in a text: what a tool is called with, and what it gives back."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from itertools import count
from typing import Any

from gateway.errors import InvalidRequest
from gateway.runner.proxy.request import FAILED
from gateway.values import Private

DEEPEST = 32
_BRACKETS = ("{", "[")


def read_arguments(arguments: str) -> Any:
    """The arguments of a tool call; none are no text. Raises InvalidRequest for what is not JSON."""
    try:
        return json.loads(arguments or "{}", parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError):
        raise InvalidRequest("the arguments of a tool call are not JSON") from None


def _no_constant(name: str) -> None:
    raise ValueError("no JSON has this")


def read_result(text: Private[str]) -> list[Private[Any] | str] | None:
    """The JSON that a text consists of, whole or one value a line, and what stands between; None where it is no such text."""
    plain = text.reveal()
    lead = FAILED if plain.startswith(FAILED) else ""
    rest = plain.removeprefix(lead)
    if rest.lstrip()[:1] not in _BRACKETS:
        return None
    whole = _value(rest)
    if whole is not None:
        return [lead, Private(whole)]
    out: list[Private[Any] | str] = [lead]
    for line in rest.split("\n"):
        value = _value(line)
        if value is None and line.strip():
            return None
        out += ["" if value is None else Private(value), "\n"]
    return out[:-1]


def _value(text: str) -> Any:
    """The object or the list that a text is in JSON, or None."""
    try:
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None


def _finite(number: str) -> float:
    """Raises ValueError for what would be no JSON when it is written again."""
    if not math.isfinite(value := float(number)):
        raise ValueError("larger than any number of JSON here")
    return value


def unlike(name: str, others: Mapping[str, Any]) -> str:
    """A name that none of the others has: two people may stand behind one mask."""
    if name not in others:
        return name
    return next(each for number in count(2) if (each := f"{name} ({number})") not in others)
