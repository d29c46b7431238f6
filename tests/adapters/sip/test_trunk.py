"""The trunk takes calls of known peers on a private network, and of nobody else; a real SIP stack calls it over real RTP."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from gateway.adapters.sip.leg import SipLeg
from gateway.adapters.sip.network import Place, place
from gateway.adapters.sip.trunk import Trunk, TrunkParts
from gateway.adapters.system import RandomIds
from gateway.adapters.telemetry.logs import install_log_filter
from gateway.adapters.telemetry.null import NullTelemetry
from gateway.call.events import CallerAudio, KeyPressed, LegEvent, LegStarted, LegStopped, MarkReturned
from gateway.errors import Misconfigured, NotFound, PolicyUnavailable
from gateway.values import Pcm, Private
from tests.adapters.sip.phone import phone

HOME, AWAY, NOBODY = "+15550100", "+15550111", "+15550122"
TONE = Pcm(b"\x00\x20\x00\xe0" * 4_000, 8_000)
"""One second of a tone at half of the highest pitch."""
PATIENCE_S = 60
ROOT = Path(__file__).parents[3]


class Counted(NullTelemetry):
    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()

    def count(self, name: str, value: int = 1, **labels: str) -> None:
        self.kinds[labels["kind"]] += value


class House:
    """Runs calls as a test wants them run."""

    def __init__(self) -> None:
        self.telemetry = Counted()
        self.events: list[LegEvent] = []
        self.ends: list[tuple[str, str]] = []
        self.over = asyncio.Event()
        self.listens = True
        self.refuses = False
        self.legs: list[SipLeg] = []

    async def take(self, leg: SipLeg, caller: Private[str], called: Private[str]) -> None:
        self.ends.append((caller.reveal(), called.reveal()))
        self.legs.append(leg)
        if self.refuses:
            raise PolicyUnavailable("not now")
        if self.listens:
            await leg.listen()
        for at in range(0, len(TONE.samples), 320):
            await leg.send_audio(Pcm(TONE.samples[at : at + 320], 8_000))
        await leg.send_mark("announced")
        async for event in leg.events():
            self.events.append(event)
        self.over.set()

    def may_call(self, called: Private[str]) -> bool:
        if called.reveal() == NOBODY:
            raise NotFound("nobody here has this number")
        return called.reveal() == HOME

    @asynccontextmanager
    async def open(self, *, peers: tuple[str, ...] = ("127.0.0.1",)) -> AsyncIterator[tuple[str, int]]:
        parts = TrunkParts(self.take, self.may_call, RandomIds(), self.telemetry)
        async with asyncio.timeout(PATIENCE_S), Trunk(place("127.0.0.1:0", peers), parts) as trunk:
            yield "127.0.0.1", trunk.port

    def heard(self) -> bytes:
        return b"".join(event.pcm.reveal().samples for event in self.events if isinstance(event, CallerAudio))


@pytest.fixture
def house() -> House:
    return House()


async def test_a_call_is_heard_both_ways_keys_arrive_and_what_was_played_is_marked(house: House) -> None:
    async with house.open() as trunk, phone(trunk) as caller:
        await caller.call(HOME)
        await caller.say(TONE)
        await caller.press("7")
        await caller.wait(1.5)
        caller.hang_up()
        await house.over.wait()
    kinds = [type(event) for event in house.events]
    assert (kinds[0], kinds[-1]) == (LegStarted, LegStopped)
    assert [event.key.reveal() for event in house.events if isinstance(event, KeyPressed)] == ["7"]
    assert [event.name for event in house.events if isinstance(event, MarkReturned)] == ["announced"]
    assert house.ends == [("+15550199", HOME)]
    assert loudness(house.heard()) > 0.5 * 16_000 * len(TONE.samples) / 2 / 8_000
    assert loudness(bytes(caller.heard)) > 0.5 * 16_000 * len(TONE.samples) / 2 / 8_000


def loudness(samples: bytes) -> float:
    """Of all samples that sound, in thousands a second: how much tone there is."""
    return sum(abs(each) > 4_000 for each in memoryview(samples).cast("h")) * 2.0


async def test_before_the_call_listens_nothing_of_the_caller_is_decoded(house: House) -> None:
    house.listens = False
    async with house.open() as trunk, phone(trunk) as caller:
        await caller.call(HOME)
        await caller.say(TONE)
        caller.hang_up()
        await house.over.wait()
    assert sum(isinstance(event, CallerAudio) for event in house.events) > 10
    assert house.heard() == b""


async def test_a_mark_does_not_come_back_from_a_caller_who_has_gone_away(house: House) -> None:
    """Nothing but a packet of the other side after the last sound proves that somebody was there to hear it."""
    async with house.open() as trunk, phone(trunk) as caller:
        await caller.call(HOME)
        await asyncio.sleep(2.0)  # the tone has been played, and nobody has said a word
        caller.hang_up()
        await house.over.wait()
    assert not [event for event in house.events if isinstance(event, MarkReturned)]


@pytest.mark.parametrize(("called", "code"), [(NOBODY, 404), (AWAY, 403), ("reception", 404)])
async def test_who_calls_a_number_that_takes_no_calls_of_the_trunk_is_told_so(house: House, called: str, code: int) -> None:
    async with house.open() as trunk, phone(trunk) as caller:
        with pytest.raises(RuntimeError, match=str(code)):
            await caller.call(called)
    assert house.ends == []


OFFERS = {
    "to be heard on a public address": {"host": "93.184.216.34"},
    "a codec that we do not speak": {"codecs": (18,)},
    "encryption that this trunk does not have": {"proto": "RTP/SAVP"},
}


@pytest.mark.parametrize("wish", OFFERS.values(), ids=OFFERS.keys())
async def test_who_offers_what_cannot_be_is_refused(house: House, wish: dict[str, object]) -> None:
    async with house.open() as trunk, phone(trunk) as caller:
        with pytest.raises(RuntimeError, match="488"):
            await caller.call(HOME, offer=caller.offer(**wish))  # type: ignore[arg-type]
    assert house.ends == []


async def test_the_media_of_a_call_cannot_be_led_out_of_the_private_network_later(house: House) -> None:
    async with house.open() as trunk, phone(trunk) as caller:
        await caller.call(HOME)
        caller.hold("93.184.216.34")
        while not house.telemetry.kinds["sip_refused_488"]:
            await caller.wait(0.1)
        before = len(caller.heard)
        await caller.wait(0.5)
        assert len(caller.heard) > before


async def test_a_stranger_gets_no_answer_at_all(house: House) -> None:
    async with house.open(peers=("127.0.0.9",)) as trunk, phone(trunk) as caller:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await caller.call(HOME)
    assert house.ends == []
    assert house.telemetry.kinds["sip_stranger"] > 0


async def test_a_call_that_may_not_begin_is_hung_up(house: House) -> None:
    house.refuses = True
    async with house.open() as trunk, phone(trunk) as caller:
        await caller.call(HOME)
        await caller.hung_up.wait()
    assert house.telemetry.kinds["sip_policy_refused"] + house.telemetry.kinds["sip_policy_unavailable"] == 1


@pytest.mark.skipif(find_spec("baresip") is None, reason="baresip is not installed: make setup")
async def test_baresip_is_heard_hears_and_presses_a_key(house: House) -> None:
    async with house.open() as trunk:
        command = (sys.executable, "-m", "tests.adapters.sip.baresip_call", str(trunk[1]), HOME)
        telephone = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
        told = json.loads((await telephone.communicate())[0])
        await house.over.wait()
    assert telephone.returncode == 0
    assert told["loudest"] > 4_000
    assert loudness(house.heard()) > 0.25 * 16_000
    assert [event.key.reveal() for event in house.events if isinstance(event, KeyPressed)] == ["7"]


async def test_no_log_of_any_library_tells_who_called_whom(house: House) -> None:
    """Also at DEBUG, and of what could not be read."""
    told = io.StringIO()
    with install_log_filter(logging.DEBUG, told):
        async with house.open() as trunk, phone(trunk) as caller:
            for name in ("aiosipua", "aiosipua.uas", "aiosipua.transport", "aiortp", "aiortp.session", "asyncio"):
                logging.getLogger(name).disabled = False
                logging.getLogger(name).setLevel(logging.DEBUG)
            junk = f"INVITE sip:{HOME}@x SIP/2.0\r\nFrom: <sip:+15550199@x>\r\n: broken\r\n\r\n"
            caller.uac.transport._socket.sendto(junk.encode(), trunk)  # type: ignore[attr-defined]
            await caller.call(HOME)
            await caller.press("7")
            caller.hang_up()
            await house.over.wait()
    assert "aiosipua" in told.getvalue()
    assert not [number for number in ("15550199", "15550100") if number in told.getvalue()]


async def test_junk_on_the_port_does_no_harm(house: House) -> None:
    async with house.open() as trunk, phone(trunk) as caller:
        for junk in (b"", b"\x00" * 40, b"INVITE sip:x SIP/2.0\r\n\r\n", b"A" * 60_000, b"BYE sip:x SIP/2.0\r\nVia: x\r\n\r\n"):
            caller.uac.transport._socket.sendto(junk, trunk)  # type: ignore[attr-defined]
        await caller.call(HOME)
        caller.hang_up()
        await house.over.wait()
    assert house.ends == [("+15550199", HOME)]


async def test_closing_the_trunk_hangs_up_and_ends_every_call(house: House) -> None:
    async with phone(("127.0.0.1", 9)) as caller:
        async with house.open() as trunk:
            caller.reach(trunk)
            await caller.call(HOME)
        await caller.hung_up.wait()
    assert isinstance(house.events[-1], LegStopped)


PLACES = {
    "10.0.0.5": ("10.0.0.1",),
    "192.168.1.2:5080": ("192.168.1.1", "172.16.9.9"),
    "[fd00::5]:5060": ("fd00::1",),
}


@pytest.mark.parametrize(("listen", "peers"), PLACES.items())
def test_a_trunk_stands_on_a_private_network(listen: str, peers: tuple[str, ...]) -> None:
    assert place(listen, peers) == Place(place(listen, peers).host, place(listen, peers).port, frozenset(peers))


REFUSED = {
    "a public address": ("93.184.216.34:5060", ("10.0.0.1",)),
    "every address": ("0.0.0.0:5060", ("10.0.0.1",)),
    "a name": ("sbc.example", ("10.0.0.1",)),
    "an address that carriers share": ("100.64.0.1", ("10.0.0.1",)),
    "no peer": ("10.0.0.5", ()),
    "a public peer": ("10.0.0.5", ("8.8.8.8",)),
    "a peer by name": ("10.0.0.5", ("sbc.local",)),
    "a port that is none": ("10.0.0.5:99999", ("10.0.0.1",)),
}


@pytest.mark.parametrize(("listen", "peers"), REFUSED.values(), ids=REFUSED.keys())
def test_anything_else_is_refused_by_the_name_of_the_variable(listen: str, peers: tuple[str, ...]) -> None:
    with pytest.raises(Misconfigured, match="SORDINO_SIP_"):
        place(listen, peers)
