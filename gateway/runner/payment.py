"""One call's payment pause as it is performed (promise 33): who goes blind, where keys go, and when everything sees again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol, cast

from gateway.call.payment import (
    PROMPTS,
    TOLD,
    AskForKeys,
    AwaitPayment,
    CardField,
    Ended,
    ForgetKeys,
    GoBlind,
    HandOver,
    Keyed,
    PaymentAnswered,
    PaymentCommand,
    PaymentEvent,
    PaymentExpected,
    PaymentOverdue,
    PaymentResumed,
    SeeAgain,
    TakeKey,
    Verdict,
    Why,
)
from gateway.errors import SordinoError, StoreUnavailable
from gateway.policy.egress import Grant
from gateway.policy.payment import PAYMENT, Payment, Starts
from gateway.ports import Egress, Masker, Playout, Telemetry
from gateway.redaction.answers import asked, without_placeholders
from gateway.redaction.languages import LANGUAGES
from gateway.redaction.mask import Masked
from gateway.redaction.spoken import view
from gateway.tasks import TaskOwner
from gateway.values import DataCategory, EntityType, Hop, MaskedText, Pcm, Private

CARD_DATA = frozenset(EntityType(kind) for kind in ("CREDIT_CARD", "CVV"))
"""Kinds whose first appearance in what a caller says begins a pause."""
FIELDS = {"CREDIT_CARD": CardField.NUMBER, "CVV": CardField.CODE, "CARD_EXPIRY": CardField.EXPIRY}
"""Kinds that a question may ask for, and what the caller is then asked to key in."""
SETTLED_WITHIN_S = 10.0
"""How long a Grant that is just being written down may take before the call ends instead of going blind."""

Post = Callable[[PaymentEvent], None]


class Blind(Protocol):
    """Something that hears, reads or keeps a call, and can stop at once: a recorder."""

    def pause(self, reason: str) -> None: ...
    def resume(self) -> None: ...


class Talker(Protocol):
    """A conversation that forgets what it has half heard, and hears nothing until it is resumed."""

    def pause(self, *, interrupt: bool) -> None:
        """``interrupt``: stop what the agent is saying and thinking, too."""
        ...

    def resume(self, ended: Ended) -> None: ...


class PaymentProcessor(Protocol):
    async def hand_over(self, grant: Grant, keys: Private[bytearray], keyed: Keyed) -> tuple[Verdict, CardField]:
        """Give the keys (ASCII) to the Grant's processor, once; its verdict, and what it wants next.

        Raises:
            PolicyRefused: the Grant is not for keyed card data.
            Misconfigured: its secret is missing or none.
            UpstreamFailed, UpstreamTimeout: nothing is known to be taken.
        """
        ...


class PaymentPause:
    """Whether a call is blind now, for everybody who must know: ears, mask, voice, agent, egress.

    It is blind from the very moment that card data is expected, before the plot has heard of it.
    """

    def __init__(self, terms: Payment, language: str) -> None:
        self.terms = terms
        self._spoken = LANGUAGES.get(language.split("-")[0].lower(), LANGUAGES["en"])
        self._post: Post | None = None
        self._talker: Talker | None = None
        self._blind = False
        self._sees = asyncio.Event()
        self._sees.set()
        self._ended = Ended.UNAVAILABLE
        self._granting = 0
        self._none_granting = asyncio.Event()
        self._none_granting.set()

    def bind(self, post: Post) -> None:
        """Join it to the call that it can pause."""
        self._post = post

    def join(self, talker: Talker) -> None:
        """Who is to fall silent with the call."""
        self._talker = talker

    @property
    def blind(self) -> bool:
        return self._blind

    def expect(self, why: Why, field: CardField = CardField.NUMBER) -> None:
        """Card data is about to be given: nobody hears the caller from here on. In a pause it changes nothing."""
        if not self._blind and self._post is not None:
            self._blind = True
            self._sees.clear()
            self._post(PaymentExpected(why, field))

    def asks(self, said: str) -> bool:
        """Whether the agent's next sentence (masked) asks for card data, and the policy pauses for that. Then it is blind."""
        if Starts.QUESTION not in self.terms.starts:
            return False
        kind = asked(view(without_placeholders(said), self._spoken).text)
        if kind not in FIELDS:
            return False
        self.expect(Why.QUESTION, FIELDS[kind])
        return True

    def resume(self) -> None:
        """The agent expects no card data any more."""
        if self._post is not None:
            self._post(PaymentResumed())

    async def over(self) -> Ended:
        """Wait until the pause is over; how it ended."""
        await self._sees.wait()
        return self._ended

    def see(self, ended: Ended) -> None:
        """For the runner: the pause is over."""
        self._ended = ended
        self._blind = False
        self._sees.set()
        if self._talker is not None:
            self._talker.resume(ended)

    async def settle(self, *, interrupt: bool) -> None:
        """For the runner: the conversation forgets what it has half heard. Returns when no Grant is being written down any more.

        Raises:
            StoreUnavailable: that takes too long.
        """
        if self._talker is not None:
            self._talker.pause(interrupt=interrupt)
        try:
            async with asyncio.timeout(SETTLED_WITHIN_S):
                await self._none_granting.wait()
        except TimeoutError:
            raise StoreUnavailable("a Grant of this call is still being written down") from None

    @asynccontextmanager
    async def guard(self) -> AsyncIterator[None]:
        """Stay while a Grant is asked for: it waits until the call is not blind, and ``settle`` waits for it."""
        while self._blind:
            await self._sees.wait()
        self._granting += 1
        self._none_granting.clear()
        try:
            yield
        finally:
            self._granting -= 1
            if not self._granting:
                self._none_granting.set()


class CardReader(Protocol):
    async def holds(self, text: Private[str], kinds: frozenset[EntityType], *, previous: str = "") -> bool:
        """Whether the mask would find one of these kinds in what a caller says now. Nothing is kept, nothing counts."""
        ...


def watching(masker: Masker, pause: PaymentPause) -> Masker:
    """A call's masker that reads each turn of the caller for card data: such a turn is dropped whole, and the call goes blind."""
    return cast(Masker, _WatchingMasker(masker, pause))


class _WatchingMasker:
    """Only ``mask`` is its own: whatever else a masker can do goes to the one behind it."""

    def __init__(self, masker: Masker, pause: PaymentPause) -> None:
        self._masker = masker
        self._pause = pause

    async def mask(self, text: Private[str], *, previous: str = "", from_model: bool = False, said: bool = True) -> Masked:
        if said and not from_model and await self._holds_card_data(text, previous):
            self._pause.expect(Why.DETECTED)
            return Masked(MaskedText(""), {}, {})
        return await self._masker.mask(text, previous=previous, from_model=from_model, said=said)

    async def _holds_card_data(self, text: Private[str], previous: str) -> bool:
        if self._pause.blind:
            return True
        if Starts.DETECTED not in self._pause.terms.starts:
            return False
        return await cast(CardReader, self._masker).holds(text, CARD_DATA, previous=previous)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._masker, name)


@dataclass(frozen=True, slots=True)
class PaymentParts:
    """What a call's pauses are performed with. ``egress`` is the call's own door, open for the payment processor alone."""

    pause: PaymentPause
    egress: Egress
    processor: PaymentProcessor
    blinds: tuple[Blind, ...] = ()


class PaymentDesk:
    """Performs the commands of pauses for one call. It alone holds keys, and only until they are handed over."""

    def __init__(
        self, parts: PaymentParts, tasks: TaskOwner, playout: Playout, sounds: Mapping[str, Pcm], post: Post, telemetry: Telemetry
    ) -> None:
        self._parts = parts
        self._tasks = tasks
        self._playout = playout
        self._sounds = sounds
        self._post = post
        self._telemetry = telemetry
        self._keys = bytearray()
        self._told = 0
        self._prompting = False
        parts.pause.bind(post)

    @property
    def blind(self) -> bool:
        return self._parts.pause.blind

    async def perform(self, command: PaymentCommand) -> None:
        """Raises StoreUnavailable when the call cannot go blind in time."""
        match command:
            case GoBlind(why):
                for blind in self._parts.blinds:
                    blind.pause(PAYMENT)
                await self._parts.pause.settle(interrupt=why is Why.DETECTED)
            case AskForKeys(field):
                self._prompting = True
                self._say(PROMPTS[field])
            case AwaitPayment(pause, within_ms):
                self._tasks.start(self._overdue(pause, within_ms), name="payment-time")
            case TakeKey(key):
                self._take(key)
            case ForgetKeys():
                wipe(self._keys)
            case HandOver():
                keys, self._keys = self._keys, bytearray()
                self._tasks.start(self._hand_over(command, keys), name="payment")
            case SeeAgain(ended):
                self._see(ended)

    def close(self) -> None:
        """The call is over."""
        wipe(self._keys)

    def _see(self, ended: Ended) -> None:
        if ended in TOLD:
            self._say(TOLD[ended])
        self._prompting = False
        for blind in self._parts.blinds:
            blind.resume()
        self._parts.pause.see(ended)

    def _take(self, key: Private[str]) -> None:
        if self._prompting:
            # Who begins to key in has heard enough.
            self._prompting = False
            self._playout.clear()
        self._keys += key.reveal().encode("ascii", "replace")

    def _say(self, asset: str) -> None:
        self._told += 1
        segment = self._playout.begin(f"{asset}:{self._told}")

        async def push() -> None:
            await segment.push(self._sounds[asset])
            segment.end()

        self._tasks.start(push(), name="payment-prompt")

    async def _overdue(self, pause: int, within_ms: int) -> None:
        await asyncio.sleep(within_ms / 1000)
        self._post(PaymentOverdue(pause))

    async def _hand_over(self, command: HandOver, keys: bytearray) -> None:
        verdict, field = Verdict.FAILED, CardField.MORE
        about = frozenset({DataCategory.PAYMENT})
        try:
            grant = await self._parts.egress.grant(Hop.PAYMENT, about, purpose=PAYMENT, about=about)
            keyed = Keyed(command.pause, command.handed, command.field)
            verdict, field = await self._parts.processor.hand_over(grant, Private(keys), keyed)
        except SordinoError as error:
            self._telemetry.count("sordino_refusals_total", reason=error.code)
        finally:
            wipe(keys)
            self._post(PaymentAnswered(command.pause, command.handed, verdict, field))


def wipe(keys: bytearray) -> None:
    """Overwrite, then empty. What a TLS library or a socket has copied meanwhile is theirs until it is freed."""
    keys[:] = bytes(len(keys))
    keys.clear()
