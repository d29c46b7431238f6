"""The policies of the worker's tests: the demo's tenant with a sound for an announcement, and others beside it."""

from __future__ import annotations

import wave
from pathlib import Path

from gateway.evidence.keys import read_public_key
from gateway.evidence.receipt import Receipt, verify
from tests.journeys.house import ROOT
from tests.peers.livekit_server.audio import tone

PHONE = "+4915112345678"
CALLED = "+15550100"
FIRST_MS, LAST_MS = 1_200, 400
"""The announcement is a sound that ends higher than it began, so that its end can be heard."""
BODY_HZ, END_HZ = 500, 1_500
SEALED = "+15550101"
TENANTS = {
    "demo": {},
    "sealed": {
        "numbers: [+15550100]": "numbers: [+15550101]",
        "  twilio: {auth_token: TWILIO_AUTH_TOKEN}": "  livekit: {room_key: ROOM_KEY}",
    },
    "bye": {"numbers: [+15550100]": "numbers: []", "agents.receptionist:Receptionist": "tests.agents.farewell:Farewell"},
}


def policies_in(folder: Path) -> Path:
    """The demo's tenant with a sound for an announcement, and one whose agent hangs up."""
    policies = folder / "policies"
    (policies / "tenants").mkdir(parents=True)
    (policies / "announcements").mkdir()
    (policies / "subprocessors.yaml").write_text((ROOT / "policies" / "subprocessors.yaml").read_text(encoding="utf-8"))
    sound = tone(BODY_HZ, FIRST_MS / 1000, rate=8_000).samples + tone(END_HZ, LAST_MS / 1000, rate=8_000).samples
    # The apology that ships with Sordino takes ten seconds.
    for name, samples in {"notice": sound, "apology": tone(BODY_HZ, 0.3, rate=8_000).samples}.items():
        with wave.open(str(policies / "announcements" / f"{name}.en.wav"), "wb") as out:
            out.setparams((1, 2, 8_000, 0, "NONE", ""))
            out.writeframes(samples)
    demo = (ROOT / "policies" / "tenants" / "demo.yaml").read_text(encoding="utf-8")
    for name, changes in TENANTS.items():
        tenant = demo.replace("tenant: demo", f"tenant: {name}").replace("ai-and-privacy.en.wav", "notice.en.wav")
        for old, new in changes.items():
            assert old in tenant
            tenant = tenant.replace(old, new)
        (policies / "tenants" / f"{name}.yaml").write_text(tenant, encoding="utf-8")
    return policies


def receipts_in(data: Path) -> list[Receipt]:
    """Every receipt so far, oldest first, each verified with the gateway's public key."""
    trusted = read_public_key((data / "keys" / "signing.pub").read_bytes())
    files = sorted((data / "receipts").rglob("*.json"), key=lambda path: path.name)
    verified = [verify(file.read_bytes(), trusted) for file in files]
    assert all(each.trusted for each in verified)
    return [each.receipt for each in verified]
