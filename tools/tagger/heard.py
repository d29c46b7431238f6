"""What the local recogniser makes of generated sentences that the local voice reads over a telephone line.

    python -m tools.tagger.heard SPOKEN.jsonl OUT.jsonl --minutes 40

SPOKEN comes from ``generate.py --style spoken``. Each sentence is read (at its own pace and pitch), put through 300 to 3400 Hz,
8 kHz and mu-law, half of them with noise, recognised, and its marks are carried over by aligning the letters. Rows in which the
words around a mark did not come through are dropped. Run it under ``nice``; it uses one thread.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from hibari import Hibari
from numpy.typing import NDArray

from gateway.adapters.speech import inside
from tools.tagger.speech import number

Samples = NDArray[np.float32]
_HZ, _LINE_HZ = 24_000, 8_000
_MU = 255.0
_VOWELS = frozenset("aeiouyhw")
_GAP, _OTHER, _NEAR = 0.6, 1.0, 0.5


def line(audio: Samples, random: Random) -> bytes:
    """The audio at the other end of a telephone line: 16 bit, 8 kHz."""
    pace = random.uniform(0.86, 1.16)
    audio = np.interp(np.arange(0, len(audio), pace), np.arange(len(audio)), audio).astype(np.float32)
    spectrum = np.fft.rfft(audio)
    hertz = np.fft.rfftfreq(len(audio), 1 / _HZ)
    spectrum[(hertz < 300) | (hertz > 3400)] = 0
    band = np.fft.irfft(spectrum, len(audio))[:: _HZ // _LINE_HZ]
    band *= random.uniform(0.3, 0.9) / max(1e-6, float(np.abs(band).max()))
    if random.random() < 0.6:
        draw = np.random.default_rng(random.randrange(1 << 30))
        pink = np.fft.irfft(
            np.fft.rfft(draw.standard_normal(len(band))) / np.sqrt(np.arange(len(band) // 2 + 1) + 1.0), len(band)
        )
        power = float(np.mean(band**2)) / 10 ** (random.uniform(8, 25) / 10)
        band = band + pink * np.sqrt(power / float(np.mean(pink**2)))
    squeezed = np.round(np.sign(band) * np.log1p(_MU * np.minimum(np.abs(band), 1)) / np.log1p(_MU) * 127) / 127
    out = np.sign(squeezed) * np.expm1(np.abs(squeezed) * np.log1p(_MU)) / _MU
    return bytes((out * 32767).astype("<i2").tobytes())


def plain(text: str) -> tuple[str, list[int]]:
    """Lower case, figures as words, signs as spaces; and for each character the place in the text it comes from."""
    out, places = "", []
    for hit in re.finditer(r"[a-z']+|\d|[^a-z'\d]+", text.lower()):
        word = hit.group()
        if word.isdigit():
            word = f" {number(int(word))} "
        elif not word[0].isalpha() and word[0] != "'":
            word = {"@": " at ", ".": " dot " if hit.end() < len(text) and text[hit.end()] != " " else " "}.get(
                word.strip() or " ", " "
            )
        out += word
        places += [min(hit.start() + (at if hit.group() == word else 0), len(text) - 1) for at in range(len(word))]
    return out, places


def _cost(one: str, other: str) -> float:
    if one == other:
        return 0.0
    if one == " " or other == " ":
        return 1.3
    return _NEAR if (one in _VOWELS) == (other in _VOWELS) else _OTHER


def align(said: str, heard: str) -> list[int]:
    """For each character of ``heard`` the character of ``said`` it stands for (Needleman and Wunsch, 1970)."""
    high, wide = len(said) + 1, len(heard) + 1
    best = [[at * _GAP for at in range(wide)]]
    for row in range(1, high):
        last, now, sign = best[-1], [row * _GAP], said[row - 1]
        for at in range(1, wide):
            now.append(min(last[at - 1] + _cost(sign, heard[at - 1]), last[at] + _GAP, now[at - 1] + _GAP))
        best.append(now)
    out = [0] * len(heard)
    row, at = high - 1, wide - 1
    while at:
        if row and abs(best[row][at] - best[row - 1][at - 1] - _cost(said[row - 1], heard[at - 1])) < 1e-9:
            row, at = row - 1, at - 1
            out[at] = row
        elif row and abs(best[row][at] - best[row - 1][at] - _GAP) < 1e-9:
            row -= 1
        else:
            at -= 1
            out[at] = max(0, row - 1)
    return out


def carry(text: str, spans: list[list[Any]], heard: str) -> list[tuple[int, int, str]] | None:
    """The marks in what was heard; None when in doubt."""
    said, said_places = plain(text)
    got, got_places = plain(heard)
    if not got.strip():
        return None
    marks = [-1] * len(text)
    for index, (start, end, _) in enumerate(spans):
        marks[start:end] = [index] * (end - start)
    pairs = align(said, got)
    matched = {pair for at, pair in enumerate(pairs) if said[pair] == got[at]}
    if not _sure(said, [marks[place] for place in said_places], matched):
        return None
    out: list[tuple[int, int, str]] = []
    votes: dict[int, list[int]] = {}
    for at, pair in enumerate(pairs):
        votes.setdefault(got_places[at], []).append(marks[said_places[pair]])
    words = list(re.finditer(r"[\w'’]+", heard))
    owner = []
    for word in words:
        cast = [vote for place in range(word.start(), word.end()) for vote in votes.get(place, [])]
        owner.append(max(set(cast), key=cast.count) if cast else -1)
    for index, (_, _, label) in enumerate(spans):
        mine = [at for at, who in enumerate(owner) if who == index]
        if not mine or any(owner[at] not in (index, -1) for at in range(mine[0], mine[-1] + 1)):
            return None
        out.append((words[mine[0]].start(), words[mine[-1]].end(), label))
    return out


def _sure(said: str, marks: list[int], matched: set[int]) -> bool:
    """Whether the words right around each value, and most of the others, came through."""
    words = [(hit.start(), hit.end(), marks[hit.start()]) for hit in re.finditer(r"\S+", said)]
    right = [sum(at in matched for at in range(start, end)) >= 0.6 * (end - start) for start, end, _ in words]
    loose = [at for at, word in enumerate(words) if word[2] < 0]
    for at in loose:
        beside = any(0 <= near < len(words) and words[near][2] >= 0 for near in (at - 1, at + 1))
        if beside and not right[at]:
            return False
    return sum(right[at] for at in loose) >= 0.7 * len(loose)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spoken", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=40.0)
    options = parser.parse_args()
    until = time.monotonic() + options.minutes * 60
    voice = Hibari(voice="heart", threads=1)
    random = Random(7)
    with options.out.open("w", encoding="utf-8") as out:
        for each in options.spoken.open(encoding="utf-8"):
            row = json.loads(each)
            if time.monotonic() > until:
                break
            audio = inside.trimmed(voice(row["text"]), _HZ)
            heard = inside.transcribe(line(audio, random), _LINE_HZ)
            spans = carry(row["text"], row["spans"], heard)
            if spans is not None:
                out.write(json.dumps({"text": heard, "previous": row["previous"], "spans": spans, "style": "heard"}) + "\n")
                out.flush()


if __name__ == "__main__":
    main()
