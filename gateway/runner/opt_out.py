"""The request not to be called again, heard on a call: acted upon before the turn goes on (promise 31)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

from gateway.call.events import KeyPressed, LegEvent
from gateway.policy.consent import How
from gateway.policy.opt_out import KeyWatch, asks_to_stop
from gateway.ports import Clock, Masker
from gateway.redaction.mask import Masked
from gateway.runner.leg import Leg, MeetingLeg, TransferringLeg, frame_ms_of
from gateway.values import Pcm, Private

OptOut = Callable[[How], Awaitable[None]]
"""Records it. Raises StoreUnavailable or EvidenceUnavailable: then the call does not go on."""


@dataclass(slots=True)
class HeardOnce:
    """Acts on the first request of a call; what comes after it says nothing new."""

    act: OptOut
    done: bool = False

    async def heard(self, how: How) -> None:
        if not self.done:
            await self.act(how)
            self.done = True


def listening(masker: Masker, once: HeardOnce) -> Masker:
    """A call's masker that reads each turn of the other side for the request, before it is masked."""
    return cast(Masker, _ListeningMasker(masker, once))


@dataclass(slots=True)
class _ListeningMasker:
    """Only ``mask`` is its own: whatever else a masker can do goes to the one behind it."""

    masker: Masker
    once: HeardOnce

    async def mask(self, text: Private[str], *, previous: str = "", from_model: bool = False, said: bool = True) -> Masked:
        if said and not from_model and asks_to_stop(text):
            await self.once.heard(How.SPOKEN)
        return await self.masker.mask(text, previous=previous, from_model=from_model, said=said)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.masker, name)


@dataclass(slots=True)
class ListeningLeg:
    """A call's leg that looks for the key that stands alone. Implements ``Leg``."""

    leg: Leg
    once: HeardOnce
    clock: Clock
    watch: KeyWatch = field(default_factory=KeyWatch)
    card_data: Callable[[], bool] = lambda: False
    """Whether keys are card data now, and so nothing to look at."""

    @property
    def rate(self) -> int:
        return self.leg.rate

    @property
    def acknowledges(self) -> str:
        return self.leg.acknowledges

    @property
    def frame_ms(self) -> int:
        return frame_ms_of(self.leg)

    async def events(self) -> AsyncIterator[LegEvent]:
        async for event in self.leg.events():
            at_ms = int(self.clock.monotonic() * 1000)
            if self.watch.asked(at_ms):
                await self.once.heard(How.KEY_PRESS)
            if isinstance(event, KeyPressed) and not self.card_data():
                self.watch.pressed(event.key, at_ms)
            yield event
        if self.watch.ended():
            await self.once.heard(How.KEY_PRESS)

    async def listen(self) -> None:
        await self.leg.listen()

    async def send_audio(self, pcm: Pcm) -> None:
        await self.leg.send_audio(pcm)

    async def send_mark(self, name: str) -> None:
        await self.leg.send_mark(name)

    async def send_clear(self) -> None:
        await self.leg.send_clear()

    async def admit(self, joined: int, *, to_answer: bool) -> None:
        if isinstance(self.leg, MeetingLeg):
            await self.leg.admit(joined, to_answer=to_answer)

    async def transfer(self) -> bool:
        return isinstance(self.leg, TransferringLeg) and await self.leg.transfer()

    async def close(self) -> None:
        await self.leg.close()
