"""A ZIP file that is never whole before its end, opens with what everybody has, and writes to no other folder."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.runner.rights_zip import PIECE, ZipStream
from gateway.values import Private

AT = datetime(2026, 11, 21, 8, 30, 20, tzinfo=UTC)


async def written(files: dict[str, bytes]) -> tuple[bytes, ZipStream]:
    stream, pieces = ZipStream(AT), bytearray()
    for name, content in files.items():
        async for piece in stream.add(stream.free_name(name), Private(content)):
            pieces += piece
    return bytes(pieces + stream.end()), stream


async def test_it_opens_with_every_reader_and_is_for_its_owner_alone() -> None:
    """Content, time and rights of each file; the digest is that of the whole."""
    files = {"index.html": b"<p>", "calls/c1/sound.wav": bytes(3 * PIECE + 7), "empty": b""}
    data, stream = await written(files)
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert file.testzip() is None
        assert {name: file.read(name) for name in file.namelist()} == files
        assert {each.external_attr >> 16 & 0o777 for each in file.infolist()} == {0o600}
        assert {each.date_time for each in file.infolist()} == {(2026, 11, 21, 8, 30, 20)}
    assert stream.size == len(data)
    assert len(stream.sha256) == 64


async def test_without_its_end_it_opens_nowhere() -> None:
    """Whoever gets half of it has no file that looks whole."""
    data, _ = await written({"a": b"1" * 1_000, "b": b"2"})
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(data[:-30]))


CLIMBING = ["../../etc/passwd", "/root/.ssh", "C:\\x", "a/../../b", "a", "A"]


@given(st.lists(st.text(max_size=30) | st.sampled_from(CLIMBING), max_size=8))
def test_no_name_climbs_out_and_none_stands_twice(names: list[str]) -> None:
    """Also on a system that does not tell small letters from large ones."""
    stream = ZipStream(AT)
    found = [stream.free_name(name) for name in names]
    assert len({name.casefold() for name in found}) == len(names)
    for name in found:
        path = PurePosixPath(name)
        assert not path.is_absolute()
        assert not {"..", ".", ""} & set(name.split("/"))
        assert "\\" not in name
        assert ":" not in name
