"""A draft that people finish: blocks of text as Markdown and as a page for paper, and blanks that cannot be overlooked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from gateway.reports.page import Page

FOLLOWS = "not known yet; it will follow"
_BLANK = re.compile(r"\[fill in: ([^\[\]\n]+)\]")
_MARK = '<mark style="background:#fff3bf;padding:0 .6mm">'


def blank(what: str) -> str:
    """Something that only a person knows: ``[fill in: …]``."""
    return f"[fill in: {what.replace('[', '(').replace(']', ')')}]"


@dataclass(frozen=True, slots=True)
class Head:
    title: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Rows:
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Points:
    points: tuple[str, ...]


Facts: TypeAlias = "Head | Text | Rows | Points"


@dataclass(frozen=True, slots=True)
class Draft:
    """One paper."""

    title: str
    lead: str
    blocks: tuple[Facts, ...]
    foot: str

    @property
    def markdown(self) -> str:
        """The whole paper; what is on record cannot make headings or links of its own."""
        lines = [f"# {self.title}", "", _plain(self.lead), ""]
        for block in self.blocks:
            lines += [*_lines(block), ""]
        return "\n".join([*lines, "---", _plain(self.foot)])

    @property
    def html(self) -> str:
        """The same for paper, with each blank marked."""
        page = Page(self.title, self.lead)
        for block in self.blocks:
            match block:
                case Head(title, text):
                    page.section(title, text)
                case Text(text):
                    page.text(text)
                case Rows(rows):
                    page.facts(rows)
                case Points(points):
                    page.points(points)
        return _BLANK.sub(lambda found: f"{_MARK}{found[0]}</mark>", page.html(self.foot))

    @property
    def blanks(self) -> tuple[str, ...]:
        """What is to be filled in, in order."""
        return self.blanks_in(self.markdown)

    @staticmethod
    def blanks_in(text: str) -> tuple[str, ...]:
        """The blanks that are left in a text that somebody has worked on."""
        return tuple(_BLANK.findall(text))

    @staticmethod
    def without_blanks(text: str) -> str:
        """The text with what is not known said so."""
        return _BLANK.sub(FOLLOWS, text)


def _lines(block: Facts) -> list[str]:
    match block:
        case Head(title, text):
            return [f"## {_plain(title)}", *(["", _plain(text)] if text else [])]
        case Text(text):
            return [_plain(text)]
        case Rows(rows):
            return [f"- {_plain(name)}: {_plain(value)}" for name, value in rows]
        case Points(points):
            return [f"- {_plain(point)}" for point in points]


def _plain(text: str) -> str:
    """One line of text that is only text in Markdown: no heading, list, link or HTML of its own; readable in a mail as it is."""
    line = re.sub(r"([\\`*<])", r"\\\1", " ".join(text.split())).replace("](", "]\\(")
    return re.sub(r"^(?=[#>+~=-])", r"\\", line)
