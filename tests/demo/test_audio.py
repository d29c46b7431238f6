"""The audio that ships: every file is named in its index with its words and its licence, and is what the index says."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.audio import read_wav
from gateway.demo.make_announcements import TEXTS, make

ROOT = Path(__file__).parents[2]
CALLERS = ROOT / "gateway" / "demo" / "audio"
ANNOUNCEMENTS = ROOT / "policies" / "announcements"


def index(folder: Path) -> list[dict[str, Any]]:
    entries = json.loads((folder / "index.json").read_text("utf-8"))
    assert isinstance(entries, list)
    return entries


@pytest.mark.parametrize("folder", [CALLERS, ANNOUNCEMENTS])
def test_every_file_stands_in_its_index_with_words_and_licence(folder: Path) -> None:
    entries = index(folder)
    assert sorted(entry["file"] for entry in entries) == sorted(path.name for path in folder.glob("*.wav"))
    assert all(entry["text"] and entry["licence"] and entry["language"] for entry in entries)
    assert all(read_wav(folder / entry["file"]).ms > 1000 for entry in entries)


def test_an_announcement_is_the_very_audio_that_its_index_names() -> None:
    for entry in index(ANNOUNCEMENTS):
        path = ANNOUNCEMENTS / entry["file"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"]
        assert round(read_wav(path).ms) == entry["ms"]


def test_the_announcements_that_we_make_say_the_words_of_the_index() -> None:
    texts = {entry["file"]: entry["text"] for entry in index(ANNOUNCEMENTS)}
    assert {name: texts[name] for name in TEXTS} == TEXTS


def test_what_ships_stays_small() -> None:
    assert sum(path.stat().st_size for folder in (CALLERS, ANNOUNCEMENTS) for path in folder.iterdir()) < 10_000_000


def test_announcements_can_be_made_again(tmp_path: Path) -> None:
    make(tmp_path)
    assert [entry["file"] for entry in index(tmp_path)] == list(TEXTS)
    for name in TEXTS:
        again, shipped = read_wav(tmp_path / name), read_wav(ANNOUNCEMENTS / name)
        assert (again.ms, again.rate) == (shipped.ms, shipped.rate)
