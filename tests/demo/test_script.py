"""The demo's script: what each masked turn of a caller is answered with."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.demo.script import PLACEHOLDER, Answer, answer, arguments_text, pieces

TOOLS = ["send_confirmation"]


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        (
            "My name is <PERSON_1> and I, live at <STREET_ADDRESS_1>.",
            "Thank you, <PERSON_1>. What card number would you like to use?",
        ),
        ("My card number is <CREDIT_CARD_1>.", "I have noted your card number. What phone number may we call you on?"),
        ("My card number is <CREDIT_CARD>.", "I have noted your card number. What phone number may we call you on?"),
        ("My phone number is <PHONE_NUMBER_1>.", "I will use <PHONE_NUMBER_1>. And your e-mail address?"),
        ("My phone number is <PHONE_NUMBER>.", "I will use <PHONE_NUMBER>. And your e-mail address?"),
        ("My phone number is 5.", "I will use that number. And your e-mail address?"),
        ("My email is strange.", "I am sorry, I did not catch the e-mail address. Could you please say it again?"),
        ("Please transfer me to a human agent.", "Of course. I will transfer you to a colleague. Please stay on the line."),
        ("I would like to cancel my subscription please.", "I can help you to cancel. May I have your name, please?"),
        ("The security code is <CVV>.", "Thank you. I do not need your security code. What phone number may we call you on?"),
        ("Yes, that is correct.", "Thank you. What else can I do for you?"),
        ("", "I am sorry, I did not catch that. Could you please say it again?"),
        ("Purple.", "I am sorry, I did not catch that. Could you please say it again?"),
    ],
)
def test_each_turn_has_its_line(heard: str, said: str) -> None:
    assert answer([{"role": "system", "content": "Be kind to <PERSON_9>."}, user(heard)], TOOLS) == Answer(said)


def test_an_email_address_is_confirmed_by_the_tool_and_then_by_name() -> None:
    talk = [user("I am <PERSON_1>."), assistant("Thank you."), user("It is <EMAIL_ADDRESS_1>.")]
    asked = answer(talk, TOOLS)
    assert asked == Answer(tool="send_confirmation", arguments={"email": "<EMAIL_ADDRESS_1>"})
    call = {"id": "call_1", "type": "function", "function": {"name": asked.tool, "arguments": arguments_text(asked)}}
    done = [*talk, {"role": "assistant", "content": None, "tool_calls": [call]}, {"role": "tool", "content": "Sent."}]
    assert answer(done, TOOLS) == Answer("I have sent the confirmation to <EMAIL_ADDRESS_1>. Goodbye, <PERSON_1>.")


def test_a_tool_that_is_not_on_offer_is_not_called() -> None:
    assert answer([user("It is <EMAIL_ADDRESS_1>.")], ["hang_up"]) == Answer("I have noted <EMAIL_ADDRESS_1>. Goodbye.")


def test_a_turn_in_several_messages_is_answered_as_one() -> None:
    talk = [assistant("And your e-mail?"), user("It is"), user([{"type": "text", "text": "<EMAIL_ADDRESS_2>."}])]  # type: ignore[arg-type]
    assert answer(talk, TOOLS).arguments == {"email": "<EMAIL_ADDRESS_2>"}


def test_it_says_no_placeholder_that_it_was_not_given() -> None:
    talk = [user("I am <PERSON_1>."), assistant("Thank you."), user("It is <EMAIL_ADDRESS_1>."), {"role": "tool", "content": ""}]
    said = {found.group() for found in PLACEHOLDER.finditer(answer(talk, TOOLS).text)}
    assert said == {"<PERSON_1>", "<EMAIL_ADDRESS_1>"}


@given(st.text(max_size=200))
def test_pieces_are_the_text_and_cut_every_placeholder_of_some_length(text: str) -> None:
    assert "".join(pieces(text)) == text
    assert all(0 < len(piece) <= 7 for piece in pieces(text))


def test_arguments_are_json() -> None:
    assert json.loads(arguments_text(Answer(tool="x", arguments={"email": "<EMAIL_ADDRESS_1>"}))) == {
        "email": "<EMAIL_ADDRESS_1>"
    }
