"""Calls as they really come: several at once, silence, music, torn frames, callers who hang up any time."""

from __future__ import annotations

import asyncio
import math
from array import array
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.adapters.stores.names import key
from gateway.caller.behaviour import Behaviour
from gateway.caller.call import Caller, Ended
from gateway.evidence.receipt import Receipt, verify
from gateway.values import Pcm
from tests.journeys.house import CALLER, PROVES, House, kinds, living_in, short_policies, speech

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

OTHER = "+15550111"
HANG_UPS_MS = (0, 200, 800, 1_500, 1_700, 2_000, 2_600, 4_000, 6_000, 8_000)
"""In the announcement, at its last frame, while its mark is awaited, while the conversation opens, in the greeting, while the
caller speaks, while the model is asked, while the answer is spoken."""
TORN = Behaviour(duplicate_every=5, skip_every=9, late_every=7)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """One gateway with two tenants."""
    folder = tmp_path_factory.mktemp("hard-cases")
    policies = short_policies(folder)
    tenants = policies / "tenants"
    demo = (tenants / "demo.yaml").read_text(encoding="utf-8")
    (tenants / "other.yaml").write_text(
        demo.replace("tenant: demo", "tenant: other").replace("+15550100", OTHER), encoding="utf-8"
    )
    async with living_in(folder, policies=policies) as house:
        yield house


def dial(house: House, behaviour: Behaviour | None = None, *, to: str = "+15550100") -> Caller:
    token = house.gateway.secrets.read(PROVES["twilio"])
    return Caller.dial(house.gateway.url, to=to, from_=CALLER, auth_token=token, behaviour=behaviour)


async def one_turn(caller: Caller, said: Pcm) -> bool:
    """Whether the caller was answered."""
    async with caller:
        await caller.announcement_over()
        await caller.listen(until_silent_ms=700, timeout_s=20)
        if not await caller.say(said):
            return False
        answer = await caller.listen(until_silent_ms=700, timeout_s=30)
        await caller.hang_up()
    return answer.ended is Ended.SILENT


async def new_receipts(house: House, before: int) -> list[Receipt]:
    """Those of the calls since, each verified against the gateway's own key."""
    await house.gateway.idle()
    files = [Path(str(turn.facts["receipt"])) for turn in house.watcher.of("sealed")[before:]]
    return [verify(await asyncio.to_thread(file.read_bytes), house.gateway.signing.public_key).receipt for file in files]


async def left_in_vaults(house: House) -> list[bytes]:
    async with house.gateway.store.answers() as client:
        return [name for tenant in ("demo", "other") async for name in client.scan_iter(match=f"{key(tenant, 'vault')}:*")]


def music(seconds: float) -> Pcm:
    """A slow tune of three voices, as a waiting line plays it."""
    rate, tune = 8_000, (262, 330, 392, 523, 440, 349)
    samples = (
        sum(math.sin(2 * math.pi * tune[(at // 4_000 + voice) % len(tune)] * at / rate) for voice in (0, 2, 4)) * 4_000
        for at in range(int(seconds * rate))
    )
    return Pcm(array("h", (int(each) for each in samples)).tobytes(), rate)


@dataclass(frozen=True, slots=True)
class Crowd:
    answered: dict[str, bool]
    receipts: list[Receipt]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def crowd(house: House) -> Crowd:
    """Seven calls at once, some of them hard."""
    before = len(house.watcher.of("sealed"))

    async def is_silent() -> bool:
        async with dial(house) as caller:
            await caller.announcement_over()
            await caller.listen(until_silent_ms=2_500, timeout_s=20)
            await caller.hang_up()
        return True

    calls = {
        "a number": one_turn(dial(house), speech("phone-number")),
        "an address": one_turn(dial(house), speech("email-address")),
        "a card, to another tenant": one_turn(dial(house, to=OTHER), speech("card-number")),
        "frames that come twice, late, or never": one_turn(dial(house, TORN), speech("opening-hours")),
        "frames twice as fast": one_turn(dial(house, Behaviour(speed=2.0)), speech("opening-hours")),
        "music": one_turn(dial(house, to=OTHER), music(3)),
        "silence": is_silent(),
    }
    answered = await asyncio.gather(*calls.values())
    return Crowd(dict(zip(calls, answered, strict=True)), await new_receipts(house, before))


async def test_everybody_who_speaks_is_answered(crowd: Crowd) -> None:
    assert {name: answered for name, answered in crowd.answered.items() if name != "music"} == dict.fromkeys(
        set(crowd.answered) - {"music"}, True
    )


async def test_calls_at_once_on_one_tenant_and_on_two_never_share_anything(crowd: Crowd) -> None:
    masked = [(each.tenant, *sorted(map(str, dict(each.document["masked"])))) for each in crowd.receipts]  # type: ignore[arg-type]
    assert sorted(masked) == [
        ("demo",),
        ("demo",),
        ("demo",),
        ("demo", "EMAIL_ADDRESS"),
        ("demo", "PHONE_NUMBER"),
        ("other",),
        ("other", "CREDIT_CARD"),
    ]


async def test_silence_music_and_torn_frames_end_like_any_call_and_a_telephone_twice_as_fast_proves_nothing(crowd: Crowd) -> None:
    """It says that the announcement was played in half the time that it takes: then nobody was told, and nobody is heard."""
    assert sorted(each.outcome for each in crowd.receipts) == ["completed"] * 6 + ["never_listened"]


async def test_whoever_hangs_up_in_any_state_leaves_a_receipt_and_nothing_else(house: House) -> None:
    before = len(house.watcher.of("sealed"))

    async def hangs_up(after_ms: float) -> None:
        async with dial(house, Behaviour(hang_up_after_ms=after_ms)) as caller:
            await caller.announcement_over()
            await caller.say(speech("phone-number"))
            await caller.wait_closed(30)

    await asyncio.gather(*(hangs_up(after_ms) for after_ms in HANG_UPS_MS))
    receipts = await new_receipts(house, before)
    assert len(receipts) == len(HANG_UPS_MS)
    outcomes = [each.outcome for each in receipts]
    assert set(outcomes) == {"never_listened", "completed"}, outcomes
    for receipt in receipts:
        listened = "listening.started" in kinds(receipt)
        assert listened == (receipt.outcome == "completed")
        assert listened or not {"hop", "masked"} & set(kinds(receipt))
    assert await left_in_vaults(house) == []
