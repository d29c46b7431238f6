"""What is sent to a browser: a packet every 20 ms, speech as it was pushed, silence that costs nothing."""

from __future__ import annotations

import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError
from av import AudioCodecContext, CodecContext, Packet
from av.stream import Stream

from gateway.adapters.webrtc.voice import FADING_FRAMES, SAMPLES, SILENT_PACKET, VOICE_HZ, Voice
from gateway.values import Pcm

TONE = Pcm((8_000 * np.sin(np.arange(SAMPLES) * 2 * np.pi * 300 / VOICE_HZ)).astype("<i2").tobytes(), VOICE_HZ)


async def test_speech_then_a_little_encoded_silence_then_one_constant_packet() -> None:
    """Each 20 ms after the one before, on the clock of RTP."""
    voice = Voice(lambda _: None)
    for _ in range(3):
        voice.push(TONE)
    packets = [await voice.recv() for _ in range(3 + FADING_FRAMES + 3)]
    assert [packet.pts for packet in packets] == [SAMPLES * n for n in range(len(packets))]
    sent = [bytes(packet) for packet in packets]
    assert SILENT_PACKET not in sent[: 3 + FADING_FRAMES]
    assert sent[3 + FADING_FRAMES :] == [SILENT_PACKET] * 3
    voice.push(TONE)
    assert bytes(await voice.recv()) != SILENT_PACKET


async def test_the_constant_packet_is_20_ms_of_silence() -> None:
    """As FFmpeg's own decoder hears it, also in the middle of speech."""
    decoder = CodecContext.create("libopus", "r")
    assert isinstance(decoder, AudioCodecContext)
    decoder.format, decoder.layout, decoder.sample_rate = "s16", "mono", VOICE_HZ
    voice = Voice(lambda _: None)
    voice.push(TONE)
    packets: list[Packet[Stream]] = [await voice.recv(), *(Packet(SILENT_PACKET) for _ in range(5))]
    heard = [np.concatenate([each.to_ndarray()[0] for each in decoder.decode(packet)]) for packet in packets]
    assert {len(samples) for samples in heard} == {SAMPLES}
    assert np.abs(heard[-1]).max() < 10


async def test_a_mark_is_passed_when_all_before_it_was_handed_out() -> None:
    passed: list[str] = []
    voice = Voice(passed.append)
    voice.mark("nothing before it")
    assert passed == ["nothing before it"]
    voice.push(TONE)
    voice.mark("first")
    voice.push(TONE)
    voice.mark("second")
    await voice.recv()
    assert passed[1:] == ["first"]
    await voice.recv()
    assert passed[1:] == ["first", "second"]


async def test_what_was_cleared_is_neither_sent_nor_acknowledged() -> None:
    passed: list[str] = []
    voice = Voice(passed.append)
    for _ in range(10):
        voice.push(TONE)
    voice.mark("end")
    voice.clear()
    await voice.recv()
    assert passed == []


async def test_a_voice_that_was_stopped_says_nothing_more() -> None:
    voice = Voice(lambda _: None)
    voice.stop()
    with pytest.raises(MediaStreamError):
        await voice.recv()
