"""A recording's file: what was written comes back, and whatever somebody changed in it is found and named."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.keys.envelope import MasterKey
from gateway.adapters.recordings.format import CLASS, End, FileKey, Piece, Sealer, Sound, open_recording
from gateway.errors import NotFound, RecordingAltered, StoreUnavailable
from gateway.values import CallId, Gap, Private
from tests.adapters.recordings.samples import CALL, KEY, PIECES, TENANT, header_and_key, opened, sealed

MASTER = MasterKey(bytes(range(32)))

SOUNDS = st.builds(Sound, st.integers(0, 2**40), st.binary(max_size=64).map(lambda data: Private(data * 4)))
GAPS = st.builds(Gap, st.integers(0, 10**9), st.integers(0, 10**9), st.sampled_from(["payment", "consent"]))


@given(st.lists(SOUNDS | GAPS, max_size=6))
def test_what_was_written_comes_back(pieces: list[Piece]) -> None:
    whole: list[Piece] = [*pieces, End(5)]
    header, chunks = sealed(whole)
    recording = opened(header + b"".join(chunks))
    assert list(recording.pieces()) == whole
    assert (recording.cut, recording.chunks) == (False, len(whole))
    assert (recording.header.tenant, recording.header.call, recording.header.consent) == (TENANT, CALL, "sha256:c")


def test_no_sound_and_no_reason_of_a_gap_stands_in_the_file() -> None:
    header, chunks = sealed((Sound(0, Private(b"VOICEVOICE" * 100)), Gap(0, 1, "payment"), End(1)))
    assert b"VOICE" not in b"".join(chunks)
    assert b"payment" not in header + b"".join(chunks)


@given(st.data())
def test_one_changed_bit_anywhere_is_found(data: st.DataObject) -> None:
    header, chunks = sealed()
    whole = bytearray(header + b"".join(chunks))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= 1 << data.draw(st.integers(0, 7))
    # A length that now reaches past the end looks like a file that ends there: what is missing then is the last chunk.
    assert found_out(bytes(whole))


def found_out(data: bytes) -> bool:
    try:
        recording = opened(data)
        list(recording.pieces())
    except (RecordingAltered, StoreUnavailable):
        return True
    return recording.cut


FIRST, GAP, SECOND, THIRD, LAST = range(5)


@pytest.mark.parametrize(
    ("order", "named"),
    [
        ((SECOND, GAP, FIRST, THIRD, LAST), "chunk 0"),
        ((FIRST, GAP, THIRD, SECOND, LAST), "chunk 2"),
        ((FIRST, FIRST, GAP, SECOND, THIRD, LAST), "chunk 1"),
        ((FIRST, SECOND, THIRD, LAST), "chunk 1"),
        ((FIRST, GAP, SECOND, LAST), "chunk 3"),
        ((FIRST, GAP, SECOND, THIRD, LAST, FIRST), "what follows the last chunk (4)"),
    ],
    ids=["swapped", "swapped later", "repeated", "one left out", "one left out before the last", "one behind the last"],
)
def test_chunks_in_another_order_do_not_open(order: tuple[int, ...], named: str) -> None:
    header, chunks = sealed()
    with pytest.raises(RecordingAltered, match=r"was altered: ") as refused:
        list(opened(header + b"".join(chunks[place] for place in order)).pieces())
    assert named in refused.value.message


def test_a_chunk_of_another_call_does_not_open() -> None:
    header, chunks = sealed()
    _, others = sealed(call=CallId("call_2"))
    with pytest.raises(RecordingAltered, match="chunk 1"):
        list(opened(header + chunks[0] + others[1]).pieces())


@given(st.integers(0, 400))
def test_a_file_that_ends_early_is_readable_up_to_its_last_whole_chunk_and_says_that_it_was_cut(missing: int) -> None:
    header, chunks = sealed(((short := Sound(0, Private(bytes(80)))), short, short, End(60)))
    whole = header + b"".join(chunks)
    kept = whole[: max(len(header), len(whole) - 1 - missing)]
    recording = opened(kept)
    assert list(recording.pieces()) == [short, short, short][: recording.chunks]
    assert recording.cut


def test_under_the_header_of_another_tenant_no_chunk_opens() -> None:
    header, chunks = sealed()
    moved = opened(header.replace(b'"tenant":"acme"', b'"tenant":"evil"') + b"".join(chunks))
    with pytest.raises(RecordingAltered, match="chunk 0"):
        list(moved.pieces())


def test_the_file_alone_opens_nothing_not_even_with_the_master_key() -> None:
    header, chunks = sealed()
    assert KEY.reveal() not in header
    with pytest.raises(NotFound, match="was destroyed"):
        open_recording(io.BytesIO(header + b"".join(chunks)), FileKey(None, MASTER))
    with pytest.raises(RecordingAltered, match="header"):
        open_recording(io.BytesIO(header + b"".join(chunks)), FileKey(Private(bytes(32)), MASTER))


def test_an_older_file_still_opens_with_the_key_in_its_header_for_its_own_tenant_alone() -> None:
    older = replace(header_and_key()[0], key=MASTER.wrap(KEY.reveal(), tenant=TENANT, call=CALL, kind=CLASS))
    sealer = Sealer(older, KEY)
    data = older.to_bytes() + b"".join(sealer.seal(piece) for piece in PIECES)
    assert list(open_recording(io.BytesIO(data), FileKey(None, MASTER)).pieces()) == list(PIECES)
    with pytest.raises(StoreUnavailable):
        open_recording(io.BytesIO(data), FileKey(None, MasterKey(bytes(32))))
    with pytest.raises(StoreUnavailable):
        open_recording(io.BytesIO(data.replace(b'"tenant":"acme"', b'"tenant":"evil"')), FileKey(None, MASTER))


@pytest.mark.parametrize("data", [b"", b"RIFF....WAVE", b"SORDREC1", b"SORDREC1\xff\xff\xff\xff", b"SORDREC1\0\0\0\2{}"])
def test_what_is_no_recording_is_told_as_that(data: bytes) -> None:
    with pytest.raises(RecordingAltered):
        opened(data)


def test_the_samples_are_of_five_chunks() -> None:
    """So that the tables above mean what they say."""
    assert len(PIECES) == LAST + 1
