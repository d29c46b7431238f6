"""A chain as lines of text, one entry a line in canonical form, and its verification as a stream of any length.

Almost every line is checked by the quick way here. Whatever is odd in the least (letters beyond ASCII, deep or large values, any
fault) goes the careful way of ``chain`` and ``canonical``, which alone decides what is wrong and says it. So the quick way can
only say yes, and only where the careful one would.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from operator import itemgetter
from typing import Any, TypedDict

from gateway.errors import BundleInvalid, EvidenceInvalid
from gateway.evidence.canonical import canonical, parse
from gateway.evidence.chain import MEMORY, VERSION, entry_from, genesis, record
from gateway.evidence.facts import is_body
from gateway.evidence.quick import Plain, reader
from gateway.values import CallId, TenantId

LONGEST_LINE = 1024 * 1024
"""Bytes of one entry. The largest that a gateway writes, a hop with many refusals, has some thousands."""
MAX_LOOKS_BACK = 10_000
"""Entries that build on another than their call's last one. Each store that did not answer in time makes one at most."""

BLOCK = 64
"""Lines that are checked at once. More are no quicker, and need more memory."""

_HASH = b'"hash":"'
_HASH_LENGTH = len("sha256:") + 64
_ANY_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_AT = re.compile(r"[1-9]\d\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z", re.ASCII)
"""Days that every month has, so that nearly all times need no calendar."""


def read_entry(line: bytes) -> Mapping[str, Any]:
    """The members of one entry, in canonical form without a line's end: known, well typed, and with the hash that it says.

    Raises:
        EvidenceInvalid: what is wrong with it.
    """
    found = read_quickly((line,))
    return _carefully(line) if found is None else found[0]


class _Members(TypedDict):
    """Of a stored entry, all of them (``FIELDS``)."""

    at: str
    body: dict[str, Plain]
    call: str
    call_previous: str
    hash: str
    kind: str
    previous: str
    seq: int
    tenant: str
    v: int


_read_members = reader(_Members)
_checked = itemgetter("v", "seq", "at", "kind", "body", "hash")


def read_quickly(lines: Sequence[bytes]) -> list[Mapping[str, Any]] | None:
    """The members of each line, or None unless all of them are plainly good. Some dozens of lines at once are the quickest."""
    entries = _read_members(lines) if lines else None
    if entries is None:
        return None
    versions, seqs, times, kinds, bodies, hashes = zip(*map(_checked, entries), strict=True)
    if set(versions) != {VERSION} or min(seqs) < 0 or not (all(map(_AT.fullmatch, times)) or all(map(_is_time, times))):
        return None
    return entries if all(map(is_body, kinds, bodies)) and list(map(_hash_of, lines)) == list(hashes) else None


def _hash_of(line: bytes) -> str:
    """The hash of an entry in canonical form: of all of it but the member that says it."""
    # No text can hold these bytes: a quotation mark in it is escaped. And the last such member is the entry's, not its body's.
    before, _, behind = line.rpartition(_HASH)
    return "sha256:" + sha256(before + behind[_HASH_LENGTH + 2 :]).hexdigest()


def _is_time(at: str) -> bool:
    if not _ANY_AT.fullmatch(at):
        return False
    try:
        datetime.fromisoformat(at[:-1])
    except ValueError:
        return False
    return True


def _carefully(line: bytes) -> Mapping[str, Any]:
    stored = parse(line)
    entry = entry_from(stored, durable=MEMORY)
    members = record(entry)
    if canonical(members) != line:
        raise EvidenceInvalid("is not written in canonical form")
    return members


Lines = Callable[[], Iterable[bytes]]
"""Gives the lines from the first one on, each time it is asked."""
See = Callable[[Mapping[str, Any]], None]
"""Is shown each entry that was found good, in the chain's order."""


@dataclass(slots=True)
class Walk:
    """A walk along one tenant's chain. It keeps the last link, and some 200 bytes for each call: never an entry.

    ``before`` is the hash of the entry before the first; ``part`` names the file for what is said of a fault.
    """

    tenant: TenantId
    before: str
    part: str = "chain.jsonl"
    count: int = 0
    first: int | None = None
    seq: int | None = None
    head: str = ""
    strays: int = 0
    """Entries that the store took and no later entry of their call builds on: the gateway was told too late, and did not act."""
    _whole: bool = False
    _tips: dict[int, str] = field(default_factory=dict)
    _looks_back: dict[str, tuple[int, str]] = field(default_factory=dict)

    def over(self, lines: Lines, see: See) -> None:
        """Check every line.

        Raises:
            BundleInvalid: names the first line that is altered, missing, out of place, of another tenant or not of its call's
                thread.
        """
        self.head, self._whole = self.before, self.before == genesis(self.tenant)
        for block in _blocks(lines()):
            entries = read_quickly(block)
            linked = entries is not None and self._goes_on(entries)
            for place, line in enumerate(block):
                self.count += 1
                entry = self._read(line) if entries is None else entries[place]
                if fault := ("" if linked else self._fault(entry)) or self._thread_fault(entry):
                    raise BundleInvalid(self.part, f"entry {entry['seq']} ({_short(entry['kind'])}) {fault}", line=self.count)
                self.seq, self.head = entry["seq"], entry["hash"]
                see(entry)
        if self._looks_back:
            self._look_back(lines())

    def _read(self, line: bytes) -> Mapping[str, Any]:
        try:
            return read_entry(line)
        except EvidenceInvalid as error:
            raise BundleInvalid(self.part, f"this entry {error.message}", line=self.count) from None

    def _goes_on(self, entries: Sequence[Mapping[str, Any]]) -> bool:
        """Whether all of them plainly follow what was read last, and each other."""
        if self.seq is None:
            return False
        linked = [self.head, *(entry["hash"] for entry in entries)]
        return (
            [entry["previous"] for entry in entries] == linked[:-1]
            and [entry["seq"] for entry in entries] == list(range(self.seq + 1, self.seq + 1 + len(entries)))
            and {entry["tenant"] for entry in entries} == {self.tenant}
        )

    def _fault(self, entry: Mapping[str, Any]) -> str:
        if entry["tenant"] != self.tenant:
            return "belongs to another tenant"
        if self.seq is None:
            self.first = entry["seq"]
            if self._whole is not (self.first == 1) or self.first == 0:
                return "is not the first of the chain, which this bundle says to begin with"
        elif entry["seq"] != self.seq + 1:
            return f"stands where entry {self.seq + 1} should stand"
        if entry["previous"] != self.head:
            return "does not follow the entry before it: one was removed, added or changed"
        return ""

    def _thread_fault(self, entry: Mapping[str, Any]) -> str:
        call, previous = hash(entry["call"]), entry["call_previous"]
        tip = self._tips.get(call)
        self._tips[call] = entry["hash"]
        if tip == previous or (tip is None and not self._whole) or previous == genesis(self.tenant, CallId(entry["call"])):
            return ""
        if tip is None or len(self._looks_back) >= MAX_LOOKS_BACK:
            return "does not follow any earlier entry of its call"
        self.strays += 1
        self._looks_back.setdefault(previous, (self.count, entry["call"]))
        return ""

    def _look_back(self, lines: Iterable[bytes]) -> None:
        """Whether what some entries build on is there, earlier and of the same call. Every line was found good before."""
        wanted = self._looks_back
        for number, line in enumerate(lines, start=1):
            hash_ = line[(start := line.rfind(_HASH) + len(_HASH)) : start + _HASH_LENGTH].decode("ascii")
            if hash_ in wanted and number < wanted[hash_][0] and json.loads(line)["call"] == wanted[hash_][1]:
                del wanted[hash_]
        for number, _ in sorted(wanted.values()):
            raise BundleInvalid(self.part, "this entry does not follow any earlier entry of its call", line=number)


def _blocks(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The lines, some at a time. Before a fault of the file is raised, whoever asks gets what stands before it."""
    block: list[bytes] = []
    try:
        for line in lines:
            block.append(line)
            if len(block) == BLOCK:
                yield block
                block = []
    except BundleInvalid:
        yield block
        raise
    yield block


def split(chunks: Iterable[bytes], part: str, longest: int) -> Iterator[bytes]:
    """Lines without their ends. Raises BundleInvalid for one that is too long, empty, or not ended."""
    rest, count = b"", 0
    for chunk in chunks:
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        good = len(lines)
        if not all(lines) or max(map(len, lines), default=0) > longest:
            good = next(place for place, line in enumerate(lines) if not 0 < len(line) <= longest)
        yield from lines[:good]
        count += good
        if good < len(lines):
            raise BundleInvalid(part, "this line is too long" if lines[good] else "this line is empty", line=count + 1)
        if len(rest) > longest:
            raise BundleInvalid(part, "this line is too long", line=count + 1)
    if rest:
        raise BundleInvalid(part, "this line is cut off", line=count + 1)


def _short(kind: str) -> str:
    return kind[:40] if kind.isprintable() else "?"
