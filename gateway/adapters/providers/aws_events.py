"""Messages of AWS's event streams, as bytes. Source: https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

_TEXT = 7
"""The type of a header's value that we send and read."""
_SIZES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
_LARGEST = 1 << 20


class EventBroken(ValueError):
    """A message that is not one. Holds nothing of it."""


def event(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message: lengths, their checksum, headers, payload, checksum of all."""
    named = b"".join(
        struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", _TEXT, len(value)) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack(">II", 16 + len(named) + len(payload), len(named))
    whole = prelude + struct.pack(">I", zlib.crc32(prelude)) + named + payload
    return whole + struct.pack(">I", zlib.crc32(whole))


def read_event(message: bytes) -> tuple[dict[str, str], bytes]:
    """Headers (those that are text) and payload. Raises EventBroken."""
    if not 16 <= len(message) <= _LARGEST:
        raise EventBroken("its length is impossible")
    total, named, prelude_sum = struct.unpack_from(">III", message)
    (whole_sum,) = struct.unpack_from(">I", message, len(message) - 4)
    if total != len(message) or named > total - 16:
        raise EventBroken("its lengths contradict each other")
    if prelude_sum != zlib.crc32(message[:8]) or whole_sum != zlib.crc32(message[:-4]):
        raise EventBroken("a checksum is wrong")
    return _headers(message[12 : 12 + named]), message[12 + named : -4]


def _headers(data: bytes) -> dict[str, str]:
    found, at = {}, 0
    try:
        while at < len(data):
            start = at + 1
            name = data[start : start + data[at]].decode()
            at = start + data[at]
            kind, at = data[at], at + 1
            if kind in _SIZES:
                at += _SIZES[kind]
                continue
            (length,) = struct.unpack_from(">H", data, at)
            if kind == _TEXT:
                found[name] = data[at + 2 : at + 2 + length].decode()
            at += 2 + length
    except (IndexError, struct.error, UnicodeDecodeError):
        raise EventBroken("its headers cannot be read") from None
    if at != len(data):
        raise EventBroken("its headers end too late")
    return found
