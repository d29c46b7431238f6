"""A child in a conversation of the model proxy (promise 32): told by the program, or by what its last message says.

The request is refused, an answer under way is cut, the conversation ends with its receipt, and what was kept of it is deleted.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from gateway.call.child import Sign
from gateway.call.child_words import tells_of_child
from gateway.errors import EvidenceUnavailable, NotFound, PolicyRefused, SordinoError
from gateway.policy.model import TenantPolicy
from gateway.runner.proxy.conversations import Conversation
from gateway.runner.proxy.ending import Endings
from gateway.runner.proxy.record import ProxyParts
from gateway.runner.proxy.request import ASSISTANT, USER, PlainMessage, PlainRequest
from gateway.values import CallId, Private, TenantId

log = logging.getLogger(__name__)

QUIET_WITHIN_S = 10.0
"""How long an answer under way may take to notice; then the conversation is erased under it."""
LOOK_EVERY_S = 0.05
REFUSE = "refuse"


class Forget(Protocol):
    """``gateway.runner.children.ChildCalls``: deletes what was kept, now or later, with certificates."""

    async def over(self, tenant: TenantId, call: CallId) -> None: ...


class ProxyChildren:
    """Asked before a request is answered. ``endings`` None: conversations here have no receipts."""

    def __init__(self, parts: ProxyParts, endings: Endings | None, forget: Forget) -> None:
        self._parts = parts
        self._endings = endings
        self._forget = forget

    async def check(self, tenant: TenantPolicy, named: str | None, plain: PlainRequest) -> None:
        """Raises PolicyRefused when the last thing that a person said in it tells of a child."""
        if tenant.children.minded and (sign := sign_of(plain.messages, under=tenant.children.under)) is not None:
            await self.refuse(tenant, named, sign)

    async def refuse(self, tenant: TenantPolicy, named: str | None, sign: Sign = Sign.PROGRAM) -> None:
        """There is a child in that conversation; None: in one that has no name, so nothing is kept of it.

        Raises:
            PolicyRefused: in every case, unless the policy looks for no children.
        """
        if not tenant.children.minded:
            return
        conversation = await self._existing(tenant, named)
        if conversation is not None:
            conversation.child = True
            try:
                await self._end(tenant, conversation, sign)
            finally:
                await self._forget.over(TenantId(tenant.tenant), conversation.call)
                self._parts.conversations.forget(conversation)
        raise refusal()

    async def _existing(self, tenant: TenantPolicy, named: str | None) -> Conversation | None:
        try:
            return None if named is None else await self._parts.conversations.existing(tenant, named)
        except NotFound:
            return None

    async def _end(self, tenant: TenantPolicy, conversation: Conversation, sign: Sign) -> None:
        body = {"sign": sign.value, "under": tenant.children.under, "then": REFUSE}
        try:
            await conversation.account.write("child.signalled", body)
            await self._quiet(conversation)
            if self._endings is not None:
                await self._endings.end(tenant, conversation.call, destroy=False)
        except (EvidenceUnavailable, NotFound) as error:
            # It is erased all the same, and who looks for conversations that nobody ended makes the receipt.
            log.warning("a conversation with a child has no receipt yet: %s", error.code)
        except SordinoError as error:
            log.warning("a conversation with a child could not be ended: %s", error.code)

    async def _quiet(self, conversation: Conversation) -> None:
        """Wait until no request of it is being answered any more, within the bound."""
        try:
            async with asyncio.timeout(QUIET_WITHIN_S):
                while conversation.busy:  # noqa: ASYNC110 - a count that several requests change
                    await asyncio.sleep(LOOK_EVERY_S)
        except TimeoutError:
            log.warning("an answer to a child is still being cut off")


def sign_of(messages: tuple[PlainMessage, ...], *, under: int) -> Sign | None:
    """What the last message tells, if a person said it, in the light of the answer before it."""
    if not messages or messages[-1].role != USER:
        return None
    before = next((each.text for each in reversed(messages[:-1]) if each.role == ASSISTANT), Private(""))
    said = messages[-1].text
    return before.map(lambda asked: tells_of_child(said, asked=asked, under=under)).reveal()


def refusal() -> PolicyRefused:
    """What the client is told, and what an answer under way is cut with."""
    return PolicyRefused(
        "there is a child in this conversation, so no model is asked and nothing is kept",
        hint="hand the call over to a person, or end it",
        reasons=("a child's words go to nobody (policy: children)",),
    )
