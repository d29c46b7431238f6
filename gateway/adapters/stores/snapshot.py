"""Everything that a store has of its tenants, read piece by piece while it is used, and written into another store.

SCAN gives every key that is there from its beginning to its end at least once (Redis manual, SCAN guarantees). A key that comes
twice begins anew, so that the last one counts. What is kept nowhere else than in the store's memory of the moment (leases, rates,
drafts), keys, and what dies within hours anyway (the vault) is not read at all: see ``place_of``.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from gateway.adapters.stores import names
from gateway.adapters.stores.line import Part, Refused
from gateway.adapters.stores.redis import Store
from gateway.values import TenantId

NAMES, ENTRIES = 200, 64
"""Names that are read at once; entries of one of them."""
MOST_COMMANDS = 1_000
PIECE = 1024 * 1024
"""Bytes of one piece, as long as one value is not larger."""
_NAME = re.compile(r"sordino:\{([^{}]+)\}:(.+)", re.DOTALL)

LEFT_OUT = {
    "key": "keys are not in backups: they are in keys.sealed, which is replaced",
    "keys": "API keys: one that was revoked since must not be good again; make new ones after a restore",
    "access-keys": "the same, of people",
    "vault": "lives for hours, under keys that are not in backups either",
    "idle": "which conversations were last used: of the vault",
    "rate": "of the moment",
    "in-progress": "of the moment",
    "lease": "of the moment",
    "draft": "of the moment",
    "handover": "of the moment",
    "reveals": "who may read private text: what has ended must not be allowed again",
    "attempts": "of one day",
}
"""The first part of names that are not backed up, and why. The places of calls in the evidence are found anew."""
_KEY_PARTS = (1, 2, 3)
"""Of ``key`` (a tenant's), ``identity:key`` and ``<class>:<call>:key``."""
OUTLIVES = frozenset(
    {
        *("evidence", "anchors", "anchored", "chain-marks", "certificates", "deletions", "holds", "children", "withdrawn"),
        *("case", "cases", "access-log", "notices", "offboarding", "offboarded"),
        *("opted-out", "restricted", "list", "lists"),
    }
)
"""The first part of names of what stays when a tenant has gone: readable without the tenant's key. Of the gateway's own people
and keys (``_gateway``) nothing else is backed up."""


class Type(Enum):
    """The types of values that we use, as TYPE names them."""

    STRING = b"string"
    HASH = b"hash"
    LIST = b"list"
    SET = b"set"
    ZSET = b"zset"
    STREAM = b"stream"


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of what stands under a name. ``first``: it begins here anew. ``expires_ms``: Unix time; 0: never."""

    name: str
    type: Type
    parts: tuple[bytes, ...]
    first: bool
    expires_ms: int


def place_of(name: str) -> tuple[TenantId, bool] | None:
    """Whose a name is, and whether it outlives its tenant; None: it is not backed up."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    parts = match[2].split(":")
    if match[1].startswith("_") and parts[0] not in OUTLIVES:
        return None
    if parts[0] in LEFT_OUT or is_key(name) or (parts[0] == "evidence" and len(parts) > 1):
        return None
    return TenantId(match[1]), parts[0] in OUTLIVES


def is_key(name: str) -> TenantId | None:
    """Whose key stands under this name, for what is backed up; None: no key does, or one that lives for hours."""
    match = _NAME.fullmatch(name)
    parts = match[2].split(":") if match else []
    if match is None or parts[-1] != "key" or len(parts) not in _KEY_PARTS or parts[0] == "vault":
        return None
    return TenantId(match[1])


class Snapshot:
    """Reads and writes one store, over a connection of its own: ``async with Snapshot(store)``.

    Every method raises StoreUnavailable.
    """

    def __init__(self, store: Store) -> None:
        self._line = store.line()

    async def __aenter__(self) -> Snapshot:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._line.aclose()

    def names(self) -> AsyncIterator[list[str]]:
        """The names of everything that is backed up, of all tenants, in batches. One may come twice."""
        return self._scan("sordino:{*", lambda name: place_of(name) is not None)

    def key_names(self) -> AsyncIterator[list[str]]:
        """The names of the keys that open it."""
        return self._scan("sordino:{*:key", lambda name: is_key(name) is not None)

    async def _scan(self, pattern: str, wanted: Callable[[str], bool]) -> AsyncIterator[list[str]]:
        cursor = b""
        while cursor != b"0":
            cursor, found = await self._line.ask("SCAN", cursor or b"0", "MATCH", pattern, "COUNT", NAMES)
            batch = [name for name in (each.decode("utf-8", "replace") for each in found) if wanted(name)]
            if batch:
                yield batch

    async def anything_of(self, tenants: Iterable[TenantId]) -> TenantId | None:
        """The first of these tenants of which there is something in the store."""
        wanted = set(tenants)
        async for batch in self.names():
            for name in batch:
                if (place := place_of(name)) and place[0] in wanted:
                    return place[0]
        return None

    async def read(self, batch: Sequence[str]) -> AsyncIterator[Piece]:
        """What stands under these names now, each in its order. A name that is gone meanwhile gives nothing."""
        asked = [command for name in batch for command in (("TYPE", name), ("PTTL", name), ("TIME",))]
        told = _answered(await self._line.ask_all(*asked))
        known = []
        for number, name in enumerate(batch):
            kind, ttl_ms, (seconds, micros) = told[number * 3 : number * 3 + 3]
            if kind != b"none":
                now_ms = int(seconds) * 1000 + int(micros) // 1000
                known.append((name, Type(kind), now_ms + ttl_ms if ttl_ms >= 0 else 0))
        pages = _answered(await self._line.ask_all(*(_page(name, kind, b"") for name, kind, _ in known)))
        for (name, kind, expires_ms), page in zip(known, pages, strict=True):
            async for parts, first in self._all(name, kind, page):
                yield Piece(name, kind, parts, first, expires_ms)

    async def _all(self, name: str, kind: Type, page: Any) -> AsyncIterator[tuple[tuple[bytes, ...], bool]]:
        first, at = True, 0
        while True:
            parts, after = _read(kind, page, at)
            for some in _cut(kind, parts):
                yield some, first
                first = False
            if not after:
                return
            at += ENTRIES
            page = await self._line.ask(*_page(name, kind, after))
            # The beginning of a chain may be deleted while it is read: then it begins here, and what was read is no more.
            first = first or (kind is Type.STREAM and bool(page) and _number(page[0][0]) != _number(after) + 1)

    async def write(self, pieces: Sequence[Piece], *, now_ms: int) -> None:
        """Write them in their order, in place of what stands there. What was to be forgotten by ``now_ms`` is not written."""
        commands: list[tuple[Part, ...]] = []
        for piece in pieces:
            if piece.expires_ms and piece.expires_ms <= now_ms:
                continue
            if piece.first:
                commands.append(("DEL", piece.name))
            commands += _written(piece)
            if piece.expires_ms:
                commands.append(("PEXPIREAT", piece.name, piece.expires_ms))
        for start in range(0, len(commands), MOST_COMMANDS):
            _answered(await self._line.ask_all(*commands[start : start + MOST_COMMANDS]))

    async def remove(self, tenant: TenantId, *, but_what_outlives: bool) -> int:
        """Take everything of this tenant out, or all but what outlives it. How many names there were."""
        gone = 0
        async for batch in self.names():
            for name in batch:
                if (place := place_of(name)) and place[0] == tenant and not (but_what_outlives and place[1]):
                    gone += int(await self._line.ask("DEL", name))
        return gone

    async def head(self, tenant: TenantId) -> tuple[int, str]:
        """Place and hash of the last entry of the tenant's evidence; 0 and nothing before the first."""
        last = await self._line.ask("XREVRANGE", names.key(tenant, "evidence"), "+", "-", "COUNT", 1)
        if not last:
            return 0, ""
        place, fields = last[0]
        return int(place.split(b"-")[0]), fields[fields.index(b"hash") + 1].decode()


def _answered(answers: list[Any]) -> list[Any]:
    for answer in answers:
        if isinstance(answer, Refused):
            raise answer
    return answers


def _page(name: str, kind: Type, after: bytes) -> tuple[Part, ...]:
    """What asks for a page of what stands there, behind ``after`` (what ``_read`` gave; empty: the first one)."""
    if kind is Type.STRING:
        return ("GET", name)
    if kind is Type.LIST:
        begin = int(after or b"0")
        return ("LRANGE", name, begin, begin + ENTRIES - 1)
    if kind is Type.STREAM:
        return ("XRANGE", name, b"(" + after if after else b"-", "+", "COUNT", ENTRIES)
    return ({Type.HASH: "HSCAN", Type.SET: "SSCAN", Type.ZSET: "ZSCAN"}[kind], name, after or b"0", "COUNT", ENTRIES)


def _number(place: bytes) -> int:
    """The number of an entry of the evidence, which are the only streams: each is one more than the one before."""
    return int(place.partition(b"-")[0])


def _read(kind: Type, page: Any, at: int) -> tuple[list[bytes], bytes]:
    """The parts of a page, and what the next one stands behind; empty: there is none."""
    if kind is Type.STRING:
        return ([] if page is None else [page]), b""
    if kind is Type.LIST:
        return list(page), str(at + ENTRIES).encode() if len(page) == ENTRIES else b""
    if kind is Type.STREAM:
        parts = [part for place, fields in page for part in (place, packed(fields))]
        return parts, page[-1][0] if len(page) == ENTRIES else b""
    cursor, parts = page
    return list(parts), b"" if cursor == b"0" else cursor


def _cut(kind: Type, parts: list[bytes]) -> Iterator[tuple[bytes, ...]]:
    """The parts in pieces that are not too large. Fields stay with their values."""
    each = 2 if kind in (Type.HASH, Type.ZSET, Type.STREAM) else 1
    piece: list[bytes] = []
    size = 0
    for start in range(0, len(parts), each):
        some = parts[start : start + each]
        if piece and size + sum(map(len, some)) > PIECE:
            yield tuple(piece)
            piece, size = [], 0
        piece += some
        size += sum(map(len, some))
    if piece:
        yield tuple(piece)


def _written(piece: Piece) -> list[tuple[Part, ...]]:
    """The commands that add a piece."""
    name, parts = piece.name, piece.parts
    pairs = zip(parts[::2], parts[1::2], strict=False)
    match piece.type:
        case Type.STRING:
            return [("SET", name, parts[0])]
        case Type.LIST:
            return [("RPUSH", name, *parts)]
        case Type.SET:
            return [("SADD", name, *parts)]
        case Type.HASH:
            return [("HSET", name, *parts)]
        case Type.ZSET:
            return [("ZADD", name, *(part for member, score in pairs for part in (score, member)))]
        case Type.STREAM:
            return [("XADD", name, place, *_unpacked(fields)) for place, fields in pairs]


def packed(fields: Sequence[bytes]) -> bytes:
    """The fields and values of a stream's entry as one part."""
    return b"".join(len(each).to_bytes(4, "big") + each for each in fields)


def _unpacked(packed: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(packed):
        length = int.from_bytes(packed[at : at + 4], "big")
        yield packed[at + 4 : at + 4 + length]
        at += 4 + length
