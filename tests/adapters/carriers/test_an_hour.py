"""A call of an hour leaves a stream and its plot as small as they were after a second."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

from gateway.adapters.carriers.twilio import TwilioMedia
from gateway.call.events import MarkReturned
from gateway.call.flow import CallFlow, Hear, PlayedOut
from gateway.call.plot import Announcement
from gateway.caller.wire import TwilioWire

FRAME_MS = 60
FRAMES = 60 * 60 * 1_000 // FRAME_MS
WARM = 1_000
GROWN_BYTES = 256
ANNOUNCEMENT = Announcement("hour", "test", "en", "", "", 1_000)


def test_a_call_of_an_hour_is_heard_to_its_end_and_keeps_nothing() -> None:
    codec, wire, flow = TwilioMedia(), TwilioWire("CA" + "0" * 32, "MZ" + "0" * 32, "AC" + "0" * 32), CallFlow((ANNOUNCEMENT,))
    codec.receive(wire.connected())
    for event in codec.receive(wire.start()):
        flow.on(event, 0)
    flow.on(PlayedOut(ANNOUNCEMENT.id), 1_000)
    flow.on(MarkReturned(ANNOUNCEMENT.mark(1)), 1_000)
    frame, heard, small = bytes(8 * FRAME_MS), 0, 0
    for number in range(FRAMES):
        for event in codec.receive(wire.media(frame)):
            heard += sum(isinstance(command, Hear) for command in flow.on(event, 1_000 + number * FRAME_MS))
        if number == WARM:
            small = kept(codec, flow)
    assert heard == FRAMES
    assert not codec.faults
    assert kept(codec, flow) <= small + GROWN_BYTES


def kept(*holders: object) -> int:
    """How many bytes these objects would take on disk, with everything that they hold."""
    return sum(len(pickle.dumps(list(_parts(holder)))) for holder in holders)


def _parts(holder: object) -> Iterator[str]:
    names = holder.__dict__ if hasattr(holder, "__dict__") else holder.__slots__  # type: ignore[attr-defined]
    return (repr(getattr(holder, name)) for name in names)
