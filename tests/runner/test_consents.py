"""An answer on a running call: kept in the ledger, held as a token, gone the moment it is taken back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from gateway.call.consent import Asking, GiveConsent, RefuseConsent, RevokeConsent
from gateway.call.events import KeyPressed, LegStarted, LegStopped
from gateway.call.flow import CallFlow
from gateway.call.plot import Outcome
from gateway.errors import NoPermittedRoute, SordinoError, StoreUnavailable
from gateway.policy.announcing import AnnouncementMode, OnDecline
from gateway.policy.consent import Answer, How
from gateway.policy.dialling import Outbound
from gateway.policy.transfer import Transfer
from gateway.ports import Masker
from gateway.runner.call_runner import CallParts, CallRunner
from gateway.runner.consents import CallConsents, minding
from gateway.runner.leg import TransferringLeg
from gateway.runner.transfer import NO_WAY, NOBODY_NAMED, Transfers
from gateway.values import Pcm, Placeholder, Private
from tests.runner.test_call_runner import AI, VOICE, Call, Phone, WallClock, running, told, tone, until_listening

START = LegStarted("MZ1", "CA1")
KEYS = Asking(AnnouncementMode.KEY_PRESS, wait_ms=10_000, accept="1", decline="2")
WORDS = Asking(AnnouncementMode.SPOKEN_YES, wait_ms=10_000)


class Kept:
    """A consent ledger that does as it is told."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, Answer, How]] = []
        self.broken = False

    async def keep(self, purpose: str, answer: Answer, how: How) -> None:
        if self.broken:
            raise StoreUnavailable("gone")
        self.rows.append((purpose, answer, how))


class TestTheToken:
    async def test_is_held_once_the_ledger_has_the_yes(self) -> None:
        kept = Kept()
        consents = CallConsents(kept.keep)
        assert not consents.may_record
        await consents.perform(GiveConsent("recording", How.KEY_PRESS))
        assert consents.may_record
        assert kept.rows == [("recording", Answer.GIVEN, How.KEY_PRESS)]

    async def test_is_not_held_when_the_ledger_does_not_answer(self) -> None:
        kept = Kept()
        kept.broken = True
        consents = CallConsents(kept.keep)
        with pytest.raises(StoreUnavailable):
            await consents.perform(GiveConsent("recording", How.KEY_PRESS))
        assert not consents.may_record

    async def test_is_gone_before_the_ledger_is_asked(self) -> None:
        """Also when the ledger is gone: whoever records hears of it at once."""
        kept, lost = Kept(), list[tuple[str, How | None]]()
        consents = CallConsents(kept.keep, lambda purpose, how: lost.append((purpose, how)))
        await consents.perform(GiveConsent("recording", How.SPOKEN))
        kept.broken = True
        with pytest.raises(StoreUnavailable):
            await consents.perform(RevokeConsent("recording", How.SPOKEN))
        assert not consents.may_record
        assert lost == [("recording", How.SPOKEN)]

    async def test_sleeps_while_somebody_new_is_asked_and_what_they_say_is_not_the_callers(self) -> None:
        kept = Kept()
        consents = CallConsents(kept.keep)
        await consents.perform(GiveConsent("recording", How.KEY_PRESS))
        await consents.perform(RevokeConsent("recording"))
        assert not consents.may_record
        await consents.perform(GiveConsent("recording", How.KEY_PRESS, by_caller=False))
        assert consents.may_record
        assert len(kept.rows) == 1

    async def test_a_no_is_the_last_word_in_the_ledger(self) -> None:
        kept = Kept()
        await CallConsents(kept.keep).perform(RefuseConsent("recording", How.SPOKEN))
        assert kept.rows == [("recording", Answer.WITHDRAWN, How.SPOKEN)]


class Plain:
    async def mask(self, text: Private[str], **_: Any) -> str:
        return "masked"

    def restore(self, placeholder: Placeholder) -> str:
        return f"restored {placeholder}"


@pytest.mark.parametrize(
    ("words", "how", "heard"),
    [
        ("please stop recording", {}, [How.SPOKEN]),
        ("good morning", {}, []),
        ("please stop recording", {"from_model": True}, []),
        ("please stop recording", {"said": False}, []),
    ],
)
async def test_the_wish_in_a_turn_is_heard_before_it_is_masked(words: str, how: dict[str, Any], heard: Sequence[How]) -> None:
    """The caller's words only: not the agent's, and not a tool's."""
    asked: list[How] = []
    masker = minding(cast(Masker, Plain()), asked.append)
    assert cast(str, await masker.mask(Private(words), **how)) == "masked"
    assert asked == heard
    assert cast(str, masker.restore(Placeholder("<X_1>"))) == "restored <X_1>"


# --- on a running call ----------------------------------------------------------------------------------------------


class Ear:
    """An ear for answers that says what the test puts into it."""

    def __init__(self) -> None:
        self.heard: list[Pcm] = []
        self.said: asyncio.Queue[str | SordinoError] = asyncio.Queue()
        self.closed = False
        self.busy = False

    def hear(self, pcm: Private[Pcm]) -> None:
        self.heard.append(pcm.reveal())

    async def words(self) -> AsyncIterator[Private[str]]:
        while True:
            said = await self.said.get()
            if isinstance(said, SordinoError):
                raise said
            yield Private(said)

    def close(self) -> None:
        self.closed = True


class Handing(Phone):
    """A carrier that can hand the caller to a person, or says that it cannot."""

    def __init__(self, *, can: bool) -> None:
        super().__init__()
        self.can = can

    async def transfer(self) -> bool:
        self.log.append("transfer")
        return self.can


class AskedCall(Call):
    """A call whose announcement asks."""

    def __init__(self, ask: Asking, *, phone: Phone | None = None, transfers: Transfers | None = None) -> None:
        super().__init__(announced=True)
        self.kept, self.ears = Kept(), list[Ear]()
        phone = phone or self.phone
        phone.log = self.log
        self.phone = phone
        self.consents = CallConsents(self.kept.keep)
        sounds = {name: tone(60) for name in ("ai", "apology", "refused", "declined", "nobody", "transfer")} | {"ai": tone(100)}
        flow = CallFlow((replace(AI, ask=ask),), started={"carrier": "twilio"})
        parts = (phone, self.account, sounds, self._converse, self._seal, WallClock(), self.telemetry, self.shown.append)
        asked = CallParts(flow, *parts, consents=self.consents, make_answer_ear=self._ear)
        self.runner = CallRunner(replace(asked, transfers=transfers or Transfers()))

    def _ear(self, language: str) -> Ear:
        assert language == "en"
        self.ears.append(Ear())
        return self.ears[-1]

    async def until(self, kind: str) -> None:
        while kind not in self.log:  # noqa: ASYNC110 - the next turn of the loop
            await asyncio.sleep(0.01)

    async def until_asked(self) -> None:
        await self.until("announcement.played")
        await asyncio.sleep(0)


async def test_a_key_opens_the_conversation_and_the_consent_is_in_the_ledger() -> None:
    call = AskedCall(KEYS)
    call.phone.happen(START)
    async with running(call) as task:
        await call.until_asked()
        call.phone.happen(VOICE, KeyPressed(Private("1")))
        await until_listening(call)
        assert call.consents.may_record
        call.phone.happen(LegStopped())
    assert task.result() is Outcome.COMPLETED
    assert call.kept.rows == [("recording", Answer.GIVEN, How.KEY_PRESS)]
    assert call.talk.heard == []


async def test_a_consent_that_the_ledger_does_not_take_ends_the_call_unheard() -> None:
    call = AskedCall(KEYS)
    call.kept.broken = True
    call.phone.happen(START)
    async with running(call) as task:
        await call.until_asked()
        call.phone.happen(KeyPressed(Private("1")), VOICE)
    assert task.result() is Outcome.FAILED
    assert told(call) == ["apology"]
    assert "start" not in call.log


async def test_a_no_holds_without_the_ledger_and_the_receipt_says_what_the_ledger_lacks() -> None:
    call = AskedCall(KEYS)
    call.kept.broken = True
    call.phone.happen(START)
    async with running(call) as task:
        await call.until_asked()
        call.phone.happen(KeyPressed(Private("2")))
    assert task.result() is Outcome.NEVER_LISTENED
    assert told(call) == ["declined"]
    assert call.entry("consent.not_kept") == {"purpose": "recording", "code": "store_unavailable"}


async def test_a_spoken_yes_goes_to_the_ear_for_answers_and_nowhere_else() -> None:
    call = AskedCall(WORDS)
    call.phone.happen(START, VOICE)
    async with running(call):
        await call.until_asked()
        call.phone.happen(VOICE, VOICE)
        while not (call.ears and len(call.ears[0].heard) == 2):  # noqa: ASYNC110 - the next turn of the loop
            await asyncio.sleep(0.01)
        call.ears[0].said.put_nowait("yes")
        await until_listening(call)
        call.phone.happen(LegStopped())
    assert call.ears[0].closed
    assert call.talk.heard == []
    assert call.entry("consent.given")["how"] == "spoken"


async def test_an_answer_still_being_spoken_when_its_time_is_over_is_waited_for() -> None:
    call = AskedCall(Asking(AnnouncementMode.SPOKEN_YES, wait_ms=30))
    call.phone.happen(START)
    async with running(call):
        while not call.ears:  # noqa: ASYNC110 - the next turn of the loop
            await asyncio.sleep(0)
        call.ears[0].busy = True
        call.phone.happen(VOICE)
        await asyncio.sleep(0.2)
        assert len(call.ears) == 1
        call.ears[0].said.put_nowait("no")
        call.ears[0].busy = False
        await call.until("consent.declined")
    assert call.entry("consent.declined")["how"] == "spoken"


async def test_an_ear_that_may_not_hear_ends_the_call_with_an_apology() -> None:
    call = AskedCall(WORDS)
    call.phone.happen(START)
    async with running(call) as task:
        while not call.ears:  # noqa: ASYNC110 - the next turn of the loop
            await asyncio.sleep(0)
        call.ears[0].said.put_nowait(NoPermittedRoute("no processor on this machine"))
    assert task.result() is Outcome.FAILED
    assert call.entry("call.failed") == {"code": "no_permitted_route"}


PERSON = Transfer(to="+12025550123")
TO_A_PERSON = {
    "the carrier hands it over": (True, Transfers(PERSON, Outbound(countries=("us",))), {"done": True, "to": ["us"]}),
    "the carrier cannot": (False, Transfers(PERSON, Outbound(countries=("us",))), {"done": False, "reasons": [NO_WAY]}),
    "the policy names nobody": (True, Transfers(), {"done": False, "reasons": [NOBODY_NAMED]}),
    "the country is not permitted": (
        True,
        Transfers(PERSON, Outbound(countries=("de",))),
        {"done": False, "reasons": ["us is not among the countries that may be called (de)"]},
    ),
}


@pytest.mark.parametrize(("can", "transfers", "facts"), TO_A_PERSON.values(), ids=TO_A_PERSON.keys())
async def test_a_person_takes_the_call_where_policy_and_carrier_allow_it(
    can: bool, transfers: Transfers, facts: dict[str, object]
) -> None:
    """The caller is told so before the line is given up; where nobody can take it, the caller is told that, and it ends."""
    phone = Handing(can=can)
    assert isinstance(phone, TransferringLeg)
    call = AskedCall(replace(KEYS, on_decline=OnDecline.HUMAN), phone=phone, transfers=transfers)
    call.phone.happen(START)
    async with running(call):
        await call.until_asked()
        call.phone.happen(KeyPressed(Private("2")))
    assert call.entry("call.transferred") == facts
    assert told(call) == (["transfer"] if facts["done"] else ["nobody"])
    assert PERSON.to not in str([entry.draft.body for entry in call.account.entries])
