"""A chain as lines: the quick check of an entry says yes only where the careful one does, and long lines are bounded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import BundleInvalid, EvidenceInvalid
from gateway.evidence import lines
from gateway.evidence.canonical import canonical
from gateway.evidence.chain import digest, entry_from, genesis, record, seal_written
from gateway.evidence.entries import Draft
from gateway.evidence.lines import read_entry, split
from tests.evidence.bundles import parts
from tests.evidence.samples import ACME, CALL, NOON

ENTRIES = [line.rstrip(b"\n") for line in parts().lines("chain.jsonl")]


def written(body: dict[str, Any], kind: str = "note") -> bytes:
    return seal_written(Draft(ACME, CALL, kind, NOON, body, genesis(ACME, CALL)), 1, genesis(ACME))[1]


def rehashed(**changes: Any) -> bytes:
    """A line whose hash fits what stands in it, written without regard to what an entry may be."""
    members = {**json.loads(written({})), **changes}
    members.pop("hash")
    text = json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return json.dumps(
        {**members, "hash": digest(text.encode())}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode()


@pytest.mark.parametrize("line", [*ENTRIES[:12], written({"é": "ü"}), written({"n": 2**53 - 1}), written({"a": [[[]]] * 40})])
def test_a_good_entry_is_read(line: bytes) -> None:
    """With the members that it has."""
    assert read_entry(line) == json.loads(line)


@pytest.mark.parametrize(
    "changes",
    [
        {"v": True},
        {"v": 2},
        {"seq": -1},
        {"seq": 1.0},
        {"seq": True},
        {"at": "2026-11-01T12:00:00Z"},
        {"at": "2026-11-01 12:00:00.000000Z"},
        {"at": "2026-13-01T12:00:00.000000Z"},
        {"tenant": 1},
        {"body": []},
        {"body": {"n": 1.5}},
        {"body": {"n": 2**53}},
        {"body": {"n": -(2**60)}},
        {"body": {"n": float("nan")}},
        {"kind": "hop", "body": {}},
        {"kind": "masked", "body": {"counts": {"PERSON": -1}}},
        {"more": 1},
    ],
)
def test_a_hash_that_fits_makes_no_entry_of_what_is_none(changes: dict[str, Any]) -> None:
    """Types, whole numbers, times, the fields of its kind."""
    with pytest.raises(EvidenceInvalid):
        read_entry(rehashed(**changes))


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_the_quick_way_says_yes_only_where_the_careful_one_does(data: st.DataObject) -> None:
    """For entries with a piece changed, and for bodies of any JSON."""
    if data.draw(st.booleans()):
        line = data.draw(st.sampled_from(ENTRIES))
        at = data.draw(st.integers(0, len(line)))
        line = (
            line[:at]
            + data.draw(st.sampled_from([b'"', b" ", b"1", b"e", b".", b"{", b"\\u0041", b"\xc3\xa9", b""]))
            + line[at + 1 :]
        )
    else:
        leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
        trees = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
        line = rehashed(body={"x": data.draw(trees)})
    quick = lines.read_quickly([line])
    if quick is not None:
        entry = entry_from(json.loads(line), durable="memory")
        assert canonical(record(entry)) == line
        assert quick == [json.loads(line)]


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_lines_come_out_whatever_the_pieces(size: int) -> None:
    """Pieces may end anywhere."""
    data = b"one\ntwo\nthree\n"
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert list(split(pieces, "p", 5)) == [b"one", b"two", b"three"]


@pytest.mark.parametrize(("data", "line"), [(b"a\nlonger\n", 2), (b"longer", 1), (b"a\n\n", 2), (b"a\nb", 2)])
def test_a_line_that_is_too_long_empty_or_cut_off_is_named(data: bytes, line: int) -> None:
    """Before more of it is read."""
    with pytest.raises(BundleInvalid) as found:
        list(split([data], "p", 5))
    assert (found.value.part, found.value.line) == ("p", line)
