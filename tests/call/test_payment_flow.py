"""A payment pause as scripts: nobody hears, keys are counted and go to one place, and every end has its marker."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call.consent import TransferAsked, TransferCall
from gateway.call.events import CallerAudio, KeyPressed, LegStarted, LegStopped, ParticipantJoined
from gateway.call.payment import (
    MOST_KEYS,
    AskForKeys,
    AwaitPayment,
    CardField,
    Ended,
    ForgetKeys,
    GoBlind,
    HandOver,
    PaymentAnswered,
    PaymentExpected,
    PaymentOverdue,
    PaymentResumed,
    SeeAgain,
    TakeKey,
    Verdict,
    Why,
)
from gateway.call.payment_flow import PaymentFlow
from gateway.call.plot import AgentFinished, Command, Event, Failed, Hear, Phase, Tell, Write
from gateway.policy.payment import Payment, Resume
from gateway.values import Pcm, Private

VOICE = CallerAudio(Private(Pcm(b"\0\0" * 160, 8_000)), at_ms=0)
EXPECTED = PaymentExpected(Why.QUESTION, CardField.NUMBER)


def keys(pressed: str) -> list[KeyPressed]:
    return [KeyPressed(Private(key)) for key in pressed]


def run(flow: PaymentFlow, *events: Event, at_ms: int = 1_000) -> list[Command]:
    return [command for event in events for command in flow.on(event, at_ms)]


def listening(terms: Payment | None = Payment()) -> PaymentFlow:  # noqa: B008 - unchangeable
    flow = PaymentFlow((), terms=terms)
    run(flow, LegStarted("MZ1", "CA1"), at_ms=0)
    assert flow.phase is Phase.LISTENING
    return flow


def paused(terms: Payment = Payment()) -> PaymentFlow:  # noqa: B008 - unchangeable
    flow = listening(terms)
    run(flow, EXPECTED)
    return flow


def kinds(commands: Sequence[Command]) -> list[str]:
    return [command.kind if isinstance(command, Write) else type(command).__name__ for command in commands]


def body(commands: Sequence[Command], kind: str) -> dict[str, object]:
    return dict(next(each for each in commands if isinstance(each, Write) and each.kind == kind).body)


def test_everything_goes_blind_before_the_marker_is_written_and_the_caller_is_asked_for_keys() -> None:
    done = run(listening(), EXPECTED)
    assert done == [
        GoBlind(Why.QUESTION),
        Write("payment.paused", {"pause": 1, "reason": "question", "field": "number"}),
        AskForKeys(CardField.NUMBER),
        AwaitPayment(1, 120_000),
    ]


def test_what_is_said_in_a_pause_reaches_nobody_and_is_counted() -> None:
    flow = paused()
    assert run(flow, VOICE, VOICE, VOICE) == []
    assert body(run(flow, PaymentResumed(), at_ms=5_000), "payment.resumed")["frames_unheard"] == 3
    assert run(flow, VOICE) == [Hear(VOICE.pcm)]


def test_keys_are_held_until_the_hash_key_and_handed_over_once() -> None:
    flow = paused()
    done = run(flow, *keys("4111#"))
    assert done == [*(TakeKey(Private(key)) for key in "4111"), HandOver(1, 1, CardField.NUMBER)]
    assert run(flow, *keys("#")) == [], "nothing is held any more"


def test_the_star_key_begins_anew() -> None:
    flow = paused()
    assert kinds(run(flow, *keys("49*#"))) == ["TakeKey", "TakeKey", "ForgetKeys"]
    assert kinds(run(flow, *keys("4#"))) == ["TakeKey", "HandOver"]


def test_what_is_keyed_beyond_any_card_is_counted_and_goes_nowhere() -> None:
    flow = paused()
    assert kinds(run(flow, *keys("1" * (MOST_KEYS + 5)))) == ["TakeKey"] * MOST_KEYS
    assert body(run(flow, PaymentResumed()), "payment.resumed")["keys"] == MOST_KEYS + 5


def test_more_asks_for_the_next_piece() -> None:
    flow = paused()
    run(flow, *keys("4111#"))
    done = run(flow, PaymentAnswered(1, 1, Verdict.MORE, CardField.CODE))
    assert done == [
        Write("payment.answered", {"pause": 1, "field": "number", "verdict": "more"}),
        AskForKeys(CardField.CODE),
    ]
    assert run(flow, *keys("739#"))[-1] == HandOver(1, 2, CardField.CODE)


def test_a_piece_that_was_keyed_ahead_is_handed_over_at_once() -> None:
    flow = paused()
    assert kinds(run(flow, *keys("4111#739#"))) == ["TakeKey"] * 4 + ["HandOver"] + ["TakeKey"] * 3
    done = run(flow, PaymentAnswered(1, 1, Verdict.MORE, CardField.CODE))
    assert kinds(done) == ["payment.answered", "HandOver"]


@pytest.mark.parametrize("verdict", [Verdict.ACCEPTED, Verdict.DECLINED, Verdict.FAILED])
def test_the_processors_answer_ends_the_pause_and_nobody_sees_before_the_marker_is_written(verdict: Verdict) -> None:
    flow = paused()
    run(flow, *keys("4111#"))
    done = run(flow, PaymentAnswered(1, 1, verdict), at_ms=9_000)
    assert kinds(done) == ["payment.answered", "ForgetKeys", "payment.resumed", "SeeAgain"]
    assert done[-1] == SeeAgain(Ended(verdict.value))
    assert body(done, "payment.resumed") == {
        "pause": 1,
        "reason": verdict.value,
        "ms": 8_000,
        "keys": 5,
        "handed_over": 1,
        "frames_unheard": 0,
    }


STALE = {
    "of an earlier pause": PaymentAnswered(7, 1, Verdict.ACCEPTED),
    "of an earlier piece": PaymentAnswered(1, 0, Verdict.ACCEPTED),
    "of another pause's clock": PaymentOverdue(2),
    "a second question": PaymentExpected(Why.AGENT),
}


@pytest.mark.parametrize("event", STALE.values(), ids=STALE.keys())
def test_what_comes_too_late_or_twice_changes_nothing(event: Event) -> None:
    flow = paused()
    run(flow, *keys("4111#"))
    assert run(flow, event) == []
    assert flow.pause is not None


def test_a_timed_pause_listens_again_when_its_time_is_over() -> None:
    done = run(paused(Payment(resume=Resume.TIMED)), PaymentOverdue(1))
    assert kinds(done) == ["ForgetKeys", "payment.resumed", "SeeAgain"]
    assert done[-1] == SeeAgain(Ended.TIMED)


def test_an_explicit_pause_never_opens_an_ear_by_the_clock() -> None:
    """A card may still be said: the caller is told, and the call ends."""
    flow = paused()
    done = run(flow, PaymentOverdue(1))
    assert kinds(done) == ["ForgetKeys", "payment.abandoned", "CloseConversation", "Tell"]
    assert done[-1] == Tell("payment-overdue")
    assert flow.phase is Phase.TELLING


OVER = {"hung up": LegStopped(), "something failed": Failed("store_unavailable"), "the agent has done": AgentFinished()}


@pytest.mark.parametrize("event", OVER.values(), ids=OVER.keys())
def test_what_ends_the_call_ends_the_pause_and_wipes_the_keys(event: Event) -> None:
    flow = paused()
    run(flow, *keys("4111"))
    done = run(flow, event)
    assert kinds(done)[:2] == ["ForgetKeys", "payment.abandoned"]
    assert flow.phase in (Phase.TELLING, Phase.ENDED)


def test_whoever_joins_in_a_pause_ends_it() -> None:
    done = run(paused(), ParticipantJoined())
    assert kinds(done)[:2] == ["ForgetKeys", "payment.abandoned"]
    assert "participant.joined" in kinds(done)
    assert done[-1] == SeeAgain(Ended.LEFT)


@pytest.mark.parametrize("terms", [None, Payment()], ids=["no policy for it", "not listening yet"])
def test_a_pause_that_cannot_begin_says_so(terms: Payment | None) -> None:
    flow = listening(None) if terms is None else PaymentFlow((), terms=terms)
    assert run(flow, EXPECTED) == [SeeAgain(Ended.UNAVAILABLE)]


def test_an_agent_hands_the_caller_over_to_a_person() -> None:
    done = run(listening(), TransferAsked())
    assert kinds(done) == ["transfer.asked", "CloseConversation", "TransferCall"]
    assert done[-1] == TransferCall("nobody")
    assert run(PaymentFlow(()), TransferAsked()) == [], "not before the caller is listened to"


EVENTS = st.sampled_from(
    [
        VOICE,
        EXPECTED,
        PaymentExpected(Why.DETECTED),
        PaymentResumed(),
        PaymentOverdue(1),
        PaymentOverdue(2),
        PaymentAnswered(1, 1, Verdict.MORE),
        PaymentAnswered(1, 1, Verdict.ACCEPTED),
        PaymentAnswered(2, 1, Verdict.FAILED),
        LegStopped(),
        Failed("internal"),
        AgentFinished(),
        TransferAsked(),
        *keys("4#*"),
    ]
)


@given(st.lists(EVENTS, max_size=40), st.sampled_from([Payment(), Payment(resume=Resume.TIMED)]))
def test_whatever_happens_nothing_is_heard_between_the_markers_and_keys_are_taken_only_there(
    events: list[Event], terms: Payment
) -> None:
    flow = listening(terms)
    blind, held = False, 0
    for command in run(flow, *events):
        if isinstance(command, GoBlind):
            assert not blind
            blind = True
        elif isinstance(command, SeeAgain) or (isinstance(command, Write) and command.kind == "payment.abandoned"):
            blind = False
            assert held == 0, "keys were left"
        assert not (isinstance(command, Hear) and blind)
        assert not (isinstance(command, TakeKey | HandOver) and not blind)
        if isinstance(command, TakeKey):
            held += 1
        elif isinstance(command, ForgetKeys | HandOver):
            held = 0
