"""Lists of numbers as people have them are read, or every line that is none is named, without repeating it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Finding
from gateway.policy.list_file import read_numbers
from gateway.values import Private


@pytest.mark.parametrize(
    ("text", "country", "numbers"),
    [
        ("+15125550100\n+4930901820\n", "", ["+15125550100", "+4930901820"]),
        ("number,since\n+15125550100,2026-01-01\n", "", ["+15125550100"]),
        ("512,5550100\n512,5550101\n", "us", ["+15125550100", "+15125550101"]),
        ("(512) 555-0100\n512.555.0101\n", "us", ["+15125550100", "+15125550101"]),
        ("030 901820\n", "de", ["+4930901820"]),
        ("\n\n+15125550100\n\n", "", ["+15125550100"]),
        ("", "", []),
    ],
)
def test_numbers_are_read(text: str, country: str, numbers: list[str]) -> None:
    """E.164, national form with a country, the two columns of the FTC's list, a head line."""
    assert list(read_numbers("list.csv", text.splitlines(), country)) == [Private(number) for number in numbers]


@pytest.mark.parametrize(
    ("text", "line"), [("+15125550100\n5125550100\n", 2), ("+1\n", 1), ("+15125550100\nAnna Smith\n", 2), ("+١٢٣٤٥٦٧٨٩\n", 1)]
)
def test_what_is_no_number_is_named_by_its_line(text: str, line: int) -> None:
    """And never repeated: it may be a name."""
    (fault,) = [each for each in read_numbers("list.csv", text.splitlines()) if isinstance(each, Finding)]
    assert (fault.where.file, fault.where.line) == ("list.csv", line)
    assert "Anna" not in str(fault)
    assert "5125550100" not in str(fault).replace("+15125550100", "")


@given(st.lists(st.text(st.characters(exclude_characters="\r\n\0"), max_size=30), max_size=5))
def test_any_lines_get_an_answer(lines: list[str]) -> None:
    """A number or a finding each, and no more than there are lines."""
    assert len(list(read_numbers("list.csv", lines, "us"))) <= len(lines)
