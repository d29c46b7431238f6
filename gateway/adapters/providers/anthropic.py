"""Anthropic's messages: the same request in another dialect.

What it cannot say is said another way or refused: instructions stand apart from the turns, results of tools are a user's words,
one answer only, and a schema for the answer is an instruction.

Source: https://docs.anthropic.com/en/api/messages.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from yarl import URL

from gateway.adapters.providers.anthropic_events import MessageReader
from gateway.adapters.providers.outbound import endpoint
from gateway.errors import PolicyRefused, UpstreamRefused
from gateway.policy.egress import Grant
from gateway.ports import ChatMessage, ChatOptions, ChatRequest, ToolSpec

VERSION = "2023-06-01"
MOST_TOKENS = 4096
"""The dialect asks for a bound; this is ours where a client has none."""
_OURS = frozenset({"messages", "model", "stream", "system", "tools"})
_INSTRUCTIONS = ("system", "developer")


class AnthropicWire:
    """``gateway.adapters.providers.exchange.Wire`` for the dialect ``anthropic``. The base URL ends with ``/v1``."""

    dialects = frozenset({"anthropic"})

    def url(self, grant: Grant) -> URL:
        return endpoint(grant, "/messages")

    def key_headers(self, key: str) -> dict[str, str]:
        return {"x-api-key": key}

    def more_headers(self) -> dict[str, str]:
        return {"anthropic-version": VERSION}

    def reader(self) -> MessageReader:
        return MessageReader()

    def body(self, grant: Grant, request: ChatRequest) -> bytes:
        """The request; a flag of the Grant stands above anything that the request wishes.

        Raises:
            PolicyRefused: a flag would change the words, the model or the way of the answer.
            UpstreamRefused: several answers are wanted, and the dialect knows one only.
        """
        touched = sorted(_OURS & grant.send.keys())
        if touched:
            raise PolicyRefused(f"the flags of {grant.processor} may not set {', '.join(touched)}")
        options = request.options
        if options.choices > 1:
            raise UpstreamRefused(f"{grant.processor} gives one answer to a request", hint="leave n out")
        body: dict[str, Any] = {
            "model": grant.model,
            "max_tokens": options.more.get("max_completion_tokens") or options.most_tokens or MOST_TOKENS,
            "messages": _turns(request.messages),
            "stream": request.stream,
        }
        if system := _system(request):
            body["system"] = system
        if request.tools:
            body["tools"] = [_tool(tool) for tool in request.tools]
            if choice := _tool_choice(options):
                body["tool_choice"] = choice
        if request.temperature is not None:
            body["temperature"] = min(request.temperature, 1)
        if options.top_p is not None:
            body["top_p"] = options.top_p
        if isinstance(top_k := options.more.get("top_k"), int) and top_k > 0:
            body["top_k"] = top_k
        if stop := [text for text in options.stop if text.strip()]:
            body["stop_sequences"] = stop
        return json.dumps({**body, **grant.send}, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _system(request: ChatRequest) -> str:
    texts = [str(message.text) for message in request.messages if message.role in _INSTRUCTIONS and message.text]
    wanted = request.options.response_format
    if wanted is not None:
        schema = wanted.get("json_schema")
        form = schema.get("schema") if isinstance(schema, dict) else None
        fits = f" that fits this schema: {json.dumps(form, ensure_ascii=False)}" if form else ""
        texts.append(f"Answer with one JSON object and nothing else{fits}.")
    return "\n\n".join(texts)


def _turns(messages: Sequence[ChatMessage]) -> list[dict[str, Any]]:
    """Turns of user and assistant by turns, beginning with a user's: neighbours of one side are one turn."""
    turns: list[dict[str, Any]] = []
    for message in messages:
        if message.role in _INSTRUCTIONS:
            continue
        role = "assistant" if message.role == "assistant" else "user"
        blocks = _blocks(message)
        if not blocks:
            continue
        if not turns and role == "assistant":
            turns.append({"role": "user", "content": [{"type": "text", "text": "."}]})
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        else:
            turns.append({"role": role, "content": blocks})
    return turns or [{"role": "user", "content": [{"type": "text", "text": "."}]}]


def _blocks(message: ChatMessage) -> list[dict[str, Any]]:
    if message.tool_call_id is not None:
        return [{"type": "tool_result", "tool_use_id": message.tool_call_id, "content": message.text}]
    # A block of nothing but space is refused there.
    blocks: list[dict[str, Any]] = [{"type": "text", "text": message.text}] if message.text.strip() else []
    for call in message.tool_calls:
        arguments = json.loads(call.arguments)
        blocks.append(
            {
                "type": "tool_use",
                "id": call.id,
                "name": call.name,
                "input": arguments if isinstance(arguments, dict) else {"arguments": arguments},
            }
        )
    return blocks


def _tool(tool: ToolSpec) -> dict[str, Any]:
    found: dict[str, Any] = {"name": tool.name, "input_schema": {"type": "object", **tool.parameters}}
    return {**found, "description": tool.description} if tool.description else found


def _tool_choice(options: ChatOptions) -> dict[str, Any] | None:
    choice = options.tool_choice
    found: dict[str, Any] = {"type": {"required": "any"}.get(choice or "auto", choice or "auto")}
    if choice is not None and choice.startswith("tool:"):
        found = {"type": "tool", "name": choice.removeprefix("tool:")}
    if options.parallel_tools is False and choice != "none":
        found["disable_parallel_tool_use"] = True
    return found if choice is not None or len(found) > 1 else None
