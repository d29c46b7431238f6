"""Who in a room may be heard, as a table of what happened; and several voices as one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.conversation.meeting import MOST_AHEAD, Meeting, Mixer

PEOPLE = st.sampled_from(["caller", "ann", "bob"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("came"), PEOPLE),
        st.tuples(st.just("left"), PEOPLE),
        st.tuples(st.just("round"), st.none()),
        st.tuples(st.just("answer"), st.integers(0, 3)),
        st.tuples(st.just("over"), st.integers(0, 3)),
    ),
    max_size=30,
)


@given(STEPS, st.booleans())
def test_nobody_is_heard_whose_round_has_not_come_to_that(steps: list[tuple[str, object]], each_asked: bool) -> None:
    """An auditor beside it: who was announced to in which round, and whether that round was let in by its number."""
    meeting, begun, let_in = Meeting("caller", each_asked=each_asked), {"caller": 0}, set[str]()
    over, answering = False, False
    for what, value in steps:
        if what == "came":
            meeting.came(str(value))
        elif what == "left":
            meeting.left(str(value))
            let_in.discard(str(value))
            begun.pop(str(value), None)
        elif what == "round" and meeting.next_round():
            over = answering = False
            begun |= {who: meeting.rounds for who in meeting.people if who not in let_in}
            assert not each_asked or len(meeting.people) - len(let_in) == 1
        elif what == "answer":
            meeting.answer(int(str(value)))
            answering = not over and value == meeting.rounds
        elif what == "over" and value == meeting.rounds and not over:
            meeting.over(meeting.rounds)
            over, answering = True, False
            let_in |= {who for who, number in begun.items() if number == meeting.rounds}
        elif what == "over":
            meeting.over(int(str(value)))
        now = {who for who, number in begun.items() if number == meeting.rounds and who not in let_in}
        assert set(meeting.audible) <= (let_in | now if answering else let_in)
        assert set(meeting.people) == let_in | now


def test_who_was_there_before_is_asked_after_the_caller_or_let_in_with_them() -> None:
    asked, told = Meeting("caller", each_asked=True), Meeting("caller", each_asked=False)
    for meeting in (asked, told):
        meeting.present("ann")
        meeting.over(0)
    assert (asked.audible, asked.next_round(), asked.is_asked("caller")) == (["caller"], True, False)
    assert (told.audible, told.next_round(), told.is_asked("caller")) == (["caller", "ann"], False, True)


def test_all_who_came_meanwhile_have_one_round_where_nothing_is_asked() -> None:
    meeting = Meeting("caller", each_asked=False)
    meeting.came("ann")
    assert not meeting.next_round(), "the caller's own is not over"
    meeting.came("bob")
    meeting.over(0)
    assert meeting.next_round()
    meeting.over(1)
    assert (meeting.audible, meeting.rounds) == (["caller", "ann", "bob"], 1)


def frame(level: int) -> bytes:
    return np.full(320, level, "<i2").tobytes()


class TestTheMixer:
    def test_passes_one_voice_on_as_it_is(self) -> None:
        assert Mixer().push("caller", frame(7), ["caller"]) == frame(7)

    def test_adds_the_others_by_the_clock_of_the_first(self) -> None:
        mixer, both = Mixer(), ["caller", "ann"]
        assert mixer.push("ann", frame(5), both) is None
        assert mixer.push("caller", frame(7), both) == frame(12)
        assert mixer.push("caller", frame(7), both) == frame(7), "nothing came of the other: no waiting"

    @pytest.mark.parametrize(("loud", "sum_"), [(30_000, 32_767), (-30_000, -32_768)])
    def test_is_as_loud_as_it_can_be_and_does_not_turn_over(self, loud: int, sum_: int) -> None:
        mixer = Mixer()
        mixer.push("ann", frame(loud), ["caller", "ann"])
        assert mixer.push("caller", frame(loud), ["caller", "ann"]) == frame(sum_)

    def test_goes_on_by_itself_when_the_first_voice_stops(self) -> None:
        """100 ms later, and without losing a frame."""
        mixer, both = Mixer(), ["caller", "ann"]
        mixed = [mixer.push("ann", frame(level), both) for level in range(MOST_AHEAD + 3)]
        assert mixed == [*[None] * MOST_AHEAD, frame(0), frame(1), frame(2)]
        assert mixer.push("caller", frame(100), both) == frame(103)

    def test_forgets_who_is_not_to_be_heard(self) -> None:
        mixer, both = Mixer(), ["caller", "ann"]
        mixer.push("ann", frame(5), both)
        assert mixer.push("ann", frame(9), ["caller"]) is None
        assert mixer.push("caller", frame(0), both) == frame(0)
