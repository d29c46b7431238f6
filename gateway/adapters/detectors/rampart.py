"""Names and places in transcripts by the Rampart token classifier: it reads lower-case speech, where spaCy sees only words.

The model is Rampart by National Design Studio (CC BY 4.0, see NOTICE): an uncased MiniLM with six layers, quantized, as ONNX.
Its unmodified files stand in ``rampart_model`` beside this file, with their licence; nothing is fetched.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime

_FOLDER = Path(__file__).with_name("rampart_model")
_WORD = re.compile(r"[^\W_]+|[^\w\s]|_")
_LONGEST_WORD = 100
_WINDOW, _OVERLAP = 192, 32
"""Word pieces that are read at once, and how many of them the next window reads again."""
_LEAST = 0.3
_GROUPS = {"PERSON": ("GIVEN_NAME", "SURNAME"), "LOCATION": ("CITY", "STATE", "STREET_NAME")}


@dataclass(frozen=True, slots=True)
class Labelled:
    """One word of the text and how likely it is a part of a name or of a place, 0 to 1."""

    start: int
    end: int
    kind: str
    score: float


class Rampart:
    """The classifier, loaded. Use it from one thread."""

    def __init__(self) -> None:
        """Raises OSError when one of its files is missing."""
        words = (_FOLDER / "vocab.txt").read_text(encoding="utf-8").splitlines()
        self._vocabulary = {word: index for index, word in enumerate(words)}
        labels: dict[str, str] = json.loads((_FOLDER / "config.json").read_text(encoding="utf-8"))["id2label"]
        self._columns = {
            kind: [int(index) for index, label in labels.items() if label.partition("-")[2] in names]
            for kind, names in _GROUPS.items()
        }
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        self._session = onnxruntime.InferenceSession(str(_FOLDER / "model_q4.onnx"), options, providers=["CPUExecutionProvider"])

    def words(self, text: str) -> list[Labelled]:
        """Every word that may well be a part of a name or of a place, with its likelihood."""
        places: list[tuple[int, int]] = []
        pieces: list[int] = []
        firsts: list[int] = []
        for start, end, word in _split(text):
            firsts.append(len(pieces))
            places.append((start, end))
            pieces += self._pieces(word)
        likely = self._read(pieces)
        found = []
        for (start, end), first in zip(places, firsts, strict=True):
            kind, score = max(((kind, float(column[first])) for kind, column in likely.items()), key=lambda each: each[1])
            if score >= _LEAST:
                found.append(Labelled(start, end, kind, score))
        return found

    def _pieces(self, word: str) -> list[int]:
        """WordPiece: the longest piece of the vocabulary first (Wu and others, 2016)."""
        pieces: list[int] = []
        at = 0
        while at < len(word):
            mark = "##" if at else ""
            end = next((end for end in range(len(word), at, -1) if mark + word[at:end] in self._vocabulary), 0)
            if not end or len(word) > _LONGEST_WORD:
                return [self._vocabulary["[UNK]"]]
            pieces.append(self._vocabulary[mark + word[at:end]])
            at = end
        return pieces

    def _read(self, pieces: Sequence[int]) -> dict[str, list[float]]:
        """For each group of labels the likelihood of each piece."""
        likely: dict[str, list[float]] = {kind: [] for kind in self._columns}
        begin = 0
        while begin < len(pieces):
            window = [self._vocabulary["[CLS]"], *pieces[begin : begin + _WINDOW], self._vocabulary["[SEP]"]]
            ids = np.array([window], dtype=np.int64)
            feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
            logits = self._session.run(None, feed)[0][0][1:-1]
            odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
            odds /= odds.sum(axis=-1, keepdims=True)
            for kind, columns in self._columns.items():
                # What two windows read is taken from the later one: it sees what comes after.
                likely[kind][begin:] = odds[:, columns].sum(axis=-1).tolist()
            begin = begin + _WINDOW - _OVERLAP if begin + _WINDOW < len(pieces) else len(pieces)
        return likely


def _split(text: str) -> Iterator[tuple[int, int, str]]:
    """Words and signs with their places, in the lower-case form without accents that the model was trained on."""
    for match in _WORD.finditer(text):
        plain = unicodedata.normalize("NFD", match.group().lower())
        word = "".join(sign for sign in plain if unicodedata.category(sign) != "Mn")
        if word:
            yield match.start(), match.end(), word
