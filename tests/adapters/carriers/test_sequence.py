"""Numbers of messages tell what is missing, late or double, in bounded memory."""

from __future__ import annotations

import pytest

from gateway.adapters.carriers.sequence import MAX_JUMP, REMEMBERED, Arrival, Sequence


@pytest.mark.parametrize(
    ("numbers", "last"),
    [
        ([7], (Arrival.IN_ORDER, 0)),
        ([1, 2], (Arrival.IN_ORDER, 0)),
        ([1, 4], (Arrival.IN_ORDER, 2)),
        ([1, 1], (Arrival.DUPLICATE, 0)),
        ([5, 3], (Arrival.DUPLICATE, 0)),
        ([1, 4, 3], (Arrival.LATE, 0)),
        ([1, 4, 3, 3], (Arrival.DUPLICATE, 0)),
        ([1, MAX_JUMP + 2], (Arrival.IN_ORDER, MAX_JUMP)),
        ([1, MAX_JUMP + 3], (Arrival.IMPOSSIBLE, 0)),
        ([1, MAX_JUMP + 3, 2], (Arrival.IN_ORDER, 0)),
    ],
)
def test_a_number_is_placed_by_those_before_it(numbers: list[int], last: tuple[Arrival, int]) -> None:
    sequence = Sequence()
    assert [sequence.place(number) for number in numbers][-1] == last


def test_of_a_long_gap_only_the_newest_numbers_are_remembered() -> None:
    sequence = Sequence()
    sequence.place(0)
    sequence.place(5000)
    assert sequence.place(5000 - REMEMBERED) == (Arrival.LATE, 0)
    assert sequence.place(5000 - REMEMBERED - 1) == (Arrival.DUPLICATE, 0)
