"""Callers are asked on a real call: by key, by staying, by a spoken word that only this machine's recogniser hears."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from rich.console import Console

from gateway.audio import read_wav
from gateway.caller.call import Caller
from gateway.cli.evidence import tables
from gateway.evidence.receipt import Receipt, verify
from gateway.policy.consent import Answer, How
from gateway.values import Pcm, Private
from tests.journeys.house import AUTH_TOKEN, House, kinds, living_in, short_policies, text_of

pytestmark = [pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]
AUDIO = Path(__file__).parent / "audio"
NUMBERS = {"keys": "+15550101", "unrecorded": "+15550102", "staying": "+15550103", "words": "+15550104"}
MODES = {
    "keys": "mode: key-press",
    "unrecorded": "mode: key-press\n    wait: 30s\n    on_decline: continue-unrecorded",
    "staying": "mode: stay-on-line\n    wait: 1s",
    "words": "mode: spoken-yes\n    wait: 10s",
}
CALLERS = {name: f"+1555020{place}" for place, name in enumerate(("yes", "no", "stays", "leaves", "says", "refuses", "stops"))}


def said(name: str) -> Pcm:
    return read_wav((AUDIO / f"{name}.wav").read_bytes())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """One gateway whose tenants ask in different ways."""
    folder = tmp_path_factory.mktemp("consent")
    policies = short_policies(folder)
    demo = (policies / "tenants" / "demo.yaml").read_text(encoding="utf-8")
    for name, number in NUMBERS.items():
        text = demo.replace("tenant: demo", f"tenant: {name}").replace("+15550100", number).replace("mode: notify", MODES[name])
        (policies / "tenants" / f"{name}.yaml").write_text(text, encoding="utf-8")
    async with living_in(folder, policies=policies) as house:
        yield house


def dialling(house: House, tenant: str, caller: str) -> Caller:
    house.watcher.turns.clear()
    return Caller.dial(house.gateway.url, to=NUMBERS[tenant], from_=CALLERS[caller], auth_token=Private(AUTH_TOKEN))


async def listening(house: House) -> None:
    await house.watcher.until(lambda: bool(house.watcher.of("listening.started")), within_s=60)


async def ledger(house: House, tenant: str, caller: str) -> list[tuple[Answer, str, How]]:
    """What the consent ledger holds of the caller."""
    records = await house.gateway.desks.governing.dial.consents_of(tenant, Private(CALLERS[caller]))
    return [(each.answer, each.purpose, each.how) for each in records]


def answer(receipt: Receipt) -> Mapping[str, Any]:
    rows: Any = receipt.document["announcements"]
    found = rows[-1]["answer"]
    assert isinstance(found, dict)
    return found


def shown(receipt: Receipt) -> str:
    """What ``sordino evidence show`` prints."""
    console = Console(width=240, record=True, file=None, quiet=False)
    with console.capture() as capture:
        for table in tables(verify(receipt.to_json())):
            console.print(table)
    return capture.get()


async def test_the_named_key_agrees_and_the_receipt_and_the_ledger_hold_it(house: House) -> None:
    """Until the key is pressed nobody listens; the proof shows words, audio, how much was played, and the answer."""
    async with dialling(house, "keys", "yes") as caller:
        await caller.announcement_over()
        assert house.watcher.of("listening.started") == []
        await caller.press("1")
        await listening(house)
    receipt = await house.receipt()
    proof: Any = receipt.document["announcements"]
    assert (proof[0]["played_ms"], proof[0]["acknowledged"], proof[0]["proven"]) == (proof[0]["total_ms"], "mark", True)
    assert {"said": "yes", "purpose": "recording", "how": "key-press"}.items() <= answer(receipt).items()
    assert receipt.document["gate"] == "kept"
    assert await ledger(house, "keys", "yes") == [(Answer.GIVEN, "recording", How.KEY_PRESS)]
    assert "yes to recording (key-press" in shown(receipt)
    assert CALLERS["yes"] not in text_of(receipt)


async def test_the_other_key_declines_and_the_caller_hears_goodbye(house: House) -> None:
    async with dialling(house, "keys", "no") as caller:
        await caller.announcement_over()
        await caller.press("2")
        goodbye = await caller.listen(until_silent_ms=3_000, timeout_s=30)
        await caller.wait_closed(20)
    receipt = await house.receipt()
    assert goodbye.pcm.ms > 2_000
    assert (receipt.outcome, answer(receipt)["said"], answer(receipt)["then"]) == ("never_listened", "no", "hang-up")
    assert "hop" not in kinds(receipt)
    assert await ledger(house, "keys", "no") == [(Answer.WITHDRAWN, "recording", How.KEY_PRESS)]


async def test_without_a_yes_the_call_may_go_on_unrecorded_and_stop_recording_is_on_record_at_once(house: House) -> None:
    """A no leads into the conversation; later the words for it are understood, evidence is written, and the talk goes on."""
    async with dialling(house, "unrecorded", "stops") as caller:
        await caller.announcement_over()
        await caller.press("2")
        await listening(house)
        await caller.listen(timeout_s=20)
        await caller.say(said("stop-recording"))
        await house.watcher.until(lambda: bool(house.watcher.of("consent.withdrawn")), within_s=60)
    receipt = await house.receipt()
    assert (receipt.outcome, answer(receipt)["then"]) == ("completed", "continue-unrecorded")
    withdrawn: Any = receipt.document["withdrawn"]
    assert (withdrawn[0]["purpose"], withdrawn[0]["how"]) == ("recording", "spoken")
    assert "continue-unrecorded" in shown(receipt)
    held = await ledger(house, "unrecorded", "stops")
    assert held == [(Answer.WITHDRAWN, "recording", How.KEY_PRESS), (Answer.WITHDRAWN, "recording", How.SPOKEN)]


async def test_who_stays_on_the_line_agrees(house: House) -> None:
    async with dialling(house, "staying", "stays") as caller:
        await caller.announcement_over()
        await listening(house)
    receipt = await house.receipt()
    assert (answer(receipt)["said"], answer(receipt)["how"]) == ("yes", "stayed-on-line")
    assert await ledger(house, "staying", "stays") == [(Answer.GIVEN, "recording", How.STAYED)]


async def test_a_spoken_yes_is_heard_by_this_machines_recogniser_alone(house: House) -> None:
    """Under a Grant for consent; the words are in no receipt and reach no model."""
    asked = house.model_bodies()
    async with dialling(house, "words", "says") as caller:
        await caller.announcement_over(quiet_ms=100)
        await caller.say(said("yes-i-agree"))
        await listening(house)
    receipt = await house.receipt()
    assert (answer(receipt)["said"], answer(receipt)["how"]) == ("yes", "spoken")
    hops: Any = receipt.document["hops"]
    assert (hops[0]["hop"], hops[0]["region"], hops[0]["purpose"]) == ("stt", "local", "consent")
    assert receipt.document["gate"] == "kept"
    assert "agree" not in json.dumps(receipt.document["hops"])
    assert "agree" not in house.model_bodies().removeprefix(asked).lower()
    assert await ledger(house, "words", "says") == [(Answer.GIVEN, "recording", How.SPOKEN)]


async def test_a_spoken_no_ends_the_call_and_opens_no_other_ear(house: House) -> None:
    async with dialling(house, "words", "refuses") as caller:
        await caller.announcement_over(quiet_ms=100)
        await caller.say(said("no-thank-you"))
        await house.watcher.until(lambda: bool(house.watcher.of("consent.declined")), within_s=60)
    receipt = await house.receipt()
    assert (receipt.outcome, answer(receipt)["said"], answer(receipt)["how"]) == ("never_listened", "no", "spoken")
    hops: Any = receipt.document["hops"]
    assert [hop["purpose"] for hop in hops] == ["consent"]
    assert await ledger(house, "words", "refuses") == [(Answer.WITHDRAWN, "recording", How.SPOKEN)]
