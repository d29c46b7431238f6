"""A bundle's file: what is written is read again; what is broken, or made to harm its reader, is refused before it unfolds."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.adapters.audit.bundle_file import MOST_UNFOLDED, is_bundle, new_bundle, open_bundle
from gateway.errors import BundleInvalid
from gateway.evidence.bundle import CHAIN, MANIFEST, PARTS, Bundle
from gateway.evidence.bundle import verify_bundle as verify
from tests.evidence.bundles import parts

GOOD = parts()


def write(path: Path) -> bytes:
    with new_bundle(path) as bundle:
        for name in PARTS:
            with bundle.part(name) as put:
                for piece in GOOD.chunks(name):
                    put(piece)
        bundle.finish(GOOD.manifest())
    return path.read_bytes()


def read(path: Path) -> Bundle:
    with open_bundle(path) as bundle:
        return verify(bundle.manifest, bundle.chunks)


def zipped(members: list[tuple[str, bytes]], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


MEMBERS = [*GOOD.of.items(), (MANIFEST, GOOD.manifest())]
BOMB = b"\0" * (MOST_UNFOLDED * 100_000)


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    """Part by part, for its owner's eyes only."""
    write(tmp_path / "bundle.zip")
    assert (tmp_path / "bundle.zip").stat().st_mode & 0o777 == 0o600
    assert read(tmp_path / "bundle.zip").entries == len(GOOD.lines(CHAIN))
    assert is_bundle(tmp_path / "bundle.zip")


def test_half_a_bundle_is_never_there(tmp_path: Path) -> None:
    """Whatever stops the writing: no file, and nothing left beside it."""

    def stopped() -> None:
        with new_bundle(tmp_path / "bundle.zip") as bundle, bundle.part(CHAIN) as put:
            put(b"x")
            raise KeyError

    with pytest.raises(KeyError):
        stopped()
    assert list(tmp_path.iterdir()) == []


def patched(data: bytes, place: Callable[[bytes], int], value: bytes) -> bytes:
    at = place(data)
    return data[:at] + value + data[at + len(value) :]


GOOD_ZIP = zipped(MEMBERS)


@pytest.mark.parametrize(
    ("data", "part", "said"),
    [
        (b"", "the file", "cut off"),
        (b"PK\x03\x04" + b"\0" * 100, "the file", "cut off"),
        (GOOD_ZIP[:-1], "the file", "cut off"),
        (GOOD_ZIP + b"\0", "the file", "something stands behind it"),
        (GOOD_ZIP[: len(GOOD_ZIP) // 2] + GOOD_ZIP[-22:], "the file", "directory is damaged"),
        (zipped(MEMBERS[1:]), "the file", "not have exactly the parts"),
        (zipped([*MEMBERS, ("../../etc/passwd", b"x")]), "the file", "not have exactly the parts"),
        (zipped([MEMBERS[1], MEMBERS[0], *MEMBERS[2:]]), "the file", "not have exactly the parts"),
        (zipped(MEMBERS, zipfile.ZIP_LZMA), CHAIN, "packed in another way"),
        (zipped([(CHAIN, BOMB), *MEMBERS[1:]]), CHAIN, "would unfold to more than 100 times"),
        (zipped([*MEMBERS[:-1], (MANIFEST, b" " * 70_000)]), MANIFEST, "larger than"),
        (zipped([(f"{number:0>100}", b"") for number in range(1000)]), "the file", "its directory is larger"),
        (patched(GOOD_ZIP, lambda data: data.index(b"PK\x01\x02") + 24, struct.pack("<L", 2**31)), CHAIN, "would unfold"),
        (patched(GOOD_ZIP, lambda data: data.index(b"PK\x01\x02") + 24, struct.pack("<L", 10)), CHAIN, "damaged"),
        (patched(GOOD_ZIP, lambda data: 200, b"\xff\xff\xff\xff"), CHAIN, "damaged"),
    ],
)
def test_a_file_that_is_no_bundle_of_ours_is_refused(tmp_path: Path, data: bytes, part: str, said: str) -> None:
    """Cut off, longer, with other parts, encrypted, damaged, or unfolding without end: the typed error says which."""
    (tmp_path / "bundle.zip").write_bytes(data)
    with pytest.raises(BundleInvalid) as found:
        read(tmp_path / "bundle.zip")
    assert said in found.value.message
    assert found.value.part == part


def test_two_parts_cannot_share_their_bytes(tmp_path: Path) -> None:
    """The way in which a small file unfolds to a giant one although no part looks like it."""
    first, second = (GOOD_ZIP.index(b"PK\x01\x02"), GOOD_ZIP.index(b"PK\x01\x02", GOOD_ZIP.index(b"PK\x01\x02") + 1))
    (tmp_path / "bundle.zip").write_bytes(GOOD_ZIP[: second + 42] + GOOD_ZIP[first + 42 : first + 46] + GOOD_ZIP[second + 46 :])
    with pytest.raises(BundleInvalid, match="lies in the file where another one is"):
        read(tmp_path / "bundle.zip")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_file_with_any_byte_changed_is_the_same_bundle_or_the_typed_error(tmp_path: Path, data: st.DataObject) -> None:
    """A ZIP file has bytes that mean nothing (dates, rights); whatever means something is noticed."""
    at = data.draw(st.integers(0, len(GOOD_ZIP) - 1))
    piece = data.draw(st.binary(max_size=4))
    (tmp_path / "bundle.zip").write_bytes(GOOD_ZIP[:at] + piece + GOOD_ZIP[at + max(1, len(piece)) :])
    try:
        bundle = read(tmp_path / "bundle.zip")
    except BundleInvalid:
        return
    assert bundle.manifest == verify(GOOD.manifest(), GOOD.chunks).manifest
