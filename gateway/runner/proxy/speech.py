"""Speech for a client's own program: what it recorded to text, and text to a voice, each under a Grant, in one conversation.

Both belong to the conversation that the client names: a name that is heard is the placeholder that the model sees, and a
placeholder that is to be said is the name again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from gateway.errors import (
    ConversationMoved,
    EvidenceUnavailable,
    NoPermittedRoute,
    PolicyRefused,
    RedactionUnavailable,
    UpstreamBusy,
    UpstreamFailed,
    UpstreamRefused,
    UpstreamTimeout,
)
from gateway.evidence.entries import Json
from gateway.policy.categories import categories_of
from gateway.policy.egress import Grant
from gateway.policy.model import TenantPolicy
from gateway.ports import SpeechToText, TextToSpeech
from gateway.redaction.mask import Masked
from gateway.redaction.placeholder import scanner
from gateway.redaction.unmask import unmask
from gateway.runner.proxy.breaker import Breakers
from gateway.runner.proxy.conversations import Conversation
from gateway.runner.proxy.record import (
    MASK_WITHIN_S,
    OPENINGS,
    OnRecord,
    ProxyParts,
    egress_of,
    leave,
    speaking_for,
    started_body,
)
from gateway.tasks import TaskOwner
from gateway.values import CallId, DataCategory, Hop, Pcm, Placeholder, Private, ProcessorId

T = TypeVar("T")
TRIES_EACH = 2
"""How often one processor is asked for one recording, or for one text."""
MakeVoice = Callable[[str], TextToSpeech]
"""A voice by the name that the client asked for; where there is only one, that one."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was heard. ``masked``: how many private values stand masked in it; 0 where it was not masked."""

    call: CallId
    grant: Grant
    text: Private[str]
    masked: int


@dataclass(frozen=True, slots=True)
class Speaking:
    """Speech that has begun. Iterate ``pieces`` inside ``aclosing``. ``rate`` in Hz."""

    call: CallId
    grant: Grant
    rate: int
    masked: int
    """How many private values are spoken in it."""
    pieces: AsyncGenerator[Pcm, None]


class Speech:
    """``stt`` and ``tts``: dialect to adapter."""

    def __init__(
        self, parts: ProxyParts, stt: Mapping[str, SpeechToText], tts: Mapping[str, MakeVoice], tasks: TaskOwner
    ) -> None:
        self._parts = parts
        self._stt = stt
        self._tts = tts
        self._tasks = tasks
        self._breakers = {Hop.STT: Breakers(), Hop.TTS: Breakers()}

    async def transcribe(
        self,
        tenant: TenantPolicy,
        named: str | None,
        speech: Private[Pcm],
        *,
        language: str,
        model: str,
        masked: bool,
        subject: str = "",
    ) -> Transcript:
        """The words of a recording, as they were said; with ``masked``, with this conversation's placeholders.

        Raises:
            NoPermittedRoute, PolicyRefused: nobody of the route may hear it.
            UpstreamFailed: everybody who may has failed.
            RedactionUnavailable, StoreUnavailable, EvidenceUnavailable: nothing was given away.
        """
        async with self._visiting(tenant, named, subject) as visit:

            async def hear(grant: Grant) -> Private[str]:
                ear = self._stt.get(grant.dialect)
                if ear is None:
                    raise _no_adapter(grant)
                return await ear.transcribe(grant, speech, language=language)

            grant, text = await visit.ask(Hop.STT, frozenset({DataCategory.VOICE}), model, hear)
            if not masked:
                return Transcript(visit.call, grant, text, 0)
            found = await visit.mask(text)
            return Transcript(visit.call, grant, Private(found.text), sum(found.counts.values()))

    async def speak(
        self,
        tenant: TenantPolicy,
        named: str | None,
        text: Private[str],
        *,
        language: str,
        model: str,
        voice: str,
        subject: str = "",
    ) -> Speaking:
        """The voice, once its first sound is there. Placeholders of the conversation are said as what they stand for.

        Who may not have a transcript gets no text in which there is anything private. Raises as ``transcribe``.
        """
        async with self._visiting(tenant, named, subject) as visit:
            found = await visit.mask(text, ours=True)
            held = [each.entity for each in scanner().all(found.text)]
            said = text.map(lambda plain: unmask(plain, visit.restore).reveal())
            category = DataCategory.TRANSCRIPT if held or found.counts else DataCategory.MASKED_TRANSCRIPT

            async def say(grant: Grant) -> Speaking:
                make = self._tts.get(grant.dialect)
                if make is None:
                    raise _no_adapter(grant)
                speaker = make(voice)
                pieces = speaker.speak(grant, said, language=language)
                assert isinstance(pieces, AsyncGenerator)  # noqa: S101  (every adapter's is one: it can be closed)
                try:
                    first = await anext(pieces, None)
                except BaseException:
                    await pieces.aclose()
                    raise
                return Speaking(visit.call, grant, speaker.rate, len(held), self._joined(grant, first, pieces))

            about = categories_of([*found.counts, *held])
            return (await visit.ask(Hop.TTS, frozenset({category}), model, say, about=about))[1]

    @asynccontextmanager
    async def _visiting(self, tenant: TenantPolicy, named: str | None, subject: str) -> AsyncGenerator[_Visit, None]:
        """A conversation while something is done in it; what that leaves behind is kept when it ends."""
        parts = self._parts
        visit = _Visit(parts, tenant, await parts.conversations.find(tenant, named), OnRecord(self._tasks), self._breakers)
        visit.conversation.busy += 1
        try:
            await speaking_for(parts, visit.conversation, subject)
            await visit.begin()
            yield visit
        except EvidenceUnavailable:
            # Its thread of evidence is torn here; the store knows where it goes on.
            parts.conversations.forget(visit.conversation)
            raise
        finally:
            await asyncio.shield(visit.leave())

    async def _joined(self, grant: Grant, first: Pcm | None, rest: AsyncGenerator[Pcm, None]) -> AsyncGenerator[Pcm, None]:
        async with aclosing(rest):
            if first is not None:
                yield first
            try:
                async for piece in rest:
                    yield piece
            except UpstreamFailed:
                self._breakers[Hop.TTS].failed(grant.processor, self._parts.clock.monotonic())
                raise
            except GeneratorExit:
                self._breakers[Hop.TTS].served(grant.processor)
                raise
        self._breakers[Hop.TTS].served(grant.processor)


@dataclass(slots=True)
class _Visit:
    """One request's stay in a conversation."""

    parts: ProxyParts
    tenant: TenantPolicy
    conversation: Conversation
    record: OnRecord
    breakers: Mapping[Hop, Breakers]

    @property
    def call(self) -> CallId:
        return self.conversation.call

    def restore(self, placeholder: Placeholder) -> Private[str] | None:
        return self.conversation.masker.restore(placeholder)

    async def begin(self) -> None:
        conversation = self.conversation
        if not conversation.begun:
            started = await started_body(self.parts, self.tenant, conversation)
            if not conversation.begun:  # another request of it may have come meanwhile
                conversation.begun = True
                await self.record.do(conversation.account.write("call.started", started))

    async def mask(self, text: Private[str], *, ours: bool = False) -> Masked:
        """``ours``: placeholders in it are this conversation's."""
        for _ in range(OPENINGS):
            try:
                async with asyncio.timeout(MASK_WITHIN_S), self.conversation.turn:
                    found = await self.conversation.masker.mask(text, from_model=ours)
            except TimeoutError:
                raise RedactionUnavailable("the text could not be masked in time", hint="nothing was sent") from None
            except ConversationMoved:
                await self._renew()
                continue
            if found.counts:
                counts: dict[str, Json] = {str(kind): count for kind, count in found.counts.items()}
                await self.record.do(self.conversation.account.write("masked", {"counts": counts}))
            return found
        raise ConversationMoved("several gateways write to this conversation at once", hint="try again")

    async def _renew(self) -> None:
        await self.leave()
        self.parts.conversations.forget(self.conversation)
        self.conversation = await self.parts.conversations.find(self.tenant, self.conversation.call)
        self.conversation.busy += 1

    async def ask(
        self,
        hop: Hop,
        categories: frozenset[DataCategory],
        model: str,
        work: Callable[[Grant], Awaitable[T]],
        *,
        about: frozenset[DataCategory] = frozenset(),
    ) -> tuple[Grant, T]:
        """``work`` with the first permitted processor that does not fail, each time with a Grant of its own."""
        failed: set[ProcessorId] = set()
        tries: Counter[ProcessorId] = Counter()
        why: UpstreamFailed | None = None
        breakers, clock = self.breakers[hop], self.parts.clock
        while True:
            resting = breakers.resting(clock.monotonic())
            egress = egress_of(self.parts, self.tenant, self.conversation)
            asking = egress.grant(hop, categories, excluding=frozenset(failed) | resting, model=model, about=about)
            try:
                grant = await self.record.do(asking)
            except NoPermittedRoute:
                if why is not None:
                    raise why from None
                if resting:
                    raise rested(breakers.opens_again_in(clock.monotonic())) from None
                raise
            tries[grant.processor] += 1
            breakers.asked(grant.processor, clock.monotonic())
            try:
                done = await work(grant)
            except UpstreamFailed as error:
                why = error
                if not isinstance(error, UpstreamRefused | UpstreamBusy):
                    breakers.failed(grant.processor, clock.monotonic())
                again = not isinstance(error, UpstreamRefused | UpstreamBusy | UpstreamTimeout)
                if again and tries[grant.processor] < TRIES_EACH:
                    await self.parts.pause()
                else:
                    failed.add(grant.processor)
            else:
                if hop is Hop.STT:  # a voice has only begun
                    breakers.served(grant.processor)
                return grant, done

    async def leave(self) -> None:
        await self.record.settled()
        await leave(self.parts, self.conversation)


def rested(wait_s: float | None) -> UpstreamBusy:
    """Whoever may be asked has failed often lately."""
    return UpstreamBusy(
        "every permitted processor has failed often lately", retry_after_s=wait_s, hint="they are asked again in some seconds"
    )


def _no_adapter(grant: Grant) -> PolicyRefused:
    return PolicyRefused(f"the processor {grant.processor} speaks {grant.dialect}, and no adapter here does")
