"""A model that is asked through stand-ins: it never sees a value or a placeholder, and nobody behind it sees a stand-in."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import cast

import pytest

from gateway.dressing import DressedModel
from gateway.policy.egress import Grant
from gateway.ports import ChatDelta, ChatMessage, ChatModel, ChatRequest, Masker, ToolCall, ToolSpec
from gateway.redaction.surrogate import Dressed, Surrogates
from gateway.values import EntityType, MaskedText, Placeholder, Private

NO_GRANT = cast(Grant, None)
"""What is asked here sends nothing anywhere."""
VALUES = {Placeholder("<PERSON_1>"): Private("Ann Lee")}


class Dresser:
    """The part of a masker that dresses."""

    def __init__(self, wanted: Callable[[EntityType], bool] = lambda kind: True) -> None:
        self._wanted = wanted
        self._surrogates = Surrogates(VALUES.get, b"seed")

    def dress(self, texts: Sequence[str]) -> Dressed:
        return self._surrogates.dress(texts, self._wanted)


class Model:
    """A model that remembers what it was asked, and answers in the given pieces, made from what it saw."""

    def __init__(self, answer: Callable[[str], list[ChatDelta]]) -> None:
        self._answer = answer
        self.asked: ChatRequest | None = None

    async def stream(self, grant: Grant, request: ChatRequest) -> AsyncIterator[ChatDelta]:
        self.asked = request
        for delta in self._answer(request.messages[0].text):
            yield delta


def request(text: str, *, arguments: str = "", tool: str = "") -> ChatRequest:
    calls = (ToolCall("1", "book", arguments),) if arguments else ()
    tools = (ToolSpec("book", tool, {}),) if tool else ()
    return ChatRequest((ChatMessage("user", MaskedText(text), calls),), tools)


async def answered(model: Model, asked: ChatRequest, dresser: Dresser | None = None) -> list[ChatDelta]:
    dressed = DressedModel(cast(ChatModel, model), cast(Masker, dresser or Dresser()))
    return [delta async for delta in dressed.stream(NO_GRANT, asked)]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
async def test_a_model_sees_a_name_and_its_answer_holds_the_placeholder(size: int) -> None:
    model = Model(lambda seen: [ChatDelta(text=seen[at : at + size]) for at in range(0, len(seen), size)])
    out = await answered(model, request("I am <PERSON_1>"))
    assert model.asked is not None
    assert "PERSON" not in model.asked.messages[0].text
    assert "".join(delta.text for delta in out) == "I am <PERSON_1>"


async def test_tool_calls_are_dressed_on_the_way_out_and_undressed_on_the_way_in() -> None:
    def answer(seen: str) -> list[ChatDelta]:
        return [ChatDelta(text=seen, tool_calls=(ToolCall("2", "book", json.dumps({"for": seen})),))]

    model = Model(answer)
    out = await answered(model, request("<PERSON_1>", arguments='{"for": "<PERSON_1>"}'))
    assert model.asked is not None
    assert "PERSON" not in model.asked.messages[0].tool_calls[0].arguments
    assert out[0].text == "<PERSON_1>"
    assert json.loads(out[0].tool_calls[0].arguments) == {"for": "<PERSON_1>"}


async def test_several_answers_at_once_are_each_undressed_for_themselves() -> None:
    def answer(seen: str) -> list[ChatDelta]:
        first, last = seen.split()
        return [
            ChatDelta(text=first, choice=0),
            ChatDelta(text=f"{first} {last}", choice=1),
            ChatDelta(text=f" {last}", choice=0, finish="stop"),
            ChatDelta(text=".", choice=1),
        ]

    out = await answered(Model(answer), request("<PERSON_1>"))
    assert ["".join(delta.text for delta in out if delta.choice == choice) for choice in (0, 1)] == ["<PERSON_1>", "<PERSON_1>."]


async def test_words_of_a_tool_are_never_taken_for_a_stand_in() -> None:
    plain = Model(lambda seen: [])
    await answered(plain, request("<PERSON_1>"))
    assert plain.asked is not None
    first = plain.asked.messages[0].text.split()[0]
    model = Model(lambda seen: [ChatDelta(text=f"{first} books.")])
    out = await answered(model, request("<PERSON_1>", tool=f"{first} books a table"))
    assert [delta.text for delta in out if delta.text] == [f"{first} books."]


async def test_where_no_stand_ins_are_wanted_the_request_and_the_answer_pass_untouched() -> None:
    model = Model(lambda seen: [ChatDelta(text=seen, prompt_tokens=3)])
    asked = request("I am <PERSON_1>")
    out = await answered(model, asked, Dresser(lambda kind: False))
    assert model.asked is asked
    assert out == [ChatDelta(text="I am <PERSON_1>", prompt_tokens=3)]
