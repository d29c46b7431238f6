"""The caller does not wait for the silence that a voice leaves around its sentences, and no sound of it is lost."""

from __future__ import annotations

import numpy as np
import pytest

from gateway.adapters.speech.inside import trimmed

HZ = 24_000


def sentence(before_ms: int, speech_ms: int, after_ms: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    silence = [np.zeros(HZ * ms // 1000, dtype=np.float32) for ms in (before_ms, after_ms)]
    speech = np.full(HZ * speech_ms // 1000, 0.2, dtype=np.float32)
    return np.concatenate([silence[0], speech, silence[1]])


@pytest.mark.parametrize(("before", "after"), [(300, 500), (40, 180), (0, 0), (10, 900)])
def test_a_breath_before_and_a_pause_after_are_what_is_left(before: int, after: int) -> None:
    left = trimmed(sentence(before, 1_000, after), HZ)
    assert np.count_nonzero(left) == HZ
    assert abs(len(left) - HZ * (1_000 + min(before, 40) + min(after, 180)) // 1000) <= 1


def test_what_is_silent_throughout_stays() -> None:
    assert len(trimmed(sentence(500, 0, 500), HZ)) == HZ


def test_a_pause_inside_a_sentence_stays() -> None:
    spoken = np.concatenate([sentence(300, 400, 600), sentence(0, 400, 500)])
    assert len(trimmed(spoken, HZ)) == pytest.approx(HZ * (40 + 400 + 600 + 400 + 180) / 1000, abs=1)
