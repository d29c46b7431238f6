"""Our own tagger of private words in transcripts: which words are part of a name, a street, an address, a password or a number.

A small convolutional network over hashed pieces of words, trained on generated calls by ``tools/tagger`` (no words of anybody).
It reads lower-case speech, formatted text and what a recogniser has garbled, in the light of what the other side said before.
Its weights stand in ``tagger_model`` beside this file; nothing is fetched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zlib import crc32

import numpy as np
import onnxruntime
from numpy.typing import NDArray

FOLDER = Path(__file__).with_name("tagger_model")
BUCKETS = 1 << 15
WIDTH = 24
"""Hashed pieces a word has at most; fewer are filled up with 0, which stands for nothing."""
MOST_BEFORE = 40
"""Words of the turn before that are read."""
_WINDOW, _OVERLAP = 256, 64
_SEEN = 15
"""Words before the border that the network sees from the first word of a text: its five layers reach 1, 2, 4, 8 and 1 words."""
_NOBODY = "O"
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+")
_SIGNS = frozenset(",.?!-@/_:;'#$%&*+()|<>£€₹")
_LONGEST = 24
_BYTES = np.dtype(np.int32).itemsize


@dataclass(frozen=True, slots=True)
class Tagged:
    """One word of the text, the kind of data it is likely a part of, and how likely, 0 to 1."""

    start: int
    end: int
    kind: str
    score: float


@lru_cache(maxsize=8192)
def _pieces(word: str) -> bytes:
    """The hashed pieces of a word: itself, its letters in threes and fours, its case or its length. All of a row but its end."""
    low = word.lower()
    if word.isdigit():
        names = [f"d{min(len(word), 12)}", f"w{low}" if len(word) < 4 else f"p{low[:2]}"]
    else:
        case = "l" if word == low else "t" if word[1:] == low[1:] else "u" if word.isupper() else "m"
        held = f"<{low[:_LONGEST]}>"
        names = [f"w{low}", f"c{case}", f"n{min(len(low), 10)}"]
        names += [held[at : at + size] for size in (3, 4) for at in range(len(held) - size + 1)]
    return _packed([_hash(name) for name in names[: WIDTH - 2]]).ljust((WIDTH - 1) * _BYTES, b"\0")


@lru_cache(maxsize=1024)
def _gap(gap: str) -> bytes:
    signs = "".join(sign for sign in gap if sign in _SIGNS)[:3]
    return _packed([_hash(f"g{signs}{' ' if any(sign.isspace() for sign in gap) else ''}")])


def _hash(name: str) -> int:
    return 1 + crc32(name.encode("utf-8", "surrogatepass")) % (BUCKETS - 1)


def _packed(pieces: Sequence[int]) -> bytes:
    """As a row of the network's input holds them."""
    return np.array(pieces, dtype=np.int32).tobytes()


_BEFORE, _BORDER = _packed([_hash("s")]), _packed([_hash("b")]).ljust(WIDTH * _BYTES, b"\0")


def encode(
    text: str, previous: str = "", *, most_before: int = MOST_BEFORE
) -> tuple[NDArray[np.int32], list[tuple[int, int]], int]:
    """Pieces of every word (words x ``WIDTH``), the places of the words of ``text``, and how many rows stand before them."""
    rows: list[bytes] = []
    before = 0
    if previous:
        words = _WORD.findall(previous)[-most_before:]
        before = len(words) + 1
        rows = [part for word in words for part in (_pieces(word), _BEFORE)] + [_BORDER]
    places: list[tuple[int, int]] = []
    end = 0
    for word in _WORD.finditer(text):
        start = word.start()
        rows += (_pieces(word.group()), _gap(text[end:start]))
        end = word.end()
        places.append((start, end))
    return np.frombuffer(b"".join(rows), dtype=np.int32).reshape(-1, WIDTH), places, before


class Tagger:
    """The network, loaded. Use it from one thread."""

    def __init__(self, folder: Path = FOLDER) -> None:
        """Raises OSError when one of its files is missing."""
        self.labels: list[str] = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
        self._nobody = self.labels.index(_NOBODY)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        self._session = onnxruntime.InferenceSession(
            (folder / "tagger.onnx").read_bytes(), options, providers=["CPUExecutionProvider"]
        )

    def words(self, text: str, previous: str = "", *, least: float = 0.2) -> list[Tagged]:
        """Every word that is likely a part of something private, with the kind that is likeliest.

        The score is how likely the word is private at all; words under ``least`` are left out.
        """
        pieces, places, before = encode(text, previous, most_before=_SEEN)
        if not places:
            return []
        odds = self._read(pieces)[before:]
        private = 1.0 - odds[:, self._nobody]
        likely = np.flatnonzero(private >= least).tolist()
        if not likely:
            return []
        odds[:, self._nobody] = 0.0
        kinds = odds.argmax(axis=1).tolist()
        scores = private.tolist()
        return [Tagged(*places[at], self.labels[kinds[at]], scores[at]) for at in likely]

    def _read(self, pieces: NDArray[np.int32]) -> NDArray[np.float32]:
        """The likelihood of each label for each row."""
        if len(pieces) <= _WINDOW:
            return self._run(pieces)
        parts: list[NDArray[np.float32]] = []
        for begin in range(0, len(pieces), _WINDOW - _OVERLAP):
            odds = self._run(pieces[begin : begin + _WINDOW])
            # Of what two windows read each gives the half that is further from its edge.
            parts.append(odds[_OVERLAP // 2 if begin else 0 :][: _WINDOW - _OVERLAP + (0 if begin else _OVERLAP // 2)])
        return np.concatenate(parts)[: len(pieces)]

    def _run(self, pieces: NDArray[np.int32]) -> NDArray[np.float32]:
        answer: Sequence[NDArray[np.float32]] = self._session.run(None, {"pieces": pieces})
        return answer[0]
