"""Every dialect of language models that we speak, by its name in ``subprocessors.yaml``."""

from __future__ import annotations

import aiohttp

from gateway.adapters.providers.anthropic import AnthropicWire
from gateway.adapters.providers.exchange import Limits, ProviderChat, Wire
from gateway.adapters.providers.openai import AzureWire, OpenAIWire
from gateway.adapters.providers.outbound import TlsContexts, tls_contexts
from gateway.ports import ChatModel, Secrets


def chat_models(
    session: aiohttp.ClientSession, secrets: Secrets, *, limits: Limits | None = None, tls: TlsContexts | None = None
) -> dict[str, ChatModel]:
    """``session`` must come from ``outbound_session``, ``tls`` from ``tls_contexts``. Raises Misconfigured otherwise."""
    wires: tuple[Wire, ...] = (OpenAIWire(), AzureWire(), AnthropicWire())
    tls = tls or tls_contexts()
    chats = [(wire, ProviderChat(wire, session, secrets, limits=limits, tls=tls)) for wire in wires]
    return {dialect: chat for wire, chat in chats for dialect in sorted(wire.dialects)}
