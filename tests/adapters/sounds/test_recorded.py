"""Recordings are played as the policy names them, with the digest of the very file; one that cannot be played is told."""

from __future__ import annotations

import hashlib
import os
import wave
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.adapters.sounds import APOLOGY, REFUSED, TELEPHONE_HZ, Sounds
from gateway.adapters.stores.policy_folder import PolicyFolder, shipped_policies
from gateway.errors import Misconfigured, PolicyUnavailable


def record(path: Path, ms: int = 500, *, rate: int = 16_000, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(b"\1\0" * (rate * ms // 1000 * channels))
    return path


def within(folder: Path) -> Sounds:
    def find(name: str) -> Path:
        if not (folder / name).exists():
            raise PolicyUnavailable(f"there is no recording {name}")
        return folder / name

    return Sounds(find)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_a_recording_comes_at_the_telephones_rate_whole(tmp_path: Path, rate: int) -> None:
    record(tmp_path / "hello.wav", rate=rate)
    sound = within(tmp_path).asset("hello.wav")
    assert sound.pcm.rate == TELEPHONE_HZ
    assert sound.pcm.ms == pytest.approx(500, abs=1)


def test_the_digest_is_that_of_the_file_as_anybody_can_check_it(tmp_path: Path) -> None:
    path = record(tmp_path / "hello.wav")
    assert within(tmp_path).asset("hello.wav").sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_is_read_once_and_a_changed_one_again(tmp_path: Path) -> None:
    path = record(tmp_path / "hello.wav", 500)
    sounds = within(tmp_path)
    first = sounds.asset("hello.wav")
    assert sounds.asset("hello.wav") is first
    record(path, 700)
    os.utime(path, ns=(1, 1))
    second = sounds.asset("hello.wav")
    assert [round(each.pcm.ms / 100) for each in (first, second)] == [5, 7]
    assert first.sha256 != second.sha256


def test_a_message_is_said_in_the_callers_language_else_in_english(tmp_path: Path) -> None:
    record(tmp_path / "apology.en.wav", 100)
    record(tmp_path / "apology.de.wav", 200)
    sounds = within(tmp_path)
    assert [round(sounds.message(APOLOGY, language).pcm.ms) for language in ("de", "fr", "en")] == [200, 100, 100]


def test_one_that_is_nowhere_is_told(tmp_path: Path) -> None:
    with pytest.raises(PolicyUnavailable, match=r"hello\.wav"):
        within(tmp_path).asset("hello.wav")
    with pytest.raises(PolicyUnavailable, match=r"apology\.en\.wav"):
        within(tmp_path).message(APOLOGY, "de")


UNPLAYABLE: list[tuple[str, Callable[[Path], object], str]] = [
    ("no WAV", lambda path: path.write_bytes(b"ID3 mp3"), "is not a PCM WAV file"),
    ("stereo", lambda path: record(path, channels=2), "2 channel"),
    ("cut off", lambda path: path.write_bytes(record(path).read_bytes()[:-100]), "cut off"),
    ("empty", lambda path: record(path, 0), "is empty"),
    ("a folder", lambda path: path.mkdir(), "cannot be read"),
]


@pytest.mark.parametrize(("what", "make", "why"), UNPLAYABLE, ids=[what for what, _, _ in UNPLAYABLE])
def test_one_that_cannot_be_played_is_told_by_name_and_how_to_mend_it(
    tmp_path: Path, what: str, make: Callable[[Path], object], why: str
) -> None:
    """Above all an empty one: it would count as announced, and nobody would have heard a word."""
    make(tmp_path / "hello.wav")
    with pytest.raises(Misconfigured, match=why) as caught:
        within(tmp_path).asset("hello.wav")
    assert str(tmp_path / "hello.wav") in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("name", [APOLOGY, REFUSED])
def test_what_ships_can_be_played(name: str) -> None:
    sound = Sounds(PolicyFolder.open(shipped_policies()).announcement).message(name, "en")
    assert 500 < sound.pcm.ms < 15_000
