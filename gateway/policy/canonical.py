"""One text for one meaning, so that its SHA-256 names the policy or the registry that was in force."""

from __future__ import annotations

import hashlib
import json


def canonical(value: object) -> bytes:
    """The canonical JSON of ``value``.

    Sorted keys, no spaces, UTF-8; for data without floats, which ours is, that is the form of RFC 8785.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(value: object) -> str:
    """SHA-256, in hexadecimal, of the canonical JSON of ``value``."""
    return hashlib.sha256(canonical(value)).hexdigest()
