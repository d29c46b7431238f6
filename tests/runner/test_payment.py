"""A pause as it is performed: who goes blind and when, whom keys reach, and that no Grant is given out between the markers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, cast

import pytest

from gateway.call.events import CallerAudio, KeyPressed, LegStarted, LegStopped
from gateway.call.payment import MESSAGES, CardField, Ended, Keyed, PaymentExpected, PaymentResumed, Verdict, Why
from gateway.call.payment_flow import PaymentFlow
from gateway.call.plot import Outcome
from gateway.errors import UpstreamTimeout
from gateway.policy.egress import Grant
from gateway.policy.payment import Payment, Resume, Starts
from gateway.ports import Egress, Masker
from gateway.redaction.mask import Masked
from gateway.runner import payment
from gateway.runner.call_runner import CallParts, CallRunner
from gateway.runner.egress import GuardedEgress
from gateway.runner.payment import PaymentParts, PaymentPause, watching, wipe
from gateway.values import DataCategory, EntityType, Hop, MaskedText, Pcm, Private
from tests.runner.test_call_runner import Call, WallClock, running, tone

VOICE = CallerAudio(Private(Pcm(b"\1\0" * 160, 8_000)), at_ms=0)
CARD = "4111111111111111"


class Door:
    """A call's egress that lets everything out, and waits where the test says."""

    def __init__(self) -> None:
        self.asked: list[tuple[Hop, str]] = []
        self.open = asyncio.Event()
        self.open.set()

    async def grant(self, hop: Hop, categories: frozenset[DataCategory], **more: Any) -> Grant:
        self.asked.append((hop, str(more.get("purpose", "conversation"))))
        await self.open.wait()
        return cast(Grant, object())


class Shop:
    """A payment processor that answers as the test says. What it got is copied: the buffer is wiped."""

    def __init__(self, *answers: tuple[Verdict, CardField] | Exception) -> None:
        self.answers = list(answers)
        self.got: list[tuple[str, CardField]] = []
        self.buffers: list[bytearray] = []

    async def hand_over(self, grant: Grant, keys: Private[bytearray], keyed: Keyed) -> tuple[Verdict, CardField]:
        self.got.append((keys.reveal().decode(), keyed.field))
        self.buffers.append(keys.reveal())
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Recorder:
    def __init__(self, log: list[str]) -> None:
        self.log = log

    def pause(self, reason: str) -> None:
        self.log.append(f"recorder off: {reason}")

    def resume(self) -> None:
        self.log.append("recorder on")


class Talker:
    def __init__(self, log: list[str]) -> None:
        self.log = log

    def pause(self, *, interrupt: bool) -> None:
        self.log.append("interrupted" if interrupt else "quiet")

    def resume(self, ended: Ended) -> None:
        self.log.append(f"goes on: {ended.value}")


class PayingCall(Call):
    """A call that listens at once and may be paused."""

    def __init__(self, *answers: tuple[Verdict, CardField] | Exception, terms: Payment | None = None) -> None:
        super().__init__()
        terms = terms or Payment()
        self.pause, self.door, self.shop = PaymentPause(terms, "en"), Door(), Shop(*answers)
        self.pause.join(Talker(self.log))
        sounds = {name: tone(20) for name in ("apology", "refused", *MESSAGES)}
        parts = (self.phone, self.account, sounds, self._converse, self._seal, WallClock(), self.telemetry, self.shown.append)
        paying = PaymentParts(self.pause, self.door, self.shop, (Recorder(self.log),))
        self.runner = CallRunner(CallParts(PaymentFlow((), terms=terms), *parts, payment=paying))

    async def until(self, kind: str) -> None:
        async with asyncio.timeout(30):
            while kind not in self.log:  # noqa: ASYNC110 - the next turn of the loop
                await asyncio.sleep(0.005)

    def press(self, keys: str) -> None:
        self.phone.happen(*(KeyPressed(Private(key)) for key in keys))


@asynccontextmanager
async def listening(call: PayingCall) -> AsyncIterator[asyncio.Task[Outcome]]:
    call.phone.happen(LegStarted("MZ1", "CA1"))
    async with running(call) as task:
        await call.until("listen")
        yield task
        call.phone.happen(LegStopped())


async def test_keys_reach_the_processor_alone_and_the_line_opens_again_after_its_answer() -> None:
    call = PayingCall((Verdict.MORE, CardField.CODE), (Verdict.ACCEPTED, CardField.MORE))
    async with listening(call):
        call.pause.expect(Why.QUESTION)
        call.phone.happen(VOICE)
        call.press(f"{CARD}#")
        await call.until("payment.answered")
        call.press("739#")
        await call.until("payment.resumed")
        async with asyncio.timeout(30):
            assert await call.pause.over() is Ended.ACCEPTED
        call.phone.happen(VOICE)
        while not call.talk.heard:  # noqa: ASYNC110 - the next turn of the loop
            await asyncio.sleep(0.005)
    assert call.shop.got == [(CARD, CardField.NUMBER), ("739", CardField.CODE)]
    assert call.door.asked == [(Hop.PAYMENT, "payment")] * 2
    assert len(call.talk.heard) == 1, "what was said in the pause reached nobody"
    order = [each for each in call.log if each.startswith(("recorder", "quiet", "payment.paused", "payment.resumed", "goes on"))]
    assert order == ["recorder off: payment", "quiet", "payment.paused", "payment.resumed", "recorder on", "goes on: accepted"]
    assert CARD not in str([entry.draft.body for entry in call.account.entries])


async def test_what_was_handed_over_is_wiped() -> None:
    call = PayingCall((Verdict.ACCEPTED, CardField.MORE))
    async with listening(call):
        call.pause.expect(Why.AGENT)
        call.press(f"{CARD}#")
        await call.until("payment.resumed")
    assert call.shop.buffers == [bytearray()]


async def test_a_processor_that_does_not_answer_took_nothing_and_the_call_goes_on() -> None:
    call = PayingCall(UpstreamTimeout("no answer"))
    async with listening(call) as task:
        call.pause.expect(Why.QUESTION)
        call.press(f"{CARD}#")
        await call.until("goes on: failed")
    assert task.result() is Outcome.COMPLETED
    assert call.entry("payment.answered")["verdict"] == "failed"
    assert call.refusals() == ["upstream_timeout"]


async def test_a_call_whose_second_marker_is_not_confirmed_ends_blind() -> None:
    """An ear that opened without evidence would be a gap in the proof."""
    call = PayingCall((Verdict.ACCEPTED, CardField.MORE))
    call.book.refuses = {"payment.resumed"}
    async with listening(call) as task:
        call.pause.expect(Why.QUESTION)
        call.press(f"{CARD}#")
        await call.until("close")
        call.phone.happen(VOICE)
    assert task.result() is Outcome.FAILED
    assert call.talk.heard == []
    assert "recorder on" not in call.log


async def test_a_call_that_cannot_write_the_first_marker_ends() -> None:
    call = PayingCall()
    call.book.refuses = {"payment.paused"}
    async with listening(call) as task:
        call.pause.expect(Why.QUESTION)
        await call.until("close")
    assert task.result() is Outcome.FAILED
    assert call.shop.got == []


async def test_an_explicit_pause_that_is_overdue_ends_the_call_and_tells_the_caller() -> None:
    call = PayingCall(terms=Payment.model_construct(starts=(), resume=Resume.EXPLICIT, within=_ms(30)))
    async with listening(call) as task:
        call.pause.expect(Why.AGENT)
        await call.until("payment.abandoned")
    assert task.result() is Outcome.COMPLETED
    assert "mark tell:payment-overdue" in call.log


async def test_a_timed_pause_that_is_overdue_listens_again() -> None:
    call = PayingCall(terms=Payment.model_construct(starts=(), resume=Resume.TIMED, within=_ms(30)))
    async with listening(call):
        call.pause.expect(Why.AGENT)
        await call.until("goes on: timed")
    assert call.entry("payment.resumed")["reason"] == "timed"


async def test_who_detected_a_card_interrupts_the_agent() -> None:
    call = PayingCall()
    async with listening(call):
        call.pause.expect(Why.DETECTED)
        await call.until("payment.paused")
        call.pause.resume()
        await call.until("goes on: agent")
    assert "interrupted" in call.log


# --- the pause itself -------------------------------------------------------------------------------------------------


def paused(*, starts: tuple[Starts, ...] = tuple(Starts), language: str = "en") -> tuple[PaymentPause, list[object]]:
    pause, posted = PaymentPause(Payment(starts=starts), language), list[object]()
    pause.bind(posted.append)
    return pause, posted


async def test_it_is_blind_before_the_call_has_heard_of_it_and_expects_once() -> None:
    pause, posted = paused()
    pause.expect(Why.AGENT)
    pause.expect(Why.DETECTED)
    assert pause.blind
    assert posted == [PaymentExpected(Why.AGENT)]
    pause.resume()
    assert posted[1:] == [PaymentResumed()]


ASKS = {
    "a card number": ("What card number would you like to use?", "en", CardField.NUMBER),
    "a security code": ("And the three digits on the back?", "en", CardField.CODE),
    "an expiry date": ("May I have the expiry date?", "en", CardField.EXPIRY),
    "in German": ("Wie lautet Ihre Kartennummer?", "de", CardField.NUMBER),
    "in French": ("Quel est le numéro de votre carte ?", "fr-CA", CardField.NUMBER),
    "in Spanish": ("¿Cuál es el número de su tarjeta?", "es", CardField.NUMBER),
    "nothing of a card": ("What phone number may we call you on?", "en", None),
    "nothing at all": ("I have noted your card number.", "en", None),
}


@pytest.mark.parametrize(("said", "language", "field"), ASKS.values(), ids=ASKS.keys())
async def test_the_agents_question_is_known_by_what_it_asks_for(said: str, language: str, field: CardField | None) -> None:
    pause, posted = paused(language=language)
    assert pause.asks(said) is (field is not None)
    assert posted == ([] if field is None else [PaymentExpected(Why.QUESTION, field)])


async def test_questions_and_words_start_nothing_where_the_policy_says_so() -> None:
    pause, posted = paused(starts=())
    assert not pause.asks("What card number would you like to use?")
    assert (await watching(cast(Masker, Reads(holds=True)), pause).mask(Private("4111"))).text == "masked"
    assert posted == []


class Reads:
    """A masker that finds a card, or does not."""

    def __init__(self, *, holds: bool) -> None:
        self._holds = holds
        self.masked: list[str] = []

    async def holds(self, text: Private[str], kinds: frozenset[EntityType], *, previous: str = "") -> bool:
        return self._holds

    async def mask(self, text: Private[str], *, previous: str = "", from_model: bool = False, said: bool = True) -> Masked:
        self.masked.append(text.reveal())
        return Masked(MaskedText("masked"), {}, {})


async def test_a_turn_with_card_data_is_dropped_before_the_mask_keeps_anything_of_it() -> None:
    pause, posted = paused()
    inner = Reads(holds=True)
    masker = watching(cast(Masker, inner), pause)
    assert (await masker.mask(Private("my card is 4111"))).text == ""
    assert posted == [PaymentExpected(Why.DETECTED)]
    assert inner.masked == []
    assert (await masker.mask(Private("Your card is <CREDIT_CARD_1>"), from_model=True)).text == "masked"


async def test_what_was_half_heard_when_the_pause_began_is_dropped_too() -> None:
    pause, _ = paused()
    inner = Reads(holds=False)
    pause.expect(Why.AGENT)
    assert (await watching(cast(Masker, inner), pause).mask(Private("one one one one"))).text == ""
    assert inner.masked == []


async def test_nobody_gets_a_grant_in_a_pause_and_who_asks_waits_for_its_end() -> None:
    (pause, _), door = paused(), Door()
    seeing = GuardedEgress(cast(Egress, door), pause.guard)
    pause.expect(Why.AGENT)
    waiting = asyncio.ensure_future(seeing.grant(Hop.LLM, frozenset({DataCategory.MASKED_TRANSCRIPT})))  # noqa: TID251
    for _ in range(20):
        await asyncio.sleep(0)
    assert door.asked == []
    pause.see(Ended.AGENT)
    async with asyncio.timeout(30):
        await waiting
    assert door.asked == [(Hop.LLM, "conversation")]


async def test_the_first_marker_waits_for_a_grant_that_is_just_being_written_down() -> None:
    (pause, _), door = paused(), Door()
    door.open.clear()
    asked = asyncio.ensure_future(GuardedEgress(cast(Egress, door), pause.guard).grant(Hop.LLM, frozenset()))  # noqa: TID251
    await asyncio.sleep(0)
    pause.expect(Why.AGENT)
    settling = asyncio.ensure_future(pause.settle(interrupt=False))  # noqa: TID251
    for _ in range(20):
        await asyncio.sleep(0)
    assert not settling.done()
    door.open.set()
    async with asyncio.timeout(30):
        await asyncio.gather(asked, settling)


async def test_a_grant_that_is_never_written_down_ends_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payment, "SETTLED_WITHIN_S", 0.05)
    call = PayingCall()
    stuck = Door()
    stuck.open.clear()
    async with listening(call) as task:
        asked = asyncio.ensure_future(GuardedEgress(cast(Egress, stuck), call.pause.guard).grant(Hop.LLM, frozenset()))  # noqa: TID251
        await asyncio.sleep(0)
        call.pause.expect(Why.AGENT)
        await call.until("close")
        asked.cancel()
    assert task.result() is Outcome.FAILED
    assert call.entry("call.failed") == {"code": "store_unavailable"}


def test_wiping_leaves_no_key_behind() -> None:
    keys = bytearray(CARD.encode())
    wipe(keys)
    assert keys == b""


def test_a_pause_that_nobody_can_hear_of_never_begins() -> None:
    pause = PaymentPause(Payment(), "en")
    pause.expect(Why.AGENT)
    assert not pause.blind


def _ms(ms: int) -> timedelta:
    return timedelta(milliseconds=ms)
