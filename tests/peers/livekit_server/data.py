"""A ledger of everything that a client put on its data channels, so that a test can say: nothing was."""

from __future__ import annotations

import asyncio
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from livekit.protocol.models import DataPacket, DataStream


@dataclass(frozen=True, slots=True)
class Stream:
    """A text or byte stream as its opener announced it. LiveKit's transcripts have the topic ``lk.transcription``."""

    sender: str
    topic: str
    stream_id: str
    is_text: bool
    deflated: bool
    raw: bytearray

    @property
    def content(self) -> bytes:
        """As far as it has come. Clients deflate longer texts: a search of the wire alone would miss what they hold."""
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(bytes(self.raw)) if self.deflated else bytes(self.raw)


@dataclass(slots=True)
class DataLedger:
    """Every packet of every client of one room, in the order in which they came."""

    packets: list[tuple[str, DataPacket]] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def text_streams(self) -> list[Stream]:
        return [stream for stream in self.streams if stream.is_text]

    @property
    def kinds(self) -> Counter[str]:
        """How many packets of which kind: ``user``, ``stream_header``, ``transcription``, ``rpc_request``…"""
        return Counter(packet.WhichOneof("value") or "empty" for _, packet in self.packets)

    def holds(self, secret: str) -> bool:
        """Whether the text occurs in any packet or any stream, deflated or split over chunks as it may be."""
        needle = secret.encode()
        texts = [packet.SerializeToString() for _, packet in self.packets] + [stream.content for stream in self.streams]
        return any(needle in text for text in texts)

    def record(self, sender: str, raw: bytes) -> DataPacket:
        packet = DataPacket.FromString(raw)
        self.packets.append((sender, packet))
        match packet.WhichOneof("value"):
            case "stream_header":
                self._opened(sender, packet.stream_header)
            case "stream_chunk":
                for stream in self.streams:
                    if stream.stream_id == packet.stream_chunk.stream_id:
                        stream.raw.extend(packet.stream_chunk.content)
        self._more.set()
        return packet

    def _opened(self, sender: str, header: DataStream.Header) -> None:
        is_text = header.HasField("text_header")
        deflated = header.compression == DataStream.CompressionType.DEFLATE_RAW
        self.streams.append(Stream(sender, header.topic, header.stream_id, is_text, deflated, bytearray(header.inline_content)))

    async def until(self, ready: Callable[[DataLedger], bool], *, within: float = 20.0) -> None:
        """Wait until the ledger is as asked. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while not ready(self):
                self._more.clear()
                await self._more.wait()
