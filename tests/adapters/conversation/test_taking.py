"""What an agent's call can do beside talking, in a real session: pause for card data, and hand its caller over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from gateway.adapters.conversation.agent import GuardedAgent, PlainAgent
from gateway.adapters.conversation.taking import PAUSE_TOOL, TRANSFER_TOOL, Taking
from gateway.call.payment import CardField, Ended, PaymentExpected, PaymentResumed, Why
from gateway.policy.payment import Payment
from gateway.ports import ChatDelta, ToolCall
from gateway.runner.payment import PaymentPause, watching
from tests.adapters.conversation.call import CARD, NAME, Call
from tests.adapters.conversation.processors import Mouth, Processors, Script
from tests.adapters.conversation.test_ears import ONE, listening, said, silence, texts
from tests.adapters.conversation.test_session import conversation


class Pausing:
    """A pause whose end the test says."""

    def __init__(self) -> None:
        self.posted: list[object] = []
        self.pause = PaymentPause(Payment(), "en")
        self.begun = asyncio.Event()
        self.pause.bind(self._post)
        self.taking = Taking(self.pause)

    def _post(self, event: object) -> None:
        self.posted.append(event)
        self.begun.set()

    async def goes_blind(self) -> None:
        await self.pause.settle(interrupt=False)


class Answering(Processors):
    """Calls a tool first, and then says how that ended."""

    def then(self, text: str) -> Callable[[object], None]:
        return lambda _: self.answers.update(first=[ChatDelta(text)])


def calling(tool: str) -> Answering:
    return Answering(first=[ChatDelta(tool_calls=(ToolCall("c1", tool, "{}"),))])


async def test_the_models_tool_pauses_the_call_and_returns_how_it_ended() -> None:
    paying, model = Pausing(), calling(PAUSE_TOOL)
    async with conversation(ear=Script("I want to pay"), model=model, taking=paying.taking) as talk:
        await talk.conversation.start()
        talk.session.on("function_tools_executed", model.then("It is paid."))
        await talk.say()
        async with asyncio.timeout(30):
            await paying.begun.wait()
        await paying.goes_blind()
        assert len(model.asked) == 1, "nothing goes to the model in a pause"
        paying.pause.see(Ended.ACCEPTED)
        await talk.until_history(lambda kept: kept[-1:] == [("assistant", "It is paid.")])
    assert paying.posted == [PaymentExpected(Why.AGENT, CardField.NUMBER)]
    _, request = model.asked[-1]
    assert [each.text for each in request.messages if each.role == "tool"] == ["accepted"]


async def test_what_was_half_said_when_the_pause_began_is_not_recognised() -> None:
    """The same audio without a pause is."""
    for blind, heard in ((True, 0), (False, 1)):
        call, script, paying = Call(), Script("four one one one"), Pausing()
        call.turns.taking = paying.taking
        async with listening(call, script) as line:
            line.hear(silence(400) + said("yes-correct.wav")[:32_000])
            if blind:
                paying.pause.expect(Why.AGENT)
            assert len(texts(await line.rest())) == heard
        assert len(script.asked) == heard


async def test_what_was_said_and_not_yet_understood_when_the_pause_began_is_dropped() -> None:
    """It was at the recogniser already: its words go nowhere, and neither the vault nor the evidence knows them."""
    call, script, paying = Call(), Script(None), Pausing()
    call.turns.taking = paying.taking
    call.turns.masker = watching(call.masker, paying.pause)
    async with listening(call, script) as line:
        line.hear(ONE)
        async with asyncio.timeout(30):
            while not script.asked:  # noqa: ASYNC110 - the next turn of the loop
                await asyncio.sleep(0.005)
        paying.pause.expect(Why.AGENT)
        script.let(f"my card is {CARD}")
        assert texts(await line.rest()) == []
    assert (call.told.of("heard"), call.told.of("masked"), call.vault.values) == ([], [], {})


async def test_a_card_in_the_callers_words_drops_the_turn_and_begins_the_pause() -> None:
    call, script, paying = Call(), Script(f"my card is {CARD}"), Pausing()
    call.turns.taking = paying.taking
    call.turns.masker = watching(call.masker, paying.pause)
    async with listening(call, script) as line:
        line.hear(ONE)
        assert texts(await line.rest()) == []
    assert paying.posted == [PaymentExpected(Why.DETECTED, CardField.NUMBER)]
    assert (call.told.of("heard"), call.told.records, call.vault.values) == ([], [], {})


async def test_what_holds_no_card_is_read_once_and_masked_as_ever() -> None:
    call, script, paying = Call(), Script(f"my name is {NAME}"), Pausing()
    call.turns.taking = paying.taking
    call.turns.masker = watching(call.masker, paying.pause)
    async with listening(call, script) as line:
        line.hear(ONE)
        assert texts(await line.rest()) == ["my name is <PERSON_1>"]
    assert call.detector.asked.count(f"my name is {NAME}") == 1
    assert paying.posted == []


async def test_a_question_for_a_card_is_not_spoken_nor_anything_behind_it() -> None:
    """A recorded message asks in its place, when nobody listens any more."""
    paying, mouth = Pausing(), Mouth()
    words = (
        "It is a pleasure to help you with that today. What card number would you like to use? I will send you a confirmation."
    )
    async with conversation(lambda: PlainAgent("Be brief.", words), mouth=mouth, taking=paying.taking) as talk:
        await talk.conversation.start()
        await talk.until_history(bool)
    assert paying.posted == [PaymentExpected(Why.QUESTION, CardField.NUMBER)]
    assert mouth.words.strip() == "It is a pleasure to help you with that today."


async def test_an_agent_whose_pause_began_by_itself_is_told_how_it_ended() -> None:
    told: list[Ended] = []

    class Cashier(GuardedAgent):
        def __init__(self) -> None:
            super().__init__(instructions="Take cards.")

        async def on_payment(self, ended: Ended) -> None:
            told.append(ended)
            self.session.say("Where were we?")

    paying = Pausing()
    async with conversation(Cashier, taking=paying.taking) as talk:
        await talk.conversation.start()
        paying.pause.expect(Why.DETECTED)
        await paying.pause.settle(interrupt=True)
        paying.pause.see(Ended.DECLINED)
        await talk.until_history(lambda kept: kept[-1:] == [("assistant", "Where were we?")])
    assert told == [Ended.DECLINED]


async def test_without_more_words_the_model_is_told_how_it_ended() -> None:
    paying, model = Pausing(), Processors(first=[ChatDelta("Let us go on.")])
    async with conversation(model=model, taking=paying.taking) as talk:
        await talk.conversation.start()
        paying.pause.expect(Why.QUESTION)
        await paying.goes_blind()
        paying.pause.see(Ended.ACCEPTED)
        await talk.until_history(lambda kept: kept[-1:] == [("assistant", "Let us go on.")])
    assert "the payment processor accepted them" in str(model.asked[0][1].messages)


@pytest.mark.parametrize("known", [True, False])
async def test_a_tool_is_offered_only_where_the_policy_has_what_it_needs(known: bool) -> None:
    paying, model = Pausing(), Processors(first=[ChatDelta("Yes.")])
    taking = Taking(paying.pause, lambda: None) if known else Taking()
    async with conversation(ear=Script("hello"), model=model, taking=taking) as talk:
        await talk.conversation.start()
        await talk.say()
        await talk.until_history(lambda kept: kept[-1:] == [("assistant", "Yes.")])
    names = {tool.name for tool in model.asked[0][1].tools}
    assert names == ({PAUSE_TOOL, TRANSFER_TOOL} if known else set())


async def test_the_models_tool_hands_the_caller_over_and_nothing_more_is_said() -> None:
    asked, over = list[str](), asyncio.Event()

    def transfer() -> None:
        asked.append("over")
        over.set()

    model = calling(TRANSFER_TOOL)
    async with conversation(ear=Script("a person please"), model=model, taking=Taking(None, transfer)) as talk:
        await talk.conversation.start()
        await talk.say()
        async with asyncio.timeout(30):
            await over.wait()
    assert asked == ["over"]
    assert len(model.asked) == 1


async def test_an_agents_code_can_pause_resume_and_hand_over() -> None:
    class Own(GuardedAgent):
        def __init__(self) -> None:
            super().__init__(instructions="Nothing.")

    paying, asked, agents = Pausing(), list[str](), list[Own]()

    def own() -> Own:
        agents.append(Own())
        return agents[-1]

    async with conversation(own, taking=Taking(paying.pause, lambda: asked.append("over"))) as talk:
        await talk.conversation.start()
        agents[0].resume_after_payment()
        assert agents[0].transfer_to_human()
    assert (paying.posted, asked) == ([PaymentResumed()], ["over"])


async def test_where_the_policy_says_nothing_of_it_nothing_happens() -> None:
    taking = Taking()
    assert await taking.pause() is Ended.UNAVAILABLE
    assert not taking.blind
    assert taking.tools() == []
