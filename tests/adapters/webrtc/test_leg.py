"""A browser on a call, with aiortc at the other end over real ICE, DTLS and SRTP on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar

import pytest
from aiortc import RTCIceServer

from gateway.adapters.webrtc.leg import Bounds, BrowserLeg, Network
from gateway.adapters.webrtc.sdp import Candidate, read_offer
from gateway.audio import level
from gateway.call.events import CallerAudio, LegEvent, LegStarted, LegStopped, MarkReturned
from gateway.errors import CarrierProtocolError, Misconfigured
from gateway.values import Pcm
from tests.adapters.webrtc.offers import CHROMIUM, FINGERPRINT
from tests.adapters.webrtc.peer import HZ, SAMPLES, Peer, peer

LOOPBACK = Network(["127.0.0.1"])
PATIENCE_S = 30
BOUNDS = Bounds()
TONE = Pcm(b"".join((8000 if n // 50 % 2 else -8000).to_bytes(2, "little", signed=True) for n in range(HZ)), HZ)
E = TypeVar("E", bound=LegEvent)


class Line:
    """A leg with its peer, both connected, and what the leg has told so far."""

    def __init__(self, leg: BrowserLeg, peer: Peer) -> None:
        self.leg = leg
        self.peer = peer
        self.told: list[LegEvent] = []
        self._events = leg.events()

    async def until(self, kind: type[E]) -> E:
        """The next event of that kind; those before it are in ``told``."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                event = await anext(self._events)
                self.told.append(event)
                if isinstance(event, kind):
                    return event

    async def say(self, pcm: Pcm, mark: str) -> None:
        for at in range(0, len(pcm.samples), SAMPLES * 2):
            await self.leg.send_audio(Pcm(pcm.samples[at : at + SAMPLES * 2], HZ))
        await self.leg.send_mark(mark)


@asynccontextmanager
async def connected(bounds: Bounds = BOUNDS) -> AsyncIterator[Line]:
    async with AsyncExitStack() as stack:
        other = await stack.enter_async_context(peer())
        leg = BrowserLeg("rtc_1", read_offer((await other.offer()).encode()), LOOPBACK, bounds)
        stack.push_async_callback(leg.close)
        await other.take(await leg.answer())
        await leg.open()
        await other.until(state="connected")
        yield Line(leg, other)


class TestWhatTheCallerHears:
    async def test_is_what_was_sent_and_a_mark_tells_when(self) -> None:
        """A second of sound, a mark behind it; the mark is our own clock's word, and says so."""
        async with connected() as line:
            assert (line.leg.rate, line.leg.acknowledges) == (48_000, "playout")
            await line.say(TONE, "end")
            began = asyncio.get_running_loop().time()
            assert (await line.until(MarkReturned)).name == "end"
            assert asyncio.get_running_loop().time() - began >= 0.7, "in real time, but for what our clock may catch up on"
            await line.peer.until(heard_ms=1_000)
            assert level(Pcm(bytes(line.peer.heard), HZ)) > 1_000
            assert isinstance(line.told[0], LegStarted)

    async def test_stops_when_it_is_cleared_and_what_was_cleared_is_not_acknowledged(self) -> None:
        async with connected() as line:
            await line.say(Pcm(TONE.samples * 5, HZ), "cleared")
            await line.leg.send_clear()
            await line.say(Pcm(b"", HZ), "next")
            assert (await line.until(MarkReturned)).name == "next"

    async def test_proves_nothing_once_the_browser_is_gone(self) -> None:
        """A page that vanished in the middle of an announcement has not heard its end, whatever our clock says."""
        async with connected(Bounds(idle_s=3.0)) as line:
            line.peer.vanish()
            await line.say(TONE, "end")
            assert (await line.until(LegStopped)).why == "silent_line"
            assert not [event for event in line.told if isinstance(event, MarkReturned)]


class TestWhatTheCallerSays:
    async def test_is_not_even_decoded_before_the_call_may_be_heard_and_is_heard_after(self) -> None:
        async with connected() as line:
            line.peer.microphone.say(Pcm(TONE.samples * 20, HZ))
            await line.say(Pcm(b"", HZ), "announced")
            await line.until(MarkReturned)
            assert line.leg.state == "announcing"
            assert line.leg._receiver is None
            assert not [event for event in line.told if isinstance(event, CallerAudio)]
            await line.leg.listen()
            await line.leg.listen()
            heard = [await line.until(CallerAudio) for _ in range(20)]
            pcm = [each.pcm.reveal() for each in heard]
            assert {(each.rate, each.ms) for each in pcm} == {(16_000, 20.0)}
            assert [each.at_ms for each in heard] == [20 * n for n in range(20)]
            assert level(Pcm(b"".join(each.samples for each in pcm), 16_000)) > 1_000
            assert "rivate" in repr(heard[0])


class TestAHangUp:
    async def test_by_the_browser_ends_the_leg(self) -> None:
        async with connected() as line:
            await line.peer.aclose()
            assert (await line.until(LegStopped)).why == "hung_up"
            assert line.leg.state == "ended"

    async def test_by_us_ends_it_for_the_browser_too_and_nothing_is_sent_any_more(self) -> None:
        async with connected() as line:
            await line.leg.close()
            await line.leg.close()
            await line.peer.until(state="closed")
            assert (await line.until(LegStopped)).why == "closed"
            await line.say(TONE, "late")
            await line.leg.send_clear()
            await line.leg.listen()
            assert line.leg._receiver is None

    async def test_while_it_is_listened_to_leaves_nothing_behind(self) -> None:
        """No task goes on."""
        async with connected() as line:
            await line.leg.listen()
            await line.until(CallerAudio)
            await line.leg.close()
            assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("browser:")]

    @pytest.mark.parametrize("answered", [False, True])
    async def test_before_the_browser_connects_ends_the_waiting(self, answered: bool) -> None:
        leg = BrowserLeg("rtc_1", read_offer(CHROMIUM.encode()), LOOPBACK)
        if answered:
            await leg.answer()
        waiting = asyncio.gather(leg.open(), return_exceptions=True) if answered else None
        await asyncio.sleep(0)
        await leg.close()
        async with asyncio.timeout(PATIENCE_S):
            if waiting is not None:
                (ended,) = await waiting
                assert isinstance(ended, CarrierProtocolError)
            assert [event async for event in leg.events()] == [LegStopped("closed")]


class TestALineThatCannotBeTrusted:
    async def test_is_not_opened_when_nobody_comes(self) -> None:
        leg = BrowserLeg("rtc_1", read_offer(CHROMIUM.encode()), LOOPBACK, Bounds(connect_s=0.2))
        await leg.answer()
        with pytest.raises(CarrierProtocolError) as refused:
            await leg.open()
        assert refused.value.kind == "no_connection"
        assert leg.transport == {}
        await leg.close()

    async def test_is_not_opened_for_another_certificate_than_the_offer_names(self) -> None:
        """Somebody in between."""
        async with peer() as other:
            offer = read_offer((await other.offer()).encode())
            forged = type(offer)(**{**{name: getattr(offer, name) for name in offer.__slots__}, "fingerprints": FORGED})
            leg = BrowserLeg("rtc_1", forged, LOOPBACK)
            await other.take(await leg.answer())
            with pytest.raises(CarrierProtocolError) as refused:
                await leg.open()
            assert refused.value.kind == "no_dtls"
            await leg.close()

    async def test_is_not_offered_where_we_have_no_address(self) -> None:
        leg = BrowserLeg("rtc_1", read_offer(CHROMIUM.encode()), Network([]))
        with pytest.raises(Misconfigured, match="no address"):
            await leg.answer()
        await leg.close()


FORGED = (("sha-256", FINGERPRINT),)


async def test_the_record_tells_how_the_line_is_encrypted() -> None:
    """Promise 24: the versions and ciphers that were agreed."""
    async with connected() as line:
        facts = line.leg.transport
        assert (facts["kind"], facts["leg"], facts["dtls"]) == ("webrtc", "rtc_1", "DTLSv1.2")
        assert facts["cipher"].startswith("ECDHE-")
        assert facts["srtp"].startswith("SRTP_A")


async def test_an_address_that_the_offer_names_is_sent_nothing() -> None:
    """Unless the operator has set servers: it is the browser that comes to us. Nobody can have us knock at other doors."""
    leg = BrowserLeg("rtc_1", read_offer(CHROMIUM.encode()), LOOPBACK)
    await leg.answer()
    await leg.more_candidates(leg._offer.candidates)
    assert leg._offer.candidates
    assert leg._ice.getRemoteCandidates() == []
    await leg.close()


async def test_with_servers_of_the_operator_further_addresses_are_tried() -> None:
    """Behind NAT it takes both sides' packets to open the way."""
    leg = BrowserLeg("rtc_1", read_offer(CHROMIUM.encode()), Network(["127.0.0.1"], [RTCIceServer("turn:127.0.0.1:9")]))
    await leg.more_candidates([Candidate("127.0.0.1", 40_000, 1, "host")])
    assert [(each.ip, each.port) for each in leg._ice.getRemoteCandidates()] == [("127.0.0.1", 40_000)]
    await leg.close()


async def test_the_page_can_follow_the_call() -> None:
    async with connected() as line:
        seen: list[str] = []

        async def follow() -> None:
            seen.extend([state async for state in line.leg.states()])

        following = asyncio.gather(follow())
        await asyncio.sleep(0)
        await line.leg.listen()
        await asyncio.sleep(0)
        await line.leg.close()
        await following
        assert seen == ["announcing", "listening", "ended"]
