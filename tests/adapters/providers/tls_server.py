"""A server that does its handshake as servers do: who cannot agree on a version is told so by an alert (RFC 8446 section 6.2)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass(slots=True)
class Listener:
    """``spoken``: the version of each handshake that succeeded; ``received``: what came inside of TLS, and ``raw``: all bytes."""

    port: int = 0
    spoken: list[str] = field(default_factory=list)
    received: bytearray = field(default_factory=bytearray)
    raw: bytearray = field(default_factory=bytearray)


@asynccontextmanager
async def listening(context: ssl.SSLContext) -> AsyncIterator[Listener]:
    """Takes the first bytes of each connection, and closes it without an answer."""
    listener = Listener()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # asyncio's own server hangs up before its alert is sent.
        came, goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(came, goes, server_side=True)
        agreed = False
        with suppress(ssl.SSLError, OSError):
            while data := await reader.read(1 << 16):
                listener.raw += data
                came.write(data)
                try:
                    if not agreed:
                        tls.do_handshake()
                        agreed = True
                        listener.spoken.append(tls.version() or "")
                    listener.received += tls.read(1 << 16)
                    break
                except ssl.SSLWantReadError:
                    continue
                finally:
                    writer.write(goes.read())
                    await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    listener.port = server.sockets[0].getsockname()[1]
    try:
        yield listener
    finally:
        server.close()
