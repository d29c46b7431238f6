"""A child on a real call: nothing more is heard, thought or kept, one sentence ends it, and what was kept is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.adapters.stores.transcripts import TurnKept
from gateway.audio import read_wav
from gateway.caller.call import Caller
from gateway.evidence.receipt import Receipt, verify
from gateway.values import CallId, Private, TenantId
from tests.journeys.house import AUTH_TOKEN, House, kinds, living_in, short_policies, speech, text_of

pytestmark = [pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]
NINE = Path(__file__).parent / "audio" / "nine-years-old.wav"
NUMBER, TENANT = "+15550114", TenantId("school")
ASKS = "mode: key-press\n    wait: 30s\n    on_decline: continue-unrecorded"
KEEPS = "recording: {enabled: true}\ntranscripts: {enabled: true}\nretention: {audio: 1d, transcript: 1d}"


@dataclass(slots=True)
class Lived:
    """One call that was lived through once; each test looks at one side of it."""

    house: House
    receipt: Receipt
    kept_before: Mapping[str, bool]
    said_before: Sequence[TurnKept]
    """The transcript as it stood before the child's age was said."""
    asked_before: int

    @property
    def call(self) -> CallId:
        return CallId(self.receipt.call)


async def kept(house: House, call: CallId) -> dict[str, bool]:
    return {
        "recording": await house.gateway.desks.recordings.desk.find(TENANT, call) is not None,
        "transcript": await house.gateway.desks.transcripts.desk.find(TENANT, call) is not None,
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lived(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lived]:
    """A caller agrees to be recorded, asks something, is answered, and then says their age."""
    folder = tmp_path_factory.mktemp("child")
    policies = short_policies(folder)
    demo = (policies / "tenants" / "demo.yaml").read_text(encoding="utf-8")
    text = demo.replace("tenant: demo", f"tenant: {TENANT}").replace("+15550100", NUMBER).replace("mode: notify", ASKS)
    text = text.replace("route:\n", "route:\n  storage: [{processor: local-recordings}]\n")
    (policies / "tenants" / f"{TENANT}.yaml").write_text(text.replace("recording: {enabled: false}", KEEPS), encoding="utf-8")
    async with living_in(folder, policies=policies) as house:
        watcher = house.watcher
        async with Caller.dial(house.gateway.url, to=NUMBER, from_="+15550302", auth_token=Private(AUTH_TOKEN)) as caller:
            await caller.announcement_over()
            await caller.press("1")
            await caller.listen(until_silent_ms=900, timeout_s=60)
            await caller.say(speech("opening-hours"))
            await watcher.until(lambda: any(turn.facts.get("turn") == 1 for turn in watcher.of("answered")), within_s=60)
            await caller.listen(until_silent_ms=1_200, timeout_s=60)
            call = (await house.gateway.desks.transcripts.desk.list(TENANT))[0].call
            before, asked = await kept(house, call), len(house.model_bodies())
            said = (await house.gateway.desks.transcripts.desk.read(TENANT, call)).turns
            await caller.say(read_wav(NINE))
            await watcher.until(lambda: bool(watcher.of("child.signalled")), within_s=60)
            await watcher.until(lambda: bool(watcher.of("sealed")), within_s=60)
            await asyncio.wait_for(house.gateway.idle(), 60)
        (path,) = (house.data / "receipts" / TENANT).glob("*.json")
        receipt = verify(path.read_bytes(), house.gateway.signing.public_key).receipt
        yield Lived(house, receipt, before, said, asked)


async def test_until_then_the_call_was_kept_as_the_caller_agreed(lived: Lived) -> None:
    assert lived.kept_before == {"recording": True, "transcript": True}
    turns = [(turn.speaker, turn.text.lower()) for turn in lived.said_before]
    question = next(place for place, (speaker, text) in enumerate(turns) if speaker == "caller" and "open" in text)
    assert "agent" in {speaker for speaker, _ in turns[:question]}, "the greeting comes before the question"
    assert [turn.at for turn in lived.said_before] == sorted(turn.at for turn in lived.said_before)


async def test_the_age_reaches_no_model_and_no_answer_is_given(lived: Lived) -> None:
    after = lived.house.model_bodies()[lived.asked_before :]
    assert after == ""
    heard = kinds(lived.receipt)
    assert "hop" not in heard[heard.index("child.signalled") :]


async def test_the_receipt_says_how_it_was_told_and_never_what_was_said(lived: Lived) -> None:
    entry = next(entry for entry in lived.receipt.entries if entry.draft.kind == "child.signalled")
    assert dict(entry.draft.body) == {"sign": "age", "under": 13, "then": "transfer"}
    assert "nine" not in text_of(lived.receipt).lower()


async def test_where_no_person_may_take_over_one_sentence_ends_the_call(lived: Lived) -> None:
    ends = kinds(lived.receipt)
    assert ends.index("child.signalled") < ends.index("call.transferred") < ends.index("call.ended")
    transferred = next(entry for entry in lived.receipt.entries if entry.draft.kind == "call.transferred")
    assert transferred.draft.body["done"] is False


async def test_nothing_of_the_call_is_kept_and_each_deletion_is_certified(lived: Lived) -> None:
    gateway = lived.house.gateway
    assert await kept(lived.house, lived.call) == {"recording": False, "transcript": False}
    assert list((lived.house.data / "recordings").glob(f"{TENANT}/*")) == []
    certified = {
        str(entry.draft.body["class"])
        async for entry in gateway.ledger.entries(TENANT)
        if entry.draft.kind == "deletion.certified" and entry.draft.body["of"] == lived.call
    }
    assert {"audio", "transcript", "vault"} <= certified
