"""A caller understands the webhook's answer as Twilio would, and says plainly what is wrong with another one."""

from __future__ import annotations

import pytest

from gateway.caller.dialling import read_twiml
from gateway.errors import Forbidden, InvalidRequest


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "hello",
        "<html/>",
        "<Response><Say>hi</Say></Response>",
        "<Response><Connect/></Response>",
        "<Response><Connect><Stream/></Connect></Response>",
        '<!DOCTYPE r [<!ENTITY a "b">]><Response><Connect><Stream url="ws://x/&a;"/></Connect></Response>',
    ],
)
def test_an_answer_that_connects_no_stream_is_refused(answer: str) -> None:
    with pytest.raises(InvalidRequest):
        read_twiml(answer)


@pytest.mark.parametrize("verb", ["Reject", "Hangup"])
def test_an_answer_that_turns_the_call_away_is_told_as_such(verb: str) -> None:
    with pytest.raises(Forbidden):
        read_twiml(f"<Response><{verb}/></Response>")
