"""A language model that sees stand-ins where the policy says ``surrogate``, and nobody else notices. Pure: no I/O of its own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace

from gateway.policy.egress import Grant
from gateway.ports import ChatDelta, ChatMessage, ChatModel, ChatRequest, Masker
from gateway.redaction.standin import StandIns, Undressing

Batches = Callable[[Grant, ChatRequest], AsyncGenerator[Sequence[ChatDelta], None]]
"""The way of a model that tells what came at once (``gateway.adapters.providers.exchange.ProviderChat.batches``)."""


class DressedModel:
    """Implements ``gateway.ports.ChatModel``: the request is dressed on its way out, the answer undressed on its way in.

    What is streamed is the same for every cut of the answer into pieces; no more than a possible stand-in waits for the next.
    """

    def __init__(self, model: ChatModel, masker: Masker) -> None:
        self._model = model
        self._in_batches: Batches | None = getattr(model, "batches", None)
        self._masker = masker

    async def stream(self, grant: Grant, request: ChatRequest) -> AsyncIterator[ChatDelta]:
        """Errors as the model's own ``stream``."""
        async with aclosing(self.batches(grant, request)) as batches:
            async for batch in batches:
                for delta in batch:
                    yield delta

    def batches(self, grant: Grant, request: ChatRequest) -> AsyncGenerator[Sequence[ChatDelta], None]:
        """The same, in batches where the model gives them: what came at once comes at once."""
        dressed, back = _dressed(request, self._masker)
        whole = self._in_batches(grant, dressed) if self._in_batches else _one_by_one(self._model.stream(grant, dressed))
        return _in_own_clothes(whole, back) if back else whole


async def _one_by_one(deltas: AsyncIterator[ChatDelta]) -> AsyncGenerator[Sequence[ChatDelta], None]:
    async with aclosing(deltas) as closing:  # type: ignore[type-var]
        async for delta in closing:
            yield (delta,)


async def _in_own_clothes(
    whole: AsyncGenerator[Sequence[ChatDelta], None], back: StandIns
) -> AsyncGenerator[Sequence[ChatDelta], None]:
    undressings: dict[int, Undressing] = {}
    async with aclosing(whole) as batches:
        async for batch in batches:
            yield [_undressed(delta, back, undressings) for delta in batch]
    if rests := [ChatDelta(text=rest, choice=each) for each, undressing in undressings.items() if (rest := undressing.flush())]:
        yield rests


def _undressed(delta: ChatDelta, back: StandIns, undressings: dict[int, Undressing]) -> ChatDelta:
    undressing = undressings.setdefault(delta.choice, Undressing(back))
    text = undressing.feed(delta.text)
    if delta.finish or delta.tool_calls:
        text += undressing.flush()
    calls = tuple(replace(call, arguments=back.undress_json(call.arguments)) for call in delta.tool_calls)
    return delta._replace(text=text, tool_calls=calls)


def _dressed(request: ChatRequest, masker: Masker) -> tuple[ChatRequest, StandIns]:
    if not getattr(masker, "dresses", True):
        return request, StandIns()
    texts = [text for message in request.messages for text in _texts(message)]
    # What a tool is called and does is no private text, and its words must not be taken for stand-ins all the same.
    described = [f"{tool.name}\n{tool.description}\n{tool.parameters}" for tool in request.tools]
    made = masker.dress([*texts, *described])
    if not made.back:
        return request, made.back
    seen = iter(made.texts)
    messages = tuple(
        replace(
            message,
            text=next(seen),
            tool_calls=tuple(replace(call, arguments=next(seen)) for call in message.tool_calls),
        )
        for message in request.messages
    )
    return replace(request, messages=messages), made.back


def _texts(message: ChatMessage) -> Iterator[str]:
    yield message.text
    for call in message.tool_calls:
        yield call.arguments
