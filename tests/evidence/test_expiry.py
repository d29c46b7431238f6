"""How much of a chain's beginning may go: what is over, whole calls only, nothing that somebody still needs (promise 14)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import EvidenceInvalid
from gateway.evidence.canonical import canonical
from gateway.evidence.chain import genesis, record, seal
from gateway.evidence.cut import Cut, cut_before, cut_body, cut_of
from gateway.evidence.entries import Draft, Json
from gateway.evidence.expiry import MOST, Expired, Expiry, Kept
from gateway.evidence.merkle import Growing
from gateway.values import CallId, TenantId

ACME = TenantId("acme")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
KEEP = 10 * DAY

Row = tuple[str, int, str, dict[str, Json]]
"""Thread, age in days, kind, body."""


def row(thread: str, age: int, kind: str = "note", **body: Json) -> Row:
    return thread, age, kind, body


def chain(rows: Sequence[Row]) -> list[bytes]:
    lines, head, tips = list[bytes](), genesis(ACME), dict[str, str]()
    for seq, (thread, age, kind, body) in enumerate(rows, start=1):
        call = CallId(thread)
        draft = Draft(ACME, call, kind, NOW - age * DAY, body, tips.get(thread, genesis(ACME, call)))
        entry = seal(draft, seq, head)
        head = tips[thread] = entry.hash
        lines.append(canonical(record(entry)))
    return lines


def found(lines: Sequence[bytes], kept: Kept | None = None, *, keep: timedelta = KEEP, most: int = MOST) -> Expired | None:
    expiry = Expiry(ACME, 0, genesis(ACME), NOW, keep, kept or Kept(), most)
    goes = True
    for place, line in enumerate(lines, start=1):
        goes = goes and expiry.begin(line)
        if not goes:
            expiry.rest(place, line)
    return expiry.found()


def last(rows: Sequence[Row], kept: Kept | None = None, **more: Any) -> int:
    """How many entries may go."""
    told = found(chain(rows), kept, **more)
    return 0 if told is None else told.last


OLD = [row("call_1", 20, "call.started"), row("call_1", 20), row("call_2", 15, "call.started", subject="abc"), row("call_2", 15)]
YOUNG = [row("call_9", 1), row("call_9", 1)]
PROMISED: dict[str, Json] = {"retention": {"evidence": 16 * 86_400}}
UNREADABLE: dict[str, Json] = {"retention": {"evidence": "always"}}

ROWS: list[tuple[str, list[Row], Kept | None, int]] = [
    ("what is older than the policy says", [*OLD, *YOUNG], None, 4),
    ("nothing, where nothing is old", YOUNG, None, 0),
    ("exactly as old as the policy says", [row("a", 10), row("b", 9)], None, 1),
    ("all of it, where all is old", OLD, None, 4),
    ("not a call that goes on with a young entry", [*OLD, row("call_2", 1)], None, 2),
    ("not a call whose later entry is old and stands behind a young one", [*OLD, row("x", 1), row("call_2", 12)], None, 2),
    ("nothing behind a call that goes on", [row("a", 20), row("b", 20), row("a", 1), row("c", 20)], None, 0),
    (
        "less, where calls overlap those that go on",
        [row("z", 20), row("a", 20), row("b", 20), row("a", 20), row("b", 1)],
        None,
        1,
    ),
    ("not what its own call was promised for longer", [row("a", 20), row("p", 15, "call.started", **PROMISED)], None, 1),
    ("what its own call was promised for long enough", [row("p", 16, "call.started", **PROMISED)], None, 1),
    ("not a call whose promise cannot be read", [row("a", 20), row("p", 900, "call.started", **UNREADABLE)], None, 1),
    ("not a call that a hold names", [*OLD, *YOUNG], Kept({"call_2"}), 2),
    ("nothing at all behind a call that a hold names", [*OLD, *YOUNG], Kept({"call_1"}), 0),
    ("not a person that a hold names", [*OLD, *YOUNG], Kept({"abc"}), 2),
    ("another call, whose name only begins alike", [*OLD, *YOUNG], Kept({"call_"}), 4),
    ("not what is said of a held call elsewhere", [row("x", 20), row("y", 20, of="call_7")], Kept({"call_7"}), 1),
    ("not a time that a hold keeps", [*OLD, *YOUNG], Kept(times=[(NOW - 16 * DAY, NOW - 14 * DAY)]), 2),
    ("nothing, where a hold keeps all times", [*OLD, *YOUNG], Kept(times=[(None, None)]), 0),
    (
        "nothing, where nothing is left but such deletions",
        [
            row(
                "cut",
                20,
                "evidence.cut",
                **cut_body(1, "sha256:" + "0" * 64, Growing(1, [b"x" * 32]), began="", ended="", why="w", by="b"),
            ),
            row(
                "certificate",
                20,
                "deletion.certified",
                **{
                    **dict.fromkeys(("certificate", "class", "of", "key_id", "why", "by", "decided", "gone"), ""),
                    "holding": "chain",
                    "where": ["store"],
                },
            ),
        ],
        None,
        0,
    ),
]


@pytest.mark.parametrize(("rows", "kept", "goes"), [each[1:] for each in ROWS], ids=[each[0] for each in ROWS])
def test_there_goes(rows: list[Row], kept: Kept | None, goes: int) -> None:
    assert last(rows, kept) == goes


def test_of_a_long_history_goes_what_fits_into_one_step() -> None:
    assert last([row(f"call_{number}", 20) for number in range(9)], most=4) == 4


def test_a_policy_for_ever_keeps_everything() -> None:
    assert last(OLD, keep=timedelta.max) == 0


def test_of_a_chain_that_is_not_whole_nothing_goes() -> None:
    """What somebody has tampered with is proof of that: it stays until people have looked at it."""
    lines = chain([*OLD, *YOUNG])
    for broken in (
        [lines[0], lines[1].replace(b'"body":{}', b'"body":{"x":1}'), *lines[2:]],
        [lines[0], *lines[2:]],
        [lines[1], lines[0], *lines[2:]],
    ):
        with pytest.raises(EvidenceInvalid, match="of tenant acme"):
            found(broken)


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(
        st.builds(row, st.sampled_from(["a", "b", "c", "d", "e"]), st.integers(6, 14)),
        max_size=14,
    ),
    held=st.sets(st.sampled_from(["a", "b", "c"]), max_size=1),
)
def test_it_is_the_longest_beginning_that_is_over_and_cuts_nothing_in_two(rows: list[Row], held: set[str]) -> None:
    def may_go(upto: int) -> bool:
        before, behind = rows[:upto], rows[upto:]
        whole = {thread for thread, *_ in before}.isdisjoint(thread for thread, *_ in behind)
        return whole and all(age >= 10 and thread not in held for thread, age, *_ in before)

    assert last(rows, Kept(held)) == max(upto for upto in range(len(rows) + 1) if may_go(upto))


TREE = Growing()
for _leaf in (b"1", b"2", b"3"):
    TREE.add(_leaf)
HASH = "sha256:" + "a" * 64
BODY = cut_body(2, HASH, TREE, began="b", ended="e", why="its time is over", by="retention")
ENTRY: dict[str, Any] = {"seq": 9, "hash": "sha256:9", "at": "2026-11-22", "kind": "evidence.cut", "body": BODY}


def test_the_entry_tells_what_went_and_stands_for_it() -> None:
    cut = cut_of(ENTRY)
    assert cut == Cut(9, "sha256:9", "2026-11-22", 2, 3, HASH, TREE.full)
    assert cut.tree().root == TREE.root
    assert cut.said.startswith("entries 2 to 3 were deleted after their time")
    assert cut_before(ENTRY, 4, HASH) == cut
    assert cut_before(ENTRY, 5, HASH) is cut_before(ENTRY, 4, "sha256:b") is None


@pytest.mark.parametrize(
    "change",
    [
        {"root": "sha256:" + "0" * 64},
        {"full": BODY["full"][:1]},  # type: ignore[index]
        {"full": ["zz", "zz"]},
        {"count": 3},
        {"from": 0, "count": 4},
        {"from": 4, "count": 0},
        {"to": 1 << 40},
        {"to": "3"},
        {"full": None},
    ],
)
def test_an_entry_that_contradicts_itself_stands_for_nothing(change: dict[str, Any]) -> None:
    with pytest.raises(EvidenceInvalid, match="entry 9 does not say rightly"):
        cut_of({**ENTRY, "body": {**BODY, **change}})


@pytest.mark.parametrize("change", [{"seq": 3}, {"kind": "call.started"}])
def test_an_entry_of_another_kind_or_before_what_went_stands_for_nothing(change: dict[str, Any]) -> None:
    with pytest.raises(EvidenceInvalid, match="does not say rightly"):
        cut_of({**ENTRY, **change})
