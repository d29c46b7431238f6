"""Lists of telephone numbers as people have them in files: to numbers in E.164 form, or to every line that is none.

A line is a number in E.164 form, or one in national form where the country is given. A do-not-call list of the FTC has the area
code and the number in two columns; both are joined. Further columns, empty lines and a head line count for nothing.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator

import phonenumbers
from phonenumbers import NumberParseException

from gateway.errors import Finding, Location
from gateway.values import Private

AREA_DIGITS, LOCAL_DIGITS = 3, 7
SIGNS = frozenset("+-. ()/")


def read_numbers(file: str, lines: Iterable[str], country: str = "") -> Iterator[Private[str] | Finding]:
    """Each line's number, or the fault of that line. No finding repeats what the line holds.

    Args:
        file: the name that findings carry.
        country: two letters (``us``), for numbers in national form.
    """
    for row in (reader := csv.reader(lines)):
        columns = [column.strip() for column in row]
        if not any(columns) or (reader.line_num == 1 and not any(sign.isdigit() for sign in columns[0])):
            continue
        number = _number(columns, country)
        if number is not None:
            yield Private(number)
            continue
        hint = "write E.164: +15125550100" if country else "write E.164: +15125550100, or name the country with --country us"
        yield Finding("this is no telephone number", Location(file, reader.line_num, 1), hint)


def _number(columns: list[str], country: str) -> str | None:
    text = columns[0]
    if len(columns) > 1 and _are_digits(columns[0], AREA_DIGITS) and _are_digits(columns[1], LOCAL_DIGITS):
        text = columns[0] + columns[1]
    if not text.isascii() or not all(sign.isdigit() or sign in SIGNS for sign in text):
        return None
    try:
        parsed = phonenumbers.parse(text, country.upper() or None)
    except NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _are_digits(text: str, count: int) -> bool:
    return len(text) == count and text.isascii() and text.isdigit()
