"""The file of a backup: what was written comes out again, and whatever was done to the file is named by its place."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.adapters.audit.backup_file import (
    DATA,
    KEPT,
    MANIFEST_KEY,
    Header,
    Kind,
    Record,
    Section,
    new_backup,
    open_backup,
    read_header,
)
from gateway.errors import BackupInvalid
from gateway.values import TenantId

SECTIONS = tuple(
    Section(TenantId(tenant), part, 3, "sha256:" + "a" * 64) for tenant in ("acme", "globex") for part in (DATA, KEPT)
)
HEADER = Header("backup_1", "2026-11-22T08:00:00.000000Z", "local", "0123456789abcdef", b"\1" * 32, SECTIONS)
KEYS = {**{number: bytes([number]) * 32 for number in range(len(SECTIONS))}, MANIFEST_KEY: b"m" * 32}
RECORDS = [
    Record(Kind.STRING, "sordino:{acme}:one", (b"\0value\xff",), expires_ms=1_900_000_000_000),
    *(Record(Kind.HASH, "sordino:{acme}:many", (b"f", os.urandom(200_000)), first=not number) for number in range(4)),
    Record(Kind.HASH, "sordino:{acme}:many", (b"a", b"b"), first=False),
    Record(Kind.FILE, "recordings/acme/call_1.srec", (b"",)),
]


def written(path: Path, header: Header = HEADER, keys: dict[int, bytes] = KEYS) -> Path:
    with new_backup(path, header, keys) as writer:
        writer.add(0, RECORDS)
        writer.add(3, [replace(RECORDS[0], name="sordino:{globex}:evidence")])
    return path


def read(path: Path, keys: dict[int, bytes | None] | None = None) -> list[tuple[str, str, Record]]:
    with open_backup(path, lambda header: KEYS if keys is None else keys) as backup:
        return [(section.tenant, section.part, record) for section, record in backup.records()]


def test_what_was_written_comes_out_again_section_by_section(tmp_path: Path) -> None:
    path = written(tmp_path / "one.sbak")
    found = read(path)
    assert [record for tenant, part, record in found if (tenant, part) == ("acme", DATA)] == RECORDS
    assert [(tenant, part) for tenant, part, _ in found if tenant == "globex"] == [("globex", KEPT)]
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_header(path) == HEADER


def test_nothing_of_what_is_kept_can_be_read_in_the_file(tmp_path: Path) -> None:
    raw = written(tmp_path / "one.sbak").read_bytes()
    assert b"value" not in raw and b"call_1" not in raw  # noqa: PT018  (both are the point)
    assert b"globex" in raw, "the header says whose it is, or this search would find nothing anyway"


def test_a_section_whose_key_was_destroyed_is_passed_over_and_named(tmp_path: Path) -> None:
    path = written(tmp_path / "one.sbak")
    with open_backup(path, lambda header: {**KEYS, 0: None}) as backup:
        assert backup.erased == (SECTIONS[0],)
        assert {section.tenant for section, _ in backup.records()} == {"globex"}


def cut_in_a_chunk(raw: bytes) -> bytes:
    return raw[: len(raw) * 3 // 4]


def cut_before_the_last_chunk(raw: bytes) -> bytes:
    return raw[: raw.rindex(b"\x01\xff\xff")]


def longer(raw: bytes) -> bytes:
    return raw + b"\0"


def another_region(raw: bytes) -> bytes:
    return raw.replace(b'"region":"local"', b'"region":"lokal"')


def another_file(raw: bytes) -> bytes:
    return b"PK\3\4" + raw[4:]


def to_another_section(raw: bytes) -> bytes:
    at = raw.rindex(b"\0\0\3")
    return raw[:at] + b"\0\0\2" + raw[at + 3 :]


HARM: list[tuple[Callable[[bytes], bytes], str]] = [
    (cut_in_a_chunk, "is cut off within chunk 1, at byte"),
    (cut_before_the_last_chunk, "is cut off before chunk 4, at byte"),
    (longer, "behind the last chunk (chunk 4"),
    (another_region, "chunk 0, at byte"),
    (another_file, "no backup of Sordino"),
    (to_another_section, "was altered"),
]


@pytest.mark.parametrize(("harm", "told"), HARM, ids=lambda each: each.__name__ if callable(each) else "")
def test_a_cut_or_altered_backup_is_named_precisely(tmp_path: Path, harm: Callable[[bytes], bytes], told: str) -> None:
    path = written(tmp_path / "one.sbak")
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(BackupInvalid) as refused:
        read(path)
    assert told in str(refused.value)


@settings(max_examples=50)
@given(st.data())
def test_any_changed_byte_is_noticed(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("backup") / "one.sbak"
    with new_backup(path, HEADER, KEYS) as writer:
        writer.add(1, [RECORDS[0], RECORDS[-2]])
    raw = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(bytes(raw))
    with pytest.raises(BackupInvalid):
        read(path)


def test_a_wrong_key_opens_nothing(tmp_path: Path) -> None:
    with pytest.raises(BackupInvalid, match="chunk 0, at byte"):
        read(written(tmp_path / "one.sbak"), {**KEYS, 0: b"x" * 32})


def test_a_backup_that_could_not_be_finished_is_not_there(tmp_path: Path) -> None:
    def cut_short() -> None:
        with new_backup(tmp_path / "one.sbak", HEADER, KEYS) as writer:
            writer.add(0, RECORDS)
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power"):
        cut_short()
    assert list(tmp_path.iterdir()) == []
