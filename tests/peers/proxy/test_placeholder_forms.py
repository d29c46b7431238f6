"""However a model writes a placeholder, and however its words are cut into pieces, the client reads the caller's own words."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import openai
import pytest

from tests.http.proxy.house import ProxyHouse
from tests.http.proxy.model import Model
from tests.peers.proxy.clients import openai_client

NAME = "Barnaby Thistlewood"
SAID = f"My name is {NAME} and my phone number is (202) 555-0173."
FORMS = {
    "as it was": ("<PERSON_1>", NAME),
    "small letters": ("<person_1>", NAME),
    "mixed letters": ("<Person_1>", NAME),
    "spaces inside": ("< PERSON_1 >", NAME),
    "a space for the underscore": ("<PERSON 1>", NAME),
    "a hyphen for the underscore": ("<PERSON-1>", NAME),
    "no brackets": ("PERSON_1", NAME),
    "no brackets, small letters": ("person_1", NAME),
    "no brackets, a space": ("PERSON 1", NAME),
    "possessive": ("<PERSON_1>'s", f"{NAME}'s"),
    "possessive, typographic": ("<PERSON_1>’s", f"{NAME}’s"),
    "plural": ("<PERSON_1>s", f"{NAME}s"),
    "plural without brackets": ("PERSON_1s", f"{NAME}s"),
    "bold": ("**<PERSON_1>**", f"**{NAME}**"),
    "bold inside": ("<**PERSON_1**>", NAME),
    "italic": ("_<PERSON_1>_", f"_{NAME}_"),
    "code": ("`<PERSON_1>`", f"`{NAME}`"),
    "code without brackets": ("`PERSON_1`", f"`{NAME}`"),
    "escaped for Markdown": (r"<PERSON\_1>", NAME),
    "a heading": ("# <PERSON_1>", f"# {NAME}"),
    "a list": ("- <PERSON_1>\n- <PHONE_NUMBER_1>", f"- {NAME}\n- (202) 555-0173"),
    "a table": ("| <PERSON_1> | <PHONE_NUMBER_1> |", f"| {NAME} | (202) 555-0173 |"),
    "a link": ("[<PERSON_1>](tel:<PHONE_NUMBER_1>)", f"[{NAME}](tel:(202) 555-0173)"),
    "quotation marks": ('"<PERSON_1>"', f'"{NAME}"'),
    "two without a space": ("<PERSON_1><PHONE_NUMBER_1>", f"{NAME}(202) 555-0173"),
    "no bracket at its end": ("<PERSON_1, yes", f"{NAME}, yes"),
    "a bracket that is none": ("if a <b then <PERSON_1>", f"if a <b then {NAME}"),
    "one that nobody gave out": ("<PERSON_9>", "your name"),
}


@pytest.fixture
async def client(house: ProxyHouse) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai_client(house) as client:
        yield client


def says(written: str) -> Callable[[dict[str, Any]], str]:
    return lambda body: f"Well, {written}."


async def streamed(client: openai.AsyncOpenAI) -> list[str]:
    stream = await client.chat.completions.create(
        model="m", messages=[{"role": "user", "content": SAID}], stream=True, extra_headers={"X-Sordino-Call": "forms"}
    )
    return [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]


@pytest.mark.parametrize("piece", [1, 2, 3, 1_000])
async def test_the_client_reads_the_callers_own_words(client: openai.AsyncOpenAI, model: Model, piece: int) -> None:
    """However many characters a piece of the stream holds."""
    model.piece = piece
    found = {}
    for form, (written, _) in FORMS.items():
        model.says = says(written)
        found[form] = "".join(await streamed(client))
    assert found == {form: f"Well, {read}." for form, (_, read) in FORMS.items()}


async def test_the_client_reads_the_callers_own_words_in_a_whole_answer(client: openai.AsyncOpenAI, model: Model) -> None:
    found = {}
    for form, (written, _) in FORMS.items():
        model.says = says(written)
        answer = await client.chat.completions.create(model="m", messages=[{"role": "user", "content": SAID}])
        found[form] = answer.choices[0].message.content
    assert found == {form: f"Well, {read}." for form, (_, read) in FORMS.items()}


async def test_words_come_as_they_are_said_and_never_with_half_a_placeholder(client: openai.AsyncOpenAI, model: Model) -> None:
    """What cannot become a placeholder is passed on at once, so that a voice may begin to speak."""
    model.piece = 1
    model.says = lambda body: "Good morning to you, <PERSON_1>, how are you today?"
    pieces = await streamed(client)
    assert NAME in pieces
    assert len(pieces) > len("how are you today?")
    assert not [piece for piece in pieces if "<" in piece or "PER" in piece]


@pytest.mark.parametrize("written", ["<PERSON_1>", "<person 1>", r"<PERSON\\_1>", r"\u003cPERSON_1\u003e", "PERSON_1"])
async def test_a_tool_call_in_pieces_stays_json_however_the_placeholder_is_written(
    client: openai.AsyncOpenAI, model: Model, written: str
) -> None:
    model.calls = [{"name": "greet", "arguments": f'{{"who": "{written}", "n": 1}}'}]
    for model.piece in (1, 2, 3):
        stream = await client.chat.completions.create(
            model="m",
            messages=[{"role": "user", "content": SAID}],
            tools=[{"type": "function", "function": {"name": "greet", "parameters": {"type": "object"}}}],
            stream=True,
        )
        calls = [call async for chunk in stream for each in chunk.choices for call in each.delta.tool_calls or ()]
        arguments = "".join(call.function.arguments or "" for call in calls if call.function)
        assert json.loads(arguments) == {"who": NAME, "n": 1}
