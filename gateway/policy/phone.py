"""A telephone number in whatever form people write it, to E.164 (ITU-T E.164). No fault repeats what was written."""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import NumberParseException

from gateway.errors import InvalidRequest
from gateway.values import Private

LONGEST = 40
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_SIGNS = frozenset("+-.  ()/\u00a0\u2009\u202f\u2010\u2011\u2012\u2013")


def e164(number: Private[str], country: str = "") -> Private[str]:
    """The number in E.164 form: from ``+49 (0)151 234-567``, ``0049 151…``, ``tel:+49…``, and with ``country`` (two letters) from
    its national form. What it gives is its own E.164 form: one person is never two by a zero more or less.

    Raises:
        InvalidRequest: it is no number, or a national one whose country is not known.
    """
    written = number.reveal().strip()
    found = _parsed(written, country)
    while found is not None and found != written:
        written, found = found, _parsed(found, "")
    if found is None:
        hint = "write E.164: + and the country code" if country else "write E.164: + and the country code, or name its country"
        raise InvalidRequest("this is not a telephone number", hint=hint)
    return Private(found)


def _parsed(text: str, country: str) -> str | None:
    text = text.removeprefix("tel:").replace("(0)", "")
    if len(text) > LONGEST or not all(sign in _SIGNS or (sign.isascii() and sign.isdigit()) for sign in text):
        return None
    if text.startswith("00"):
        text = "+" + text[2:]
    try:
        parsed = phonenumbers.parse(text, country.upper() or None)
    except NumberParseException:
        return None
    written = "".join(sign for sign in text if sign.isdigit() or sign == "+")
    if phonenumbers.is_possible_number(parsed):
        return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    # A carrier may know numbers that no plan has: written as one, it is taken at its word.
    return written if _E164.fullmatch(written) else None
