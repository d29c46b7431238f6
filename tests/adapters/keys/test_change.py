"""Another master key takes a file's place so that at every moment every gateway finds each key that it may need."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from gateway.adapters.keys.change import FileChange
from gateway.adapters.keys.files import read_key
from gateway.adapters.keys.master import MasterKeys
from gateway.errors import Misconfigured, StoreUnavailable


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("gateway.adapters.keys.change.MOUNTS", tmp_path / "none")  # tests may run in memory
    path = tmp_path / "keys" / "master.key"
    MasterKeys.from_file(path, create=True)
    return path


async def test_a_gateway_that_runs_finds_the_new_key_when_it_needs_it_and_the_old_one_until_the_end(path: Path) -> None:
    running, change = MasterKeys.from_file(path), FileChange(path)
    old = running.current().id
    new = (await change.begin()).id
    assert running.of(new).id == new
    assert running.current().id == old
    change.promote()
    assert running.current().id == new
    assert running.of(old).id == old
    assert MasterKeys.from_file(path).ids == (new, old)
    change.end()
    assert MasterKeys.from_file(path).ids == (new,)
    with pytest.raises(StoreUnavailable):
        MasterKeys.from_file(path).of(old)


async def test_each_step_may_be_done_again_by_whoever_goes_on(path: Path) -> None:
    before = read_key(path)
    new = (await FileChange(path).begin()).id
    assert (await FileChange(path).begin()).id == new
    FileChange(path).promote()
    FileChange(path).promote()
    assert (await FileChange(path).begin()).id == new
    assert "old-" in FileChange(path).end()
    assert FileChange(path).end() == ""
    assert [read_key(each) for each in path.parent.iterdir() if ".old-" in each.name] == [before]


async def test_who_was_killed_between_the_two_halves_of_a_step_goes_on(path: Path) -> None:
    """The old key has its second name, and the new one is not in its place yet."""
    new = (await FileChange(path).begin()).id
    path.with_name("master.key.previous").hardlink_to(path)
    assert (await FileChange(path).begin()).id == new
    FileChange(path).promote()
    assert MasterKeys.from_file(path).ids[0] == new


def mounts(folder: Path, filesystem: str) -> Path:
    table = folder / "mounts"
    table.write_text(f"disk / ext4 rw 0 0\nproc /proc proc rw 0 0\nx {folder}/keys {filesystem} rw 0 0\n")
    return table


async def test_where_the_file_is_a_copy_in_memory_no_key_is_made_that_would_be_lost(path: Path, tmp_path: Path) -> None:
    """As in our image: the secret is kept elsewhere, and a new key would lock everything and be gone with the container."""
    memory = mounts(tmp_path, "tmpfs")
    with pytest.raises(Misconfigured, match="a copy in memory"):
        await FileChange(path, mounts=memory).begin()
    assert [each.name for each in path.parent.iterdir()] == ["master.key"]
    following = path.with_name("master.key.next")
    following.touch(mode=0o600)
    following.write_bytes(base64.b64encode(b"n" * 32))
    change = FileChange(path, mounts=memory)
    await change.begin()
    change.promote()
    assert "before the next start" in change.end()
    assert read_key(path) == b"n" * 32


async def test_on_a_disk_a_key_is_made(path: Path, tmp_path: Path) -> None:
    made = await FileChange(path, mounts=mounts(tmp_path, "ext4")).begin()
    assert (await FileChange(path, mounts=tmp_path / "no such table").begin()).id == made.id


async def test_a_folder_that_nobody_may_write_to_says_what_to_do(path: Path) -> None:
    change = FileChange(path)
    await change.begin()
    path.with_name("master.key.previous").mkdir()
    path.with_name("master.key").unlink()
    path.with_name("master.key").mkdir()
    with pytest.raises(Misconfigured, match="cannot be replaced"):
        change.promote()
