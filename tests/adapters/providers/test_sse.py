"""Server-sent events: whatever the network does to the bytes, the same events come out."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.providers.sse import SseBroken, SseDecoder


def decoded(*pieces: bytes) -> list[str]:
    decoder = SseDecoder()
    return [data for piece in pieces for data in decoder.feed(piece)]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: one\n\ndata: two\n\n", ["one", "two"]),
        (b"data: one\r\n\r\ndata: two\r\n\r\n", ["one", "two"]),
        (b"data: one\r\rdata: two\r\r", ["one", "two"]),
        (b": a comment\n\ndata: one\n: another\n\n", ["one"]),
        (b"data:no space\n\n", ["no space"]),
        (b"data:  two spaces\n\n", [" two spaces"]),
        (b"data: first line\ndata: second line\n\n", ["first line\nsecond line"]),
        (b"event: message\nid: 7\nretry: 10\ndata: one\n\n", ["one"]),
        (b"data\n\n", [""]),
        (b"\xef\xbb\xbfdata: after a byte order mark\n\n", ["after a byte order mark"]),
        ("data: Grüße, 日本\n\n".encode(), ["Grüße, 日本"]),
        (b"event: ping\n\n", []),
        (b"\n\n\n", []),
        (b"data: one\n\n\ndata: two\n\n", ["one", "two"]),
        (b"data: one\n\n: a comment\n\ndata: two\n\n", ["one", "two"]),
        (b"data: one\n\ndata: first\ndata: second\n\n", ["one", "first\nsecond"]),
        (b"data: \n\ndata: one\n\n", ["", "one"]),
        (b"data: never closed", []),
        (b"database: one\n\n", []),
    ],
)
def test_events_are_read_as_the_standard_says(stream: bytes, events: list[str]) -> None:
    assert decoded(stream) == events
    assert decoded(*(bytes([byte]) for byte in stream)) == events


@given(
    events=st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])), max_size=6),
    ending=st.sampled_from(["\n", "\r", "\r\n"]),
    cuts=st.lists(st.integers(0, 400), max_size=12),
)
def test_it_does_not_matter_where_the_stream_is_cut(events: list[str], ending: str, cuts: list[int]) -> None:
    stream = "".join(f"data: {event}{ending}{ending}" for event in events).encode()
    places = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    assert decoded(*(stream[a:b] for a, b in itertools.pairwise(places))) == events


def test_one_event_beyond_the_bound_is_refused_before_it_fills_the_memory() -> None:
    decoder = SseDecoder(most_event_bytes=100)
    assert list(decoder.feed(b"data: " + b"x" * 80 + b"\n\n")) == ["x" * 80]
    with pytest.raises(SseBroken, match="too large"):
        list(decoder.feed(b"data: " + b"x" * 101))


def test_many_lines_of_one_event_count_together() -> None:
    decoder = SseDecoder(most_event_bytes=100)
    with pytest.raises(SseBroken, match="too large"):
        list(decoder.feed(b"data: xxxxxxxxxx\n" * 20))


@pytest.mark.parametrize("broken", [b"data: \xff\n\n", b"data: " + b"x" * 200])
def test_events_before_a_fault_in_the_same_piece_come_first(broken: bytes) -> None:
    decoder = SseDecoder(most_event_bytes=100)
    events = decoder.feed(b"data: one\n\ndata: two\n\n" + broken)
    assert [next(events), next(events)] == ["one", "two"]
    with pytest.raises(SseBroken):
        next(events)


def test_comments_that_keep_a_connection_alive_never_add_up() -> None:
    decoder = SseDecoder(most_event_bytes=100)
    assert [list(decoder.feed(b": still here\n")) for _ in range(100)] == [[]] * 100
    assert list(decoder.feed(b"data: one\n\n")) == ["one"]


def test_bytes_that_are_no_utf8_are_refused_without_being_shown() -> None:
    with pytest.raises(SseBroken) as refused:
        decoded(b"data: secret \xff\n\n")
    assert "secret" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("stream", [b"data: [DONE]", b"data: [DONE]\n"])
def test_a_last_line_without_an_empty_line_after_it_can_still_be_seen(stream: bytes) -> None:
    decoder = SseDecoder()
    assert list(decoder.feed(stream)) == []
    assert decoder.finish() == "[DONE]"
    assert decoder.finish() is None
