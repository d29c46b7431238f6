"""What a stranger can send to a call's port is bounded, and cannot end the call."""

from __future__ import annotations

import pytest
from aioice import Candidate
from aioice.stun import Class, Message, Method
from aiortc import RTCIceTransport
from aiortc.rtp import RtpPacket
from av import AudioFrame

from gateway.adapters.webrtc.ear import AHEAD_MS, Ear
from gateway.adapters.webrtc.lines import (
    MOST_REMOTE_ADDRESSES,
    MOST_WAITING_PACKETS,
    CallDtls,
    CallGatherer,
    CallIce,
    CallReceiver,
    addresses_at,
    ice_servers,
)
from gateway.values import Private


def ice(alive: list[int] | None = None) -> CallIce:
    seen = [] if alive is None else alive
    return CallIce(["127.0.0.1"], [], lambda: seen.append(1))


async def test_an_empty_datagram_is_thrown_away() -> None:
    """aiortc's transport would end on it, and anybody could send one."""
    connection = ice()
    connection.data_received(b"", 1)
    assert connection._queue.empty()


async def test_no_more_packets_wait_than_a_call_can_need() -> None:
    connection = ice()
    for _ in range(MOST_WAITING_PACKETS + 100):
        connection.data_received(b"\x80", 1)
    assert connection._queue.qsize() == MOST_WAITING_PACKETS


async def test_checks_from_ever_new_addresses_are_no_longer_learned() -> None:
    alive: list[int] = []
    connection = ice(alive)
    connection._remote_candidates = [
        Candidate("1", 1, "udp", 1, "127.0.0.1", port, "prflx") for port in range(1, MOST_REMOTE_ADDRESSES + 1)
    ]
    check = Message(message_method=Method.BINDING, message_class=Class.REQUEST)
    connection.check_incoming(check, ("127.0.0.1", 9_999), None)  # type: ignore[arg-type]  # it is not looked at
    assert (len(connection.remote_candidates), alive) == (MOST_REMOTE_ADDRESSES, [])


async def test_only_the_addresses_that_were_given_are_bound() -> None:
    connection = ice()
    await connection.gather_candidates()
    assert {candidate.host for candidate in connection.local_candidates} == {"127.0.0.1"}
    await connection.close()


@pytest.mark.parametrize(
    ("events", "keys"),
    [
        pytest.param([(1, 5), (1, 5), (1, 5)], "5", id="one key in several packets"),
        pytest.param([(1, 5), (2, 5)], "55", id="the same key twice"),
        pytest.param([(1, 10), (2, 11), (3, 15)], "*#D", id="all keys"),
        pytest.param([(1, 16), (2, 255)], "", id="a flash, a tone: no key"),
    ],
)
async def test_a_key_is_pressed_once_however_many_packets_tell_of_it(events: list[tuple[int, int]], keys: str) -> None:
    """RFC 4733: the packets of one press have one timestamp."""
    pressed: list[str] = []
    dtls = CallDtls(RTCIceTransport(CallGatherer(ice())), lambda: None)
    receiver = CallReceiver(dtls, keys=110, pressed=pressed.append)
    for timestamp, event in events:
        packet = RtpPacket(payload_type=110, timestamp=timestamp)
        packet.payload = bytes([event, 0x80, 0, 160])
        await receiver._handle_rtp_packet(packet, 0)
    cut = RtpPacket(payload_type=110, timestamp=99)
    cut.payload = b"\x01"
    await receiver._handle_rtp_packet(cut, 0)
    assert "".join(pressed) == keys


@pytest.mark.parametrize(("host", "addresses"), [("localhost", ["127.0.0.1"]), ("127.0.0.1", ["127.0.0.1"]), ("::1", ["::1"])])
def test_browsers_reach_us_where_we_serve(host: str, addresses: list[str]) -> None:
    assert addresses_at(host) == addresses


def test_serving_everywhere_is_every_address_but_loopback() -> None:
    assert "127.0.0.1" not in addresses_at("0.0.0.0")  # noqa: S104


def test_the_operators_servers_are_taken_with_their_password() -> None:
    (server,) = ice_servers(["turn:turn.example:3478"], "sordino", Private("secret"))
    assert (server.urls, server.username, server.credential) == ("turn:turn.example:3478", "sordino", "secret")
    assert ice_servers([], "", Private("")) == []


class TestTheEar:
    def frame(self, pts: int) -> AudioFrame:
        frame = AudioFrame(format="s16", layout="stereo", samples=960)
        frame.planes[0].update(bytes(960 * 4))
        frame.sample_rate, frame.pts = 48_000, pts
        return frame

    def test_fills_a_lost_packet_with_silence_so_that_time_is_right(self) -> None:
        whole, lossy = Ear(), Ear()
        for n in range(20):
            every = list(whole.hear(self.frame(960 * n), now=n / 50))
            assert not every or every[-1].pcm.reveal().ms == 20
        heard = [len(list(lossy.hear(self.frame(960 * n), now=n / 50))) for n in range(20) if n not in (7, 8)]
        assert sum(heard) >= 18

    def test_hears_no_more_than_time_has_passed(self) -> None:
        """Frames at any speed: what is ahead of time is dropped, and counted."""
        ear = Ear()
        heard = [frame for n in range(1_000) for frame in ear.hear(self.frame(960 * n), now=0.0)]
        assert len(heard) * 20 <= AHEAD_MS + 40
        assert ear.dropped > 800
