"""Whoever carries the call: the announcement is heard and proven, the agent may be interrupted, it answers, all is sealed."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.caller.timeline import Kind
from tests.journeys.house import SHORT_MS, House, kinds, living_in, short_policies, speech

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

SEED = bytes(range(32))
SECRETS = {
    "TELNYX_PUBLIC_KEY_PRIVATE": base64.b64encode(SEED).decode(),
    "TELNYX_PUBLIC_KEY": base64.b64encode(Ed25519PrivateKey.from_private_bytes(SEED).public_key().public_bytes_raw()).decode(),
    "PLIVO_AUTH_TOKEN": "journey-plivo-token",
    "VONAGE_SIGNATURE_SECRET": "journey-vonage-secret",
    "EXOTEL_WEBHOOK_KEY": "journey-exotel-key",
}
ACCOUNTS = """\
  telnyx: {public_key: TELNYX_PUBLIC_KEY}
  plivo: {auth_token: PLIVO_AUTH_TOKEN}
  vonage: {signature_secret: VONAGE_SIGNATURE_SECRET}
  exotel: {webhook_key: EXOTEL_WEBHOOK_KEY}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("carriers")
    policies = short_policies(folder)
    tenant = policies / "tenants" / "demo.yaml"
    text = tenant.read_text(encoding="utf-8")
    assert "carrier:\n" in text
    tenant.write_text(text.replace("carrier:\n", "carrier:\n" + ACCOUNTS), encoding="utf-8")
    async with living_in(folder, policies=policies, env=SECRETS) as house:
        yield house


@pytest.mark.parametrize("carrier", ["telnyx", "plivo", "vonage", "exotel"])
async def test_a_call_of_this_carrier_is_announced_interrupted_answered_and_sealed(house: House, carrier: str) -> None:
    async with house.dial(carrier=carrier) as caller:
        announcement = await caller.announcement_over(quiet_ms=0)
        assert await caller.agent_speaking(for_ms=300)
        await caller.say(speech("opening-hours"))
        answer = await caller.listen(until_silent_ms=700, timeout_s=30)
    assert announcement.pcm.ms >= SHORT_MS - 600
    assert answer.pcm.ms > 500
    assert caller.timeline.first(Kind.CLEARED) is not None
    assert len(caller.timeline.all(Kind.FIRST_ANSWER)) == 1
    assert not caller.faults
    receipt = await house.receipt()
    assert receipt.outcome == "completed"
    assert receipt.entries[0].draft.body["carrier"] == carrier
    proof = next(entry.draft.body for entry in receipt.entries if entry.draft.kind == "announcement.played")
    assert (proof["acknowledged"], proof["played_ms"]) == ("mark", proof["total_ms"])
    assert kinds(receipt).index("announcement.played") < kinds(receipt).index("listening.started")
