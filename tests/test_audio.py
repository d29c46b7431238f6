"""Audio keeps its length and its sound when its rate changes, and no call waits for it."""

from __future__ import annotations

import contextlib
import io
import struct
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.audio import Resampler, level, read_wav, resample, write_wav_stereo
from gateway.errors import InvalidRequest
from gateway.values import Pcm

RATES = [(8000, 16000), (24000, 8000), (16000, 8000), (22050, 8000), (8000, 24000)]


def tone(hz: float, rate: int, ms: int, amplitude: int = 10_000) -> Pcm:
    at = np.arange(rate * ms // 1000) / rate
    return Pcm((np.sin(2 * np.pi * hz * at) * amplitude).astype("<i2").tobytes(), rate)


def pieces(pcm: Pcm, ms: int) -> list[Pcm]:
    size = pcm.rate * ms // 1000 * 2
    return [Pcm(pcm.samples[at : at + size], pcm.rate) for at in range(0, len(pcm.samples), size)]


def wav(pcm: Pcm, *, channels: int = 1, width: int = 2) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(pcm.rate)
        file.writeframes(pcm.samples)
    return out.getvalue()


@pytest.mark.parametrize(("source", "target"), RATES)
def test_at_no_moment_is_more_than_20_ms_held_back(source: int, target: int) -> None:
    resampler = Resampler(source, target)
    given_ms = taken_ms = 0.0
    for piece in pieces(tone(440, source, 1000), 20):
        given_ms += piece.ms
        taken_ms += resampler.push(piece).ms
        assert given_ms - taken_ms <= 20


@pytest.mark.parametrize(("source", "target"), RATES)
def test_a_second_stays_a_second_within_20_ms(source: int, target: int) -> None:
    resampler = Resampler(source, target)
    out = sum(resampler.push(piece).ms for piece in pieces(tone(440, source, 1000), 20))
    assert out + resampler.flush().ms == pytest.approx(1000, abs=20)


@pytest.mark.parametrize(("source", "target"), RATES)
def test_a_tone_of_speech_passes_unchanged_in_level(source: int, target: int) -> None:
    tone_in = tone(1000, source, 500)
    assert level(resample(tone_in, target)) == pytest.approx(level(tone_in), rel=0.05)


@pytest.mark.parametrize("source", [16000, 24000])
def test_what_8000_hz_cannot_hold_is_removed_and_not_folded_down(source: int) -> None:
    too_high = tone(6000, source, 500)
    assert level(resample(too_high, 8000)) < level(too_high) / 30


def test_the_pieces_of_a_stream_join_as_if_it_were_one_piece() -> None:
    whole = tone(300, 24000, 400)
    resampler = Resampler(24000, 8000)
    streamed = b"".join(resampler.push(piece).samples for piece in pieces(whole, 20)) + resampler.flush().samples
    assert streamed == resample(whole, 8000).samples


def test_after_flush_a_resampler_is_as_new() -> None:
    resampler = Resampler(8000, 16000)
    first = resampler.push(tone(440, 8000, 100)).samples + resampler.flush().samples
    second = resampler.push(tone(440, 8000, 100)).samples + resampler.flush().samples
    assert first == second


def test_the_same_rate_passes_through() -> None:
    pcm = tone(440, 8000, 20)
    assert Resampler(8000, 8000).push(pcm) == pcm


def test_a_flush_of_nothing_is_nothing() -> None:
    assert Resampler(8000, 16000).flush() == Pcm(b"", 16000)


@pytest.mark.parametrize("wrong", [Pcm(b"\0\0", 16000), Pcm(b"\0", 8000)], ids=["another rate", "half a sample"])
def test_audio_that_does_not_fit_the_resampler_is_refused(wrong: Pcm) -> None:
    with pytest.raises(InvalidRequest):
        Resampler(8000, 16000).push(wrong)


def test_a_wav_file_is_read_from_its_path_and_from_its_bytes(tmp_path: Path) -> None:
    pcm = tone(440, 16000, 100)
    path = tmp_path / "caller.wav"
    path.write_bytes(wav(pcm))
    assert read_wav(path) == read_wav(str(path)) == read_wav(wav(pcm)) == pcm


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (wav(Pcm(b"\0" * 8, 8000), channels=2), "2 channel"),
        (wav(Pcm(b"\0" * 8, 8000), width=1), "8 bit"),
        (wav(tone(440, 8000, 100))[:-40], "cut off"),
        (b"", "not a PCM WAV"),
        (b"RIFF\x00\x00\x00\x00OggS", "not a PCM WAV"),
        (b"ID3 an mp3 file", "not a PCM WAV"),
    ],
)
def test_another_file_is_refused_with_the_command_that_converts_it(bad: bytes, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says) as refused:
        read_wav(bad)
    assert "ffmpeg" in refused.value.hint


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"nobody\.wav cannot be read: No such file"):
        read_wav(tmp_path / "nobody.wav")


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 60))
def test_any_bytes_are_audio_or_a_clear_refusal(noise: bytes, keep: int) -> None:
    for source in (noise, wav(tone(440, 8000, 20))[:keep] + noise):
        with contextlib.suppress(InvalidRequest):
            assert len(read_wav(source).samples) % 2 == 0


def test_a_recording_has_the_caller_left_and_the_agent_right_and_is_as_long_as_the_longer() -> None:
    left, right = Pcm(struct.pack("<3h", 1, 2, 3), 8000), Pcm(struct.pack("<h", 9), 8000)
    with wave.open(io.BytesIO(write_wav_stereo(left, right))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 8000)
        assert struct.unpack("<6h", file.readframes(3)) == (1, 9, 2, 0, 3, 0)


def test_two_rates_make_no_recording() -> None:
    with pytest.raises(InvalidRequest, match="one rate"):
        write_wav_stereo(Pcm(b"", 8000), Pcm(b"", 16000))


def test_silence_has_no_level() -> None:
    assert level(Pcm(b"", 8000)) == level(Pcm(b"\0" * 320, 8000)) == 0
