"""Whoever plays a carrier sends what our codec of it takes, takes what our codec of it sends, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.adapters.carriers.exotel import ExotelMedia
from gateway.adapters.carriers.plivo import PlivoMedia
from gateway.adapters.carriers.telnyx import TelnyxMedia
from gateway.adapters.carriers.twilio import TwilioMedia
from gateway.adapters.carriers.vonage import VonageMedia
from gateway.call.events import CallerAudio, KeyPressed, LegStarted, LegStopped, MarkReturned
from gateway.caller.vendors import CARRIERS
from gateway.caller.wire import Clear, Mark, Play
from gateway.caller.wires import Wire, wire_of
from gateway.values import Pcm, Private

Codec = TwilioMedia | TelnyxMedia | PlivoMedia | VonageMedia | ExotelMedia
CODECS: dict[str, Callable[[], Codec]] = {
    "twilio": TwilioMedia,
    "telnyx": TelnyxMedia,
    "plivo": PlivoMedia,
    "vonage": VonageMedia,
    "exotel": ExotelMedia,
}
TOKEN = "dG9rZW4"


def joined(carrier: str) -> tuple[Wire, Codec]:
    parameters = {"token": TOKEN} | ({"call": "call-1"} if carrier == "vonage" else {})
    wire, codec = wire_of(carrier, "call-1", "stream-1", "account-1", parameters), CODECS[carrier]()
    events = [event for message in wire.opening() for event in codec.receive(message)]
    leg = "call-1" if carrier == "vonage" else "stream-1"
    assert events == [LegStarted(leg, "call-1", {"token": TOKEN})]
    return wire, codec


def read(wire: Wire, messages: str | bytes | tuple[str, ...]) -> list[Play | Mark | Clear | None]:
    return [wire.read(each) for each in (messages if isinstance(messages, tuple) else (messages,))]


@pytest.mark.parametrize("carrier", CARRIERS)
def test_what_the_caller_says_and_presses_arrives(carrier: str) -> None:
    wire, codec = joined(carrier)
    for _ in range(3):
        (heard,) = codec.receive(wire.media(b"\xff" * 160))
        assert isinstance(heard, CallerAudio)
        assert heard.pcm.reveal().ms == 20
    assert codec.receive(wire.dtmf("#")) == (KeyPressed(Private("#")),)


@pytest.mark.parametrize("carrier", CARRIERS)
def test_what_the_gateway_says_is_heard_marked_and_cleared(carrier: str) -> None:
    wire, codec = joined(carrier)
    second = Pcm(bytes(codec.rate * 2), codec.rate)
    *heard, mark = [*read(wire, codec.audio(second)), *read(wire, codec.mark("m"))]
    assert mark == Mark("m")
    assert sum(len(each.ulaw) for each in heard if isinstance(each, Play)) == pytest.approx(8_000, abs=200)
    assert codec.receive(wire.mark("m")) == (MarkReturned("m"),)
    assert read(wire, codec.clear()) == [Clear()]
    cleared = wire.cleared()
    assert cleared is None or codec.receive(cleared) == ()
    stop = wire.stop()
    assert stop is None or codec.receive(stop) == (LegStopped(),)


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize(
    "message", ["", "[]", "[" * 10_000, '{"event":"media"}', '{"event":"media","media":{"payload":"é"}}', b"x"]
)
def test_nothing_else_is_taken(carrier: str, message: str | bytes) -> None:
    wire, _ = joined(carrier)
    assert wire.read(message) is None


def test_exotel_takes_no_piece_that_would_tear() -> None:
    wire, _ = joined("exotel")
    small = '{"event":"media","stream_sid":"stream-1","media":{"payload":"AAAA"}}'
    assert wire.read(small) is None
