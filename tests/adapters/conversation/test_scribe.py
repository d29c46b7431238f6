"""What is handed to the scribe of a conversation: each turn once, masked, and as it is masked later on."""

from __future__ import annotations

from gateway.adapters.conversation.agent import PlainAgent
from gateway.adapters.conversation.scribe import Uttered
from gateway.ports import ChatDelta
from gateway.values import MaskedText, Placeholder, Private
from tests.adapters.conversation.call import NAME, Call
from tests.adapters.conversation.processors import Processors, Script
from tests.adapters.conversation.test_session import conversation


class Notes:
    """Keeps what it is handed."""

    def __init__(self) -> None:
        self.turns: list[Uttered] = []

    def add(self, turn: Uttered) -> None:
        self.turns.append(turn)


async def test_the_caller_is_handed_over_masked_and_the_agent_when_it_was_heard() -> None:
    model, notes = Processors(first=[ChatDelta("Hello "), ChatDelta("<PERSON_1>, how can I help?")]), Notes()
    async with conversation(ear=Script(f"my name is {NAME}"), model=model, scribe=notes) as talk:
        await talk.conversation.start()
        await talk.say()
        await talk.until_history(lambda kept: len(kept) >= 2)
        caller, agent = notes.turns
        assert (caller.speaker, caller.now()) == ("caller", "my name is <PERSON_1>")
        assert caller.value(Placeholder("<PERSON_1>")) == Private(NAME)
        assert (agent.speaker, agent.cut, agent.now()) == ("agent", False, None), "it has not been through the mask yet"
        assert await agent.settle() == "Hello <PERSON_1>, how can I help?"
        assert agent.now() == "Hello <PERSON_1>, how can I help?"


async def test_a_greeting_is_a_turn_too() -> None:
    notes = Notes()
    async with conversation(lambda: PlainAgent("Be brief.", greeting="Good morning."), scribe=notes) as talk:
        await talk.conversation.start()
        await talk.until_history(lambda kept: bool(kept))
        assert [(turn.speaker, turn.now()) for turn in notes.turns] == [("agent", "Good morning.")]


async def test_what_a_later_turn_tells_changes_what_was_handed_over() -> None:
    """A word like any other turns out to be somebody's name."""
    call = Call()
    masked = (await call.masker.mask(Private("Hello, Miller again."))).text
    call.turns.know(masked)
    turn = Uttered(call.turns, "caller", masked)
    assert turn.now() == "Hello, Miller again."
    await call.masker.mask(Private(f"my name is {NAME}"))
    assert turn.now() == "Hello, <PERSON_1> again."


async def test_what_nobody_has_masked_may_not_be_kept_yet() -> None:
    call = Call()
    turn = Uttered(call.turns, "agent", f"I am {NAME}.")
    assert turn.now() is None
    assert await turn.settle() == MaskedText("I am <PERSON_1>.")
