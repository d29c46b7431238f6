"""``keys.sealed``: what it had is nowhere on the disk once it was replaced, whoever was killed over it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.adapters.audit.sealed_file import SEALED, replace_sealed, turn

OLD, NEW = b"old keys", b"new keys"

KILLED = """
import itertools, os, sys
from pathlib import Path
from gateway.adapters.audit.sealed_file import SEALED, replace_sealed

left = 0

def killing(act):
    def acted(*given, **named):
        global left
        left -= 1
        if left == 0:
            os._exit(9)
        return act(*given, **named)
    return acted

for moment in itertools.count(1):
    path = Path(sys.argv[1]) / str(moment) / SEALED
    path.parent.mkdir()
    replace_sealed(path, b"old keys")
    child = os.fork()
    if not child:
        left = moment
        for name in ("open", "link", "fsync", "pwrite", "close", "fdopen"):
            setattr(os, name, killing(getattr(os, name)))
        for name in ("replace", "unlink"):
            setattr(Path, name, killing(getattr(Path, name)))
        replace_sealed(path, b"keys of the killed")
        os._exit(7)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code == 7:
        print(moment)
        break
    assert code == 9, code
"""
"""A program that dies, in a folder for each, at every moment at which it asks the disk for something."""


def test_what_replaces_a_sealed_file_leaves_nothing_of_the_old_one(tmp_path: Path) -> None:
    """Somebody who held the old file open, as a copy of its blocks would, finds zeros in it."""
    path = tmp_path / SEALED
    replace_sealed(path, OLD)
    with path.open("rb") as old:
        replace_sealed(path, NEW)
        assert old.read() == bytes(len(OLD))
    assert path.read_bytes() == NEW
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [SEALED]


@pytest.mark.parametrize(
    "name", [".keys.sealed.keys_1", "..keys.sealed.keys_1.42", ".keys.sealed.42.0f0f0f0f", ".keys.sealed.new", ".keys.sealed.old"]
)
def test_a_draft_that_somebody_was_killed_over_is_overwritten_too(tmp_path: Path, name: str) -> None:
    """Also those of earlier versions, under the names that they gave them."""
    path, left = tmp_path / SEALED, tmp_path / name
    replace_sealed(path, OLD)
    left.write_bytes(b"a key that was destroyed")
    with left.open("rb") as draft:
        replace_sealed(path, NEW)
        assert draft.read() == bytes(24)
    assert [each.name for each in tmp_path.iterdir()] == [SEALED]


def test_a_kill_at_any_moment_leaves_a_whole_file_and_nothing_that_the_next_one_does_not_overwrite(tmp_path: Path) -> None:
    told = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=True, capture_output=True, text=True)
    moments = int(told.stdout)
    assert moments > 12, "the moments are where the disk is asked"
    for moment in range(1, moments + 1):
        path = tmp_path / str(moment) / SEALED
        assert path.read_bytes() in (OLD, b"keys of the killed")
        left = [each.open("rb") for each in path.parent.iterdir()]
        replace_sealed(path, NEW)
        for file in left:
            with file:
                assert file.read().strip(b"\0") == b""
        assert [each.name for each in path.parent.iterdir()] == [SEALED]
        assert path.read_bytes() == NEW


def test_a_replacement_that_fails_leaves_the_file_as_it_was_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / SEALED
    replace_sealed(path, OLD)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        replace_sealed(path, NEW)
    assert path.read_bytes() == OLD
    assert [each.name for each in tmp_path.iterdir()] == [SEALED]


def test_only_one_at_a_time_replaces_it(tmp_path: Path) -> None:
    with turn(tmp_path) as mine:
        assert mine
        with turn(tmp_path) as theirs:
            assert not theirs
    with turn(tmp_path) as mine:
        assert mine
