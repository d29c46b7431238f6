"""The table of SECURITY.md, "Where data is kept", as patterns: whether a key of the store or a file has its row there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parent.parent
HEADING = "## Where data is kept"
_CODE = re.compile(r"(file )?`([^`]+)`")
_ANY = re.compile(r"<[^>]+>")


def rows() -> list[list[str]]:
    """The cells of each row, the heading left out."""
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8").split(HEADING)[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def holding_names() -> set[str]:
    """The holdings that the table names."""
    return {cells[2] for cells in rows() if ":" not in cells[2] and cells[2]}


def key_patterns() -> list[re.Pattern[str]]:
    """What follows ``sordino:{tenant}:``, and whole names that carry no tenant."""
    return [_pattern(text, "[^:]+") for kind, text in _named() if not kind]


def file_patterns() -> list[re.Pattern[str]]:
    """Paths under ``SORDINO_DATA``; ``<any>`` is any path."""
    return [_pattern(text.replace("<any>", "\0"), "[^/]+") for kind, text in _named() if kind]


def uncovered_keys(names: Iterable[str]) -> list[str]:
    """Those keys of the store that no row names."""
    return sorted(name for name in names if not any(each.fullmatch(_short(name)) for each in key_patterns()))


def uncovered_files(root: Path) -> list[str]:
    """Those files under a gateway's data that no row names."""
    found = [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]
    return sorted(name for name in found if not any(each.fullmatch(name) for each in file_patterns()))


def _named() -> list[tuple[str, str]]:
    return [(found[1] or "", found[2]) for cells in rows() for found in _CODE.finditer(cells[0])]


def _pattern(text: str, one: str) -> re.Pattern[str]:
    parts = [re.escape(part).replace("\0", ".+") for part in _ANY.split(text)]
    return re.compile(one.join(parts))


def _short(name: str) -> str:
    return re.sub(r"^sordino:\{[^}]+\}:", "", name)
