"""SIP over UDP, for known peers only: what anybody else sends is not even read."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from aiosipua import SipRequest, SipResponse
from aiosipua.transport import SipTransport

MOST_BYTES = 16 * 1024
"""A request that is longer is no INVITE of a border controller."""


def be_silent() -> None:
    """aiosipua and aiortp log addresses and what they could not read: numbers of callers stand in that."""
    for name in ("aiosipua", "aiortp"):
        logging.getLogger(name).disabled = True
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


@dataclass
class PeerTransport(SipTransport):
    """A UDP socket of aiosipua's kind. ``stranger`` is called for each message that comes from no peer."""

    peers: frozenset[str] = frozenset()
    stranger: Callable[[], None] = lambda: None
    _socket: asyncio.DatagramTransport | None = field(default=None, init=False, repr=False)

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), local_addr=self.local_addr)
        self._socket = transport
        host, port = transport.get_extra_info("sockname")[:2]
        self.local_addr = (str(host), int(port))

    def arrived(self, data: bytes, source: tuple[str, int]) -> None:
        """One datagram."""
        if source[0] not in self.peers or len(data) > MOST_BYTES:
            self.stranger()
            return
        self._dispatch(data, source)

    def send(self, message: SipRequest | SipResponse, addr: tuple[str, int]) -> None:
        """To a peer; an answer that a forged Via would lead elsewhere goes nowhere."""
        if self._socket is not None and addr[0] in self.peers:
            self._socket.sendto(bytes(message), addr)

    async def stop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, owner: PeerTransport) -> None:
        self._owner = owner

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._owner.arrived(data, (str(addr[0]), int(addr[1])))
