"""The guarded mind: every request asks the policy for its own Grant, and only masked text leaves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

from livekit.agents import APIConnectOptions, APIError, llm
from livekit.agents.llm.chat_context import CacheBreakpoint
from livekit.agents.llm.tool_context import ToolContext
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, NotGivenOr

from gateway.adapters.conversation.turns import CallTurns, Turn
from gateway.dressing import DressedModel
from gateway.errors import NoPermittedRoute, PolicyRefused, SordinoError, UpstreamFailed
from gateway.policy.categories import categories_of
from gateway.policy.egress import Grant
from gateway.ports import ChatDelta, ChatMessage, ChatModel, ChatRequest, ToolCall, ToolSpec
from gateway.values import DataCategory, Hop, MaskedText, ProcessorId

CATEGORIES = frozenset({DataCategory.MASKED_TRANSCRIPT})


class GuardedLLM(llm.LLM[str]):
    """One call's model. Which processor answers is decided anew for each request; a failed one is not asked twice."""

    def __init__(self, models: Mapping[str, ChatModel], turns: CallTurns) -> None:
        super().__init__()
        self.models = models
        self.turns = turns

    @property
    def model(self) -> str:
        return "by policy"

    @property
    def provider(self) -> str:
        return "sordino"

    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        parallel_tool_calls: NotGivenOr[bool] = NOT_GIVEN,
        tool_choice: NotGivenOr[llm.ToolChoice] = NOT_GIVEN,
        extra_kwargs: NotGivenOr[dict[str, Any]] = NOT_GIVEN,
    ) -> GuardedAnswer:
        return GuardedAnswer(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=APIConnectOptions(max_retry=0))


class GuardedAnswer(llm.LLMStream):
    """One answer: mask what is not yet masked, get a Grant, stream; fail over only before the first word."""

    def __init__(
        self, mind: GuardedLLM, *, chat_ctx: llm.ChatContext, tools: list[llm.Tool], conn_options: APIConnectOptions
    ) -> None:
        super().__init__(mind, chat_ctx=chat_ctx, tools=tools, conn_options=conn_options)
        self._mind = mind
        self._said_something = False

    async def _run(self) -> None:
        turns = self._mind.turns
        try:
            request = await masked_request(self._chat_ctx, self._tools, turns)
            await self._answer(request, turns.turn)
        except SordinoError as error:
            turns.failed(error)
            raise APIError(error.code, retryable=False) from None

    async def _answer(self, request: ChatRequest, turn: Turn) -> None:
        turns = self._mind.turns
        about = categories_of(turns.kinds)
        failed: frozenset[ProcessorId] = frozenset()
        why: UpstreamFailed | None = None
        while True:
            try:
                with turn.stage("route"):
                    grant = await turns.egress.grant(Hop.LLM, CATEGORIES, excluding=failed, about=about)
            except NoPermittedRoute:
                if why is not None:
                    raise why from None
                raise
            try:
                return await self._stream(grant, request, turn)
            except UpstreamFailed as error:
                if self._said_something:
                    raise
                failed |= {grant.processor}
                why = error

    async def _stream(self, grant: Grant, request: ChatRequest, turn: Turn) -> None:
        model = self._mind.models.get(grant.dialect)
        if model is None:
            raise PolicyRefused(f"the processor {grant.processor} speaks {grant.dialect}, and no adapter here does")
        clock = self._mind.turns.clock
        began = clock.monotonic()
        facts = {"gen_ai.request.model": grant.model, "processor": str(grant.processor), "region": grant.region}
        with turn.stage("model", span=f"chat {grant.model}", **facts):
            async with aclosing(DressedModel(model, self._mind.turns.masker).stream(grant, request)) as deltas:  # type: ignore[type-var]
                async for delta in deltas:
                    if not self._said_something and (delta.text or delta.tool_calls):
                        self._said_something = True
                        turn.observe("first_token", clock.monotonic() - began)
                    self._pass_on(grant, delta)

    def _pass_on(self, grant: Grant, delta: ChatDelta) -> None:
        calls = [llm.FunctionToolCall(name=call.name, arguments=call.arguments, call_id=call.id) for call in delta.tool_calls]
        if delta.text or calls:
            choice = llm.ChoiceDelta(role="assistant", content=delta.text or None, tool_calls=calls)
            self._event_ch.send_nowait(llm.ChatChunk(id=grant.id, delta=choice))
        if delta.prompt_tokens or delta.completion_tokens:
            total = delta.prompt_tokens + delta.completion_tokens
            usage = llm.CompletionUsage(
                completion_tokens=delta.completion_tokens, prompt_tokens=delta.prompt_tokens, total_tokens=total
            )
            self._event_ch.send_nowait(llm.ChatChunk(id=grant.id, usage=usage))


async def masked_request(context: llm.ChatContext, tools: list[llm.Tool], turns: CallTurns) -> ChatRequest:
    """The whole context as a model may see it: instructions, turns, tool calls and results, each masked unless it is already.

    Raises:
        PolicyRefused: something that is not text (an image, audio) stands in the context.
        RedactionUnavailable, StoreUnavailable: then nothing is sent.
    """
    messages: list[ChatMessage] = []
    for item in context.items:
        if isinstance(item, llm.ChatMessage):
            # What the caller said came through our ear, and what the agent said from the model: both are masked already.
            said = item.role in ("user", "assistant")
            messages.append(ChatMessage(role=item.role, text=await turns.masked(_text_only(item), ours=said, said=said)))
        elif isinstance(item, llm.FunctionCall):
            call = ToolCall(item.call_id, item.name, await _masked_json(item.arguments, turns))
            messages.append(ChatMessage(role="assistant", text=MaskedText(""), tool_calls=(call,)))
        elif isinstance(item, llm.FunctionCallOutput):
            messages.append(ChatMessage(role="tool", text=await turns.masked(item.output), tool_call_id=item.call_id))
    return ChatRequest(tuple(messages), tuple(_tool_specs(tools)))


def _text_only(message: llm.ChatMessage) -> str:
    for part in message.content:
        # A cache breakpoint is a marker without content.
        if not isinstance(part, str | CacheBreakpoint):
            raise PolicyRefused("only text may go to the model", hint="images and audio need a Grant for their category")
    return message.raw_text_content or ""


async def _masked_json(arguments: str, turns: CallTurns) -> str:
    """Masked inside its strings, and still JSON."""
    try:
        masked = await _masked_value(json.loads(arguments or "{}"), turns)
        # Python reads and writes NaN and Infinity, which no JSON has (RFC 8259 section 6).
        return json.dumps(masked, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError):
        return json.dumps({"unreadable": True})


async def _masked_value(value: Any, turns: CallTurns) -> Any:
    if isinstance(value, str):
        return await turns.masked(value, ours=True)
    if isinstance(value, list):
        return [await _masked_value(item, turns) for item in value]
    if isinstance(value, dict):
        return {key: await _masked_value(item, turns) for key, item in value.items()}
    if isinstance(value, int | float) and not isinstance(value, bool):
        masked = await turns.masked(str(value))
        return value if masked == str(value) else masked
    return value


def _tool_specs(tools: list[llm.Tool]) -> list[ToolSpec]:
    described: list[dict[str, Any]] = ToolContext(tools).parse_function_tools("openai", strict=False)
    functions = [tool["function"] for tool in described]
    return [ToolSpec(f["name"], f.get("description") or "", f.get("parameters") or {}) for f in functions]
