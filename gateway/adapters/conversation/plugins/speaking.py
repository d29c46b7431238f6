"""Text to speech at a processor, through livekit's plugin for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Protocol

from livekit.agents import tts

from gateway.adapters.conversation.plugins.clients import LONGEST_S, ONCE, answered, failures_told, require
from gateway.adapters.conversation.plugins.vendors import SPEAKING_HZ, VOICES
from gateway.errors import UpstreamFailed
from gateway.outgoing import Line, OpenLine, RequestShape
from gateway.policy.egress import Grant
from gateway.values import Hop, Pcm, Private


class SpeakingVendor(Protocol):
    """How one vendor's plugin is made and what it must send."""

    dialect: str

    def shape(self, grant: Grant, language: str) -> RequestShape: ...
    def client(self, grant: Grant, line: Line, language: str) -> Any:
        """The plugin's ``tts.TTS`` at ``SPEAKING_HZ``. Raises Misconfigured when it is not installed."""
        ...


class PluginVoice:
    """Implements ``gateway.ports.TextToSpeech``. The plugin's object is made for each request, from its Grant."""

    def __init__(self, vendor: SpeakingVendor, open_line: OpenLine) -> None:
        self._vendor = vendor
        self._open_line = open_line

    @property
    def rate(self) -> int:
        return SPEAKING_HZ

    async def speak(self, grant: Grant, text: Private[str], *, language: str) -> AsyncGenerator[Pcm, None]:
        """Pieces as they come. What has no word in it is not sent, and makes no sound.

        Raises:
            PolicyRefused: the Grant is for something else, or the plugin would send other than it says. Nothing was sent.
            Misconfigured: the plugin is not installed, the Grant's secret is not set, or the route names no voice.
            UpstreamFailed, UpstreamTimeout: it was not spoken, or not within 30 s.
        """
        require(grant, Hop.TTS, self._vendor.dialect)
        words = text.reveal()
        if not any(each.isalnum() for each in words):
            return
        line = self._open_line(grant, self._vendor.shape(grant, language))
        with failures_told(grant, line):
            client: tts.TTS[str] = self._vendor.client(grant, line, language)
            try:
                async with client.synthesize(words, conn_options=ONCE) as stream:
                    pieces = aiter(stream)
                    while (pcm := await _next(pieces, grant)) is not None:
                        if pcm.samples:
                            yield pcm
            finally:
                await client.aclose()
        answered(grant, line)


async def _next(pieces: Any, grant: Grant) -> Pcm | None:
    async with asyncio.timeout(LONGEST_S):
        audio: tts.SynthesizedAudio | None = await anext(pieces, None)
    if audio is None:
        return None
    if audio.frame.sample_rate != SPEAKING_HZ or audio.frame.num_channels != 1:
        raise UpstreamFailed(f"{grant.processor} spoke in another format than it was asked for")
    samples = bytes(audio.frame.data)
    # livekit marks the end with some silence of its own.
    return Pcm(samples if not audio.is_final or any(samples) else b"", SPEAKING_HZ)


def plugin_voices(open_line: OpenLine) -> Mapping[str, PluginVoice]:
    """Every vendor that speaks, by dialect."""
    return {vendor.dialect: PluginVoice(vendor, open_line) for vendor in VOICES}
