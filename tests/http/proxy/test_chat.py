"""``/v1/chat/completions``: what the model gets, and what the client gets back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.evidence.chain import verify_chain
from gateway.values import TenantId
from tests.http.proxy.house import ProxyHouse
from tests.http.proxy.model import Model
from tests.journeys.canaries import Canary, found_in

NAME = Canary("name", "my name is Barnaby Thistlewood", "Barnaby Thistlewood")
CARD = Canary("card", "my card number is 4012 8888 8888 1881", "4012888888881881")
PHONE = Canary("phone", "my phone number is two zero two five five five zero one seven three", "2025550173")
THREE = (NAME, CARD, PHONE)
WORDS = f"Hello, {NAME.said}, {CARD.said}. {PHONE.said.capitalize()}."


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


async def test_the_model_sees_placeholders_and_the_client_gets_its_own_words_back(house: ProxyHouse, model: Model) -> None:
    answer, headers = await house.chat(WORDS)
    assert found_in(model.record, THREE) == []
    assert "my name is <PERSON_1>" in model.bodies[0]["messages"][0]["content"]
    said = answer["choices"][0]["message"]["content"]
    assert found_in(said, THREE) == ["name", "card", "phone"]
    assert "two zero two five five five zero one seven three" in said
    assert headers["X-Sordino-Processor"] == "a-model"
    assert headers["X-Sordino-Region"] == "local"
    assert headers["X-Sordino-Masked"] == "3"
    assert len(headers["X-Sordino-Policy"]) == 64
    assert headers["X-Sordino-Call"].startswith("call_")
    assert answer["usage"] == {"prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 19}
    assert (answer["object"], answer["choices"][0]["finish_reason"]) == ("chat.completion", "stop")


async def test_what_went_out_is_in_a_chain_that_verifies_and_holds_no_private_word(house: ProxyHouse) -> None:
    _, headers = await house.chat(WORDS)
    entries = await house.entries()
    assert verify_chain(entries, tenant=TenantId("acme")).count == len(entries)
    hop = next(entry for entry in entries if entry.draft.kind == "hop")
    assert hop.draft.call == headers["X-Sordino-Call"]
    assert found_in(repr(entries), THREE) == []


# --- everything of a request is masked ------------------------------------------------------------------------------

ANN = Canary("ann", "", "Annabel Featherstone")
MAIL = Canary("mail", "", "annabel.featherstone@example.org")
SSN = Canary("ssn", "", "419-28-7653")
PEOPLE = (ANN, MAIL, SSN)
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "send_note",
            "description": "Send a note, for example to Annabel Featherstone.",
            "parameters": {
                "type": "object",
                "properties": {
                    "to": {"type": "string", "default": "annabel.featherstone@example.org", "description": "where it goes"},
                    "kind": {"type": "string", "enum": ["short", "SSN 419-28-7653"]},
                },
                "required": ["to"],
            },
        },
    }
]
CALLED = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {
            "id": "Annabel Featherstone",
            "type": "function",
            "function": {
                "name": "send_note",
                "arguments": json.dumps(
                    {"to": "annabel.featherstone@example.org", "lines": [{"social security number": 419287653}]}
                ),
            },
        }
    ],
}
ASKED: dict[str, list[dict[str, Any]]] = {
    "system": [
        {"role": "system", "content": "The customer is Annabel Featherstone, annabel.featherstone@example.org."},
        user("Hello"),
    ],
    "developer": [{"role": "developer", "content": "She is Annabel Featherstone, SSN 419-28-7653."}, user("Hello")],
    "parts": [{"role": "user", "content": [{"type": "text", "text": "I am"}, {"type": "text", "text": "Annabel Featherstone."}]}],
    "history": [
        user("Hi"),
        {"role": "assistant", "content": "Are you Annabel Featherstone at annabel.featherstone@example.org?"},
        user("Yes"),
    ],
    "refusal": [
        user("Hi"),
        {"role": "assistant", "content": None, "refusal": "I cannot tell Annabel Featherstone that."},
        user("Why?"),
    ],
    "a tool's result": [
        user("Look me up"),
        CALLED,
        {
            "role": "tool",
            "tool_call_id": "Annabel Featherstone",
            "content": json.dumps({"name": "Annabel Featherstone", "ssn": "419-28-7653"}),
        },
    ],
    "names": [{"role": "user", "name": "Annabel Featherstone", "content": "Hello"}],
}


@pytest.mark.parametrize("messages", ASKED.values(), ids=ASKED.keys())
async def test_no_kind_of_message_carries_a_private_word_to_the_model(
    house: ProxyHouse, model: Model, messages: list[dict[str, Any]]
) -> None:
    answer, _ = await house.chat(*messages)
    assert answer["choices"]
    assert found_in(model.record, PEOPLE) == []


async def test_tools_are_offered_without_what_is_private_in_their_descriptions_defaults_and_choices(
    house: ProxyHouse, model: Model
) -> None:
    await house.chat("Hello", tools=TOOLS, tool_choice={"type": "function", "function": {"name": "send_note"}})
    assert found_in(model.record, PEOPLE) == []
    (sent,) = model.bodies
    function = sent["tools"][0]["function"]
    assert function["name"] == "send_note"
    assert function["parameters"]["properties"]["to"]["type"] == "string"
    assert function["parameters"]["required"] == ["to"]
    assert sent["tool_choice"] == {"type": "function", "function": {"name": "send_note"}}


async def test_a_tool_that_is_named_after_somebody_gets_another_name_and_the_client_its_own(
    house: ProxyHouse, model: Model
) -> None:
    model.script = _calls_the_first_tool
    tool = {"type": "function", "function": {"name": "call_Annabel_Featherstone", "parameters": {"type": "object"}}}
    answer, _ = await house.chat("Hello", tools=[tool])
    assert found_in(model.record, PEOPLE) == []
    assert answer["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "call_Annabel_Featherstone"


async def _calls_the_first_tool(model: Model, request: Any, body: dict[str, Any]) -> Any:
    model.calls = [{"name": body["tools"][0]["function"]["name"], "arguments": {}}]
    return await model.answer(request, body)


UNKNOWN = ["user", "metadata", "safety_identifier", "prompt_cache_key", "prediction", "x_custom"]


@pytest.mark.parametrize("field", UNKNOWN)
async def test_a_field_that_is_not_on_the_list_goes_nowhere_and_the_client_is_told(
    house: ProxyHouse, model: Model, field: str
) -> None:
    _, headers = await house.chat("Hello", **{field: {"of": "Annabel Featherstone"}})
    assert field not in model.bodies[0]
    assert found_in(model.record, PEOPLE) == []
    assert headers["X-Sordino-Dropped"] == field


async def test_numbers_and_known_words_go_through(house: ProxyHouse, model: Model) -> None:
    wishes = {"temperature": 0.5, "top_p": 0.9, "max_tokens": 50, "seed": 7, "presence_penalty": 1, "reasoning_effort": "low"}
    await house.chat("Hello", **wishes, parallel_tool_calls=False, stop=["\n"])
    assert {name: model.bodies[0][name] for name in wishes} == wishes
    assert model.bodies[0]["stop"] == ["\n"]


LOOSENING: list[dict[str, Any]] = [
    {"store": True},
    {"provider": {"data_collection": "allow"}},
    {"zdr": False},
    {"models": ["another"]},
    {"web_search_options": {}},
]


@pytest.mark.parametrize("wish", LOOSENING, ids=lambda wish: next(iter(wish)))
async def test_a_wish_that_would_loosen_the_policy_is_refused_with_its_reason(
    house: ProxyHouse, model: Model, wish: dict[str, Any]
) -> None:
    """promise 10: what becomes of the data at a processor is the policy's."""
    answer, _ = await house.chat("Hello", **wish)
    assert answer["error"]["code"] == "policy_refused"
    assert next(iter(wish)) in answer["error"]["sordino"]["reasons"][0]
    assert model.raw == []


@pytest.mark.parametrize("kind", ["image_url", "input_audio", "file", "video_url"])
async def test_what_is_no_text_stays_in(house: ProxyHouse, model: Model, kind: str) -> None:
    part = {"type": kind, kind: {"url": "data:image/png;base64,AAAA"}}
    answer, _ = await house.chat({"role": "user", "content": [{"type": "text", "text": "Look"}, part]})
    assert answer["error"]["code"] == "policy_refused"
    assert model.raw == []


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"messages": []}, "messages"),
    ({"messages": "hello"}, "messages"),
    ({"messages": [{"role": "robot", "content": "x"}]}, "role"),
    ({"messages": [{"role": "tool", "content": "x"}]}, "tool_call_id"),
    ({"messages": [user("x")], "temperature": "hot"}, "temperature"),
    ({"messages": [user("x")], "n": 99}, "n in"),
    ({"messages": [user("x")], "model": "4012888888881881"}, "model"),
    ({"messages": [user("x")], "tools": [{"type": "function"}]}, "function"),
    ({"messages": [user("x")], "tool_choice": {"type": "function", "function": {"name": "none_such"}}}, "tool_choice"),
]


@pytest.mark.parametrize(("body", "named"), WRONG)
async def test_a_wrong_field_is_named_and_its_value_is_not_repeated(
    house: ProxyHouse, model: Model, body: dict[str, Any], named: str
) -> None:
    async with house.post("/v1/chat/completions", body) as response:
        answer = await response.json()
    assert (response.status, answer["error"]["code"], answer["error"]["type"]) == (
        400,
        "invalid_request",
        "invalid_request_error",
    )
    assert named in answer["error"]["message"]
    assert "4012888888881881" not in answer["error"]["message"]
    assert model.raw == []


# --- everything is restored -----------------------------------------------------------------------------------------


async def streamed(house: ProxyHouse, *messages: Any, **more: Any) -> list[dict[str, Any]]:
    """The events of a streamed answer; the end mark is checked and left out."""
    body = {"model": "any", "messages": list(messages), "stream": True, **more}
    async with house.post("/v1/chat/completions", body) as response:
        assert response.status == 200, await response.text()
        assert response.content_type == "text/event-stream"
        lines = (await response.text()).split("\n\n")
    assert lines[-2:] == ["data: [DONE]", ""]
    return [json.loads(line.removeprefix("data: ")) for line in lines[:-2]]


def words(events: list[dict[str, Any]], choice: int = 0, where: str = "content") -> str:
    return "".join(
        each["choices"][0]["delta"].get(where) or ""
        for each in events
        if each["choices"] and each["choices"][0]["index"] == choice
    )


@pytest.mark.parametrize("piece", [1, 2, 3, 50])
async def test_a_streamed_answer_is_restored_however_it_was_cut(house: ProxyHouse, model: Model, piece: int) -> None:
    model.piece = piece
    events = await streamed(house, user(WORDS), stream_options={"include_usage": True})
    assert found_in(words(events), THREE) == ["name", "card", "phone"]
    assert "PERSON" not in words(events)
    assert events[0]["choices"][0]["delta"]["role"] == "assistant"
    assert events[-2]["choices"][0]["finish_reason"] == "stop"
    assert events[-1]["usage"]["total_tokens"] == 19
    assert len({each["id"] for each in events}) == 1


@pytest.mark.parametrize("form", ["<person_1>", "< PERSON 1 >", "PERSON_1", "**<PERSON_1>**", "<PERSON\\_1>"])
async def test_a_placeholder_that_the_model_wrote_in_another_way_is_restored_too(
    house: ProxyHouse, model: Model, form: str
) -> None:
    model.says = lambda body: f"Hello {form}!"
    events = await streamed(house, user("My name is Barnaby Thistlewood."))
    assert "Barnaby Thistlewood" in words(events)
    assert "erson" not in words(events).lower()


async def test_several_answers_are_told_apart(house: ProxyHouse, model: Model) -> None:
    events = await streamed(house, user("My name is Barnaby Thistlewood."), n=3)
    assert {number: "Barnaby" in words(events, number) for number in range(3)} == {0: True, 1: True, 2: True}
    answer, _ = await house.chat("My name is Barnaby Thistlewood.", n=2)
    assert [choice["index"] for choice in answer["choices"]] == [0, 1]
    assert all("Barnaby" in choice["message"]["content"] for choice in answer["choices"])


@pytest.mark.parametrize("stream", [True, False])
async def test_the_clients_tool_gets_real_values_in_valid_json(house: ProxyHouse, model: Model, stream: bool) -> None:
    model.calls = [{"name": "send_note", "arguments": {"to": "<EMAIL_ADDRESS_1>", "by": 'for "<PERSON_1>"'}}]
    said = user("My name is Barnaby Thistlewood, my e-mail is barnaby.thistlewood@example.org.")
    if stream:
        events = await streamed(house, said, tools=TOOLS)
        (call,) = [call for each in events for call in each["choices"][0]["delta"].get("tool_calls", [])]
        assert events[-1]["choices"][0]["finish_reason"] == "tool_calls"
    else:
        answer, _ = await house.chat(said, tools=TOOLS)
        (call,) = answer["choices"][0]["message"]["tool_calls"]
        assert (answer["choices"][0]["message"]["content"], answer["choices"][0]["finish_reason"]) == (None, "tool_calls")
    assert json.loads(call["function"]["arguments"]) == {
        "to": "barnaby.thistlewood@example.org",
        "by": 'for "Barnaby Thistlewood"',
    }


async def test_an_answer_in_json_stays_json_when_values_hold_quotes(house: ProxyHouse, model: Model) -> None:
    model.says = lambda body: json.dumps({"who": "<PERSON_1>", "password": "<PASSWORD_1>"})
    schema = {"type": "json_schema", "json_schema": {"name": "who", "schema": {"type": "object"}}}
    answer, _ = await house.chat('My name is Barnaby Thistlewood and my password is x"y\\z9.', response_format=schema)
    found = json.loads(answer["choices"][0]["message"]["content"])
    assert found["who"] == "Barnaby Thistlewood"
    assert model.bodies[0]["response_format"]["type"] == "json_schema"


async def test_a_placeholder_that_a_model_has_escaped_in_json_is_restored_while_it_streams(
    house: ProxyHouse, model: Model
) -> None:
    model.says = lambda body: '{"who": "\\u003cPERSON_1\\u003E", "path": "C:\\\\u003c", "sum": "1 \\u003c 2"}'
    schema = {"type": "json_schema", "json_schema": {"name": "who", "schema": {"type": "object"}}}
    events = await streamed(house, user("My name is Barnaby Thistlewood."), response_format=schema)
    assert json.loads(words(events)) == {"who": "Barnaby Thistlewood", "path": "C:\\u003c", "sum": "1 < 2"}
    whole, _ = await house.chat("My name is Barnaby Thistlewood.", response_format=schema)
    assert json.loads(whole["choices"][0]["message"]["content"])["who"] == "Barnaby Thistlewood"


async def test_a_refusal_is_restored_as_a_refusal(house: ProxyHouse, model: Model) -> None:
    async def refuses(model: Model, request: Any, body: dict[str, Any]) -> Any:
        from tests.http.proxy.model import begin, chunk

        response = await begin(request)
        await response.write(chunk({"refusal": "I may not tell <PER"}))
        await response.write(chunk({"refusal": "SON_1>."}))
        await response.write(chunk({}, finish="stop"))
        return response

    model.script = refuses
    events = await streamed(house, user("My name is Barnaby Thistlewood."))
    assert words(events, where="refusal") == "I may not tell Barnaby Thistlewood."
