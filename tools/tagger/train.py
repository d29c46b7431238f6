"""Trains the tagger on generated calls and on what the recogniser made of some, and writes its weights for onnxruntime.

    python -m tools.tagger.train --minutes 18 [--avoid FOLDER]

One thread, no accelerator. The seed is fixed; what differs from run to run is how many steps fit into the minutes (``--steps``
fixes that too). At the end it prints how it does on rows that it has not seen.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from torch import nn

from gateway.adapters.detectors.tagger import BUCKETS, FOLDER, WIDTH, Tagger, encode
from tools.tagger import check
from tools.tagger.export import write
from tools.tagger.generate import LABELS, Generator

_HERE = Path(__file__).parent
NAMES = ["O", *LABELS]
_DEPTH = (1, 2, 4, 8, 1)
_EMBEDDING, _CHANNELS = 48, 104
_BATCH = 64
_HEARD = 12
"""Rows of the recognised corpus in a batch."""
_ALIKE = 4
"""Batches that are made at once and sorted by length, so that little of each is filling."""
_LONGEST = 80
_NO_LABEL = -100


Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
Pool = dict[str, list[str]]


class Network(nn.Module):  # type: ignore[misc] # torch is not installed where the types are checked
    """Hashed pieces, summed; then dilated convolutions with short cuts."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.EmbeddingBag(BUCKETS, _EMBEDDING, mode="sum", padding_idx=0)
        nn.init.normal_(self.table.weight, std=0.1)
        with torch.no_grad():
            self.table.weight[0] = 0
        self.begin = nn.Linear(_EMBEDDING, _CHANNELS)
        self.blocks = nn.ModuleList(nn.Conv1d(_CHANNELS, _CHANNELS, 3, dilation=wide, padding=wide) for wide in _DEPTH)
        for block in self.blocks:
            nn.init.normal_(block.weight, std=0.03)
        self.end = nn.Linear(_CHANNELS, len(NAMES))
        self.drop = nn.Dropout(0.15)

    def forward(self, pieces: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
        sums = self.table(pieces.flatten(0, 1)).unflatten(0, pieces.shape[:2])
        flow = torch.relu(self.begin(self.drop(sums)))
        flow = (flow * there.unsqueeze(2)).transpose(1, 2)
        mask = there.unsqueeze(1)
        for block in self.blocks:
            flow = (flow + torch.relu(block(self.drop(flow)))) * mask
        out: torch.Tensor = self.end(flow.transpose(1, 2))
        return out


def example(row: dict[str, Any]) -> tuple[np.ndarray[Any, Any], list[int]]:
    """The pieces of a row and the label of each; what stands before the text has none."""
    pieces, places, before = encode(row["text"], row["previous"])
    labels = [_NO_LABEL] * before
    for start, end in places:
        label = next((label for first, last, label in row["spans"] if first < end and start < last), "O")
        labels.append(NAMES.index(label))
    return pieces[-_LONGEST:], labels[-_LONGEST:]


def varied(random: Random, row: dict[str, Any], pool: Pool) -> dict[str, Any]:
    """A recognised row with values of other rows, or in small letters, so that the corpus is seen in more than one form."""
    if random.random() < 0.6:
        row = swapped(random, row, pool)
    if random.random() < 0.25:
        return {**row, "text": row["text"].lower() if len(row["text"].lower()) == len(row["text"]) else row["text"]}
    if random.random() < 0.2:
        return {**row, "previous": ""}
    return row


def swapped(random: Random, row: dict[str, Any], pool: Pool) -> dict[str, Any]:
    """The row with each of its values taken from some row of the corpus: what was misheard once may be misheard elsewhere."""
    text, spans, at = "", [], 0
    for start, end, label in row["spans"]:
        text += row["text"][at:start]
        value = random.choice(pool[label])
        spans.append((len(text), len(text) + len(value), label))
        text, at = text + value, end
    return {**row, "text": text + row["text"][at:], "spans": spans}


def pooled(rows: list[dict[str, Any]]) -> Pool:
    """The values of a corpus by label."""
    pool: Pool = {}
    for row in rows:
        for start, end, label in row["spans"]:
            pool.setdefault(label, []).append(row["text"][start:end])
    return pool


def batches(random: Random, generator: Generator, heard: list[dict[str, Any]], pool: Pool) -> list[Batch]:
    """A few batches of rows of like length, in any order."""
    rows = [generator.row() for _ in range(_ALIKE * (_BATCH - _HEARD))]
    rows += [varied(random, row, pool) for row in random.sample(heard, min(len(heard), _ALIKE * _HEARD))]
    made = sorted((each for each in map(example, rows) if each[1]), key=lambda each: len(each[1]))
    out = [padded(made[at : at + _BATCH]) for at in range(0, len(made), _BATCH)]
    random.shuffle(out)
    return out


def padded(made: list[tuple[Any, list[int]]]) -> Batch:
    """Padded pieces, which rows are real, labels."""
    most = max(len(labels) for _, labels in made)
    pieces = np.zeros((len(made), most, WIDTH), dtype=np.int64)
    there = np.zeros((len(made), most), dtype=np.float32)
    labels = np.full((len(made), most), _NO_LABEL, dtype=np.int64)
    for at, (one, own) in enumerate(made):
        pieces[at, : len(own)], there[at, : len(own)], labels[at, : len(own)] = one, 1, own
    return torch.from_numpy(pieces), torch.from_numpy(there), torch.from_numpy(labels)


def train(options: argparse.Namespace) -> Network:
    """The network after the minutes or the steps."""
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)
    random = Random(options.seed)
    generator = Generator(options.seed, check.avoiding(options.avoid))
    heard = read(options.heard)[: -options.held_out]
    pool = pooled(heard)
    network = Network()
    total = options.steps or 10**9
    step, begun = 0, time.monotonic()
    waiting: list[Batch] = []
    best = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-4, fused=True)
    average = {name: value.clone() for name, value in network.state_dict().items()}
    while step < total and (done := max(step / total, (time.monotonic() - begun) / (options.minutes * 60))) < 1:
        for group in best.param_groups:
            group["lr"] = 2.5e-3 * min(1.0, (step + 1) / 100) * max(0.02, 1 - done)
        if not waiting:
            waiting = batches(random, generator, heard, pool)
        pieces, there, labels = waiting.pop()
        loss = nn.functional.cross_entropy(network(pieces, there).flatten(0, 1), labels.flatten(), ignore_index=_NO_LABEL)
        best.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        best.step()
        step += 1
        if done > 0.6 and step % 4 == 0:
            average = {name: average[name] + (value - average[name]) * 0.02 for name, value in network.state_dict().items()}
        elif done <= 0.6:
            average = {name: value.clone() for name, value in network.state_dict().items()} if step % 50 == 0 else average
        if step % 100 == 0:
            sys.stdout.write(f"step {step}  loss {float(loss.detach()):.3f}  {time.monotonic() - begun:.0f} s\n")
            sys.stdout.flush()
            write(average, NAMES, _DEPTH, options.out)
    network.load_state_dict(average)
    network.eval()
    return network


def read(path: Path) -> list[dict[str, Any]]:
    """The recognised corpus."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def scored(tagger: Tagger, rows: list[dict[str, Any]]) -> str:
    """Per label: how many of its words were found, and how many of the words found are of it; and how many there are."""
    want, found, right = Counter[str](), Counter[str](), Counter[str]()
    clean = touched = 0
    for row in rows:
        words = {(word.start, word.end): word.kind for word in tagger.words(row["text"], row["previous"], least=0.5)}
        for start, end in encode(row["text"])[1]:
            label = next((label for first, last, label in row["spans"] if first < end and start < last), "")
            kind = words.get((start, end), "")
            want[label] += 1
            found[kind] += 1
            right[label] += label == kind
        clean += not row["spans"]
        touched += bool(words) and not row["spans"]
    lines = [f"{len(rows)} rows; harmless rows touched: {touched} of {clean}"]
    lines += [
        f"  {label:16} recall {right[label] / want[label]:.3f}  precision {right[label] / (found[label] or 1):.3f}  {want[label]}"
        for label in sorted(want)
        if label
    ]
    return "\n".join(lines)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=18.0)
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--avoid", type=Path)
    parser.add_argument("--heard", type=Path, default=_HERE / "heard.jsonl")
    parser.add_argument("--held-out", type=int, default=150)
    parser.add_argument("--out", type=Path, default=FOLDER)
    options = parser.parse_args()
    network = train(options)
    write(network.state_dict(), NAMES, _DEPTH, options.out)
    tagger = Tagger(options.out)
    fresh = Generator(options.seed + 1, check.avoiding(options.avoid))
    for style in ("spoken", "written", "heard"):
        sys.stdout.write(f"generated, {style}: {scored(tagger, [fresh.row(style) for _ in range(1500)])}\n")
    sys.stdout.write(f"recognised: {scored(tagger, read(options.heard)[-options.held_out :])}\n")


if __name__ == "__main__":
    main()
