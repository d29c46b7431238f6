"""The machine: a clock, ids that nobody guesses, and secrets that only their owner reads."""

from __future__ import annotations

import os
import stat
import threading
from datetime import UTC
from pathlib import Path

import pytest

from gateway.adapters.system import RandomIds, Secrets, SystemClock
from gateway.errors import Misconfigured
from gateway.values import Private

VALUE = "s3cret-of-the-operator"


def keep(folder: Path, name: str, value: bytes, mode: int = 0o600) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(value)
    path.chmod(mode)
    return path


class TestTheClock:
    def test_it_tells_time_in_utc_and_never_goes_back(self) -> None:
        clock = SystemClock()
        assert clock.now().tzinfo is UTC
        times = [clock.monotonic() for _ in range(100)]
        assert times == sorted(times)


class TestIds:
    def test_they_differ_and_say_what_they_are_of(self) -> None:
        made = {RandomIds().new("call") for _ in range(1_000)}
        assert len(made) == 1_000
        assert all(len(each) == len("call_") + 26 and each.startswith("call_") for each in made)

    def test_they_sort_by_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        times = iter([1_700_000_000_000, 1_700_000_000_001, 1_900_000_000_000])
        monkeypatch.setattr("gateway.adapters.system.time.time_ns", lambda: next(times) * 1_000_000)
        made = [RandomIds().new("x") for _ in range(3)]
        assert made == sorted(made)


class TestASecret:
    def test_comes_from_the_environment_first(self, tmp_path: Path) -> None:
        keep(tmp_path, "OPENAI_API_KEY", b"from the file")
        assert Secrets(tmp_path, {"OPENAI_API_KEY": VALUE}).read("OPENAI_API_KEY") == Private(VALUE)

    def test_else_from_its_file_without_the_line_end_that_editors_add(self, tmp_path: Path) -> None:
        keep(tmp_path, "OPENAI_API_KEY", f"{VALUE}\n".encode())
        assert Secrets(tmp_path, {}).read("OPENAI_API_KEY") == Private(VALUE)

    def test_is_private(self, tmp_path: Path) -> None:
        assert VALUE not in repr(Secrets(tmp_path, {"A": VALUE}).read("A"))

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o666, 0o610])
    def test_that_others_may_read_or_write_is_refused(self, tmp_path: Path, mode: int) -> None:
        path = keep(tmp_path, "A", VALUE.encode(), mode)
        with pytest.raises(Misconfigured, match="others may read the secret A") as caught:
            Secrets(tmp_path, {}).read("A")
        assert caught.value.hint == f"chmod 600 {path}"
        assert VALUE not in str(caught.value)

    @pytest.mark.parametrize("value", [b"", b"\n", b"  \n"])
    def test_that_is_empty_is_none(self, tmp_path: Path, value: bytes) -> None:
        """An empty key is one that everybody knows."""
        keep(tmp_path, "A", value)
        with pytest.raises(Misconfigured, match="the secret A is empty"):
            Secrets(tmp_path, {}).read("A")
        with pytest.raises(Misconfigured, match="the secret A is empty"):
            Secrets(tmp_path, {}).read_or_create("A")

    @pytest.mark.parametrize("value", ["", " ", "\n"])
    def test_that_is_empty_in_the_environment_is_looked_for_in_its_file(self, tmp_path: Path, value: str) -> None:
        keep(tmp_path, "A", VALUE.encode())
        assert Secrets(tmp_path, {"A": value}).read("A") == Private(VALUE)

    def test_that_is_no_text_is_told(self, tmp_path: Path) -> None:
        keep(tmp_path, "A", b"\xff\xfe\x00")
        with pytest.raises(Misconfigured, match="the secret A is no text"):
            Secrets(tmp_path, {}).read("A")

    def test_that_is_nowhere_is_told_with_both_ways_to_set_it(self, tmp_path: Path) -> None:
        with pytest.raises(Misconfigured, match="the secret A is not set") as caught:
            Secrets(tmp_path, {}).read("A")
        assert caught.value.hint == f"export A=… or write it into {tmp_path / 'A'}"

    @pytest.mark.parametrize("name", ["", "a", "../A", "A/B", "A B", "/etc/passwd", "A" * 81, "1A", "Ä"])
    def test_has_the_name_of_a_variable_and_never_of_another_file(self, tmp_path: Path, name: str) -> None:
        for ask in (Secrets(tmp_path, {}).read, Secrets(tmp_path, {}).read_or_create):
            with pytest.raises(Misconfigured, match="is not the name of a secret"):
                ask(name)


class TestAFreshSecret:
    def test_is_made_once_and_kept_for_its_owner_alone(self, tmp_path: Path) -> None:
        folder = tmp_path / "data" / "secrets"
        made = Secrets(folder, {}).read_or_create("A")
        assert Secrets(folder, {}).read_or_create("A") == made
        assert len(made.reveal()) >= 43
        assert stat.S_IMODE((folder / "A").stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert [path.name for path in folder.iterdir()] == ["A"]

    def test_is_not_made_where_one_is_set(self, tmp_path: Path) -> None:
        assert Secrets(tmp_path, {"A": VALUE}).read_or_create("A") == Private(VALUE)
        assert list(tmp_path.iterdir()) == []

    def test_does_not_take_the_place_of_one_that_others_may_read(self, tmp_path: Path) -> None:
        path = keep(tmp_path, "A", VALUE.encode(), 0o644)
        with pytest.raises(Misconfigured, match="others may read"):
            Secrets(tmp_path, {}).read_or_create("A")
        assert path.read_text() == VALUE

    def test_is_the_same_for_all_who_begin_at_once(self, tmp_path: Path) -> None:
        """And nobody reads half of it."""
        made: list[Private[str]] = []
        together = threading.Barrier(8)

        def make() -> None:
            together.wait()
            made.append(Secrets(tmp_path / "secrets", {}).read_or_create("A"))

        threads = [threading.Thread(target=make) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(made) == 8
        assert len(set(made)) == 1

    def test_that_cannot_be_kept_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "secrets").write_text("a file where the folder should be")
        with pytest.raises(Misconfigured, match="cannot be kept") as caught:
            Secrets(tmp_path / "secrets", {}).read_or_create("A")
        assert caught.value.hint == "set SORDINO_DATA"

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
    def test_in_a_folder_that_is_not_ours_is_told(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o500)
        with pytest.raises(Misconfigured, match="cannot be kept"):
            Secrets(tmp_path, {}).read_or_create("A")
