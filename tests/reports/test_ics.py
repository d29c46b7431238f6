"""Deadlines as a calendar file that every program takes: RFC 5545."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from gateway.reports.ics import Appointment, as_ics

AT = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)


def unfolded(file: str) -> list[str]:
    """As a reader has it (section 3.1)."""
    return file.replace("\r\n ", "").removesuffix("\r\n").split("\r\n")


def test_a_deadline_is_an_event_with_alarms() -> None:
    """In UTC, the same in each file, a day and an hour before."""
    file = as_ics(
        "Deadlines of acme", [Appointment("case_1.answer@acme", AT, "access: answer", "Case 1; about, a\\b\nmore")], made=AT
    )
    lines = unfolded(file)
    assert lines[:2] == ["BEGIN:VCALENDAR", "VERSION:2.0"]
    assert lines[-1] == "END:VCALENDAR"
    for wanted in (
        "UID:case_1.answer@acme",
        "DTSTART:20261201T093000Z",
        "SUMMARY:access: answer",
        "DESCRIPTION:Case 1\\; about\\, a\\\\b\\nmore",
        "TRIGGER:-P1D",
        "TRIGGER:-PT1H",
    ):
        assert lines.count(wanted) == 1, wanted


@given(st.text(max_size=300), st.text(max_size=60))
def test_no_text_breaks_out_of_its_line(text: str, title: str) -> None:
    """Whatever is in it: lines of 75 octets at most, as many as without it, and the text comes back."""
    file = as_ics("n", [Appointment("u", AT, title, text)], made=AT)
    assert all(len(line.encode()) <= 75 for line in file.split("\r\n"))
    assert not {"\n", "\r"} & set(file.replace("\r\n", ""))
    lines = unfolded(file)
    assert len(lines) == len(unfolded(as_ics("n", [Appointment("u", AT, "t", "t")], made=AT)))
    (told,) = [line for line in lines if line.startswith("DESCRIPTION:")][:1]
    back = told.removeprefix("DESCRIPTION:").replace("\\\\", "\0").replace("\\n", "\n").replace("\\;", ";").replace("\\,", ",")
    clean = "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text.replace("\r\n", "\n"))
    assert back.replace("\0", "\\") == clean
