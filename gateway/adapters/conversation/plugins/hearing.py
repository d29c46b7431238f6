"""Speech to text at a processor, through livekit's plugin for it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

from livekit import rtc
from livekit.agents import stt

from gateway.adapters.conversation.plugins.clients import LONGEST_S, ONCE, answered, failures_told, require
from gateway.adapters.conversation.plugins.vendors import EARS
from gateway.audio import resample
from gateway.errors import UpstreamFailed
from gateway.outgoing import Line, OpenLine, RequestShape
from gateway.policy.egress import Grant
from gateway.values import Hop, Pcm, Private, Transcribed

HEARING_HZ = 16_000
_MOST_TEXT = 20_000
"""Characters of 30 s of speech, many times over."""


class HearingVendor(Protocol):
    """How one vendor's plugin is made and what it must send."""

    dialect: str
    streams: bool
    """It takes audio over a WebSocket only."""

    def shape(self, grant: Grant, language: str) -> RequestShape: ...
    def client(self, grant: Grant, line: Line, language: str) -> Any:
        """The plugin's ``stt.STT``. Raises Misconfigured when it is not installed."""
        ...


class PluginEar:
    """Implements ``gateway.ports.TimedSpeechToText``. The plugin's object is made for each request, from its Grant."""

    def __init__(self, vendor: HearingVendor, open_line: OpenLine) -> None:
        self._vendor = vendor
        self._open_line = open_line

    async def transcribe(self, grant: Grant, speech: Private[Pcm], *, language: str) -> Private[str]:
        """Raises as ``transcribe_words``."""
        return (await self.transcribe_words(grant, speech, language=language)).text

    async def transcribe_words(self, grant: Grant, speech: Private[Pcm], *, language: str) -> Transcribed:
        """One stretch of speech, with the times of its words where the vendor gives them.

        Raises:
            PolicyRefused: the Grant is for something else, or the plugin would send other than it says. Nothing was sent.
            Misconfigured: the plugin is not installed, or the Grant's secret is not set.
            UpstreamFailed, UpstreamTimeout: it was not understood, or not within 30 s.
        """
        require(grant, Hop.STT, self._vendor.dialect)
        pcm = resample(speech.reveal(), HEARING_HZ)
        line = self._open_line(grant, self._vendor.shape(grant, language))
        frame = rtc.AudioFrame(pcm.samples, pcm.rate, 1, len(pcm.samples) // 2)
        with failures_told(grant, line):
            client: stt.STT[str] = self._vendor.client(grant, line, language)
            try:
                async with asyncio.timeout(LONGEST_S):
                    heard = await (_streamed if self._vendor.streams else _at_once)(client, frame)
            finally:
                await client.aclose()
        answered(grant, line)
        return _transcribed(grant, heard)


async def _at_once(client: stt.STT[str], frame: rtc.AudioFrame) -> list[stt.SpeechData]:
    event = await client.recognize(frame, conn_options=ONCE)
    return event.alternatives[:1]


async def _streamed(client: stt.STT[str], frame: rtc.AudioFrame) -> list[stt.SpeechData]:
    heard: list[stt.SpeechData] = []
    async with client.stream(conn_options=ONCE) as stream:
        stream.push_frame(frame)
        # A stream whose input has ended before its task began never connects.
        await asyncio.sleep(0)
        stream.end_input()
        async for event in stream:
            if event.type is stt.SpeechEventType.FINAL_TRANSCRIPT:
                heard += event.alternatives[:1]
    return heard


def _transcribed(grant: Grant, heard: list[stt.SpeechData]) -> Transcribed:
    texts = [each.text for each in heard]
    if not all(isinstance(text, str) for text in texts) or sum(map(len, texts)) > _MOST_TEXT:
        raise UpstreamFailed(f"the answer of {grant.processor} is no transcription")
    words = [_word(word) for each in heard for word in each.words or ()]
    known = [word for word in words if word is not None]
    return Transcribed.of(" ".join(text.strip() for text in texts if text.strip()), known if len(known) == len(words) else ())


def _word(word: Any) -> tuple[str, float, float] | None:
    start, end = getattr(word, "start_time", None), getattr(word, "end_time", None)
    if isinstance(start, int | float) and isinstance(end, int | float):
        return str(word), start * 1000, end * 1000
    return None


def plugin_ears(open_line: OpenLine) -> Mapping[str, PluginEar]:
    """Every vendor that hears, by dialect."""
    return {vendor.dialect: PluginEar(vendor, open_line) for vendor in EARS}
