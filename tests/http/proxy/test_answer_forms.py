"""Every form that an answer has: several at once, refusals, JSON with values to escape, tools in the smallest pieces."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gateway.adapters.detectors.presidio import PresidioDetector
from gateway.adapters.stores.redis import Store
from gateway.adapters.system import SystemClock
from tests.http.proxy.anthropic_model import speaks_anthropic
from tests.http.proxy.house import ProxyHouse, proxy_house
from tests.http.proxy.model import Model, begin, chunk
from tests.http.proxy.test_chat import TOOLS, streamed, user, words
from tests.http.proxy.test_failure import cut
from tests.http.proxy.test_messages import CLAUDE_TOOLS, events, message

SAID = 'My name is Barnaby Thistlewood and my password is Wal"rus8842x\\.'
NAME, PASSWORD = "Barnaby Thistlewood", 'Wal"rus8842x\\'
PIECES = pytest.mark.parametrize("piece", [1, 3])
ARGUMENTS = {"to": "<PASSWORD_1>", "by": 'for "<PERSON_1>"', "lines": ["<PERSON_1>", 7, None]}
RESTORED = {"to": PASSWORD, "by": f'for "{NAME}"', "lines": [NAME, 7, None]}
CALLS = [{"name": "send_note", "arguments": ARGUMENTS}, {"name": "send_note", "arguments": {"to": "<PERSON_1>"}}]


@pytest.fixture
async def claude(tmp_path: Path, store: Store, detector: PresidioDetector, model: Model) -> AsyncIterator[ProxyHouse]:
    """The proxy with a processor of the dialect ``anthropic`` behind it."""
    model.script = speaks_anthropic
    async with proxy_house(tmp_path, store, detector, {"claude": model.url}, dialects={"claude": "anthropic"}) as house:
        yield house


@pytest.fixture(params=["openai", "anthropic"])
def either(request: pytest.FixtureRequest) -> ProxyHouse:
    house: ProxyHouse = request.getfixturevalue("house" if request.param == "openai" else "claude")
    return house


# --- tools ----------------------------------------------------------------------------------------------------------------


@PIECES
async def test_tools_get_real_values_however_small_the_pieces(either: ProxyHouse, model: Model, piece: int) -> None:
    model.piece, model.calls = piece, CALLS
    found = await streamed(either, user(SAID), tools=TOOLS)
    calls = [call for each in found for choice in each["choices"] for call in choice["delta"].get("tool_calls", [])]
    assert [json.loads(call["function"]["arguments"]) for call in calls] == [RESTORED, {"to": NAME}]
    assert [call["index"] for call in calls] == [0, 1]
    assert len({call["id"] for call in calls}) == 2
    assert [choice["finish_reason"] for each in found for choice in each["choices"]][-1] == "tool_calls"


@PIECES
async def test_an_anthropic_clients_tools_too(either: ProxyHouse, model: Model, piece: int) -> None:
    model.piece, model.calls = piece, CALLS
    found = await events(either, user(SAID), tools=CLAUDE_TOOLS)
    blocks = [each["content_block"]["type"] for each in found if each["type"] == "content_block_start"]
    written: dict[int, str] = {}
    for each in found:
        if each["type"] == "content_block_delta":
            written[each["index"]] = written.get(each["index"], "") + each["delta"]["partial_json"]
    assert blocks == ["tool_use", "tool_use"]
    assert [json.loads(text) for text in written.values()] == [RESTORED, {"to": NAME}]
    assert found[-2]["delta"]["stop_reason"] == "tool_use"


@PIECES
async def test_words_before_a_call_are_words_and_the_call_a_call(house: ProxyHouse, model: Model, piece: int) -> None:
    """A client of Anthropic's, a processor of OpenAI's: text, then a tool, each a block of its own."""

    async def says_and_calls(model: Model, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        response = await begin(request)
        text, arguments = "One moment, <PERSON_1>.", json.dumps(ARGUMENTS)
        for at in range(0, len(text), piece):
            await response.write(chunk({"content": text[at : at + piece]}))
        call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "send_note", "arguments": ""}}
        await response.write(chunk({"tool_calls": [call]}))
        for at in range(0, len(arguments), piece):
            await response.write(chunk({"tool_calls": [{"index": 0, "function": {"arguments": arguments[at : at + piece]}}]}))
        await response.write(chunk({}, finish="tool_calls") + b"data: [DONE]\n\n")
        return response

    model.script = says_and_calls
    found = await events(house, user(SAID), tools=CLAUDE_TOOLS)
    starts = [(each["index"], each["content_block"]["type"]) for each in found if each["type"] == "content_block_start"]
    assert starts == [(0, "text"), (1, "tool_use")]
    deltas = [each for each in found if each["type"] == "content_block_delta"]
    assert "".join(each["delta"].get("text", "") for each in deltas) == f"One moment, {NAME}."
    assert json.loads("".join(each["delta"].get("partial_json", "") for each in deltas)) == RESTORED
    assert found[-1]["type"] == "message_stop"


# --- JSON -----------------------------------------------------------------------------------------------------------------

SCHEMA = {"type": "json_schema", "json_schema": {"name": "who", "schema": {"type": "object"}}}


@PIECES
async def test_structured_answers_stay_json_with_the_very_values(either: ProxyHouse, model: Model, piece: int) -> None:
    model.piece, model.says = piece, lambda body: json.dumps({"who": "<PERSON_1>", "with": ["<PASSWORD_1>", "a <PERSON_1>"]})
    found = await streamed(either, user(SAID), response_format=SCHEMA)
    assert json.loads(words(found)) == {"who": NAME, "with": [PASSWORD, f"a {NAME}"]}


# --- several answers, refusals, log odds ----------------------------------------------------------------------------------


@PIECES
async def test_several_answers_with_tools_are_told_apart(house: ProxyHouse, model: Model, piece: int) -> None:
    model.piece, model.calls = piece, CALLS
    answer, _ = await house.chat(SAID, tools=TOOLS, n=3)
    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2]
    for choice in answer["choices"]:
        found = [json.loads(call["function"]["arguments"]) for call in choice["message"]["tool_calls"]]
        assert found == [RESTORED, {"to": NAME}]


async def test_several_answers_that_a_processor_cannot_give_are_refused(claude: ProxyHouse, model: Model) -> None:
    """One answer in the place of three would be no answer to what was asked."""
    answer, _ = await claude.chat("Hello", n=3)
    assert answer["error"]["code"] == "upstream_failed"
    assert "one answer" in answer["error"]["message"]
    assert model.raw == []


def refusing(piece: int) -> Any:
    async def refuses(model: Model, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        text = "I may not tell <PERSON_1> that."
        if not body["stream"]:
            message = {"role": "assistant", "content": None, "refusal": text}
            return web.json_response({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
        response = await begin(request)
        for at in range(0, len(text), piece):
            await response.write(chunk({"refusal": text[at : at + piece]}))
        await response.write(chunk({}, finish="stop"))
        return response

    return refuses


@PIECES
async def test_a_refusal_is_restored_and_stays_a_refusal(house: ProxyHouse, model: Model, piece: int) -> None:
    model.script = refusing(piece)
    refusal = f"I may not tell {NAME} that."
    assert words(await streamed(house, user(SAID)), where="refusal") == refusal
    answer, _ = await house.chat(SAID)
    assert (answer["choices"][0]["message"]["refusal"], answer["choices"][0]["message"]["content"]) == (refusal, None)
    told = await message(house, user(SAID))
    assert (told["content"][0]["text"], told["stop_reason"]) == (refusal, "refusal")
    assert (await events(house, user(SAID)))[-2]["delta"]["stop_reason"] == "refusal"


ODDS = {"content": [{"token": "<PERSON", "logprob": -0.1, "bytes": [60], "top_logprobs": []}], "refusal": None}


@pytest.mark.parametrize("stream", [True, False])
async def test_log_odds_are_those_of_masked_words_so_nobody_gets_any(house: ProxyHouse, model: Model, stream: bool) -> None:
    """They are not asked for, the client is told, and what a processor sends of them all the same is left out."""

    async def tells_odds(model: Model, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if not body["stream"]:
            choice = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "logprobs": ODDS, "finish_reason": "stop"}
            return web.json_response({"choices": [choice]})
        response = await begin(request)
        choice = {"index": 0, "delta": {"content": "Hi"}, "logprobs": ODDS, "finish_reason": None}
        await response.write(b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n")
        await response.write(chunk({}, finish="stop"))
        return response

    model.script = tells_odds
    wish = {"messages": [user("Hello")], "logprobs": True, "top_logprobs": 3, "stream": stream}
    async with house.post("/v1/chat/completions", wish) as response:
        text, dropped = await response.text(), response.headers["X-Sordino-Dropped"]
    assert dropped == "logprobs,top_logprobs"
    assert model.bodies[0].keys() & {"logprobs", "top_logprobs"} == set()
    assert '"logprobs": null' in text or '"logprobs":null' in text
    assert "-0.1" not in text


# --- only what is on the list goes out ------------------------------------------------------------------------------------

HER = {"of": "Annabel Featherstone"}
EVERYTHING = {
    "frequency_penalty": 0.1,
    "max_completion_tokens": 9,
    "max_tokens": 9,
    "min_p": 0.1,
    "n": 1,
    "parallel_tool_calls": False,
    "presence_penalty": 0.1,
    "reasoning_effort": "low",
    "repetition_penalty": 1.1,
    "seed": 7,
    "stop": ["x"],
    "temperature": 0.5,
    "tool_choice": "auto",
    "tools": [
        {
            "type": "function",
            "x": HER,
            "function": {"name": "send", "description": "Sends.", "parameters": {"type": "object"}, "strict": True, "x": HER},
        }
    ],
    "top_k": 4,
    "top_p": 0.9,
}
GOES = {*EVERYTHING, "messages", "model", "stream"}


async def test_of_a_request_with_everything_in_it_only_what_is_on_the_list_goes_out(house: ProxyHouse, model: Model) -> None:
    """Also of what stands deeper: a message, a part, a tool and a call have fields of their own."""
    call = {"id": "c1", "type": "function", "x": HER, "function": {"name": "send", "arguments": "{}", "x": HER}}
    told = [
        {
            "role": "user",
            "content": [{"type": "text", "text": "Hello", "x": HER, "cache_control": HER}],
            "name": "Annabel",
            "x": HER,
        },
        {"role": "assistant", "content": None, "tool_calls": [call], "audio": HER, "annotations": [HER], "x": HER},
        {"role": "tool", "tool_call_id": "c1", "content": "done", "x": HER},
    ]
    left = {"user": "Annabel Featherstone", "metadata": HER, "service_tier": "flex", "verbosity": "low", "x_custom": HER}
    answer, headers = await house.chat(*told, **EVERYTHING, **left)
    assert answer["choices"], answer
    assert b"Annabel" not in model.record
    assert set(model.bodies[0]) <= GOES
    assert headers["X-Sordino-Dropped"] == ",".join(sorted(left))
    allowed = {"user": {"role", "content"}, "assistant": {"role", "content", "tool_calls"}}
    allowed["tool"] = {"role", "content", "tool_call_id"}
    for each in model.bodies[0]["messages"]:
        assert set(each) <= allowed[each["role"]]
    (tool,) = model.bodies[0]["tools"]
    assert set(tool) == {"type", "function"}
    assert set(tool["function"]) <= {"name", "description", "parameters", "strict"}


CLAUDES = [
    ("metadata", {"user_id": "Annabel Featherstone"}, "left"),
    ("service_tier", "auto", "left"),
    ("thinking", {"type": "enabled", "budget_tokens": 1024}, "left"),
    ("x_custom", HER, "left"),
    ("top_k", 4, "goes"),
    ("temperature", 0.5, "goes"),
    ("stop_sequences", ["x"], "goes"),
    ("mcp_servers", [HER], "refused"),
    ("container", "c", "refused"),
]


@pytest.mark.parametrize(("field", "value", "what"), CLAUDES, ids=[field for field, _, _ in CLAUDES])
async def test_an_anthropic_clients_fields_too(claude: ProxyHouse, model: Model, field: str, value: Any, what: str) -> None:
    body = {"model": "any", "max_tokens": 9, "messages": [user("Hello")], field: value}
    async with claude.post("/v1/messages", body) as response:
        status, dropped = response.status, response.headers.get("X-Sordino-Dropped")
    assert (status, dropped) == {"left": (200, field), "goes": (200, None), "refused": (403, None)}[what]
    assert [field in each for each in model.bodies] == {"left": [False], "goes": [True], "refused": []}[what]
    assert b"Annabel" not in model.record


# --- who breaks off each time ---------------------------------------------------------------------------------------------


class Stopped(SystemClock):
    """However long a request takes, no time has passed for the circuit breaker."""

    def monotonic(self) -> float:
        return 1_000.0


async def test_a_model_that_breaks_off_each_time_rests_too(
    tmp_path: Path, store: Store, detector: PresidioDetector, model: Model
) -> None:
    model.script = cut
    async with proxy_house(tmp_path, store, detector, {"a-model": model.url}, clock=Stopped()) as house:
        for _ in range(5):
            assert "error" in (await streamed_anyhow(house))
        answer, headers = await house.chat("Hello")
    assert (answer["error"]["code"], headers["Retry-After"]) == ("rate_limited", "10")
    assert len(model.raw) == 5


async def streamed_anyhow(house: ProxyHouse) -> str:
    """A stream's text, whole or not."""
    async with house.post("/v1/chat/completions", {"messages": [user("Hello")], "stream": True}) as response:
        return await response.text()
