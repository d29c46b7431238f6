"""Two voices in one sentence sound like one: no silence in between, one loudness, no click."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.conversation.joining import BREATH_MS, fitted, loudness_of
from gateway.values import Pcm

RATE = 24_000


def pcm(samples: np.ndarray) -> Pcm:
    return Pcm(np.rint(samples).astype("<i2").tobytes(), RATE)


def voice(ms: int, level: float, *, hz: int = 220) -> np.ndarray:
    at = np.arange(RATE * ms // 1000) / RATE
    return level * np.sin(2 * np.pi * hz * at)


def quiet(ms: int) -> np.ndarray:
    return np.zeros(RATE * ms // 1000)


def test_silence_around_a_piece_is_cut_to_a_breath() -> None:
    spoken = fitted(pcm(np.concatenate((quiet(400), voice(300, 8000), quiet(700)))))
    assert spoken.ms == pytest.approx(300 + 2 * BREATH_MS, abs=20)


def test_silence_inside_a_piece_stays() -> None:
    spoken = fitted(pcm(np.concatenate((voice(200, 8000), quiet(500), voice(200, 8000)))))
    assert spoken.ms == pytest.approx(900, abs=20)


@pytest.mark.parametrize(("own", "wanted"), [(3000, 6000), (8000, 4000), (6000, 6000)])
def test_the_second_voice_is_as_loud_as_the_first(own: int, wanted: int) -> None:
    first = pcm(voice(500, wanted))
    second = fitted(pcm(voice(500, own)), loudness_of(first))
    assert loudness_of(second) == pytest.approx(loudness_of(first), rel=0.05)


def test_a_whisper_is_not_blown_up_without_end() -> None:
    spoken = fitted(pcm(voice(300, 100)), 20_000)
    assert np.abs(np.frombuffer(spoken.samples, "<i2")).max() <= 400


def test_there_is_no_click_where_pieces_meet() -> None:
    """Both ends are silence, and no step is larger than the tone's own."""
    samples = np.frombuffer(fitted(pcm(voice(300, 12_000))).samples, "<i2").astype(int)
    assert (samples[0], samples[-1]) == (0, 0)
    own_step = 2 * np.pi * 220 / RATE * 12_000
    assert np.abs(np.diff(samples)).max() <= own_step * 1.1


@pytest.mark.parametrize("samples", [b"", b"\0\0", b"\0\0" * 4800], ids=["nothing", "one", "silence"])
def test_nothing_stays_nothing(samples: bytes) -> None:
    assert fitted(Pcm(samples, RATE), 5000) == Pcm(b"", RATE)
    assert loudness_of(Pcm(samples, RATE)) == 0


@given(st.lists(st.integers(-32768, 32767), max_size=2000), st.floats(0, 32768))
def test_any_audio_stays_within_its_bounds(values: list[int], loudness: float) -> None:
    """No sample wraps around, which would be the loudest click of all."""
    before = Pcm(np.array(values, dtype="<i2").tobytes(), RATE)
    after = np.frombuffer(fitted(before, loudness).samples, "<i2").astype(int)
    assert len(after) <= len(values)
    if values and loudness_of(before) <= loudness:
        signs = {int(np.sign(value)) for value in values}
        assert {int(np.sign(value)) for value in after} <= signs | {0}
