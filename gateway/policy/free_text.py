"""What people write freely and evidence keeps for good: it must not name a person by number or address (promise 22).

A net for slips, no proof: who wants to hide a number in words can.
"""

from __future__ import annotations

import re
from datetime import date

from gateway.errors import InvalidRequest
from gateway.policy.consent import ANY_PURPOSE

MOST_DIGITS = 7
"""In one row: more of them may be a telephone number, fewer are a file's reference."""
_PURPOSE = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.ASCII)
_BETWEEN = r"\s().\-/_:·‐-―"
_ROW = re.compile(rf"(?<![A-Za-z0-9])(?<![A-Za-z]_)\d(?:[{_BETWEEN}]*\d){{{MOST_DIGITS},}}(?![A-Za-z0-9])")
"""A row that touches letters is part of an id."""
_ABROAD = re.compile(r"\+\s?\d")
_ADDRESS = re.compile(r"\S@\S")
_TIME = re.compile(
    r"(?<!\d)((?:19|20)\d{2}-\d{2}-\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:\d{2})?)?(?![\d:])", re.ASCII
)
_FILE = re.compile(r"(?<!\d)\d{1,5}/(?:19|20)\d{2}(?!\d)", re.ASCII)
"""``3456/2026``: how courts and offices number their files."""
_ENDS_IN_DIGIT, _BEGINS_WITH_DIGIT = re.compile(rf"\d[{_BETWEEN}]*\Z"), re.compile(rf"[{_BETWEEN}]*\d")


def looks_personal(text: str) -> bool:
    """Whether it looks as if it held a telephone number, in whatever dress, or a mail address."""
    timeless = _TIME.sub(_without_day, text)
    return bool(_ABROAD.search(timeless) or _ROW.search(_FILE.sub(_without_file, timeless)) or _ADDRESS.search(text))


def checked_purpose(purpose: str) -> str:
    """What somebody is called for, or agrees to, by its name. Raises InvalidRequest: what is no name may be anything."""
    if purpose != ANY_PURPOSE and not _PURPOSE.fullmatch(purpose):
        raise InvalidRequest(
            "the purpose is no name of one", hint="write it as the tenant's file does: small letters, digits and hyphens"
        )
    return purpose


def _without_day(found: re.Match[str]) -> str:
    try:
        date.fromisoformat(found[1])
    except ValueError:
        return found[0]
    return ""


def _without_file(found: re.Match[str]) -> str:
    text = found.string
    alone = not _ENDS_IN_DIGIT.search(text, 0, found.start()) and not _BEGINS_WITH_DIGIT.match(text, found.end())
    return "" if alone else found[0]
