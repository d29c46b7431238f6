"""``/v1/messages``, and every pair of dialects: a client speaks its own, a processor its own, and both get what is theirs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.detectors.presidio import PresidioDetector
from gateway.adapters.stores.redis import Store
from tests.http.proxy.anthropic_model import speaks_anthropic
from tests.http.proxy.house import ProxyHouse, proxy_house
from tests.http.proxy.model import Model
from tests.http.proxy.test_chat import ANN, CALLED, MAIL, PEOPLE, SSN, TOOLS, streamed, user, words
from tests.journeys.canaries import found_in

CLAUDE_TOOLS = [
    {
        "name": "send_note",
        "description": "Send a note, for example to Annabel Featherstone.",
        "input_schema": {
            "type": "object",
            "properties": {"to": {"type": "string", "default": "annabel.featherstone@example.org"}, "by": {"type": "string"}},
        },
    }
]
HER = "Annabel Featherstone"
SAID = "My name is Annabel Featherstone and my e-mail is annabel.featherstone@example.org."
NOTE = [{"name": "send_note", "arguments": {"to": "<EMAIL_ADDRESS_1>", "by": 'for "<PERSON_1>"'}}]
NOTED = {"to": "annabel.featherstone@example.org", "by": 'for "Annabel Featherstone"'}


@pytest.fixture
async def claude(tmp_path: Path, store: Store, detector: PresidioDetector, model: Model) -> AsyncIterator[ProxyHouse]:
    """The proxy with a processor of the dialect ``anthropic`` behind it."""
    model.script = speaks_anthropic
    async with proxy_house(tmp_path, store, detector, {"claude": model.url}, dialects={"claude": "anthropic"}) as house:
        yield house


@pytest.fixture(params=["openai", "anthropic"])
def either(request: pytest.FixtureRequest, model: Model) -> ProxyHouse:
    """Each dialect of processors in turn."""
    house: ProxyHouse = request.getfixturevalue("house" if request.param == "openai" else "claude")
    return house


async def message(house: ProxyHouse, *messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = {"model": "any", "max_tokens": 100, "messages": list(messages), **more}
    async with house.post("/v1/messages", body, x_api_key=house.key, Authorization="") as response:
        found: dict[str, Any] = await response.json()
        return found


async def events(house: ProxyHouse, *messages: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """The events of a streamed message; each event's name is that of its data."""
    body = {"model": "any", "max_tokens": 100, "messages": list(messages), "stream": True, **more}
    async with house.post("/v1/messages", body) as response:
        *blocks, empty = (await response.text()).split("\n\n")
    found = []
    for block in blocks:
        name, data = block.split("\n")
        found.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {found[-1]['type']}"
    assert empty == ""
    return found


async def test_an_anthropic_client_gets_its_own_words_back(either: ProxyHouse, model: Model) -> None:
    answer = await message(either, user(SAID), system="You know Annabel Featherstone.")
    assert found_in(model.record, PEOPLE) == []
    assert (answer["type"], answer["role"], answer["stop_reason"]) == ("message", "assistant", "end_turn")
    assert found_in(answer["content"][0]["text"], PEOPLE) == ["ann", "mail"]
    assert answer["usage"] == {"input_tokens": 12, "output_tokens": 7}


async def test_an_anthropic_client_gets_a_stream_of_its_own_events(either: ProxyHouse, model: Model) -> None:
    found = await events(either, user(SAID))
    assert found_in(model.record, PEOPLE) == []
    kinds = [each["type"] for each in found]
    assert (kinds[:2], kinds[-3:]) == (
        ["message_start", "content_block_start"],
        ["content_block_stop", "message_delta", "message_stop"],
    )
    text = "".join(each["delta"].get("text", "") for each in found if each["type"] == "content_block_delta")
    assert found_in(text, PEOPLE) == ["ann", "mail"]
    assert found[-2]["delta"]["stop_reason"] == "end_turn"


async def test_an_anthropic_clients_tool_gets_real_values(either: ProxyHouse, model: Model) -> None:
    model.calls = NOTE
    answer = await message(either, user(SAID), tools=CLAUDE_TOOLS)
    assert answer["stop_reason"] == "tool_use"
    (call,) = answer["content"]
    assert (call["type"], call["name"], call["input"]) == ("tool_use", "send_note", NOTED)
    found = await events(either, user(SAID), tools=CLAUDE_TOOLS)
    pieces = [each["delta"]["partial_json"] for each in found if each["type"] == "content_block_delta"]
    assert json.loads("".join(pieces)) == NOTED
    assert found_in(model.record, PEOPLE) == []


async def test_an_openai_client_is_served_by_either(either: ProxyHouse, model: Model) -> None:
    answer, _ = await either.chat(SAID)
    assert found_in(answer["choices"][0]["message"]["content"], PEOPLE) == ["ann", "mail"]
    assert found_in(words(await streamed(either, user(SAID))), PEOPLE) == ["ann", "mail"]
    model.calls = NOTE
    answer, _ = await either.chat(SAID, tools=TOOLS)
    (call,) = answer["choices"][0]["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == NOTED
    assert answer["choices"][0]["finish_reason"] == "tool_calls"
    assert found_in(model.record, PEOPLE) == []


async def test_an_openai_history_with_tools_is_written_as_anthropic_has_it(claude: ProxyHouse, model: Model) -> None:
    result = {"role": "tool", "tool_call_id": "Annabel Featherstone", "content": "sent to annabel.featherstone@example.org"}
    await claude.chat(
        {"role": "system", "content": "Answer in one sentence."}, "Send it.", CALLED, result, tools=TOOLS, tool_choice="required"
    )
    (body,) = model.bodies
    assert body["system"] == "Answer in one sentence."
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    (use,), (answer,) = body["messages"][1]["content"], body["messages"][2]["content"]
    assert (use["type"], answer["type"], use["id"]) == ("tool_use", "tool_result", answer["tool_use_id"])
    assert body["tool_choice"] == {"type": "any"}
    assert body["max_tokens"] > 0
    assert model.heads[0]["anthropic-version"] == "2023-06-01"
    assert model.heads[0]["path"] == "/v1/messages"
    assert found_in(model.record, PEOPLE) == []


async def test_an_anthropic_history_with_tools_is_written_as_openai_has_it(house: ProxyHouse, model: Model) -> None:
    used = {
        "type": "tool_use",
        "id": "Annabel Featherstone",
        "name": "send_note",
        "input": {"to": "annabel.featherstone@example.org"},
    }
    told = {"type": "text", "text": f"to {HER}"}
    result = {"type": "tool_result", "tool_use_id": HER, "content": [told]}
    thought = {"type": "thinking", "thinking": f"{HER}!"}
    await message(
        house,
        user("Send it."),
        {"role": "assistant", "content": [thought, {"type": "text", "text": "Yes."}, used]},
        {"role": "user", "content": [result, {"type": "text", "text": "Thanks"}]},
        tools=CLAUDE_TOOLS,
    )
    sent = model.bodies[0]["messages"]
    assert [each["role"] for each in sent] == ["user", "assistant", "tool", "user"]
    assert sent[1]["tool_calls"][0]["id"] == sent[2]["tool_call_id"]
    assert found_in(model.record, (ANN, MAIL, SSN)) == []


REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "base64", "data": "AAAA"}}]}]},
        "policy_refused",
    ),
    ({"messages": [{"role": "user", "content": [{"type": "document", "source": {}}]}]}, "policy_refused"),
    ({"messages": [user("x")], "mcp_servers": []}, "policy_refused"),
    ({"messages": [user("x")], "tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "policy_refused"),
    ({"messages": []}, "invalid_request"),
    ({"messages": [{"role": "robot", "content": "x"}]}, "invalid_request"),
]


@pytest.mark.parametrize(("body", "code"), REFUSED)
async def test_what_may_not_go_out_is_refused_in_anthropics_form(
    house: ProxyHouse, model: Model, body: dict[str, Any], code: str
) -> None:
    async with house.post("/v1/messages", body) as response:
        answer = await response.json()
    assert (answer["type"], answer["error"]["code"]) == ("error", code)
    assert model.raw == []


async def test_a_stream_that_breaks_ends_with_an_error_event(house: ProxyHouse, model: Model) -> None:
    from tests.http.proxy.test_failure import cut

    model.script = cut
    found = await events(house, user("Hello"))
    assert (found[-1]["type"], found[-1]["error"]["code"]) == ("error", "upstream_failed")
    assert "message_stop" not in [each["type"] for each in found]
