"""A browser's side of a call, by aiortc itself, on loopback: speaks what it is given, keeps what it hears."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from fractions import Fraction
from unittest import mock

from aioice import ice
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, AudioResampler

from gateway.audio import Resampler
from gateway.values import Pcm

HZ = 48_000
SAMPLES = 960


class Microphone(MediaStreamTrack):
    """Silence in real time, with what is said in between."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.said = bytearray()
        self._count = 0
        self._began: float | None = None

    def say(self, pcm: Pcm) -> None:
        resampler = Resampler(pcm.rate, HZ)
        self.said += resampler.push(pcm).samples + resampler.flush().samples

    async def recv(self) -> AudioFrame:
        now = asyncio.get_running_loop().time()
        self._began = now if self._began is None else self._began
        await asyncio.sleep(max(0.0, self._began + self._count * 0.02 - now))
        samples = bytes(self.said[: SAMPLES * 2]).ljust(SAMPLES * 2, b"\0")
        del self.said[: SAMPLES * 2]
        frame = AudioFrame(format="s16", layout="mono", samples=SAMPLES)
        frame.planes[0].update(samples)
        frame.sample_rate, frame.time_base, frame.pts = HZ, Fraction(1, HZ), self._count * SAMPLES
        self._count += 1
        return frame


class Peer:
    """One side of a call that calls in."""

    def __init__(self) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.microphone = Microphone()
        self.connection.addTrack(self.microphone)
        self.connection.on("track", self._track)
        self.connection.on("connectionstatechange", self._changed)
        self.heard = bytearray()
        """48 kHz mono, as it arrived."""
        self._news = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None

    async def offer(self) -> str:
        """With every candidate in it."""
        with mock.patch.object(ice, "get_host_addresses", return_value=["127.0.0.1"]):
            await self.connection.setLocalDescription(await self.connection.createOffer())
        return str(self.connection.localDescription.sdp)

    async def take(self, answer: str) -> None:
        await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    def _track(self, track: MediaStreamTrack) -> None:
        self._reader = asyncio.get_running_loop().create_task(self._read(track))

    def _changed(self) -> None:
        self._news.set()

    async def _read(self, track: MediaStreamTrack) -> None:
        resampler = AudioResampler(format="s16", layout="mono", rate=HZ)
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            assert isinstance(frame, AudioFrame)
            for each in resampler.resample(frame):
                self.heard += bytes(each.planes[0])[: each.samples * 2]
            self._news.set()

    async def until(self, *, state: str = "", heard_ms: float = 0, within_s: float = 30) -> None:
        """Wait until the connection is in that state, or so much was heard."""
        async with asyncio.timeout(within_s):
            while (state and self.connection.connectionState != state) or len(self.heard) / 2 / HZ * 1000 < heard_ms:
                self._news.clear()
                await self._news.wait()

    def vanish(self) -> None:
        """Nothing more is sent and nothing more arrives, without a word: a closed lid, a pulled plug."""
        for protocol in self.connection.getSenders()[0].transport.transport._connection._protocols:
            protocol.transport.abort()

    async def aclose(self) -> None:
        await self.connection.close()
        if self._reader is not None:
            await asyncio.gather(self._reader, return_exceptions=True)


@asynccontextmanager
async def peer() -> AsyncIterator[Peer]:
    """A peer that hangs up at the end."""
    one = Peer()
    try:
        yield one
    finally:
        await one.aclose()
