"""The file of a recording: two voices in chunks of at most a second, each encrypted before it is written (promise 25).

A file is ``SORDREC1``, the length of the header (4 bytes, big-endian), the header (canonical JSON), and chunks. A chunk is one
byte (1: the last one, else 0), the length of what follows (4 bytes) and AES-256-GCM's ciphertext with its tag. The construction
is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár: "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", 2015):
the nonce is seven random bytes of the file, the chunk's number (4 bytes, from 0) and whether it is the last one, so that what is
cut off, reordered, repeated or taken from another file does not open. The associated data names tenant, call, class, header,
number and the last flag. Every file has a key of its own, which the header names and does not hold: it is in the store, so that
to destroy it there makes every copy of the file unreadable. Older files carry theirs in the header, locked by the master key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.errors import NotFound, RecordingAltered
from gateway.locks import CALL, OlderKeys, key_id
from gateway.values import CallId, Gap, Private, TenantId

MAGIC = b"SORDREC1"
CLASS = "audio"
"""The class of data that a recording's key is locked for."""
CIPHER = "AES-256-GCM STREAM"
PREFIX_BYTES = 7
LONGEST_HEADER = 64 * 1024
LONGEST_CHUNK = 1024 * 1024
_LENGTH = struct.Struct(">I")
_FRAME = struct.Struct(">BI")
_PLACE = struct.Struct(">cQ")
_NUMBER = struct.Struct(">IB")
_AUDIO, _GAP, _END = b"A", b"G", b"E"


@dataclass(frozen=True, slots=True)
class Header:
    """What a recording says of itself in clear. ``consent``: the evidence of the agreement that it rests on (promise 11)."""

    tenant: TenantId
    call: CallId
    started: str
    consent: str
    rate: int
    redacted: str
    key_id: str
    prefix: bytes
    key: bytes = b""
    """Of an older file: its key, locked (``gateway.locks.OlderKeys``)."""

    def to_bytes(self) -> bytes:
        facts = {
            "call": self.call,
            "channels": ["caller", "agent"],
            "cipher": CIPHER,
            "class": CLASS,
            "consent": self.consent,
            **({"key": base64.b64encode(self.key).decode()} if self.key else {}),
            "key_id": self.key_id,
            "prefix": self.prefix.hex(),
            "rate": self.rate,
            "redacted": self.redacted,
            "samples": "s16le",
            "started": self.started,
            "tenant": self.tenant,
        }
        text = json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()
        return MAGIC + _LENGTH.pack(len(text)) + text


@dataclass(frozen=True, slots=True)
class Sound:
    """Both voices from sample ``at`` on: 16-bit little-endian, caller and agent in turn."""

    at: int
    samples: Private[bytes]


@dataclass(frozen=True, slots=True)
class End:
    """The last chunk: how many samples the recording lasts."""

    samples: int


Piece = Sound | Gap | End


def new_header(key: Private[bytes], tenant: TenantId, call: CallId, **facts: Any) -> Header:
    """The header of a file under that key. ``facts``: ``started``, ``consent``, ``rate``, ``redacted``."""
    return Header(tenant, call, key_id=key_id(CALL, key), prefix=os.urandom(PREFIX_BYTES), **facts)


@dataclass(frozen=True, slots=True)
class FileKey:
    """What opens one file: its key, as the store has it, and who opens those that older files carry."""

    key: Private[bytes] | None
    older: OlderKeys

    def of(self, header: Header) -> Private[bytes]:
        """Raises NotFound: it was destroyed; RecordingAltered: another one is named; StoreUnavailable: an older file's does not
        open.
        """
        if self.key is not None and key_id(CALL, self.key) == header.key_id:
            return self.key
        if header.key:
            return Private(self.older.unwrap(header.key, tenant=header.tenant, call=header.call, kind=CLASS))
        if self.key is not None:
            raise _altered("its header")
        raise NotFound("the key of this recording was destroyed: nothing opens it any more")


class _Cipher:
    """Nonce and associated data of each chunk of one file."""

    def __init__(self, header: Header, key: Private[bytes]) -> None:
        self._aead = AESGCM(key.reveal())
        self._prefix = header.prefix
        facts = [header.tenant, header.call, CLASS, hashlib.sha256(header.to_bytes()).hexdigest()]
        self._bound = json.dumps(facts, separators=(",", ":")).encode()

    def encrypt(self, number: int, payload: bytes, *, last: bool) -> bytes:
        tail = _NUMBER.pack(number, last)
        return self._aead.encrypt(self._prefix + tail, payload, self._bound + tail)

    def decrypt(self, number: int, locked: bytes, *, last: bool) -> bytes:
        tail = _NUMBER.pack(number, last)
        return self._aead.decrypt(self._prefix + tail, locked, self._bound + tail)


class Sealer:
    """Turns pieces into the chunks of one file, in order. After ``End`` there is no other."""

    def __init__(self, header: Header, key: Private[bytes]) -> None:
        self._cipher = _Cipher(header, key)
        self.chunks = 0

    def seal(self, piece: Piece) -> bytes:
        """The next chunk of the file."""
        last = isinstance(piece, End)
        locked = self._cipher.encrypt(self.chunks, _written(piece), last=last)
        self.chunks += 1
        return _FRAME.pack(last, len(locked)) + locked


@dataclass(slots=True)
class Opened:
    """A recording that is being read. ``cut`` is known when ``pieces`` has ended: the file has no last chunk.

    A file without its last chunk is whole up to there: its gateway was killed, or somebody cut it off. Which of the two it was
    is for the evidence to say (``recording.stopped`` tells how many chunks there are).
    """

    header: Header
    _source: BinaryIO
    _cipher: _Cipher
    chunks: int = 0
    cut: bool = True

    def pieces(self) -> Iterator[Piece]:
        """Every piece in order.

        Raises:
            RecordingAltered: names the first chunk that is not what was written.
        """
        while (chunk := self._next()) is not None:
            last, locked = chunk
            try:
                piece = _read(self._cipher.decrypt(self.chunks, locked, last=last))
            except (InvalidTag, ValueError, KeyError, struct.error):
                raise _altered(f"chunk {self.chunks}") from None
            self.chunks += 1
            yield piece
            if last:
                self.cut = False
                if self._source.read(1):
                    raise _altered(f"what follows the last chunk ({self.chunks - 1})")
                return

    def _next(self) -> tuple[bool, bytes] | None:
        frame = self._source.read(_FRAME.size)
        if len(frame) < _FRAME.size:
            return None
        last, length = _FRAME.unpack(frame)
        if last > 1 or length > LONGEST_CHUNK:
            raise _altered(f"chunk {self.chunks}")
        locked = self._source.read(length)
        return (bool(last), locked) if len(locked) == length else None


def open_recording(source: BinaryIO, keys: FileKey) -> Opened:
    """Read the header and take the key.

    Raises:
        RecordingAltered: this is no recording, or its header was altered.
        NotFound: its key was destroyed.
        StoreUnavailable: an older file's key does not open.
    """
    header = read_header(source)
    return Opened(header, source, _Cipher(header, keys.of(header)))


def read_header(source: BinaryIO) -> Header:
    """Raises RecordingAltered: this is no recording."""
    try:
        if source.read(len(MAGIC)) != MAGIC:
            raise _altered("its first bytes")
        (length,) = _LENGTH.unpack(source.read(_LENGTH.size))
        if length > LONGEST_HEADER:
            raise _altered("its header")
        text = source.read(length)
        facts: Mapping[str, Any] = json.loads(text)
        header = Header(
            tenant=TenantId(str(facts["tenant"])),
            call=CallId(str(facts["call"])),
            started=str(facts["started"]),
            consent=str(facts["consent"]),
            rate=int(facts["rate"]),
            redacted=str(facts["redacted"]),
            key_id=str(facts["key_id"]),
            prefix=bytes.fromhex(facts["prefix"]),
            key=base64.b64decode(facts.get("key", ""), validate=True),
        )
    except (ValueError, KeyError, TypeError, struct.error, binascii.Error):
        raise _altered("its header") from None
    # Word for word: what the chunks are bound to is the header as we write it.
    if header.to_bytes() != MAGIC + _LENGTH.pack(length) + text:
        raise _altered("its header")
    if len(header.prefix) != PREFIX_BYTES or not 8_000 <= header.rate <= 48_000:
        raise _altered("its header")
    return header


def _written(piece: Piece) -> bytes:
    match piece:
        case Sound(at, samples):
            return _PLACE.pack(_AUDIO, at) + samples.reveal()
        case Gap():
            return _GAP + json.dumps({"start_ms": piece.start_ms, "end_ms": piece.end_ms, "reason": piece.reason}).encode()
        case End(samples):
            return _END + json.dumps({"samples": samples}).encode()


def _read(payload: bytes) -> Piece:
    kind = payload[:1]
    if kind == _AUDIO:
        _, at = _PLACE.unpack_from(payload)
        return Sound(at, Private(payload[_PLACE.size :]))
    facts = json.loads(payload[1:])
    if kind == _GAP:
        return Gap(int(facts["start_ms"]), int(facts["end_ms"]), str(facts["reason"]))
    if kind == _END:
        return End(int(facts["samples"]))
    raise ValueError(kind)


def _altered(what: str) -> RecordingAltered:
    return RecordingAltered(
        f"the recording was altered: {what} is not what was written", hint="restore the file from a copy that opens"
    )
