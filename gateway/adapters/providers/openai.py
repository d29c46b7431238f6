"""OpenAI's chat completions, streamed: what most language models and their gateways speak.

Source: https://platform.openai.com/docs/api-reference/chat/create.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from gateway.adapters.providers.openai_chunks import Assembler, ChunkBroken
from gateway.adapters.providers.outbound import endpoint, require_safe_session, require_safe_tls, tls_context
from gateway.adapters.providers.sse import SseBroken, SseDecoder
from gateway.errors import Misconfigured, PolicyRefused, UpstreamBusy, UpstreamFailed, UpstreamTimeout
from gateway.policy.egress import Grant
from gateway.ports import ChatDelta, ChatMessage, ChatRequest, Secrets, ToolSpec
from gateway.values import Hop

_OURS = frozenset({"messages", "model", "stream", "tools"})
_KEY = re.compile(r"[\x21-\x7e]{1,4096}")
_LONGEST_RETRY_S = 3600.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How long we wait for a processor, in seconds, and how much we take. ``whole_s`` counts only time spent waiting."""

    connect_s: float = 2.0
    first_byte_s: float = 5.0
    between_chunks_s: float = 5.0
    whole_s: float = 60.0
    most_bytes: int = 4 << 20


class _Patience:
    """Bounds single waits and their sum."""

    def __init__(self, processor: str, whole_s: float) -> None:
        self._processor = processor
        self._left_s = whole_s

    async def wait(self, something: Any, limit_s: float, what: str) -> Any:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(min(limit_s, self._left_s)):
                return await something
        except TimeoutError:
            raise UpstreamTimeout(f"{self._processor} {what} in time") from None
        finally:
            self._left_s = max(0.0, self._left_s - (loop.time() - began))


class OpenAIChat:
    """Implements ``gateway.ports.ChatModel`` for every processor of the dialect ``openai``.

    ``session`` must come from ``outbound_session``. One request per ``stream``, never repeated: a second try needs a new Grant.
    Neither bodies nor a processor's own words are logged or put into an error.
    """

    def __init__(
        self, session: aiohttp.ClientSession, secrets: Secrets, *, limits: Limits | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        """Raises Misconfigured when the session or the TLS context is less strict than ours."""
        require_safe_session(session)
        self._tls = tls or tls_context()
        require_safe_tls(self._tls)
        self._session = session
        self._secrets = secrets
        self._limits = limits or Limits()

    async def stream(self, grant: Grant, request: ChatRequest) -> AsyncGenerator[ChatDelta, None]:
        """The answer as it comes: text in pieces, then tool calls whole, then the token counts where the processor tells them.

        Closing the generator ends the request at once.

        Raises:
            PolicyRefused: the Grant is for another hop, dialect or host, names no model, or its flags touch the words.
            Misconfigured: the key cannot be read or sent.
            UpstreamBusy: it answered 429; ``retry_after_s`` says when, if it said so.
            UpstreamTimeout: a bound of ``Limits`` passed.
            UpstreamFailed: no connection, another status than 200, a redirect, no event stream, too much, or a stream that was
                cut before its end (also in the middle of the answer).
        """
        url, body = _address(grant), _body(grant, request)
        patience = _Patience(grant.processor, self._limits.whole_s)
        response = await self._post(url, body, grant, patience)
        whole = False
        try:
            _check(response, grant.processor)
            answer = _Answer(response, grant.processor, patience, self._limits)
            while not answer.over:
                for delta in await answer.more():
                    yield delta
            whole = True
        finally:
            # A connection goes back to the pool only after a whole answer; in any other case the processor is cut off.
            response.release() if whole and response.content.at_eof() else response.close()

    async def _post(self, url: URL, body: bytes, grant: Grant, patience: _Patience) -> aiohttp.ClientResponse:
        timeout = aiohttp.ClientTimeout(total=None, connect=self._limits.connect_s, sock_connect=self._limits.connect_s)
        sending = self._session.post(
            url, data=body, headers=self._headers(grant), timeout=timeout, ssl=self._tls, allow_redirects=False
        )
        try:
            response: aiohttp.ClientResponse = await patience.wait(
                sending, self._limits.connect_s + self._limits.first_byte_s, "did not answer"
            )
        except (aiohttp.ClientError, OSError, RuntimeError, ValueError):
            raise UpstreamFailed(f"{grant.processor} could not be reached") from None
        return response

    def _headers(self, grant: Grant) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "Accept": "text/event-stream",
            "Accept-Encoding": "identity",
            "User-Agent": "sordino",
        }
        if grant.secret is not None:
            key = self._secrets.read(grant.secret).reveal().strip()
            if not _KEY.fullmatch(key):
                raise Misconfigured(f"the secret {grant.secret} is empty or cannot stand in a header", hint="set it again")
            headers["Authorization"] = f"Bearer {key}"
        return headers


class _Answer:
    """One answer as it is read."""

    def __init__(self, response: aiohttp.ClientResponse, processor: str, patience: _Patience, limits: Limits) -> None:
        self._content = response.content
        self._processor = processor
        self._patience = patience
        self._limits = limits
        self._decoder = SseDecoder()
        self._chunks = Assembler()
        self._taken = 0
        self.over = False

    async def more(self) -> list[ChatDelta]:
        """What the next bytes add. Raises UpstreamFailed or UpstreamTimeout, never after the answer was whole."""
        piece = await self._piece()
        self._taken += len(piece)
        if self._taken > self._limits.most_bytes:
            raise UpstreamFailed(f"{self._processor} sent more than {self._limits.most_bytes} bytes")
        found = self._understood(piece)
        self.over = self._chunks.done or not piece
        if self.over and not self._chunks.whole:
            raise self._cut()
        return found

    async def _piece(self) -> bytes:
        """The next bytes; none at the end, and none when a whole answer's connection does not end well."""
        try:
            piece: bytes = await self._patience.wait(self._content.readany(), self._limits.between_chunks_s, "did not go on")
        except (UpstreamTimeout, aiohttp.ClientError, OSError, ValueError) as error:
            if self._chunks.whole:
                return b""
            raise error if isinstance(error, UpstreamTimeout) else self._cut() from None
        return piece

    def _understood(self, piece: bytes) -> list[ChatDelta]:
        try:
            if piece:
                return [delta for data in self._decoder.feed(piece) for delta in self._chunks.take(data)]
            last = self._decoder.finish()
            return self._chunks.take(last) if last is not None and last.strip() == "[DONE]" else []
        except (SseBroken, ChunkBroken) as broken:
            raise UpstreamFailed(f"the answer of {self._processor} cannot be understood: {broken}") from None

    def _cut(self) -> UpstreamFailed:
        return UpstreamFailed(f"the answer of {self._processor} was cut before its end")


def _address(grant: Grant) -> URL:
    if grant.hop is not Hop.LLM or grant.dialect != "openai":
        raise PolicyRefused(f"this Grant is for {grant.hop}/{grant.dialect}, not for {Hop.LLM}/openai")
    if grant.model in ("", "*"):
        raise PolicyRefused(f"this Grant for {grant.processor} names no model")
    return endpoint(grant, "/chat/completions")


def _check(response: aiohttp.ClientResponse, processor: str) -> None:
    status = response.status
    if status == 429:
        raise UpstreamBusy(f"{processor} has no room for this request now", retry_after_s=_retry_after(response))
    if 300 <= status < 400:
        raise UpstreamFailed(f"{processor} answered with a redirect, which is never followed", hint="correct its base_url")
    if status != 200:
        hint = "check its key, model and base_url" if 400 <= status < 500 else "its side has a fault"
        raise UpstreamFailed(f"{processor} answered with status {status // 100}xx", hint=hint)
    if response.content_type != "text/event-stream" or response.headers.get("Content-Encoding", "identity") != "identity":
        raise UpstreamFailed(f"{processor} did not answer with an event stream", hint="it may not stream this model")


def _retry_after(response: aiohttp.ClientResponse) -> float | None:
    """Seconds, when it said a number (RFC 9110 section 10.2.3); a date would need our clock and theirs to agree."""
    value = response.headers.get("Retry-After", "").strip()
    return min(float(value), _LONGEST_RETRY_S) if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value, re.ASCII) else None


def _body(grant: Grant, request: ChatRequest) -> bytes:
    """The request; a flag of the Grant stands above anything that the request wishes."""
    touched = sorted(_OURS & grant.send.keys())
    if touched:
        raise PolicyRefused(f"the flags of {grant.processor} may not set {', '.join(touched)}")
    body: dict[str, object] = {
        "model": grant.model,
        "messages": [_message(message) for message in request.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    if request.temperature is not None:
        body["temperature"] = request.temperature
    return json.dumps({**body, **grant.send}, ensure_ascii=False, separators=(",", ":")).encode()


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
