"""Whom an incident touches: read from the evidence of one tenant, line by line, its links checked on the way.

Almost every line is read by its shape (the canonical form has one place for everything); what has another shape is read as
JSON. So a million hops take seconds, and nothing is told from a summary that nobody could check.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson

from gateway.errors import EvidenceInvalid
from gateway.evidence.chain import digest, timestamp
from gateway.evidence.entries import Json
from gateway.evidence.lines import read_entry
from gateway.values import TenantId

SKEW = timedelta(minutes=5)
"""How far the clocks of gateways on one store may be apart: so much more of the chain is read on both sides of a window."""
UNREADABLE = "cannot be read"

_Kind = tuple[bytes, ...]
"""What is counted of a hop: about, categories, masked, processor, purpose, region."""
Concerns = Callable[[str, str], bool]
"""Whether what went to this processor in this region is part of the incident."""

HASH = b'"hash":"'
"""What stands before an entry's hash in its line."""
_BEHIND = len(HASH) + len("sha256:") + 64 + 2
_SAYS = len(HASH)
_BODY_AT = len('{"at":"2026-01-01T00:00:00.000000Z",')
_CALL_PREVIOUS = len('"call_previous":"') + len("sha256:") + 64 + 2
_TEXT = r'"([^"\\]*)"'
_ANY = r'"[^"]*"'
# A quote inside a text stands behind a backslash, so no text can hold the ``,"`` that must follow: such a line does not match.
_HOP = re.compile(
    (
        r'"body":\{"grant":\{(?:"about":\[([^\]\\]*)\],)?"categories":\[([^\]\\]*)\],'
        rf'"dialect":{_ANY},"hop":{_ANY},"host":{_ANY},"id":{_ANY},"masked":(true|false),"mechanism":{_ANY},"model":{_ANY},'
        rf'"policy_digest":{_ANY},"processor":{_TEXT},"processor_name":{_ANY},"purpose":{_TEXT},"region":{_TEXT}'
    ).encode()
)
_KIND_OF_CALL = tuple(f'"kind":"{kind}'.encode() for kind in ("call.", "masked", "listening.", "announcement.", "recording."))
_IS_HOP, _IS_START, _IS_RECORDING = b'"kind":"hop"', b'"kind":"call.started"', b'"kind":"recording.started"'


@dataclass(frozen=True, slots=True)
class Window:
    """From ``start`` on, up to before ``end``; both aware."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Scope:
    """What one tenant's evidence says of a window. Numbers of people are of distinct keyed hashes."""

    tenant: TenantId
    window: Window
    calls: frozenset[str]
    people: frozenset[str]
    calls_of_nobody: int
    """Calls whose caller's number was not known: withheld, or a program's conversation."""
    hops: int
    masked_hops: int
    categories: Mapping[str, int]
    """Category to hops that carried it."""
    about: Mapping[str, int]
    """Category to hops that spoke of it, masked or not."""
    processors: Mapping[str, int]
    regions: Mapping[str, int]
    purposes: Mapping[str, int]
    recordings: int
    """Touched calls of which a recording began, with a processor that is part of the incident."""
    read: int
    """Entries that were read, those around the window included."""
    first: int
    last: int
    """Places of the first and the last entry that were read; 0: none."""
    fault: str
    """The first fault of the chain in what was read; empty: it is whole."""
    fault_at: int = 0
    deleted: int = 0
    """Entries up to this place were deleted after their time, and may have been of the window; 0: none were."""

    @property
    def facts(self) -> dict[str, Json]:
        """For the evidence and for papers: counts, and a digest of the list of calls."""
        listed = "\n".join(sorted(self.calls)).encode()
        gone: dict[str, Json] = {"deleted_up_to": self.deleted} if self.deleted else {}
        return {
            **gone,
            "from": timestamp(self.window.start),
            "to": timestamp(self.window.end),
            "calls": len(self.calls),
            "calls_sha256": digest(listed),
            "people": len(self.people),
            "calls_of_nobody": self.calls_of_nobody,
            "hops": self.hops,
            "masked_hops": self.masked_hops,
            "categories": dict(self.categories),
            "about": dict(self.about),
            "processors": dict(self.processors),
            "regions": dict(self.regions),
            "purposes": dict(self.purposes),
            "recordings": self.recordings,
            "entries_read": self.read,
            "first_entry": self.first,
            "last_entry": self.last,
            "chain": "whole" if not self.fault else "broken",
            "chain_fault": self.fault,
            "chain_fault_at": self.fault_at,
        }


@dataclass(slots=True)
class Links:
    """Checks that each line has the hash that it says and follows the one before it.

    ``head`` empty: the first line says what is before. A fault is kept, the first one, and the walk goes on behind it.
    """

    tenant: TenantId
    head: bytes = b""
    seq: int = 0
    fault: str = ""
    fault_at: int = 0
    count: int = 0
    first: int = 0
    _end: bytes = b""

    def __post_init__(self) -> None:
        self._end = f',"tenant":{json.dumps(self.tenant)},"v":1}}'.encode()

    def follow(self, line: bytes, start: int) -> None:
        """``start``: where ``"hash":"`` begins in ``line``; -1: nowhere."""
        self.count += 1
        seq = self.seq + 1
        says = b"sha256:" + sha256(line[:start] + line[start + _BEHIND :]).hexdigest().encode()
        if line.startswith(says, start + _SAYS) and line.endswith(b'"previous":"%b","seq":%d%b' % (self.head, seq, self._end)):
            self.head, self.seq = says, seq
        else:
            self._carefully(line)

    def _carefully(self, line: bytes) -> None:
        """The first line, or one with a fault."""
        try:
            entry = read_entry(line)
        except EvidenceInvalid as error:
            self._blame(error.message)
            self.seq, self.head = self.seq + 1, _stated_hash(line)
            return
        begins = not self.first and not self.head
        if entry["tenant"] != self.tenant:
            self._blame("belongs to another tenant")
        elif not begins and entry["seq"] != self.seq + 1:
            self._blame(f"stands where entry {self.seq + 1} should stand")
        elif not begins and entry["previous"].encode() != self.head:
            self._blame("does not follow the entry before it: one was removed, added or changed")
        self.seq, self.head = entry["seq"], entry["hash"].encode()
        self.first = self.first or self.seq

    def _blame(self, what: str) -> None:
        if not self.fault:
            self.fault, self.fault_at = what, self.seq + 1
        self.first = self.first or self.seq + 1


def _stated_hash(line: bytes) -> bytes:
    start = line.rfind(HASH) + len(HASH)
    return line[start : start + len("sha256:") + 64]


@dataclass(slots=True)
class Scan:
    """Reads the lines of one tenant's chain in their order, a page at a time, from ``SKEW`` before the window until behind it.

    ``concerns`` None: everything that any call sent, kept or heard in the window is part of the incident.
    """

    tenant: TenantId
    window: Window
    concerns: Concerns | None = None
    links: Links = field(init=False)
    _start: bytes = b""
    _end: bytes = b""
    _late: bytes = b""
    _hops: dict[_Kind, int] = field(default_factory=dict)
    _known: dict[_Kind, bool] = field(default_factory=dict)
    _calls: set[bytes] = field(default_factory=set)
    _people: dict[bytes, str] = field(default_factory=dict)
    _recordings: dict[bytes, str] = field(default_factory=dict)
    deleted: int = 0
    """Up to where entries were deleted after their time, if they may have been of the window."""
    over: bool = False
    """Whether nothing further can be in the window."""

    def __post_init__(self) -> None:
        self.links = Links(self.tenant)
        self._start, self._end = timestamp(self.window.start).encode(), timestamp(self.window.end).encode()
        self._late = timestamp(self.window.end + SKEW).encode()

    def page(self, lines: Iterable[bytes]) -> None:
        """Take the next lines, as they stand in the chain."""
        follow, hop, begin, end = self.links.follow, self._hop, self._start, self._end
        for line in lines:
            start = line.rfind(HASH)
            follow(line, start)
            at, tail = line[7:34], start + _BEHIND
            if line.startswith(_IS_START, tail):
                self._began(line)
            if not begin <= at < end:
                # A time is believed while the chain is whole: one that was changed could hide what stands behind it.
                self.over = self.over or (at > self._late and not self.links.fault)
                continue
            if line.startswith(_IS_HOP, tail):
                hop(line, start)
            elif line.startswith(_IS_RECORDING, tail):
                self._recordings[_call(line, start)] = str(_json(line).get("body", {}).get("processor", ""))
            if self.concerns is None and line.startswith(_KIND_OF_CALL, tail):
                self._calls.add(_call(line, start))

    def unknown(self) -> list[str]:
        """The calls that are touched and began before what was read: show the line of their beginning to ``began``."""
        return sorted(_text(call) for call in self._calls if call not in self._people)

    def began(self, line: bytes) -> None:
        """The ``call.started`` of a call that began earlier. What is none is passed over."""
        start = line.rfind(HASH)
        if line.startswith(_IS_START, start + _BEHIND):
            self._began(line)

    def scope(self) -> Scope:
        """What was found."""
        found = {name: Counter[str]() for name in ("about", "categories", "processors", "purposes", "regions")}
        masked = 0
        for (about, categories, is_masked, processor, purpose, region), count in self._hops.items():
            masked += count if is_masked == b"true" else 0
            for name, values in (("about", _names(about)), ("categories", _names(categories))):
                for value in values:
                    found[name][value] += count
            for name, text in (("processors", processor), ("purposes", purpose), ("regions", region)):
                found[name][_text(text)] += count
        people = {self._people.get(call, "") for call in self._calls}
        return Scope(
            tenant=self.tenant,
            window=self.window,
            calls=frozenset(_text(call) for call in self._calls),
            people=frozenset(people - {""}),
            calls_of_nobody=sum(1 for call in self._calls if not self._people.get(call)),
            hops=sum(self._hops.values()),
            masked_hops=masked,
            recordings=sum(1 for call, to in self._recordings.items() if call in self._calls and to in found["processors"]),
            read=self.links.count,
            first=self.links.first,
            last=self.links.seq if self.links.count else 0,
            fault=self.links.fault,
            fault_at=self.links.fault_at,
            deleted=self.deleted,
            **{name: dict(sorted(counts.items())) for name, counts in found.items()},
        )

    def _hop(self, line: bytes, start: int) -> None:
        match = _HOP.match(line, _BODY_AT)
        kind: _Kind = match.groups(b"") if match is not None else _carefully(line)
        part = self._known.get(kind)
        if part is None:
            part = self._known[kind] = self.concerns is None or self.concerns(_text(kind[3]), _text(kind[5]))
        if part:
            self._hops[kind] = self._hops.get(kind, 0) + 1
            end = start - _CALL_PREVIOUS - 2
            self._calls.add(line[line.rfind(b'"', 0, end) + 1 : end])

    def _began(self, line: bytes) -> None:
        subject = _json(line).get("body", {}).get("subject")
        self._people[_call(line, line.rfind(HASH))] = subject if isinstance(subject, str) else ""


def _call(line: bytes, start: int) -> bytes:
    end = start - _CALL_PREVIOUS - 2
    return line[line.rfind(b'"', 0, end) + 1 : end]


def _text(stored: bytes) -> str:
    return stored.decode("utf-8", "replace")


def _names(listed: bytes) -> Sequence[str]:
    try:
        return [str(each) for each in orjson.loads(b"[" + listed + b"]")]
    except orjson.JSONDecodeError:
        return (UNREADABLE,)


def _json(line: bytes) -> Mapping[str, Any]:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) and isinstance(found.get("body"), dict) else {}


def _carefully(line: bytes) -> _Kind:
    """The same of a grant that has another shape, as JSON. What cannot be read at all is counted under ``UNREADABLE``."""
    grant = _json(line).get("body", {}).get("grant")
    if not isinstance(grant, dict):
        grant = {}
    lists = [json.dumps([str(each) for each in grant.get(name) or ()])[1:-1].encode() for name in ("about", "categories")]
    texts = [str(grant.get(name, UNREADABLE)).encode() for name in ("processor", "purpose", "region")]
    return lists[0], lists[1], b"true" if grant.get("masked") is True else b"false", texts[0], texts[1], texts[2]
