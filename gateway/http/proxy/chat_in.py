"""OpenAI's chat completion request, read field by field. Nothing that is not named here goes on to anybody.

Source: https://platform.openai.com/docs/api-reference/chat/create.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.errors import InvalidRequest, PolicyRefused
from gateway.http.proxy.fields import Fields, words_alone
from gateway.ports import ChatOptions
from gateway.runner.proxy.request import (
    ASSISTANT,
    DEVELOPER,
    SYSTEM,
    TOOL,
    USER,
    PlainCall,
    PlainMessage,
    PlainRequest,
    PlainTool,
)
from gateway.values import Private

MOST_MESSAGES = 2_000
_SPEAKERS = frozenset((SYSTEM, DEVELOPER, USER, ASSISTANT))
MOST_TOOLS = 128
MOST_CHOICES = 8

LOOSENING = frozenset(
    ("data_collection", "models", "order", "plugins", "provider", "providers", "route", "transforms", "zdr", "web_search_options")
)
"""Fields by which a client would choose who gets the data and what becomes of it there: that is the policy's."""
LEFT_BEHIND = frozenset(
    (
        "logprobs",
        "metadata",
        "modalities",
        "prediction",
        "prompt_cache_key",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "top_logprobs",
        "user",
        "verbosity",
    )
)
"""Known fields that hold texts, or tell of texts that the model saw (log probabilities are those of masked words)."""
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")


@dataclass(frozen=True, slots=True)
class ChatIn:
    """A request as it was read. ``dropped``: fields that were left behind; the client is told their names."""

    plain: PlainRequest
    dropped: frozenset[str]
    with_usage: bool


def read_chat(body: Private[Mapping[str, Any]], model: str = "") -> ChatIn:
    """``model``: from the path, where the path names it.

    Raises:
        InvalidRequest: a field has another type than it should; the message names the field, never what was in it.
        PolicyRefused: images, files or sound, or a field that would loosen the policy.
    """
    fields = Fields(body.reveal())
    _refuse_loosening(fields)
    messages = tuple([_message(each, place) for place, each in enumerate(fields.items("messages"))])
    if not messages or len(messages) > MOST_MESSAGES:
        raise fields.wrong("messages", f"a list of 1 to {MOST_MESSAGES} messages")
    tools = tuple(_tool(each) for each in fields.objects("tools"))
    if len(tools) > MOST_TOOLS:
        raise fields.wrong("tools", f"a list of at most {MOST_TOOLS} tools")
    stream_options = fields.object("stream_options")
    plain = PlainRequest(
        messages=messages,
        model=model or fields.model(),
        tools=tools,
        temperature=fields.number("temperature", 0, 2),
        stop=_stop(fields),
        response_format=_format(fields),
        options=_options(fields),
        stream=fields.flag("stream") or False,
    )
    fields.known("model", "store")
    dropped = fields.left | (LEFT_BEHIND & fields.present)
    return ChatIn(plain, dropped, bool(stream_options and stream_options.flag("include_usage")))


def _refuse_loosening(fields: Fields) -> None:
    loosening = sorted(LOOSENING & fields.present)
    if fields.raw("store") is not None and fields.raw("store") is not False:
        loosening.append("store")
    if loosening:
        raise PolicyRefused(
            f"the request may not set {', '.join(loosening)}: the tenant's policy does",
            hint="leave it out",
            reasons=tuple(f"{name} would loosen what the policy promises" for name in loosening),
        )
    if {"functions", "function_call", "audio"} & fields.present:
        raise InvalidRequest("functions, function_call and audio are not taken", hint="use tools; speech has paths of its own")


def _options(fields: Fields) -> ChatOptions:
    more: dict[str, int | float | str | None] = {
        "max_completion_tokens": fields.whole("max_completion_tokens", 1, 10_000_000),
        "presence_penalty": fields.number("presence_penalty", -2, 2),
        "frequency_penalty": fields.number("frequency_penalty", -2, 2),
        "seed": fields.whole("seed", -(1 << 31), 1 << 31),
        "top_k": fields.whole("top_k", -1, 10_000),
        "min_p": fields.number("min_p", 0, 1),
        "repetition_penalty": fields.number("repetition_penalty", 0, 10),
        "reasoning_effort": fields.word("reasoning_effort", *_EFFORTS),
    }
    return ChatOptions(
        most_tokens=fields.whole("max_tokens", 1, 10_000_000),
        top_p=fields.number("top_p", 0, 1),
        tool_choice=_tool_choice(fields),
        parallel_tools=fields.flag("parallel_tool_calls"),
        choices=fields.whole("n", 1, MOST_CHOICES) or 1,
        more={name: value for name, value in more.items() if value is not None},
    )


def _tool_choice(fields: Fields) -> str | None:
    choice = fields.raw("tool_choice")
    if choice is None or choice in ("auto", "none", "required"):
        return None if choice is None else str(choice)
    function = Fields(choice, "tool_choice").object("function")
    name = function.text("name") if function else None
    if not name:
        raise fields.wrong("tool_choice", "auto, none, required or a function's name")
    return f"tool:{name}"


def _stop(fields: Fields) -> tuple[Private[str], ...]:
    stop = fields.raw("stop")
    found = [stop] if isinstance(stop, str) else stop or []
    if not isinstance(found, list) or len(found) > 16 or not all(isinstance(each, str) for each in found):
        raise fields.wrong("stop", "text or a short list of texts")
    return tuple(Private(each) for each in found)


def _format(fields: Fields) -> Private[Mapping[str, object]] | None:
    wanted = fields.mapping("response_format")
    kind = wanted.get("type")
    if not wanted or kind == "text":
        return None
    if kind == "json_object":
        return Private({"type": kind})
    schema = wanted.get("json_schema")
    if kind != "json_schema" or not isinstance(schema, Mapping):
        raise fields.wrong("response_format", "text, json_object or json_schema")
    kept = {name: schema[name] for name in ("name", "description", "schema", "strict") if schema.get(name) is not None}
    return Private({"type": kind, "json_schema": kept})


def _message(message: Any, place: int) -> PlainMessage:
    if (words := words_alone(message, _SPEAKERS)) is not None:
        return PlainMessage(message["role"], Private(words))
    fields = Fields(message, f"messages[{place}]")
    role = fields.word("role", SYSTEM, DEVELOPER, USER, ASSISTANT, TOOL)
    if role is None:
        raise fields.wrong("role", f"one of {SYSTEM}, {DEVELOPER}, {USER}, {ASSISTANT}, {TOOL}")
    text = text_of(fields.raw("content"))
    if role == ASSISTANT:
        text = "\n".join(part for part in (text, fields.text("refusal") or "") if part)
    call_id = fields.text("tool_call_id")
    if role == TOOL and not call_id:
        raise fields.wrong("tool_call_id", "the id of a tool call")
    calls = tuple(_call(each) for each in fields.objects("tool_calls")) if role == ASSISTANT else ()
    return PlainMessage(role, Private(text), calls, call_id if role == TOOL else None)


def _call(fields: Fields) -> PlainCall:
    function = fields.object("function")
    name = function.text("name") if function else None
    if function is None or not name:
        raise fields.wrong("function", "a function with its name")
    return PlainCall(fields.text("id") or "", name, Private(function.text("arguments") or "{}"))


def _tool(fields: Fields) -> PlainTool:
    fields.word("type", "function")
    function = fields.object("function")
    name = function.text("name") if function else None
    if function is None or not name:
        raise fields.wrong("function", "a function with its name")
    return PlainTool(name, Private(function.text("description") or ""), Private(function.mapping("parameters")))


def text_of(content: Any) -> str:
    """Text, or the text of its parts, joined by line ends.

    Raises:
        PolicyRefused: a part is no text.
        InvalidRequest: it is neither text nor parts.
    """
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        raise InvalidRequest("a message's content is neither text nor a list of parts")
    texts = []
    for part in content:
        fields = Fields(part, "a part of a message's content")
        kind = fields.raw("type")
        if kind not in ("text", "refusal", "input_text", "output_text"):
            raise PolicyRefused(
                "only text may go to the model",
                hint="leave images, files and sound out",
                reasons=("images, files and sound need a Grant for their category, and no policy gives one for this path",),
            )
        texts.append(fields.text("refusal" if kind == "refusal" else "text") or "")
    return "\n".join(texts)
