"""When something that a call stands on cannot answer, the data stays in, the caller is told, and the receipt says why."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NoReturn

import pytest
import pytest_asyncio

from gateway.adapters.detectors import presidio
from gateway.adapters.detectors.process import WorkerGone
from gateway.adapters.speech import inside
from gateway.caller.behaviour import Behaviour, Marks
from gateway.caller.call import Caller, ClosedBy
from gateway.evidence.receipt import Receipt
from tests.journeys.house import House, kinds, living_in, short_policies, speech, text_of

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """One gateway for the journeys that leave it whole."""
    folder = tmp_path_factory.mktemp("fail-closed")
    async with living_in(folder, policies=short_policies(folder)) as house:
        yield house


async def test_a_caller_who_hangs_up_during_the_announcement_was_never_listened_to(house: House) -> None:
    async with house.dial(Behaviour(hang_up_after_ms=700)) as caller:
        await caller.say(speech("card-number"))
    receipt = await house.receipt()
    assert receipt.outcome == "never_listened"
    assert kinds(receipt) == ["call.started", "announcement.unproven", "call.ended"]
    assert dropped(receipt) > 10


@pytest.mark.parametrize(
    ("marks", "why"),
    [
        (Marks.NEVER, "the carrier never acknowledged that it was played"),
        (Marks.AT_ONCE, "the carrier acknowledged it sooner than it can have been played"),
    ],
)
async def test_a_carrier_that_does_not_prove_the_announcement_is_not_listened_to_and_the_caller_is_told(
    house: House, marks: Marks, why: str
) -> None:
    async with house.dial(Behaviour(marks=marks)) as caller:
        await caller.say(speech("card-number"))
        told = await caller.listen(until_silent_ms=800, timeout_s=20)
        closed = await caller.wait_closed(20)
    receipt = await house.receipt()
    assert receipt.outcome == "never_listened"
    assert why in text_of(receipt)
    assert not {"hop", "masked", "listening.started"} & set(kinds(receipt))
    assert closed is not None
    assert closed.by is ClosedBy.GATEWAY
    assert "cannot be continued" in (await understood(told.pcm.samples, told.pcm.rate)).lower()


async def test_speech_over_the_announcement_does_not_interrupt_it_and_is_not_kept(house: House) -> None:
    before = house.model_bodies()
    async with house.dial() as caller:
        await caller.say(speech("cancel"))
        await caller.announcement_over()
        await caller.listen(until_silent_ms=900, timeout_s=10)
    receipt = await house.receipt()
    assert receipt.outcome == "completed"
    assert dropped(receipt) > 50
    assert "cancel my subscription" not in house.model_bodies()[len(before) :].lower()


async def test_with_the_model_down_the_caller_hears_an_apology(house: House) -> None:
    await house.model.stop()
    async with house.dial() as caller:
        await caller.announcement_over()
        told = await say_and_be_told(caller)
    receipt = await house.receipt()
    assert (receipt.outcome, receipt.code) == ("failed", "upstream_failed")
    assert "cannot continue this call safely" in told


def no_other_comes_up(*_: object) -> NoReturn:
    raise WorkerGone


async def test_with_the_detector_gone_nothing_reaches_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with living_in(tmp_path, policies=short_policies(tmp_path)) as house:
        async with house.dial() as caller:
            await caller.announcement_over()
            await caller.listen(until_silent_ms=900)
            monkeypatch.setattr(presidio, "WorkerProcess", no_other_comes_up)
            for pid in house.gateway.detector.pids:
                os.kill(pid, signal.SIGKILL)
            told = await say_and_be_told(caller, greeted=True)
        receipt = await house.receipt()
        assert (receipt.outcome, receipt.code) == ("failed", "redaction_unavailable")
        assert house.model_bodies() == ""
        assert "cannot continue this call safely" in told


async def test_with_the_recogniser_crashed_the_caller_is_told_and_the_next_call_is_served(tmp_path: Path) -> None:
    async with living_in(tmp_path, policies=short_policies(tmp_path)) as house:
        async with house.dial() as caller:
            await caller.announcement_over()
            await caller.listen(until_silent_ms=900)
            for pid in house.gateway.speech._hearing.pids:
                os.kill(pid, signal.SIGKILL)
            await say_and_be_told(caller, greeted=True)
        receipt = await house.receipt()
        assert (receipt.outcome, receipt.code) == ("failed", "upstream_failed")
        async with house.dial() as caller:
            await caller.announcement_over()
            await caller.listen(until_silent_ms=900, timeout_s=10)
            await caller.say(speech("name-and-address"))
            await caller.listen(until_silent_ms=900, timeout_s=60)
        assert (await house.receipt()).outcome == "completed"


async def test_with_valkey_killed_in_the_middle_the_call_ends_and_the_receipt_still_comes_out_and_is_true(tmp_path: Path) -> None:
    async with living_in(tmp_path, policies=short_policies(tmp_path)) as house:
        async with house.dial() as caller:
            await caller.announcement_over()
            await caller.listen(until_silent_ms=900)
            before = house.model_bodies()
            assert house.gateway.valkey is not None
            await house.gateway.valkey.kill()
            told = await say_and_be_told(caller, greeted=True)
            closed = await caller.wait_closed(20)
        receipt = await house.receipt()
        assert receipt.outcome == "failed"
        assert receipt.code in {"store_unavailable", "evidence_unavailable"}
        assert receipt.durability == "unconfirmed"
        assert house.model_bodies() == before
        assert "cannot continue this call safely" in told
        assert closed is not None
        assert closed.by is ClosedBy.GATEWAY


async def say_and_be_told(caller: Caller, *, greeted: bool = False) -> str:
    """Say a name and address; what the gateway says then, as text."""
    if not greeted:
        await caller.listen(until_silent_ms=900, timeout_s=10)
    await caller.say(speech("name-and-address"))
    heard = await caller.listen(until_silent_ms=1_500, timeout_s=40)
    return (await understood(heard.pcm.samples, heard.pcm.rate)).lower()


async def understood(samples: bytes, rate: int) -> str:
    return await asyncio.to_thread(inside.transcribe, samples, rate)


def dropped(receipt: Receipt) -> int:
    return max(int(str(entry.draft.body.get("frames_dropped", 0))) for entry in receipt.entries)
