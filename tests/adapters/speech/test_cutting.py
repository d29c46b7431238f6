"""Long speech is cut where it is quiet, and nothing of it is lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.speech.cutting import LONGEST_S, SHORTEST_S, Samples, pieces

RATE = 1000


def noise(seconds: float) -> Samples:
    return np.random.default_rng(7).uniform(-1, 1, int(seconds * RATE)).astype(np.float32)


@given(st.integers(0, 61 * RATE))
def test_the_pieces_are_the_whole_in_order_and_none_is_too_long(length: int) -> None:
    whole = noise(61)[:length]
    cut = pieces(whole, RATE)
    assert np.array_equal(np.concatenate(cut) if cut else whole[:0], whole)
    assert all(0 < len(piece) <= LONGEST_S * RATE for piece in cut)
    assert all(len(piece) >= SHORTEST_S * RATE for piece in cut[:-1])


def test_a_stretch_that_can_be_heard_at_once_stays_whole() -> None:
    assert len(pieces(noise(LONGEST_S), RATE)) == 1


@pytest.mark.parametrize("pause_at", [9.0, 14.0, 19.0])
def test_the_cut_lies_in_the_pause(pause_at: float) -> None:
    whole = noise(30)
    whole[int(pause_at * RATE) : int((pause_at + 0.5) * RATE)] = 0
    first = pieces(whole, RATE)[0]
    assert pause_at * RATE < len(first) < (pause_at + 0.5) * RATE
