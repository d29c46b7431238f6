"""A child as scripts: whatever the call was doing, nobody hears it any more, and it goes to a person or ends."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gateway.call.child import CHILD, ChildSignalled, Sign
from gateway.call.child_flow import ChildFlow
from gateway.call.consent import Asking, OpenAnswerEar, RevokeConsent, TransferCall
from gateway.call.events import CallerAudio, KeyPressed, LegStarted, LegStopped, MarkReturned, ParticipantJoined
from gateway.call.payment import CardField, ForgetKeys, PaymentExpected, Why
from gateway.call.plot import (
    AgentFinished,
    Announcement,
    CloseConversation,
    Command,
    Event,
    Failed,
    HangUp,
    Hear,
    Phase,
    PlayedOut,
    Seal,
    Tell,
    Told,
    Write,
)
from gateway.policy.announcing import AnnouncementMode
from gateway.policy.children import Children, Then
from gateway.policy.payment import Payment
from gateway.values import Pcm, Private

VOICE = CallerAudio(Private(Pcm(b"\0\0" * 160, 8_000)), at_ms=0)
HEARD = ChildSignalled(Sign.AGE)
ASKS = Announcement(
    "a", "rule", "en", "t", "s", 1_000, Asking(AnnouncementMode.KEY_PRESS, wait_ms=10_000, accept="1", decline="2")
)


def run(flow: ChildFlow, *events: Event, at_ms: int = 1_000) -> list[Command]:
    return [command for event in events for command in flow.on(event, at_ms)]


def listening(children: Children = Children(), *, asked: bool = False) -> ChildFlow:  # noqa: B008 - unchangeable
    flow = ChildFlow((ASKS,) if asked else (), terms=Payment(), children=children)
    run(flow, LegStarted("MZ1", "CA1"), at_ms=0)
    if asked:
        run(flow, PlayedOut("a"), MarkReturned("announcement:a"), KeyPressed(Private("1")))
    assert flow.phase is Phase.LISTENING
    return flow


def kinds(commands: Sequence[Command]) -> list[str]:
    return [command.kind if isinstance(command, Write) else type(command).__name__ for command in commands]


def test_the_conversation_is_closed_first_and_then_it_is_written_down() -> None:
    done = run(listening(), HEARD)
    facts = Write("child.signalled", {"sign": "age", "under": 13, "then": "transfer"}, anyway=True)
    assert done == [CloseConversation(), facts, TransferCall(CHILD)]


def test_what_a_child_agreed_to_is_void() -> None:
    done = run(listening(asked=True), HEARD)
    assert done[:2] == [CloseConversation(), RevokeConsent("recording")]


def test_where_the_policy_says_so_one_sentence_ends_the_call() -> None:
    flow = listening(Children(then=Then.HANG_UP))
    assert run(flow, HEARD)[-1] == Tell(CHILD)
    assert kinds(run(flow, Told())) == ["call.ended", "Seal", "HangUp"]


def test_from_then_on_nothing_is_heard_and_nothing_else_happens() -> None:
    flow = listening()
    run(flow, HEARD)
    again: tuple[Event, ...] = (VOICE, KeyPressed(Private("5")), HEARD, ParticipantJoined(), AgentFinished(), Failed("internal"))
    assert [each for each in run(flow, *again) if isinstance(each, Write | Tell | HangUp | Seal | Hear)] == []
    assert kinds(run(flow, PaymentExpected(Why.AGENT, CardField.NUMBER))) == ["SeeAgain"]


def test_a_pause_for_card_data_ends_with_it() -> None:
    flow = listening()
    run(flow, PaymentExpected(Why.QUESTION, CardField.NUMBER))
    done = run(flow, HEARD)
    assert kinds(done) == ["CloseConversation", "ForgetKeys", "payment.abandoned", "child.signalled", "TransferCall"]
    assert isinstance(done[1], ForgetKeys)


def test_while_others_are_announced_to_it_is_as_while_listening() -> None:
    flow = listening(asked=True)
    run(flow, ParticipantJoined())
    assert flow.phase is Phase.ANNOUNCING
    assert kinds(run(flow, HEARD)) == ["CloseConversation", "child.signalled", "TransferCall"]
    assert not any(isinstance(each, OpenAnswerEar) for each in run(flow, PlayedOut("a", 2), MarkReturned("announcement:a:2")))


def test_in_a_call_that_is_being_ended_it_is_written_down_and_nothing_more_is_said() -> None:
    flow = listening()
    run(flow, Failed("internal"))
    assert kinds(run(flow, HEARD)) == ["child.signalled"]


@pytest.mark.parametrize("flow", [listening(Children(off="nobody is a child here")), ChildFlow(())], ids=["off", "not begun"])
def test_where_nobody_looks_for_children_nothing_happens(flow: ChildFlow) -> None:
    if flow.phase is Phase.CONNECTED:
        run(flow, LegStarted("MZ1", "CA1"), LegStopped())
    assert run(flow, HEARD) == []
