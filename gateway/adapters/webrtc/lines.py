"""ICE and DTLS of one call, as aiortc has them, with what a gateway on a public network must add.

* We bind the addresses that we are told, and no others.
* What a stranger can send us is bounded: packets that wait, and addresses that ICE learns.
* An empty datagram, which would end aiortc's transport, is thrown away.
* ``alive`` is called for each packet that only the other end can have sent: a STUN check with our password, or SRTP.
* Until ``listening`` is set, the caller's RTP is thrown away before it is even parsed.

This stands on methods of aioice and aiortc that are theirs to change, so their versions are pinned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aioice import Candidate as IceCandidate
from aioice import Connection, stun
from aioice.ice import StunProtocol, get_host_addresses
from aiortc import (
    RTCCertificate,
    RTCDtlsTransport,
    RTCIceGatherer,
    RTCIceServer,
    RTCIceTransport,
    RTCRtpReceiver,
)
from aiortc.rtcicetransport import connection_kwargs
from aiortc.rtp import RtpPacket

from gateway.values import Private

MOST_WAITING_PACKETS = 500
"""Ten seconds of audio: what may lie unread while the handshake goes on or this process is busy."""
MOST_REMOTE_ADDRESSES = 64
SAFE_DTLS = frozenset({"DTLSv1.2", "DTLSv1.3"})
"""DTLS 1.0 and 1.1 are not to be used (RFC 8996)."""

Alive = Callable[[], None]


class CallIce(Connection):
    """ICE on the addresses that it is given, with the STUN and TURN servers of the operator, if any."""

    def __init__(self, addresses: Sequence[str], servers: Sequence[RTCIceServer], alive: Alive) -> None:
        super().__init__(ice_controlling=False, **connection_kwargs(list(servers)))
        self._addresses = list(addresses)
        self._alive = alive

    async def get_component_candidates(  # aioice's own signature
        self,
        component: int,
        addresses: list[str],
        timeout: int = 5,  # noqa: ASYNC109
    ) -> list[IceCandidate]:
        return await super().get_component_candidates(component, self._addresses, timeout)

    def data_received(self, data: bytes, component: int) -> None:
        if data and self._queue.qsize() < MOST_WAITING_PACKETS:
            super().data_received(data, component)

    def check_incoming(self, message: stun.Message, addr: tuple[str, int], protocol: StunProtocol) -> None:
        """A check that knows our password."""
        known = self._remote_candidates
        if len(known) >= MOST_REMOTE_ADDRESSES and addr not in {(each.host, each.port) for each in known}:
            return
        self._alive()
        super().check_incoming(message, addr, protocol)


class CallGatherer(RTCIceGatherer):
    """aiortc's gatherer around our ICE."""

    def __init__(self, ice: CallIce) -> None:
        super().__init__(iceServers=[])
        self._connection = ice


class CallDtls(RTCDtlsTransport):
    """The DTLS-SRTP transport of one call."""

    def __init__(self, ice: RTCIceTransport, alive: Alive) -> None:
        super().__init__(ice, [RTCCertificate.generateCertificate()])
        self._alive = alive
        self.listening = False

    @property
    def facts(self) -> dict[str, str]:
        """What was agreed: ``dtls`` (version), ``cipher``, ``srtp`` (profile). Empty before the handshake."""
        tls = self._ssl
        if tls is None or not self.encrypted:
            return {}
        profile: bytes = tls.get_selected_srtp_profile()
        return {
            "dtls": tls.get_protocol_version_name(),
            "cipher": tls.get_cipher_name() or "unknown",
            "srtp": profile.decode("ascii"),
        }

    async def _handle_rtp_data(self, data: bytes, arrival_time_ms: int) -> None:
        self._alive()
        if self.listening:
            await super()._handle_rtp_data(data, arrival_time_ms)

    async def _handle_rtcp_data(self, data: bytes) -> None:
        self._alive()
        await super()._handle_rtcp_data(data)


class CallReceiver(RTCRtpReceiver):
    """aiortc's receiver, with key presses taken out (RFC 4733): a new timestamp is a new key."""

    def __init__(self, dtls: CallDtls, *, keys: int | None, pressed: Callable[[str], None]) -> None:
        super().__init__("audio", dtls)
        self._keys = keys
        self._pressed = pressed
        self._key_at: int | None = None

    async def _handle_rtp_packet(self, packet: RtpPacket, arrival_time_ms: int) -> None:
        if packet.payload_type != self._keys:
            await super()._handle_rtp_packet(packet, arrival_time_ms)
        elif len(packet.payload) >= 4 and packet.payload[0] < len(KEYS) and packet.timestamp != self._key_at:
            self._key_at = packet.timestamp
            self._pressed(KEYS[packet.payload[0]])


KEYS = "0123456789*#ABCD"
"""Key presses by their event codes (RFC 4733 section 3.2)."""


def ice_servers(urls: Sequence[str], username: str, password: Private[str]) -> list[RTCIceServer]:
    """``stun:`` and ``turn:`` URLs (RFC 7064, 7065) as aiortc takes them. aioice uses the first of each kind."""
    return [RTCIceServer(urls=url, username=username or None, credential=password.reveal() or None) for url in urls]


def addresses_at(host: str) -> list[str]:
    """Where browsers reach who serves at ``host``: that address, or all of this machine's where it serves at all of them."""
    if host == "localhost":
        return ["127.0.0.1"]
    if host in ("", "0.0.0.0", "::"):  # noqa: S104
        return get_host_addresses(use_ipv4=True, use_ipv6=host == "::")
    return [host]
