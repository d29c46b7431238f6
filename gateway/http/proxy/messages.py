"""``POST /v1/messages``: Anthropic's wire format on the way out to the client, streamed and whole.

Source: https://docs.anthropic.com/en/api/messages and …/docs/build-with-claude/streaming.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from gateway.errors import SordinoError, UpstreamFailed
from gateway.http.proxy.door import MOST_ANSWER, Door, Request, code_of, facts, status_of
from gateway.http.proxy.messages_in import read_messages
from gateway.runner.proxy.proxy import Answering
from gateway.runner.proxy.restore import RestoredCall, RestoredDelta

_TYPES = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error"}
_TYPES |= {413: "request_too_large", 429: "rate_limit_error"}
_REASONS = {"length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}

_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def message_routes(door: Door) -> list[web.RouteDef]:
    return [web.post("/v1/messages", door.path("chat", answer_messages, anthropic_error))]


def anthropic_error(error: SordinoError, status: int) -> dict[str, Any]:
    """Anthropic's error object with our code, our hint and the reasons."""
    message = f"{error.message} ({error.hint})" if error.hint else error.message
    inner = {"type": _TYPES.get(status, "api_error"), "message": message, "code": code_of(error)}
    return {"type": "error", "error": {**inner, "sordino": {"reasons": list(error.reasons)}}}


async def answer_messages(request: Request) -> web.StreamResponse:
    asked = read_messages(await request.json())
    with request.while_connected():
        answering = await request.ask(asked.plain)
        async with aclosing(answering.deltas):
            headers = facts(answering, asked.dropped)
            if asked.plain.stream:
                return await _stream(request, answering, headers)
            return web.json_response(await _whole(answering), headers=headers)


def _message(answering: Answering, content: list[dict[str, Any]], reason: str | None, usage: dict[str, int]) -> dict[str, Any]:
    grant = answering.grant
    return {
        "id": f"msg_{grant.id}",
        "type": "message",
        "role": "assistant",
        "model": grant.model,
        "content": content,
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": usage,
    }


@dataclass(slots=True)
class _Tally:
    """What is known only at the end."""

    reason: str = "end_turn"
    refused: bool = False
    tokens: list[int] = field(default_factory=lambda: [0, 0])

    def see(self, delta: RestoredDelta) -> None:
        self.tokens = [max(self.tokens[0], delta.prompt_tokens), max(self.tokens[1], delta.completion_tokens)]
        self.refused |= delta.refusal
        if delta.finish:
            self.reason = "refusal" if self.refused else _REASONS.get(delta.finish, "end_turn")

    @property
    def usage(self) -> dict[str, int]:
        return {"input_tokens": self.tokens[0], "output_tokens": self.tokens[1]}


async def _whole(answering: Answering) -> dict[str, Any]:
    texts: list[str] = []
    calls: list[RestoredCall] = []
    tally = _Tally()
    size = 0
    async for deltas in answering.deltas:
        for delta in deltas:
            tally.see(delta)
            if delta.text:
                texts.append(delta.text.reveal())
                size += len(texts[-1])
                if size > MOST_ANSWER:
                    raise UpstreamFailed(f"the answer of {answering.grant.processor} is too long")
            calls += delta.calls
    content: list[dict[str, Any]] = [{"type": "text", "text": "".join(texts)}] if texts else []
    content += [{**_call(call), "input": json.loads(call.arguments.reveal())} for call in calls]
    return _message(answering, content, tally.reason, tally.usage)


def _call(call: RestoredCall) -> dict[str, Any]:
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}


async def _stream(request: Request, answering: Answering, headers: dict[str, str]) -> web.StreamResponse:
    response = web.StreamResponse(
        headers={**headers, "Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
    )
    await response.prepare(request.http)
    tally, blocks = _Tally(), _Blocks()
    events = [{"type": "message_start", "message": _message(answering, [], None, tally.usage)}]
    try:
        async for deltas in answering.deltas:
            for delta in deltas:
                tally.see(delta)
                events += blocks.of(delta)
            if events:
                await response.write(b"".join(map(_event, events)))
                events = []
        delta_ = {"stop_reason": tally.reason, "stop_sequence": None}
        events += [*blocks.close(), {"type": "message_delta", "delta": delta_, "usage": tally.usage}, {"type": "message_stop"}]
    except SordinoError as error:
        # The answer has begun: this is the only place to say that it is not whole, and no message_stop follows.
        events = [*events, anthropic_error(error, status_of(error))]
    await response.write_eof(b"".join(map(_event, events)))
    return response


@dataclass(slots=True)
class _Blocks:
    """The blocks of one message as they are told: the one that is open, and its place."""

    index: int = 0
    is_open: bool = False

    def of(self, delta: RestoredDelta) -> Iterator[dict[str, Any]]:
        if delta.text:
            if not self.is_open:
                self.is_open = True
                yield {"type": "content_block_start", "index": self.index, "content_block": {"type": "text", "text": ""}}
            yield _delta(self.index, {"type": "text_delta", "text": delta.text.reveal()})
        if delta.calls:
            yield from self.close()
        for call in delta.calls:
            yield {"type": "content_block_start", "index": self.index, "content_block": _call(call)}
            yield _delta(self.index, {"type": "input_json_delta", "partial_json": call.arguments.reveal()})
            yield {"type": "content_block_stop", "index": self.index}
            self.index += 1

    def close(self) -> Iterator[dict[str, Any]]:
        if self.is_open:
            yield {"type": "content_block_stop", "index": self.index}
            self.is_open, self.index = False, self.index + 1


def _delta(index: int, delta: dict[str, Any]) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": delta}


def _event(data: dict[str, Any]) -> bytes:
    return f"event: {data['type']}\ndata: {_ENCODE(data)}\n\n".encode("utf-8", "replace")
