"""How much of a chain's beginning may go (promise 14): pure, read line by line, time and what keeps an entry are arguments.

It goes up to a place behind which every call, and every other thread of entries, is whole: none is cut in two. Each entry that
goes is older than today's policy says, and than the policy of its own call promised, whichever is longer: nobody who counted on a
proof loses it because the policy was changed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson

from gateway.errors import EvidenceInvalid
from gateway.evidence.certificate import KIND as CERTIFIED
from gateway.evidence.chain import timestamp
from gateway.evidence.cut import HOLDING, KIND
from gateway.evidence.scope import HASH, Links
from gateway.values import TenantId

MOST = 50_000
"""Entries that go at once: the store is busy for a tenth of a second at most, and the next round goes on."""
_BEGINS = b'{"at":"'
_CALL, _CALL_ENDS, _KIND = b',"call":"', b'","call_previous":"', b',"kind":"'
_OF_HOLDING = f'"holding":"{HOLDING}"'.encode()
_TEXTS = re.compile(rb'"([^"\\]*)"')


@dataclass(frozen=True, slots=True)
class Kept:
    """What must stay although its time is over: by a hold, a case, an incident.

    Every entry that has one of ``names`` in it (a call, a case, the keyed hash of a person), and every entry of a time.
    """

    names: Collection[str] = ()
    times: Sequence[tuple[datetime | None, datetime | None]] = ()
    """[start, end) each; None: without an end on that side."""


@dataclass(frozen=True, slots=True)
class Expired:
    """The beginning that may go: entries ``first`` to ``last``."""

    first: int
    last: int
    began: datetime
    """Of its first entry."""


@dataclass(slots=True)
class Expiry:
    """Show it the chain from its first entry on: ``begin`` until that says no more, then all the rest to ``rest``.

    ``place`` and ``head``: the entry before the first one. Links are checked on the way: a chain that is not whole is not cut.
    """

    tenant: TenantId
    place: int
    head: str
    now: datetime
    keep: timedelta
    kept: Kept = field(default_factory=Kept)
    most: int = MOST
    _limit: bytes = b""
    _links: Links = field(init=False)
    _names: frozenset[bytes] = frozenset()
    _times: Sequence[tuple[bytes, bytes]] = ()
    _promised: dict[bytes, bytes] = field(default_factory=dict)
    _threads: dict[bytes, list[int]] = field(default_factory=dict)
    """Of each thread its first and last place so far."""
    _last: int = 0
    _began: bytes = b""
    _of_others: int = 0
    """The first place of an entry that is about something else than such deletions themselves."""

    def __post_init__(self) -> None:
        self._links = Links(self.tenant, self.head.encode(), self.place)
        self._limit, self._last = self._before(self.keep), self.place
        self._names = frozenset(name.encode() for name in self.kept.names)
        self._times = [(_at(start) if start else b"", _at(end) if end else b"~") for start, end in self.kept.times]

    def begin(self, line: bytes) -> bool:
        """Take the next entry of the beginning. False: it stays, and all behind it; show it to ``rest``.

        Raises:
            EvidenceInvalid: the chain is not whole here.
        """
        if self.full:
            return False
        start = line.rfind(HASH)
        at, call, kind = line[7:34], _between(line, _CALL, _CALL_ENDS), _between(line, _KIND, b'"', start)
        if not line.startswith(_BEGINS) or not self._is_over(line, at, call, kind):
            return False
        self._links.follow(line, start)
        if self._links.fault:
            raise EvidenceInvalid(
                f"entry {self._links.fault_at} of tenant {self.tenant} {self._links.fault}",
                hint="nothing is deleted of a chain that is not whole: sordino evidence verify",
            )
        self._last += 1
        self._began = self._began or at
        self._threads.setdefault(call, [self._last, 0])[1] = self._last
        if not self._of_others and not (kind == KIND.encode() or (kind == CERTIFIED.encode() and _OF_HOLDING in line)):
            self._of_others = self._last
        return True

    def rest(self, place: int, line: bytes) -> None:
        """Take an entry that stays: what else there is of its thread stays too."""
        thread = self._threads.get(_between(line, _CALL, _CALL_ENDS))
        if thread is not None:
            thread[1] = place

    @property
    def full(self) -> bool:
        """Whether there may be more: it has as many as go at once."""
        return self._last - self.place >= self.most

    @property
    def nothing(self) -> bool:
        """Whether nothing was taken of the beginning but what is left of earlier such deletions."""
        return not self._of_others

    def found(self) -> Expired | None:
        """What may go; None: nothing, or nothing but what is left of earlier such deletions."""
        last = self._last
        for first, end in sorted(self._threads.values(), reverse=True):
            if first <= last < end:
                last = first - 1
        if not self._of_others or self._of_others > last:
            return None
        return Expired(self.place + 1, last, datetime.fromisoformat(self._began.decode("ascii")))

    def _is_over(self, line: bytes, at: bytes, call: bytes, kind: bytes) -> bool:
        if kind == b"call.started":
            promised = _promised(line)
            if promised > self.keep:
                self._promised[call] = self._before(promised)
        if at > min(self._limit, self._promised.get(call, self._limit)):
            return False
        if any(start <= at < end for start, end in self._times):
            return False
        return not self._names or self._names.isdisjoint(_TEXTS.findall(line))

    def _before(self, keep: timedelta) -> bytes:
        try:
            return _at(self.now - keep)
        except OverflowError:  # for ever
            return b""


def _at(at: datetime) -> bytes:
    return timestamp(at).encode("ascii")


def _between(line: bytes, before: bytes, behind: bytes, start: int = 0) -> bytes:
    """What stands between the last ``behind`` and the ``before`` in front of it; from ``start`` on, where that is given."""
    if start > 0:
        begin = line.find(before, start) + len(before)
        return line[begin : line.find(behind, begin)]
    end = line.rfind(behind)
    return line[line.rfind(before, 0, end) + len(before) : end]


def _promised(line: bytes) -> timedelta:
    """How long the evidence of this call was to be kept by the policy of its day."""
    try:
        body: Mapping[str, Any] = orjson.loads(line)["body"]
        seconds = body.get("retention", {}).get("evidence", 0)
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError):
        return timedelta.max
    return timedelta(seconds=seconds) if type(seconds) is int and 0 <= seconds < 10**11 else timedelta.max
