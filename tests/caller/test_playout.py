"""The caller's telephone plays in order and in real time, and a mark comes back when its sounds were heard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.caller.playout import SLOT_BYTES, Playout

QUIET = b"\xff"


def filled(*items: bytes | str) -> Playout:
    playout = Playout()
    for item in items:
        if isinstance(item, str):
            playout.mark(item)
        else:
            playout.add(item)
    return playout


@pytest.mark.parametrize(
    ("items", "slots"),
    [
        ([], [(b"", ())]),
        (["m"], [(b"", ("m",))]),
        ([b"a" * 160, "m"], [(b"a" * 160, ()), (b"", ("m",))]),
        ([b"a" * 320, "m"], [(b"a" * 160, ()), (b"a" * 160, ()), (b"", ("m",))]),
        ([b"a" * 100, b"b" * 60, "m"], [(b"a" * 100 + b"b" * 60, ()), (b"", ("m",))]),
        ([b"a" * 100, "m", b"b" * 100, "n"], [(b"a" * 100 + b"b" * 60, ()), (b"b" * 40, ("m",)), (b"", ("n",))]),
        (["m", b"a" * 160, "n", "o"], [(b"a" * 160, ("m",)), (b"", ("n", "o"))]),
        ([b"", "m"], [(b"", ("m",))]),
    ],
)
def test_each_20_ms_brings_the_next_sounds_and_the_marks_whose_sounds_are_over(
    items: list[bytes | str], slots: list[tuple[bytes, tuple[str, ...]]]
) -> None:
    playout = filled(*items)
    for ulaw, marks in slots:
        slot = playout.play()
        assert (slot.ulaw, slot.marks) == (ulaw.ljust(SLOT_BYTES, QUIET), marks)
    assert playout.empty


def test_clear_throws_the_sounds_away_and_gives_back_every_mark_that_waited() -> None:
    playout = filled(b"a" * 100, "m", b"b" * 500, "n", "o")
    playout.play()
    assert playout.clear() == ("m", "n", "o")
    assert playout.empty
    assert playout.play().ulaw == QUIET * SLOT_BYTES
    assert playout.clear() == ()


@given(st.lists(st.binary(min_size=1, max_size=400) | st.text("mno", min_size=1, max_size=1), max_size=20))
def test_every_sound_is_played_once_and_no_mark_before_the_sounds_that_came_before_it(items: list[bytes | str]) -> None:
    playout = filled(*items)
    sounds = b"".join(item for item in items if isinstance(item, bytes))
    before = [sum(len(i) for i in items[:at] if isinstance(i, bytes)) for at, item in enumerate(items) if isinstance(item, str)]
    played, returned, heard = b"", list[str](), list[int]()
    while not playout.empty:
        slot = playout.play()
        returned += slot.marks
        heard += [len(played)] * len(slot.marks)
        played += slot.ulaw
    assert played[: len(sounds)] == sounds
    assert returned == [item for item in items if isinstance(item, str)]
    assert all(so_far >= needed for so_far, needed in zip(heard, before, strict=True))
