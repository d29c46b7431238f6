"""Mu-law is ITU-T G.711's, for every byte and every sample."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.carriers import g711
from gateway.values import Pcm


def by_the_book(byte: int) -> int:
    """G.711 table 2a in 16-bit scale: bits inverted; sign, exponent of 3 bits, mantissa of 4 bits, bias 33 (132)."""
    byte = ~byte & 0xFF
    magnitude = (((byte & 0x0F) << 3) + 132 << (byte >> 4 & 0x07)) - 132
    return -magnitude if byte & 0x80 else magnitude


@pytest.mark.parametrize("byte", range(256))
def test_every_byte_decodes_as_the_standard_says(byte: int) -> None:
    assert g711.decode(bytes([byte])) == Pcm(struct.pack("<h", by_the_book(byte)), 8000)


@pytest.mark.parametrize("byte", [byte for byte in range(256) if byte != 0x7F])
def test_every_byte_survives_the_way_there_and_back(byte: int) -> None:
    """But 0x7f: it is the second name of zero."""
    assert g711.encode(g711.decode(bytes([byte]))) == bytes([byte])


@given(st.integers(-32635, 32635))
def test_a_sample_comes_back_within_half_a_step_of_its_segment(sample: int) -> None:
    """And 3 more: the standard codes 14 of the 16 bits."""
    back = struct.unpack("<h", g711.decode(g711.encode(Pcm(struct.pack("<h", sample), 8000))).samples)[0]
    assert abs(back - sample) <= (abs(sample) + 132) / 32 + 4


def test_silence_is_silence() -> None:
    assert g711.decode(g711.SILENCE * 160) == Pcm(b"\0" * 320, 8000)


@pytest.mark.parametrize("wrong", [Pcm(b"\0\0", 16000), Pcm(b"\0", 8000)], ids=["another rate", "half a sample"])
def test_audio_that_is_no_telephone_audio_is_a_mistake_of_the_program(wrong: Pcm) -> None:
    with pytest.raises(TypeError):
        g711.encode(wrong)
