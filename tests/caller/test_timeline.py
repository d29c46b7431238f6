"""A timeline tells in order what the caller lived, for people, files and benches."""

from __future__ import annotations

from gateway.caller.timeline import Kind, Moment, Timeline


def timeline(*moments: Moment) -> Timeline:
    made = Timeline()
    for moment in moments:
        made.add(moment)
    return made


def test_moments_stand_in_the_order_of_their_time() -> None:
    made = timeline(Moment(30, Kind.CLEARED), Moment(10, Kind.AGENT_STARTED), Moment(20, Kind.AGENT_STOPPED))
    assert [moment.at_ms for moment in made.moments] == [10, 20, 30]


def test_the_first_of_a_kind_is_found_also_after_a_time() -> None:
    made = timeline(Moment(10, Kind.AGENT_STARTED), Moment(50, Kind.AGENT_STARTED))
    assert made.first(Kind.AGENT_STARTED) == Moment(10, Kind.AGENT_STARTED)
    assert made.first(Kind.AGENT_STARTED, after_ms=11) == Moment(50, Kind.AGENT_STARTED)
    assert made.first(Kind.CLEARED) is None


def test_the_wait_for_each_answer_is_told_by_turn() -> None:
    made = timeline(
        Moment(100, Kind.TURN_ENDED, turn=1),
        Moment(450, Kind.FIRST_ANSWER, turn=1),
        Moment(900, Kind.TURN_ENDED, turn=2),
        Moment(1000, Kind.TURN_ENDED, turn=3),
        Moment(1300, Kind.FIRST_ANSWER, turn=3),
    )
    assert made.answer_delays() == {1: 350, 3: 300}


def test_rows_for_a_file_leave_out_what_is_empty() -> None:
    made = timeline(
        Moment(0.04, Kind.CONNECTED), Moment(5, Kind.MARK_RETURNED, name="announcement:ai"), Moment(9, Kind.TURN_STARTED, turn=1)
    )
    assert made.rows() == [
        {"at_ms": 0.0, "kind": "connected"},
        {"at_ms": 5, "kind": "mark_returned", "name": "announcement:ai"},
        {"at_ms": 9, "kind": "turn_started", "turn": 1},
    ]
