"""Streams of Telnyx, Plivo, Vonage and Exotel become the events of a call; no message can do more than be refused and counted."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.adapters.carriers.exotel import FIRST_PIECE_BYTES, PIECE_BYTES, ExotelMedia
from gateway.adapters.carriers.plivo import PlivoMedia, from_hex, to_hex
from gateway.adapters.carriers.stream import MAX_MARKS_UNDER_WAY
from gateway.adapters.carriers.telnyx import TelnyxMedia
from gateway.adapters.carriers.vonage import VonageMedia
from gateway.call.events import CallerAudio, KeyPressed, LegEvent, LegStarted, LegStopped, MarkReturned
from gateway.errors import CarrierProtocolError
from gateway.values import Pcm, Private

Codec = TelnyxMedia | PlivoMedia | VonageMedia | ExotelMedia
NEW: dict[str, Callable[[], Codec]] = {
    "telnyx": TelnyxMedia,
    "plivo": PlivoMedia,
    "vonage": VonageMedia,
    "exotel": ExotelMedia,
}
CARRIERS = tuple(NEW)
MARK = "announcement:recording"
STREAM = {
    "telnyx": "32DE0DEA-53CB-4B21-89A4-9E1819C043BC",
    "plivo": "87654321-4321-4321-4321-cba987654321",
    "vonage": "0779a56d002f1c7f47f82ef5fe84ab79",
    "exotel": "stream0000000001",
}
CALL = {
    "telnyx": "v2:T02llQxIyaRkhfRKxgAP8nY511EhFLizdvdUKJiSw8d6A9BborherQ",
    "plivo": "12345678-1234-1234-1234-123456789abc",
    "vonage": "0779a56d002f1c7f47f82ef5fe84ab79",
    "exotel": "call0000000000000000000000000001",
}


def recording(carrier: str) -> list[str | bytes]:
    """The documented messages; a binary one stands as base64."""
    lines = (Path(__file__).parent / "recordings" / f"{carrier}-call.jsonl").read_text().splitlines()
    return [base64.b64decode(row["binary"]) if "binary" in (row := json.loads(line)) else line for line in lines]


def opening(carrier: str) -> list[str | bytes]:
    """Up to the start message."""
    return recording(carrier)[: 1 if carrier in ("plivo", "vonage") else 2]


def begun(carrier: str) -> Codec:
    codec = NEW[carrier]()
    for message in opening(carrier):
        codec.receive(message)
    assert codec.started
    return codec


def sent(messages: str | bytes | tuple[str, ...]) -> list[Any]:
    each = messages if isinstance(messages, tuple) else (messages,)
    return [json.loads(message) if isinstance(message, str) else message for message in each]


def frame(codec: Codec) -> Pcm:
    return Pcm(bytes(codec.rate // 50 * 2), codec.rate)


def kind_of(codec: Codec, message: str | bytes) -> str:
    with pytest.raises(CarrierProtocolError) as fault:
        codec.receive(message)
    return fault.value.kind


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_documented_call_becomes_its_events(carrier: str) -> None:
    codec, lines = NEW[carrier](), recording(carrier)
    first = len(opening(carrier))
    events: list[LegEvent] = [event for line in lines[:first] for event in codec.receive(line)]
    codec.mark(MARK)
    events += [event for line in lines[first:] for event in codec.receive(line)]
    parameters = {"token": from_hex("b74d24de"), "line": "7"} if carrier == "plivo" else {"token": "t0k3n"}
    expected: list[LegEvent] = [
        LegStarted(STREAM[carrier], CALL[carrier], parameters),
        CallerAudio(Private(Pcm(b"\0" * 16, codec.rate)), 0 if carrier == "vonage" else 5),
        KeyPressed(Private("1")),
        MarkReturned(MARK),
    ]
    assert events == expected + ([LegStopped()] if carrier in ("telnyx", "exotel") else [])
    assert codec.faults == Counter({"sequence_gap": 2} if carrier == "telnyx" else {})


SILENCE = base64.b64encode(b"\xff" * 160).decode()
WRITTEN: list[tuple[str, list[Any], list[Any], list[Any]]] = [
    (
        "telnyx",
        [{"event": "media", "media": {"payload": SILENCE}}],
        [{"event": "mark", "mark": {"name": "m"}}],
        [{"event": "clear"}],
    ),
    (
        "plivo",
        [{"event": "playAudio", "media": {"contentType": "audio/x-mulaw", "sampleRate": 8000, "payload": SILENCE}}],
        [{"event": "checkpoint", "streamId": STREAM["plivo"], "name": "m"}],
        [{"event": "clearAudio", "streamId": STREAM["plivo"]}],
    ),
    ("vonage", [bytes(640)], [{"action": "notify", "payload": {"name": "m"}}], [{"action": "clear"}]),
    (
        "exotel",
        [],
        [
            {
                "event": "media",
                "stream_sid": STREAM["exotel"],
                "media": {"payload": base64.b64encode(bytes(PIECE_BYTES)).decode()},
            },
            {"event": "mark", "stream_sid": STREAM["exotel"], "mark": {"name": "m"}},
        ],
        [{"event": "clear", "stream_sid": STREAM["exotel"]}],
    ),
]


@pytest.mark.parametrize(("carrier", "audio", "mark", "clear"), WRITTEN, ids=CARRIERS)
def test_what_is_sent_is_what_the_carrier_documents(carrier: str, audio: list[Any], mark: list[Any], clear: list[Any]) -> None:
    codec = begun(carrier)
    assert sent(codec.audio(frame(codec))) == audio
    assert sent(codec.mark("m")) == mark
    assert sent(codec.clear()) == clear


@pytest.mark.parametrize("carrier", CARRIERS)
def test_nothing_is_sent_before_the_stream_is_open(carrier: str) -> None:
    codec = NEW[carrier]()
    sends: list[Callable[[], object]] = [lambda: codec.audio(frame(codec)), lambda: codec.mark("m"), codec.clear]
    for send in sends:
        with pytest.raises(CarrierProtocolError) as fault:
            send()
        assert fault.value.kind == "not_started"


@pytest.mark.parametrize("carrier", CARRIERS)
def test_audio_at_another_rate_is_a_mistake_of_the_program(carrier: str) -> None:
    with pytest.raises(TypeError, match="24000 Hz"):
        begun(carrier).audio(Pcm(b"\0\0", 24_000))


class TestExotelsPieces:
    """Smaller than 3200 bytes, or no multiple of 320, and the caller hears gaps."""

    @staticmethod
    def sizes(messages: list[Any]) -> list[int]:
        return [len(base64.b64decode(each["media"]["payload"])) for each in messages if each["event"] == "media"]

    def test_a_second_of_speech_leaves_in_whole_pieces_the_first_one_longer(self) -> None:
        codec = begun("exotel")
        messages = [message for _ in range(50) for message in sent(codec.audio(frame(codec)))]
        assert self.sizes(messages) == [FIRST_PIECE_BYTES, *[PIECE_BYTES] * 3]

    @settings(max_examples=50)
    @given(st.lists(st.sampled_from([160, 320, 640, 2]), min_size=1, max_size=80))
    def test_whatever_comes_nothing_is_lost_and_every_piece_is_one_that_exotel_takes(self, samples: list[int]) -> None:
        codec = begun("exotel")
        said = [Pcm(bytes([1, 0]) * count, 8_000) for count in samples]
        messages = [message for pcm in said for message in sent(codec.audio(pcm))] + sent(codec.mark("m"))
        assert messages[-1]["event"] == "mark"
        assert all(size >= PIECE_BYTES and size % 320 == 0 for size in self.sizes(messages))
        heard = b"".join(base64.b64decode(each["media"]["payload"]) for each in messages[:-1])
        assert heard.count(b"\x01") == sum(samples)

    def test_what_was_gathered_is_thrown_away_with_the_rest(self) -> None:
        codec = begun("exotel")
        assert isinstance(codec, ExotelMedia)
        codec.audio(frame(codec))
        codec.clear()
        assert [message["event"] for message in sent(codec.mark("m"))] == ["mark"]


def changed(carrier: str, path: str, value: object, line: int) -> str:
    """A message of the recording with another value at ``path``; ``...`` takes the field away."""
    text = recording(carrier)[line]
    assert isinstance(text, str)
    message = json.loads(text)
    place = message
    *way, last = path.split(".")
    for name in way:
        place = place[name]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return json.dumps(message)


STARTS: list[tuple[str, str, object, str]] = [
    ("telnyx", "start.media_format.encoding", "L16", "wrong_format"),
    ("telnyx", "start.media_format", None, "wrong_format"),
    ("telnyx", "start.call_control_id", "", "malformed"),
    ("telnyx", "stream_id", 7, "malformed"),
    ("telnyx", "start.custom_parameters", {"token": 1}, "malformed"),
    ("telnyx", "sequence_number", ..., "bad_sequence"),
    ("plivo", "start.mediaFormat.encoding", "audio/x-l16", "wrong_format"),
    ("plivo", "start.mediaFormat.sampleRate", 16_000, "wrong_format"),
    ("plivo", "start.tracks", ["outbound"], "wrong_track"),
    ("plivo", "extra_headers", {"token": "1"}, "malformed"),
    ("plivo", "start.callId", ..., "malformed"),
    ("vonage", "content-type", "audio/l16;rate=8000", "wrong_format"),
    ("vonage", "content-type", ..., "wrong_format"),
    ("vonage", "call", ..., "malformed"),
    ("vonage", "token", 7, "malformed"),
    ("exotel", "start.media_format.encoding", "audio/x-mulaw", "wrong_format"),
    ("exotel", "start.media_format.encoding", "audio/alaw", "wrong_format"),
    ("exotel", "start.media_format.sample_rate", "16000", "wrong_format"),
    ("exotel", "start.media_format", ..., "malformed"),
    ("exotel", "start.stream_sid", "another", "wrong_stream"),
    ("exotel", "start.call_sid", ..., "malformed"),
]


@pytest.mark.parametrize(("carrier", "path", "value", "kind"), STARTS)
def test_a_stream_that_does_not_start_as_agreed_is_not_started(carrier: str, path: str, value: object, kind: str) -> None:
    codec, first = NEW[carrier](), opening(carrier)
    for message in first[:-1]:
        codec.receive(message)
    assert kind_of(codec, changed(carrier, path, value, len(first) - 1)) == kind
    assert not codec.started
    assert isinstance(codec.receive(first[-1])[0], LegStarted)


FAULTY: list[tuple[str, int, str, object, str]] = [
    ("telnyx", 2, "media.track", "outbound", "wrong_track"),
    ("telnyx", 2, "stream_id", "another", "wrong_stream"),
    ("telnyx", 2, "media.payload", "é!", "bad_audio"),
    ("telnyx", 2, "media.payload", "/" * 21_336, "oversized"),
    ("telnyx", 2, "sequence_number", ..., "bad_sequence"),
    ("telnyx", 2, "sequence_number", True, "bad_sequence"),
    ("telnyx", 3, "dtmf.digit", "17", "bad_key"),
    ("telnyx", 4, "mark.name", "never sent", "unknown_mark"),
    ("telnyx", 5, "stream_id", ..., "wrong_stream"),
    ("telnyx", 5, "event", "error", "carrier_error"),
    ("plivo", 1, "media.track", "outbound", "wrong_track"),
    ("plivo", 1, "media.timestamp", ..., "malformed"),
    ("plivo", 1, "sequenceNumber", 99_999_999, "bad_sequence"),
    ("plivo", 2, "dtmf", ..., "malformed"),
    ("plivo", 3, "name", "never sent", "unknown_mark"),
    ("plivo", 4, "streamId", "another", "wrong_stream"),
    ("vonage", 2, "digit", 1, "bad_key"),
    ("vonage", 3, "payload", ..., "malformed"),
    ("vonage", 3, "payload.name", "never sent", "unknown_mark"),
    ("vonage", 4, "event", "websocket:dance", "unknown_event"),
    ("vonage", 0, "token", "again", "out_of_order"),
    ("exotel", 2, "media.payload", base64.b64encode(b"odd").decode(), "bad_audio"),
    ("exotel", 2, "media.track", "outbound", "wrong_track"),
    ("exotel", 2, "media.payload", "A" * 21_400, "oversized"),
    ("exotel", 4, "mark.name", "never sent", "unknown_mark"),
    ("exotel", 5, "stream_sid", "another", "wrong_stream"),
    ("exotel", 1, "event", "start", "out_of_order"),
]


@pytest.mark.parametrize(("carrier", "line", "path", "value", "kind"), FAULTY)
def test_a_faulty_message_is_refused_and_counted_and_the_call_goes_on(
    carrier: str, line: int, path: str, value: object, kind: str
) -> None:
    codec = begun(carrier)
    assert kind_of(codec, changed(carrier, path, value, line)) == kind
    assert codec.faults[kind] == 1
    audio = next(each for each in recording(carrier)[len(opening(carrier)) :])
    assert isinstance(codec.receive(audio)[0], CallerAudio)


BINARY: list[tuple[str, bytes, str]] = [
    ("telnyx", b"\0\0", "binary"),
    ("plivo", b"\0\0", "binary"),
    ("exotel", b"\0\0", "binary"),
    ("vonage", b"", "bad_audio"),
    ("vonage", b"\0", "bad_audio"),
    ("vonage", bytes(32_002), "oversized"),
]


@pytest.mark.parametrize(("carrier", "message", "kind"), BINARY)
def test_binary_messages_are_audio_at_vonage_and_a_fault_elsewhere(carrier: str, message: bytes, kind: str) -> None:
    assert kind_of(begun(carrier), message) == kind


def test_vonages_audio_before_the_first_message_is_no_call() -> None:
    assert kind_of(VonageMedia(), bytes(640)) == "out_of_order"


@pytest.mark.parametrize("carrier", ["plivo", "vonage"])
def test_a_mark_that_was_cleared_away_proves_nothing_when_it_comes_after_all(carrier: str) -> None:
    codec = begun(carrier)
    codec.mark(MARK)
    codec.clear()
    assert kind_of(codec, recording(carrier)[3]) == "unknown_mark"


@pytest.mark.parametrize(("carrier", "line"), [("telnyx", 4), ("exotel", 4)])
def test_a_mark_that_was_cleared_away_comes_back(carrier: str, line: int) -> None:
    codec = begun(carrier)
    codec.mark(MARK)
    codec.clear()
    assert codec.receive(recording(carrier)[line]) == (MarkReturned(MARK),)


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_carrier_that_never_returns_marks_cannot_fill_the_memory(carrier: str) -> None:
    codec = begun(carrier)
    for count in range(MAX_MARKS_UNDER_WAY):
        codec.mark(str(count))
    with pytest.raises(CarrierProtocolError, match="did not return"):
        codec.mark("one more")


@pytest.mark.parametrize(("carrier", "line"), [("telnyx", 2), ("plivo", 1), ("exotel", 2)])
def test_audio_that_comes_twice_is_heard_once(carrier: str, line: int) -> None:
    codec, message = begun(carrier), recording(carrier)[line]
    assert len(codec.receive(message)) == 1
    assert codec.receive(message) == ()
    assert codec.faults["duplicate"] == 1


@given(st.binary(min_size=1, max_size=200))
def test_a_token_goes_through_plivos_letters_and_digits_unchanged(raw: bytes) -> None:
    token = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    assert to_hex(token).isalnum()
    assert from_hex(to_hex(token)) == token


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from([*STREAM.values(), "/w=="]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["payload", "track", "name", "digit"]), inner),
    max_leaves=6,
)
FIELDS = (
    *("stream_id", "stream_sid", "streamId", "sequence_number", "sequenceNumber", "start", "media", "dtmf", "mark"),
    *("name", "payload", "digit", "extra_headers", "content-type", "call", "token"),
)
EVENTS = (
    *("connected", "start", "media", "dtmf", "mark", "stop", "clear", "error", "playedStream", "clearedAudio"),
    *("websocket:connected", "websocket:dtmf", "websocket:notify", "websocket:cleared", "other"),
)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A message of some recording with some fields replaced, or one made up."""
    texts = [line for carrier in CARRIERS for line in recording(carrier) if isinstance(line, str)]
    message = json.loads(draw(st.sampled_from(texts))) if draw(st.booleans()) else {"event": draw(st.sampled_from(EVENTS))}
    return json.dumps(message | draw(st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=4)))


@pytest.mark.parametrize("carrier", CARRIERS)
@settings(max_examples=150)
@given(stream=st.lists(mutated() | st.text(max_size=40) | st.binary(max_size=20), max_size=10), open_first=st.booleans())
def test_whatever_comes_there_are_events_or_a_counted_protocol_error(
    carrier: str, stream: list[str | bytes], open_first: bool
) -> None:
    codec = begun(carrier) if open_first else NEW[carrier]()
    if open_first:
        codec.mark(MARK)
    for message in stream:
        before = codec.faults.total()
        try:
            assert len(codec.receive(message)) <= 1
        except CarrierProtocolError:
            assert codec.faults.total() == before + 1


SECRET = "4532 1180 9661 2345"


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("event", EVENTS)
def test_no_error_holds_anything_of_the_message(carrier: str, event: str) -> None:
    codec = begun(carrier)
    try:
        codec.receive(json.dumps({"event": event} | dict.fromkeys(FIELDS, SECRET)))
    except CarrierProtocolError as caught:
        error: BaseException | None = caught
        while error is not None:
            assert SECRET not in f"{error!r} {error.args} {vars(error)}"
            error = error.__cause__ or error.__context__
    assert SECRET not in repr(codec.faults)
