"""Card data on a real call: keys reach the payment processor and nobody else, and what is said meanwhile reaches nobody."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
import wave
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from aiohttp import web
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from gateway.adapters.speech import inside
from gateway.adapters.telemetry.logs import install_log_filter
from gateway.caller.call import Caller
from gateway.evidence.receipt import Receipt
from gateway.policy.egress import Grant
from gateway.ports import SpeechToText
from gateway.runner.transcripts import as_text
from gateway.values import Pcm, Private, TenantId
from gateway.webhooks import signing_key, verify
from tests.journeys.canaries import Canary, files_under, found_in
from tests.journeys.house import AUTH_TOKEN, CALLER, House, kinds, living_in, short_policies, speech
from tests.journeys.test_canaries import store_dump

pytestmark = [pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]
SECRET = "whsec_" + "c29yZGluby1wYXltZW50LXdlYmhvb2stdGVzdA=="
NUMBERS = {"asks": "+15550111", "says": "+15550112"}
CARD, CODE = Canary("card", "", "4012888888881881"), Canary("code", "", "94817263")
SPOKEN = Canary("spoken card", "", "4532118096612345")
"""What ``card-number.wav`` says, and what two callers key in (the code is too long for one, so that it can be searched for)."""
PAY = """\
- id: shop-payments
  name: The shop's payment processor
  purpose: payments
  kind: payment
  dialect: payment-webhook
  base_url: {url}
  secret: SHOP_PAYMENT_SECRET
  region: local
  training: prohibited
  retention_days: 0
  receives: [payment]
  status: active
  source: this test
  checked_on: 2026-11-01
"""


ASKS = "mode: stay-on-line\n    wait: 1s"
KEEPS = "recording: {enabled: true}\ntranscripts: {enabled: true}\nretention: {audio: 1d, transcript: 1d}"
DIGITS = re.compile(r"\d|\b(?:zero|one|two|three|four|five|six|seven|eight|nine)\b")


@dataclass(slots=True)
class Shop:
    """A payment processor that asks for the security code after the card number."""

    url: str = ""
    posted: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.posted.append((dict(request.headers), body))
        more = json.loads(body)["data"]["field"] == "number"
        return web.json_response({"status": "more", "field": "code"} if more else {"status": "accepted"})

    def keyed(self) -> list[tuple[str, str]]:
        data = [json.loads(body)["data"] for _, body in self.posted]
        return [(each["field"], each["keys"]) for each in data]


class Ears:
    """This machine's recogniser, and how often it was asked."""

    def __init__(self, inner: SpeechToText) -> None:
        self.inner = inner
        self.asked = 0

    async def transcribe(self, grant: Grant, speech: Private[Pcm], *, language: str) -> Private[str]:
        self.asked += 1
        return await self.inner.transcribe(grant, speech, language=language)


@dataclass(slots=True)
class Till:
    house: House
    shop: Shop
    ears: Ears
    logs: io.StringIO
    spans: InMemorySpanExporter

    def dial(self, tenant: str) -> Caller:
        self.house.watcher.turns.clear()
        return Caller.dial(self.house.gateway.url, to=NUMBERS[tenant], from_=CALLER, auth_token=Private(AUTH_TOKEN))

    async def until(self, kind: str) -> None:
        await self.house.watcher.until(lambda: bool(self.house.watcher.of(kind)), within_s=60)

    async def exits(self) -> dict[str, str | bytes]:
        """Every way out of the house but the one to the shop."""
        shown = [str(turn.text.reveal()) for turn in self.house.watcher.turns if turn.text is not None]
        return {
            "model bodies": self.house.model_bodies(),
            "receipt": (await self.house.receipt()).to_json(),
            "store": await store_dump(self.house),
            "logs": self.logs.getvalue(),
            "spans": "\n".join(span.to_json() for span in self.spans.get_finished_spans()),
            "watcher": "\n".join([*shown, *(repr(turn) for turn in self.house.watcher.turns)]),
            **{f"disk: {name}": data for name, data in files_under(self.house.data).items()},
        }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def till(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Till]:
    """One gateway with a tenant whose agent asks for a card, and one whose callers say it by themselves."""
    folder, shop = tmp_path_factory.mktemp("payment"), Shop()
    application = web.Application()
    application.router.add_post("/take", shop.take)
    runner = web.AppRunner(application, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    shop.url = f"http://127.0.0.1:{runner.addresses[0][1]}/take"
    policies, logs, spans = short_policies(folder), io.StringIO(), InMemorySpanExporter()
    registry = policies / "subprocessors.yaml"
    registry.write_text(registry.read_text("utf-8") + PAY.format(url=shop.url), "utf-8")
    demo = (policies / "tenants" / "demo.yaml").read_text("utf-8")
    demo = demo.replace("  tts: [", "  payment: [{processor: shop-payments}]\n  tts: [")
    ways = {"asks": "payment: {starts: [question]}", "says": "payment: {resume: timed, within: 5s}"}
    for name, number in NUMBERS.items():
        text = demo.replace("tenant: demo", f"tenant: {name}").replace("+15550100", number) + ways[name] + "\n"
        if name == "asks":
            text = text.replace("agents.receptionist:Receptionist", "tests.agents.cashier:Cashier")
        else:
            text = text.replace("mode: notify", ASKS).replace("recording: {enabled: false}", KEEPS)
            text = text.replace("route:\n", "route:\n  storage: [{processor: local-recordings}]\n")
        (policies / "tenants" / f"{name}.yaml").write_text(text, "utf-8")
    env = {"SHOP_PAYMENT_SECRET": SECRET}
    try:
        with install_log_filter(logging.DEBUG, logs):
            async with living_in(folder, policies=policies, env=env, exporters=(spans,)) as house:
                parts = house.gateway.calls.needs.parts
                ears = Ears(parts.stt["moonshine"])
                house.gateway.calls.needs = replace(house.gateway.calls.needs, parts=replace(parts, stt={"moonshine": ears}))
                yield Till(house, shop, ears, logs, spans)
    finally:
        await runner.cleanup()


def payments(receipt: Receipt) -> list[dict[str, Any]]:
    found: Any = receipt.document["payments"]
    return list(found)


async def test_keys_go_to_the_payment_processor_and_nobody_hears_what_is_said_meanwhile(till: Till) -> None:
    """The agent's question for a card is not spoken: a recorded message asks to key it in. Then the call goes on."""
    async with till.dial("asks") as caller:
        await caller.announcement_over()
        await till.until("payment.paused")
        assert till.ears.asked == 0
        for key in f"{CARD.spoken}#":
            await caller.press(key)
        await caller.say(speech("yes-correct"))
        await till.until("payment.answered")
        for key in f"12*{CODE.spoken}#":
            await caller.press(key)
        await till.until("payment.resumed")
        assert till.ears.asked == 0
        await till.until("answered")
        await caller.say(speech("opening-hours"))
        await till.until("masked")
    receipt = await till.house.receipt()
    assert till.shop.keyed() == [("number", CARD.spoken), ("code", CODE.spoken)]
    row = payments(receipt)[0]
    assert (row["reason"], row["ended"], row["blind"]) == ("question", "accepted", "kept")
    assert (row["keys"], row["handed_over"]) == (len(CARD.spoken) + len(CODE.spoken) + 5, 2)
    assert row["frames_unheard"] > speech("yes-correct").ms / 20
    between = kinds(receipt)[kinds(receipt).index("payment.paused") : kinds(receipt).index("payment.resumed")]
    assert between == ["payment.paused", "hop", "payment.answered", "hop", "payment.answered"]
    leaks = {name: found_in(content, (CARD, CODE, SPOKEN)) for name, content in (await till.exits()).items()}
    assert {name: found for name, found in leaks.items() if found} == {}


async def test_what_is_handed_over_is_signed_and_names_each_piece_once(till: Till) -> None:
    for headers, body in till.shop.posted:
        small = {name.lower(): value for name, value in headers.items()}
        verify(signing_key(Private(SECRET)), small, body, now=datetime.now(UTC))
        assert small["idempotency-key"] == small["webhook-id"]
    assert len({headers["webhook-id"] for headers, _ in till.shop.posted}) == len(till.shop.posted) == 2


async def test_a_card_that_a_caller_says_unasked_is_dropped_and_the_call_goes_blind(till: Till) -> None:
    """The words reach no model and no vault; nobody keys anything in, and by this policy the line opens again in five seconds."""
    asked = till.house.model_bodies()
    async with till.dial("says") as caller:
        await caller.announcement_over()
        await till.until("answered")
        await caller.say(speech("card-number"))
        await till.until("payment.paused")
        await till.until("payment.resumed")
        await caller.say(speech("opening-hours"))
        await till.until("masked")
    receipt = await till.house.receipt()
    row = payments(receipt)[0]
    assert (row["reason"], row["ended"], row["keys"], row["blind"]) == ("detected", "timed", 0, "kept")
    assert "masked" not in kinds(receipt)
    leaks = {name: found_in(content, (SPOKEN,)) for name, content in (await till.exits()).items()}
    assert {name: found for name, found in leaks.items() if found} == {}
    assert "CREDIT_CARD" not in till.house.model_bodies().removeprefix(asked)


async def test_what_is_kept_of_that_call_begins_again_behind_the_card(till: Till) -> None:
    """Transcript and recording are opened with their keys: what was said before and after is there, the card in neither."""
    desks, tenant = till.house.gateway.desks, TenantId("says")
    (facts,) = await desks.transcripts.desk.list(tenant)
    clear = await desks.transcripts.desk.read_in_clear(tenant, facts.call, reason="this test", by="test")
    said = as_text(clear).reveal()
    assert "open" in said.lower()
    assert found_in(said, (SPOKEN,)) == []
    async with desks.recordings.desk.export(tenant, facts.call, reason="this test") as found:
        data = b"".join([piece async for piece in found.wav])
    assert "payment" in {gap.reason for gap in found.extent.gaps}
    with wave.open(io.BytesIO(data)) as sound:
        both = np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2").reshape(-1, 2)
        heard = await asyncio.to_thread(inside.transcribe, both[:, 0].tobytes(), sound.getframerate())
    assert "open" in heard.lower()
    assert DIGITS.findall(heard.lower()) == []
