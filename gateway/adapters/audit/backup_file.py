"""The file of a backup: everything that is kept of some tenants, encrypted chunk by chunk, and nothing that opens it.

A file is ``SORDBAK1``, the length of the header (4 bytes, big-endian), the header (canonical JSON, in clear: no private text),
and chunks. A chunk is one byte (1: the last one), the number of its section (2 bytes), the length of what follows (4 bytes) and
AES-256-GCM's ciphertext with its tag. Each section (a tenant's data, or what outlives the tenant) has a key of its own, used for
this file alone, so that the nonce is the chunk's number and whether it is the last (STREAM: Hoang, Reyhanitabar, Rogaway, Vizár,
"Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", 2015). The associated data is the header's digest and the
frame, so what is cut off, reordered, repeated, moved to another tenant or taken from another file does not open. The last chunk
is the manifest: how much of each section there is.
"""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.disk import sync_folder
from gateway.errors import BackupInvalid, EvidenceInvalid
from gateway.evidence.canonical import canonical, parse
from gateway.evidence.entries import Json
from gateway.values import TenantId

MAGIC = b"SORDBAK1"
FORMAT = "sordino.backup/1"
SUFFIX = ".sbak"
CIPHER = "AES-256-GCM STREAM"
CHUNK = 256 * 1024
"""Bytes of records that are sealed together."""
LONGEST_RECORD = 512 * 1024 * 1024
_LONGEST_HEADER = 64 * 1024 * 1024
_LENGTH = struct.Struct(">I")
_FRAME = struct.Struct(">BHI")
_NONCE = struct.Struct(">QBHB")
_RECORD = struct.Struct(">cBQHI")
_MANIFEST = 0xFFFF
"""The section number of the last chunk."""

DATA, KEPT = "data", "kept"
"""The two sections of a tenant: what its key opens and dies with it, and what outlives the tenant (evidence, certificates…)."""


class Kind(Enum):
    """What a record is: a piece of a key of the store, of the type that the store gives it, or a piece of a file."""

    STRING = b"s"
    HASH = b"h"
    LIST = b"l"
    SET = b"S"
    ZSET = b"z"
    STREAM = b"x"
    FILE = b"f"


@dataclass(frozen=True, slots=True)
class Record:
    """A piece of one thing. ``first``: the thing begins here anew. ``parts`` are as the store gives them (fields and values)."""

    kind: Kind
    name: str
    parts: tuple[bytes, ...]
    first: bool = True
    expires_ms: int = 0
    """Unix time in ms when the store is to forget it; 0: never."""

    def to_bytes(self) -> bytes:
        name = self.name.encode()
        head = _RECORD.pack(self.kind.value, self.first, self.expires_ms, len(name), len(self.parts))
        return b"".join([head, name, *(piece for part in self.parts for piece in (_LENGTH.pack(len(part)), part))])


@dataclass(frozen=True, slots=True)
class Section:
    """One tenant's part of a backup. ``seq`` and ``head`` name the last entry of its evidence before anything was read."""

    tenant: TenantId
    part: str
    seq: int
    head: str


@dataclass(frozen=True, slots=True)
class Header:
    """What a backup says of itself in clear. ``secret``: what its keys are derived from, locked by the master key ``key_id``."""

    id: str
    made: str
    region: str
    key_id: str
    secret: bytes
    sections: tuple[Section, ...]

    @property
    def tenants(self) -> tuple[TenantId, ...]:
        return tuple(dict.fromkeys(section.tenant for section in self.sections))

    def to_bytes(self) -> bytes:
        sections: list[Json] = [
            {"tenant": each.tenant, "part": each.part, "seq": each.seq, "head": each.head} for each in self.sections
        ]
        facts = {"id": self.id, "made": self.made, "region": self.region, "key_id": self.key_id, "secret": self.secret.hex()}
        text = canonical({"format": FORMAT, "cipher": CIPHER, **facts, "sections": sections})
        return MAGIC + _LENGTH.pack(len(text)) + text


Keys = Mapping[int, bytes | None]
"""The key of each section by its number, and of the manifest (``MANIFEST_KEY``). None: that key was destroyed."""
MANIFEST_KEY = _MANIFEST
FindKeys = Callable[[Header], Keys]


@dataclass(slots=True)
class Tally:
    """How much of a section was written or read."""

    records: int = 0
    bytes: int = 0


@contextmanager
def new_backup(path: Path, header: Header, keys: Keys) -> Iterator[BackupWriter]:
    """Where records are written. The file appears whole or not at all, mode 0600. Raises OSError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            writer = BackupWriter(file, header, keys)
            yield writer
            writer.finish()
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        sync_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)


class BackupWriter:
    """Takes the records of every section, in any order. Blocks on the disk: use it off the event loop."""

    def __init__(self, file: BinaryIO, header: Header, keys: Keys) -> None:
        self._file = file
        self._cipher = _Cipher(header, keys)
        self._waiting: dict[int, bytearray] = {}
        self.tallies = [Tally() for _ in header.sections]
        self._number = 0
        file.write(header.to_bytes())

    def add(self, section: int, records: Iterable[Record]) -> None:
        """Write records of one section. Raises OSError."""
        waiting, tally = self._waiting.setdefault(section, bytearray()), self.tallies[section]
        for record in records:
            data = record.to_bytes()
            waiting += data
            tally.records += 1
            tally.bytes += len(data)
            if len(waiting) >= CHUNK:
                self._seal(section, bytes(waiting))
                waiting.clear()

    def finish(self) -> None:
        for section, waiting in sorted(self._waiting.items()):
            if waiting:
                self._seal(section, bytes(waiting))
        told: list[Json] = [{"records": each.records, "bytes": each.bytes} for each in self.tallies]
        self._seal(_MANIFEST, canonical({"sections": told}), last=True)

    def _seal(self, section: int, plain: bytes, *, last: bool = False) -> None:
        sealed = self._cipher.encrypt(self._number, section, zlib.compress(plain, 1), last=last)
        self._file.write(_FRAME.pack(last, section, len(sealed)) + sealed)
        self._number += 1


@dataclass(slots=True)
class BackupReader:
    """An open backup. ``erased`` are the sections whose key was destroyed: nobody reads them any more."""

    header: Header
    erased: tuple[Section, ...]
    tallies: list[Tally]
    _file: BinaryIO
    _cipher: _Cipher
    _begin: int

    def records(self) -> Iterator[tuple[Section, Record]]:
        """Every record of every section that has a key, from the beginning each time it is asked.

        Raises:
            BackupInvalid: names the first chunk that is not what was written, or says where the file was cut off. OSError.
        """
        self._file.seek(self._begin)
        self.tallies[:] = [Tally() for _ in self.header.sections]
        number, at = 0, self._begin
        while True:
            last, section, sealed = self._frame(number, at)
            where = _where(number, at)
            plain = self._opened(number, section, sealed, last=last, where=where)
            if last:
                self._check_end(plain, where)
                return
            if plain is not None:
                yield from self._read(section, plain, where)
            number, at = number + 1, at + _FRAME.size + len(sealed)

    def _frame(self, number: int, at: int) -> tuple[bool, int, bytes]:
        frame = self._file.read(_FRAME.size)
        if len(frame) < _FRAME.size:
            raise BackupInvalid(f"the file is cut off before {_where(number, at)}, and has no last chunk", hint=_WHOLE)
        last, section, length = _FRAME.unpack(frame)
        sections = len(self.header.sections)
        if last > 1 or length > LONGEST_RECORD or bool(last) != (section == _MANIFEST) or (not last and section >= sections):
            raise _altered(_where(number, at))
        sealed = self._file.read(length)
        if len(sealed) < length:
            raise BackupInvalid(f"the file is cut off within {_where(number, at)}", hint=_WHOLE)
        return bool(last), section, sealed

    def _opened(self, number: int, section: int, sealed: bytes, *, last: bool, where: str) -> bytes | None:
        try:
            packed = self._cipher.decrypt(number, section, sealed, last=last)
            return None if packed is None else zlib.decompress(packed)
        except (InvalidTag, zlib.error):
            raise _altered(where) from None

    def _read(self, section: int, plain: bytes, where: str) -> Iterator[tuple[Section, Record]]:
        tally = self.tallies[section]
        try:
            for record, size in _records(plain):
                tally.records += 1
                tally.bytes += size
                yield self.header.sections[section], record
        except (struct.error, ValueError):
            raise _altered(where) from None

    def _check_end(self, plain: bytes | None, where: str) -> None:
        if self._file.read(1):
            raise BackupInvalid(f"something stands behind the last chunk ({where})", hint=_WHOLE)
        told = parse(plain or b"")
        sections = told.get("sections") if isinstance(told, Mapping) else None
        if not isinstance(sections, list) or len(sections) != len(self.tallies):
            raise _altered(where)
        for each, tally, stated in zip(self.header.sections, self.tallies, sections, strict=True):
            if each not in self.erased and stated != {"records": tally.records, "bytes": tally.bytes}:
                raise BackupInvalid(f"the section {each.part} of tenant {each.tenant} lacks records", hint=_WHOLE)


@contextmanager
def open_backup(path: Path, find_keys: FindKeys) -> Iterator[BackupReader]:
    """The backup in this file. ``find_keys`` gives the keys for what its header says, or raises that it has not got them.

    Raises:
        BackupInvalid: it is no backup of ours. OSError: it cannot be read.
    """
    with path.open("rb") as file:
        header = _header(file)
        keys = find_keys(header)
        erased = tuple(each for number, each in enumerate(header.sections) if keys.get(number) is None)
        tallies = [Tally() for _ in header.sections]
        yield BackupReader(header, erased, tallies, file, _Cipher(header, keys), file.tell())


def read_header(path: Path) -> Header:
    """What a backup says of itself. Raises BackupInvalid, OSError."""
    with path.open("rb") as file:
        return _header(file)


class _Cipher:
    """Nonce and associated data of each chunk of one file."""

    def __init__(self, header: Header, keys: Keys) -> None:
        self._bound = hashlib.sha256(header.to_bytes()).digest()
        self._of_section = {number: AESGCM(key) for number, key in keys.items() if key is not None}

    def encrypt(self, number: int, section: int, plain: bytes, *, last: bool) -> bytes:
        tail = _NONCE.pack(number, last, section, 0)
        return self._of_section[section].encrypt(tail, plain, self._bound + tail)

    def decrypt(self, number: int, section: int, sealed: bytes, *, last: bool) -> bytes | None:
        cipher = self._of_section.get(section)
        tail = _NONCE.pack(number, last, section, 0)
        return None if cipher is None else cipher.decrypt(tail, sealed, self._bound + tail)


def _records(plain: bytes) -> Iterator[tuple[Record, int]]:
    at = 0
    while at < len(plain):
        begin = at
        kind, first, expires_ms, name_length, count = _RECORD.unpack_from(plain, at)
        at += _RECORD.size
        name = plain[at : at + name_length].decode()
        at += name_length
        parts = []
        for _ in range(count):
            (length,) = _LENGTH.unpack_from(plain, at)
            at += _LENGTH.size
            parts.append(plain[at : at + length])
            at += length
        if at > len(plain):
            raise ValueError("a record ends behind its chunk")
        yield Record(Kind(kind), name, tuple(parts), bool(first), expires_ms), at - begin


def _header(file: BinaryIO) -> Header:
    if file.read(len(MAGIC)) != MAGIC:
        raise BackupInvalid("this is no backup of Sordino", hint=f"its files are called *{SUFFIX}")
    size = file.read(_LENGTH.size)
    length = _LENGTH.unpack(size)[0] if len(size) == _LENGTH.size else _LONGEST_HEADER + 1
    text = file.read(length) if length <= _LONGEST_HEADER else b""
    try:
        return _header_of(text)
    except (EvidenceInvalid, ValueError, KeyError, TypeError, AttributeError):
        raise BackupInvalid("the header of this backup was cut off or altered", hint=_WHOLE) from None


def _header_of(text: bytes) -> Header:
    facts = parse(text)
    if not isinstance(facts, Mapping) or facts["format"] != FORMAT:
        raise ValueError("another format")
    sections = facts["sections"]
    if not isinstance(sections, list):
        raise TypeError("sections")
    found = tuple(
        Section(TenantId(str(each["tenant"])), str(each["part"]), int(each["seq"]), str(each["head"])) for each in sections
    )
    id_, made, region, key_id, secret = (str(facts[name]) for name in ("id", "made", "region", "key_id", "secret"))
    header = Header(id_, made, region, key_id, bytes.fromhex(secret), found)
    if header.to_bytes()[len(MAGIC) + _LENGTH.size :] != text:
        raise ValueError("another header")
    return header


_WHOLE = "take another backup, or copy this one again from where it was whole"


def _where(number: int, at: int) -> str:
    return f"chunk {number}, at byte {at}"


def _altered(where: str) -> BackupInvalid:
    return BackupInvalid(f"{where}, was altered", hint=_WHOLE)
