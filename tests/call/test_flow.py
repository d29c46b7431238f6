"""The plot of a call, as scripts: this happens, that is done. Nothing is heard before it was announced (promise 12)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call.events import CallerAudio, KeyPressed, LegStarted, LegStopped, MarkReturned
from gateway.call.flow import MARK_GRACE_MS, TABLE, CallFlow
from gateway.call.plot import (
    AgentFinished,
    Announcement,
    AwaitMark,
    CloseConversation,
    Command,
    Event,
    Failed,
    HangUp,
    Hear,
    MarkOverdue,
    OpenConversation,
    Outcome,
    Phase,
    PlayAnnouncement,
    PlayedOut,
    Seal,
    Tell,
    Told,
    Write,
)
from gateway.values import Pcm, Private

AI = Announcement("ai", "eu-ai-act", "en", "t" * 64, "a" * 64, total_ms=4_000)
RECORDING = Announcement("recording", "us-all-party", "en", "u" * 64, "b" * 64, total_ms=3_000)
PLAYED = "announcement.played"
START = LegStarted("MZ1", "CA1")
VOICE = CallerAudio(Private(Pcm(b"\0\0" * 160, 8_000)), at_ms=0)
KEY = KeyPressed(Private("9"))
GONE = LegStopped()


def play(flow: CallFlow, *script: tuple[int, Event]) -> list[Command]:
    """All commands of a script of (ms, event)."""
    return [command for at_ms, event in script for command in flow.on(event, at_ms)]


def kinds(commands: Sequence[Command]) -> list[str]:
    return [command.kind if isinstance(command, Write) else type(command).__name__ for command in commands]


def test_a_call_that_goes_well_is_announced_acknowledged_heard_and_sealed() -> None:
    flow = CallFlow((AI,), started={"carrier": "twilio"})
    assert kinds(flow.on(START, 0)) == ["call.started", "PlayAnnouncement"]
    assert flow.on(VOICE, 20) == []
    assert flow.on(PlayedOut("ai"), 3_900) == [AwaitMark(AI, within_ms=100 + MARK_GRACE_MS)]
    assert kinds(flow.on(MarkReturned("announcement:ai"), 4_050)) == [
        "announcement.played",
        "listening.started",
        "OpenConversation",
        "Admit",
    ]
    assert flow.on(VOICE, 4_060) == [Hear(VOICE.pcm)]
    assert kinds(flow.on(GONE, 60_000)) == ["CloseConversation", "call.ended", "Seal"]
    assert flow.phase is Phase.ENDED


def test_the_proof_says_what_was_played_and_how_it_was_acknowledged() -> None:
    flow = CallFlow((AI,))
    commands = play(flow, (0, START), (10, VOICE), (20, KEY), (3_900, PlayedOut("ai")), (4_050, MarkReturned("announcement:ai")))
    proof = next(command for command in commands if isinstance(command, Write) and command.kind == "announcement.played")
    assert proof.body == {
        "id": "ai",
        "rule": "eu-ai-act",
        "language": "en",
        "text_sha256": "t" * 64,
        "audio_sha256": "a" * 64,
        "total_ms": 4_000,
        "played_ms": 4_000,
        "acknowledged": "mark",
        "ack_ms": 4_050,
        "frames_dropped": 1,
        "keys_dropped": 1,
    }
    assert not proof.anyway


def test_where_no_carrier_can_say_it_the_proof_says_that_it_is_our_own_word() -> None:
    flow = CallFlow((AI,), acknowledged_by="playout")
    commands = play(flow, (0, START), (3_900, PlayedOut("ai")), (4_050, MarkReturned("announcement:ai")))
    assert [command.body["acknowledged"] for command in commands if isinstance(command, Write) and command.kind == PLAYED] == [
        "playout"
    ]
    unproven = play(CallFlow((AI,), acknowledged_by="playout"), (0, START), (1_500, GONE))[2]
    assert isinstance(unproven, Write)
    assert unproven.body["acknowledged"] == "none"


def test_two_announcements_are_played_one_after_the_other_and_both_must_be_proven() -> None:
    flow = CallFlow((AI, RECORDING))
    first = play(flow, (0, START), (3_900, PlayedOut("ai")), (4_000, MarkReturned("announcement:ai")))
    assert kinds(first)[-2:] == ["announcement.played", "PlayAnnouncement"]
    assert flow.phase is Phase.ANNOUNCING
    assert flow.on(VOICE, 4_100) == []
    second = play(flow, (6_900, PlayedOut("recording")), (7_000, MarkReturned("announcement:recording")))
    assert kinds(second)[-4:] == ["announcement.played", "listening.started", "OpenConversation", "Admit"]


def test_without_a_required_announcement_the_call_is_heard_at_once() -> None:
    assert kinds(CallFlow(()).on(START, 0)) == ["call.started", "listening.started", "OpenConversation", "Admit"]


NOT_PROVEN = {
    "the carrier never returns the mark": ((3_900, PlayedOut("ai")), (9_100, MarkOverdue("ai"))),
    "the mark comes back sooner than the audio lasts": ((100, PlayedOut("ai")), (200, MarkReturned("announcement:ai"))),
    "the mark comes back before the last frame was sent": ((4_100, MarkReturned("announcement:ai")),),
}


@pytest.mark.parametrize("script", NOT_PROVEN.values(), ids=NOT_PROVEN.keys())
def test_an_announcement_that_is_not_proven_ends_the_call_unheard_and_the_caller_is_told(
    script: tuple[tuple[int, Event], ...],
) -> None:
    flow = CallFlow((AI,))
    commands = play(flow, (0, START), (50, VOICE), *script)
    assert kinds(commands)[-2:] == ["announcement.unproven", "Tell"]
    end = play(flow, (9_500, VOICE), (12_000, Told()))
    assert kinds(end) == ["call.ended", "Seal", "HangUp"]
    assert Seal(Outcome.NEVER_LISTENED) in end


def test_a_caller_who_hangs_up_during_the_announcement_was_never_heard() -> None:
    flow = CallFlow((AI,))
    commands = play(flow, (0, START), (1_000, VOICE), (1_500, GONE))
    assert kinds(commands)[-3:] == ["announcement.unproven", "call.ended", "Seal"]
    unproven = next(c for c in commands if isinstance(c, Write) and c.kind == "announcement.unproven")
    assert unproven.body["played_ms"] == 1_500
    assert unproven.body["acknowledged"] == "none"
    assert commands[-1] == Seal(Outcome.NEVER_LISTENED)


def test_a_foreign_mark_opens_nothing() -> None:
    flow = CallFlow((AI,))
    assert play(flow, (0, START), (3_900, PlayedOut("ai")), (4_000, MarkReturned("say:1")))[-1] == AwaitMark(
        AI, 100 + MARK_GRACE_MS
    )
    assert flow.phase is Phase.ANNOUNCING


@pytest.mark.parametrize(
    "code", ["store_unavailable", "evidence_unavailable", "upstream_failed", "redaction_unavailable", "internal"]
)
def test_when_something_fails_the_caller_is_told_and_the_receipt_names_it(code: str) -> None:
    flow = CallFlow(())
    flow.on(START, 0)
    commands = flow.on(Failed(code), 5_000)
    assert commands == [CloseConversation(), Write("call.failed", {"code": code}, anyway=True), Tell("apology")]
    assert flow.on(VOICE, 5_020) == []
    assert play(flow, (8_000, Told()))[1:] == [Seal(Outcome.FAILED, code), HangUp()]


def test_a_failure_before_listening_plays_the_apology_and_never_opens_an_ear() -> None:
    flow = CallFlow((AI,))
    flow.on(START, 0)
    assert kinds(flow.on(Failed("evidence_unavailable"), 100)) == ["call.failed", "Tell"]
    assert flow.on(MarkReturned("announcement:ai"), 4_000) == []


def test_the_agent_ends_the_call() -> None:
    flow = CallFlow(())
    flow.on(START, 0)
    assert kinds(flow.on(AgentFinished(), 9_000)) == ["CloseConversation", "call.ended", "Seal", "HangUp"]


EVENTS = st.one_of(
    st.just(START),
    st.just(VOICE),
    st.just(KEY),
    st.just(GONE),
    st.sampled_from(["announcement:ai", "announcement:recording", "say:1"]).map(MarkReturned),
    st.sampled_from(["ai", "recording"]).map(PlayedOut),
    st.sampled_from(["ai", "recording"]).map(MarkOverdue),
    st.sampled_from(["internal", "store_unavailable"]).map(Failed),
    st.just(AgentFinished()),
    st.just(Told()),
)


@given(st.lists(st.tuples(st.integers(0, 3_000), EVENTS), max_size=40))
def test_whatever_happens_nothing_is_heard_before_every_announcement_was_proven_and_the_end_is_sealed_once(
    script: list[tuple[int, Event]],
) -> None:
    flow = CallFlow((AI, RECORDING))
    now, done = 0, list[Command]()
    for after, event in script:
        now += after
        done += flow.on(event, now)
    proven = [c.body["id"] for c in done if isinstance(c, Write) and c.kind == "announcement.played"]
    ears = [c for c in done if isinstance(c, OpenConversation | Hear)]
    assert not ears or proven == ["ai", "recording"]
    if ears:
        assert isinstance(ears[0], OpenConversation)
    seals = [c for c in done if isinstance(c, Seal)]
    assert len(seals) <= 1
    assert bool(seals) == (flow.phase is Phase.ENDED)
    assert len([c for c in done if isinstance(c, PlayAnnouncement)]) <= 2


def test_every_phase_but_the_end_hears_of_a_hang_up() -> None:
    assert all((phase, LegStopped) in TABLE for phase in Phase if phase is not Phase.ENDED)
