"""OpenAI's chat completions: what most language models and their gateways speak.

Source: https://platform.openai.com/docs/api-reference/chat/create; for Azure's path and key
https://learn.microsoft.com/azure/ai-services/openai/reference.
"""

from __future__ import annotations

import json
import re

import aiohttp
from yarl import URL

from gateway.adapters.providers.exchange import Limits, ProviderChat
from gateway.adapters.providers.openai_chunks import Assembler
from gateway.adapters.providers.outbound import TlsContexts, endpoint
from gateway.errors import PolicyRefused
from gateway.policy.egress import Grant
from gateway.ports import ChatMessage, ChatOptions, ChatRequest, Secrets, ToolSpec

__all__ = ["Limits", "OpenAIChat", "OpenAIWire"]

_OURS = frozenset({"messages", "model", "stream", "tools"})
_PATH = "/chat/completions"
_AZURE_VERSION = "2024-10-21"
_AZURE_DEPLOYMENT = re.compile(r"[A-Za-z0-9._-]{1,64}")


class OpenAIWire:
    """``gateway.adapters.providers.exchange.Wire`` for OpenAI, what is compatible with it, and Azure's way of it."""

    dialects = frozenset({"openai"})

    def url(self, grant: Grant) -> URL:
        return endpoint(grant, _PATH)

    def key_headers(self, key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {key}"}

    def more_headers(self) -> dict[str, str]:
        return {}

    def reader(self) -> Assembler:
        return Assembler()

    def body(self, grant: Grant, request: ChatRequest) -> bytes:
        """The request; a flag of the Grant stands above anything that the request wishes.

        Raises:
            PolicyRefused: a flag would change the words, the model or the way of the answer.
        """
        touched = sorted(_OURS & grant.send.keys())
        if touched:
            raise PolicyRefused(f"the flags of {grant.processor} may not set {', '.join(touched)}")
        body: dict[str, object] = {
            "model": grant.model,
            "messages": [_message(message) for message in request.messages],
            "stream": request.stream,
        }
        if request.stream:
            body["stream_options"] = {"include_usage": True}
        if request.tools:
            body["tools"] = [_tool(tool) for tool in request.tools]
        if request.temperature is not None:
            body["temperature"] = request.temperature
        body |= _options(request.options)
        return json.dumps({**body, **grant.send}, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


class AzureWire(OpenAIWire):
    """The same words at Azure: the key in ``api-key``, and below a resource's bare address the deployment in the path."""

    dialects = frozenset({"azure"})

    def url(self, grant: Grant) -> URL:
        if URL(grant.base_url).path.rstrip("/").endswith("/v1"):
            return endpoint(grant, _PATH)
        if not _AZURE_DEPLOYMENT.fullmatch(grant.model):
            raise PolicyRefused(f"the model of {grant.processor} is not the name of an Azure deployment")
        return endpoint(grant, f"/openai/deployments/{grant.model}{_PATH}").with_query({"api-version": _AZURE_VERSION})

    def key_headers(self, key: str) -> dict[str, str]:
        return {"api-key": key}


class OpenAIChat(ProviderChat):
    """``ProviderChat`` for the dialect ``openai``."""

    def __init__(
        self, session: aiohttp.ClientSession, secrets: Secrets, *, limits: Limits | None = None, tls: TlsContexts | None = None
    ) -> None:
        super().__init__(OpenAIWire(), session, secrets, limits=limits, tls=tls)


def _options(options: ChatOptions) -> dict[str, object]:
    known: dict[str, object | None] = {
        "max_tokens": options.most_tokens,
        "top_p": options.top_p,
        "stop": list(options.stop) or None,
        "tool_choice": _tool_choice(options.tool_choice),
        "parallel_tool_calls": options.parallel_tools,
        "response_format": options.response_format,
        "n": options.choices if options.choices > 1 else None,
        **options.more,
    }
    # Newer models of OpenAI take one spelling, most compatible servers the other: whoever asked knows which.
    if known.get("max_completion_tokens") is not None:
        known["max_tokens"] = None
    return {name: value for name, value in known.items() if value is not None}


def _tool_choice(choice: str | None) -> object | None:
    if choice is None or not choice.startswith("tool:"):
        return choice
    return {"type": "function", "function": {"name": choice.removeprefix("tool:")}}


def _message(message: ChatMessage) -> dict[str, object]:
    found: dict[str, object] = {"role": message.role, "content": message.text or None if message.tool_calls else message.text}
    if message.tool_calls:
        found["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        found["tool_call_id"] = message.tool_call_id
    return found


def _tool(tool: ToolSpec) -> dict[str, object]:
    function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": function}
