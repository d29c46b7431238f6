"""The caller's telephone band reaches the ear at twice the rate: the same sound, 1 ms later, without echoes above the band."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.conversation.doubling import Doubler
from gateway.errors import InvalidRequest
from gateway.values import Pcm

HELD_BACK = 8
"""Samples at 8 kHz."""


def tone(hz: float, *, rate: int = 8000) -> Pcm:
    at = np.arange(rate // 2) / rate
    return Pcm((np.sin(2 * np.pi * hz * at) * 10_000).astype("<i2").tobytes(), rate)


def doubled(pcm: Pcm, piece_bytes: int = 320) -> Pcm:
    doubler = Doubler(pcm.rate)
    cuts = (pcm.samples[at : at + piece_bytes] for at in range(0, len(pcm.samples), piece_bytes))
    return Pcm(b"".join(doubler.push(Pcm(cut, pcm.rate)).samples for cut in cuts), 2 * pcm.rate)


def strength(pcm: Pcm, hz: float) -> float:
    heard = np.frombuffer(pcm.samples, dtype="<i2").astype(np.float64)[400:-400]
    return float(np.abs(np.sum(heard * np.hanning(len(heard)) * np.exp(-2j * np.pi * hz * np.arange(len(heard)) / pcm.rate))))


def test_every_sample_in_comes_out_again_with_one_between_each_two() -> None:
    given_ = tone(440)
    out = np.frombuffer(doubled(given_).samples, dtype="<i2")
    assert len(out) == len(given_.samples)
    assert out[::2][HELD_BACK:].tobytes() == given_.samples[: -2 * HELD_BACK]


@pytest.mark.parametrize("hz", [300, 1000, 2000, 3000, 3400])
def test_a_tone_of_the_telephone_keeps_its_strength_and_leaves_no_image(hz: int) -> None:
    out = doubled(tone(hz))
    assert strength(out, hz) == pytest.approx(strength(tone(hz, rate=16_000), hz), rel=0.02)
    assert strength(out, 8000 - hz) < strength(out, hz) / 150


@given(samples=st.binary(max_size=400).map(lambda raw: raw[: len(raw) // 2 * 2]), piece=st.integers(1, 60))
def test_how_a_stream_is_cut_makes_no_difference(samples: bytes, piece: int) -> None:
    whole = np.frombuffer(Doubler(8000).push(Pcm(samples, 8000)).samples, dtype="<i2").astype(np.int32)
    cut = np.frombuffer(doubled(Pcm(samples, 8000), 2 * piece).samples, dtype="<i2").astype(np.int32)
    # Sums of floats may round the other way.
    assert len(whole) == len(cut) == len(samples)
    assert not len(whole) or np.abs(whole - cut).max() <= 1


def test_the_loudest_square_wave_is_clipped_and_never_wraps_around() -> None:
    square = np.tile(np.repeat(np.array([32767, -32768], dtype="<i2"), 20), 20)
    out = np.frombuffer(doubled(Pcm(square.tobytes(), 8000)).samples, dtype="<i2").astype(np.int32)[2 * HELD_BACK :]
    before, between, after = out[0:-2:2], out[1:-1:2], out[2::2]
    flat = before == after
    assert flat.sum() > 300
    assert (np.sign(between[flat]) == np.sign(before[flat])).all()
    assert between.max() == 32767
    assert between.min() == -32768


@pytest.mark.parametrize("pcm", [Pcm(b"\0\0", 16_000), Pcm(b"\0\0\0", 8000)])
def test_another_rate_or_half_a_sample_is_refused(pcm: Pcm) -> None:
    with pytest.raises(InvalidRequest):
        Doubler(8000).push(pcm)
