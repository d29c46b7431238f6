"""Anthropic's message request, read field by field. Nothing that is not named here goes on to anybody.

Source: https://docs.anthropic.com/en/api/messages.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.errors import InvalidRequest, PolicyRefused
from gateway.http.proxy.chat_in import MOST_MESSAGES, MOST_TOOLS, text_of
from gateway.http.proxy.fields import Fields, words_alone
from gateway.ports import ChatOptions
from gateway.runner.proxy.request import ASSISTANT, FAILED, SYSTEM, TOOL, USER, PlainCall, PlainMessage, PlainRequest, PlainTool
from gateway.values import Private

LOOSENING = frozenset(("container", "inference_geo", "mcp_servers", "store", "provider"))
"""Fields by which a client would choose who else gets the data: that is the policy's."""
_SPEAKERS = frozenset((USER, ASSISTANT, SYSTEM))
LEFT_BEHIND = frozenset(("metadata", "service_tier", "thinking", "context_management", "betas"))
_THOUGHTS = ("thinking", "redacted_thinking")


@dataclass(frozen=True, slots=True)
class MessagesIn:
    """A request as it was read. ``dropped``: fields that were left behind; the client is told their names."""

    plain: PlainRequest
    dropped: frozenset[str]


def read_messages(body: Private[Mapping[str, Any]]) -> MessagesIn:
    """Raises InvalidRequest and PolicyRefused, as ``chat_in.read_chat``."""
    fields = Fields(body.reveal())
    if loosening := sorted(LOOSENING & fields.present):
        raise PolicyRefused(
            f"the request may not set {', '.join(loosening)}: the tenant's policy does",
            hint="leave it out",
            reasons=tuple(f"{name} would loosen what the policy promises" for name in loosening),
        )
    system = text_of(fields.raw("system"))
    messages = [PlainMessage(SYSTEM, Private(system))] if system else []
    turns = [_turn(each, place) for place, each in enumerate(fields.items("messages"))]
    messages += [message for turn in turns for message in turn]
    if not 1 <= len(turns) <= MOST_MESSAGES:
        raise fields.wrong("messages", f"a list of 1 to {MOST_MESSAGES} messages")
    tools = tuple(_tool(each) for each in fields.objects("tools"))
    if len(tools) > MOST_TOOLS:
        raise fields.wrong("tools", f"a list of at most {MOST_TOOLS} tools")
    choice, parallel = _tool_choice(fields)
    top_k = fields.whole("top_k", 0, 10_000)
    plain = PlainRequest(
        messages=tuple(messages),
        model=fields.model(),
        tools=tools,
        temperature=fields.number("temperature", 0, 1),
        stop=_stop(fields),
        response_format=_format(fields),
        options=ChatOptions(
            most_tokens=fields.whole("max_tokens", 1, 10_000_000),
            top_p=fields.number("top_p", 0, 1),
            tool_choice=choice,
            parallel_tools=parallel,
            more={} if top_k is None else {"top_k": top_k},
        ),
        stream=fields.flag("stream") or False,
    )
    return MessagesIn(plain, fields.left | (LEFT_BEHIND & fields.present))


def _turn(message: Any, place: int) -> list[PlainMessage]:
    if (words := words_alone(message, _SPEAKERS)) is not None:
        return [PlainMessage(message["role"], Private(words))]
    fields = Fields(message, f"messages[{place}]")
    role = fields.word("role", USER, ASSISTANT, SYSTEM)
    if role is None:
        raise fields.wrong("role", f"{USER} or {ASSISTANT}")
    content = fields.raw("content")
    if not isinstance(content, list):
        return [PlainMessage(role, Private(text_of(content)))]
    texts: list[Any] = []
    calls: list[PlainCall] = []
    results: list[PlainMessage] = []
    for part in content:
        block = Fields(part, "a block of a message")
        kind = block.raw("type")
        if kind == "tool_use" and role == ASSISTANT:
            calls.append(_call(block))
        elif kind == "tool_result" and role == USER:
            results.append(_result(block))
        elif kind not in _THOUGHTS:
            texts.append(part)
    text = text_of(texts)
    return [*results, PlainMessage(role, Private(text), tuple(calls))] if text or calls or not results else results


def _call(block: Fields) -> PlainCall:
    name = block.text("name")
    if not name:
        raise block.wrong("name", "the name of a tool")
    return PlainCall(block.text("id") or "", name, Private(json.dumps(block.mapping("input"), ensure_ascii=False)))


def _result(block: Fields) -> PlainMessage:
    call_id = block.text("tool_use_id")
    if not call_id:
        raise block.wrong("tool_use_id", "the id of a tool call")
    text = text_of(block.raw("content"))
    failed = block.flag("is_error")
    return PlainMessage(TOOL, Private(f"{FAILED}{text}" if failed else text), call_id=call_id)


def _tool(fields: Fields) -> PlainTool:
    if fields.raw("type") not in (None, "custom"):
        raise PolicyRefused("a tool that runs at the processor may not be used", hint="offer tools of your own")
    name = fields.text("name")
    if not name:
        raise fields.wrong("name", "the name of a tool")
    return PlainTool(name, Private(fields.text("description") or ""), Private(fields.mapping("input_schema")))


def _tool_choice(fields: Fields) -> tuple[str | None, bool | None]:
    choice = fields.object("tool_choice")
    if choice is None:
        return None, None
    kind = choice.word("type", "auto", "any", "tool", "none")
    name = choice.text("name")
    if kind is None or (kind == "tool" and not name):
        raise fields.wrong("tool_choice", "auto, any, none or a tool's name")
    parallel = False if choice.flag("disable_parallel_tool_use") else None
    return {"any": "required", "tool": f"tool:{name}"}.get(kind, kind), parallel


def _stop(fields: Fields) -> tuple[Private[str], ...]:
    stop = fields.raw("stop_sequences") or []
    if not isinstance(stop, list) or len(stop) > 16 or not all(isinstance(each, str) for each in stop):
        raise fields.wrong("stop_sequences", "a short list of texts")
    return tuple(Private(each) for each in stop)


def _format(fields: Fields) -> Private[Mapping[str, object]] | None:
    """``output_config.format``, and its older name ``output_format``."""
    wanted = fields.mapping("output_config").get("format") or fields.mapping("output_format")
    if not wanted:
        return None
    if not isinstance(wanted, Mapping) or wanted.get("type") != "json_schema" or not isinstance(wanted.get("schema"), Mapping):
        raise InvalidRequest("the format of the answer is not a json_schema with its schema")
    return Private({"type": "json_schema", "json_schema": {"name": "answer", "schema": wanted["schema"]}})
