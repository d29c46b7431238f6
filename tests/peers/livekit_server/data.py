"""A ledger of everything that a client put on its data channels, so that a test can say: nothing was."""

from __future__ import annotations

import asyncio
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from livekit.protocol.models import DataPacket, DataStream


@dataclass(frozen=True, slots=True)
class TextStream:
    """One text stream as its opener announced it. ``lk.transcription`` is the topic of LiveKit's transcripts."""

    sender: str
    topic: str
    stream_id: str
    deflated: bool = False
    raw: bytearray = field(default_factory=bytearray)

    @property
    def text(self) -> bytes:
        """The text as far as it has come. A client may deflate it: a search of the wire alone would miss it."""
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(bytes(self.raw)) if self.deflated else bytes(self.raw)


@dataclass(slots=True)
class DataLedger:
    """Every packet of every participant of one room, in the order in which they came."""

    packets: list[tuple[str, DataPacket]] = field(default_factory=list)
    text_streams: list[TextStream] = field(default_factory=list)
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def kinds(self) -> Counter[str]:
        """How many packets of which kind: ``user``, ``stream_header``, ``transcription``, ``rpc_request``…"""
        return Counter(packet.WhichOneof("value") or "empty" for _, packet in self.packets)

    def holds(self, secret: str) -> bool:
        """Whether the text occurs in any packet or any text stream (also in one that is split over chunks)."""
        needle = secret.encode()
        return any(needle in packet.SerializeToString() for _, packet in self.packets) or any(
            needle in stream.text for stream in self.text_streams
        )

    def record(self, sender: str, raw: bytes) -> DataPacket:
        packet = DataPacket.FromString(raw)
        self.packets.append((sender, packet))
        match packet.WhichOneof("value"):
            case "stream_header" if packet.stream_header.HasField("text_header"):
                header = packet.stream_header
                deflated = header.compression == DataStream.CompressionType.DEFLATE_RAW
                self.text_streams.append(
                    TextStream(sender, header.topic, header.stream_id, deflated, bytearray(header.inline_content))
                )
            case "stream_chunk":
                for stream in self.text_streams:
                    if stream.stream_id == packet.stream_chunk.stream_id:
                        stream.raw.extend(packet.stream_chunk.content)
        self._more.set()
        return packet

    async def until(self, ready: Callable[[DataLedger], bool], *, within: float = 20.0) -> None:
        """Wait until the ledger is as asked. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while not ready(self):
                self._more.clear()
                await self._more.wait()
