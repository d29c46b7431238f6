"""The caller's answer as scripts: every mode, every answer, silence, hang-ups, keys too early, talking over the announcement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call.answer import Meaning
from gateway.call.consent import (
    AnswerHeard,
    AnswerOverdue,
    Asking,
    AwaitAnswer,
    CloseAnswerEar,
    ConsentWithdrawn,
    GiveConsent,
    HearAnswer,
    OpenAnswerEar,
    RefuseConsent,
    RevokeConsent,
    TransferCall,
)
from gateway.call.events import CallerAudio, KeyPressed, LegStarted, LegStopped, MarkReturned, ParticipantJoined
from gateway.call.flow import CallFlow
from gateway.call.plot import (
    Admit,
    AgentFinished,
    Announcement,
    Command,
    Event,
    Failed,
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
from gateway.policy.announcing import AnnouncementMode, OnDecline
from gateway.policy.consent import How
from gateway.policy.opt_out import KEY_QUIET_MS
from gateway.values import Pcm, Private

STAY = Asking(AnnouncementMode.STAY_ON_LINE, wait_ms=3_000)
KEYS = Asking(AnnouncementMode.KEY_PRESS, wait_ms=8_000, accept="1", decline="2")
WORDS = Asking(AnnouncementMode.SPOKEN_YES, wait_ms=6_000)
GOES_ON = replace(KEYS, on_decline=OnDecline.CONTINUE_UNRECORDED)
HUMAN = replace(KEYS, on_decline=OnDecline.HUMAN)
START, GONE = LegStarted("MZ1", "CA1"), LegStopped()
VOICE = CallerAudio(Private(Pcm(b"\0\0" * 160, 8_000)), at_ms=0)
YES, NO, OTHER = KeyPressed(Private("1")), KeyPressed(Private("2")), KeyPressed(Private("7"))
GIVEN, OPEN = "consent.given", ["listening.started", "GiveConsent", "OpenConversation", "Admit"]


def asking(ask: Asking | None, name: str = "rec") -> Announcement:
    return Announcement(name, "pack:us-all-party", "en", "t" * 64, "a" * 64, total_ms=1_000, ask=ask)


def heard(meaning: Meaning, play: int = 1) -> AnswerHeard:
    return AnswerHeard("rec", play, meaning)


def announced(ask: Asking, play: int = 1) -> tuple[Event, ...]:
    """The announcement is sent whole, and the carrier returns its mark."""
    return PlayedOut("rec", play), MarkReturned(asking(ask).mark(play))


def run(flow: CallFlow, *events: Event, at_ms: int = 0, each_ms: int = 1_000) -> list[Command]:
    """All commands of these events, one a second."""
    done: list[Command] = []
    for number, event in enumerate(events):
        done += flow.on(event, at_ms + number * each_ms)
    return done


def asked(ask: Asking) -> CallFlow:
    """A call whose announcement was played and proven just now (at 2000 ms)."""
    flow = CallFlow((asking(ask),))
    run(flow, START, *announced(ask))
    assert flow.phase is Phase.ASKING
    return flow


def kinds(commands: Sequence[Command]) -> list[str]:
    return [command.kind if isinstance(command, Write) else type(command).__name__ for command in commands]


def body(commands: Sequence[Command], kind: str) -> dict[str, object]:
    return dict(next(each for each in commands if isinstance(each, Write) and each.kind == kind).body)


# --- after the announcement the answer is waited for ----------------------------------------------------------------

AGREES = {
    "staying on the line": (STAY, [AnswerOverdue("rec", 1)], How.STAYED),
    "the key for yes": (KEYS, [YES], How.KEY_PRESS),
    "the key after a wrong one": (KEYS, [OTHER, YES], How.KEY_PRESS),
    "the key while talking": (KEYS, [VOICE, VOICE, YES], How.KEY_PRESS),
    "a spoken yes": (WORDS, [VOICE, heard(Meaning.YES)], How.SPOKEN),
    "a key where words are asked, if keys are named": (replace(WORDS, accept="1", decline="2"), [YES], How.KEY_PRESS),
}


@pytest.mark.parametrize(("ask", "events", "how"), AGREES.values(), ids=AGREES.keys())
def test_a_plain_yes_opens_the_conversation_and_gives_the_consent(ask: Asking, events: list[Event], how: How) -> None:
    flow = asked(ask)
    done = run(flow, *events, at_ms=2_400)
    assert kinds([each for each in done if not isinstance(each, CloseAnswerEar | HearAnswer)]) == [GIVEN, *OPEN]
    assert GiveConsent("recording", how) in done
    assert body(done, GIVEN) == {
        "id": "rec",
        "rule": "pack:us-all-party",
        "language": "en",
        "mode": ask.mode.value,
        "purpose": "recording",
        "how": how.value,
        "after_ms": 400 + 1_000 * (len(events) - 1),
        "play": 1,
    }


REFUSES = {
    "the key for no": (KEYS, [NO], "key-press"),
    "a spoken no": (WORDS, [VOICE, heard(Meaning.NO)], "spoken"),
    "silence twice": (KEYS, [AnswerOverdue("rec", 1), *announced(KEYS, 2), AnswerOverdue("rec", 2)], "no-answer"),
    "nothing clear twice": (WORDS, [heard(Meaning.UNCLEAR), *announced(WORDS, 2), heard(Meaning.UNCLEAR, 2)], "unclear"),
    "unclear, then silence": (WORDS, [heard(Meaning.UNCLEAR), *announced(WORDS, 2), AnswerOverdue("rec", 2)], "no-answer"),
    "a wrong key, then silence": (
        KEYS,
        [OTHER, AnswerOverdue("rec", 1), *announced(KEYS, 2), AnswerOverdue("rec", 2)],
        "no-answer",
    ),
    "the key in the second playing": (
        KEYS,
        [AnswerOverdue("rec", 1), PlayedOut("rec", 2), NO, *announced(KEYS, 2)[1:]],
        "key-press",
    ),
}


@pytest.mark.parametrize(("ask", "events", "how"), REFUSES.values(), ids=REFUSES.keys())
def test_a_no_and_no_answer_end_the_call_with_goodbye_and_nothing_was_heard(ask: Asking, events: list[Event], how: str) -> None:
    flow = asked(ask)
    done = run(flow, *events, at_ms=3_000, each_ms=1_500)
    assert done[-1] == Tell("declined") or done[-2:] == [RefuseConsent("recording", How(how)), Tell("declined")]
    assert body(done, "consent.declined")["how"] == how
    assert body(done, "consent.declined")["then"] == "hang-up"
    assert not {"GiveConsent", "OpenConversation", "Hear", GIVEN} & set(kinds(done))
    assert kinds(run(flow, VOICE, Told(), at_ms=90_000)) == ["call.ended", "Seal", "HangUp"]


def test_what_somebody_said_is_kept_and_what_nobody_said_is_not() -> None:
    """The consent ledger holds words and keys of the caller; silence stands in the evidence alone."""
    assert RefuseConsent("recording", How.KEY_PRESS) in run(asked(KEYS), NO)
    silent = run(asked(KEYS), AnswerOverdue("rec", 1), *announced(KEYS, 2), AnswerOverdue("rec", 2), at_ms=3_000)
    assert not [each for each in silent if isinstance(each, RefuseConsent)]


def test_without_a_yes_the_call_may_go_on_and_has_no_consent() -> None:
    flow = asked(GOES_ON)
    done = run(flow, NO, at_ms=2_500)
    assert kinds(done) == ["consent.declined", "RefuseConsent", "listening.started", "OpenConversation", "Admit"]
    assert run(flow, VOICE, at_ms=4_000) == [Hear(VOICE.pcm)]


def test_a_person_takes_over_where_the_policy_says_so() -> None:
    assert run(asked(HUMAN), NO, at_ms=2_500)[-1] == TransferCall("nobody")


@pytest.mark.parametrize("ask", [STAY, KEYS, WORDS])
def test_hanging_up_declines_and_the_call_was_never_heard(ask: Asking) -> None:
    done = run(asked(ask), VOICE, GONE, at_ms=2_500)
    assert body(done, "consent.declined")["how"] == "hung-up"
    assert done[-1] == Seal(Outcome.NEVER_LISTENED)


@pytest.mark.parametrize(("ask", "wait"), [(STAY, 3_000), (KEYS, 8_000), (WORDS, 6_000)])
def test_the_answer_has_the_time_that_the_policy_gives(ask: Asking, wait: int) -> None:
    flow = CallFlow((asking(ask),))
    assert run(flow, START, *announced(ask))[-1] == AwaitAnswer("rec", 1, wait)


# --- too early, too late, for another question ----------------------------------------------------------------------


def test_a_yes_while_the_announcement_plays_is_none() -> None:
    """Nobody agrees to words that were not played to their end: the key is dropped, and asked for again."""
    flow = CallFlow((asking(KEYS),))
    done = run(flow, START, YES, *announced(KEYS), at_ms=0)
    assert kinds(done)[-1] == "AwaitAnswer"
    assert flow.keys_dropped == 1


def test_a_no_while_the_announcement_plays_holds_when_it_has_ended() -> None:
    flow = CallFlow((asking(KEYS),))
    assert run(flow, START, NO)[-1] == PlayAnnouncement(flow.current)
    done = run(flow, *announced(KEYS), at_ms=1_000)
    assert kinds(done)[1:] == ["announcement.played", "consent.declined", "RefuseConsent", "Tell"]


def test_talking_over_the_announcement_is_dropped_and_stops_nothing() -> None:
    flow = CallFlow((asking(WORDS),))
    assert run(flow, START, VOICE, VOICE, VOICE)[2:] == []
    assert flow.frames_dropped == 3


@pytest.mark.parametrize("ask", [STAY, KEYS])
def test_where_no_word_is_asked_no_word_is_heard(ask: Asking) -> None:
    flow = asked(ask)
    assert run(flow, VOICE, heard(Meaning.YES), at_ms=2_100) == []
    assert flow.frames_dropped == 1


def test_the_ear_for_answers_is_open_only_while_the_answer_is_waited_for() -> None:
    flow = CallFlow((asking(WORDS),))
    assert OpenAnswerEar("rec", 1, "en") in run(flow, START, *announced(WORDS))
    assert run(flow, VOICE, at_ms=2_500) == [HearAnswer(VOICE.pcm)]
    again = run(flow, heard(Meaning.UNCLEAR), VOICE, at_ms=3_000)
    assert kinds(again) == ["CloseAnswerEar", "PlayAnnouncement"]
    assert OpenAnswerEar("rec", 2, "en") in run(flow, *announced(WORDS, 2), at_ms=5_000)
    assert kinds(run(flow, heard(Meaning.YES, 2), at_ms=7_000))[0] == "CloseAnswerEar"


LATE = {
    "an answer of the first playing": heard(Meaning.YES, 1),
    "its time": AnswerOverdue("rec", 1),
    "its mark": MarkReturned("announcement:rec"),
    "its missing mark": MarkOverdue("rec", 1),
    "an answer to something else": AnswerHeard("other", 2, Meaning.YES),
}


@pytest.mark.parametrize("event", LATE.values(), ids=LATE.keys())
def test_what_belongs_to_the_first_playing_means_nothing_in_the_second(event: Event) -> None:
    flow = asked(WORDS)
    run(flow, AnswerOverdue("rec", 1), at_ms=8_000)
    assert flow.on(event, 8_500) == []
    run(flow, *announced(WORDS, 2), at_ms=9_000)
    assert flow.on(event, 11_000) == []


def test_of_two_questions_both_are_asked_and_one_no_is_enough() -> None:
    first, second = asking(GOES_ON, "rec"), asking(KEYS, "rec2")
    flow = CallFlow((first, second))
    run(flow, START, *announced(KEYS), YES)
    assert flow.phase is Phase.ANNOUNCING
    done = run(flow, PlayedOut("rec2"), MarkReturned("announcement:rec2"), NO, at_ms=5_000)
    assert not [each for each in done if isinstance(each, GiveConsent)]


def test_a_failure_while_the_answer_is_waited_for_ends_the_call_unheard() -> None:
    flow = asked(WORDS)
    assert kinds(run(flow, Failed("no_permitted_route"), VOICE, at_ms=3_000)) == ["CloseAnswerEar", "call.failed", "Tell"]


# --- taken back, at any time ----------------------------------------------------------------------------------------


def talking(ask: Asking) -> CallFlow:
    flow = asked(ask)
    run(flow, YES, at_ms=3_000)
    assert flow.phase is Phase.LISTENING
    return flow


def test_taken_back_in_words_the_token_goes_first_then_it_is_written_and_the_talk_goes_on() -> None:
    flow = talking(GOES_ON)
    done = run(flow, ConsentWithdrawn(How.SPOKEN), at_ms=9_000)
    assert done == [
        RevokeConsent("recording", How.SPOKEN),
        Write("consent.withdrawn", {"purpose": "recording", "how": "spoken", "then": "continue-unrecorded"}),
    ]
    assert run(flow, ConsentWithdrawn(How.SPOKEN), VOICE, at_ms=9_500) == [Hear(VOICE.pcm)]


@pytest.mark.parametrize(("ask", "last"), [(KEYS, Tell("declined")), (HUMAN, TransferCall("nobody"))])
def test_taken_back_the_policy_says_what_follows(ask: Asking, last: Command) -> None:
    done = run(talking(ask), ConsentWithdrawn(How.SPOKEN), at_ms=9_000)
    assert kinds(done)[:3] == ["RevokeConsent", "consent.withdrawn", "CloseConversation"]
    assert done[-1] == last


def test_the_key_for_no_pressed_alone_takes_it_back_and_in_a_number_it_does_not() -> None:
    flow = talking(GOES_ON)
    assert run(flow, NO, OTHER, VOICE, at_ms=10_000, each_ms=200) == [Hear(VOICE.pcm)]
    assert run(flow, VOICE, NO, at_ms=20_000, each_ms=100) == [Hear(VOICE.pcm)]
    done = run(flow, VOICE, at_ms=20_100 + KEY_QUIET_MS)
    assert kinds(done) == ["RevokeConsent", "consent.withdrawn", "Hear"]


def test_a_key_as_the_last_thing_of_a_call_counts() -> None:
    done = run(talking(GOES_ON), NO, GONE, at_ms=10_000, each_ms=100)
    assert kinds(done) == ["RevokeConsent", "consent.withdrawn", "CloseConversation", "call.ended", "Seal"]


def test_where_nothing_was_asked_the_wish_is_on_record_all_the_same() -> None:
    flow = CallFlow(())
    run(flow, START)
    assert kinds(run(flow, ConsentWithdrawn(How.SPOKEN), at_ms=5_000)) == ["RevokeConsent", "consent.withdrawn"]


# --- somebody joins -------------------------------------------------------------------------------------------------


def test_whoever_joins_later_is_told_and_asked_before_anything_more_is_heard() -> None:
    """Consent sleeps until they agree as well; the conversation waits, and is not opened twice."""
    flow = talking(GOES_ON)
    done = run(flow, ParticipantJoined(), VOICE, at_ms=9_000)
    assert done == [
        RevokeConsent("recording"),
        Write("participant.joined", {"frames_dropped": 0, "keys_dropped": 0}),
        PlayAnnouncement(flow.current, play=2, clearing=True),
    ]
    done = run(flow, *announced(KEYS, 2), VOICE, YES, VOICE, at_ms=10_500)
    assert kinds(done)[-5:] == [GIVEN, "listening.resumed", "GiveConsent", "Admit", "Hear"]
    assert GiveConsent("recording", How.KEY_PRESS, by_caller=False) in done


def test_the_no_of_one_who_joined_is_a_no_for_all_and_is_not_the_callers() -> None:
    flow = talking(GOES_ON)
    run(flow, ParticipantJoined(), at_ms=9_000)
    done = run(flow, *announced(KEYS, 2), NO, VOICE, at_ms=10_500)
    assert kinds(done)[-4:] == ["consent.declined", "listening.resumed", "Admit", "Hear"]
    assert not [each for each in done if isinstance(each, GiveConsent | RefuseConsent)]


def test_the_yes_of_one_who_joined_does_not_undo_the_callers_withdrawal() -> None:
    flow = talking(GOES_ON)
    run(flow, ConsentWithdrawn(How.SPOKEN), ParticipantJoined(), at_ms=9_000)
    assert not [each for each in run(flow, *announced(KEYS, 2), YES, at_ms=11_000) if isinstance(each, GiveConsent)]


def test_who_joins_is_let_in_by_number_once_everything_was_answered_and_for_a_spoken_answer_before() -> None:
    """So that nobody who has come meanwhile is let in with them."""
    flow = asked(WORDS)
    run(flow, AnswerHeard("rec", 1, Meaning.YES), at_ms=3_000)
    assert Admit(0) not in run(flow, ParticipantJoined(), at_ms=9_000)
    done = run(flow, *announced(WORDS, 2), at_ms=10_500)
    assert [each for each in done if isinstance(each, Admit)] == [Admit(1, to_answer=True)]
    done = run(flow, AnswerHeard("rec", 2, Meaning.YES), at_ms=13_000)
    assert [each for each in done if isinstance(each, Admit)] == [Admit(1)]


def test_who_joins_a_call_that_announces_nothing_is_let_in_at_once() -> None:
    flow = CallFlow(())
    run(flow, START)
    assert kinds(run(flow, ParticipantJoined(), at_ms=2_000)) == ["participant.joined", "Admit"]


def test_the_key_of_one_who_is_not_being_asked_cannot_agree_for_another_and_can_decline() -> None:
    flow = talking(KEYS)
    run(flow, ParticipantJoined(), *announced(KEYS, 2), at_ms=9_000)
    assert run(flow, replace(YES, asked=False), at_ms=11_000) == []
    assert kinds(run(flow, replace(NO, asked=False), at_ms=11_100))[0] == "consent.declined"


def test_who_joins_before_the_answer_begins_it_all_anew() -> None:
    flow = asked(WORDS)
    done = run(flow, ParticipantJoined(), at_ms=3_000)
    assert kinds(done) == ["CloseAnswerEar", "participant.joined", "PlayAnnouncement"]


def test_hanging_up_while_somebody_new_is_asked_closes_the_conversation() -> None:
    flow = talking(KEYS)
    run(flow, ParticipantJoined(), at_ms=9_000)
    done = run(flow, GONE, at_ms=9_500)
    assert kinds(done) == ["announcement.unproven", "CloseConversation", "call.ended", "Seal"]
    assert done[-1] == Seal(Outcome.COMPLETED)


# --- whatever happens -----------------------------------------------------------------------------------------------

ASKS = st.sampled_from([None, STAY, KEYS, WORDS, GOES_ON, HUMAN, replace(WORDS, on_decline=OnDecline.CONTINUE_UNRECORDED)])
PLAYS = st.integers(1, 4)
NAMES = st.sampled_from(["rec", "two"])
EVENTS = st.one_of(
    st.just(START),
    st.just(VOICE),
    st.sampled_from([YES, NO, OTHER]),
    st.builds(PlayedOut, NAMES, PLAYS),
    st.builds(lambda name, play: MarkReturned(asking(None, name).mark(play)), NAMES, PLAYS),
    st.builds(AnswerHeard, NAMES, PLAYS, st.sampled_from(Meaning)),
    st.builds(AnswerOverdue, NAMES, PLAYS),
    st.builds(MarkOverdue, NAMES, PLAYS),
    st.builds(ConsentWithdrawn, st.sampled_from([How.SPOKEN, How.KEY_PRESS])),
    st.just(ParticipantJoined()),
    st.sampled_from([GONE, Told(), AgentFinished(), Failed("internal")]),
)


def next_step(flow: CallFlow, event: Event, *, well: bool) -> Event:
    """The random event, or, where it goes well, the one that carries the call on: else no script would come far."""
    if not well or flow.phase not in (Phase.CONNECTED, Phase.ANNOUNCING, Phase.ASKING):
        return event
    if flow.phase is Phase.CONNECTED:
        return START
    now = flow.current
    play = flow.answers.plays.get(now.id, 1)
    if flow.phase is Phase.ANNOUNCING:
        return (
            MarkReturned(now.mark(play)) if isinstance(event, PlayedOut | MarkReturned | AnswerHeard) else PlayedOut(now.id, play)
        )
    if now.ask is not None and now.ask.spoken:
        return event if isinstance(event, CallerAudio) else AnswerHeard(now.id, play, Meaning.YES)
    return YES if now.ask is not None and now.ask.accept else AnswerOverdue(now.id, play)


WELL = st.sampled_from([True, True, True, True, False])
SCRIPTS = st.lists(st.tuples(st.sampled_from([0, 20, 1_100, 2_500]), EVENTS, WELL), min_size=10, max_size=60)


class Gate:
    """An auditor beside a call: knows what was proven and answered, and looks at every command."""

    def __init__(self, asks: tuple[Asking | None, Asking | None]) -> None:
        self.asks = {"rec": asks[0], "two": asks[1]}
        self.answered: dict[str, bool] = {}
        self.ear = self.held = self.open = self.refused = False
        self.heard = 0

    @property
    def passed(self) -> bool:
        return self.answered == {"rec": True, "two": True}

    def see(self, command: Command) -> None:
        if isinstance(command, Write):
            self._written(command)
        elif isinstance(command, OpenAnswerEar | HearAnswer | CloseAnswerEar):
            self._answering(command)
        elif isinstance(command, OpenConversation | Hear | GiveConsent):
            self._listening(command)
        elif isinstance(command, Admit):
            assert self.ear if command.to_answer else self.passed
        elif isinstance(command, RevokeConsent):
            self.held = False

    def _written(self, command: Write) -> None:
        name = str(command.body.get("id"))
        match command.kind:
            case "announcement.played":
                self.answered[name] = self.asks[name] is None
            case "consent.given":
                self.answered[name] = True
            case "consent.declined":
                self.refused = True
                self.answered[name] = command.body["then"] == "continue-unrecorded"
            case "consent.withdrawn":
                self.refused = True
            case "participant.joined":
                self.answered.clear()

    def _answering(self, command: OpenAnswerEar | HearAnswer | CloseAnswerEar) -> None:
        if isinstance(command, OpenAnswerEar):
            ask = self.asks[command.announcement]
            assert ask is not None
            assert ask.spoken
        assert self.ear is not isinstance(command, OpenAnswerEar)
        self.ear = not isinstance(command, CloseAnswerEar)

    def _listening(self, command: OpenConversation | Hear | GiveConsent) -> None:
        assert self.passed
        assert not self.ear
        if isinstance(command, GiveConsent):
            assert not self.refused
            self.held = True
        else:
            assert self.open is isinstance(command, Hear)
            self.open = True
            self.heard += isinstance(command, Hear)


@given(st.tuples(ASKS, ASKS), SCRIPTS)
def test_whatever_happens_no_sound_of_the_caller_goes_anywhere_before_the_gate(
    asks: tuple[Asking | None, Asking | None], script: list[tuple[int, Event, bool]]
) -> None:
    """To the conversation only after every proof and answer; to the ear for answers only while a spoken answer is waited for."""
    flow, gate, now = CallFlow((asking(asks[0], "rec"), asking(asks[1], "two"))), Gate(asks), 0
    for after, event, well in script:
        now += after
        for command in flow.on(next_step(flow, event, well=well), now):
            gate.see(command)
        assert not (gate.held and gate.refused)
        assert gate.ear is (flow.phase is Phase.ASKING and flow.current.ask is not None and flow.current.ask.spoken)
