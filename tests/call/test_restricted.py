"""Who asked that their data is only stored is told so in a sentence, or handed to a person; nothing of them is ever heard."""

from __future__ import annotations

import pytest

from gateway.call.consent import TransferCall
from gateway.call.events import CallerAudio, LegStarted, LegStopped
from gateway.call.plot import Announcement, Hear, OpenConversation, Phase, Seal, Tell, Told, Write
from gateway.call.restricted import RESTRICTED, RestrictedFlow
from gateway.values import Pcm, Private

ANNOUNCEMENT = Announcement("ai", "eu-ai-act", "en", "t" * 64, "a" * 64, total_ms=4_000)
STARTED = LegStarted("MZ1", "CA1")
FRAME = CallerAudio(Private(Pcm(bytes(320), 8_000)), at_ms=0)


@pytest.mark.parametrize(("hands_over", "said"), [(False, Tell(RESTRICTED)), (True, TransferCall(RESTRICTED))])
def test_a_restricted_person_is_told_or_handed_over(hands_over: bool, said: Tell | TransferCall) -> None:
    """Nothing is announced, nobody is asked, and the record says why."""
    flow = RestrictedFlow((ANNOUNCEMENT,), started={"carrier": "twilio"}, barred=RESTRICTED, hands_over=hands_over)
    begun, why, told = flow.on(STARTED, 0)
    assert isinstance(begun, Write)
    assert begun.kind == "call.started"
    assert isinstance(why, Write)
    assert (why.kind, why.body["then"]) == ("call.restricted", "transfer" if hands_over else "hang-up")
    assert told == said


def test_nothing_of_them_is_heard_until_the_end() -> None:
    flow = RestrictedFlow((ANNOUNCEMENT,), barred=RESTRICTED)
    commands = [
        *flow.on(STARTED, 0),
        *flow.on(FRAME, 20),
        *flow.on(FRAME, 40),
        *flow.on(Told(), 3_000),
        *flow.on(LegStopped("x"), 3_100),
    ]
    assert not any(isinstance(each, Hear | OpenConversation) for each in commands)
    assert flow.phase is Phase.ENDED
    ended = next(each for each in commands if isinstance(each, Write) and each.kind == "call.ended")
    assert (ended.body["outcome"], ended.body["frames_dropped"]) == ("never_listened", 2)
    assert any(isinstance(each, Seal) for each in commands)


def test_a_call_of_which_nobody_can_tell_whose_it_is_ends_with_an_apology() -> None:
    """Fail closed: the person may be one whose data may only be stored."""
    flow = RestrictedFlow((ANNOUNCEMENT,), barred="store_unavailable")
    commands = flow.on(STARTED, 0)
    assert [each.kind for each in commands if isinstance(each, Write)] == ["call.started", "call.failed"]
    assert commands[-1] == Tell("apology")


def test_everybody_else_hears_the_announcements() -> None:
    flow = RestrictedFlow((ANNOUNCEMENT,))
    flow.on(STARTED, 0)
    assert flow.phase is Phase.ANNOUNCING
