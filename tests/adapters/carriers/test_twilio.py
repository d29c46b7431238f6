"""A Twilio stream becomes the events of a call, and no message of it can do more than be refused and counted."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.adapters.carriers.twilio import MAX_MARKS_UNDER_WAY, TwilioMedia
from gateway.call.events import CallerAudio, KeyPressed, LegEvent, LegStarted, LegStopped, MarkReturned
from gateway.caller.wire import Clear, Mark, Play, TwilioWire, read
from gateway.errors import CarrierProtocolError
from gateway.values import Pcm, Private

RECORDING = (Path(__file__).parent / "recordings" / "twilio-call.jsonl").read_text().splitlines()
STREAM = "MZ" + "3" * 32
FRAME = Pcm(b"\0" * 320, 8000)


def wire() -> TwilioWire:
    return TwilioWire("CA" + "2" * 32, STREAM, "AC" + "1" * 32, {"token": "t"})


def started() -> tuple[TwilioMedia, TwilioWire]:
    media, carrier = TwilioMedia(), wire()
    media.receive(carrier.connected())
    media.receive(carrier.start())
    return media, carrier


def changed(message: str, **fields: object) -> str:
    return json.dumps(json.loads(message) | fields)


def without(message: str, field: str) -> str:
    return json.dumps({name: value for name, value in json.loads(message).items() if name != field})


def kind_of(media: TwilioMedia, message: str | bytes) -> str:
    with pytest.raises(CarrierProtocolError) as fault:
        media.receive(message)
    return fault.value.kind


def test_a_documented_call_becomes_its_events() -> None:
    media = TwilioMedia()
    events: list[LegEvent] = [event for line in RECORDING[:2] for event in media.receive(line)]
    media.mark("announcement:recording")
    events += [event for line in RECORDING[2:] for event in media.receive(line)]
    assert events == [
        LegStarted(
            "MZ00000000000000000000000000000003",
            "CA00000000000000000000000000000002",
            {"token": "t0k3n", "greeting": "hello"},
        ),
        CallerAudio(Private(Pcm(b"\0" * 16, 8000)), 5),
        CallerAudio(Private(Pcm(b"\x7c\x7d" * 8, 8000)), 25),
        KeyPressed(Private("1")),
        MarkReturned("announcement:recording"),
        LegStopped(),
    ]
    assert media.faults == Counter()


def test_what_is_sent_is_what_twilio_documents() -> None:
    media, _ = started()
    assert json.loads(media.audio(FRAME)) == {
        "event": "media",
        "streamSid": STREAM,
        "media": {"payload": base64.b64encode(b"\xff" * 160).decode()},
    }
    assert json.loads(media.mark("m")) == {"event": "mark", "streamSid": STREAM, "mark": {"name": "m"}}
    assert json.loads(media.clear()) == {"event": "clear", "streamSid": STREAM}


def test_the_other_end_of_the_line_reads_what_is_sent() -> None:
    media, _ = started()
    assert read(media.audio(FRAME), STREAM) == Play(b"\xff" * 160)
    assert read(media.mark("m"), STREAM) == Mark("m")
    assert read(media.clear(), STREAM) == Clear()


@pytest.mark.parametrize("text", ["", "[]", '{"event":"media"}', '{"event":"clear","streamSid":"MZ other"}'])
def test_the_other_end_takes_nothing_else(text: str) -> None:
    assert read(text, STREAM) is None


def test_nothing_is_sent_before_the_stream_is_open() -> None:
    media = TwilioMedia()
    sends: list[Callable[[], str]] = [lambda: media.audio(FRAME), lambda: media.mark("m"), media.clear]
    for send in sends:
        with pytest.raises(CarrierProtocolError) as fault:
            send()
        assert fault.value.kind == "not_started"


def test_audio_at_another_rate_is_a_mistake_of_the_program() -> None:
    media, _ = started()
    with pytest.raises(TypeError, match="8000 Hz, not 16000 Hz"):
        media.audio(Pcm(b"\0\0", 16000))


MEDIA = wire().media(b"\xff" * 160)
FAULTY: list[tuple[str, str | bytes, str]] = [
    ("no JSON", "hello", "malformed"),
    ("no object", "[]", "malformed"),
    ("nothing", "", "malformed"),
    ("nested for ever", "[" * 60_000, "malformed"),
    ("a number of 5000 digits", '{"event":' + "1" * 5000 + "}", "malformed"),
    ("longer than 64 KiB", " " * 70_000, "oversized"),
    ("binary", b"\x00", "binary"),
    ("no event", "{}", "unknown_event"),
    ("an event of another protocol", '{"event":"transcript"}', "unknown_event"),
    ("an event that is no text", '{"event":["media"]}', "unknown_event"),
    ("connected again", wire().connected(), "out_of_order"),
    ("start again", wire().start(), "out_of_order"),
    ("another stream", changed(MEDIA, streamSid="MZ other"), "wrong_stream"),
    ("no stream", without(MEDIA, "streamSid"), "wrong_stream"),
    ("no media object", without(MEDIA, "media"), "malformed"),
    ("no sequence number", without(MEDIA, "sequenceNumber"), "bad_sequence"),
    ("a negative sequence number", changed(MEDIA, sequenceNumber="-1"), "bad_sequence"),
    ("a sequence number of another script", changed(MEDIA, sequenceNumber="²"), "bad_sequence"),
    ("a sequence number far ahead", changed(MEDIA, sequenceNumber="99999999"), "bad_sequence"),
    ("our own voice", changed(MEDIA, media={"track": "outbound", "timestamp": "0", "payload": "/w=="}), "wrong_track"),
    ("no time stamp", changed(MEDIA, media={"track": "inbound", "payload": "/w=="}), "malformed"),
    ("no audio", changed(MEDIA, media={"track": "inbound", "timestamp": "0"}), "bad_audio"),
    ("empty audio", changed(MEDIA, media={"track": "inbound", "timestamp": "0", "payload": ""}), "bad_audio"),
    ("no base64", changed(MEDIA, media={"track": "inbound", "timestamp": "0", "payload": "é!"}), "bad_audio"),
    ("two seconds at once", changed(MEDIA, media={"track": "inbound", "timestamp": "0", "payload": "/" * 21_336}), "oversized"),
    ("a key of no telephone", changed(wire().dtmf("1"), dtmf={"digit": "17"}), "bad_key"),
    ("a mark that was not sent", wire().mark("announcement:recording"), "unknown_mark"),
    ("a mark without a name", changed(wire().mark("m"), mark={}), "malformed"),
    ("a mark with half a character", changed(wire().mark("m"), mark={"name": "\ud800"}), "malformed"),
]


@pytest.mark.parametrize(("message", "kind"), [row[1:] for row in FAULTY], ids=[row[0] for row in FAULTY])
def test_a_faulty_message_is_refused_and_counted_and_the_call_goes_on(message: str | bytes, kind: str) -> None:
    media, carrier = started()
    assert kind_of(media, message) == kind
    assert media.faults == {kind: 1}
    assert media.receive(carrier.media(b"\xff" * 160)) == (CallerAudio(Private(FRAME), 0),)
    assert media.faults == {kind: 1}


START = wire().start()


def start_with(**fields: object) -> str:
    message = json.loads(START)
    return json.dumps(message | {"start": message["start"] | fields})


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (start_with(mediaFormat={"encoding": "audio/x-mulaw", "sampleRate": 16000, "channels": 1}), "wrong_format"),
        (start_with(mediaFormat={"encoding": "audio/x-l16", "sampleRate": 8000, "channels": 1}), "wrong_format"),
        (start_with(mediaFormat=None), "wrong_format"),
        (start_with(tracks=["outbound"]), "wrong_track"),
        (start_with(streamSid="MZ another"), "wrong_stream"),
        (start_with(callSid=""), "malformed"),
        (start_with(callSid=7), "malformed"),
        (start_with(customParameters={"token": 1}), "malformed"),
        (start_with(customParameters={"token": "x" * 500}), "malformed"),
        (start_with(customParameters={str(n): "" for n in range(100)}), "malformed"),
        (without(START, "start"), "malformed"),
        (without(START, "sequenceNumber"), "bad_sequence"),
        (wire().media(b"\xff"), "out_of_order"),
        (wire().stop(), "out_of_order"),
    ],
)
def test_a_stream_that_does_not_start_as_agreed_is_not_started(message: str, kind: str) -> None:
    media, carrier = TwilioMedia(), wire()
    media.receive(carrier.connected())
    assert kind_of(media, message) == kind
    assert not media.started
    assert media.receive(carrier.start()) == (LegStarted(STREAM, carrier.call_sid, {"token": "t"}),)


def test_the_first_message_is_connected() -> None:
    media = TwilioMedia()
    assert kind_of(media, START) == "out_of_order"
    assert kind_of(media, '{"event":"connected","protocol":"Fax","version":"1.0.0"}') == "unknown_protocol"


def test_after_stop_nothing_is_taken_and_nothing_is_sent() -> None:
    media, carrier = started()
    assert media.receive(carrier.stop()) == (LegStopped(),)
    assert kind_of(media, carrier.media(b"\xff")) == "after_stop"
    with pytest.raises(CarrierProtocolError):
        media.audio(FRAME)


def test_audio_that_comes_twice_is_heard_once() -> None:
    media, carrier = started()
    message = carrier.media(b"\xff" * 160)
    assert len(media.receive(message)) == 1
    assert media.receive(message) == ()
    assert media.faults == {"duplicate": 1}


def test_missing_audio_is_counted_and_late_audio_is_not_played_out_of_order() -> None:
    media, carrier = started()
    late = [carrier.media(b"\x00" * 160) for _ in range(3)]
    assert len(media.receive(carrier.media(b"\xff" * 160))) == 1
    assert media.faults == {"sequence_gap": 3}
    assert media.receive(late[1]) == ()
    assert media.faults == {"sequence_gap": 3, "late": 1}
    assert media.receive(late[1]) == ()
    assert media.faults == {"sequence_gap": 3, "late": 1, "duplicate": 1}


def test_a_late_key_and_a_late_mark_still_count() -> None:
    media, carrier = started()
    media.mark("m")
    key, mark = carrier.dtmf("#"), carrier.mark("m")
    media.receive(carrier.media(b"\xff"))
    assert media.receive(key) == (KeyPressed(Private("#")),)
    assert media.receive(mark) == (MarkReturned("m"),)


def test_a_key_that_comes_twice_was_pressed_once() -> None:
    media, carrier = started()
    key = carrier.dtmf("5")
    assert media.receive(key) == (KeyPressed(Private("5")),)
    assert media.receive(key) == ()


def test_a_mark_counts_as_often_as_it_was_sent() -> None:
    media, carrier = started()
    media.mark("m")
    media.mark("m")
    assert media.receive(carrier.mark("m")) == media.receive(carrier.mark("m")) == (MarkReturned("m"),)
    assert kind_of(media, carrier.mark("m")) == "unknown_mark"


def test_a_carrier_that_never_returns_marks_cannot_fill_the_memory() -> None:
    media, _ = started()
    for number in range(MAX_MARKS_UNDER_WAY):
        media.mark(str(number))
    with pytest.raises(CarrierProtocolError, match="did not return"):
        media.mark("one more")


SECRET = "4532 1180 9661 2345"


@pytest.mark.parametrize(
    "message",
    [
        SECRET,
        json.dumps({"event": SECRET}),
        changed(wire().mark("m"), mark={"name": SECRET}),
        changed(wire().dtmf("1"), dtmf={"digit": SECRET}),
        changed(MEDIA, media={"track": SECRET, "timestamp": SECRET, "payload": SECRET}),
        changed(MEDIA, streamSid=SECRET),
    ],
)
def test_no_error_holds_anything_of_the_message(message: str) -> None:
    media, _ = started()
    with pytest.raises(CarrierProtocolError) as caught:
        media.receive(message)
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in f"{error!r} {error.args} {vars(error)}"
        error = error.__cause__ or error.__context__
    assert SECRET not in repr(media.faults)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([STREAM, "inbound", "1", "/w=="]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["payload", "track", "name", "digit", "x"]), inner)
    ),
    max_leaves=8,
)
messages = st.fixed_dictionaries(
    {"event": st.sampled_from(["connected", "start", "media", "dtmf", "mark", "stop", "other"])},
    optional={
        "streamSid": st.just(STREAM) | json_values,
        "sequenceNumber": st.integers(0, 40).map(str) | json_values,
        "protocol": st.just("Call") | json_values,
        "start": st.just(json.loads(START)["start"]) | json_values,
        "media": st.just(json.loads(MEDIA)["media"]) | json_values,
        "dtmf": st.just({"digit": "1"}) | json_values,
        "mark": st.just({"name": "m"}) | json_values,
    },
).map(json.dumps)


@settings(max_examples=300, deadline=None)
@given(st.lists(messages | st.text(max_size=40) | st.binary(max_size=20), max_size=12), st.booleans())
def test_whatever_comes_there_are_events_or_a_counted_protocol_error(stream: list[str | bytes], open_first: bool) -> None:
    media = started()[0] if open_first else TwilioMedia()
    if open_first:
        media.mark("m")
    for message in stream:
        before = media.faults.total()
        try:
            assert len(media.receive(message)) <= 1
        except CarrierProtocolError:
            assert media.faults.total() == before + 1


@settings(max_examples=100, deadline=None)
@given(st.permutations(range(12)))
def test_in_any_order_audio_is_heard_at_most_once_and_never_backwards(order: list[int]) -> None:
    media, carrier = started()
    frames = [carrier.media(bytes([number])) for number in range(12)]
    heard = [event.at_ms for number in order for event in media.receive(frames[number]) if isinstance(event, CallerAudio)]
    assert heard == sorted(set(heard))
    assert len(heard) + media.faults["late"] + media.faults["duplicate"] == 12
