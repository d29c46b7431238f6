"""One request of a client with an agent of its own: mask, ask for a Grant, ask the model, restore. Knows ports only.

Nothing leaves before the vault has the values and the ledger has the Grant. A second try, and another processor, need a Grant of
their own, and happen only before the client has got anything of the answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, TypeVar

from gateway.dressing import DressedModel
from gateway.errors import (
    ConversationMoved,
    EvidenceUnavailable,
    NoPermittedRoute,
    PolicyRefused,
    RedactionUnavailable,
    SordinoError,
    UpstreamBusy,
    UpstreamFailed,
    UpstreamRefused,
    UpstreamTimeout,
)
from gateway.policy.categories import categories_of
from gateway.policy.egress import Grant
from gateway.policy.fields import Unknown
from gateway.policy.model import TenantPolicy
from gateway.ports import ChatDelta
from gateway.redaction.placeholder import scanner
from gateway.runner.egress import CallEgress
from gateway.runner.proxy.answers import AnswerReader
from gateway.runner.proxy.breaker import Breakers
from gateway.runner.proxy.conversations import Conversation, Known
from gateway.runner.proxy.mask import NOTHING, MaskedRequest, RequestMask, call_parts, history_digest, text_parts
from gateway.runner.proxy.record import (
    MASK_WITHIN_S,
    OPENINGS,
    ProxyParts,
    count_tokens,
    egress_of,
    leave,
    listen_for,
    said_is_noted,
    speaking_for,
    started_body,
    unknown_body,
)
from gateway.runner.proxy.request import ASSISTANT, PlainCall, PlainMessage, PlainRequest
from gateway.runner.proxy.restore import RestoredDelta, Restorer
from gateway.tasks import TaskOwner
from gateway.values import CallId, DataCategory, EntityType, Hop, MaskedText, Private, ProcessorId

log = logging.getLogger(__name__)
T = TypeVar("T")

TRIES_EACH = 2
"""How often one processor is asked for one answer."""
SETTLE_WITHIN_S = 5.0


@dataclass(slots=True)
class Answering:
    """An answer that has begun. Iterate ``deltas`` inside ``aclosing``: leaving it ends the request at the processor."""

    call: CallId
    grant: Grant
    masked: int
    """How many private values stand masked in what was sent."""
    deltas: AsyncGenerator[Sequence[RestoredDelta], None]
    """Each time what may be passed on at once."""


@dataclass(slots=True)
class _Begun:
    grant: Grant
    first: Sequence[ChatDelta]
    rest: AsyncGenerator[Sequence[ChatDelta], None]


@dataclass(slots=True)
class _Asked:
    """One request on its way."""

    conversation: Conversation
    plain: PlainRequest
    masked: MaskedRequest
    egress: CallEgress
    nameless: bool
    failed: set[ProcessorId] = field(default_factory=set)
    writing: asyncio.Task[Any] | None = None
    """The entry of evidence that is on its way."""


class Proxy:
    """Answers requests of all tenants. ``async with`` it: leaving waits until what was answered is on record."""

    def __init__(self, parts: ProxyParts) -> None:
        self._parts = parts
        self._breakers = Breakers()
        self._tasks = TaskOwner("proxy", on_failure=_report)
        self._settling: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Proxy:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._settling:
            await asyncio.wait(self._settling, timeout=SETTLE_WITHIN_S)
        await self._tasks.aclose()

    async def ask(self, tenant: TenantPolicy, named: str | None, plain: PlainRequest, *, subject: str = "") -> Answering:
        """The answer, once its first words are there. ``named``: the conversation, or None for a new one; ``subject``: whose.

        Raises:
            NotFound, InvalidRequest: the conversation, or something in the request.
            RedactionUnavailable, StoreUnavailable, EvidenceUnavailable: within a bound, and nothing was sent.
            NoPermittedRoute, PolicyRefused: with reasons.
            UpstreamBusy, UpstreamFailed, UpstreamTimeout: every permitted processor has failed.
        """
        conversation, masked = await self._mask(tenant, named, plain, subject)
        conversation.busy += 1
        asked = _Asked(conversation, plain, masked, egress_of(self._parts, tenant, conversation), nameless=named is None)
        try:
            if not conversation.begun:
                started = await started_body(self._parts, tenant, conversation)
                if not conversation.begun:  # another request of it may have come meanwhile
                    conversation.begun = True
                    conversation.account.write_ahead("call.started", started)
            if masked.new:
                # In one write with the Grant, or with the refusal.
                counts = {str(kind): count for kind, count in masked.new.items()}
                conversation.account.write_ahead("masked", {"counts": counts})
            begun = await self._begin(asked)
        except BaseException as error:
            if isinstance(error, EvidenceUnavailable):
                # Its thread of evidence is torn here; the store knows where it goes on.
                self._parts.conversations.forget(conversation)
            await asyncio.shield(self._settle(self._leave(asked)))
            raise
        deltas = self._restored(asked, begun)
        await anext(deltas)
        return Answering(conversation.call, begun.grant, masked.masked.total(), deltas)

    # --- before anything leaves ---------------------------------------------------------------------------------------

    async def _mask(
        self, tenant: TenantPolicy, named: str | None, plain: PlainRequest, subject: str
    ) -> tuple[Conversation, MaskedRequest]:
        clock, began = self._parts.clock, self._parts.clock.monotonic()
        for opening in range(OPENINGS):
            history = self._history(tenant, plain) if named is None else None
            conversation = await self._parts.conversations.find(tenant, named, history=history)
            await speaking_for(self._parts, conversation, subject)
            listen_for(self._parts, conversation)
            try:
                async with asyncio.timeout(MASK_WITHIN_S), conversation.turn:
                    masked = await RequestMask(conversation).mask(plain)
                    await said_is_noted(conversation)
            except TimeoutError:
                raise RedactionUnavailable("the request could not be masked in time", hint="nothing was sent") from None
            except ConversationMoved:
                self._parts.conversations.forget(conversation)
                if opening == OPENINGS - 1:
                    raise
                continue
            self._parts.telemetry.observe("sordino_turn_seconds", clock.monotonic() - began, stage="mask")
            for entity, count in masked.new.items():
                self._parts.telemetry.count("sordino_masked_total", count, entity=entity)
            return conversation, masked
        raise ConversationMoved("several gateways write to this conversation at once", hint="try again")

    def _history(self, tenant: TenantPolicy, plain: PlainRequest) -> bytes | None:
        """The digest of what was said up to the assistant's last words; None where there are none."""
        ends = [place for place, message in enumerate(plain.messages, start=1) if message.role == ASSISTANT]
        if not ends:
            return None
        return history_digest(self._parts.conversations.digest, tenant.tenant, plain, plain.messages[: ends[-1]])

    # --- the processors -----------------------------------------------------------------------------------------------

    async def _begin(self, asked: _Asked) -> _Begun:
        """Ask one permitted processor after the other until one has begun to answer."""
        why: UpstreamFailed | None = None
        tries: dict[ProcessorId, int] = {}
        while True:
            grant = await self._grant(asked, why)
            tries[grant.processor] = tries.get(grant.processor, 0) + 1
            self._breakers.asked(grant.processor, self._parts.clock.monotonic())
            try:
                begun = await self._first(grant, asked)
            except UpstreamFailed as error:
                why = error
                if not isinstance(error, UpstreamRefused | UpstreamBusy):
                    self._breakers.failed(grant.processor, self._parts.clock.monotonic())
                again = not isinstance(error, UpstreamRefused | UpstreamBusy | UpstreamTimeout)
                if again and tries[grant.processor] < TRIES_EACH:
                    await self._parts.pause()
                else:
                    asked.failed.add(grant.processor)
            else:
                return begun

    async def _grant(self, asked: _Asked, why: UpstreamFailed | None) -> Grant:
        _no_child(asked)
        now = self._parts.clock.monotonic()
        resting = self._breakers.resting(now)
        granting = asked.egress.grant(
            Hop.LLM,
            frozenset({DataCategory.MASKED_TRANSCRIPT}),
            excluding=frozenset(asked.failed) | resting,
            model=asked.plain.model,
            about=categories_of(asked.masked.masked),
        )
        try:
            return await self._on_record(asked, granting)
        except NoPermittedRoute:
            if why is not None:
                raise why from None
            if resting:
                raise UpstreamBusy(
                    "every permitted processor has failed often lately",
                    retry_after_s=self._breakers.opens_again_in(now),
                    hint="they are asked again in some seconds",
                ) from None
            raise

    async def _on_record(self, asked: _Asked, work: Coroutine[Any, Any, T]) -> T:
        """Done to its end also when the client hangs up meanwhile: the next entry must know the one before."""
        asked.writing = self._tasks.start(_outcome(work), name="record")
        outcome: T | SordinoError = await asyncio.shield(asked.writing)
        if isinstance(outcome, SordinoError):
            raise outcome
        return outcome

    async def _first(self, grant: Grant, asked: _Asked) -> _Begun:
        model = self._parts.models.get(grant.dialect)
        if model is None:
            raise PolicyRefused(f"the processor {grant.processor} speaks {grant.dialect}, and no adapter here does")
        clock, began = self._parts.clock, self._parts.clock.monotonic()
        deltas = DressedModel(model, asked.conversation.masker).batches(grant, asked.masked.request)
        try:
            first = await anext(deltas)
        except StopAsyncIteration:
            raise UpstreamFailed(f"{grant.processor} answered with nothing") from None
        except BaseException:
            await deltas.aclose()
            raise
        self._parts.telemetry.observe("sordino_turn_seconds", clock.monotonic() - began, stage="first_token")
        return _Begun(grant, first, deltas)

    # --- the way back -------------------------------------------------------------------------------------------------

    async def _restored(self, asked: _Asked, begun: _Begun) -> AsyncGenerator[Sequence[RestoredDelta], None]:
        masker = asked.conversation.masker
        back = Restorer(masker.restore, in_json=asked.plain.answers_in_json, tool_names=asked.masked.tool_names)
        reader = _reader(asked)
        code, tokens = "cancelled", [0, 0]
        why: SordinoError | None = None
        try:
            async with aclosing(begun.rest) as rest:
                # For ``ask``. A generator that has not begun does nothing when it is closed; this one ends the request.
                yield ()
                batch: Sequence[ChatDelta] | None = begun.first
                while batch is not None:
                    _no_child(asked)
                    for delta in batch:
                        tokens = [max(tokens[0], delta.prompt_tokens), max(tokens[1], delta.completion_tokens)]
                    pieces, fault = await _passed_on(batch, reader, back)
                    if pieces:
                        yield pieces
                    if fault is not None:
                        raise fault
                    batch = await anext(rest, None)
            last = [piece for read in (() if reader is None else await reader.finish()) for piece in back.feed(read)]
            yield [*last, *back.finish()]
            code = ""
            answer = _know_answer(asked, back)
        except SordinoError as error:
            code, why = error.code, error
            raise
        finally:
            self._judge(begun.grant.processor, why)
            unknown = reader.found if reader is not None else Counter()
            settled = self._settle(self._write_down(asked, begun.grant, code, tokens, unknown))
        # Who has the whole answer may ask another gateway next: that one finds everything.
        await asyncio.shield(settled)
        if asked.nameless:
            said = (*asked.plain.messages, answer)
            conversations, tenant = self._parts.conversations, asked.conversation.tenant
            conversations.may_go_on(asked.conversation, history_digest(conversations.digest, tenant.tenant, asked.plain, said))

    def _judge(self, processor: ProcessorId, why: SordinoError | None) -> None:
        """Whoever breaks off each time has served nobody, however well he begins."""
        if why is None:
            self._breakers.served(processor)
        elif isinstance(why, UpstreamFailed):
            self._breakers.failed(processor, self._parts.clock.monotonic())

    def _settle(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._tasks.start(work, name="settle")
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)
        return task

    async def _write_down(self, asked: _Asked, grant: Grant, code: str, tokens: list[int], unknown: Counter[EntityType]) -> None:
        """What the request leaves behind: counts in the evidence, texts for the next gateway, tokens in the metrics."""
        conversation = asked.conversation
        count_tokens(self._parts, grant, tokens)
        try:
            if unknown:
                await conversation.account.write("answer.unknown", unknown_body(unknown, grant))
            if code:
                await conversation.account.write("answer.cut", {"code": code, "processor": str(grant.processor)})
        except EvidenceUnavailable as error:
            self._parts.conversations.forget(conversation)
            log.warning("what a request left behind is not all on record: %s", error.code)
        await self._leave(asked)

    async def _leave(self, asked: _Asked) -> None:
        """For the next request, here or at another gateway: the masked texts, and the place in the evidence."""
        if asked.writing is not None and not asked.writing.done():
            await asyncio.wait({asked.writing})
        await leave(self._parts, asked.conversation)


def _no_child(asked: _Asked) -> None:
    """Raises PolicyRefused once there is a child in the conversation."""
    if asked.conversation.child:
        raise PolicyRefused("there is a child in this conversation, so no model is asked", hint="hand the call over to a person")


async def _outcome(work: Coroutine[Any, Any, T]) -> T | SordinoError:
    try:
        return await work
    except SordinoError as error:
        return error


def _reader(asked: _Asked) -> AnswerReader | None:
    rule = asked.conversation.tenant.answers.unknown
    return None if rule is Unknown.PASS else AnswerReader(asked.conversation.masker, rule, asked.plain.answers_in_json)


async def _passed_on(
    batch: Sequence[ChatDelta], reader: AnswerReader | None, back: Restorer
) -> tuple[list[RestoredDelta], SordinoError | None]:
    """What the client gets of a batch, and what is wrong behind that."""
    pieces: list[RestoredDelta] = []
    try:
        for delta in batch:
            for read in (delta,) if reader is None else await reader.feed(delta):
                for piece in back.feed(read):
                    pieces.append(piece)  # noqa: PERF402  (what came before an error stays)
    except SordinoError as error:
        return pieces, error
    return pieces, None


def _know_answer(asked: _Asked, back: Restorer) -> PlainMessage:
    """The client will send these very words back as history: then they are known, and the model sees its own again."""
    conversation = asked.conversation
    answers = []
    for _, said in sorted(back.said.items()):
        masked, restored = "".join(said.masked), "".join(piece.reveal() for piece in said.restored)
        text = Private(restored)
        if text:
            # Where nothing was restored, it holds no placeholder of this conversation.
            known = _as_the_model_wrote_it(masked) if masked != restored else Known(MaskedText(masked), {})
            conversation.know(text_parts(ASSISTANT, NOTHING, text), known)
        for ours, theirs in said.calls:
            conversation.know(call_parts(theirs.arguments), _as_the_model_wrote_it(ours.arguments))
        calls = tuple(PlainCall(theirs.id, theirs.name, theirs.arguments) for _, theirs in said.calls)
        answers.append(PlainMessage(ASSISTANT, text, calls))
    return answers[0] if answers else PlainMessage(ASSISTANT, NOTHING)


def _as_the_model_wrote_it(text: str) -> Known:
    return Known(MaskedText(text), Counter(found.entity for found in scanner().all(text)))


def _report(name: str, failure: BaseException) -> None:
    log.error("the task %s ended with %s", name, type(failure).__name__)
