"""The model of ``model.py``, speaking Anthropic's protocol."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from tests.http.proxy.model import Model, begin


async def speaks_anthropic(model: Model, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """``model.script`` for a processor of the dialect ``anthropic``."""
    usage = {"input_tokens": 12, "output_tokens": 7}
    reason = "tool_use" if model.calls else "end_turn"
    if model.calls is None:
        blocks: list[dict[str, Any]] = [{"type": "text", "text": model.says(body)}]
    else:
        blocks = [
            {"type": "tool_use", "id": f"toolu_{n}", "name": call["name"], "input": call["arguments"]}
            for n, call in enumerate(model.calls)
        ]
    message: dict[str, Any] = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "content": [],
        "stop_reason": None,
        "usage": usage,
    }
    if not body["stream"]:
        return web.json_response({**message, "content": blocks, "stop_reason": reason})
    response = await begin(request)
    await response.write(_event({"type": "message_start", "message": message}))
    await response.write(_event({"type": "ping"}))
    for index, block in enumerate(blocks):
        for event in _block(index, block, model.piece):
            await response.write(_event(event))
    await response.write(_event({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 7}}))
    await response.write(_event({"type": "message_stop"}))
    return response


def _block(index: int, block: dict[str, Any], piece: int) -> list[dict[str, Any]]:
    said = block["type"] == "text"
    whole = block["text"] if said else json.dumps(block["input"])
    name, key = ("text_delta", "text") if said else ("input_json_delta", "partial_json")
    empty = {**block, "text": ""} if said else {**block, "input": {}}
    pieces = [whole[at : at + piece] for at in range(0, len(whole), piece)]
    return [
        {"type": "content_block_start", "index": index, "content_block": empty},
        *({"type": "content_block_delta", "index": index, "delta": {"type": name, key: each}} for each in pieces),
        {"type": "content_block_stop", "index": index},
    ]


def _event(data: dict[str, Any]) -> bytes:
    return f"event: {data['type']}\ndata: {json.dumps(data)}\n\n".encode()
