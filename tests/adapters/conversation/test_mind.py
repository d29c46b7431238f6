"""The mind sends masked text only, asks for a Grant each time, and fails over before the first word alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import pytest
from livekit import rtc
from livekit.agents import APIError, function_tool, llm

from gateway.adapters.conversation.mind import GuardedAnswer, GuardedLLM, masked_request
from gateway.errors import (
    EvidenceUnavailable,
    PolicyRefused,
    RedactionUnavailable,
    SordinoError,
    UpstreamFailed,
    UpstreamTimeout,
)
from gateway.policy.egress import Grant
from gateway.ports import ChatDelta, ChatRequest, ToolCall
from gateway.values import DataCategory, Hop, Placeholder, Private
from tests.adapters.conversation.call import CARD, NAME, Call
from tests.adapters.conversation.processors import Answer, Processors


def chat(*said: tuple[llm.ChatRole, str]) -> llm.ChatContext:
    context = llm.ChatContext()
    for role, text in said:
        context.add_message(role=role, content=text)
    return context


def ask(call: Call, processors: Processors, context: llm.ChatContext | None = None) -> GuardedAnswer:
    mind = GuardedLLM({"test": processors}, call.turns)
    return mind.chat(chat_ctx=context or chat(("user", "hello")))


async def whole(answer: GuardedAnswer) -> list[llm.ChatChunk]:
    async with asyncio.timeout(5), answer:
        return [chunk async for chunk in answer]


async def text(answer: GuardedAnswer) -> str:
    return "".join(chunk.delta.content or "" for chunk in await whole(answer) if chunk.delta)


async def sent(call: Call, *said: tuple[llm.ChatRole, str]) -> list[tuple[str, str]]:
    request = await masked_request(chat(*said), [], call.turns)
    return [(message.role, message.text) for message in request.messages]


class TestWhatAModelReceives:
    @pytest.mark.parametrize("role", ["system", "developer", "user", "assistant"])
    async def test_every_message_is_masked_whoever_wrote_it(self, role: llm.ChatRole) -> None:
        assert await sent(Call(), (role, f"This is {NAME}.")) == [(role, "This is <PERSON_1>.")]

    async def test_the_same_person_has_the_same_name_throughout(self) -> None:
        call = Call()
        messages = await sent(call, ("system", f"{NAME} calls."), ("user", f"I am {NAME}."), ("assistant", "And Ada Lovelace?"))
        assert [text for _, text in messages] == ["<PERSON_1> calls.", "I am <PERSON_1>.", "And <PERSON_2>?"]

    async def test_instructions_that_the_tenant_gave_before_the_call_are_taken_as_they_are(self) -> None:
        """They are not the caller's: a clinic may name its own doctor."""
        call = Call()
        call.turns.know(f"You answer for Dr. {NAME}.")
        assert await sent(call, ("system", f"You answer for Dr. {NAME}.")) == [("system", f"You answer for Dr. {NAME}.")]
        assert call.detector.asked == []

    @pytest.mark.parametrize("role", ["user", "assistant"])
    async def test_placeholders_of_the_conversation_stay(self, role: llm.ChatRole) -> None:
        call = Call()
        await sent(call, ("user", f"I am {NAME}."))
        assert await sent(call, (role, "So you are <PERSON_1>?")) == [(role, "So you are <PERSON_1>?")]

    async def test_with_stand_ins_a_model_sees_a_name_and_the_conversation_its_placeholder(self) -> None:
        class Echo(Processors):
            """A model that says again what it was told, in small pieces."""

            async def stream(self, grant: Grant, request: ChatRequest) -> AsyncIterator[ChatDelta]:
                self.asked.append((grant, request))
                told = request.messages[-1].text
                for at in range(0, len(told), 3):
                    yield ChatDelta(text=told[at : at + 3])

        call, processors = Call(default="surrogate"), Echo()
        assert await text(ask(call, processors, chat(("user", f"I am {NAME}.")))) == "I am <PERSON_1>."
        [(_, request)] = processors.asked
        assert NAME not in request.messages[0].text
        assert "PERSON" not in request.messages[0].text
        assert len(request.messages[0].text.split()) == 4

    async def test_a_tools_text_that_looks_like_a_placeholder_is_not_taken_for_one(self) -> None:
        """Else a tool's data could make us say a caller's own number to him as if it were somebody's."""
        call = Call()
        context = chat(("user", f"I am {NAME}."))
        context.insert(llm.FunctionCallOutput(call_id="1", name="look_up", output="the file says <PERSON_1>", is_error=False))
        request = await masked_request(context, [], call.turns)
        assert request.messages[1].text == "the file says <LITERAL_1>"

    async def test_a_tools_call_and_result_are_masked_and_joined_by_their_id(self) -> None:
        call = Call()
        arguments = json.dumps({"name": NAME, "with": ["Ada Lovelace", {"card": CARD}], "sure": True, "count": 2, "note": None})
        context = llm.ChatContext()
        context.insert(llm.FunctionCall(call_id="call_7", name="book", arguments=arguments))
        context.insert(llm.FunctionCallOutput(call_id="call_7", name="book", output=f"booked for {NAME}", is_error=False))
        request = await masked_request(context, [], call.turns)
        [asked, answered] = request.messages
        assert (asked.role, asked.text, asked.tool_calls[0].id, asked.tool_calls[0].name) == ("assistant", "", "call_7", "book")
        assert json.loads(asked.tool_calls[0].arguments) == {
            "name": "<PERSON_1>",
            "with": ["<PERSON_2>", {"card": "<CREDIT_CARD_1>"}],
            "sure": True,
            "count": 2,
            "note": None,
        }
        assert (answered.role, answered.text, answered.tool_call_id) == ("tool", "booked for <PERSON_1>", "call_7")

    async def test_a_number_that_is_a_card_number_is_masked_though_it_is_no_text(self) -> None:
        call = Call()
        context = llm.ChatContext()
        context.insert(llm.FunctionCall(call_id="1", name="pay", arguments=f'{{"card": {CARD}, "amount": 12.5}}'))
        [message] = (await masked_request(context, [], call.turns)).messages
        assert json.loads(message.tool_calls[0].arguments) == {"card": "<CREDIT_CARD_1>", "amount": 12.5}

    @pytest.mark.parametrize(
        "arguments",
        ["{", f'{{"name": "{NAME}', '{"x": NaN}', '{"x": 1e999}', "[" * 100_000, ""],
        ids=["cut off", "cut off in a name", "no number", "endless number", "too deep", "none"],
    )
    async def test_arguments_that_are_no_json_are_replaced_by_json_that_says_so(self, arguments: str) -> None:
        context = llm.ChatContext()
        context.insert(llm.FunctionCall(call_id="1", name="pay", arguments=arguments))
        [message] = (await masked_request(context, [], Call().turns)).messages
        kept = message.tool_calls[0].arguments
        assert kept == ('{"unreadable": true}' if arguments else "{}")

    @pytest.mark.parametrize(
        "part",
        [
            llm.ImageContent(image="data:image/png;base64,AAAA"),
            llm.AudioContent(frame=[rtc.AudioFrame(b"\0\0", 8_000, 1, 1)], transcript=NAME),
        ],
        ids=["image", "audio"],
    )
    async def test_pictures_and_sound_are_refused(self, part: llm.ImageContent | llm.AudioContent) -> None:
        context = llm.ChatContext()
        context.add_message(role="user", content=["see this", part])
        with pytest.raises(PolicyRefused, match="only text"):
            await masked_request(context, [], Call().turns)

    async def test_tools_are_described_with_their_schema(self) -> None:
        @function_tool
        async def book(name: str, day: str = "today") -> str:
            """Book a visit."""
            return name + day

        [tool] = (await masked_request(chat(), [book], Call().turns)).tools
        assert (tool.name, tool.description) == ("book", "Book a visit.")
        properties = tool.parameters["properties"]
        assert isinstance(properties, dict)
        assert sorted(properties) == ["day", "name"]

    async def test_a_long_history_costs_one_look_at_each_text_that_is_new(self) -> None:
        call = Call()
        context = llm.ChatContext()
        looks = []
        for number in range(12):
            context.add_message(role="user", content=f"question {number} of {NAME}")
            context.add_message(role="assistant", content=f"answer {number}")
            await masked_request(context, [], call.turns)
            looks.append(len(call.detector.asked))
        assert looks == [2 * (number + 1) for number in range(12)]

    async def test_what_the_ear_has_masked_is_not_looked_at_again(self) -> None:
        call = Call()
        turn = call.turns.next_turn()
        masked = await turn.mask(Private(f"I am {NAME}"))
        looks = len(call.detector.asked)
        assert await sent(call, ("user", masked)) == [("user", "I am <PERSON_1>")]
        assert len(call.detector.asked) == looks

    async def test_what_a_late_turn_tells_of_an_earlier_one_is_masked_in_the_next_request(self) -> None:
        """The first request knew no better; no later one holds the word, whoever said it."""
        call = Call()
        first = await call.turns.next_turn().mask(Private("miller here"))
        assert await sent(call, ("user", first)) == [("user", "miller here")]
        answer = "Hello Miller, what is your full name?"
        second = await call.turns.next_turn().mask(Private(NAME))
        assert await sent(call, ("user", first), ("assistant", answer), ("user", second)) == [
            ("user", "<PERSON_1> here"),
            ("assistant", "Hello <PERSON_1>, what is your full name?"),
            ("user", "<PERSON_1>"),
        ]
        assert call.turns.restore(Placeholder("<PERSON_1>")) == Private(NAME)

    async def test_a_message_that_was_joined_from_turns_is_masked_again_too(self) -> None:
        """livekit makes one message of what a caller says before the agent answers."""
        call = Call()
        turns = [await call.turns.next_turn().mask(Private(said)) for said in ("my number starts", "45", f"it is {CARD}")]
        [(_, joined)] = await sent(call, ("user", " ".join(turns)))
        assert joined == "my number starts <CREDIT_CARD_1> it is <CREDIT_CARD_1>"


class TestAnAnswer:
    async def test_streams_as_it_comes(self) -> None:
        call, model = Call(), Processors(first=[ChatDelta("Hello "), ChatDelta("<PERSON_1>"), ChatDelta("!")])
        chunks = await whole(ask(call, model))
        assert [chunk.delta.content for chunk in chunks if chunk.delta] == ["Hello ", "<PERSON_1>", "!"]
        assert call.codes == []
        assert model.closed == 1

    async def test_is_asked_for_with_a_grant_for_masked_text_alone(self) -> None:
        call, model = Call(), Processors(first=[ChatDelta("hi")])
        await whole(ask(call, model))
        await whole(ask(call, model))
        assert call.door.asked == [(Hop.LLM, frozenset({DataCategory.MASKED_TRANSCRIPT}), frozenset())] * 2
        assert [grant.id for grant, _ in model.asked] == ["grant_1", "grant_2"]

    async def test_says_what_the_call_is_about_from_the_turn_on_that_told_it(self) -> None:
        """So a policy can send a turn with a card number elsewhere than the turns before it."""
        call = Call()
        await text(ask(call, Processors(first=[ChatDelta("Fine.")]), chat(("user", "hello"))))
        await text(ask(call, Processors(first=[ChatDelta("Thanks.")]), chat(("user", f"my card is {CARD}"))))
        assert call.door.about == [frozenset(), frozenset({DataCategory.PAYMENT})]

    async def test_holds_tool_calls_and_usage(self) -> None:
        pieces: Answer = [
            ChatDelta("One moment."),
            ChatDelta(tool_calls=(ToolCall("c1", "book", '{"name": "<PERSON_1>"}'),)),
            ChatDelta(prompt_tokens=7, completion_tokens=3),
        ]
        chunks = await whole(ask(Call(), Processors(first=pieces)))
        [call] = [call for chunk in chunks if chunk.delta for call in chunk.delta.tool_calls]
        assert (call.call_id, call.name, call.arguments) == ("c1", "book", '{"name": "<PERSON_1>"}')
        [usage] = [chunk.usage for chunk in chunks if chunk.usage]
        assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (7, 3, 10)

    async def test_tells_once_how_long_the_first_word_took(self) -> None:
        """What comes before it without a word does not count."""
        call = Call()
        await whole(ask(call, Processors(first=[ChatDelta(), ChatDelta(), ChatDelta("a"), ChatDelta("b")])))
        assert call.telemetry.observed.count("first_token") == 1


class TestFailover:
    async def test_a_processor_that_fails_before_its_first_word_is_replaced_under_a_new_grant(self) -> None:
        call = Call("first", "second", "third")
        model = Processors(first=[UpstreamFailed("down")], second=[ChatDelta(), UpstreamTimeout("slow")], third=[ChatDelta("hi")])
        assert await text(ask(call, model)) == "hi"
        assert model.names == ["first", "second", "third"]
        assert [grant.id for grant, _ in model.asked] == ["grant_1", "grant_2", "grant_3"]
        assert [sorted(excluding) for _, _, excluding in call.door.asked] == [[], ["first"], ["first", "second"]]
        assert call.codes == []

    @pytest.mark.parametrize(
        "begun",
        [ChatDelta("Your "), ChatDelta(tool_calls=(ToolCall("c", "pay", "{}"),))],
        ids=["a word", "a tool call"],
    )
    async def test_not_after_it_has_begun_to_answer(self, begun: ChatDelta) -> None:
        """The caller would hear two beginnings, or a tool would run twice."""
        call = Call("first", "second")
        model = Processors(first=[begun, UpstreamFailed("cut")], second=[ChatDelta("never")])
        with pytest.raises(APIError):
            await whole(ask(call, model))
        assert model.names == ["first"]
        assert call.codes == ["upstream_failed"]

    async def test_when_all_have_failed_the_call_is_told_what_the_last_one_lacked(self) -> None:
        """Not that nobody was permitted: somebody was, and did not answer."""
        call = Call("first", "second")
        model = Processors(first=[UpstreamFailed("down")], second=[UpstreamTimeout("slow")])
        with pytest.raises(APIError):
            await whole(ask(call, model))
        assert call.codes == ["upstream_timeout"]

    async def test_a_failed_processor_is_asked_again_in_the_next_turn(self) -> None:
        call = Call("first", "second")
        model = Processors(first=[UpstreamFailed("down")], second=[ChatDelta("hi")])
        await whole(ask(call, model))
        await whole(ask(call, model))
        assert model.names == ["first", "second"] * 2


BREAKS: list[tuple[Callable[[Call], object], str]] = [
    (lambda call: setattr(call.door, "route", {}), "no_permitted_route"),
    (lambda call: setattr(call.door, "grant", _refusing(EvidenceUnavailable("not written"))), "evidence_unavailable"),
    (lambda call: setattr(call.detector, "broken", RedactionUnavailable("gone")), "redaction_unavailable"),
    (lambda call: setattr(call.door, "dialect", "klingon"), "policy_refused"),
]


class TestFailsClosed:
    @pytest.mark.parametrize(("breaks", "code"), BREAKS, ids=[code for _, code in BREAKS])
    async def test_nothing_is_sent_the_call_is_told_and_livekit_sees_a_code(
        self, breaks: Callable[[Call], object], code: str
    ) -> None:
        call, model = Call(), Processors(first=[ChatDelta("never")])
        breaks(call)
        with pytest.raises(APIError) as caught:
            await whole(ask(call, model, chat(("user", f"I am {NAME}"))))
        assert model.asked == []
        assert call.codes == [code]
        assert (caught.value.message, caught.value.retryable, caught.value.body) == (code, False, None)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__

    async def test_a_refused_picture_is_sent_to_nobody(self) -> None:
        call, model = Call(), Processors(first=[ChatDelta("never")])
        context = llm.ChatContext()
        context.add_message(role="user", content=[llm.ImageContent(image="data:image/png;base64,AAAA")])
        with pytest.raises(APIError, match="policy_refused"):
            await whole(ask(call, model, context))
        assert (model.asked, call.door.asked) == ([], [])

    async def test_the_error_of_a_processor_marks_its_stage_by_code(self) -> None:
        call = Call()
        with pytest.raises(APIError):
            await whole(ask(call, Processors(first=[UpstreamTimeout("slow")])))
        assert call.telemetry.failed == [("chat m-1", "upstream_timeout"), ("sordino.route", "no_permitted_route")]

    async def test_who_stops_listening_stops_the_stream(self) -> None:
        """A barge-in lets go of the connection to the processor at once."""
        call, model = Call(), Processors(first=[ChatDelta("word ")] * 10_000)
        answer = ask(call, model)
        async with asyncio.timeout(5):
            await answer.__anext__()
            await answer.aclose()
        assert model.closed == 1
        assert call.codes == []


def _refusing(error: SordinoError) -> object:
    async def grant(*_: object, **__: object) -> Grant:
        raise error

    return grant
