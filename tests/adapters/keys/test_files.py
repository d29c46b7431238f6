"""A key file is made once, whole, for its owner alone; anything else is refused with the way to mend it."""

from __future__ import annotations

import base64
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.adapters.keys.files import read_key, read_or_create_key
from gateway.errors import Misconfigured


def written(path: Path, text: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(text)
    path.chmod(mode)
    return path


def test_the_first_start_makes_a_key_that_only_its_owner_can_read_and_the_next_finds_it(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "master.key"
    key = read_or_create_key(path)
    assert len(key) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert read_or_create_key(path) == read_key(path) == key
    assert list(path.parent.iterdir()) == [path]


def test_many_gateways_that_start_together_end_up_with_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(read_or_create_key, [tmp_path / "master.key"] * 16))
    assert len(keys) == 1


def test_no_two_keys_are_alike(tmp_path: Path) -> None:
    assert read_or_create_key(tmp_path / "a") != read_or_create_key(tmp_path / "b")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o777])
def test_a_file_that_others_can_open_is_refused_with_the_command_that_mends_it(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path / "k", base64.b64encode(bytes(32)), mode)
    with pytest.raises(Misconfigured, match=rf"{path} is open to others .*{mode:04o}.*chmod 600"):
        read_or_create_key(path)


@pytest.mark.parametrize(
    "text",
    [b"", b"tooshort", base64.b64encode(bytes(31)), base64.b64encode(bytes(33)), b"seeded-secret!", bytes(32), b"A" * 100_000],
)
def test_a_file_that_holds_no_key_is_refused_and_its_content_not_repeated(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(Misconfigured, match="does not hold 32 bytes in base64") as refused:
        read_key(written(tmp_path / "k", text))
    assert "seeded-secret" not in str(refused.value)


def test_white_space_around_the_key_is_no_fault(tmp_path: Path) -> None:
    assert read_key(written(tmp_path / "k", b"\n  " + base64.b64encode(bytes(32)) + b"\r\n")) == bytes(32)


def test_a_missing_file_is_refused_with_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"does not exist \(make one: .*head -c 32 /dev/urandom"):
        read_key(tmp_path / "none")


@pytest.mark.timeout(10)
def test_what_is_not_a_plain_file_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir(mode=0o700)
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("folder", "pipe"):
        with pytest.raises(Misconfigured, match="is not a plain file"):
            read_key(tmp_path / name)


def test_a_folder_that_cannot_be_made_is_a_fault_of_the_set_up(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Misconfigured, match="cannot be made"):
        read_or_create_key(tmp_path / "file" / "keys" / "master.key")
