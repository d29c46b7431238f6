"""The recorder of a call: nothing without consent, both voices in time, and silence wherever nobody has understood."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from gateway.errors import EvidenceUnavailable, NoPermittedRoute, StoreUnavailable
from gateway.evidence.entries import Json
from gateway.policy.consent import How
from gateway.policy.recording import OnWithdrawal, Recording, Redact, WithoutStorage
from gateway.redaction.audio_spans import HeardSpeech
from gateway.runner.recording import RecordedConversation, Recorder, RecorderParts
from gateway.values import Gap, Pcm, Private

RATE = 8_000
FRAME = 160
CALLER, AGENT = 5, 7


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.at = 100.0

    def now(self) -> datetime:
        return datetime(2026, 11, 22, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.at


@dataclass
class File:
    """What was written, in memory."""

    facts: Mapping[str, Json] = field(default_factory=lambda: {"consent": "sha256:c", "key_id": "k", "processor": "disk"})
    pieces: list[tuple[int, np.ndarray[Any, Any]]] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    samples: int = -1
    discarded: bool = False
    held: bool = False
    full: bool = False

    async def sound(self, at: int, samples: Private[bytes]) -> None:
        if self.full:
            raise StoreUnavailable("the disk is full")
        assert not self.discarded
        self.pieces.append((at, np.frombuffer(samples.reveal(), dtype="<i2").reshape(-1, 2)))

    async def gap(self, gap: Gap) -> None:
        self.gaps.append(gap)

    async def finish(self, samples: int) -> Mapping[str, Json]:
        self.samples = samples
        return {"chunks": len(self.pieces)}

    async def discard(self) -> None:
        self.discarded = True

    async def delete(self) -> bool:
        self.discarded = not self.held
        return not self.held

    def side(self, channel: int) -> list[int]:
        """One value for each 20 ms: what the channel holds there (0: silence; -1: something and nothing)."""
        length = max((at + len(piece) for at, piece in self.pieces), default=0)
        whole = np.zeros(length, dtype=int)
        for at, piece in self.pieces:
            whole[at : at + len(piece)] = piece[:, channel]
        frames = [whole[start : start + FRAME] for start in range(0, length, FRAME)]
        return [int(frame[0]) if (frame == frame[0]).all() else -1 for frame in frames]


class Line:
    """A call with its recorder: ``talk`` lets both sides speak for so many frames of 20 ms."""

    def __init__(self, rules: Recording | None = None, *, rate: int = RATE) -> None:
        self.clock = Clock()
        self.file = File()
        self.agreed = True
        self.entries: list[tuple[str, Mapping[str, Json]]] = []
        self.refusals: list[str] = []
        self.opened = 0
        self.refusing: Exception | None = None
        self.silent_ledger = False
        self.begun = asyncio.Event()
        rules = rules or Recording(enabled=True, redact=Redact.NONE)
        parts = RecorderParts(rules, lambda: self.agreed, self.open, self.record, self.refusals.append, self.clock)
        self.recorder = Recorder(parts, rate=rate)

    async def open(self, rate: int) -> File:
        self.opened += 1
        if self.refusing is not None:
            raise self.refusing
        return self.file

    async def record(self, kind: str, body: Mapping[str, Json]) -> None:
        if self.silent_ledger:
            raise EvidenceUnavailable("the ledger does not answer")
        self.entries.append((kind, body))
        self.begun.set()

    async def talk(self, frames: int, *, caller: int = CALLER, agent: int = AGENT, private: bool = False) -> None:
        for _ in range(frames):
            self.clock.at += 0.02
            self.recorder.heard(Private(frame(caller)))
            self.recorder.played(frame(agent), self.clock.at - 0.02, private=private)
        await asyncio.sleep(0)

    def understood(self, start_ms: float, end_ms: float, *, private: bool, still: Callable[[], bool] = lambda: True) -> None:
        """The ear has recognised a stretch; what is private in it is all of it."""
        assert self.recorder.held is not None
        pcm = Pcm(np.full(int((end_ms - start_ms) * 16), 3_000, dtype="<i2").tobytes(), 16_000)
        places = [(0, 11)] if private else []
        speech = HeardSpeech(start_ms, end_ms, Private(pcm), Private("hello there"), places, still=still)
        self.recorder.held.understood(speech)
        self.recorder.held.settled(end_ms)

    def kinds(self) -> list[str]:
        return [kind.removeprefix("recording.") for kind, _ in self.entries]

    def body(self, kind: str) -> Mapping[str, Json]:
        return next(body for name, body in self.entries if name == f"recording.{kind}")


def frame(value: int, rate: int = RATE) -> Pcm:
    return Pcm(np.full(rate // 50, value, dtype="<i2").tobytes(), rate)


class TestConsent:
    async def test_without_it_no_file_is_ever_opened(self) -> None:
        line = Line()
        line.agreed = False
        await line.talk(100)
        await line.recorder.finish()
        assert (line.opened, line.entries) == (0, [])

    async def test_from_the_moment_that_it_is_given_both_voices_are_kept_side_by_side(self) -> None:
        line = Line()
        line.agreed = False
        await line.talk(10, caller=99, agent=99)
        line.agreed = True
        await line.talk(100)
        await line.recorder.finish()
        caller, agent = line.file.side(0), line.file.side(1)
        assert 99 not in caller + agent
        assert caller.count(CALLER) == agent.count(AGENT) == 100
        assert line.kinds() == ["started", "stopped"]
        assert line.body("started")["consent"] == "sha256:c"
        assert (line.body("stopped")["why"], line.body("stopped")["gaps"]) == ("ended", [])

    async def test_the_evidence_comes_before_the_first_chunk_and_without_it_nothing_is_kept(self) -> None:
        line = Line()
        line.silent_ledger = True
        await line.talk(100)
        await line.recorder.finish()
        assert line.file.discarded
        assert line.file.pieces == []

    @pytest.mark.parametrize("how", [How.SPOKEN, How.KEY_PRESS])
    async def test_taken_back_everything_is_deleted_and_not_one_frame_more_is_written(self, how: How) -> None:
        line = Line(Recording(enabled=True, redact=Redact.NONE, on_withdrawal=OnWithdrawal.DELETE))
        await line.talk(100)
        line.agreed = False
        line.recorder.revoked("recording", how)
        await line.talk(100, caller=99, agent=99)
        await line.recorder.finish()
        assert line.file.discarded
        assert 99 not in line.file.side(0)
        assert line.kinds() == ["started", "stopped", "deleted"]
        assert line.body("deleted") == {"why": "withdrawn", "key_id": "k"}

    async def test_taken_back_what_a_legal_hold_keeps_stays_as_it_is_and_the_receipt_says_so(self) -> None:
        line = Line(Recording(enabled=True, redact=Redact.NONE, on_withdrawal=OnWithdrawal.DELETE))
        line.file.held = True
        await line.talk(100)
        line.agreed = False
        line.recorder.revoked("recording", How.SPOKEN)
        await line.talk(100, caller=99, agent=99)
        await line.recorder.finish()
        assert not line.file.discarded
        assert 99 not in line.file.side(0)
        assert (line.kinds(), line.body("stopped")["held"]) == (["started", "stopped"], True)

    async def test_taken_back_what_was_kept_until_then_stays_where_the_policy_says_so(self) -> None:
        line = Line(Recording(enabled=True, redact=Redact.NONE, on_withdrawal=OnWithdrawal.KEEP_UNTIL_THEN))
        await line.talk(100)
        await written(line)
        kept = len(line.file.pieces)
        line.agreed = False
        line.recorder.revoked("recording", How.SPOKEN)
        await line.talk(100, caller=99, agent=99)
        await line.recorder.finish()
        assert (line.file.discarded, len(line.file.pieces)) == (False, kept)
        assert line.file.samples > 0
        assert (line.kinds(), line.body("stopped")["why"]) == (["started", "stopped"], "withdrawn")

    async def test_while_somebody_new_is_asked_nothing_is_kept_and_then_it_goes_on(self) -> None:
        line = Line()
        await line.talk(50)
        line.agreed = False
        line.recorder.revoked("recording", None)
        await line.talk(50, caller=99, agent=99)
        line.agreed = True
        await line.talk(50)
        await line.recorder.finish()
        assert 99 not in line.file.side(0) + line.file.side(1)
        assert [gap.reason for gap in line.file.gaps] == ["consent"]
        assert line.file.gaps[0].end_ms == pytest.approx(2_000, abs=40)

    async def test_another_purpose_is_not_its_business(self) -> None:
        line = Line()
        await line.talk(50)
        line.recorder.revoked("marketing", How.SPOKEN)
        await line.talk(50)
        await line.recorder.finish()
        assert line.file.side(0).count(CALLER) == 100


class TestPause:
    async def test_nothing_of_a_pause_is_kept_but_when_it_was_and_why(self) -> None:
        """Promise 33: a marker without content."""
        line = Line()
        await line.talk(50)
        line.recorder.pause("payment")
        await line.talk(100, caller=99, agent=99)
        line.recorder.resume()
        await line.talk(50)
        await line.recorder.finish()
        assert 99 not in line.file.side(0) + line.file.side(1)
        (gap,) = line.file.gaps
        assert gap.reason == "payment"
        assert gap.start_ms == pytest.approx(1_000, abs=40)
        assert gap.end_ms == pytest.approx(3_000, abs=60)
        assert line.body("stopped")["gaps"] == [{"start_ms": gap.start_ms, "end_ms": gap.end_ms, "reason": "payment"}]
        assert 96 <= line.file.side(0).count(CALLER) <= 100

    async def test_a_pause_that_nobody_ends_lasts_to_the_end(self) -> None:
        line = Line()
        await line.talk(50)
        line.recorder.pause("payment")
        await line.talk(50, caller=99)
        await line.recorder.finish()
        assert 99 not in line.file.side(0)
        assert [gap.reason for gap in line.file.gaps] == ["payment"]

    async def test_a_pause_from_before_the_consent_holds_when_it_is_given(self) -> None:
        line = Line()
        line.recorder.pause("payment")
        await line.talk(50, caller=99)
        line.recorder.resume()
        await line.talk(50)
        await line.recorder.finish()
        assert 99 not in line.file.side(0)
        assert line.file.side(0).count(CALLER) == 50

    async def test_consent_that_is_lost_meanwhile_is_not_given_back_by_resuming(self) -> None:
        line = Line()
        await line.talk(50)
        line.recorder.pause("payment")
        line.agreed = False
        line.recorder.revoked("recording", None)
        line.recorder.resume()
        await line.talk(50, caller=99)
        await line.recorder.finish()
        assert 99 not in line.file.side(0)


class TestHidingWhatIsPrivate:
    @staticmethod
    def line(redact: Redact = Redact.SILENCE) -> Line:
        return Line(Recording(enabled=True, redact=redact))

    async def test_speech_is_held_until_it_was_understood_and_what_nobody_understood_is_silence(self) -> None:
        line = self.line()
        await line.talk(50, caller=1)
        await line.talk(50, caller=2)
        await line.talk(50, caller=3)
        line.understood(1_000, 2_000, private=False)
        await line.recorder.finish()
        caller = line.file.side(0)
        assert caller[:50] == [0] * 50
        assert caller[50:100] == [2] * 50
        assert caller[100:] == [0] * 50

    async def test_nothing_that_still_waits_is_written(self) -> None:
        line = self.line()
        await line.talk(200)
        await written(line)
        assert line.file.pieces == []
        line.understood(0, 3_000, private=False)
        await written(line)
        assert line.file.pieces == []
        line.understood(3_000, 4_000, private=False)
        await written(line)
        assert set(line.file.side(0)) == {CALLER}
        await line.recorder.finish()

    async def test_a_stretch_of_which_the_next_turn_tells_that_it_was_private_is_silent(self) -> None:
        """Half of a card number looks like nothing until the other half is said."""
        line = self.line()
        await line.talk(100, caller=1)
        await line.talk(100, caller=2)
        line.understood(0, 2_000, private=False, still=lambda: False)
        line.understood(2_000, 4_000, private=False)
        await line.recorder.finish()
        assert set(line.file.side(0)) == {0, 2}

    async def test_what_waits_too_long_for_its_words_is_silence(self) -> None:
        line = self.line()
        await line.talk(50)
        line.clock.at += 61
        await written(line)
        assert set(line.file.side(0)) == {0}
        await line.recorder.finish()

    async def test_private_words_are_silence_in_the_callers_voice(self) -> None:
        line = self.line()
        await line.talk(100)
        line.understood(0, 2_000, private=True)
        await line.recorder.finish()
        assert set(line.file.side(0)) == {0}
        assert AGENT in line.file.side(1)

    async def test_or_a_tone_where_the_policy_says_so(self) -> None:
        line = self.line(Redact.BLEEP)
        await line.talk(100)
        line.understood(0, 2_000, private=True)
        await line.recorder.finish()
        assert set(line.file.side(0)) == {-1}

    async def test_restored_words_are_silence_in_the_agents_voice(self) -> None:
        line = self.line()
        await line.talk(50)
        await line.talk(50, agent=99, private=True)
        await line.talk(50)
        await line.recorder.finish()
        agent = line.file.side(1)
        assert 99 not in agent
        assert agent.count(AGENT) == 100

    async def test_speech_of_before_the_consent_only_counts_for_its_time(self) -> None:
        """The ear hears on from the beginning; its places are its own."""
        line = self.line()
        line.agreed = False
        await line.talk(50, caller=99)
        line.agreed = True
        await line.talk(50)
        line.understood(0, 2_000, private=False)
        await line.recorder.finish()
        assert line.file.side(0).count(CALLER) == 50
        assert 99 not in line.file.side(0)


class TestTime:
    async def test_a_hole_in_the_callers_audio_is_silence_of_the_same_length(self) -> None:
        line = Line()
        await line.talk(50)
        line.clock.at += 1.0
        await line.talk(50)
        await line.recorder.finish()
        caller = line.file.side(0)
        hole = [place for place, value in enumerate(caller) if value != CALLER]
        assert hole == list(range(50, 50 + len(hole)))
        assert 48 <= len(hole) <= 52
        assert caller.count(CALLER) == 100

    async def test_what_was_cleared_was_not_heard(self) -> None:
        """A barge-in: frames that were sent ahead are not in the recording."""
        line = Line()
        await line.talk(50)
        for ahead in range(6):
            line.recorder.played(frame(99), line.clock.at + ahead * 0.02, private=False)
        line.recorder.cleared(line.clock.at)
        await line.talk(20)
        await line.recorder.finish()
        assert 99 not in line.file.side(1)

    async def test_other_rates_come_out_at_the_recordings_own(self) -> None:
        line = Line(rate=16_000)
        for _ in range(100):
            line.clock.at += 0.02
            line.recorder.heard(Private(frame(CALLER, 16_000)))
            line.recorder.played(frame(1_000, 24_000), line.clock.at - 0.02, private=False)
        await line.recorder.finish()
        assert line.file.samples == pytest.approx(32_000, abs=320)
        loud = sum(int((piece[:, 1] > 500).sum()) for _, piece in line.file.pieces)
        assert loud == pytest.approx(32_000, abs=640)


class TestFailing:
    @pytest.mark.parametrize(
        ("then", "refusals"), [(WithoutStorage.CONTINUE_UNRECORDED, []), (WithoutStorage.HANG_UP, ["no_permitted_route"])]
    )
    async def test_without_a_permitted_storage_the_call_goes_on_or_ends_as_the_policy_says(
        self, then: WithoutStorage, refusals: list[str]
    ) -> None:
        line = Line(Recording(enabled=True, without_storage=then))
        line.refusing = NoPermittedRoute("no storage", reasons=("bucket: its region us is not in the tenant's regions",))
        await line.talk(100)
        await line.recorder.finish()
        assert line.refusals == refusals
        assert line.body("refused") == {
            "code": "no_permitted_route",
            "reasons": ["bucket: its region us is not in the tenant's regions"],
            "then": then.value,
        }

    async def test_a_full_disk_ends_the_recording_and_not_the_call(self) -> None:
        line = Line()
        line.file.full = True
        await line.talk(100)
        await line.recorder.finish()
        assert line.kinds() == ["started", "failed"]
        assert line.body("failed")["code"] == "store_unavailable"


async def test_the_conversation_hears_what_it_always_heard_and_its_end_is_the_recordings() -> None:
    line = Line()
    heard: list[Private[Pcm]] = []

    class Talk:
        started = closed = False

        async def start(self) -> None:
            self.started = True

        def hear(self, pcm: Private[Pcm]) -> None:
            heard.append(pcm)

        async def aclose(self) -> None:
            self.closed = True
            raise StoreUnavailable("the conversation could not be closed")

    talk = Talk()
    conversation = RecordedConversation(talk, line.recorder)
    await conversation.start()
    for _ in range(10):
        line.clock.at += 0.02
        conversation.hear(Private(frame(CALLER)))
    with pytest.raises(StoreUnavailable):
        await conversation.aclose()
    assert (talk.started, talk.closed, len(heard)) == (True, True, 10)
    assert line.file.samples > 0


async def written(line: Line) -> None:
    """The recorder has begun, and has written what was due a second later."""
    line.clock.at += 1.0
    async with asyncio.timeout(30):
        await line.begun.wait()
        await line.recorder.look()
