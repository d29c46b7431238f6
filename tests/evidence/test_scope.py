"""Whom an incident touches: the same as a naive reading of every entry; and every fault of the chain on the way."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.evidence.chain import genesis, seal_written
from gateway.evidence.entries import Draft, Json
from gateway.evidence.facts import hop_body
from gateway.evidence.scope import SKEW, Links, Scan, Window
from gateway.values import CallId, Hop, TenantId
from tests.evidence.samples import ACME, grant

NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
Row = tuple[int, str, str, Mapping[str, Json]]
"""Seconds after noon, call, kind, body."""


def chain(rows: Sequence[Row], tenant: TenantId = ACME) -> list[bytes]:
    """As the ledger stores them."""
    head, tips, lines = genesis(tenant), dict[str, str](), list[bytes]()
    for seq, (seconds, call, kind, body) in enumerate(rows, start=1):
        before = tips.get(call, genesis(tenant, CallId(call)))
        draft = Draft(tenant, CallId(call), kind, NOON + timedelta(seconds=seconds), body, before)
        entry, line = seal_written(draft, seq, head)
        head = tips[call] = entry.hash
        lines.append(line)
    return lines


def hop(
    processor: str, region: str, *, about: Sequence[str] = (), categories: Sequence[str] = ("voice",), **more: Json
) -> dict[str, Json]:
    body = hop_body(grant(Hop.LLM, processor, region))
    changed: dict[str, Any] = {**body["grant"], "categories": sorted(categories), "masked": "voice" not in categories, **more}  # type: ignore[dict-item]
    if about:
        changed["about"] = sorted(about)
    return {"grant": changed, "refused": []}


def naive(lines: Sequence[bytes], window: Window, processor: str, region: str) -> dict[str, Any]:
    """Entry by entry, as somebody would who has time."""
    entries = [json.loads(line) for line in lines]
    everything = not processor and not region
    inside = [each for each in entries if window.start <= datetime.fromisoformat(each["at"]) < window.end]
    hops = [
        each
        for each in inside
        if each["kind"] == "hop"
        and processor in ("", each["body"]["grant"]["processor"])
        and region in ("", each["body"]["grant"]["region"])
    ]
    calls = {each["call"] for each in hops}
    if everything:
        kinds = ("call.", "masked", "listening.", "announcement.", "recording.")
        calls |= {each["call"] for each in inside if each["kind"].startswith(kinds)}
    subjects = {each["call"]: each["body"].get("subject", "") for each in entries if each["kind"] == "call.started"}
    return {
        "calls": calls,
        "people": {subjects[call] for call in calls if subjects.get(call)},
        "nobody": sum(1 for call in calls if not subjects.get(call)),
        "hops": len(hops),
        "masked": sum(each["body"]["grant"]["masked"] for each in hops),
        "categories": Counter(name for each in hops for name in each["body"]["grant"]["categories"]),
        "about": Counter(name for each in hops for name in each["body"]["grant"].get("about", ())),
    }


def scanned(lines: Sequence[bytes], window: Window, processor: str = "", region: str = "", tenant: TenantId = ACME) -> Scan:
    concerns = (lambda to, place: processor in ("", to) and region in ("", place)) if processor or region else None
    scan = Scan(tenant, window, concerns)
    for start in range(0, len(lines), 7):
        if scan.over:
            break
        scan.page(lines[start : start + 7])
    return scan


PROCESSORS, PLACES = ("mistral", "home", 'ünïcode \\ "quoted"'), ("eu", "us", "local")
hops = st.builds(
    lambda processor, region, about, categories, odd: hop(processor, region, about=about, categories=categories, **odd),
    st.sampled_from(PROCESSORS),
    st.sampled_from(PLACES),
    st.lists(st.sampled_from(["health", "payment"]), unique=True, max_size=2),
    st.lists(st.sampled_from(["voice", "masked_transcript", "contact"]), unique=True, min_size=1),
    st.sampled_from([{}, {"model": 'a "model" \\ [x]'}, {"extra": {"processor": "x", "region": "us"}}, {"zone": [1, 2]}]),
)
started = st.sampled_from(["", "p1", "p2", "p3"]).map(lambda who: ("call.started", {"subject": who} if who else {}))
others = st.sampled_from(
    [
        ("masked", {"counts": {"PERSON": 1}}),
        ("listening.started", {"note": '"kind":"hop"'}),
        ("opt_out", {"how": "word"}),
        ("subprocessor.announced", {"processor": "mistral"}),
    ]
)
rows = st.lists(
    st.tuples(
        st.integers(0, 3_000),
        st.sampled_from([f"call_{n}" for n in range(6)]),
        st.one_of(hops.map(lambda body: ("hop", body)), started, others),
    ).map(lambda row: (row[0], row[1], *row[2])),
    max_size=40,
)


@given(rows, st.integers(0, 3_000), st.integers(1, 3_000), st.sampled_from(("", *PROCESSORS)), st.sampled_from(("", *PLACES)))
def test_it_finds_what_a_naive_reading_finds(found: list[Row], start: int, length: int, processor: str, region: str) -> None:
    """Whatever the order within the clocks' tolerance, odd names, further members of a grant, quotes in texts."""
    found = sorted(found, key=lambda row: row[0] + row[0] * 7 % int(SKEW.total_seconds() - 10))
    lines = chain(found)
    window = Window(NOON + timedelta(seconds=start), NOON + timedelta(seconds=start + length))
    scan = Scan(ACME, window, (lambda to, at: processor in ("", to) and region in ("", at)) if processor or region else None)
    scan.page(lines)
    scope, wanted = scan.scope(), naive(lines, window, processor, region)
    assert scope.calls == wanted["calls"]
    assert scope.people == wanted["people"]
    assert (scope.calls_of_nobody, scope.hops, scope.masked_hops) == (wanted["nobody"], wanted["hops"], wanted["masked"])
    assert dict(scope.categories) == dict(wanted["categories"])
    assert dict(scope.about) == dict(wanted["about"])
    assert scope.fault == ""
    assert scanned(lines, window, processor, region).scope().calls == scope.calls, "it stops early without losing any"


def long_chain() -> list[bytes]:
    body = hop("mistral", "eu", categories=("masked_transcript",))
    return chain(
        [(n, f"call_{n // 5}", "hop" if n % 5 else "call.started", body if n % 5 else {"subject": f"p{n}"}) for n in range(30)]
    )


ALL = Window(NOON, NOON + timedelta(days=1))
TAMPERED = [
    (
        "altered",
        lambda lines: [*lines[:9], lines[9].replace(b'"eu"', b'"us"'), *lines[10:]],
        10,
        "does not have the hash that it says",
    ),
    (
        "a list that is none",
        lambda lines: [*lines[:9], lines[9].replace(b'["masked_transcript"]', b"[x]"), *lines[10:]],
        10,
        "this is not JSON",
    ),
    ("removed", lambda lines: [*lines[:9], *lines[10:]], 10, "stands where entry 10 should stand"),
    ("swapped", lambda lines: [*lines[:9], lines[10], lines[9], *lines[11:]], 10, "stands where entry 10 should stand"),
    ("not JSON", lambda lines: [*lines[:9], b"nonsense", *lines[10:]], 10, ""),
    ("empty", lambda lines: [*lines[:9], b"", *lines[10:]], 10, ""),
    (
        "sealed anew",
        lambda lines: [*lines[:9], chain([(9, "call_1", "masked", {"counts": {}})] * 10)[9], *lines[10:]],
        10,
        "does not follow",
    ),
    (
        "another tenant's",
        lambda lines: [*lines[:9], chain([(9, "c", "x", {})] * 10, TenantId("other"))[9], *lines[10:]],
        10,
        "another tenant",
    ),
]


@pytest.mark.parametrize(("what", "tamper", "place", "fault"), TAMPERED, ids=[row[0] for row in TAMPERED])
def test_a_chain_that_was_changed_is_said_to_be_broken_and_where(what: str, tamper: Any, place: int, fault: str) -> None:
    """The numbers are still given: of what stands there now."""
    scope = scanned(tamper(long_chain()), ALL).scope()
    assert scope.fault_at == place
    assert scope.fault
    assert fault in scope.fault
    assert (scope.facts["chain"], scope.facts["chain_fault_at"]) == ("broken", place)
    assert scope.hops >= 22


@given(st.integers(0, 29), st.integers(0, 2_000), st.binary(max_size=12), st.integers(0, 12))
def test_whatever_is_done_to_a_line_it_is_said_and_nothing_breaks(place: int, at: int, put: bytes, cut: int) -> None:
    """Any bytes, anywhere: the reading comes to its end, and names the line where it differs."""
    lines = long_chain()
    line = lines[place]
    at %= len(line)
    lines[place] = line[:at] + put + line[at + cut :]
    scope = scanned(lines, ALL).scope()
    assert scope.read == 30
    assert (scope.fault_at == place + 1) is (lines[place] != line)
    assert scope.facts


def test_a_stretch_from_the_middle_is_checked_from_its_first_entry_on() -> None:
    scope = scanned(long_chain()[12:], ALL).scope()
    assert (scope.fault, scope.first, scope.last, scope.read) == ("", 13, 30, 18)
    assert scanned([], ALL).scope().facts["chain"] == "whole"


def test_a_call_that_began_before_what_was_read_is_asked_for() -> None:
    """And its person is counted when its beginning is shown."""
    lines = long_chain()
    scan = scanned(lines[12:], ALL)
    assert scan.unknown() == ["call_2"]
    assert scan.scope().calls_of_nobody == 1
    scan.began(lines[9])
    assert scan.unknown() == ["call_2"], "that was another kind of entry"
    scan.began(lines[10])
    assert scan.unknown() == []
    assert "p10" in scan.scope().people


def test_one_fault_does_not_make_the_rest_wrong() -> None:
    """Behind it the chain is followed on: each fault is one."""
    lines = long_chain()
    lines[6] = lines[6].replace(b'"eu"', b'"us"')
    links = Links(ACME, genesis(ACME).encode())
    found = []
    for line in lines:
        links.follow(line, line.rfind(b'"hash":"'))
        if links.fault:
            found.append(links.fault_at)
            links.fault = ""
    assert found == [7]
