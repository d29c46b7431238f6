"""Which frames on their way to the caller may hold restored words: whoever is not sure takes them for private."""

from __future__ import annotations

from gateway.adapters.conversation.said import Said

ONE, TWO, THREE = b"\1\2" * 100, b"\3\4" * 100, b"\5\6" * 100


def frames(samples: bytes, size: int) -> list[bytes]:
    return [samples[at : at + size].ljust(size, b"\0") for at in range(0, len(samples), size)]


def test_frames_are_known_by_what_they_hold_however_they_were_cut() -> None:
    said = Said()
    utterance = said.begin()
    utterance.add(ONE, private=False)
    utterance.add(TWO, private=True)
    utterance.add(THREE, private=False)
    found = [said.is_private(frame) for frame in frames(ONE + TWO + THREE, 80)]
    assert found == [False, False, True, True, True, False, False, False]


def test_after_a_barge_in_the_next_utterance_is_found() -> None:
    said = Said()
    said.begin().add(ONE, private=True)
    said.begin().add(TWO, private=False)
    assert said.is_private(ONE[:40])
    assert not said.is_private(TWO[:40])
    assert said.is_private(ONE[40:80]), "the one that was broken off is over"


def test_what_nobody_has_spoken_is_private() -> None:
    said = Said()
    assert said.is_private(ONE[:40])
    said.begin().add(TWO, private=False)
    assert said.is_private(ONE[:40])
