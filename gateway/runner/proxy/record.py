"""What a proxy stands on, and what every request of a conversation leaves on record, whichever path it came by."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from gateway.errors import EvidenceUnavailable, SordinoError, StoreUnavailable
from gateway.evidence.entries import Json
from gateway.policy.egress import Grant
from gateway.policy.model import TenantPolicy
from gateway.policy.registry import Price, Registry
from gateway.ports import ChatModel, Clock, Ids, Policy, Telemetry
from gateway.runner.egress import CallEgress, Negotiated
from gateway.runner.notices import NoticesNow
from gateway.runner.proxy.conversations import Conversation, Conversations
from gateway.runner.proxy.mask import kept_form
from gateway.runner.rights_callers import Callers, promised
from gateway.runner.rights_spoken import SpokenPersons
from gateway.tasks import TaskOwner
from gateway.values import EntityType, ProcessorId, TenantId

log = logging.getLogger(__name__)
T = TypeVar("T")

MASK_WITHIN_S = 10.0
OPENINGS = 3
"""How often a conversation is read anew because another gateway was faster."""


@dataclass(frozen=True, slots=True)
class ProxyParts:
    """What a proxy stands on. ``pause`` waits before the second try, with jitter."""

    policy: Policy
    conversations: Conversations
    models: Mapping[str, ChatModel]
    clock: Clock
    ids: Ids
    telemetry: Telemetry
    pause: Callable[[], Awaitable[None]]
    registry: Callable[[], Registry]
    instructions: Callable[[TenantPolicy, Registry], Awaitable[None]]
    """Keeps the documents that a conversation is handled by, before it begins. Raises EvidenceUnavailable."""
    negotiated: Negotiated | None = None
    """Tells what TLS was spoken with whom."""
    notices: NoticesNow | None = None
    """Who is barred for a tenant now; asked before each Grant."""
    price: Callable[[ProcessorId], Price | None] = lambda processor: None
    """What a processor's tokens cost, where its entry says so."""
    callers: Callers | None = None
    """Who knows whose conversation it is, and who may not be spoken for."""
    spoken: SpokenPersons | None = None
    """Who knows whom the callers in it say that they are."""


class OnRecord:
    """Writes evidence to its end, also when the client hangs up meanwhile: the next entry must know the one before."""

    def __init__(self, tasks: TaskOwner) -> None:
        self._tasks = tasks
        self._last: asyncio.Task[Any] | None = None

    async def do(self, work: Coroutine[Any, Any, T]) -> T:
        """What the work gives. Raises what it raises."""
        self._last = self._tasks.start(_outcome(work), name="record")
        outcome: T | SordinoError = await asyncio.shield(self._last)
        if isinstance(outcome, SordinoError):
            raise outcome
        return outcome

    async def settled(self) -> None:
        """Returns when nothing of it is on its way any more."""
        if self._last is not None:
            await asyncio.wait({self._last})


async def _outcome(work: Coroutine[Any, Any, T]) -> T | SordinoError:
    try:
        return await work
    except SordinoError as error:
        return error


def egress_of(parts: ProxyParts, tenant: TenantPolicy, conversation: Conversation) -> CallEgress:
    """The one door of this conversation."""
    origin = tenant.origins[0] if tenant.origins else ""
    return CallEgress(
        parts.policy,
        conversation.account,
        parts.clock,
        parts.ids,
        parts.telemetry,
        lambda turn: None,
        origin=origin,
        notices=parts.notices,
        negotiated=parts.negotiated,
    )


async def speaking_for(parts: ProxyParts, conversation: Conversation, subject: str) -> None:
    """The conversation is this person's from now on; without ``subject`` it stays whose it was.

    Raises:
        PolicyRefused: they have restricted the use of their data.
        StoreUnavailable: nobody can tell.
    """
    if parts.callers is None:
        return
    tenant = TenantId(conversation.tenant.tenant)
    if not subject and conversation.subject is None and conversation.begun:
        conversation.subject = await parts.callers.of_call(tenant, conversation.call)
    if subject := subject or conversation.subject or "":
        conversation.subject = subject
        await parts.callers.speaking(tenant, conversation.call, subject)


def listen_for(parts: ProxyParts, conversation: Conversation) -> None:
    """From now on what callers say in it is noted, where the policy wants it to be found by that."""
    if conversation.spoken is None and parts.spoken is not None:
        conversation.spoken = parts.spoken.on_call(conversation.tenant, conversation.call, conversation.stored.values)


async def said_is_noted(conversation: Conversation) -> None:
    """Returns when the store has whom its callers have named.

    Raises:
        PolicyRefused: one of them has restricted the use of their data.
        StoreUnavailable: nobody can tell.
    """
    if conversation.spoken is not None and conversation.spoken.kinds:
        await conversation.spoken.note()
        await conversation.spoken.check()


async def started_body(parts: ProxyParts, tenant: TenantPolicy, conversation: Conversation) -> dict[str, Json]:
    """The body of its ``call.started``. Raises EvidenceUnavailable: what it is handled by cannot be kept."""
    registry = parts.registry()
    await parts.instructions(tenant, registry)
    before: dict[str, Json] = {"continues": conversation.continues} if conversation.continues else {}
    whose: dict[str, Json] = {"subject": conversation.subject} if conversation.subject else {}
    return {
        **before,
        **whose,
        **promised(tenant),
        "carrier": "proxy",
        "direction": "inbound",
        "language": tenant.language,
        "policy_digest": tenant.digest,
        "registry_digest": registry.digest,
    }


def count_tokens(parts: ProxyParts, grant: Grant, tokens: Sequence[int]) -> None:
    """The processor's own count of what was sent and came back, and what that cost, in the metrics."""
    labels = {"tenant": str(grant.tenant), "processor": str(grant.processor)}
    sent, back = tokens
    for kind, count in (("input", sent), ("output", back)):
        if count:
            parts.telemetry.count("sordino_tokens_total", count, **labels, kind=kind)
    price = parts.price(grant.processor)
    if price is not None and (sent or back):
        parts.telemetry.count("sordino_cost_micros_total", price.micros((sent, back)), **labels, currency=price.currency)


def unknown_body(found: Mapping[EntityType, int], grant: Grant) -> dict[str, Json]:
    """The body of ``answer.unknown``: what a model's answer held that nobody had given it."""
    return {"counts": {str(kind): count for kind, count in found.items()}, "processor": str(grant.processor)}


async def leave(parts: ProxyParts, conversation: Conversation) -> None:
    """For the next request, here or at another gateway: the masked texts, and the place in the evidence. Does not raise."""
    try:
        await conversation.account.settle()
        conversation.account.forget_all_but_last()
        unkept, conversation.unkept = conversation.unkept, {}
        texts = {name: kept_form(known) for name, known in unkept.items()}
        await conversation.stored.keep(texts, conversation.account.confirmed)
    except (EvidenceUnavailable, StoreUnavailable) as error:
        # The next request reads what is confirmed, and goes on behind it.
        parts.conversations.forget(conversation)
        log.warning("what a request left behind is not all in the store: %s", error.code)
    finally:
        conversation.busy -= 1
