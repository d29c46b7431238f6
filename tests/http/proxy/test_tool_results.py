"""What a client's tool gives back: JSON is masked inside its values and stays JSON, everything else is masked as text."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.detectors.presidio import PresidioDetector
from gateway.adapters.stores.redis import Store
from gateway.errors import InvalidRequest
from gateway.runner.proxy.json_text import read_arguments, read_result
from gateway.values import Private
from tests.http.proxy.house import ProxyHouse, proxy_house
from tests.http.proxy.model import Model
from tests.http.proxy.test_chat import TOOLS, user
from tests.http.proxy.test_messages import events, message
from tests.journeys.canaries import Canary, found_in

NAME = Canary("name", "", "Philomena Oakhurst")
PASSWORD = Canary("password", "", "rus8842x")
PIN = Canary("pin", "", "8306")
PHONE = Canary("phone", "", "2025550173")
ALL = (NAME, PASSWORD, PIN, PHONE)
FOUND = {
    "customer": {"name": "Philomena Oakhurst", "password": 'Wal"rus8842x\\', "pin": 8306, "active": True, "balance": None},
    "phone numbers": ["(202) 555-0173", 2025550173],
}
SHAPE = {
    "customer": {"name": str, "password": str, "pin": str, "active": bool, "balance": type(None)},
    "phone numbers": [str, str],
}


def called(result: Any) -> list[dict[str, Any]]:
    """A history in which the tool gave that back."""
    call = {"id": "c1", "type": "function", "function": {"name": "send_note", "arguments": "{}"}}
    return [
        user("Look her up."),
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": result},
    ]


def sent(model: Model) -> str:
    """The tool's result as the model got it last."""
    text = model.bodies[-1]["messages"][-1]["content"]
    assert isinstance(text, str)
    return text


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    return [shape(each) for each in value] if isinstance(value, list) else type(value)


FORMS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "in one line": (json.dumps(FOUND), json.loads),
    "over many lines": (json.dumps(FOUND, indent=2), json.loads),
    "in a list": (json.dumps([FOUND]), lambda text: json.loads(text)[0]),
    "one value a line": (f"{json.dumps(FOUND)}\n\n[1]\n", lambda text: json.loads(text.split("\n")[0])),
    "in a text of JSON": (json.dumps({"body": json.dumps(FOUND)}), lambda text: json.loads(json.loads(text)["body"])),
    "with every sign escaped": (
        json.dumps(FOUND).replace("Philomena", "".join(f"\\u{ord(each):04x}" for each in "Philomena")),
        json.loads,
    ),
}


@pytest.mark.parametrize(("result", "read"), FORMS.values(), ids=FORMS.keys())
async def test_json_stays_json_with_nothing_private_in_it(
    house: ProxyHouse, model: Model, result: str, read: Callable[[str], Any]
) -> None:
    answer, _ = await house.chat(*called(result), tools=TOOLS)
    assert answer["choices"], answer
    assert shape(read(sent(model))) == SHAPE
    assert found_in(model.record, ALL) == []


APART = [
    ([{"label": "PIN", "value": "8306"}, {"label": "opened", "value": "yes"}], "8306"),
    ({"field": "name", "content": "Philomena Oakhurst"}, "Oakhurst"),
    ({"results": {"customer": ["my phone number is", "2025550173"]}}, "2025550173"),
]


@pytest.mark.parametrize(("result", "private"), APART, ids=range(len(APART)))
async def test_what_makes_a_value_private_may_stand_beside_it(house: ProxyHouse, model: Model, result: Any, private: str) -> None:
    await house.chat(*called(json.dumps(result)), tools=TOOLS)
    json.loads(sent(model))
    assert private not in sent(model)


@pytest.mark.parametrize("echo", [{"age": 57}, {"for": "57"}, ["57", 1], {"years": "fifty seven"}])
async def test_a_value_of_the_conversation_is_known_whatever_stands_around_it(house: ProxyHouse, model: Model, echo: Any) -> None:
    """An age is a number like any other, except where a tool gives back this very number."""
    _, call, result = called(json.dumps(echo))
    await house.chat(user("I am 57 years old."), call, result, tools=TOOLS)
    assert "57" not in sent(model)
    assert "fifty" not in sent(model)
    json.loads(sent(model))


async def test_a_value_goes_back_to_the_clients_tool_as_it_was(house: ProxyHouse, model: Model) -> None:
    """The password holds a quote and a backslash: the arguments of the next call are valid JSON all the same."""

    async def asks_again(model: Model, request: Any, body: dict[str, Any]) -> Any:
        model.calls = [{"name": "send_note", "arguments": {"to": json.loads(sent(model))["customer"]["password"]}}]
        return await model.answer(request, body)

    model.script = asks_again
    answer, _ = await house.chat(*called(json.dumps(FOUND)), tools=TOOLS)
    (call,) = answer["choices"][0]["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"to": 'Wal"rus8842x\\'}


async def test_two_people_in_the_place_of_names_stay_two(
    tmp_path: Path, store: Store, detector: PresidioDetector, model: Model
) -> None:
    """Where a policy drops names, both have none; what is told of each stays."""
    masking = {"PERSON": "drop", "LOCATION": "drop"}
    async with proxy_house(tmp_path, store, detector, {"a-model": model.url}, masking=masking) as house:
        await house.chat(*called(json.dumps({"Annabel Featherstone": 1, "Barnaby Thistlewood": 2, "left": 3})), tools=TOOLS)
    assert list(json.loads(sent(model)).values()) == [1, 2, 3]
    assert "stone" not in sent(model)
    assert "wood" not in sent(model)


TEXTS = [
    "{the note of Philomena Oakhurst, PIN 8306",
    '{"name": "Philomena Oakhurst", "pin": 8306',
    "['Philomena Oakhurst', 'PIN 8306']",
    '{"amount": 1e999, "name": "Philomena Oakhurst", "pin": "my PIN is 8306"}',
    "[" * 20_000 + '"Philomena Oakhurst"',
    "[" * 40 + '"Philomena Oakhurst"' + "]" * 40,
    '"Philomena Oakhurst, PIN 8306"',
]


@pytest.mark.parametrize("result", TEXTS, ids=range(len(TEXTS)))
async def test_what_only_looks_like_json_is_masked_as_text(house: ProxyHouse, model: Model, result: str) -> None:
    answer, _ = await house.chat(*called(result), tools=TOOLS)
    assert answer["choices"], answer
    assert found_in(model.record, ALL) == []
    assert sent(model)[:1] == result[:1]


async def test_the_same_result_is_the_same_text_in_every_request(house: ProxyHouse, model: Model) -> None:
    """Processors keep what a prompt begins with; a result that was written anew each time would spoil that."""
    first = called(json.dumps(FOUND))
    answer, headers = await house.chat(*first, tools=TOOLS)
    before = sent(model)
    told = [*first, answer["choices"][0]["message"], user("And now?")]
    _, again = await house.chat(*told, tools=TOOLS, headers={"X-Sordino-Call": headers["X-Sordino-Call"]})
    assert model.bodies[-1]["messages"][2]["content"] == before
    assert int(again["X-Sordino-Masked"]) >= int(headers["X-Sordino-Masked"])


@pytest.mark.parametrize("failed", [False, True])
async def test_an_anthropic_clients_result_too(house: ProxyHouse, model: Model, failed: bool) -> None:
    use = {"type": "tool_use", "id": "t1", "name": "send_note", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": json.dumps(FOUND)}]}
    told = [
        user("Look her up."),
        {"role": "assistant", "content": [use]},
        {"role": "user", "content": [{**result, "is_error": failed}]},
    ]
    await message(house, *told)
    lead = "The tool failed: " if failed else ""
    assert sent(model).startswith(lead)
    assert shape(json.loads(sent(model).removeprefix(lead))) == SHAPE
    assert found_in(model.record, ALL) == []
    assert (await events(house, *told))[-1]["type"] == "message_stop"
    assert found_in(model.record, ALL) == []


@pytest.mark.parametrize("text", ["", "12", '"a"', "{", "[1", "{}{}", '{"a": NaN}', '{"a": 1e999}', "sent", "[1]\nnot this"])
def test_what_is_no_json_of_several_values_is_left_to_the_mask_of_texts(text: str) -> None:
    assert read_result(Private(text)) is None


@pytest.mark.parametrize("text", ['{"a": 1e999}', '{"a": NaN}', "{", "[" * 50_000])
def test_arguments_that_could_not_be_written_again_are_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="not JSON"):
        read_arguments(text)
