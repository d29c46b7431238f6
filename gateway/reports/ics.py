"""Deadlines as an iCalendar file (RFC 5545), which every calendar program takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.policy.cases import Case, Deadline

LONGEST_LINE = 75
"""Octets of a line without its end (section 3.1)."""


@dataclass(frozen=True, slots=True)
class Appointment:
    """One deadline. ``uid`` is the same each time, so that a calendar moves it instead of showing it twice. ``at`` is aware."""

    uid: str
    at: datetime
    title: str
    text: str


def appointment(case: Case, deadline: Deadline) -> Appointment:
    """One deadline of a case, as whoever keeps it wants to read it."""
    uid, title = f"{case.id}.{deadline.name}@{case.tenant}.sordino", f"{case.kind}: {deadline.name} ({case.tenant})"
    text = f"Case {case.id} ({case.kind}), about {case.about}. To see it: sordino cases show {case.id} --tenant {case.tenant}"
    return Appointment(uid, deadline.at, title, text)


def as_ics(name: str, rows: Iterable[Appointment], *, made: datetime) -> str:
    """The whole file, with an alarm a day and an hour before each deadline. Lines end with CRLF."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Sordino//Cases//EN", "CALSCALE:GREGORIAN", f"NAME:{_text(name)}"]
    for row in rows:
        lines += ["BEGIN:VEVENT", f"UID:{_text(row.uid)}", f"DTSTAMP:{_utc(made)}", f"DTSTART:{_utc(row.at)}"]
        lines += [f"SUMMARY:{_text(row.title)}", f"DESCRIPTION:{_text(row.text)}", "TRANSP:TRANSPARENT"]
        for before in ("-P1D", "-PT1H"):
            lines += ["BEGIN:VALARM", "ACTION:DISPLAY", f"TRIGGER:{before}", f"DESCRIPTION:{_text(row.title)}", "END:VALARM"]
        lines.append("END:VEVENT")
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _text(value: str) -> str:
    """A TEXT value (section 3.3.11): no separator of the format in it, and no line's end."""
    kept = "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in value.replace("\r\n", "\n"))
    return kept.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _folded(line: str) -> Iterator[str]:
    """At most 75 octets a line, none of them half a letter; what goes on begins with a space."""
    part, size = "", 0
    for letter in line:
        width = len(letter.encode("utf-8"))
        if size + width > LONGEST_LINE:
            yield part
            part, size = " ", 1
        part, size = part + letter, size + width
    yield part
