"""Shows that nothing of a scored set is in the training data: no value, and no five words in a row of its sentences.

    python -m tools.tagger.check FOLDER GENERATED.jsonl

FOLDER holds JSON lines with ``text`` and ``spans`` (or ``turns`` of them), as ``sordino redact --jsonl`` reads them. Five words
in a row count when at most one of them belongs to a value and none is a number: "is four one two six" is everybody's.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tools.tagger.speech import ONES, TEENS, TENS

Keep = Callable[[str], bool]
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+")
_NUMBERS = frozenset([*ONES, *TEENS, *TENS, "oh", "double", "triple"])
_RUN = 5


def _texts(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            yield from row.get("turns", [row])


def values(folder: Path) -> frozenset[str]:
    """Every value that is marked in the folder, in lower case."""
    return frozenset(
        row["text"][span["start"] : span["end"]].lower().strip(" .,") for row in _texts(folder) for span in row["spans"]
    )


def avoiding(folder: Path | None) -> Keep:
    """Says of a value whether it is new; without a folder, all are. Short numbers (a PIN, an age) are nobody's own."""
    if folder is None:
        return lambda said: True
    taken = values(folder)

    def keep(said: str) -> bool:
        known = said in taken or said.replace("-", " ") in taken
        return not known or all(word in _NUMBERS or word.isdigit() for word in re.split(r"[\s/-]+", said))

    return keep


def runs(text: str, spans: list[tuple[int, int]]) -> set[tuple[str, ...]]:
    """Five words in a row that hold no number and are not all inside values."""
    found = [(hit.group(), any(start <= hit.start() < end for start, end in spans)) for hit in _WORD.finditer(text.lower())]
    out = set()
    for at in range(len(found) - _RUN + 1):
        five = found[at : at + _RUN]
        if not any(word in _NUMBERS or word.isdigit() for word, _ in five) and sum(inside for _, inside in five) <= 1:
            out.add(tuple("*" if inside else word for word, inside in five))
    return out


def main() -> int:
    """Prints what is in both. 1 when anything is."""
    folder, generated = Path(sys.argv[1]), Path(sys.argv[2])
    known: set[tuple[str, ...]] = set()
    for row in _texts(folder):
        known |= runs(row["text"], [(span["start"], span["end"]) for span in row["spans"]])
    taken, keep = values(folder), avoiding(folder)
    shared: Counter[str] = Counter()
    for line in generated.open(encoding="utf-8"):
        row = json.loads(line)
        spans = [(start, end) for start, end, _ in row["spans"]]
        shared.update("words: " + " ".join(five) for five in runs(row["text"], spans) & known)
        for start, end in spans:
            said = row["text"][start:end].lower().strip(" .,")
            if said in taken and not keep(said):
                shared["value: " + said] += 1
    for what, count in shared.most_common():
        sys.stdout.write(f"{count:7}  {what}\n")
    sys.stdout.write(f"{len(shared)} shared\n")
    return bool(shared)


if __name__ == "__main__":
    sys.exit(main())
