"""Names of keys in the store. Every one carries its tenant (promise 27), and no id can reach into another's name."""

from __future__ import annotations

import re

from gateway.errors import InvalidRequest

_ID = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,126}[A-Za-z0-9_-])?")


def key(tenant: str, *parts: str) -> str:
    """``sordino:{tenant}:part:…``. The braces keep one tenant's keys in one slot of a cluster, so that scripts can join them.

    Raises:
        InvalidRequest: see ``checked``.
    """
    for part in parts:
        checked(part)
    return f"sordino:{{{checked(tenant)}}}:{':'.join(parts)}"


def is_id(name: str) -> bool:
    """Whether it can stand in a key and as a file name."""
    return _ID.fullmatch(name) is not None


def checked(name: str) -> str:
    """``name`` if it can stand in a key and as a file name.

    Raises:
        InvalidRequest: it is not 1 to 128 letters, digits, ``_``, ``-``, ``.`` (no dot at an end).
    """
    if not _ID.fullmatch(name):
        raise InvalidRequest(
            "a tenant's or call's id has characters that it cannot have",
            hint="use 1 to 128 letters, digits, `_`, `-` and `.`, with no dot at an end",
        )
    return name
