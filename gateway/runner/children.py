"""A child on a call, as it is performed (promise 32): every way out shuts at that moment, and what was kept is deleted.

Shut from the very moment that a child is heard, before the plot has heard of it: the words are not masked, so no model, no vault
and no transcript has them; no Grant is given out any more; the recorder stops.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, Protocol, cast

from gateway.call.child import ChildSignalled, Sign
from gateway.call.child_words import tells_of_child
from gateway.errors import PolicyRefused, SordinoError
from gateway.policy.children import Children
from gateway.ports import Egress, Masker
from gateway.redaction.mask import Masked
from gateway.runner.egress import GuardedEgress
from gateway.runner.to_delete import CallLog
from gateway.values import CallId, MaskedText, Private, TenantId

log = logging.getLogger(__name__)

Post = Callable[[ChildSignalled], None]


class Childhood:
    """Whether a child was heard on one call, for everybody who must know: mask, voice, agent, egress, recorder."""

    def __init__(self, terms: Children) -> None:
        self.terms = terms
        self.signalled = False
        self._post: Post | None = None
        self._stops: tuple[Callable[[], None], ...] = ()
        self._remember: Callable[[], Awaitable[None]] | None = None

    def bind(
        self, post: Post, stops: Iterable[Callable[[], None]] = (), remember: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """Join it to its call. ``stops``: each is called once, at the moment itself; none waits or raises. ``remember``: writes
        down that this call is to be deleted, so that a gateway which dies before that is followed by another; it never raises.
        """
        self._post = post
        self._stops = tuple(stops)
        self._remember = remember

    def signal(self, sign: Sign) -> None:
        """There is a child on the line. A second time changes nothing."""
        if self.signalled or not self.terms.minded:
            return
        self.signalled = True
        for stop in self._stops:
            stop()
        if self._post is not None:
            self._post(ChildSignalled(sign))

    def told_by_agent(self) -> None:
        """The agent, or its model, has told."""
        self.signal(Sign.AGENT)

    async def remembered(self) -> None:
        """Returns when the store knows that the call is to be deleted, or could not be told."""
        remember, self._remember = self._remember, None
        if self.signalled and remember is not None:
            await remember()

    def hears(self, said: Private[str], *, asked: str) -> bool:
        """Whether there is a child, by what a caller says now or did before. ``asked``: the agent's words before, masked."""
        if not self.signalled and self.terms.minded:
            sign = tells_of_child(said, asked=asked, under=self.terms.under)
            if sign is not None:
                self.signal(sign)
        return self.signalled


def minding_children(masker: Masker, childhood: Childhood) -> Masker:
    """A call's masker that reads each turn of the caller for a child: that turn is dropped whole, and all that follows."""
    return cast(Masker, _ChildMasker(masker, childhood))


class _ChildMasker:
    """Only ``mask`` and ``ahead`` are its own: whatever else a masker can do goes to the one behind it."""

    def __init__(self, masker: Masker, childhood: Childhood) -> None:
        self._masker = masker
        self._childhood = childhood

    async def mask(self, text: Private[str], *, previous: str = "", from_model: bool = False, said: bool = True) -> Masked:
        caller = said and not from_model
        if self._childhood.signalled or (caller and self._childhood.hears(text, asked=previous)):
            await self._childhood.remembered()
            return Masked(MaskedText(""), {}, {})
        return await self._masker.mask(text, previous=previous, from_model=from_model, said=said)

    async def ahead(self, text: Private[str], *, previous: str = "") -> None:
        if not self._childhood.signalled:
            await self._masker.ahead(text, previous=previous)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._masker, name)


def shut_for_children(egress: Egress, childhood: Childhood) -> Egress:
    """A call's door: shut for good once a child was heard, also for who was being let out at that moment."""

    def check() -> None:
        if childhood.signalled:
            raise PolicyRefused("a child was heard on this call", reasons=("what a child says goes to nobody",))

    @asynccontextmanager
    async def guard() -> AsyncIterator[None]:
        check()
        yield
        check()

    return GuardedEgress(egress, guard)


class DeleteKept(Protocol):
    """Delete the sound, the words and the vault of a call, with certificates; whether all of it is gone, or a legal hold keeps
    some. ``again``: that one does is on record already. Raises what ``Deletions.delete`` does.
    """

    async def __call__(self, tenant: TenantId, call: CallId, *, again: bool) -> bool: ...


class ChildCalls:
    """What becomes of such calls: nothing of them is kept, also where a gateway dies over it."""

    def __init__(self, log_: CallLog, delete: DeleteKept) -> None:
        self._log = log_
        self._delete = delete

    async def begin(self, tenant: TenantId, call: CallId) -> None:
        """There is a child on that call, which still goes on: whoever dies now, it is deleted. Never raises for the store."""
        try:
            await self._log.add(tenant, call)
        except SordinoError as error:
            log.warning("that a child's call is to be deleted is not in the store yet: %s", error.code)

    async def over(self, tenant: TenantId, call: CallId) -> None:
        """The call has ended: delete what was kept of it. What cannot be done now is done later; it never raises for that."""
        try:
            await self._log.add(tenant, call)
            await self._gone(tenant, call, again=False)
        except SordinoError as error:
            log.warning("what was kept of a child's call is deleted later: %s", error.code)

    async def resume(self, tenants: Iterable[TenantId]) -> int:
        """Go on with what was left; how many calls are done now. What fails, or is held, waits for the next time."""
        done = 0
        for tenant in tenants:
            for call in await self._log.all(tenant):
                try:
                    done += await self._gone(tenant, call, again=True)
                except SordinoError as error:
                    log.warning("what was kept of a child's call is deleted later: %s", error.code)
        return done

    async def _gone(self, tenant: TenantId, call: CallId, *, again: bool) -> bool:
        """What a hold keeps stays in the log: it goes when the hold is lifted."""
        gone = await self._delete(tenant, call, again=again)
        if gone:
            await self._log.remove(tenant, call)
        return gone
