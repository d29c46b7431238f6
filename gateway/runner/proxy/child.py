"""A child in a conversation of the model proxy (promise 32): told by the program, or by what a person says anywhere in it.

Clients send the whole history with each request, so a child who said so once is in every request after it, under whatever name.

The request is refused, an answer under way is cut, the conversation ends with its receipt, and what was kept of it is deleted.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Protocol

from gateway.call.child import Sign
from gateway.call.child_words import tells_of_child
from gateway.errors import EvidenceUnavailable, NotFound, PolicyRefused, RedactionUnavailable, SordinoError
from gateway.policy.model import TenantPolicy
from gateway.runner.proxy.conversations import Conversation
from gateway.runner.proxy.ending import Endings
from gateway.runner.proxy.mask import text_parts
from gateway.runner.proxy.record import MASK_WITHIN_S, ProxyParts
from gateway.runner.proxy.request import ASSISTANT, USER, PlainMessage, PlainRequest
from gateway.values import CallId, Private, TenantId

log = logging.getLogger(__name__)

QUIET_WITHIN_S = 10.0
"""How long an answer under way may take to notice; then the conversation is erased under it."""
LOOK_EVERY_S = 0.05
REFUSE = "refuse"
LONG = 2_000
"""Texts of more characters are read beside the loop, which other conversations are waiting for."""
MOST_READ = 20_000
"""Texts without a child that are known by their digests, so that a long history is read once."""


class Forget(Protocol):
    """``gateway.runner.children.ChildCalls``: deletes what was kept, now or later, with certificates."""

    async def over(self, tenant: TenantId, call: CallId) -> None: ...


class ProxyChildren:
    """Asked before a request is answered. ``endings`` None: conversations here have no receipts."""

    def __init__(self, parts: ProxyParts, endings: Endings | None, forget: Forget) -> None:
        self._parts = parts
        self._endings = endings
        self._forget = forget
        self._harmless: dict[bytes, None] = {}

    async def check(self, tenant: TenantPolicy, named: str | None, plain: PlainRequest) -> None:
        """Raises PolicyRefused when a person's words anywhere in it tell of a child, RedactionUnavailable if nobody can tell."""
        if not tenant.children.minded:
            return
        try:
            async with asyncio.timeout(MASK_WITHIN_S):
                sign = await self._sign(tenant, plain.messages)
        except TimeoutError:
            raise RedactionUnavailable("the request could not be read in time", hint="nothing was sent") from None
        if sign is not None:
            await self.refuse(tenant, named, sign)

    async def _sign(self, tenant: TenantPolicy, messages: tuple[PlainMessage, ...]) -> Sign | None:
        under, digest = tenant.children.under, self._parts.conversations.digest
        for said, asked in _said(messages):
            text = digest("harmless", tenant.tenant, str(under), *text_parts(USER, asked, said))
            if text in self._harmless:
                continue
            if (sign := await _read(said, asked, under)) is not None:
                return sign
            if len(self._harmless) >= MOST_READ:
                self._harmless.pop(next(iter(self._harmless)))
            self._harmless[text] = None
        return None

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


def _said(messages: tuple[PlainMessage, ...]) -> Iterator[tuple[Private[str], Private[str]]]:
    """All that a person said, each with the answer before it, in whose light it is understood."""
    asked = Private("")
    for message in messages:
        if message.role == USER:
            yield message.text, asked
        elif message.role == ASSISTANT:
            asked = message.text


async def _read(said: Private[str], asked: Private[str], under: int) -> Sign | None:
    def read() -> Sign | None:
        return asked.map(lambda before: tells_of_child(said, asked=before, under=under)).reveal()

    if said.map(len).reveal() > LONG:
        return await asyncio.to_thread(read)
    await asyncio.sleep(0)  # a long history of short texts lets others in, too
    return read()


def refusal() -> PolicyRefused:
    """What the client is told, and what an answer under way is cut with."""
    return PolicyRefused(
        "there is a child in this conversation, so no model is asked and nothing is kept",
        hint="hand the call over to a person, or end it",
        reasons=("a child's words go to nobody (policy: children)",),
    )
